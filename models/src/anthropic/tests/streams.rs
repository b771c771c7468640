//! What a streamed call makes of what arrives.

use tokio::time::{pause, resume};

use super::*;
use crate::error::Awaited;
use crate::http::LINE_BYTES_MAX;

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"claude-x\",\"stop_reason\":null,\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\n";
const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
const BLOCK_START: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const BLOCK_STOP: &str = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
const END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":3}}\n\n";
const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn delta(text: &str) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
    )
}

fn ordinary() -> String {
    [START, BLOCK_START, PING, &delta("Größe"), &delta(" 1"), BLOCK_STOP, END, STOP].concat()
}

async fn stream(answer: Vec<Act>) -> Streamed {
    let server = Server::start(vec![answer]).await;
    let streamed = read_stream(&model(&server)).await;
    assert!(server.requests()[0].contains(r#""stream":true"#));
    streamed
}

/// A stream whose text is "Größe 1" however it is written.
async fn check_whole(answer: Vec<Act>, usage_reported: bool) {
    let streamed = stream(answer).await;
    let completion = streamed.end.unwrap();
    assert_eq!(streamed.deltas.concat(), "Größe 1");
    assert!(streamed.deltas.iter().all(|delta| !delta.is_empty()));
    assert_eq!((completion.text.as_str(), completion.stop_reason), ("Größe 1", StopReason::Stop));
    assert_eq!(completion.usage_reported, usage_reported);
    if usage_reported {
        let usage = completion.usage;
        assert_eq!((usage.prompt_tokens, usage.cached_prompt_tokens, usage.completion_tokens), (12, 7, 3));
    }
    assert_eq!(completion.origin.request_id.as_deref(), Some("req-7"));
}

async fn check_error(text: &str, expected: &str) {
    let error = stream(sse([text])).await.end.unwrap_err();
    let kind = format!("{:?}", error.kind);
    assert!(kind.starts_with(expected), "{expected}: {kind}");
}

#[tokio::test]
async fn an_ordinary_stream_is_read_in_order_however_it_is_cut() {
    check_whole(sse([ordinary().as_str()]), true).await;
    for part in [1, 2, 3, 7, 50] {
        let mut answer = sse([]);
        answer.extend(ordinary().as_bytes().chunks(part).map(|part| Act::Send(part.to_vec())));
        check_whole(answer, true).await;
    }
}

#[tokio::test]
async fn carriage_returns_comments_and_missing_names_do_not_matter() {
    check_whole(sse([ordinary().replace('\n', "\r\n").as_str()]), true).await;
    let text = ordinary().replace("event: content_block_delta\n", ": keep-alive\n\n");
    check_whole(sse([text.as_str()]), true).await;
    let text = ordinary().replace(PING, "data: {\"type\":\"something_new\",\"x\":1}\n\n");
    check_whole(sse([text.as_str()]), true).await;
}

#[tokio::test]
async fn the_end_mark_and_the_usage_may_be_missing() {
    check_whole(sse([ordinary().replace(STOP, "").as_str()]), true).await;
    check_whole(sse([ordinary().replace(",\"usage\":{\"output_tokens\":3}", "").as_str()]), false).await;
    let mut cut = sse([ordinary().replace(STOP, "").as_str()]);
    cut.push(Act::Reset);
    check_whole(cut, true).await;
}

#[tokio::test]
async fn thoughts_are_no_part_of_the_text() {
    let thought = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"x\"}}\n\n";
    let text = ordinary().replace(BLOCK_START, &format!("{thought}{BLOCK_STOP}{BLOCK_START}"));
    check_whole(sse([text.as_str()]), true).await;
}

#[tokio::test]
async fn a_thought_is_a_first_token_and_the_head_of_an_answer_is_none() {
    let thought = "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n";
    for (more, what) in [("", Awaited::FirstToken), (thought, Awaited::NextToken)] {
        let mut answer = sse([[START, BLOCK_START, PING, more].concat().as_str()]);
        answer.push(Act::Stall);
        let server = Server::start(vec![answer]).await;
        let model = model(&server);
        let stop_clock = async {
            server.stalled().await;
            pause();
        };
        let (streamed, ()) = tokio::join!(read_stream(&model), stop_clock);
        let error = streamed.end.unwrap_err();
        assert!(
            matches!(*error.kind, ModelErrorKind::TimedOut { what: found, .. } if found == what),
            "{error}"
        );
        resume();
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let streamed = stream(json(200, WHOLE)).await;
    assert_eq!(streamed.deltas, ["hi there"]);
    assert!(streamed.end.unwrap().usage_reported);
}

#[tokio::test]
async fn an_end_without_a_reason_is_an_error() {
    check_error(&ordinary().replace(END, ""), "BrokenStream").await;
    check_error("", "BrokenStream").await;
    check_error(&[START, BLOCK_START, &delta("half")].concat(), "BrokenStream").await;
    check_error(&format!("{START}data: {{\"type\":\"content_bl"), "BrokenStream").await;
}

#[tokio::test]
async fn an_error_inside_a_stream_is_typed() {
    let error = |kind: &str| {
        let body = error_body(kind, "no");
        [START, BLOCK_START, &delta("a"), &format!("event: error\ndata: {body}\n\n")].concat()
    };
    check_error(&error("overloaded_error"), "ServerError { message: \"no [key]\" }").await;
    check_error(&error("rate_limit_error"), "RateLimited").await;
    check_error(&error("invalid_request_error"), "Rejected").await;
    check_error(&error("something_new"), "ServerError").await;
    check_error("data: {\"error\":{\"message\":\"no\",\"code\":429}}\n\n", "RateLimited").await;
}

#[tokio::test]
async fn events_out_of_order_are_an_error() {
    let expected =
        |event: &str| format!("InvalidResponse {{ reason: \"the event {event} is out of order\" }}");
    check_error(&ordinary().replace(START, ""), &expected("content_block_start")).await;
    check_error(&ordinary().replace(BLOCK_START, ""), &expected("content_block_delta")).await;
    check_error(&ordinary().replace(PING, START), &expected("message_start")).await;
    check_error(END, &expected("message_delta")).await;
    let other_block = ordinary().replacen("\"index\":0,\"delta\"", "\"index\":1,\"delta\"", 1);
    check_error(&other_block, &expected("content_block_delta")).await;
}

#[tokio::test]
async fn nonsense_in_a_stream_is_an_error() {
    check_error("data: my prompt\n\n", "InvalidResponse").await;
    check_error("data: {\"type\":\"message_start\"}\n\n", "InvalidResponse").await;
    let endless = format!("data: {}", "x".repeat(LINE_BYTES_MAX));
    check_error(&endless, "InvalidResponse { reason: \"a line is longer than").await;
}

#[tokio::test]
async fn what_follows_the_end_is_no_longer_needed() {
    let text = ordinary().replace(STOP, &format!("{}data: nonsense\n\n", delta(" and again")));
    check_whole(sse([text.as_str()]), true).await;
}
