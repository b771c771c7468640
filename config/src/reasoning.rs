//! Ways to have a model think, as files say them.
//!
//! ```yaml
//! version: 1
//! modes:
//!   - name: twice
//!     description: Answers, then looks at the answer again.
//!     samples: 1
//!     steps:
//!       - ask: "{{ question }}"
//!       - system: You look for mistakes.
//!         ask: |
//!           {{ question | delimited("question") }}
//!           Somebody answered:
//!           {{ answers | last | delimited("answer") }}
//!           Is that right? End with the line `Final answer: …`.
//! ```
//!
//! A step's texts are templates (Jinja). They are given `question`, `context` (a text or none) and `answers`, the list of what
//! the steps before were answered. What is in these is data: template syntax in a question stays text.

mod parse;
mod render;

pub use parse::parse_modes;
pub(crate) use parse::{RawMode, check_step, mode};
pub use render::{RenderedStep, StepContext, check_mode, render_step};

use playhouse_protocol::riddle::{ReasoningMode, ReasoningStep};

use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::nearest::nearest;
use crate::prompts::sha256_hex;

/// The modes that come with Playhouse, as they are written, the plainest first.
const SHIPPED: [(&str, &str); 5] = [
    ("direct.yaml", include_str!("../reasoning/direct.yaml")),
    ("step-by-step.yaml", include_str!("../reasoning/step-by-step.yaml")),
    ("plan-then-answer.yaml", include_str!("../reasoning/plan-then-answer.yaml")),
    ("self-consistency.yaml", include_str!("../reasoning/self-consistency.yaml")),
    ("expert-panel.yaml", include_str!("../reasoning/expert-panel.yaml")),
];

/// The modes that come with Playhouse: `direct`, `step-by-step`, `plan-then-answer`, `self-consistency` and `expert-panel`.
///
/// # Errors
/// Never, as its tests hold.
pub fn built_in() -> Result<Vec<ReasoningMode>, ConfigErrors> {
    let mut modes = Vec::new();
    for (name, text) in SHIPPED {
        modes.extend(parse_modes(name, text)?);
    }
    Ok(modes)
}

/// The mode of this name.
///
/// # Errors
/// When there is none, with the names there are.
pub fn find<'a>(modes: &'a [ReasoningMode], name: &str) -> Result<&'a ReasoningMode, ConfigError> {
    modes.iter().find(|mode| mode.name == name).ok_or_else(|| {
        let names: Vec<_> = modes.iter().map(|mode| mode.name.as_str()).collect();
        let known = format!("known: {}", names.join(", "));
        let hint = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`? {known}"),
            None => known,
        };
        let message = format!("find the reasoning mode {name:?}: it is not known");
        ConfigError::new(ConfigErrorKind::UnknownName, message).with_hint(hint)
    })
}

/// The SHA-256 of what a mode asks, in hexadecimal: its steps and samples, whatever it is called.
pub fn prompt_sha256(mode: &ReasoningMode) -> String {
    let head = format!("reasoning 1\nsamples {}\n", mode.samples);
    let texts = mode.steps.iter().flat_map(|ReasoningStep { system, ask }| {
        system.iter().map(|text| ("system", text)).chain([("ask", ask)])
    });
    // Lengths keep a text from passing for the next one.
    let written =
        texts.fold(head, |written, (what, text)| written + &format!("{what} {}\n{text}\n", text.len()));
    sha256_hex(&written)
}

#[cfg(test)]
mod tests;
