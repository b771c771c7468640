//! The evaluator of riddles on a model that says what it is told to: modes, votes, the judge, what is written down.

mod oracle;

use std::sync::Arc;
use std::time::Duration;

use playhouse_runtime::actors::riddles::RiddleEvaluator;
use playhouse_runtime::config::reasoning::{built_in, find};
use playhouse_runtime::protocol::completion::{Sampling, StopReason};
use playhouse_runtime::protocol::compress::Strategy;
use playhouse_runtime::protocol::riddle::{
    AnswerKey, AnswerMatch, ContextCompression, EvaluateRiddle, EvaluatedRiddle, Judge, Verdict,
};
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{Failure, FailureClass};
use playhouse_runtime::store::{MemoryStore, SqliteStore, TaskStore};

use oracle::{Oracle, USED};

fn riddle(mode: &str) -> EvaluateRiddle {
    EvaluateRiddle {
        id: "sheep".to_owned(),
        question: "All but 9 of 17 sheep run away. How many are left?".to_owned(),
        context: None,
        compression: None,
        key: AnswerKey {
            matching: AnswerMatch::Number { tolerance: 0.0 },
            answers: vec!["9".to_owned()],
            units: vec!["sheep".to_owned()],
        },
        mode: find(&built_in().unwrap(), mode).unwrap().clone(),
        model: None,
        sampling: Sampling::default(),
        completion_tokens_max: Some(50),
        judge: None,
    }
}

async fn evaluate(oracle: &Arc<Oracle>, request: EvaluateRiddle) -> Result<EvaluatedRiddle, Failure> {
    let runtime = oracle.open(Arc::new(MemoryStore::default())).await;
    let answered = runtime.run::<RiddleEvaluator>(request).await;
    runtime.shutdown_gracefully().await;
    answered
}

#[tokio::test]
async fn every_mode_asks_its_steps_in_order_and_scores_the_last_answer() {
    for (mode, steps, samples) in [
        ("direct", 1, 1),
        ("step-by-step", 1, 1),
        ("plan-then-answer", 2, 1),
        ("self-consistency", 1, 5),
        ("expert-panel", 4, 1),
    ] {
        let calls = steps * samples;
        let mut answers = vec!["Final answer: 8"; calls];
        // Of five samples three are right; of several steps only the last one counts.
        for answer in answers.iter_mut().rev().take(if samples > 1 { 3 } else { 1 }) {
            *answer = "They stay.\nFinal answer: 9 sheep";
        }
        let oracle = Oracle::saying(&answers);
        let answered = evaluate(&oracle, riddle(mode)).await.unwrap();
        assert_eq!(answered.score.verdict, Verdict::Right, "{mode}");
        assert_eq!(answered.samples.len(), samples, "{mode}");
        assert!(answered.samples.iter().all(|sample| sample.steps.len() == steps), "{mode}");
        assert_eq!(answered.usage.model_calls, calls as u64, "{mode}");
        assert_eq!(answered.usage.cost_nano_usd, USED.cost_nano_usd * calls as u64, "{mode}");
        assert_eq!(answered.answer().unwrap().text, "They stay.\nFinal answer: 9 sheep", "{mode}");
        assert!(answered.is_scripted() && answered.elapsed_ms.is_some(), "{mode}");
        assert!(answered.signals.is_announced && answered.judgement.is_none(), "{mode}");
        let asked = oracle.asked_texts();
        assert_eq!(asked.len(), calls, "{mode}");
        assert!(asked.iter().all(|text| text.contains("17 sheep run away")), "{mode}");
        let limits: Vec<_> =
            oracle.asked.lock().unwrap().iter().map(|asked| asked.completion_tokens_max).collect();
        assert!(limits.iter().all(|limit| *limit == Some(50)), "{mode}");
    }
}

#[tokio::test]
async fn experts_do_not_see_each_other_and_the_moderator_sees_them_all() {
    let oracle = Oracle::saying(&["It is one.", "It is two.", "It is three.", "Final answer: 9"]);
    evaluate(&oracle, riddle("expert-panel")).await.unwrap();
    let asked = oracle.asked_texts();
    assert!(asked[..3].iter().all(|text| !text.contains("It is")), "{asked:?}");
    for said in ["It is one.", "It is two.", "It is three."] {
        assert!(asked[3].contains(said), "{}", asked[3]);
    }
}

#[tokio::test]
async fn samples_are_voted_on_and_each_has_a_seed_of_its_own() {
    let said =
        ["Final answer: 8", "I think 9 sheep.\nFinal answer: nine", "…", "Final answer: **9**", "It is 8"];
    let oracle = Oracle::saying(&said);
    let sampling = Sampling { seed: Some(40), temperature: Some(0.7), ..Sampling::default() };
    let answered =
        evaluate(&oracle, EvaluateRiddle { sampling, ..riddle("self-consistency") }).await.unwrap();
    let votes: Vec<_> = answered.samples.iter().map(|sample| sample.vote.as_deref()).collect();
    assert_eq!(votes, [Some("8"), Some("9"), None, Some("9"), Some("8")]);
    // Two for each: the one that was given first counts.
    assert_eq!((answered.chosen, answered.score.verdict), (0, Verdict::Wrong));
    let seeds: Vec<_> = oracle.asked.lock().unwrap().iter().map(|asked| asked.sampling.seed).collect();
    assert_eq!(seeds, [Some(40), Some(41), Some(42), Some(43), Some(44)]);
}

#[tokio::test]
async fn a_judge_is_asked_about_the_answer_that_counts_and_changes_no_score() {
    let oracle = Oracle::saying(&["Final answer: a handful", "It says a handful.\nVerdict: right"]);
    let judged = EvaluateRiddle { judge: Some(Judge::default()), ..riddle("direct") };
    let answered = evaluate(&oracle, judged.clone()).await.unwrap();
    let judgement = answered.judgement.unwrap();
    assert_eq!((judgement.is_right, answered.score.verdict), (Some(true), Verdict::Wrong));
    assert_eq!(judgement.answer.usage, USED);
    assert_eq!(answered.usage.model_calls, 1, "the judge is not in it");
    let asked = oracle.asked_texts();
    for part in ["17 sheep", "- 9\n", "Final answer: a handful", "Verdict: wrong"] {
        assert!(asked[1].contains(part), "{}", asked[1]);
    }

    let silent = Oracle::saying(&[" "]);
    let answered = evaluate(&silent, judged).await.unwrap();
    assert_eq!((answered.score.verdict, answered.judgement), (Verdict::Empty, None));
}

#[tokio::test]
async fn a_judge_that_fails_costs_the_answer_nothing() {
    let oracle = Oracle::saying(&["Final answer: 9"]);
    oracle.then_fails();
    let judged = EvaluateRiddle { judge: Some(Judge::default()), ..riddle("direct") };
    let answered = evaluate(&oracle, judged).await.unwrap();
    assert_eq!((answered.score.verdict, answered.judgement), (Verdict::Right, None));
}

#[tokio::test]
async fn an_answer_that_is_withheld_ends_its_sample_and_is_scored_as_refused() {
    let oracle = Oracle::saying(&["The plan."]);
    oracle.then_withholds();
    let answered = evaluate(&oracle, riddle("plan-then-answer")).await.unwrap();
    assert_eq!(answered.score.verdict, Verdict::Refused);

    let oracle = Oracle::saying(&[]);
    oracle.then_withholds();
    let answered = evaluate(&oracle, riddle("expert-panel")).await.unwrap();
    assert_eq!((answered.samples[0].steps.len(), answered.score.verdict), (1, Verdict::Refused));
    assert_eq!(answered.answer().unwrap().stop_reason, StopReason::ContentFilter);
}

#[tokio::test]
async fn the_text_that_a_question_is_about_is_shortened_first() {
    let text = "The flock had 17 sheep.\n\n".to_owned() + &"Nobody said much about anything. ".repeat(200);
    let compression = Some(ContextCompression { strategy: Strategy::Head, limit_tokens: 40 });
    let oracle = Oracle::saying(&["Final answer: 9"]);
    let request = EvaluateRiddle { context: Some(text.clone()), compression, ..riddle("direct") };
    let answered = evaluate(&oracle, request).await.unwrap();
    let compressed = answered.compressed.unwrap();
    assert!(compressed.tokens_before > 1_000 && compressed.tokens_after <= 40, "{compressed:?}");
    assert!(compressed.facts_kept <= compressed.facts_total && compressed.facts_kept > 0, "{compressed:?}");
    let asked = oracle.asked_texts();
    assert!(asked[0].contains("The flock had 17 sheep.") && asked[0].len() < text.len(), "{}", asked[0]);
}

#[tokio::test]
async fn a_call_that_fails_fails_the_task_with_its_class() {
    let oracle = Oracle::saying(&["The plan."]);
    oracle.then_fails();
    let failure = evaluate(&oracle, riddle("plan-then-answer")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput, "{failure}");
}

#[tokio::test]
async fn what_is_written_down_is_not_asked_again_and_tells_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        || -> Arc<dyn TaskStore> { Arc::new(SqliteStore::open(&folder.path().join("journal.db")).unwrap()) };
    let said =
        ["Final answer: 8", "Final answer: 9", "Final answer: 9", "Final answer: 9", "Final answer: 8"];
    let whole = evaluate(&Oracle::saying(&said), riddle("self-consistency")).await.unwrap();

    let oracle = Oracle::saying(&said);
    oracle.answer_at_most(2);
    let runtime = oracle.open(store()).await;
    let task =
        runtime.submit::<RiddleEvaluator>(riddle("self-consistency"), TaskOptions::default()).await.unwrap();
    oracle.is_silent.notified().await;
    let id = task.id();
    runtime.shutdown(Duration::ZERO).await;
    drop((task, runtime));

    oracle.answer_at_most(usize::MAX);
    let runtime = oracle.open(store()).await;
    let answered = runtime.attach::<RiddleEvaluator>(id).await.unwrap().result().await.unwrap();
    assert_eq!(oracle.asked_texts().len(), 6, "five answers, and one question that was broken off");
    assert_eq!(answered.elapsed_ms, None);
    assert!(whole.elapsed_ms.is_some());
    assert_eq!(EvaluatedRiddle { elapsed_ms: whole.elapsed_ms, ..answered }, whole);
    runtime.shutdown_gracefully().await;
}

/// The embedded model, where its file is on this machine.
async fn embedded(name: &str) -> Option<playhouse_runtime::Runtime> {
    let environment = playhouse_config::Environment::process();
    let file = environment.models_dir().map(|folder| folder.join(format!("{name}.gguf")));
    if !file.is_some_and(|file| file.is_file()) {
        assert!(
            environment.get("PLAYHOUSE_REQUIRE_SERVERS").is_none_or(|value| value != "1"),
            "the file of {name} is not there: playhouse models pull {name}"
        );
        return None;
    }
    let settings =
        format!("models:\n  {name}: {{provider: local, known: {name}}}\nselection: {{default: {name}}}\n");
    let config = playhouse_runtime::config::parse_str("test.yaml", &settings).unwrap();
    Some(playhouse_runtime::Runtime::builder().config(config).seed(1).start().await.unwrap())
}

#[tokio::test]
async fn the_embedded_model_answers_a_riddle_the_same_way_each_time() {
    let Some(runtime) = embedded("smollm2-135m").await else {
        println!("skipped: the file of smollm2-135m is not there");
        return;
    };
    let request = EvaluateRiddle { completion_tokens_max: Some(12), ..riddle("direct") };
    let first = runtime.run::<RiddleEvaluator>(request.clone()).await.unwrap();
    let second = runtime.run::<RiddleEvaluator>(request).await.unwrap();
    assert!(!first.is_scripted() && first.usage.completion_tokens > 0);
    assert_eq!(first.answer().unwrap().text, second.answer().unwrap().text);
    assert_eq!(first.score, second.score);
    runtime.shutdown_gracefully().await;
}
