//! A design for tests.

use playhouse_config::experiments::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, ItemBody, Metric, Variant,
};
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Difficulty, ReasoningMode, ReasoningStep};

/// Variants `v0`, `v1` … on items `i0`, `i1` …, whose right answers are 0, 1 ….
pub(crate) fn design(variants: usize, items: usize) -> ExperimentTemplate {
    let step = ReasoningStep { system: None, ask: "{{ question }}".to_owned() };
    let variant = |number: usize| Variant {
        name: format!("v{number}"),
        model: Some(format!("m{number}")),
        mode: ReasoningMode { name: "direct".to_owned(), steps: vec![step.clone()], samples: 1 },
        prompt: None,
        compression: None,
        sampling: Sampling::default(),
        completion_tokens_max: None,
        rounds: 1,
    };
    let item = |number: usize| Item {
        id: format!("i{number}"),
        group: "counting".to_owned(),
        difficulty: Some(Difficulty::Easy),
        body: ItemBody::Question {
            question: format!("What is {number}?"),
            context: None,
            key: AnswerKey {
                matching: AnswerMatch::Number { tolerance: 0.0 },
                answers: vec![number.to_string()],
                units: Vec::new(),
            },
        },
    };
    ExperimentTemplate {
        name: "sample".to_owned(),
        description: String::new(),
        task: ExperimentTask::Riddle,
        dataset: "numbers".to_owned(),
        items: (0..items).map(item).collect(),
        variants: (0..variants).map(variant).collect(),
        baseline: 0,
        metrics: vec![Metric::Accuracy, Metric::LatencyMs],
        repeats: 1,
        width: 4,
        seed: 1,
        confidence: 0.95,
        judge: None,
        budget: ExperimentBudget::default(),
        stopping: None,
    }
}
