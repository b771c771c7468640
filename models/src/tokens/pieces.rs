//! Cuts a text into pieces that can be counted one by one, so that counting a hostile text costs no more per byte
//! than counting an ordinary one.
//!
//! An encoder's work on one unbroken run (a megabyte of one letter) grows faster than the run. Cut into pieces of at
//! most [`PIECE_BYTES_MAX`], it grows with the text's length alone.
//!
//! A piece ends, where possible, in front of a space that follows something other than white space. No token of the
//! supported encodings reaches across such a place, because their splitting patterns take a space only as the first
//! character of a word or inside white space, and never look back: so the sum of the pieces is the count of the
//! whole. Only a text without any such place for [`PIECE_BYTES_MAX`] bytes is cut elsewhere, between two
//! characters, and each such cut may change the count by a few tokens, mostly upwards.

/// The longest piece, in bytes. Long enough that a forced cut matters little, short enough that the encoder's
/// worst case on one piece takes milliseconds.
pub const PIECE_BYTES_MAX: usize = 8 * 1024;

/// The pieces of a text, in order; together they are the text.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(piece_len(rest));
        rest = after;
        Some(piece)
    })
}

fn piece_len(text: &str) -> usize {
    if text.len() <= PIECE_BYTES_MAX {
        return text.len();
    }
    let limit = text.floor_char_boundary(PIECE_BYTES_MAX);
    // A space in the first place would make an empty piece, so the search leaves it out.
    let spaces = text[..limit].rmatch_indices(' ').map(|(place, _)| place);
    spaces
        .take_while(|place| *place > 0)
        .find(|place| text[..*place].chars().next_back().is_some_and(|before| !before.is_whitespace()))
        .unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_is_one_piece() {
        assert_eq!(pieces("a b").collect::<Vec<_>>(), ["a b"]);
        assert_eq!(pieces("").count(), 0);
    }

    #[test]
    fn a_long_text_is_cut_in_front_of_a_space_behind_a_word() {
        let text = "word  ".repeat(PIECE_BYTES_MAX);
        for piece in pieces(&text).skip(1) {
            assert!(piece.starts_with("  word"), "{:?}", &piece[..10]);
        }
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters() {
        let text = "я".repeat(PIECE_BYTES_MAX * 2 + 1);
        assert_eq!(pieces(&text).map(str::len).max(), Some(PIECE_BYTES_MAX));
        assert_eq!(pieces(&text).collect::<String>(), text);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text_and_none_is_too_long(parts in prop::collection::vec("\\PC{0,9}| |\n|x{3000}", 0..40)) {
            let text = parts.concat();
            prop_assert_eq!(pieces(&text).collect::<String>(), text.clone());
            prop_assert!(pieces(&text).all(|piece| !piece.is_empty() && piece.len() <= PIECE_BYTES_MAX));
        }
    }
}
