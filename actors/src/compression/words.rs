//! Words as ranking sees them.

/// English words that say nothing of what a text is about.
///
/// Source: the words of the list in Salton, "The SMART Retrieval System" (1971), that are frequent.
const STOP_WORDS: [&str; 108] = [
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "both", "but", "by", "can", "could", "did", "do", "does", "doing",
    "down", "each", "even", "every", "few", "for", "from", "further", "had", "has", "have", "he", "her",
    "here", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "like", "may", "me",
    "more", "most", "much", "must", "my", "now", "of", "on", "one", "only", "or", "other", "our", "out",
    "over", "own", "said", "same", "she", "should", "so", "some", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "up", "us",
    "very", "was", "we", "were", "what", "when", "where", "which", "who", "will", "with", "would", "you",
];

/// Whether a word in lower case says nothing of what a text is about.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// The words of a text: runs of letters, digits and `_`; in scripts without spaces, single characters.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_'))
        .filter(|run| !run.is_empty())
        .flat_map(Word::of)
}

enum Word<'a> {
    Whole(Option<&'a str>),
    Characters(std::str::CharIndices<'a>, &'a str),
}

impl<'a> Word<'a> {
    fn of(run: &'a str) -> Self {
        if run.chars().next().is_some_and(is_spaceless) {
            Self::Characters(run.char_indices(), run)
        } else {
            Self::Whole(Some(run))
        }
    }
}

impl<'a> Iterator for Word<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match self {
            Self::Whole(run) => run.take(),
            Self::Characters(chars, run) => chars.next().map(|(at, char)| &run[at..at + char.len_utf8()]),
        }
    }
}

/// Scripts that put no spaces between words: kana, CJK ideographs, Thai.
///
/// Source: the Unicode character database, `Blocks.txt`.
const fn is_spaceless(char: char) -> bool {
    matches!(char, '\u{0E00}'..='\u{0E7F}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_words_are_in_order() {
        assert!(STOP_WORDS.is_sorted());
        assert!(is_stop_word("the") && !is_stop_word("rust"));
    }

    #[test]
    fn words_are_runs_of_letters_or_single_characters() {
        assert_eq!(
            words("fn max_len(x: u8) — 日本").collect::<Vec<_>>(),
            ["fn", "max_len", "x", "u8", "日", "本"]
        );
    }
}
