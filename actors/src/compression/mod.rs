//! Makes a text fit into a number of tokens, and says what that cost: pure logic that knows no actor.
//!
//! Read in this order:
//!
//! 1. [`compress`]: the one entry; `strategy`: what a strategy is and which follow on a refused one;
//! 2. `units`: a text as the pieces that are kept or dropped; `pins`: what must survive;
//! 3. `select`: fills the limit with units by a strategy's order of preference; `draft`: what came of it;
//! 4. the strategies: `normalize`, `code`, `keyword`, `truncation`;
//! 5. [`verify`]: facts of the original, looked for in the result.
//!
//! The same job gives the same result. Nothing here panics on any text, and all of it takes time in proportion to
//! the text's length: texts come from files, models and strangers.

mod code;
mod content;
mod cut;
mod draft;
mod error;
mod keyword;
mod normalize;
mod pins;
mod select;
mod strategy;
#[cfg(test)]
mod tests;
mod truncation;
mod units;
pub mod verify;
mod words;

use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::Usage;
use playhouse_protocol::compress::{Compressed, Content, LIMIT_TOKENS_MIN, Pin, Refused, Strategy};

use draft::Draft;
use strategy::{Work, chain};

pub use draft::{dropped_text, find_dropped};
pub use error::CompressError;

/// What to make fit.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The text.
    pub text: &'a str,
    /// The most tokens that the result may have: at least [`LIMIT_TOKENS_MIN`].
    pub limit_tokens: u64,
    /// How to shorten it. [`Strategy::Summarize`] needs a model; without one it goes on as keyword.
    pub strategy: Strategy,
    /// What must survive word for word.
    pub pins: &'a [Pin],
    /// What kind of text it is; `None` finds out.
    pub content: Option<Content>,
}

/// Makes a text fit. The result has at most `limit_tokens` by `counter`, holds every pinned span, and is the same for
/// the same job. May take long for a large text: call it off the async threads past 64 KiB.
///
/// # Errors
/// When the limit is below the smallest there is, or below what the pinned spans take; both name the smallest limit
/// that would work.
pub fn compress(job: &Job<'_>, counter: &dyn TokenCounter) -> Result<Compressed, CompressError> {
    let (text, limit_tokens) = (job.text, job.limit_tokens);
    let tokens_before = counter.count(text);
    if limit_tokens >= LIMIT_TOKENS_MIN && tokens_before <= limit_tokens {
        return Ok(unchanged(text, tokens_before));
    }
    let work = Work::new(job, counter);
    let pinned_tokens = work.pinned_tokens();
    if limit_tokens < LIMIT_TOKENS_MIN {
        let smallest_tokens = pinned_tokens.min(tokens_before).max(LIMIT_TOKENS_MIN);
        return Err(CompressError::LimitTooSmall { limit_tokens, smallest_tokens });
    }
    let mut refused = Vec::new();
    for strategy in chain(job.strategy, work.content) {
        let tried = match strategy::named(*strategy) {
            Some(compression) => compression.draft(&work).and_then(|draft| checked(&work, draft)),
            None => Err("it needs a model".to_owned()),
        };
        match tried {
            Ok((draft, result)) => {
                return Ok(finished(
                    &work,
                    Accepted { strategy: *strategy, refused, draft, result, tokens_before },
                ));
            }
            Err(reason) => refused.push(Refused { strategy: *strategy, reason }),
        }
    }
    Err(CompressError::PinsTooLarge { limit_tokens, smallest_tokens: pinned_tokens.max(LIMIT_TOKENS_MIN) })
}

fn unchanged(text: &str, tokens: u64) -> Compressed {
    Compressed {
        text: text.to_owned(),
        strategy: None,
        refused: Vec::new(),
        tokens_before: tokens,
        tokens_after: tokens,
        ratio: 1.0,
        dropped: Vec::new(),
        verification: verify::verify(text, text),
        origin: None,
        usage: Usage::default(),
    }
}

/// A draft's text with its tokens, where it keeps what was promised. Strategies keep to it on their own; this is the
/// one place that makes sure.
fn checked(work: &Work<'_>, draft: Draft) -> Result<(Draft, (String, u64)), String> {
    let text = draft.render(work.text);
    let tokens = work.counter.count(&text);
    if tokens > work.limit_tokens {
        return Err(format!("it leaves {tokens} tokens"));
    }
    if !draft.keeps(&work.pins) {
        return Err("a pinned span would be lost".to_owned());
    }
    Ok((draft, (text, tokens)))
}

/// A draft that was accepted, with how it came about.
struct Accepted {
    strategy: Strategy,
    refused: Vec<Refused>,
    draft: Draft,
    result: (String, u64),
    tokens_before: u64,
}

fn finished(work: &Work<'_>, accepted: Accepted) -> Compressed {
    let Accepted { strategy, refused, draft, result: (text, tokens_after), tokens_before } = accepted;
    Compressed {
        strategy: Some(strategy),
        refused,
        tokens_before,
        tokens_after,
        ratio: ratio(tokens_after, tokens_before),
        dropped: draft::dropped(work.text, &draft.dropped_ranges(work.text), work.counter),
        verification: verify::compare(work.text, work.facts(), &text),
        text,
        origin: None,
        usage: Usage::default(),
    }
}

/// `after` / `before`; 1.0 where there was nothing.
pub fn ratio(after: u64, before: u64) -> f64 {
    if before == 0 { 1.0 } else { after as f64 / before as f64 }
}

/// Lists the whole text as dropped, as for a summary.
pub(crate) fn all_dropped(
    text: &str,
    counter: &dyn TokenCounter,
) -> Vec<playhouse_protocol::compress::Dropped> {
    draft::dropped(text, std::slice::from_ref(&(0..text.len())), counter)
}

/// The pinned spans of a text, each with its words, in order and without repetitions.
pub(crate) fn pinned_texts<'a>(text: &'a str, pins: &[Pin]) -> Vec<&'a str> {
    pins::resolve(text, pins, &verify::facts(text)).into_iter().map(|range| &text[range]).collect()
}

/// A text in parts of at most `tokens_max` each (as far as the sum of single counts tells), cut between sentences,
/// with the tokens of each.
pub(crate) fn parts(
    text: &str,
    tokens_max: u64,
    counter: &dyn TokenCounter,
) -> Vec<(std::ops::Range<usize>, u64)> {
    let mut parts: Vec<(std::ops::Range<usize>, u64)> = Vec::new();
    for unit in units::units(text, content::detect(text), &[]) {
        let tokens = counter.count(&text[unit.lead..unit.end]);
        match parts.last_mut() {
            Some((range, sum)) if *sum + tokens <= tokens_max => {
                range.end = unit.end;
                *sum += tokens;
            }
            _ => parts.push((unit.begin..unit.end, tokens)),
        }
    }
    parts
}
