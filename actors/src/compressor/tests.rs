use playhouse_models::tokens::{Encoding, TiktokenCounter};
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{Origin, ProviderKind};
use playhouse_protocol::compress::{CompressText, Compressed, PINS_MAX, Pin, Strategy, TEXT_BYTES_MAX};

use super::Compressor;
use super::agent::checked;
use super::summary::Summary;
use crate::agent::Agent as _;
use crate::compression::{Job, compress};

const TEXT: &str = "The pressure was 47.3 kPa at dawn. The crew of the Meridian did not answer. \
    It was quiet, and it was cold, and nobody said much about it. The log is at /var/log/meridian.log and they \
    waited there for some time, as people do when there is nothing else that they could do.";

fn request(pins: Vec<Pin>) -> CompressText {
    CompressText {
        text: TEXT.to_owned(),
        limit_tokens: 30,
        strategy: Strategy::Summarize,
        pins,
        ..CompressText::default()
    }
}

fn check(request: &CompressText, answer: &str) -> Result<Compressed, String> {
    let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
    let CompressText { text, limit_tokens, strategy, pins, .. } = request;
    let job = Job { text, limit_tokens: *limit_tokens, strategy: *strategy, pins, content: None };
    let extracted = compress(&job, &counter).unwrap();
    let origin = Origin { model: "m".to_owned(), provider: ProviderKind::Scripted, request_id: None };
    checked(
        request,
        &counter,
        &extracted,
        Summary { text: answer.to_owned(), origin, usage: Usage::default() },
    )
}

#[test]
fn a_summary_that_keeps_the_facts_is_used_and_names_who_wrote_it() {
    let answer = "At 47.3 kPa the Meridian did not answer; see /var/log/meridian.log.";
    let compressed = check(&request(Vec::new()), answer).unwrap();
    assert_eq!((compressed.text.as_str(), compressed.strategy), (answer, Some(Strategy::Summarize)));
    assert_eq!(compressed.origin.unwrap().model, "m");
    assert_eq!((compressed.dropped[0].begin, compressed.dropped[0].end), (0, TEXT.len() as u64));
}

#[test]
fn a_summary_that_is_too_long_loses_a_pin_or_loses_the_facts_is_refused() {
    let pinned = request(vec![Pin::Text("47.3 kPa".to_owned())]);
    for (request, answer, reason) in [
        (request(Vec::new()), &*"Nobody said much. ".repeat(20), "tokens"),
        (request(Vec::new()), "Nobody said much.", "facts"),
        (request(Vec::new()), "", "empty"),
        (pinned, "The Meridian did not answer; see /var/log/meridian.log.", "pinned"),
    ] {
        let refused = check(&request, answer).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn wrong_requests_are_refused_by_the_field_that_is_wrong() {
    let ok = request(Vec::new());
    for (request, word) in [
        (CompressText { text: "a\0b".to_owned(), ..ok.clone() }, "binary"),
        (CompressText { text: "x".repeat(TEXT_BYTES_MAX + 1), ..ok.clone() }, "the limit is 16777216"),
        (CompressText { limit_tokens: 0, ..ok.clone() }, "the smallest limit that works is 8"),
        (CompressText { pins: vec![Pin::Text("x".to_owned()); PINS_MAX + 1], ..ok.clone() }, "1025 pins"),
    ] {
        let failure = Compressor.validate(&request).unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
    }
    assert!(Compressor.validate(&ok).is_ok());
}
