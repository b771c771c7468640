//! Templates of experiments: what is compared, on what, and by which rules.

mod metric;
mod template;

pub use metric::{Direction, Metric};
pub use template::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, ItemBody, PromptLabel, SequentialRule,
    Variant,
};
