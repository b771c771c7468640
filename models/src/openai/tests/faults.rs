//! What a plain call makes of each thing that can go wrong.

use super::*;

/// A line of the table: what the server does, and what is made of it.
struct Fault {
    name: &'static str,
    answers: Vec<Vec<Act>>,
    /// The answer's text, or the beginning of the error's `Debug`.
    expected: Result<&'static str, &'static str>,
    calls: usize,
    retry_after_ms: Option<u64>,
}

fn fault(
    name: &'static str,
    answers: Vec<Vec<Act>>,
    expected: Result<&'static str, &'static str>,
    calls: usize,
) -> Fault {
    Fault { name, answers, expected, calls, retry_after_ms: None }
}

fn error_body(message: &str) -> String {
    format!(r#"{{"error":{{"message":"{message} {KEY}","type":"t","code":null}}}}"#)
}

fn with_hint(status: u16, name: &str, value: &str) -> Vec<Act> {
    response(status, &[("content-type", "application/json"), (name, value)], &error_body("slow down"))
}

fn permanent() -> Vec<Fault> {
    let status =
        |status, expected| fault("one failure", vec![json(status, &error_body("no"))], Err(expected), 1);
    vec![
        status(400, "Rejected"),
        status(401, "Unauthorized"),
        status(403, "Unauthorized"),
        status(404, "Rejected"),
        status(413, "Rejected"),
        status(422, "Rejected"),
        fault("unknown model", vec![json(404, &error_body("model gone"))], Err("NoSuchModel"), 1),
        fault(
            "too long",
            vec![json(
                400,
                r#"{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":4}}"#,
            )],
            Err("ContextExceeded { prompt_tokens: 9, context_tokens: 4 }"),
            1,
        ),
        fault(
            "redirect",
            vec![response(307, &[("location", "http://127.0.0.2:1/x?k=1")], "")],
            Err("Rejected"),
            1,
        ),
    ]
}

fn passing() -> Vec<Fault> {
    let ok = || json(200, WHOLE);
    let three = |answer: Vec<Act>| vec![answer.clone(), answer.clone(), answer];
    vec![
        fault("none", vec![ok()], Ok("hi there"), 1),
        fault("500, then well", vec![json(500, "{}"), ok()], Ok("hi there"), 2),
        fault("503 always", three(json(503, &error_body("loading"))), Err("ServerError"), 3),
        fault("529 always", three(json(529, "")), Err("ServerError"), 3),
        fault("429, then well", vec![json(429, "{}"), ok()], Ok("hi there"), 2),
        fault("429 always", three(json(429, &error_body("slow down"))), Err("RateLimited"), 3),
        Fault {
            retry_after_ms: Some(61_000),
            ..fault(
                "429 with too long a hint",
                vec![with_hint(429, "retry-after", "61")],
                Err("RateLimited"),
                1,
            )
        },
        Fault {
            retry_after_ms: Some(70_000),
            ..fault(
                "429 with a date",
                vec![with_hint(429, "retry-after", "Sun, 06 Nov 1994 08:50:47 GMT")],
                Err("RateLimited"),
                1,
            )
        },
        fault("429 with milliseconds", vec![with_hint(429, "retry-after-ms", "1"), ok()], Ok("hi there"), 2),
        fault(
            "503 with a past date",
            vec![with_hint(503, "retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), ok()],
            Ok("hi there"),
            2,
        ),
        fault("reset before the head", vec![vec![Act::Reset], ok()], Ok("hi there"), 2),
        fault("end before the head", three(vec![]), Err("BrokenStream"), 3),
        fault(
            "reset inside the body",
            vec![vec![Act::text("HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{"), Act::Reset], ok()],
            Ok("hi there"),
            2,
        ),
        fault("not JSON", three(json(200, "hello, this is my prompt")), Err("InvalidResponse"), 3),
        fault(
            "JSON of another form",
            three(json(200, r#"{"choices":"my prompt"}"#)),
            Err("InvalidResponse"),
            3,
        ),
        fault("no choices", three(json(200, r#"{"choices":[]}"#)), Err("InvalidResponse"), 3),
        fault(
            "an HTML page",
            three(response(200, &[("content-type", "text/html")], "<html>")),
            Err("InvalidResponse"),
            3,
        ),
        fault(
            "an HTML failure",
            three(response(502, &[("content-type", "text/html")], "<title>Bad</title>")),
            Err("ServerError { message: \"an HTML page: Bad\" }"),
            3,
        ),
        fault("an empty body", three(json(200, "")), Err("InvalidResponse"), 3),
        fault("an error inside a good answer", vec![json(200, &error_body("x")), ok()], Ok("hi there"), 2),
        fault(
            "no finish reason",
            vec![json(200, r#"{"choices":[{"message":{"content":"x"}}]}"#), ok()],
            Ok("hi there"),
            2,
        ),
        fault("not HTTP", three(vec![Act::text("hello\r\n\r\n")]), Err("BrokenStream"), 3),
    ]
}

#[tokio::test]
async fn every_fault_has_its_outcome_and_its_number_of_calls() {
    for fault in permanent().into_iter().chain(passing()) {
        let name = fault.name;
        let server = Server::start(fault.answers).await;
        let outcome = retrying(model(&server)).complete(hello()).await;
        match (&outcome, fault.expected) {
            (Ok(answer), Ok(text)) => assert_eq!(answer.text, text, "{name}"),
            (Err(error), Err(kind)) => {
                assert!(format!("{:?}", error.kind).starts_with(kind), "{name}: {error:?}");
                assert_clean(error);
                let hint = error.retry_after.map(|hint| u64::try_from(hint.as_millis()).unwrap());
                assert_eq!(hint, fault.retry_after_ms, "{name}");
            }
            _ => panic!("{name}: {outcome:?}"),
        }
        assert_eq!(server.requests().len(), fault.calls, "{name}");
    }
}

#[tokio::test]
async fn an_error_tells_status_and_request_id() {
    let answer = response(503, &[("x-request-id", "req-9")], "busy");
    let error = complete(answer).await.unwrap_err();
    assert_eq!((error.status, error.request_id.as_deref()), (Some(503), Some("req-9")));
    assert_eq!(error.to_string(), "ask model m (open_ai): the provider failed: busy (HTTP 503)");
}

#[tokio::test]
async fn a_refused_connection_is_told_with_the_address() {
    let url = {
        let gone = Server::start(vec![]).await;
        gone.url("/v1")
    };
    let error = model_at(url.clone()).complete(hello()).await.unwrap_err();
    let ModelErrorKind::Unreachable { endpoint, .. } = &*error.kind else { panic!("{error:?}") };
    assert_eq!(format!("{endpoint}/v1"), url);
    assert!(error.hint().unwrap().contains("playhouse models ping m"));
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_away() {
    let other = Server::start(vec![json(200, WHOLE)]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = other.url("/v1/chat/completions");
        let error = complete(response(status, &[("location", &location)], "")).await.unwrap_err();
        assert!(error.to_string().contains("redirects to http://127.0.0.1"), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_huge_body_is_not_read_to_its_end() {
    let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n";
    let mut answer = vec![Act::text(head)];
    answer.extend(vec![Act::Send(vec![b' '; 1024 * 1024]); 9]);
    answer.push(Act::Stall);
    let error = complete(answer).await.unwrap_err();
    assert!(error.to_string().contains("longer than 8388608 bytes"), "{error}");
}

#[tokio::test]
async fn a_huge_failure_is_cut() {
    let error = complete(json(500, &error_body(&"x".repeat(1 << 20)))).await.unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_none_is_an_error_and_no_panic() {
    let server = Server::start(vec![vec![Act::text("HTTP/1.1 400 X\r\n\r\n")]]).await;
    let error = model_at(server.url("/v1").replace("http:", "https:")).complete(hello()).await.unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::Unreachable { .. }), "{error:?}");
}
