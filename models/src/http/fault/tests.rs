use insta::assert_snapshot;

use super::*;

fn check(status: u16, body: &str) -> String {
    let fault = Fault { words: &crate::openai::FAULT_WORDS, key: Some("s3cret"), context_tokens: 4096 };
    let kind = fault.kind_of_response(StatusCode::from_u16(status).unwrap(), body.as_bytes());
    let debug = format!("{kind:?}");
    assert!(!debug.contains("s3cret"), "{debug}");
    let name = debug.split([' ', '{']).next().unwrap_or_default().to_owned();
    format!("{name}: {kind}")
}

#[test]
fn every_form_of_body_is_understood() {
    assert_snapshot!(check(400, r#"{"error":{"message":"bad s3cret","type":"invalid_request_error","code":null}}"#), @"Rejected: the request was rejected: bad [key]");
    assert_snapshot!(check(400, r#"{"error":"a text"}"#), @"Rejected: the request was rejected: a text");
    assert_snapshot!(check(400, r#"{"object":"error","message":"a text","type":"BadRequestError","code":400}"#), @"Rejected: the request was rejected: a text");
    assert_snapshot!(check(422, r#"{"detail":[{"loc":["body","messages",0],"msg":"field required","input":"my prompt"}]}"#), @"Rejected: the request was rejected: body.messages.0: field required");
    assert_snapshot!(check(422, r#"{"object":"error","message":{"detail":[{"loc":["body"],"msg":"extra"}]}}"#), @"Rejected: the request was rejected: body: extra");
    assert_snapshot!(check(400, r#"{"detail":"a text"}"#), @"Rejected: the request was rejected: a text");
    assert_snapshot!(check(400, r#"{"message":"a text"}"#), @"Rejected: the request was rejected: a text");
    assert_snapshot!(check(400, r#"[{"error":{"message":"a text","code":400}}]"#), @"Rejected: the request was rejected: a text");
    assert_snapshot!(check(502, "<html><head><TITLE>502 Bad Gateway</TITLE></head><body>nginx</body></html>"), @"ServerError: the provider failed: an HTML page: 502 Bad Gateway");
    assert_snapshot!(check(502, "<!DOCTYPE html><p>"), @"ServerError: the provider failed: an HTML page");
    assert_snapshot!(check(503, "upstream connect error\r\nreset"), @"ServerError: the provider failed: upstream connect error reset");
    assert_snapshot!(check(503, ""), @"ServerError: the provider failed: Service Unavailable");
    assert_snapshot!(check(599, "null"), @"ServerError: the provider failed: no explanation");
}

#[test]
fn each_status_has_its_kind() {
    let kind = |status| check(status, "").split(':').next().unwrap().to_owned();
    for (statuses, expected) in [
        (&[401, 402, 403][..], "Unauthorized"),
        (&[429], "RateLimited"),
        (&[408, 409, 425, 500, 502, 503, 504, 529], "ServerError"),
        (&[400, 404, 405, 413, 415, 422, 501, 505], "Rejected"),
    ] {
        for status in statuses {
            assert_eq!(kind(*status), expected, "{status}");
        }
    }
}

#[test]
fn a_prompt_that_is_too_long_is_recognised() {
    let openai = r#"{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.","code":"context_length_exceeded"}}"#;
    assert_snapshot!(check(400, openai), @"ContextExceeded: the prompt has 9000 tokens, the model holds 8192 tokens");
    let llama = r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#;
    assert_snapshot!(check(400, llama), @"ContextExceeded: the prompt has 5000 tokens, the model holds 4096 tokens");
    let silent = r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#;
    assert_snapshot!(check(400, silent), @"ContextExceeded: the prompt is too long: the model holds 4096 tokens");
}

#[test]
fn a_missing_model_and_a_spent_balance_are_not_tried_again() {
    assert_snapshot!(check(404, r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#), @"NoSuchModel: the provider has no such model: The model `x` does not exist");
    assert_snapshot!(check(404, r#"{"error":{"message":"model \"x\" not found, try pulling it first"}}"#), @r#"NoSuchModel: the provider has no such model: model "x" not found, try pulling it first"#);
    assert_snapshot!(check(404, r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#), @"Rejected: the request was rejected: File Not Found");
    assert_snapshot!(check(429, r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#), @"Unauthorized: access was denied: You exceeded your current quota");
}

#[test]
fn an_error_inside_an_answer_is_judged_by_its_own_code() {
    let fault = Fault { words: &crate::openai::FAULT_WORDS, key: None, context_tokens: 1 };
    let kind = |error: &str| fault.kind_of_answer(&serde_json::from_str(error).unwrap());
    assert!(matches!(kind(r#"{"message":"x","code":429}"#), ModelErrorKind::RateLimited { .. }));
    assert!(matches!(
        kind(r#"{"message":"x","type":"rate_limit_error"}"#),
        ModelErrorKind::RateLimited { .. }
    ));
    assert!(matches!(kind(r#"{"message":"x","code":400}"#), ModelErrorKind::Rejected { .. }));
    assert!(matches!(kind(r#"{"message":"x","code":7}"#), ModelErrorKind::ServerError { .. }));
    assert!(matches!(kind(r#""x""#), ModelErrorKind::ServerError { .. }));
}
