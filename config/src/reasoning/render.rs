//! What a step asks.

use playhouse_protocol::riddle::{ReasoningMode, ReasoningStep};
use serde::Serialize;

use crate::prompts::{InnerTemplate, PromptError};

/// What steps are given.
const VARIABLES: [&str; 3] = ["question", "context", "answers"];

/// What a step is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepContext<'a> {
    /// The question.
    pub question: &'a str,
    /// The text that it is about, where there is one.
    pub context: Option<&'a str>,
    /// What the steps before were answered, in order.
    pub answers: &'a [String],
}

/// What is sent to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedStep {
    /// The system's message; `None` where there is none or nothing is left of it.
    pub system: Option<String>,
    /// The user's message.
    pub user: String,
}

/// Renders a step. The same step and context give the same text, always.
///
/// # Errors
/// When a template is not well formed, uses what it is not given, or needs too many steps or too much room.
pub fn render_step(step: &ReasoningStep, context: &StepContext<'_>) -> Result<RenderedStep, PromptError> {
    let render = |name: &str, source: &str| InnerTemplate::new(name, source, &VARIABLES)?.render(context);
    let system = step.system.as_ref().map(|source| render("system", source)).transpose()?;
    let user = render("ask", &step.ask)?;
    Ok(RenderedStep { system: system.filter(|text| !text.is_empty()), user })
}

/// Tries every step of a mode with made-up data: with and without a text that the question is about.
///
/// # Errors
/// The first step that cannot be rendered, or that asks nothing.
pub fn check_mode(mode: &ReasoningMode) -> Result<(), PromptError> {
    for (index, step) in mode.steps.iter().enumerate() {
        let system = step.system.as_ref().map(|source| ("system", source));
        for (name, source) in system.into_iter().chain([("ask", &step.ask)]) {
            let path = format!("step {}, {name}", index + 1);
            check_template(&path, source, index, name == "ask")?;
        }
    }
    Ok(())
}

/// Tries a template of the step with this place in its mode.
pub(super) fn check_template(
    path: &str,
    source: &str,
    index: usize,
    must_ask: bool,
) -> Result<(), PromptError> {
    let template = InnerTemplate::new(path, source, &VARIABLES)?;
    let answers: Vec<_> = (1..=index).map(|place| format!("Final answer: {place}")).collect();
    for context in [Some("A farmer has 17 sheep."), None] {
        let given = StepContext { question: "How many are left?", context, answers: &answers };
        if template.render(&given)?.is_empty() && must_ask {
            let context = if context.is_some() { "with" } else { "without" };
            return Err(PromptError::Template {
                file: path.to_owned(),
                line: 1,
                message: format!("it asks nothing {context} a `context`"),
                hint: Some("write what the model is asked, as in `{{ question }}`".to_owned()),
            });
        }
    }
    Ok(())
}
