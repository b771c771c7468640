//! The agent itself.

use playhouse_config::reasoning::{StepContext, render_step};
use playhouse_protocol::completion::{ChatMessage, Completion, CompletionRequest, Sampling, StopReason};
use playhouse_protocol::compress::{CompressText, Compressed};
use playhouse_protocol::riddle::{
    CompressedContext, ContextCompression, EvaluateRiddle, EvaluatedRiddle, Judge, Judgement, Sample,
    StepAnswer, Verdict,
};
use playhouse_protocol::{Failure, FailureClass, Usage};

use super::scoring::{elect, score, signals, vote};
use super::{check, judge};
use crate::agent::{Agent, AgentError};
use crate::compressor::Compressor;
use crate::context::{AgentContext, ModelCall};

/// Asks riddles and scores the answers; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct RiddleEvaluator;

impl Agent for RiddleEvaluator {
    const KIND: &'static str = "riddle";
    type Request = EvaluateRiddle;
    type Reply = EvaluatedRiddle;

    fn validate(&self, request: &EvaluateRiddle) -> Result<(), Failure> {
        check::check(request)
    }

    async fn run(
        &self,
        ctx: &mut AgentContext,
        request: EvaluateRiddle,
    ) -> Result<EvaluatedRiddle, AgentError> {
        let (begun_ms, replayed) = (ctx.elapsed_ms(), ctx.replayed_len());
        let shortened = shorten(ctx, &request).await?;
        let context = shortened.as_ref().map(|shortened| shortened.text.as_str());
        let context = context.or(request.context.as_deref());
        let mut samples = Vec::with_capacity(request.mode.samples as usize);
        for place in 0..request.mode.samples {
            samples.push(take_sample(ctx, &request, context, place).await?);
        }
        let is_timed = ctx.replayed_len() == replayed;
        let elapsed_ms = is_timed.then(|| ctx.elapsed_ms().saturating_sub(begun_ms));

        let chosen = elect(samples.iter().map(|sample| sample.vote.as_deref()));
        let answer = samples.get(chosen).and_then(|sample| sample.steps.last());
        let (text, stop_reason) =
            answer.map_or(("", StopReason::Stop), |answer| (answer.text.as_str(), answer.stop_reason));
        let score = score(&request.key, text, stop_reason);
        // An answer of a model that was asked for by name, as in an experiment, says nothing about what the selection does.
        if let Some(answer) = answer.filter(|_| request.model.is_none()) {
            let quality = if score.verdict == Verdict::Right { 1.0 } else { 0.0 };
            ctx.record_quality(&answer.origin.model, Self::KIND, quality);
        }
        // There is nothing to be judged in an answer without words.
        let judgement = match &request.judge {
            Some(settings) if !text.trim().is_empty() => opinion(ctx, &request, settings, text).await?,
            _ => None,
        };
        Ok(EvaluatedRiddle {
            score,
            signals: signals(text),
            chosen: u32::try_from(chosen).unwrap_or(u32::MAX),
            judgement,
            usage: used(&samples, shortened.as_ref()),
            compressed: shortened.map(|shortened| CompressedContext {
                tokens_before: shortened.tokens_before,
                tokens_after: shortened.tokens_after,
                facts_total: shortened.verification.facts_total,
                facts_kept: shortened.verification.facts_kept,
            }),
            elapsed_ms,
            samples,
            id: request.id,
        })
    }
}

/// What the judge makes of the answer. One that cannot be had costs the answer nothing: there is no opinion then.
async fn opinion(
    ctx: &mut AgentContext,
    request: &EvaluateRiddle,
    settings: &Judge,
    text: &str,
) -> Result<Option<Judgement>, AgentError> {
    match judge::judge(ctx, request, settings, text).await {
        Ok(judgement) => Ok(Some(judgement)),
        Err(error) => match error.class() {
            FailureClass::Cancelled | FailureClass::Internal => Err(error),
            _ => {
                let task = ctx.task_id();
                tracing::warn!(%task, %error, "an answer is not judged");
                Ok(None)
            }
        },
    }
}

/// The text that the question is about, shortened where that is asked for. Its tokens are counted as the model counts that
/// is asked the question.
async fn shorten(ctx: &mut AgentContext, request: &EvaluateRiddle) -> Result<Option<Compressed>, AgentError> {
    let (Some(ContextCompression { strategy, limit_tokens }), Some(text)) =
        (request.compression, request.context.clone())
    else {
        return Ok(None);
    };
    let model = match request.model.clone() {
        Some(model) => model,
        None => {
            // Written down: another attempt may come at a time when another model is chosen.
            let chooser = ctx.chooser(RiddleEvaluator::KIND);
            let choose = async { Ok(chooser.select(None).await?.handle.info().name.clone()) };
            ctx.step("choose whose tokens are counted", choose).await?
        }
    };
    let request =
        CompressText { text, limit_tokens, strategy, model: Some(model), ..CompressText::default() };
    ctx.ask::<Compressor>(request).await.map(Some)
}

/// Takes all steps once.
async fn take_sample(
    ctx: &mut AgentContext,
    request: &EvaluateRiddle,
    context: Option<&str>,
    place: u32,
) -> Result<Sample, AgentError> {
    let (steps, samples) = (request.mode.steps.len(), request.mode.samples);
    let seed = request.sampling.seed.map(|seed| seed.wrapping_add(u64::from(place)));
    let mut texts = Vec::with_capacity(steps);
    let mut answers = Vec::with_capacity(steps);
    for (index, step) in request.mode.steps.iter().enumerate() {
        let given = StepContext { question: &request.question, context, answers: &texts };
        let rendered = render_step(step, &given).map_err(Failure::from)?;
        let system = rendered.system.map(ChatMessage::system);
        let messages = system.into_iter().chain([ChatMessage::user(rendered.user)]).collect();
        let call = ModelCall {
            task_type: RiddleEvaluator::KIND,
            model: request.model.clone(),
            label: format!("sample {} of {samples}, step {} of {steps}", place + 1, index + 1),
            request: CompletionRequest {
                messages,
                sampling: Sampling { seed, ..request.sampling },
                completion_tokens_max: request.completion_tokens_max,
                ..CompletionRequest::default()
            },
        };
        let answer = step_answer(ctx.call(call).await?);
        let is_withheld = answer.stop_reason == StopReason::ContentFilter;
        texts.push(answer.text.clone());
        answers.push(answer);
        if is_withheld {
            break;
        }
    }
    let vote = answers.last().and_then(|last| vote(&request.key, &last.text, last.stop_reason));
    Ok(Sample { steps: answers, vote })
}

/// What reports need of an answer.
pub(super) fn step_answer(completion: Completion) -> StepAnswer {
    StepAnswer {
        text: completion.text,
        stop_reason: completion.stop_reason,
        usage: completion.usage,
        origin: completion.origin,
        cached: completion.route.cached,
    }
}

/// What the samples and the shortening used.
fn used(samples: &[Sample], shortened: Option<&Compressed>) -> Usage {
    let mut used = shortened.map(|shortened| shortened.usage).unwrap_or_default();
    for answer in samples.iter().flat_map(|sample| &sample.steps) {
        used += answer.usage;
    }
    used
}
