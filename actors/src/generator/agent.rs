//! The agent itself.

use playhouse_config::prompts::{GenerateContext, PromptName};
use playhouse_protocol::completion::{ChatMessage, Completion, CompletionRequest, Sampling, StopReason};
use playhouse_protocol::generate::{GenerateCode, GeneratedCode, SPEC_BYTES_MAX, join_source};
use playhouse_protocol::{Failure, FailureClass};

use crate::agent::{Agent, AgentError};
use crate::code::extract::extract;
use crate::code::facts::facts;
use crate::context::{AgentContext, ModelCall};

/// The most rules beyond the spec.
const CONSTRAINTS_MAX: usize = 32;

/// Writes code for a spec; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct CodeGenerator;

impl Agent for CodeGenerator {
    const KIND: &'static str = "generate";
    type Request = GenerateCode;
    type Reply = GeneratedCode;

    fn validate(&self, request: &GenerateCode) -> Result<(), Failure> {
        check_spec(&request.spec)?;
        check_context(request.context.as_deref())?;
        if request.constraints.len() > CONSTRAINTS_MAX {
            let len = request.constraints.len();
            return Err(Failure::invalid(format!("read the request: it has {len} constraints"))
                .with_hint(format!("Give at most {CONSTRAINTS_MAX}; several can stand in one sentence.")));
        }
        check_sampling(&request.sampling)
    }

    async fn run(&self, ctx: &mut AgentContext, request: GenerateCode) -> Result<GeneratedCode, AgentError> {
        let begun_ms = ctx.elapsed_ms();
        let prompt = ctx
            .prompts()
            .render(PromptName::Generate, &GenerateContext::from(&request))
            .map_err(Failure::from)?;
        let settings = ctx.agents_config().generate;
        let verb = if request.revision.is_some() { "revise" } else { "write" };
        let call = ModelCall {
            task_type: Self::KIND,
            model: request.model.clone(),
            label: format!("{verb} {} code", request.language.display_name()),
            request: CompletionRequest {
                messages: [ChatMessage::system(prompt.system), ChatMessage::user(prompt.user)].into(),
                sampling: settled(request.sampling, settings.sampling),
                completion_tokens_max: Some(settings.completion_tokens_max),
                ..CompletionRequest::default()
            },
        };
        let completion = ctx.call(call).await?;
        let mut generated = read_answer(&request, completion)?;
        generated.elapsed_ms = ctx.elapsed_ms().saturating_sub(begun_ms);
        Ok(generated)
    }
}

/// What an answer holds.
pub(super) fn read_answer(
    request: &GenerateCode,
    completion: Completion,
) -> Result<GeneratedCode, AgentError> {
    let language = request.language;
    let found = extract(language, &completion.text).map_err(|none| {
        let failure = Failure::new(FailureClass::Retryable, none.to_string());
        AgentError::Failed(failure.with_hint("Try again, with a larger model, or with a clearer spec."))
    })?;
    let facts = facts(language, &join_source(&found.code, &found.tests));
    let mut warnings = found.notes;
    match completion.stop_reason {
        StopReason::Stop => {}
        StopReason::Length => warnings.push(
            "The answer was cut at its longest length: the code may be incomplete (agents.generate.completion_tokens_max)."
                .to_owned(),
        ),
        StopReason::ContentFilter => {
            warnings.push("The provider withheld a part of the answer: the code may be incomplete.".to_owned());
        }
    }
    let tests_in_code = facts.metrics.syntax.as_ref().is_some_and(|syntax| syntax.tests > 0);
    if request.tests && found.tests.is_empty() && !tests_in_code {
        warnings.push("Tests were asked for, and none were found in the answer.".to_owned());
    }
    Ok(GeneratedCode {
        language,
        code: found.code,
        tests: found.tests,
        explanation: found.explanation,
        blocks: found.blocks,
        extraction: found.extraction,
        metadata: found.metadata,
        facts,
        warnings,
        origin: completion.origin,
        usage: completion.usage,
        elapsed_ms: 0,
    })
}

/// Checks a spec.
pub(crate) fn check_spec(spec: &str) -> Result<(), Failure> {
    if spec.trim().is_empty() {
        return Err(Failure::invalid("read the spec: it is empty")
            .with_hint("Say what the code must do, for example: \"A function that reverses a string.\""));
    }
    if spec.len() > SPEC_BYTES_MAX {
        let bytes = spec.len();
        return Err(Failure::invalid(format!(
            "read the spec: it has {bytes} bytes, the limit is {SPEC_BYTES_MAX}"
        ))
        .with_hint("Shorten it, or split the work into several specs."));
    }
    Ok(())
}

/// Checks code or text that an answer has to fit to.
pub(crate) fn check_context(context: Option<&str>) -> Result<(), Failure> {
    let bytes = context.map_or(0, str::len);
    if bytes > SPEC_BYTES_MAX {
        return Err(Failure::invalid(format!(
            "read the context: it has {bytes} bytes, the limit is {SPEC_BYTES_MAX}"
        ))
        .with_hint("Give only the parts that the code has to fit to."));
    }
    Ok(())
}

/// Checks how tokens are to be chosen.
pub(crate) fn check_sampling(sampling: &Sampling) -> Result<(), Failure> {
    let wrong = |field: &str, value: String, range: &str| {
        Err(Failure::invalid(format!("read the request: {field} is {value}"))
            .with_hint(format!("Use {range}.")))
    };
    if let Some(temperature) = sampling.temperature.filter(|value| !(0.0..=2.0).contains(value)) {
        return wrong("temperature", temperature.to_string(), "0.0 (always the likeliest token) to 2.0");
    }
    if let Some(top_p) = sampling.top_p.filter(|value| !(*value > 0.0 && *value <= 1.0)) {
        return wrong("top_p", top_p.to_string(), "more than 0.0, at most 1.0");
    }
    if sampling.top_k == Some(0) {
        return wrong("top_k", "0".to_owned(), "at least 1");
    }
    Ok(())
}

/// The request's sampling, with the agent's settings where the request says nothing.
pub(crate) fn settled(request: Sampling, settings: Sampling) -> Sampling {
    Sampling {
        temperature: request.temperature.or(settings.temperature),
        top_p: request.top_p.or(settings.top_p),
        top_k: request.top_k.or(settings.top_k),
        seed: request.seed.or(settings.seed),
    }
}
