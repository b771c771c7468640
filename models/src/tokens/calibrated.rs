//! Estimates for models whose tokenizer is not at hand: a related encoding's count times a factor.

use std::sync::{Mutex, PoisonError};

use playhouse_protocol::completion::ChatMessage;

use super::family;
use super::tiktoken::{framing, texts};
use super::{Accuracy, Encoding, TokenCounter};

/// What is learned stays between these: more is not a tokenizer's difference but another text than ours, such as a
/// prompt that the provider extends.
const LEARNED_MIN: f64 = 0.5;
const LEARNED_MAX: f64 = 2.0;

/// Prompts that are shorter, in tokens, teach nothing: a provider's framing would outweigh their text.
const LEARN_TOKENS_MIN: u64 = 128;

/// The weight of the newest answer never falls below one in this many, so that a changed tokenizer is learned anew.
const MEMORY_ANSWERS: u32 = 8;

/// Counts by an encoding times a factor: the configured one, else the one measured for the model's family, else 1; and
/// times what was learned from the provider's own counts. Belongs to one entry of the catalog; what it has learned
/// ends with the process.
#[derive(Debug)]
pub struct Calibrated {
    encoding: Encoding,
    /// Configured or measured; `None` where nobody has.
    factor: Option<f64>,
    learned: Mutex<Learned>,
}

/// A bounded exponential average of reported tokens by estimated ones.
#[derive(Debug, Clone, Copy)]
struct Learned {
    factor: f64,
    /// Answers that it was learned from, up to [`MEMORY_ANSWERS`].
    answers: u32,
}

impl Learned {
    const NOTHING: Self = Self { factor: 1.0, answers: 0 };

    /// `ratio` is what was reported by what was counted with the present factor. The first answers weigh more, as
    /// little else is known then.
    fn with(self, ratio: f64) -> Self {
        let answers = (self.answers + 1).min(MEMORY_ANSWERS);
        let weight = 1.0 / f64::from((answers + 1).min(MEMORY_ANSWERS));
        let sample = (self.factor * ratio).clamp(LEARNED_MIN, LEARNED_MAX);
        Self { factor: self.factor + weight * (sample - self.factor), answers }
    }
}

impl Calibrated {
    /// Counts for `model` by `encoding` times `factor`; without one by what is known of the model's family.
    pub fn new(encoding: Encoding, factor: Option<f64>, model: &str) -> Self {
        let measured = || (encoding == family::MEASURED_BY).then(|| family::factor(model)).flatten();
        Self { encoding, factor: factor.or_else(measured), learned: Mutex::new(Learned::NOTHING) }
    }

    fn learned(&self) -> Learned {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scaled(&self, tokens: u64) -> u64 {
        let factor = self.factor.unwrap_or(1.0) * self.learned().factor;
        // Rounded up: a prompt that is thought too long is shortened, one that is thought too short fails.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and a text's tokens times a small factor"
        )]
        let scaled = (tokens as f64 * factor).ceil() as u64;
        scaled
    }
}

impl TokenCounter for Calibrated {
    fn encoding(&self) -> &str {
        self.encoding.as_str()
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn accuracy(&self) -> Accuracy {
        let learned = self.learned();
        if self.factor.is_none() && learned.answers == 0 {
            return Accuracy::Estimated;
        }
        Accuracy::Calibrated { factor: self.factor.unwrap_or(1.0) * learned.factor }
    }

    fn count(&self, text: &str) -> u64 {
        self.scaled(self.encoding.count(text))
    }

    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        self.scaled(texts(self.encoding, messages)) + framing(messages)
    }

    fn learn(&self, counted: u64, reported: u64) {
        if counted < LEARN_TOKENS_MIN {
            return;
        }
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        *learned = learned.with(reported as f64 / counted as f64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(factor: Option<f64>) -> Calibrated {
        Calibrated::new(Encoding::O200k, factor, "mystery-7b")
    }

    const TEXT: &str = "The quick brown fox jumps over the lazy dog.";

    #[test]
    fn a_model_of_which_nothing_is_known_is_an_estimate() {
        let counter = of(None);
        assert_eq!((counter.accuracy(), counter.is_exact()), (Accuracy::Estimated, false));
        assert_eq!(counter.count(TEXT), Encoding::O200k.count(TEXT));
    }

    #[test]
    fn a_factor_multiplies_the_text_and_not_the_framing_and_rounds_up() {
        let counter = of(Some(1.25));
        assert_eq!(counter.accuracy(), Accuracy::Calibrated { factor: 1.25 });
        assert_eq!((Encoding::O200k.count(TEXT), counter.count(TEXT)), (10, 13));
        // The role is a token, too: 11 × 1.25, and 6 around it.
        assert_eq!(counter.count_chat(&[ChatMessage::user(TEXT)]), 14 + 6);
    }

    #[test]
    fn a_family_whose_tokenizer_was_measured_is_calibrated() {
        let counter = Calibrated::new(Encoding::O200k, None, "Qwen/Qwen2.5-Coder-7B");
        assert!(counter.accuracy().factor().is_some());
        let counter = Calibrated::new(Encoding::Cl100k, None, "Qwen/Qwen2.5-Coder-7B");
        assert_eq!(counter.accuracy(), Accuracy::Estimated, "it was measured by another encoding");
    }

    #[test]
    fn estimates_come_to_what_the_provider_counts() {
        let counter = of(None);
        let text = TEXT.repeat(40);
        let truth = Encoding::O200k.count(&text) * 6 / 5;
        for _ in 0..40 {
            counter.learn(counter.count(&text), truth);
        }
        assert!(counter.count(&text).abs_diff(truth) <= 1 + truth / 200, "{}", counter.count(&text));
    }

    #[test]
    fn a_short_prompt_teaches_nothing() {
        let counter = of(None);
        counter.learn(LEARN_TOKENS_MIN - 1, 1_000);
        assert_eq!(counter.accuracy(), Accuracy::Estimated);
    }

    proptest! {
        #[test]
        fn whatever_is_reported_the_factor_stays_between_its_bounds(reports in prop::collection::vec(any::<u64>(), 0..50)) {
            let counter = of(Some(1.0));
            for reported in reports {
                counter.learn(LEARN_TOKENS_MIN, reported);
            }
            let factor = counter.accuracy().factor().unwrap();
            prop_assert!((LEARNED_MIN..=LEARNED_MAX).contains(&factor), "{}", factor);
        }
    }
}
