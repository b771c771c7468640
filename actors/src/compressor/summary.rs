//! Summaries: part by part, and again while they are too long.

use std::sync::Arc;

use playhouse_config::prompts::{CompressContext, PromptName};
use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, Origin, Sampling};
use playhouse_protocol::compress::CompressText;
use playhouse_protocol::{Failure, Usage};

use super::agent::Compressor;
use crate::agent::{Agent as _, AgentError};
use crate::code::text::clean_answer;
use crate::compression::{parts, pinned_texts};
use crate::context::{AgentContext, ModelCall};

/// How often what was summarized is summarized again. Each round shortens at least by half where the model does as it
/// is told, so four go from a full context to a sixteenth of it.
const ROUNDS_MAX: u32 = 4;

/// The most parts of one round: more calls than that cost more than a summary is worth.
const PARTS_MAX: usize = 64;

/// Tokens that the prompt takes beside the text and the pins.
const PROMPT_TOKENS: u64 = 300;

/// The smallest room for a part's summary, in tokens.
const ANSWER_TOKENS_MIN: u64 = 16;

/// The context of a model that does not say what it holds, in tokens: every model in use holds that.
const CONTEXT_TOKENS_UNKNOWN: u64 = 4_096;

/// The most pinned spans that a prompt names; more would be a prompt of their own.
const PROMPT_PINS_MAX: usize = 64;

/// What models wrote.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    pub(super) text: String,
    pub(super) origin: Origin,
    pub(super) usage: Usage,
}

/// Summarizes, or says why not. A model that fails is a reason; what the task itself forbids is an error.
pub(super) async fn summarize(
    ctx: &mut AgentContext,
    request: &Arc<CompressText>,
    counter: &Arc<dyn TokenCounter>,
) -> Result<Result<Summary, String>, AgentError> {
    let info = ctx.model_info(Compressor::KIND, request.model.as_deref()).await?;
    let context_tokens = match u64::from(info.context_tokens) {
        0 => CONTEXT_TOKENS_UNKNOWN,
        tokens => tokens,
    };
    let pins = pins(request);
    let pin_tokens: u64 = pins.iter().map(|pin| pin.len() as u64).sum();
    let room = context_tokens.saturating_sub(PROMPT_TOKENS + pin_tokens);
    let answer_tokens_max = (room / 4).min(request.limit_tokens).max(ANSWER_TOKENS_MIN);
    let part_tokens_max = room.saturating_sub(answer_tokens_max);
    if part_tokens_max <= answer_tokens_max {
        return Ok(Err("the model's context is too small".to_owned()));
    }
    let (mut text, mut origin, mut usage) = (request.text.clone(), None, Usage::default());
    for round in 1..=ROUNDS_MAX {
        let parts = split(text, part_tokens_max, counter).await?;
        if parts.len() > PARTS_MAX {
            return Ok(Err(format!("it would take {} parts, the limit is {PARTS_MAX}", parts.len())));
        }
        let total: u64 = parts.iter().map(|(_, tokens)| tokens).sum();
        let mut summaries = Vec::with_capacity(parts.len());
        for (part, tokens) in &parts {
            // Each part gets its share of the limit.
            let share = request.limit_tokens.saturating_mul(*tokens) / total.max(1);
            let tokens_max = share.clamp(ANSWER_TOKENS_MIN, answer_tokens_max);
            let here = pins.iter().filter(|pin| part.contains(pin.as_str())).cloned().collect();
            match ask(
                ctx,
                request,
                CompressContext { text: part.clone(), words: words(tokens_max), pins: here },
                tokens_max,
            )
            .await
            {
                Ok((summary, from, used)) => {
                    summaries.push(summary);
                    origin = Some(from);
                    usage += used;
                }
                Err(AgentError::Model(error)) => return Ok(Err(format!("the model failed to {error}"))),
                Err(other) => return Err(other),
            }
        }
        text = summaries.join("\n\n");
        ctx.progress(format!("summarized in {} parts, round {round}", parts.len()));
        let after = count(text.clone(), counter).await?;
        // What does not shrink will not shrink the next time.
        if after <= request.limit_tokens || after >= total {
            break;
        }
    }
    Ok(match origin {
        Some(origin) => Ok(Summary { text, origin, usage }),
        None => Err("there is nothing to summarize".to_owned()),
    })
}

/// About as many words as a number of tokens holds: three for four in English, and some room.
const fn words(tokens: u64) -> u64 {
    let words = tokens * 2 / 3;
    if words == 0 { 1 } else { words }
}

/// Pinned spans of one line; what has more lines than one is checked, but not asked for.
fn pins(request: &CompressText) -> Vec<String> {
    let pinned = pinned_texts(&request.text, &request.pins);
    let short = pinned.into_iter().filter(|pin| !pin.contains('\n'));
    short.take(PROMPT_PINS_MAX).map(str::to_owned).collect()
}

async fn split(
    text: String,
    tokens_max: u64,
    counter: &Arc<dyn TokenCounter>,
) -> Result<Vec<(String, u64)>, AgentError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        let parts = parts(&text, tokens_max, &*counter);
        parts.into_iter().map(|(range, tokens)| (text[range].to_owned(), tokens)).collect()
    })
    .await
}

async fn count(text: String, counter: &Arc<dyn TokenCounter>) -> Result<u64, AgentError> {
    let counter = Arc::clone(counter);
    blocking(move || counter.count(&text)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AgentError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Failure::internal("count a text's tokens: the computing thread is gone").into())
}

async fn ask(
    ctx: &mut AgentContext,
    request: &CompressText,
    context: CompressContext,
    tokens_max: u64,
) -> Result<(String, Origin, Usage), AgentError> {
    let prompt = ctx.prompts().render(PromptName::Compress, &context).map_err(Failure::from)?;
    let call = ModelCall {
        task_type: Compressor::KIND,
        model: request.model.clone(),
        label: "summarize a text".to_owned(),
        request: CompletionRequest {
            messages: [ChatMessage::system(prompt.system), ChatMessage::user(prompt.user)].into(),
            // The likeliest words: a summary is to be the same as far as the model can do so.
            sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
            completion_tokens_max: Some(u32::try_from(tokens_max).unwrap_or(u32::MAX)),
            ..CompletionRequest::default()
        },
    };
    let completion = ctx.call(call).await?;
    Ok((clean_answer(&completion.text).trim().to_owned(), completion.origin, completion.usage))
}
