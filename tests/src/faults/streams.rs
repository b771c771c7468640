//! Streamed answers that are not as they should be.

use playhouse_protocol::FailureClass::Retryable;

use super::fault::{Act, Call, Fault, Outcome};
use super::wire::{TEXT, chunk, events, finish, first, send, stream, stream_head, usage, wait_ms};

const ONE: Outcome = Outcome::answer(TEXT, 1);
const SECOND: Outcome = Outcome::answer(TEXT, 2);
/// An answer at the second request, after a part of the first was given.
const ANEW: Outcome = SECOND.restarted(1);

/// The first call ends like this behind its first chunk.
fn breaks(call: Call, end: Vec<Act>) -> Vec<Act> {
    first(1, call, || {
        let mut acts = vec![stream_head()];
        acts.extend(events([chunk("one ").as_str()]));
        acts.push(wait_ms(20));
        acts.extend(end);
        acts
    })
}

fn stream_text(text: &str) -> Vec<Act> {
    vec![stream_head(), send(text), Act::Close]
}

/// Streams.
pub(super) static STREAMS: &[Fault] = &[
    Fault::new("cut", "the connection is reset half way, then an answer", |call| breaks(call, vec![Act::Reset]), ANEW)
        .of_streams(),
    Fault::new(
        "ended-early",
        "the stream ends half way in good order, then an answer",
        |call| breaks(call, vec![Act::Close]),
        ANEW,
    )
    .of_streams(),
    Fault::new(
        "cut-in-chunk",
        "the stream ends inside a chunk, then an answer",
        |call| breaks(call, vec![send("data: {\"choices\":[{\"del"), Act::Close]),
        ANEW,
    )
    .of_streams(),
    Fault::new(
        "cut-in-character",
        "the stream ends inside a character, then an answer",
        |call| {
            let torn = [b"data: {\"choices\":[{\"delta\":{\"content\":\"".as_slice(), &[0xe2, 0x82]].concat();
            breaks(call, vec![Act::Send(torn), Act::Close])
        },
        ANEW,
    )
    .of_streams(),
    Fault::new(
        "cut-for-ever",
        "every stream is cut half way",
        |_| {
            let mut acts = vec![stream_head()];
            acts.extend(events([chunk("one ").as_str()]));
            acts.extend([wait_ms(20), Act::Close]);
            acts
        },
        Outcome::error("BrokenStream", Retryable, None, 3).restarted(2),
    )
    .of_streams(),
    Fault::new(
        "stall-first",
        "a head and nothing behind it, then an answer",
        |call| first(1, call, || vec![stream_head(), Act::Stall]),
        SECOND.spaced(&[500]),
    )
    .of_streams()
    .impatient(),
    Fault::new(
        "stall-role",
        "only a chunk that says who speaks, then an answer",
        |call| {
            first(1, call, || {
                let role = r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
                let mut acts = vec![stream_head()];
                acts.extend(events([role]));
                acts.push(Act::Stall);
                acts
            })
        },
        SECOND.spaced(&[500]),
    )
    .of_streams()
    .impatient(),
    Fault::new(
        "stall-comments",
        "only comments that keep the connection alive, then an answer",
        |call| {
            first(1, call, || {
                let mut acts = vec![stream_head()];
                for _ in 0..40 {
                    acts.extend([send(": alive\n\n"), wait_ms(100)]);
                }
                acts.push(Act::Stall);
                acts
            })
        },
        SECOND.spaced(&[500]),
    )
    .of_streams()
    .impatient(),
    Fault::new(
        "stall-between",
        "a stall behind the first text, then an answer",
        |call| breaks(call, vec![Act::Stall]),
        ANEW.spaced(&[500]),
    )
    .of_streams()
    .impatient(),
    Fault::new(
        "drip",
        "a sound stream, a few bytes at a time",
        |_| {
            let (one, end) = (chunk(TEXT), finish("stop"));
            let text = format!("data: {one}\n\ndata: {end}\n\ndata: [DONE]\n\n");
            let mut acts = vec![stream_head()];
            for part in text.as_bytes().chunks(7) {
                acts.extend([Act::Send(part.to_vec()), wait_ms(5)]);
            }
            acts.push(Act::Close);
            acts
        },
        ONE,
    )
    .of_streams(),
    Fault::new(
        "crlf",
        "lines that end in CRLF, with comments and names of events",
        |_| {
            let text = format!(
                ": hi\r\nevent: message\r\nid: 7\r\nretry: 10\r\ndata: {}\r\n\r\ndata:{}\r\n\r\ndata: [DONE]\r\n\r\n",
                chunk(TEXT),
                finish("stop")
            );
            stream_text(&text)
        },
        ONE,
    )
    .of_streams(),
    Fault::new(
        "byte-order-mark",
        "a stream that begins with a byte order mark",
        |_| stream_text(&format!("\u{feff}data: {}\n\ndata: {}\n\n", chunk(TEXT), finish("stop"))),
        ONE,
    )
    .of_streams(),
    Fault::new(
        "split-character",
        "a character whose bytes come apart",
        |_| {
            let text = format!("data: {}\n\ndata: {}\n\n", chunk("grüße €"), finish("stop"));
            let mut acts = vec![stream_head()];
            acts.extend(text.as_bytes().chunks(1).map(|byte| Act::Send(byte.to_vec())));
            acts.push(Act::Close);
            acts
        },
        Outcome::answer("grüße €", 1),
    )
    .of_streams(),
    Fault::new(
        "not-utf8",
        "a chunk that is not UTF-8, always",
        |_| {
            let bad = [b"data: {\"choices\":[{\"delta\":{\"content\":\"".as_slice(), &[0xff, 0xfe], b"\"}}]}\n\n"].concat();
            vec![stream_head(), Act::Send(bad), Act::Close]
        },
        Outcome::error("InvalidResponse", Retryable, None, 3),
    )
    .of_streams(),
    Fault::new(
        "no-done",
        "a stream without `[DONE]`",
        |_| stream([chunk(TEXT).as_str(), &finish("stop")]),
        ONE,
    )
    .of_streams(),
    Fault::new(
        "open-end",
        "a whole answer, then silence instead of an end",
        |_| {
            let mut acts = vec![stream_head()];
            acts.extend(events([chunk(TEXT).as_str(), &finish("stop")]));
            acts.push(Act::Stall);
            acts
        },
        ONE,
    )
    .of_streams()
    .impatient(),
    Fault::new(
        "reset-end",
        "a whole answer, then a reset instead of an end",
        |_| {
            let mut acts = vec![stream_head()];
            acts.extend(events([chunk(TEXT).as_str(), &finish("stop")]));
            acts.extend([wait_ms(20), Act::Reset]);
            acts
        },
        ONE,
    )
    .of_streams(),
    Fault::new(
        "no-reason",
        "a stream that ends without a finish_reason, always",
        |_| stream([chunk(TEXT).as_str(), "[DONE]"]),
        Outcome::error("BrokenStream", Retryable, None, 3).restarted(2),
    )
    .of_streams(),
    Fault::new(
        "after-done",
        "more text behind `[DONE]`, which is not read",
        |_| stream([chunk(TEXT).as_str(), &finish("stop"), "[DONE]", &chunk("four")]),
        ONE,
    )
    .of_streams(),
    Fault::new(
        "finished-twice",
        "the last chunks come twice",
        |_| stream([chunk(TEXT).as_str(), &finish("stop"), &finish("stop"), &usage(), &usage(), "[DONE]"]),
        ONE,
    )
    .of_streams(),
    Fault::new(
        "repeated-chunk",
        "a chunk comes twice: nothing tells it from a repetition in the text, so it stays",
        |_| stream([chunk("ha").as_str(), &chunk("ha"), &finish("stop"), "[DONE]"]),
        Outcome::answer("haha", 1),
    )
    .of_streams(),
    Fault::new(
        "error-event",
        "a failure as an event half way, then an answer",
        |call| breaks(call, events([r#"{"error":{"message":"worker died","code":500}}"#])),
        ANEW,
    )
    .of_streams(),
    Fault::new(
        "limited-event",
        "too many requests, told as the first event, then an answer",
        |call| first(1, call, || stream([r#"{"error":{"message":"Slow down.","code":429}}"#])),
        SECOND,
    )
    .of_streams(),
    Fault::new(
        "not-json-event",
        "an event that is no JSON, always",
        |_| stream(["{\"choices\": oops"]),
        Outcome::error("InvalidResponse", Retryable, None, 3),
    )
    .of_streams(),
    Fault::new(
        "huge-line",
        "a line of more than a mebibyte, always",
        |_| stream_text(&format!("data: {}", "x".repeat(2 * 1024 * 1024))),
        Outcome::error("InvalidResponse", Retryable, None, 3),
    )
    .of_streams(),
    Fault::new(
        "not-streamed",
        "a whole answer although a stream was asked for",
        |_| super::wire::json(200, &super::wire::whole(TEXT, "stop", super::wire::USAGE)),
        ONE,
    )
    .of_streams(),
    Fault::new(
        "empty-chunks",
        "chunks without choices, with null content and without a delta",
        |_| {
            let null = r#"{"choices":[{"index":0,"delta":{"content":null}}]}"#;
            let bare = r#"{"choices":[{"index":0}]}"#;
            stream([r#"{"choices":[]}"#, null, bare, &chunk(TEXT), &finish("stop"), "[DONE]"])
        },
        ONE,
    )
    .of_streams(),
    Fault::new(
        "other-choice",
        "chunks of a second choice between those of the first",
        |_| {
            let other = r#"{"choices":[{"index":1,"delta":{"content":"no"}}]}"#;
            stream([chunk("one two ").as_str(), other, &chunk("three"), &finish("stop"), "[DONE]"])
        },
        ONE,
    )
    .of_streams(),
];
