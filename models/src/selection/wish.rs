//! What a model is wanted for.

use playhouse_protocol::TaskId;
use playhouse_protocol::completion::CompletionRequest;

/// Bytes of a prompt for each token: rather too many than too few, so that a model is passed over only for a prompt that surely
/// does not fit. Exact counts need a model's own encoding, and there is no model yet.
const BYTES_PER_TOKEN: usize = 5;

/// What a model is wanted for. The same wish of the same task always leads to the same model, as long as the models fare
/// the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelWish<'a> {
    /// The type of task: usually an agent's kind. One that the settings do not know takes the default.
    pub task_type: &'a str,
    /// The entry that was asked for by name; stands above everything else.
    pub model: Option<&'a str>,
    /// The task, which decides its place in a split.
    pub task_id: Option<TaskId>,
    /// Tokens of prompt and answer, where they are known or estimated. A model that holds fewer is passed over when another
    /// one holds them.
    pub context_tokens: Option<u32>,
}

impl<'a> ModelWish<'a> {
    /// A wish for tasks of a type.
    pub const fn of(task_type: &'a str) -> Self {
        Self { task_type, model: None, task_id: None, context_tokens: None }
    }

    /// The same wish, for this question: its tokens are estimated, rather too few than too many.
    #[must_use]
    pub fn asking(self, request: &CompletionRequest) -> Self {
        let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
        let prompt = u32::try_from(bytes / BYTES_PER_TOKEN).unwrap_or(u32::MAX);
        let answer = request.completion_tokens_max.unwrap_or(0);
        Self { context_tokens: Some(prompt.saturating_add(answer)), ..self }
    }

    /// The same wish, for the entry of this name where there is one.
    #[must_use]
    pub const fn named(self, model: Option<&'a str>) -> Self {
        Self { model, ..self }
    }
}
