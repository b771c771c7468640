//! A model's opinion of an answer.

use playhouse_config::prompts::{JudgeContext, PromptName};
use playhouse_protocol::Failure;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, Sampling};
use playhouse_protocol::riddle::{EvaluateRiddle, Judge, Judgement};

use super::agent::step_answer;
use crate::agent::AgentError;
use crate::context::{AgentContext, ModelCall};

/// What selects the judge where none is named.
const TASK_TYPE: &str = "judge";

/// The longest judgement, in tokens: it is a sentence and a line, after whatever a model thinks before.
const COMPLETION_TOKENS_MAX: u32 = 1_024;

/// Words that hold an answer for right, and for wrong.
const RIGHT: [&str; 4] = ["right", "correct", "true", "yes"];
const WRONG: [&str; 4] = ["wrong", "incorrect", "false", "no"];

/// Asks a model what it makes of an answer.
pub(super) async fn judge(
    ctx: &mut AgentContext,
    request: &EvaluateRiddle,
    judge: &Judge,
    answer: &str,
) -> Result<Judgement, AgentError> {
    let context = JudgeContext {
        question: request.question.clone(),
        accepted: request.key.answers.clone(),
        answer: answer.to_owned(),
    };
    let prompt = ctx.prompts().render(PromptName::Judge, &context).map_err(Failure::from)?;
    let call = ModelCall {
        task_type: TASK_TYPE,
        model: judge.model.clone(),
        label: "judge the answer".to_owned(),
        request: CompletionRequest {
            messages: [ChatMessage::system(prompt.system), ChatMessage::user(prompt.user)].into(),
            // The likeliest words: a judgement is to be the same as far as the model can do so.
            sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
            completion_tokens_max: Some(COMPLETION_TOKENS_MAX),
            ..CompletionRequest::default()
        },
    };
    let answer = step_answer(ctx.call(call).await?);
    Ok(Judgement { is_right: verdict(&answer.text), answer })
}

/// What a judgement says: the word behind its last "verdict", else its last line where that is a verdict alone. `None` when it
/// says neither or both.
pub(super) fn verdict(judgement: &str) -> Option<bool> {
    let lower = judgement.to_lowercase();
    let behind = lower.rsplit_once("verdict").map(|(_, behind)| behind);
    let said = behind.or_else(|| lower.lines().rev().find(|line| line.chars().any(char::is_alphabetic)))?;
    let mut words = said.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let is_negated = |word: &str| matches!(word, "not" | "isn" | "t");
    let filler = |word: &str| matches!(word, "is" | "the" | "answer" | "final" | "it" | "s");
    let (mut sign, mut found) = (true, None);
    for word in words.by_ref() {
        if is_negated(word) {
            sign = false;
        } else if RIGHT.contains(&word) || WRONG.contains(&word) {
            found = Some(RIGHT.contains(&word) == sign);
            break;
        } else if !filler(word) {
            return None;
        }
    }
    // "Right or wrong" repeats the question; and without an announcement a verdict has to stand alone.
    let next = words.next();
    found.filter(|_| next != Some("or") && (behind.is_some() || next.is_none()))
}
