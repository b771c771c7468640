//! Texts that end an answer.

/// Looks for stop texts in an answer as it comes, and holds back what may be the beginning of one.
#[derive(Debug)]
pub(super) struct StopFilter {
    stops: Vec<String>,
    pending: String,
}

/// What can be said after further text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filtered {
    /// This much is certainly part of the answer.
    Text(String),
    /// A stop text came; this is the rest of the answer before it.
    Stopped(String),
}

impl StopFilter {
    /// Empty stop texts are ignored.
    pub(super) fn new(stops: &[String]) -> Self {
        Self {
            stops: stops.iter().filter(|stop| !stop.is_empty()).cloned().collect(),
            pending: String::new(),
        }
    }

    /// Takes further text.
    pub(super) fn push(&mut self, text: &str) -> Filtered {
        self.pending.push_str(text);
        if let Some(start) = self.stops.iter().filter_map(|stop| self.pending.find(stop)).min() {
            self.pending.truncate(start);
            return Filtered::Stopped(std::mem::take(&mut self.pending));
        }
        let held = self.stops.iter().map(|stop| overlap(&self.pending, stop)).max().unwrap_or(0);
        let rest = self.pending.split_off(self.pending.len() - held);
        Filtered::Text(std::mem::replace(&mut self.pending, rest))
    }

    /// Ends the answer: what was held back is part of it after all.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.pending)
    }
}

/// Bytes at the end of `text` that are the beginning of `stop`, but not all of it.
fn overlap(text: &str, stop: &str) -> usize {
    let longest = text.len().min(stop.len() - 1);
    (1..=longest)
        .rev()
        .find(|&length| stop.is_char_boundary(length) && text.ends_with(&stop[..length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces that are given out, and whether a stop text came.
    fn filter(stops: &[&str], pieces: &[&str]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut filter = StopFilter::new(&stops);
        let mut texts = Vec::new();
        for piece in pieces {
            match filter.push(piece) {
                Filtered::Text(text) => texts.push(text),
                Filtered::Stopped(text) => {
                    texts.push(text);
                    return (texts, true);
                }
            }
        }
        texts.push(filter.finish());
        (texts, false)
    }

    #[test]
    fn stop_text_over_several_pieces_is_never_given_out() {
        assert_eq!(
            filter(&["\nEND"], &["one\n", "E", "ND two"]),
            (vec!["one".into(), String::new(), String::new()], true)
        );
    }

    #[test]
    fn beginning_of_a_stop_text_is_given_out_once_it_is_none() {
        assert_eq!(
            filter(&["END"], &["a E", "N", "x"]),
            (vec!["a ".into(), String::new(), "ENx".into(), String::new()], false)
        );
        assert_eq!(filter(&["END"], &["a EN"]), (vec!["a ".into(), "EN".into()], false));
    }

    #[test]
    fn earliest_of_several_stop_texts_counts() {
        assert_eq!(filter(&["two", "one"], &["zero one two"]), (vec!["zero ".into()], true));
    }

    #[test]
    fn empty_stop_text_stops_nothing() {
        assert_eq!(filter(&[""], &["a", "b"]), (vec!["a".into(), "b".into(), String::new()], false));
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(text in "[ab€]{0,24}", stop in "[ab€]{1,4}", piece_len in 1_usize..4) {
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = characters.chunks(piece_len).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let (texts, stopped) = filter(&[&stop], &pieces);
            prop_assert_eq!(stopped, text.contains(&stop));
            prop_assert_eq!(texts.concat(), text.split(&stop).next().unwrap_or_default());
        }
    }
}
