//! The agent itself.

use playhouse_config::prompts::{PromptName, ReviewContext, review_schema};
use playhouse_protocol::Failure;
use playhouse_protocol::code::CodeFacts;
use playhouse_protocol::completion::{
    ChatMessage, Completion, CompletionRequest, ResponseFormat, StopReason,
};
use playhouse_protocol::generate::join_source;
use playhouse_protocol::review::{CODE_BYTES_MAX, Review, ReviewCode};

use crate::agent::{Agent, AgentError};
use crate::code::facts::facts;
use crate::code::judge::{Case, judge};
use crate::code::verdict::read_opinion;
use crate::context::{AgentContext, ModelCall};
use crate::generator::{check_context, check_sampling, settled};

/// Judges code; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct CodeReviewer;

impl Agent for CodeReviewer {
    const KIND: &'static str = "review";
    type Request = ReviewCode;
    type Reply = Review;

    fn validate(&self, request: &ReviewCode) -> Result<(), Failure> {
        if request.code.trim().is_empty() {
            return Err(
                Failure::invalid("read the code: it is empty").with_hint("Give a file with code in it.")
            );
        }
        let bytes = request.code.len().saturating_add(request.tests.len());
        if bytes > CODE_BYTES_MAX {
            return Err(Failure::invalid(format!(
                "read the code: it has {bytes} bytes, the limit is {CODE_BYTES_MAX}"
            ))
            .with_hint("Review it in parts."));
        }
        check_context(request.spec.as_deref())?;
        check_sampling(&request.sampling)
    }

    async fn run(&self, ctx: &mut AgentContext, request: ReviewCode) -> Result<Review, AgentError> {
        let begun_ms = ctx.elapsed_ms();
        let source = join_source(&request.code, &request.tests);
        let facts = facts(request.language, &source);
        let structured = ctx.model_info(Self::KIND, request.model.as_deref()).await?.structured_output;
        let prompt = ctx
            .prompts()
            .render(PromptName::Review, &ReviewContext::new(&request, &facts, structured))
            .map_err(Failure::from)?;
        let settings = ctx.agents_config().review;
        let format = if structured {
            ResponseFormat::JsonSchema { name: "review".to_owned(), schema: review_schema().to_owned() }
        } else {
            ResponseFormat::Text
        };
        let call = ModelCall {
            task_type: Self::KIND,
            model: request.model.clone(),
            label: format!("review {} code", request.language.display_name()),
            request: CompletionRequest {
                messages: [ChatMessage::system(prompt.system), ChatMessage::user(prompt.user)].into(),
                sampling: settled(request.sampling, settings.sampling),
                completion_tokens_max: Some(settings.completion_tokens_max),
                format,
                ..CompletionRequest::default()
            },
        };
        let completion = ctx.call(call).await?;
        let mut review = read_answer(&request, &source, facts, completion);
        review.elapsed_ms = ctx.elapsed_ms().saturating_sub(begun_ms);
        Ok(review)
    }
}

/// What an answer and the facts say together. Lines are those of `source`, code and tests as one file.
pub(super) fn read_answer(
    request: &ReviewCode,
    source: &str,
    facts: CodeFacts,
    completion: Completion,
) -> Review {
    let line_count = u32::try_from(source.lines().count()).unwrap_or(u32::MAX);
    let opinion = read_opinion(&completion.text, line_count);
    let case =
        Case { language: request.language, source, facts: &facts, tests_expected: request.tests_expected };
    let judgement = judge(opinion, &case);
    let mut recommendations = judgement.recommendations;
    if completion.stop_reason == StopReason::Length {
        recommendations.push(
            "The review was cut at its longest length; raise agents.review.completion_tokens_max for a whole one."
                .to_owned(),
        );
    }
    Review {
        verdict: judgement.verdict,
        overruled: judgement.overruled,
        score: judgement.score,
        scores: judgement.scores,
        findings: judgement.findings,
        recommendations,
        summary: judgement.summary,
        facts,
        parse: judgement.parse,
        origin: completion.origin,
        usage: completion.usage,
        elapsed_ms: 0,
    }
}
