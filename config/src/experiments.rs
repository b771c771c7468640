//! Templates of experiments: what is compared, on what, and by which rules.
//!
//! ```yaml
//! version: 1
//! name: two-models
//! task: riddle
//! dataset: classic
//! variants:
//!   - {name: small, model: smollm2-135m, mode: step-by-step}
//!   - {name: large, model: qwen2.5-coder-0.5b, mode: step-by-step}
//! metrics: [accuracy, latency_ms]
//! repeats: 3
//! ```

pub mod draw;
mod find;
mod items;
mod metric;
mod parse;
mod raw;
mod shipped;
mod template;
mod variant;

pub use find::{FindDataset, load_template};
pub use metric::{Direction, Metric};
pub use parse::{TRIALS_MAX, TemplateSources, parse_template};
pub use shipped::{ShippedTemplate, shipped};
pub use template::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, ItemBody, PromptLabel, SequentialRule,
    Variant,
};

#[cfg(test)]
mod tests;
