use proptest::prelude::*;

use super::*;

/// Decodes a text that arrives in parts of `part` bytes.
fn decode_in_parts(text: &[u8], part: usize) -> Result<Vec<String>, FrameError> {
    let mut decoder = SseDecoder::default();
    let mut events = Vec::new();
    for bytes in text.chunks(part) {
        events.extend(decoder.push(bytes)?);
    }
    events.extend(decoder.finish()?);
    Ok(events)
}

fn check(text: &str, expected: &[&str]) {
    for part in 1..=text.len().max(1) {
        assert_eq!(decode_in_parts(text.as_bytes(), part).unwrap(), expected, "in parts of {part}: {text:?}");
    }
}

#[test]
fn events_end_with_an_empty_line_of_any_kind() {
    check("data: a\n\ndata: b\n\n", &["a", "b"]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
}

#[test]
fn the_lines_of_one_event_are_joined() {
    check("data: a\ndata:b\ndata\n\n", &["a\nb\n"]);
}

#[test]
fn only_one_space_after_the_colon_is_dropped() {
    check("data:  a \n\n", &[" a "]);
}

#[test]
fn comments_and_other_fields_are_skipped() {
    check(": ping\n\nevent: message\nid: 7\nretry: 10\ndatum: x\ndata: a\n: more\n\n", &["a"]);
}

#[test]
fn the_last_event_needs_no_empty_line() {
    check("data: a\n\ndata: [DONE]", &["a", "[DONE]"]);
}

#[test]
fn a_byte_order_mark_is_skipped_only_at_the_front() {
    check("\u{feff}data: a\n\n", &["a"]);
    check("\n\u{feff}data: a\n\n", &[]);
}

#[test]
fn characters_may_be_cut_anywhere() {
    check("data: größe 🦀\n\n", &["größe 🦀"]);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert_eq!(decode_in_parts(b"data: \xff\n\n", 1), Err(FrameError::NotUtf8));
}

#[test]
fn an_endless_line_or_event_is_refused() {
    let mut decoder = SseDecoder::default();
    let part = vec![b'x'; LINE_BYTES_MAX / 2];
    assert_eq!(decoder.push(&part), Ok(vec![]));
    assert_eq!(decoder.push(&part), Ok(vec![]));
    assert_eq!(decoder.push(b"x"), Err(FrameError::TooLong));
    let many_lines = b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(LINE_BYTES_MAX / 28 + 1);
    assert_eq!(decode_in_parts(&many_lines, many_lines.len()), Err(FrameError::TooLong));
}

proptest! {
    #[test]
    fn any_bytes_in_any_parts_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), part in 1_usize..40) {
        let _ = decode_in_parts(&bytes, part);
    }

    #[test]
    fn how_the_bytes_are_cut_changes_nothing(
        lines in prop::collection::vec("(data|event|:|data:|data: \\PC{0,12})(\n|\r|\r\n)(\n|\r\n)?", 0..20),
        part in 1_usize..40,
    ) {
        let text = lines.concat();
        prop_assert_eq!(decode_in_parts(text.as_bytes(), part), decode_in_parts(text.as_bytes(), text.len().max(1)));
    }

    #[test]
    fn what_was_encoded_is_decoded(texts in prop::collection::vec("[^\r\n]{1,40}", 0..20), part in 1_usize..40) {
        let encoded = texts.iter().fold(String::new(), |encoded, text| encoded + ": note\ndata: " + text + "\n\n");
        prop_assert_eq!(decode_in_parts(encoded.as_bytes(), part).unwrap(), texts);
    }
}
