//! What a model is wanted for.

use playhouse_protocol::TaskId;

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

    /// The same wish, for the entry of this name where there is one.
    #[must_use]
    pub const fn named(self, model: Option<&'a str>) -> Self {
        Self { model, ..self }
    }
}
