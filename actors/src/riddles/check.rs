//! What a request must be.

use playhouse_config::reasoning::check_mode;
use playhouse_protocol::Failure;
use playhouse_protocol::compress::LIMIT_TOKENS_MIN;
use playhouse_protocol::riddle::{
    AnswerKey, AnswerMatch, CONTEXT_BYTES_MAX, ContextCompression, EvaluateRiddle, QUESTION_BYTES_MAX,
    ReasoningMode, SAMPLES_MAX, STEPS_MAX, TEMPLATE_BYTES_MAX,
};

use crate::generator::check_sampling;

/// Checks a request.
pub(super) fn check(request: &EvaluateRiddle) -> Result<(), Failure> {
    if request.question.trim().is_empty() {
        return Err(wrong("the question: it is empty", "Ask something."));
    }
    check_len("the question", request.question.len(), QUESTION_BYTES_MAX)?;
    let context = request.context.as_deref();
    check_len("the context", context.map_or(0, str::len), CONTEXT_BYTES_MAX)?;
    if let Some(compression) = request.compression {
        check_compression(compression, context)?;
    }
    check_key(&request.key)?;
    check_reasoning(&request.mode)?;
    check_sampling(&request.sampling)?;
    let samples = request.mode.samples;
    // Greedy samples are all the same; only what was asked for in so many words is refused.
    if samples > 1 && request.sampling.temperature == Some(0.0) {
        return Err(wrong(
            format!("the sampling: {samples} samples at temperature 0 are {samples} times the same"),
            "Use a temperature above 0, 0.7 for example, or a mode of one sample.",
        ));
    }
    if request.completion_tokens_max == Some(0) {
        return Err(wrong("the request: completion_tokens_max is 0", "Use at least 1."));
    }
    Ok(())
}

fn wrong(what: impl std::fmt::Display, hint: impl Into<String>) -> Failure {
    Failure::invalid(format!("read {what}")).with_hint(hint)
}

fn check_len(what: &str, bytes: usize, bytes_max: usize) -> Result<(), Failure> {
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(wrong(format!("{what}: it has {bytes} bytes, the limit is {bytes_max}"), "Shorten it."))
}

fn check_compression(compression: ContextCompression, context: Option<&str>) -> Result<(), Failure> {
    let Some(context) = context else {
        return Err(wrong(
            "the compression: there is no context to shorten",
            "Give a context, or leave the compression out.",
        ));
    };
    if context.contains('\0') {
        return Err(wrong("the context: it is binary", "Hand in a text."));
    }
    let limit_tokens = compression.limit_tokens;
    if limit_tokens < LIMIT_TOKENS_MIN {
        return Err(wrong(
            format!("the compression: its limit is {limit_tokens} tokens"),
            format!("Use at least {LIMIT_TOKENS_MIN}."),
        ));
    }
    Ok(())
}

fn check_key(key: &AnswerKey) -> Result<(), Failure> {
    if key.answers.is_empty() {
        return Err(wrong("the answers: none is accepted", "Give at least one."));
    }
    let is_number = |answer: &str| answer.trim().parse::<f64>().is_ok_and(f64::is_finite);
    for answer in &key.answers {
        if !answer.chars().any(char::is_alphanumeric) {
            return Err(wrong(
                format!("the answers: {answer:?} has neither letters nor digits"),
                "Give what a right answer says.",
            ));
        }
        if matches!(key.matching, AnswerMatch::Number { .. }) && !is_number(answer) {
            return Err(wrong(
                format!("the answers: {answer:?} is not a number"),
                "Give digits, with a point where needed, or match words.",
            ));
        }
    }
    match key.matching {
        AnswerMatch::Number { tolerance } if !(tolerance.is_finite() && tolerance >= 0.0) => {
            Err(wrong(format!("the answers: the tolerance is {tolerance}"), "Use 0 or more."))
        }
        _ => Ok(()),
    }
}

fn check_reasoning(mode: &ReasoningMode) -> Result<(), Failure> {
    let within = |what: &str, len: usize, len_max: usize| {
        if (1..=len_max).contains(&len) {
            return Ok(());
        }
        Err(wrong(
            format!("the reasoning mode {:?}: it has {len} {what}", mode.name),
            format!("Use 1 to {len_max}."),
        ))
    };
    within("steps", mode.steps.len(), STEPS_MAX)?;
    within("samples", mode.samples as usize, SAMPLES_MAX as usize)?;
    for step in &mode.steps {
        let bytes = step.ask.len().max(step.system.as_ref().map_or(0, String::len));
        check_len("a template of the reasoning mode", bytes, TEMPLATE_BYTES_MAX)?;
    }
    check_mode(mode).map_err(|error| {
        let failure = Failure::from(error);
        let message = format!("read the reasoning mode {:?}: {}", mode.name, failure.message);
        Failure { message, ..failure }
    })
}
