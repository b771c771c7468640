//! What a streamed call makes of what arrives.

use super::*;
use crate::http::LINE_BYTES_MAX;
use crate::testing::{response, sse};

const THOUGHT: &str =
    "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n";
const END: &str = "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":12,\"eval_count\":3}\n";

fn delta(text: &str) -> String {
    format!("{{\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},\"done\":false}}\n")
}

fn ordinary() -> String {
    [THOUGHT, &delta("Größe"), &delta(" 1"), END].concat()
}

async fn stream(answer: Vec<Act>) -> Streamed {
    let server = Server::start(vec![answer]).await;
    let streamed = read_stream(&model(&server)).await;
    assert!(server.requests()[0].contains(r#""stream":true"#));
    streamed
}

/// A stream whose text is "Größe 1" however it is written.
async fn check_whole(answer: Vec<Act>) {
    let streamed = stream(answer).await;
    let completion = streamed.end.unwrap();
    assert_eq!(streamed.deltas, ["Größe", " 1"]);
    assert_eq!((completion.text.as_str(), completion.stop_reason), ("Größe 1", StopReason::Stop));
    assert!(completion.usage_reported);
    assert_eq!((completion.usage.prompt_tokens, completion.usage.completion_tokens), (12, 3));
    assert_eq!(completion.origin.request_id.as_deref(), Some("req-7"));
}

async fn check_error(answer: Vec<Act>, expected: &str) {
    let error = stream(answer).await.end.unwrap_err();
    let kind = format!("{:?}", error.kind);
    assert!(kind.starts_with(expected), "{expected}: {kind}");
}

#[tokio::test]
async fn an_ordinary_stream_is_read_in_order_however_it_is_cut() {
    check_whole(json_lines([ordinary().as_str()])).await;
    for part in [1, 2, 3, 7, 50] {
        let mut answer = json_lines([]);
        answer.extend(ordinary().as_bytes().chunks(part).map(|part| Act::Send(part.to_vec())));
        check_whole(answer).await;
    }
}

#[tokio::test]
async fn carriage_returns_empty_lines_and_a_missing_last_line_feed_do_not_matter() {
    check_whole(json_lines([ordinary().replace('\n', "\r\n\r\n").as_str()])).await;
    check_whole(json_lines([ordinary().trim_end()])).await;
}

#[tokio::test]
async fn the_media_type_does_not_matter_and_an_answer_in_one_line_is_a_stream() {
    let streamed = stream(json(200, WHOLE)).await;
    assert_eq!(streamed.deltas, ["hi there"]);
    assert!(streamed.end.unwrap().usage_reported);
}

#[tokio::test]
async fn what_follows_the_end_is_no_longer_needed() {
    let mut answer = json_lines([ordinary().as_str(), "nonsense\n"]);
    answer.push(Act::Reset);
    check_whole(answer).await;
}

#[tokio::test]
async fn an_end_without_a_last_line_is_an_error() {
    check_error(json_lines([ordinary().replace(END, "").as_str()]), "BrokenStream").await;
    check_error(json_lines([]), "BrokenStream").await;
    check_error(json_lines([delta("a").as_str(), "{\"mess"]), "BrokenStream").await;
    let mut reset = json_lines([delta("half").as_str()]);
    reset.push(Act::Reset);
    check_error(reset, "BrokenStream").await;
    let mut inside_a_character = json_lines(["{\""]);
    inside_a_character.push(Act::Send(vec![0xc3]));
    check_error(inside_a_character, "BrokenStream").await;
}

#[tokio::test]
async fn an_error_inside_a_stream_is_typed() {
    let line = format!("{{\"error\":\"an error was encountered {KEY}\"}}\n");
    check_error(
        json_lines([delta("a").as_str(), line.as_str()]),
        "ServerError { message: \"an error was encountered [key]\" }",
    )
    .await;
}

#[tokio::test]
async fn nonsense_in_a_stream_is_an_error() {
    check_error(json_lines(["my prompt\n"]), "InvalidResponse").await;
    check_error(json_lines(["{\"message\":3}\n"]), "InvalidResponse").await;
    check_error(sse(["data: {\"message\":{\"content\":\"a\"}}\n\n"]), "InvalidResponse").await;
    check_error(response(200, &[("content-type", "text/html")], "<html>\n"), "InvalidResponse").await;
    let mut not_utf8 = json_lines([]);
    not_utf8.push(Act::Send(b"\xff\xfe\n".to_vec()));
    check_error(not_utf8, "InvalidResponse").await;
    let mut endless = json_lines(["{\"message"]);
    endless.extend(vec![Act::Send(vec![b'x'; LINE_BYTES_MAX / 2]); 3]);
    endless.push(Act::Stall);
    check_error(endless, "InvalidResponse { reason: \"a line is longer than").await;
}
