use playhouse_config::reasoning::{built_in, find};
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::compress::Strategy;
use playhouse_protocol::riddle::{
    AnswerKey, AnswerMatch, CONTEXT_BYTES_MAX, ContextCompression, EvaluateRiddle, QUESTION_BYTES_MAX,
    ReasoningMode, ReasoningStep,
};

use super::RiddleEvaluator;
use super::judge::verdict;
use crate::agent::Agent as _;

fn mode(name: &str) -> ReasoningMode {
    find(&built_in().unwrap(), name).unwrap().clone()
}

fn request() -> EvaluateRiddle {
    EvaluateRiddle {
        id: "sheep".to_owned(),
        question: "How many are left?".to_owned(),
        context: None,
        compression: None,
        key: AnswerKey {
            matching: AnswerMatch::Number { tolerance: 0.0 },
            answers: vec!["9".to_owned()],
            units: Vec::new(),
        },
        mode: mode("direct"),
        model: None,
        sampling: Sampling::default(),
        completion_tokens_max: None,
        judge: None,
    }
}

fn key(matching: AnswerMatch, answers: &[&str]) -> AnswerKey {
    let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
    AnswerKey { matching, answers, units: Vec::new() }
}

#[test]
fn wrong_requests_are_refused_by_the_field_that_is_wrong() {
    let ok = request();
    let number = |tolerance| AnswerMatch::Number { tolerance };
    let compression = |limit_tokens| Some(ContextCompression { strategy: Strategy::Head, limit_tokens });
    let of_steps = |len| ReasoningMode { steps: vec![ok.mode.steps[0].clone(); len], ..ok.mode.clone() };
    let asking =
        |ask: String| ReasoningMode { steps: vec![ReasoningStep { system: None, ask }], ..ok.mode.clone() };
    let greedy = Sampling { temperature: Some(0.0), ..Sampling::default() };
    let context = |text: &str| Some(text.to_owned());
    for (request, word) in [
        (EvaluateRiddle { question: " ".to_owned(), ..ok.clone() }, "the question: it is empty"),
        (EvaluateRiddle { question: "x".repeat(QUESTION_BYTES_MAX + 1), ..ok.clone() }, "the limit is 65536"),
        (EvaluateRiddle { context: Some("x".repeat(CONTEXT_BYTES_MAX + 1)), ..ok.clone() }, "the context"),
        (EvaluateRiddle { compression: compression(8), ..ok.clone() }, "no context to shorten"),
        (
            EvaluateRiddle { compression: compression(7), context: context("t"), ..ok.clone() },
            "its limit is 7",
        ),
        (EvaluateRiddle { compression: compression(8), context: context("\0"), ..ok.clone() }, "binary"),
        (EvaluateRiddle { key: key(number(0.0), &[]), ..ok.clone() }, "none is accepted"),
        (EvaluateRiddle { key: key(number(0.0), &["nine"]), ..ok.clone() }, "\"nine\" is not a number"),
        (EvaluateRiddle { key: key(number(-1.0), &["9"]), ..ok.clone() }, "the tolerance is -1"),
        (EvaluateRiddle { key: key(AnswerMatch::Any, &["?"]), ..ok.clone() }, "neither letters nor digits"),
        (EvaluateRiddle { mode: of_steps(0), ..ok.clone() }, "it has 0 steps"),
        (EvaluateRiddle { mode: of_steps(17), ..ok.clone() }, "it has 17 steps"),
        (
            EvaluateRiddle { mode: ReasoningMode { samples: 65, ..mode("direct") }, ..ok.clone() },
            "65 samples",
        ),
        (
            EvaluateRiddle { mode: asking("x".repeat(70_000)), ..ok.clone() },
            "a template of the reasoning mode",
        ),
        (
            EvaluateRiddle { mode: asking("{{ riddle }}".to_owned()), ..ok.clone() },
            "unknown variable `riddle`",
        ),
        (
            EvaluateRiddle { mode: mode("self-consistency"), sampling: greedy, ..ok.clone() },
            "5 samples at temperature 0",
        ),
        (EvaluateRiddle { sampling: Sampling { top_k: Some(0), ..greedy }, ..ok.clone() }, "top_k is 0"),
        (EvaluateRiddle { completion_tokens_max: Some(0), ..ok.clone() }, "completion_tokens_max is 0"),
    ] {
        let failure = RiddleEvaluator.validate(&request).unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
        assert!(failure.hint.is_some(), "{failure} has no hint");
    }
    assert!(RiddleEvaluator.validate(&ok).is_ok());
    assert!(RiddleEvaluator.validate(&EvaluateRiddle { sampling: greedy, ..ok }).is_ok());
}

#[test]
fn a_judgement_is_read_however_it_is_worded() {
    for right in [
        "It says 9.\nVerdict: right",
        "**Verdict:** Right.",
        "Verdict: the answer is correct, since 9 is 9",
        "verdict - CORRECT",
        "The final answer is 9.\n\nRight",
        "Verdict: not wrong",
        "Verdict: wrong? No.\nVerdict: right",
    ] {
        assert_eq!(verdict(right), Some(true), "{right}");
    }
    for wrong in [
        "Verdict: wrong",
        "Verdict: **incorrect**",
        "Verdict: not right",
        "Verdict: it isn't correct",
        "wrong.",
    ] {
        assert_eq!(verdict(wrong), Some(false), "{wrong}");
    }
    for neither in
        ["", "Verdict:", "Verdict: right or wrong", "I cannot say.", "Verdict: unclear", "It is right there."]
    {
        assert_eq!(verdict(neither), None, "{neither}");
    }
}
