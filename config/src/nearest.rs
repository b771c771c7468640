//! "Did you mean …?"

/// The candidate that is written most like `word`, where one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // No key is longer; the measure costs the product of both lengths.
    if word.len() > 100 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' ', '.'], "");
    let word = plain(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = plain(candidate);
        let shorter = word.chars().count().min(other.chars().count());
        // Up to a third of the letters may differ; a swap of neighbours counts once.
        let mut distance = strsim::damerau_levenshtein(&word, &other);
        let begins_alike = shorter >= 4 && (word.starts_with(&other) || other.starts_with(&word));
        if begins_alike {
            distance = distance.min(2);
        }
        let near_enough = begins_alike || distance <= 1.max(shorter / 3);
        if near_enough && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let keys = ["temperature", "top_p", "top_k", "seed", "completion_tokens_max", "task_timeout_ms"];
        let check = |word: &str, expected: Option<&str>| assert_eq!(nearest(word, keys), expected, "{word}");
        check("temprature", Some("temperature"));
        check("topP", Some("top_p"));
        check("completion-tokens-max", Some("completion_tokens_max"));
        check("task_timeout", Some("task_timeout_ms"));
        check("sed", Some("seed"));
        check("colour", None);
        check("", None);
    }
}
