//! Whole answers that are not as they should be.

use playhouse_protocol::FailureClass::Retryable;

use super::fault::{Fault, Outcome};
use super::wire::{TEXT, USAGE, failure, first, json, response, send, whole};

const ONE: Outcome = Outcome::answer(TEXT, 1);
const SECOND: Outcome = Outcome::answer(TEXT, 2);
const UNREADABLE: Outcome = Outcome::error("InvalidResponse", Retryable, None, 3);

/// Plain answers.
pub(super) static BODIES: &[Fault] = &[
    Fault::new("not-json", "200 with what is no JSON, always", |_| json(200, "{\"id\": oops"), UNREADABLE)
        .of_plain_answers(),
    Fault::new(
        "page",
        "200 with an HTML page, then an answer",
        |call| first(1, call, || response(200, &[("content-type", "text/html")], "<html>Log in</html>")),
        SECOND,
    ),
    Fault::new("empty", "200 with an empty body, always", |_| response(200, &[], ""), UNREADABLE)
        .streamed(Outcome::error("BrokenStream", Retryable, None, 3)),
    Fault::new(
        "other-json",
        "200 with JSON of another form, always",
        |_| json(200, r#"{"choices":7}"#),
        UNREADABLE,
    ),
    Fault::new("no-choices", "200 without a choice, always", |_| json(200, r#"{"choices":[]}"#), UNREADABLE),
    Fault::new(
        "error-inside",
        "200 with a failure inside, then an answer",
        |call| first(1, call, || json(200, r#"{"error":{"message":"worker died","code":500}}"#)),
        SECOND,
    ),
    Fault::new(
        "wrong-type",
        "an answer that calls itself text/plain",
        |_| response(200, &[("content-type", "text/plain")], &whole(TEXT, "stop", USAGE)),
        ONE,
    ),
    Fault::new(
        "huge",
        "200 with a body of more than 8 MiB, always",
        |_| json(200, &whole(&"x".repeat(9 * 1024 * 1024), "stop", USAGE)),
        UNREADABLE,
    ),
    Fault::new(
        "no-usage",
        "an answer without usage: it is estimated",
        |_| json(200, &whole(TEXT, "stop", "")),
        ONE,
    ),
    Fault::new(
        "wrong-usage",
        "an answer with a usage that cannot be: it is estimated",
        |_| json(200, &whole(TEXT, "stop", r#","usage":{"prompt_tokens":-4,"completion_tokens":"many"}"#)),
        ONE,
    ),
    Fault::new(
        "unknown-reason",
        "an answer with a finish_reason that nobody knows",
        |_| json(200, &whole(TEXT, "bored", USAGE)),
        ONE,
    ),
    Fault::new(
        "given-up",
        "an answer that the server gave up (`finish_reason: error`), then a sound one",
        |call| first(1, call, || json(200, &whole("one", "error", USAGE))),
        SECOND,
    ),
    Fault::new(
        "two-choices",
        "an answer with two choices: the first counts",
        |_| {
            let choice = |index: u32, text: &str| {
                format!(r#"{{"index":{index},"message":{{"content":"{text}"}},"finish_reason":"stop"}}"#)
            };
            json(200, &format!(r#"{{"choices":[{},{}]{USAGE}}}"#, choice(1, "no"), choice(0, TEXT)))
        },
        ONE,
    ),
    Fault::new(
        "parts",
        "an answer whose content is a list of parts",
        |_| {
            let content = r#"[{"type":"text","text":"one two "},{"type":"text","text":"three"}]"#;
            json(
                200,
                &format!(
                    r#"{{"choices":[{{"message":{{"content":{content}}},"finish_reason":"stop"}}]{USAGE}}}"#
                ),
            )
        },
        ONE,
    ),
    Fault::new(
        "chunked",
        "a body in chunks of one byte",
        |_| {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            let body = whole(TEXT, "stop", USAGE);
            let chunks = body.chars().map(|c| send(&format!("1\r\n{c}\r\n")));
            std::iter::once(send(head)).chain(chunks).chain([send("0\r\n\r\n")]).collect()
        },
        ONE,
    ),
    Fault::new(
        "out-of-schema",
        "JSON that does not fit the schema, always",
        |_| json(200, &whole(r#"{\"verdict\":7}"#, "stop", USAGE)),
        Outcome::error("OutOfSchema", Retryable, None, 3),
    )
    .streamed(Outcome::error("OutOfSchema", Retryable, None, 3).restarted(2))
    .with_schema(),
    Fault::new(
        "out-of-schema-once",
        "JSON that does not fit the schema, then JSON that does",
        |call| {
            let text = if call.number == 1 { r"{}" } else { r#"{\"verdict\":\"yes\"}"# };
            json(200, &whole(text, "stop", USAGE))
        },
        Outcome::answer(r#"{"verdict":"yes"}"#, 2),
    )
    .streamed(Outcome::answer(r#"{"verdict":"yes"}"#, 2).restarted(1))
    .with_schema(),
    Fault::new(
        "slow-failure",
        "a failure whose body never ends, then an answer",
        |call| {
            first(1, call, || {
                let head = "HTTP/1.1 500 X\r\ncontent-type: text/plain\r\ncontent-length: 999\r\n\r\n";
                vec![send(head), send("it broke"), super::fault::Act::Stall]
            })
        },
        SECOND,
    )
    .impatient(),
    Fault::new(
        "nested-failure",
        "400 with a failure inside a failure",
        |_| failure(400, &[], "bad", "{\\\"error\\\":{\\\"message\\\":\\\"inner\\\"}}"),
        Outcome::error("Rejected", playhouse_protocol::FailureClass::InvalidInput, Some(400), 1),
    ),
];
