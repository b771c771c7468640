//! What a text means for a model, and the text as the model can hold it.

use playhouse_models::tokens::{Document, ModelFacts, TokenAnalysis};
use playhouse_protocol::compress::{Compressed, LIMIT_TOKENS_MIN, Pin, PinRule, Strategy};

use crate::compression::{CompressError, Job, compress};

/// Analyses texts for one model and makes them fit where they have to.
///
/// ```
/// use std::sync::Arc;
///
/// use playhouse_actors::fitting::SmartTokenAnalyzer;
/// use playhouse_models::tokens::{ModelFacts, TiktokenCounter};
///
/// let analyzer = SmartTokenAnalyzer::new(ModelFacts {
///     name: "gpt-4o".to_owned(),
///     context_tokens: Some(128_000),
///     completion_tokens_default: 1_024,
///     price: Default::default(),
///     counter: Arc::new(TiktokenCounter::for_model("gpt-4o")),
/// });
/// let text = "The gate opens at nine. Nobody is let in without a ticket. ".repeat(20);
/// let analyzed = analyzer.analyze_and_compress(&text, Some(60))?;
/// assert!(analyzed.analysis.prompt_tokens > 60);
/// assert!(analyzed.compressed.tokens_after <= 60);
/// # Ok::<(), playhouse_actors::compression::CompressError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SmartTokenAnalyzer {
    model: ModelFacts,
    strategy: Strategy,
    pins: Vec<Pin>,
}

/// A text's analysis, and the text as it fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzed {
    /// Of the text as it was.
    pub analysis: TokenAnalysis,
    /// The text as it fits; unchanged where it did already.
    pub compressed: Compressed,
}

impl SmartTokenAnalyzer {
    /// An analyzer for a model, which shortens by the gentlest strategy that fits and keeps addresses and paths.
    pub fn new(model: ModelFacts) -> Self {
        let pins = PinRule::DEFAULT.map(Pin::Rule).to_vec();
        Self { model, strategy: Strategy::Auto, pins }
    }

    /// The same with another strategy. [`Strategy::Summarize`] asks no model here and goes on as keyword.
    #[must_use]
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// The same with other spans that survive word for word.
    #[must_use]
    pub fn with_pins(mut self, pins: Vec<Pin>) -> Self {
        self.pins = pins;
        self
    }

    /// Tokens of a text by part, its share of the window, the room that is left, and what it costs.
    pub fn analyze(&self, text: &str) -> TokenAnalysis {
        TokenAnalysis::of_document(Document { text, language: None }, &self.model)
    }

    /// The analysis, and the text in at most `limit_tokens`; `None` takes what the model's window has beside its longest
    /// answer, and leaves the text as it is where the window's size is not known. May take long for a large text: call it off
    /// the async threads.
    ///
    /// # Errors
    /// When the limit is below the smallest there is, or below what the pinned spans take; both name the smallest limit that
    /// would work.
    pub fn analyze_and_compress(
        &self,
        text: &str,
        limit_tokens: Option<u64>,
    ) -> Result<Analyzed, CompressError> {
        let limit_tokens = limit_tokens.unwrap_or_else(|| self.room());
        let job = Job { text, limit_tokens, strategy: self.strategy, pins: &self.pins, content: None };
        let compressed = compress(&job, &*self.model.counter)?;
        Ok(Analyzed { analysis: self.analyze(text), compressed })
    }

    /// What the window holds beside the longest answer.
    fn room(&self) -> u64 {
        let answer = u64::from(self.model.completion_tokens_default);
        match self.model.context_tokens {
            Some(context) => u64::from(context).saturating_sub(answer).max(LIMIT_TOKENS_MIN),
            None => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use playhouse_models::tokens::TiktokenCounter;

    use super::*;

    fn analyzer(context_tokens: Option<u32>) -> SmartTokenAnalyzer {
        SmartTokenAnalyzer::new(ModelFacts {
            name: "m".to_owned(),
            context_tokens,
            completion_tokens_default: 50,
            price: playhouse_config::settings::PriceConfig::default(),
            counter: Arc::new(TiktokenCounter::for_model("gpt-4o")),
        })
    }

    fn text() -> String {
        let scene = |number| format!("In scene {number} somebody reads https://example.org/{number} aloud. ");
        (0..40).map(scene).collect()
    }

    #[test]
    fn without_a_limit_a_text_fits_into_the_window_beside_the_answer() {
        let analyzer = analyzer(Some(1_000)).with_pins(vec![Pin::Text("scene 33".to_owned())]);
        let text = text().repeat(2);
        let Analyzed { analysis, compressed } = analyzer.analyze_and_compress(&text, None).unwrap();
        assert!(analysis.prompt_tokens > 950 && compressed.tokens_before == analysis.prompt_tokens);
        assert!(compressed.tokens_after <= 950, "{}", compressed.tokens_after);
        assert!(compressed.text.contains("scene 33"));
    }

    #[test]
    fn a_text_that_fits_or_whose_window_nobody_knows_stays_as_it_is() {
        for context_tokens in [Some(100_000), None] {
            let analyzed = analyzer(context_tokens).analyze_and_compress(&text(), None).unwrap();
            assert_eq!((analyzed.compressed.text, analyzed.compressed.strategy), (text(), None));
        }
    }

    #[test]
    fn a_limit_that_is_too_small_is_an_error_with_one_that_is_not() {
        let error = analyzer(None).analyze_and_compress(&text(), Some(20)).unwrap_err();
        let CompressError::PinsTooLarge { smallest_tokens, .. } = error else { panic!("{error}") };
        let analyzed = analyzer(None).analyze_and_compress(&text(), Some(smallest_tokens)).unwrap();
        assert!(analyzed.compressed.tokens_after <= smallest_tokens);
    }
}
