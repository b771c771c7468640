//! The conversation as a whole.

use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::completion::{ChatMessage, Condensed, Role};

use super::shorten::{Shorten, Shortened};

/// The least that is left of a message that is shortened, as a part of its tokens. Less says so little that leaving it
/// out is more honest.
const SHORTENED_TO: u64 = 4;

/// The fewest tokens that a message is shortened to.
const SHORTENED_TOKENS_MIN: u64 = 48;

/// A conversation that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// What is to be sent, oldest first.
    pub messages: Vec<ChatMessage>,
    /// What was made of the conversation; `None` when it fits as it is.
    pub condensed: Option<Condensed>,
}

/// Why a conversation cannot be made to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "fit the conversation into {limit_tokens} tokens: its instructions and the latest message of the user, which are \
     never shortened, have {needed_tokens}"
)]
pub struct FitError {
    /// What was allowed.
    pub limit_tokens: u64,
    /// The smallest limit that would do.
    pub needed_tokens: u64,
}

/// Makes a conversation fit into `limit_tokens`, by exact count of `counter`, its framing included. Computes for as long as
/// it takes to count and shorten the messages: call it off the async threads.
///
/// # Errors
/// When what is never shortened does not fit, with the smallest limit that would do.
pub fn fit(
    messages: &[ChatMessage],
    limit_tokens: u64,
    counter: &dyn TokenCounter,
) -> Result<Fitted, FitError> {
    fit_with(messages, limit_tokens, counter, &super::shorten::Compression { counter })
}

/// A message on its way.
struct Part {
    message: ChatMessage,
    /// Tokens that it takes about. Only the count of the whole is exact: framing need not be the same for all.
    tokens: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Never touched.
    Fixed,
    Whole,
    Shortened {
        facts_total: u32,
        facts_kept: u32,
    },
    Dropped {
        facts_total: u32,
    },
}

pub(super) fn fit_with(
    messages: &[ChatMessage],
    limit_tokens: u64,
    counter: &dyn TokenCounter,
    shortener: &dyn Shorten,
) -> Result<Fitted, FitError> {
    let tokens_before = counter.count_chat(messages);
    if tokens_before <= limit_tokens {
        return Ok(Fitted { messages: messages.to_vec(), condensed: None });
    }
    let latest = messages.iter().rposition(|message| message.role == Role::User);
    let latest = latest.unwrap_or(messages.len().saturating_sub(1));
    let is_fixed =
        |(place, message): &(usize, &ChatMessage)| message.role == Role::System || *place >= latest;
    let fixed: Vec<_> = messages.iter().enumerate().filter(is_fixed).map(|(_, one)| one.clone()).collect();
    let needed_tokens = counter.count_chat(&fixed);
    if needed_tokens > limit_tokens {
        return Err(FitError { limit_tokens, needed_tokens });
    }
    let part = |(place, message): (usize, &ChatMessage)| Part {
        tokens: counter.count(&message.content),
        state: if is_fixed(&(place, message)) { State::Fixed } else { State::Whole },
        message: message.clone(),
    };
    let mut parts: Vec<_> = messages.iter().enumerate().map(part).collect();
    shorten_oldest(&mut parts, tokens_before - limit_tokens, shortener, counter);
    let mut tokens_after = counter.count_chat(&left(&parts));
    while tokens_after > limit_tokens && drop_oldest(&mut parts, tokens_after - limit_tokens, shortener) {
        tokens_after = counter.count_chat(&left(&parts));
    }
    let condensed = Condensed { tokens_before, tokens_after, ..told(&parts) };
    Ok(Fitted { messages: left(&parts), condensed: Some(condensed) })
}

/// Shortens messages, the oldest first, until about `excess` tokens are saved.
fn shorten_oldest(parts: &mut [Part], mut excess: u64, shortener: &dyn Shorten, counter: &dyn TokenCounter) {
    for part in parts.iter_mut().filter(|part| part.state == State::Whole) {
        if excess == 0 {
            return;
        }
        let least = (part.tokens / SHORTENED_TO).max(SHORTENED_TOKENS_MIN);
        let target = part.tokens.saturating_sub(excess).max(least);
        if target >= part.tokens {
            continue;
        }
        if let Some(Shortened { text, facts_total, facts_kept }) =
            shortener.shorten(&part.message.content, target)
        {
            let tokens = counter.count(&text);
            excess = excess.saturating_sub(part.tokens.saturating_sub(tokens));
            part.message.content = text;
            part.tokens = tokens;
            part.state = State::Shortened { facts_total, facts_kept };
        }
    }
}

/// Leaves out the oldest turns (a message of the user and the answers to it), until about `excess` tokens are saved. Gives
/// whether there was one.
fn drop_oldest(parts: &mut [Part], excess: u64, shortener: &dyn Shorten) -> bool {
    let mut saved = 0;
    let mut dropped_any = false;
    let mut within_turn = false;
    for part in parts.iter_mut() {
        let facts_total = match part.state {
            State::Fixed | State::Dropped { .. } => continue,
            State::Whole => shortener.facts(&part.message.content),
            State::Shortened { facts_total, .. } => facts_total,
        };
        let goes_on = within_turn && part.message.role == Role::Assistant;
        if saved >= excess && dropped_any && !goes_on {
            break;
        }
        saved += part.tokens;
        part.state = State::Dropped { facts_total };
        dropped_any = true;
        within_turn = true;
    }
    dropped_any
}

fn left(parts: &[Part]) -> Vec<ChatMessage> {
    let is_left = |part: &&Part| !matches!(part.state, State::Dropped { .. });
    parts.iter().filter(is_left).map(|part| part.message.clone()).collect()
}

fn told(parts: &[Part]) -> Condensed {
    let mut told = Condensed::default();
    for part in parts {
        match part.state {
            State::Fixed | State::Whole => {}
            State::Shortened { facts_total, facts_kept } => {
                told.messages_shortened += 1;
                told.facts_total += facts_total;
                told.facts_kept += facts_kept;
            }
            State::Dropped { facts_total } => {
                told.messages_dropped += 1;
                told.facts_total += facts_total;
            }
        }
    }
    told
}
