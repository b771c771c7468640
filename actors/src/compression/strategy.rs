//! What a strategy is, what all of them work on, and which are tried after a refused one.

use std::cell::OnceCell;
use std::ops::Range;

use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::compress::{Content, Strategy};

use super::Job;
use super::code::Code;
use super::content::detect;
use super::draft::Draft;
use super::keyword::Keyword;
use super::normalize::Normalize;
use super::pins::resolve;
use super::truncation::Truncation;
use super::units::{Unit, units};
use super::verify::{Found, facts};

/// A way to shorten a text without a model.
pub(super) trait Compression {
    /// What is left of the text: it fits the limit and holds the pinned spans.
    ///
    /// # Errors
    /// Why it cannot do so, as a fragment. The next strategy is tried then.
    fn draft(&self, work: &Work<'_>) -> Result<Draft, String>;
}

/// The strategy of a name; `None` for those that need a model or stand for several.
pub(super) fn named(strategy: Strategy) -> Option<&'static dyn Compression> {
    match strategy {
        Strategy::Normalize => Some(&Normalize),
        Strategy::Code => Some(&Code),
        Strategy::Keyword => Some(&Keyword),
        Strategy::Head => Some(&Truncation::Head),
        Strategy::Tail => Some(&Truncation::Tail),
        Strategy::Middle => Some(&Truncation::Middle),
        Strategy::Auto | Strategy::Summarize => None,
    }
}

/// What is tried, in order: the strategy that was asked for, then what may do where it is refused. Truncation, which
/// fits whatever the text, is the last of each.
pub(super) const fn chain(strategy: Strategy, content: Content) -> &'static [Strategy] {
    match (strategy, content) {
        (Strategy::Auto, Content::Rust) => &[Strategy::Code, Strategy::Keyword, Strategy::Head],
        (Strategy::Auto, _) => &[Strategy::Normalize, Strategy::Keyword, Strategy::Head],
        (Strategy::Normalize, _) => &[Strategy::Normalize, Strategy::Keyword, Strategy::Head],
        (Strategy::Code, _) => &[Strategy::Code, Strategy::Keyword, Strategy::Head],
        (Strategy::Summarize, _) => &[Strategy::Summarize, Strategy::Keyword, Strategy::Head],
        (Strategy::Keyword, _) => &[Strategy::Keyword, Strategy::Head],
        (Strategy::Head, _) => &[Strategy::Head, Strategy::Keyword],
        (Strategy::Tail, _) => &[Strategy::Tail, Strategy::Keyword],
        (Strategy::Middle, _) => &[Strategy::Middle, Strategy::Keyword],
    }
}

/// A job with what is found out of its text, each thing once.
pub(super) struct Work<'a> {
    pub(super) text: &'a str,
    pub(super) limit_tokens: u64,
    pub(super) counter: &'a dyn TokenCounter,
    pub(super) content: Content,
    /// Pinned spans; they ascend and do not overlap.
    pub(super) pins: Vec<Range<usize>>,
    facts: Vec<Found>,
    units: OnceCell<Vec<Unit>>,
    costs: OnceCell<Vec<u64>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(job: &Job<'a>, counter: &'a dyn TokenCounter) -> Self {
        let facts = facts(job.text);
        Self {
            text: job.text,
            limit_tokens: job.limit_tokens,
            counter,
            content: job.content.unwrap_or_else(|| detect(job.text)),
            pins: resolve(job.text, job.pins, &facts),
            facts,
            units: OnceCell::new(),
            costs: OnceCell::new(),
        }
    }

    pub(super) fn facts(&self) -> &[Found] {
        &self.facts
    }

    pub(super) fn units(&self) -> &[Unit] {
        self.units.get_or_init(|| units(self.text, self.content, &self.pins))
    }

    /// The tokens of each unit, counted alone with the white space in front of it. Their sum is about the count of
    /// the whole, and mostly above it.
    pub(super) fn costs(&self) -> &[u64] {
        self.costs.get_or_init(|| {
            let cost = |unit: &Unit| self.counter.count(&self.text[unit.lead..unit.end]);
            self.units().iter().map(cost).collect()
        })
    }

    /// The pinned spans alone, one behind the other: the least that a result can be.
    pub(super) fn pinned_draft(&self) -> Draft {
        let mut draft = Draft::default();
        for pin in &self.pins {
            if !draft.is_empty() {
                draft.add("\n");
            }
            draft.keep(pin.clone());
        }
        draft
    }

    /// The tokens of [`pinned_draft`](Self::pinned_draft).
    pub(super) fn pinned_tokens(&self) -> u64 {
        self.counter.count(&self.pinned_draft().render(self.text))
    }
}
