//! Small helpers for texts that a model wrote.

/// Ends a text that was cut.
pub const CUT_MARK: char = '…';

/// The text, cut to at most `chars_max` characters; the last of these is [`CUT_MARK`] where something is missing.
pub fn cut(text: &str, chars_max: usize) -> String {
    let text = text.trim();
    if text.char_indices().nth(chars_max).is_none() {
        return text.to_owned();
    }
    let keep = chars_max.saturating_sub(1);
    let end = text.char_indices().nth(keep).map_or(text.len(), |(at, _)| at);
    format!("{}{CUT_MARK}", text[..end].trim_end())
}

/// The answer itself: line ends are `\n`, thoughts in `<think>` tags and end marks of chat templates are gone.
///
/// Thoughts are dropped only where they were closed: an answer cut while thinking is kept as it is, for what
/// looks like a thought may be all there is.
pub fn clean_answer(answer: &str) -> String {
    let mut text = answer.replace("\r\n", "\n").replace('\r', "\n");
    if text.trim_start().starts_with("<think>")
        && let Some(end) = text.find("</think>")
    {
        text.drain(..end + "</think>".len());
    }
    let mut kept = text.trim_end();
    while let Some(shorter) = END_MARKS.iter().find_map(|mark| kept.strip_suffix(mark)) {
        kept = shorter.trim_end();
    }
    let len = kept.len();
    text.truncate(len);
    text
}

/// Marks with which chat templates end a turn; some servers let them through.
const END_MARKS: [&str; 5] = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "</s>"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_text_ends_with_the_mark_and_stays_within_the_limit() {
        assert_eq!(cut("  short ", 5), "short");
        assert_eq!(cut("äöüßé", 5), "äöüßé");
        assert_eq!(cut("äöüßéx", 5), "äöüß…");
    }

    #[test]
    fn thoughts_and_end_marks_are_dropped() {
        assert_eq!(clean_answer("<think>hm\r\n</think>\nfn a() {}\r\n<|im_end|></s>\n"), "\nfn a() {}");
        assert_eq!(clean_answer("<think>never closed"), "<think>never closed");
    }

    proptest! {
        #[test]
        fn a_cut_never_exceeds_its_limit(text in ".*", chars_max in 1_usize..50) {
            prop_assert!(cut(&text, chars_max).chars().count() <= chars_max);
        }
    }
}
