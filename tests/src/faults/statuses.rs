//! Faults that are told by a status.

use playhouse_protocol::FailureClass::{Denied, InvalidInput, Retryable};

use super::fault::{Act, Call, Fault, Outcome};
use super::wire::{TEXT, failure, first, json, response};

/// An answer at the second request.
const SECOND: Outcome = Outcome::answer(TEXT, 2);

fn limited(call: Call, headers: &[(&str, &str)]) -> Vec<Act> {
    first(1, call, || failure(429, headers, "rate_limit_exceeded", "Slow down."))
}

fn once(call: Call, status: u16) -> Vec<Act> {
    first(1, call, || failure(status, &[], "server_error", "Something went wrong."))
}

const fn rejected(status: u16) -> Outcome {
    Outcome::error("Rejected", InvalidInput, Some(status), 1)
}

/// A date a little more than a second away.
fn soon() -> String {
    #[expect(clippy::disallowed_methods, reason = "a date in a header is a time of day")]
    let now = std::time::SystemTime::now();
    httpdate::fmt_http_date(now + std::time::Duration::from_secs(2))
}

/// Too many requests, and what is said about when to come back.
pub(super) static LIMITS: &[Fault] = &[
    Fault::new("limited", "429 without a hint, then an answer", |call| limited(call, &[]), SECOND),
    Fault::new(
        "limited-seconds",
        "429 with `Retry-After: 1`, then an answer",
        |call| limited(call, &[("retry-after", "1")]),
        SECOND.spaced(&[1_000]),
    ),
    Fault::new(
        "limited-fraction",
        "429 with `Retry-After: 0.3`, then an answer",
        |call| limited(call, &[("retry-after", "0.3")]),
        SECOND.spaced(&[300]),
    ),
    Fault::new(
        "limited-date",
        "429 with a `Retry-After` date between one and two seconds away, then an answer",
        |call| limited(call, &[("retry-after", &soon())]),
        SECOND.spaced(&[1_000]),
    ),
    Fault::new(
        "limited-milliseconds",
        "429 with `retry-after-ms: 250` beside `Retry-After: 60`, then an answer",
        |call| limited(call, &[("retry-after-ms", "250"), ("retry-after", "60")]),
        SECOND.spaced(&[250]),
    ),
    Fault::new(
        "limited-reset-requests",
        "429 with `x-ratelimit-reset-requests: 350ms` and none remaining, then an answer",
        |call| {
            limited(call, &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "350ms")])
        },
        SECOND.spaced(&[350]),
    ),
    Fault::new(
        "limited-reset-tokens",
        "429 with `x-ratelimit-reset-tokens: 0.4s` and none remaining, while requests remain, then an answer",
        |call| {
            let headers = [
                ("x-ratelimit-remaining-requests", "9"),
                ("x-ratelimit-reset-requests", "1h"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "0.4s"),
            ];
            limited(call, &headers)
        },
        SECOND.spaced(&[400]),
    ),
    Fault::new(
        "limited-nonsense",
        "429 with `Retry-After: soon`, then an answer",
        |call| limited(call, &[("retry-after", "soon")]),
        SECOND,
    ),
    Fault::new(
        "limited-negative",
        "429 with `Retry-After: -5`, then an answer",
        |call| limited(call, &[("retry-after", "-5")]),
        SECOND,
    ),
    Fault::new(
        "limited-till-tomorrow",
        "429 with `Retry-After: 86400`: longer than the call may take",
        |call| limited(call, &[("retry-after", "86400")]),
        Outcome::error("RateLimited", Retryable, Some(429), 1).hinting(86_000_000),
    ),
    Fault::new(
        "limited-for-ever",
        "429 without a hint, always",
        |_| failure(429, &[], "rate_limit_exceeded", "Slow down."),
        Outcome::error("RateLimited", Retryable, Some(429), 4),
    ),
    Fault::new(
        "quota-spent",
        "429 because the balance is spent: waiting does not fill it",
        |_| failure(429, &[], "insufficient_quota", "You exceeded your current quota."),
        Outcome::error("Unauthorized", Denied, Some(429), 1),
    ),
];

/// Failures of the server, and what it calls failures of ours.
pub(super) static STATUSES: &[Fault] = &[
    Fault::new("internal", "500, then an answer", |call| once(call, 500), SECOND),
    Fault::new("bad-gateway", "502 with an HTML page, then an answer", bad_gateway, SECOND),
    Fault::new("unavailable", "503, then an answer", |call| once(call, 503), SECOND),
    Fault::new(
        "unavailable-hint",
        "503 with `Retry-After: 1`, then an answer",
        |call| first(1, call, || failure(503, &[("retry-after", "1")], "overloaded", "Loading model.")),
        SECOND.spaced(&[1_000]),
    ),
    Fault::new("gateway-timeout", "504, then an answer", |call| once(call, 504), SECOND),
    Fault::new("overloaded", "529, then an answer", |call| once(call, 529), SECOND),
    Fault::new("request-timeout", "408, then an answer", |call| once(call, 408), SECOND),
    Fault::new("conflict", "409, then an answer", |call| once(call, 409), SECOND),
    Fault::new("too-early", "425, then an answer", |call| once(call, 425), SECOND),
    Fault::new(
        "twice",
        "500, then 503, then an answer",
        |call| if call.number == 2 { once(Call { number: 1, ..call }, 503) } else { once(call, 500) },
        Outcome::answer(TEXT, 3),
    ),
    Fault::new(
        "internal-for-ever",
        "the same 500, always: three times the same is enough",
        |_| failure(500, &[], "server_error", "division by zero"),
        Outcome::error("ServerError", Retryable, Some(500), 3),
    ),
    Fault::new(
        "internal-other",
        "a 500 that says something else each time",
        |call| {
            failure(500, &[], "server_error", &format!("worker {} died", "x".repeat(call.number as usize)))
        },
        Outcome::error("ServerError", Retryable, Some(500), 4),
    ),
    Fault::new(
        "bad-request",
        "400",
        |_| failure(400, &[], "invalid_request_error", "Bad value."),
        rejected(400),
    ),
    Fault::new(
        "context",
        "400 because the prompt is too long",
        |_| {
            let message = "This model's maximum context length is 16 tokens. However, your messages resulted in 99 tokens.";
            failure(400, &[], "context_length_exceeded", message)
        },
        Outcome::error("ContextExceeded", InvalidInput, Some(400), 1),
    ),
    Fault::new(
        "wrong-key",
        "401 that repeats the key",
        |_| failure(401, &[], "invalid_api_key", &format!("Incorrect API key provided: {}.", super::KEY)),
        Outcome::error("Unauthorized", Denied, Some(401), 1),
    ),
    Fault::new(
        "payment",
        "402",
        |_| failure(402, &[], "payment_required", "Pay first."),
        Outcome::error("Unauthorized", Denied, Some(402), 1),
    ),
    Fault::new(
        "forbidden",
        "403",
        |_| failure(403, &[], "forbidden", "Not in your country."),
        Outcome::error("Unauthorized", Denied, Some(403), 1),
    ),
    Fault::new(
        "no-model",
        "404 because there is no such model",
        |_| failure(404, &[], "model_not_found", "The model does not exist."),
        Outcome::error("NoSuchModel", InvalidInput, Some(404), 1),
    ),
    Fault::new("not-found", "404 of a page", |_| response(404, &[], "nothing here"), rejected(404)),
    Fault::new("method", "405", |_| response(405, &[("allow", "GET")], ""), rejected(405)),
    Fault::new("too-large", "413", |_| failure(413, &[], "too_large", "Body too large."), rejected(413)),
    Fault::new(
        "unprocessable",
        "422 that repeats the prompt",
        |_| {
            let body = format!(
                r#"{{"detail":[{{"loc":["body","messages"],"msg":"wrong","input":"{}"}}]}}"#,
                super::PROMPT
            );
            json(422, &body)
        },
        rejected(422),
    ),
    Fault::new("not-implemented", "501", |_| response(501, &[], ""), rejected(501)),
    Fault::new("version", "505", |_| response(505, &[], ""), rejected(505)),
];

fn bad_gateway(call: Call) -> Vec<Act> {
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    first(1, call, || response(502, &[("content-type", "text/html")], page))
}
