//! Bytes as they come to whole characters.

/// Holds back the bytes of a character that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Utf8Stream {
    /// At most three bytes: the start of one character.
    pending: Vec<u8>,
}

impl Utf8Stream {
    /// Takes further bytes and gives the characters that are complete. Bytes that can be no character become
    /// U+FFFD.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = &self.pending[..];
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    let Some(length) = error.error_len() else {
                        rest = invalid;
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &invalid[length..];
                }
            }
        }
        self.pending = rest.to_vec();
        text
    }

    /// Ends the text: what is left of a character becomes U+FFFD.
    pub(super) fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.pending);
        String::from_utf8_lossy(&rest).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream(pieces: &[&[u8]]) -> Vec<String> {
        let mut stream = Utf8Stream::default();
        let mut texts: Vec<String> = pieces.iter().map(|piece| stream.push(piece)).collect();
        texts.push(stream.finish());
        texts
    }

    #[test]
    fn character_is_held_back_until_its_last_byte() {
        let smile = "🙂".as_bytes();
        assert_eq!(
            stream(&[b"a", &smile[..1], &smile[1..3], &smile[3..], b"b"]),
            ["a", "", "", "🙂", "b", ""]
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(stream(&[b"a\xff", b"b"]), ["a\u{fffd}", "b", ""]);
        assert_eq!(stream(&[b"\xf0\x9f", b"x"]), ["", "\u{fffd}x", ""]);
        assert_eq!(stream(&[b"\xf0\x9f"]), ["", "\u{fffd}"]);
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(bytes: Vec<u8>, piece_len in 1_usize..5) {
            let pieces: Vec<&[u8]> = bytes.chunks(piece_len).collect();
            prop_assert_eq!(stream(&pieces).concat(), String::from_utf8_lossy(&bytes));
        }
    }
}
