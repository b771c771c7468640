//! What a streamed call makes of what arrives.

use futures::StreamExt;

use super::*;
use crate::client::CompletionEvent;

const FIRST: &str = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#;
const FINISH: &str = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}}"#;
const DONE: &str = "data: [DONE]\n\n";

fn delta(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

/// What came: the deltas, and the end.
#[derive(Debug)]
struct Streamed {
    deltas: Vec<String>,
    end: Result<Completion, ModelError>,
}

async fn read(client: &dyn ModelClient) -> Streamed {
    let mut events = client.stream(hello());
    let mut deltas = Vec::new();
    let mut end = None;
    while let Some(event) = events.next().await {
        assert!(end.is_none(), "an event after the last one: {event:?}");
        match event {
            Ok(CompletionEvent::Delta(text)) => deltas.push(text),
            Ok(CompletionEvent::Restarted { .. }) => deltas.push("(anew)".to_owned()),
            Ok(CompletionEvent::Finished(completion)) => end = Some(Ok(completion)),
            Err(error) => {
                assert_clean(&error);
                end = Some(Err(error));
            }
        }
    }
    Streamed { deltas, end: end.expect("an end") }
}

async fn stream(answer: Vec<Act>) -> Streamed {
    let server = Server::start(vec![answer]).await;
    let streamed = read(&model(&server)).await;
    let request = server.requests().remove(0);
    assert!(request.contains(r#""stream":true,"stream_options":{"include_usage":true}"#), "{request}");
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
    assert!(completion.usage.prompt_tokens > 0 && completion.usage.completion_tokens > 0);
    assert_eq!(completion.origin.request_id.as_deref(), Some("req-7"));
}

async fn check_error(answer: Vec<Act>, expected: &str) {
    let error = stream(answer).await.end.unwrap_err();
    let kind = format!("{:?}", error.kind);
    assert!(kind.starts_with(expected), "{expected}: {kind}");
}

fn ordinary() -> String {
    format!("{FIRST}\n\n{}{}{FINISH}\n\n{USAGE}\n\n{DONE}", delta("Größe"), delta(" 1"))
}

#[tokio::test]
async fn an_ordinary_stream_is_read_in_order() {
    let streamed = stream(sse([ordinary().as_str()])).await;
    assert_eq!(streamed.deltas, ["Größe", " 1"]);
    check_whole(sse([ordinary().as_str()]), true).await;
}

#[tokio::test]
async fn a_stream_may_be_cut_anywhere() {
    let bytes = ordinary().into_bytes();
    for part in [1, 2, 3, 7, 50] {
        let mut answer = sse([]);
        answer.extend(bytes.chunks(part).map(|part| Act::Send(part.to_vec())));
        check_whole(answer, true).await;
    }
}

#[tokio::test]
async fn carriage_returns_comments_and_event_names_do_not_matter() {
    let text = ordinary().replace("\n\n", "\r\n\r\n");
    check_whole(sse([text.as_str()]), true).await;
    let text = ordinary().replace("data: ", ": keep-alive\n\nevent: message\nid: 1\ndata:");
    check_whole(sse([text.as_str()]), true).await;
}

#[tokio::test]
async fn the_end_mark_and_the_usage_may_be_missing() {
    check_whole(sse([ordinary().replace(DONE, "").as_str()]), true).await;
    check_whole(sse([ordinary().replace(USAGE, "").as_str()]), false).await;
    check_whole(sse([ordinary().replace("\n\ndata: [DONE]\n\n", "").as_str()]), true).await;
    let mut cut = sse([ordinary().replace(DONE, "").as_str()]);
    cut.push(Act::Reset);
    check_whole(cut, true).await;
}

#[tokio::test]
async fn usage_may_come_with_every_chunk_and_a_finish_twice() {
    let text = ordinary().replace("}]}", r#"}],"usage":{"prompt_tokens":12,"completion_tokens":1}}"#);
    check_whole(sse([text.as_str()]), true).await;
    let text = ordinary().replace(USAGE, &format!("{FINISH}\n\n{}{USAGE}", delta("again")));
    check_whole(sse([text.as_str()]), true).await;
}

#[tokio::test]
async fn a_finish_may_come_with_the_last_text() {
    let last = r#"data: {"choices":[{"delta":{"content":"Größe 1"},"finish_reason":"stop"}]}"#;
    check_whole(sse([format!("{last}\n\n{DONE}").as_str()]), false).await;
}

#[tokio::test]
async fn an_answer_without_text_is_an_answer() {
    let streamed = stream(sse([format!("{FIRST}\n\n{FINISH}\n\n{DONE}").as_str()])).await;
    assert!(streamed.deltas.is_empty());
    assert_eq!(streamed.end.unwrap().text, "");
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let streamed = stream(json(200, WHOLE)).await;
    assert_eq!(streamed.deltas, ["hi there"]);
    assert!(streamed.end.unwrap().usage_reported);
}

#[tokio::test]
async fn an_end_without_a_finish_reason_is_an_error() {
    let text = ordinary().replace(FINISH, "");
    check_error(sse([text.as_str()]), "BrokenStream").await;
    check_error(sse([text.replace(DONE, "").as_str()]), "BrokenStream").await;
    check_error(sse([]), "BrokenStream").await;
    let mut reset = sse([delta("half").as_str()]);
    reset.push(Act::Reset);
    check_error(reset, "BrokenStream").await;
}

#[tokio::test]
async fn a_connection_that_ends_inside_a_chunk_is_broken() {
    check_error(sse([delta("a").as_str(), "data: {\"choi"]), "BrokenStream").await;
    let mut inside_a_character = sse(["data: \""]);
    inside_a_character.push(Act::Send(vec![0xc3]));
    check_error(inside_a_character, "BrokenStream").await;
}

#[tokio::test]
async fn an_error_inside_a_stream_is_typed() {
    let text = format!("{}data: {{\"error\":{{\"message\":\"{KEY}\",\"code\":429}}}}\n\n", delta("a"));
    check_error(sse([text.as_str()]), "RateLimited { message: \"[key]\" }").await;
    check_error(sse(["event: error\ndata: {\"error\":\"boom\"}\n\n"]), "ServerError { message: \"boom\" }")
        .await;
    let text = ordinary().replace("\"stop\"", "\"error\"");
    check_error(sse([text.as_str()]), "BrokenStream").await;
}

#[tokio::test]
async fn nonsense_in_a_stream_is_an_error() {
    check_error(sse(["data: my prompt\n\n"]), "InvalidResponse").await;
    check_error(sse(["data: {\"choices\":3}\n\n"]), "InvalidResponse").await;
    let mut not_utf8 = sse([]);
    not_utf8.push(Act::Send(b"data: \xff\xfe\n\n".to_vec()));
    check_error(not_utf8, "InvalidResponse").await;
    check_error(response(200, &[("content-type", "text/html")], "<html>"), "InvalidResponse").await;
}

#[tokio::test]
async fn an_endless_line_is_an_error() {
    let mut answer = sse(["data: "]);
    answer.extend(vec![Act::Send(vec![b'x'; LINE_BYTES_MAX / 2]); 3]);
    answer.push(Act::Stall);
    check_error(answer, "InvalidResponse { reason: \"a line is longer than").await;
}

#[tokio::test]
async fn a_stream_that_fails_is_begun_anew_and_text_that_was_given_is_taken_back() {
    let ok = || sse([ordinary().as_str()]);
    let server = Server::start(vec![json(503, ""), sse([FIRST]), ok()]).await;
    assert!(read(&retrying(&server)).await.end.is_ok());
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(vec![sse([delta("half").as_str()]), ok()]).await;
    let streamed = read(&retrying(&server)).await;
    assert_eq!(streamed.deltas, ["half", "(anew)", "Größe", " 1"]);
    assert_eq!(streamed.end.unwrap().text, "Größe 1");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn dropping_a_stream_closes_the_connection() {
    let mut answer = sse([delta("a").as_str()]);
    answer.push(Act::UntilGone);
    let server = Server::start(vec![answer]).await;
    let model = model(&server);
    let mut events = model.stream(hello());
    assert!(events.next().await.unwrap().is_ok());
    drop(events);
    server.ended().await;
}
