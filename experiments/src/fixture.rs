//! Small runs for tests.

use std::collections::BTreeMap;

use playhouse_config::experiments::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, ItemBody, Metric, Variant,
};
use playhouse_protocol::completion::{Origin, ProviderKind, Sampling, StopReason};
use playhouse_protocol::riddle::{
    AnswerKey, AnswerMatch, Difficulty, EvaluatedRiddle, Judgement, ReasoningMode, Sample, Score, Signals,
    StepAnswer, Verdict,
};
use playhouse_protocol::{Failure, FailureClass, Usage};

use crate::run::{CodeVersion, Evidence, Machine, Manifest, Record};

/// A scorer for tests: texts that are accepted are right; `cut`, `refused` and nothing are what they say.
pub(crate) fn scorer(key: &AnswerKey, answer: &str, stop_reason: StopReason) -> Score {
    let verdict = match (answer, stop_reason) {
        (_, StopReason::ContentFilter) => Verdict::Refused,
        (_, StopReason::Length) => Verdict::Truncated,
        ("", _) => Verdict::Empty,
        _ if key.answers.iter().any(|accepted| accepted == answer) => Verdict::Right,
        _ => Verdict::Wrong,
    };
    Score { verdict, extracted: None, matched: None }
}

pub(crate) fn key() -> AnswerKey {
    AnswerKey { matching: AnswerMatch::Word, answers: vec!["right".to_owned()], units: Vec::new() }
}

pub(crate) fn variant(name: &str) -> Variant {
    Variant {
        name: name.to_owned(),
        model: Some("small".to_owned()),
        mode: ReasoningMode { name: "direct".to_owned(), steps: Vec::new(), samples: 1 },
        prompt: None,
        compression: None,
        sampling: Sampling::default(),
        completion_tokens_max: None,
        rounds: 1,
    }
}

pub(crate) fn item(id: &str, group: &str, difficulty: Difficulty) -> Item {
    Item {
        id: id.to_owned(),
        group: group.to_owned(),
        difficulty: Some(difficulty),
        body: ItemBody::Question { question: format!("What is {id}?"), context: None, key: key() },
    }
}

/// Items `item-1` and so on in one group.
pub(crate) fn items(count: usize) -> Vec<Item> {
    (1..=count).map(|number| item(&format!("item-{number}"), "all", Difficulty::Easy)).collect()
}

pub(crate) fn design(variants: &[&str], items: Vec<Item>, repeats: u32) -> ExperimentTemplate {
    ExperimentTemplate {
        name: "modes".to_owned(),
        description: "Which way of thinking is best.".to_owned(),
        task: ExperimentTask::Riddle,
        dataset: "classic".to_owned(),
        items,
        variants: variants.iter().map(|name| variant(name)).collect(),
        baseline: 0,
        metrics: vec![Metric::Accuracy],
        repeats,
        width: 1,
        seed: 7,
        confidence: 0.95,
        judge: None,
        budget: ExperimentBudget::default(),
        stopping: None,
    }
}

pub(crate) fn manifest(design: ExperimentTemplate) -> Manifest {
    Manifest {
        version: 1,
        run: "modes-1".to_owned(),
        created_unix_ms: 1,
        design,
        template_yaml: None,
        prompts_sha256: BTreeMap::new(),
        models: BTreeMap::new(),
        code: CodeVersion { playhouse: "0.1.0".to_owned() },
        machine: Machine { os: "linux".to_owned(), arch: "x86_64".to_owned(), threads: 2 },
    }
}

pub(crate) fn step(text: &str, tokens: u64) -> StepAnswer {
    let stop_reason = match text {
        "cut" => StopReason::Length,
        "refused" => StopReason::ContentFilter,
        _ => StopReason::Stop,
    };
    StepAnswer {
        text: text.to_owned(),
        stop_reason,
        usage: usage(tokens),
        origin: Origin { model: "small".to_owned(), provider: ProviderKind::Local, request_id: None },
        cached: false,
    }
}

fn usage(tokens: u64) -> Usage {
    Usage {
        model_calls: 1,
        prompt_tokens: tokens.min(10),
        completion_tokens: tokens.saturating_sub(10),
        cost_nano_usd: tokens * 1_000,
        ..Usage::default()
    }
}

/// A riddle that was answered with this text and used so many tokens.
pub(crate) fn riddle(id: &str, text: &str, tokens: u64) -> EvaluatedRiddle {
    let answer = step(text, tokens);
    let score = scorer(&key(), text, answer.stop_reason);
    EvaluatedRiddle {
        id: id.to_owned(),
        score,
        samples: vec![Sample { steps: vec![answer], vote: None }],
        chosen: 0,
        judgement: None,
        signals: Signals { words: 4, hedges: 1, reversals: 0, is_announced: true },
        compressed: None,
        usage: usage(tokens),
        elapsed_ms: Some(100),
    }
}

/// The record of such a riddle; `failed` is no answer within the time.
pub(crate) fn record(variant: &str, item: &str, repeat: u32, (text, tokens): (&str, u64)) -> Record {
    let evidence = if text == "failed" {
        Evidence::Failed {
            failure: Failure::new(FailureClass::Deadline, "answer in time"),
            usage: Usage::default(),
        }
    } else {
        Evidence::Riddle(Box::new(riddle(item, text, tokens)))
    };
    Record {
        variant: variant.to_owned(),
        item: item.to_owned(),
        repeat,
        task: None,
        ended_unix_ms: 2,
        evidence,
    }
}

/// The riddle of a record.
pub(crate) fn riddle_of(record: &mut Record) -> &mut EvaluatedRiddle {
    match &mut record.evidence {
        Evidence::Riddle(riddle) => riddle,
        other => panic!("no riddle: {other:?}"),
    }
}

/// Three variants, six items, two repeats: what each answered. `-` was not asked any more.
const ANSWERS: [(&str, [[&str; 2]; 6]); 3] = [
    (
        "direct",
        [
            ["right", "right"],
            ["right", "wrong"],
            ["wrong", "wrong"],
            ["right", "right"],
            ["wrong", "failed"],
            ["wrong", "cut"],
        ],
    ),
    (
        "steps",
        [
            ["right", "right"],
            ["right", "right"],
            ["right", "wrong"],
            ["right", "right"],
            ["right", "right"],
            ["right", "right"],
        ],
    ),
    (
        "vote",
        [
            ["wrong", "right"],
            ["right", "right"],
            ["wrong", "wrong"],
            ["right", "-"],
            ["refused", "wrong"],
            ["right", "wrong"],
        ],
    ),
];

/// The run of those answers, whose numbers are worked out by hand where it is tested. Item number `k` takes `10 + k` tokens,
/// with `steps` `30 + 2 k`.
pub(crate) fn small_run() -> (Manifest, Vec<Record>) {
    let items = [
        item("ages", "logic", Difficulty::Easy),
        item("bridge", "logic", Difficulty::Easy),
        item("coins", "logic", Difficulty::Medium),
        item("doors", "counting", Difficulty::Medium),
        item("eggs", "counting", Difficulty::Hard),
        item("ferry", "counting", Difficulty::Hard),
    ];
    let mut design = design(&["direct", "steps", "vote"], items.to_vec(), 2);
    design.metrics = vec![Metric::Accuracy, Metric::TotalTokens];
    let mut records = Vec::new();
    for (variant, answers) in ANSWERS {
        for (number, (answers, item)) in (1..).zip(answers.iter().zip(&items)) {
            let tokens = if variant == "steps" { 30 + 2 * number } else { 10 + number };
            let asked = (0..).zip(answers).filter(|(_, answer)| **answer != "-");
            records.extend(asked.map(|(repeat, answer)| record(variant, &item.id, repeat, (answer, tokens))));
        }
    }
    judge(&mut records);
    // The second variant's first answer came out of a cache.
    let cached = records.iter_mut().find(|record| record.variant == "steps").unwrap();
    riddle_of(cached).samples[0].steps[0].cached = true;
    (manifest(design), records)
}

/// The baseline's answers are judged: as the scorer does but for the first, the fifth (both otherwise) and the sixth (neither).
fn judge(records: &mut [Record]) {
    let answered = records.iter_mut().filter(|one| matches!(one.evidence, Evidence::Riddle(_)));
    let of_baseline = answered.filter(|record| record.variant == "direct");
    for (place, record) in of_baseline.enumerate() {
        let riddle = riddle_of(record);
        let is_right = riddle.score.verdict == Verdict::Right;
        let is_right = match place {
            0 | 4 => Some(!is_right),
            5 => None,
            _ => Some(is_right),
        };
        riddle.judgement = Some(Judgement { is_right, answer: step("I think so.", 12) });
    }
}
