//! Lines, decoded from bytes as they arrive.

use super::LINE_BYTES_MAX;
use super::framing::FrameError;

/// Decodes lines that end with a line feed, with or without a carriage return before it. Empty ones are skipped.
#[derive(Debug, Default)]
pub(super) struct LineDecoder {
    /// The line that has begun.
    line: Vec<u8>,
    /// Whether the first line is behind us: a byte order mark may stand in front of it only.
    begun: bool,
}

impl LineDecoder {
    /// Takes bytes and gives every line that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, FrameError> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend(&rest[..end])?;
            lines.extend(self.end_line()?);
            rest = &rest[end + 1..];
        }
        self.extend(rest)?;
        Ok(lines)
    }

    /// Ends the stream and gives the line that had not been completed.
    pub(super) fn finish(mut self) -> Result<Option<String>, FrameError> {
        self.end_line()
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.line.len() + bytes.len() > LINE_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<String>, FrameError> {
        let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| FrameError::NotUtf8)?;
        let mut line = line.trim();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        Ok((!line.is_empty()).then(|| line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_in_parts(text: &[u8], part: usize) -> Result<Vec<String>, FrameError> {
        let mut decoder = LineDecoder::default();
        let mut lines = Vec::new();
        for bytes in text.chunks(part) {
            lines.extend(decoder.push(bytes)?);
        }
        lines.extend(decoder.finish()?);
        Ok(lines)
    }

    fn check(text: &str, expected: &[&str]) {
        for part in 1..=text.len().max(1) {
            assert_eq!(decode_in_parts(text.as_bytes(), part).unwrap(), expected, "in parts of {part}");
        }
    }

    #[test]
    fn lines_end_with_a_line_feed_or_with_the_stream() {
        check("{\"a\":1}\n{\"b\":\"größe 🦀\"}\n", &["{\"a\":1}", "{\"b\":\"größe 🦀\"}"]);
        check("\u{feff}a\r\n\r\n\n b \r\nc", &["a", "b", "c"]);
        check("", &[]);
    }

    #[test]
    fn what_is_no_text_or_has_no_end_is_refused() {
        assert_eq!(decode_in_parts(b"\xff\n", 1), Err(FrameError::NotUtf8));
        let mut decoder = LineDecoder::default();
        assert_eq!(decoder.push(&vec![b'x'; LINE_BYTES_MAX]), Ok(vec![]));
        assert_eq!(decoder.push(b"x"), Err(FrameError::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_parts_give_the_same_and_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            part in 1_usize..40,
        ) {
            let whole = decode_in_parts(&bytes, bytes.len().max(1));
            let parts = decode_in_parts(&bytes, part);
            prop_assert_eq!(whole.is_ok(), parts.is_ok());
            if let (Ok(whole), Ok(parts)) = (whole, parts) {
                prop_assert_eq!(whole, parts);
            }
        }
    }
}
