//! Answers in OpenAI's form, whole and broken.

use std::time::Duration;

use super::fault::{Act, Call};

/// The text of a sound answer.
pub const TEXT: &str = "one two three";

pub(super) fn send(text: &str) -> Act {
    Act::Send(text.as_bytes().to_vec())
}

pub(super) fn wait_ms(ms: u64) -> Act {
    Act::Wait(Duration::from_millis(ms))
}

/// A response with a length, after which the connection can be used again.
pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<Act> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let length = body.len();
    vec![send(&format!(
        "HTTP/1.1 {status} X\r\nx-request-id: req-7\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))]
}

/// A JSON response.
pub(super) fn json(status: u16, body: &str) -> Vec<Act> {
    response(status, &[("content-type", "application/json")], body)
}

/// A failure in the provider's words.
pub(super) fn failure(status: u16, headers: &[(&str, &str)], kind: &str, message: &str) -> Vec<Act> {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    let body = format!(r#"{{"error":{{"message":"{message}","type":"{kind}","code":"{kind}"}}}}"#);
    response(status, &headers, &body)
}

/// The body of a whole answer.
pub(super) fn whole(text: &str, finish: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"c-1","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"{finish}"}}]{usage}}}"#
    )
}

pub(super) const USAGE: &str = r#","usage":{"prompt_tokens":9,"completion_tokens":3}"#;

/// The data of one chunk with text.
pub(super) fn chunk(text: &str) -> String {
    format!(r#"{{"id":"c-1","choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#)
}

/// The data of the chunk that ends the text.
pub(super) fn finish(reason: &str) -> String {
    format!(r#"{{"id":"c-1","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#)
}

/// The data of the chunk with the usage.
pub(super) fn usage() -> String {
    r#"{"id":"c-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}"#.to_owned()
}

/// The head of a stream that ends with its connection.
pub(super) fn stream_head() -> Act {
    send(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req-7\r\nconnection: close\r\n\r\n",
    )
}

/// Events, each sent on its own.
pub(super) fn events<'a>(data: impl IntoIterator<Item = &'a str>) -> Vec<Act> {
    data.into_iter().map(|data| send(&format!("data: {data}\n\n"))).collect()
}

/// The head and these events, then an orderly end of the connection.
pub(super) fn stream<'a>(data: impl IntoIterator<Item = &'a str>) -> Vec<Act> {
    let mut acts = vec![stream_head()];
    acts.extend(events(data));
    acts.push(Act::Close);
    acts
}

/// A sound answer of either kind.
pub(super) fn sound(call: Call) -> Vec<Act> {
    if !call.streamed {
        return json(200, &whole(TEXT, "stop", USAGE));
    }
    let (one, two, three) = (chunk("one "), chunk("two "), chunk("three"));
    stream([one.as_str(), &two, &three, &finish("stop"), &usage(), "[DONE]"])
}

/// Fails the first `times` calls, then answers.
pub(super) fn first(times: u32, call: Call, fail: impl FnOnce() -> Vec<Act>) -> Vec<Act> {
    if call.number <= times { fail() } else { sound(call) }
}
