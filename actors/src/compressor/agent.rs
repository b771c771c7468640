//! The agent itself.

use std::sync::Arc;

use playhouse_models::tokens::{Encoding, TiktokenCounter, TokenCounter};
use playhouse_protocol::Failure;
use playhouse_protocol::compress::{
    CompressText, Compressed, LIMIT_TOKENS_MIN, PINS_MAX, Pin, Refused, Strategy, TEXT_BYTES_MAX,
};

use super::summary;
use crate::agent::{Agent, AgentError};
use crate::compression::{CompressError, Job, all_dropped, compress, ratio, verify};
use crate::context::AgentContext;

/// The least share of the facts that extraction keeps which a summary must keep too. A summary says more with other
/// words, so it need not keep all; one that keeps less than half has lost what it was for.
const FACTS_SHARE_MIN: f64 = 0.5;

/// Makes a text fit; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct Compressor;

impl Agent for Compressor {
    const KIND: &'static str = "compress";
    type Request = CompressText;
    type Reply = Compressed;

    fn validate(&self, request: &CompressText) -> Result<(), Failure> {
        let bytes = request.text.len();
        if bytes > TEXT_BYTES_MAX {
            return Err(Failure::invalid(format!(
                "read the text: it has {bytes} bytes, the limit is {TEXT_BYTES_MAX}"
            ))
            .with_hint("Compress it in parts."));
        }
        if request.text.contains('\0') {
            return Err(Failure::invalid("read the text: it is binary").with_hint("Hand in a text."));
        }
        let limit_tokens = request.limit_tokens;
        if limit_tokens < LIMIT_TOKENS_MIN {
            let smallest_tokens = LIMIT_TOKENS_MIN;
            return Err(CompressError::LimitTooSmall { limit_tokens, smallest_tokens }.into());
        }
        if request.pins.len() > PINS_MAX {
            let len = request.pins.len();
            return Err(Failure::invalid(format!("read the request: it has {len} pins"))
                .with_hint(format!("Pin at most {PINS_MAX} texts, or pin by rule.")));
        }
        Ok(())
    }

    async fn run(&self, ctx: &mut AgentContext, request: CompressText) -> Result<Compressed, AgentError> {
        let counter = counter(ctx, &request).await?;
        let request = Arc::new(request);
        let mut compressed = without_model(&request, &counter).await?;
        let asked_for_summary = compressed.strategy.is_some() && request.strategy == Strategy::Summarize;
        if asked_for_summary {
            compressed = match summary::summarize(ctx, &request, &counter).await? {
                Ok(summary) => accept(&request, &counter, compressed, summary).await?,
                Err(reason) => refused(compressed, reason),
            };
        }
        ctx.compressed(&compressed);
        Ok(compressed)
    }
}

/// Counts as the model does. A strategy that asks no model needs none to be there: where none is named and none can be
/// used, the newest encoding counts.
async fn counter(ctx: &AgentContext, request: &CompressText) -> Result<Arc<dyn TokenCounter>, AgentError> {
    match ctx.token_counter(Compressor::KIND, request.model.as_deref()).await {
        Ok(counter) => Ok(counter),
        Err(_) if request.model.is_none() && request.strategy != Strategy::Summarize => {
            Ok(Arc::new(TiktokenCounter::with_encoding(Encoding::O200k, "")))
        }
        Err(error) => Err(error),
    }
}

/// Runs work that computes for long off the async threads.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AgentError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Failure::internal("compress the text: the computing thread is gone").into())
}

async fn without_model(
    request: &Arc<CompressText>,
    counter: &Arc<dyn TokenCounter>,
) -> Result<Compressed, AgentError> {
    let (request, counter) = (Arc::clone(request), Arc::clone(counter));
    let compressed = off_thread(move || {
        let job = Job {
            text: &request.text,
            limit_tokens: request.limit_tokens,
            strategy: request.strategy,
            pins: &request.pins,
            content: request.content,
        };
        compress(&job, &*counter)
    });
    compressed.await?.map_err(|error| AgentError::Failed(error.into()))
}

/// The summary where it is good enough, else what extraction made.
async fn accept(
    request: &Arc<CompressText>,
    counter: &Arc<dyn TokenCounter>,
    extracted: Compressed,
    summary: summary::Summary,
) -> Result<Compressed, AgentError> {
    let (request, counter) = (Arc::clone(request), Arc::clone(counter));
    off_thread(move || {
        let usage = summary.usage;
        match checked(&request, &*counter, &extracted, summary) {
            Ok(compressed) => compressed,
            Err(reason) => Compressed { usage, ..refused(extracted, reason) },
        }
    })
    .await
}

pub(super) fn checked(
    request: &CompressText,
    counter: &dyn TokenCounter,
    extracted: &Compressed,
    summary: summary::Summary,
) -> Result<Compressed, String> {
    let tokens_after = counter.count(&summary.text);
    if tokens_after > request.limit_tokens {
        return Err(format!("the summary has {tokens_after} tokens"));
    }
    if summary.text.is_empty() {
        return Err("the summary is empty".to_owned());
    }
    if !missing_pins(&request.text, &request.pins, &summary.text).is_empty() {
        return Err("the summary lacks a pinned span".to_owned());
    }
    let verification = verify::verify(&request.text, &summary.text);
    let score_min = extracted.verification.score * FACTS_SHARE_MIN;
    if verification.score < score_min {
        let (kept, of) = (verification.facts_kept, verification.facts_total);
        return Err(format!("the summary keeps {kept} of {of} facts"));
    }
    Ok(Compressed {
        text: summary.text,
        strategy: Some(Strategy::Summarize),
        refused: Vec::new(),
        tokens_before: extracted.tokens_before,
        tokens_after,
        ratio: ratio(tokens_after, extracted.tokens_before),
        dropped: all_dropped(&request.text, counter),
        verification,
        origin: Some(summary.origin),
        usage: summary.usage,
    })
}

/// Pinned spans of a text that are not in the result.
pub(super) fn missing_pins<'a>(text: &'a str, pins: &[Pin], result: &str) -> Vec<&'a str> {
    let pinned = crate::compression::pinned_texts(text, pins);
    pinned.into_iter().filter(|pin| !result.contains(pin)).collect()
}

/// What extraction made, with why there is no summary.
fn refused(extracted: Compressed, reason: String) -> Compressed {
    let mut refused = vec![Refused { strategy: Strategy::Summarize, reason }];
    // The one entry that says that there was no model is replaced.
    refused.extend(extracted.refused.into_iter().filter(|refused| refused.strategy != Strategy::Summarize));
    Compressed { refused, ..extracted }
}
