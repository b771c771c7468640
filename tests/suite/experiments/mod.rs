//! Whole experiments on a runtime, with models whose knowledge is known: numbers, interruptions, budgets, early stops, verification.

mod student;

use std::fs;
use std::sync::Arc;

use playhouse_config::experiments::{ExperimentTemplate, SequentialRule};
use playhouse_config::riddles::RiddleSet;
use playhouse_experiments::analysis::{Finding, Report};
use playhouse_experiments::run::{
    Ending, Evidence, Manifest, ManifestParts, OpenRun, Progress, RunStore, Runner, StoredRun,
};
use playhouse_experiments::statistics::planning::{Plan, pairs_needed};
use playhouse_experiments::use_cases::{CompareReasoningModes, TestModelWithRiddles};
use playhouse_experiments::verify::{VerifyError, verify, write_report};
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Difficulty};
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass, RandomSource as _, SeededSource};
use playhouse_runtime::store::{MemoryStore, SqliteStore, TaskFilter, TaskStore};
use playhouse_runtime::{Runtime, SystemWallClock};
use tempfile::TempDir;

use student::{Seat, Student, USED};

/// Riddles of which each asks for its own number.
fn riddles(count: usize) -> RiddleSet {
    let riddle = |number: usize| playhouse_config::riddles::Riddle {
        id: format!("r{number}"),
        form: if number.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
        difficulty: Difficulty::Easy,
        tags: Vec::new(),
        question: question(number),
        context: None,
        key: AnswerKey {
            matching: AnswerMatch::Number { tolerance: 0.0 },
            answers: vec![number.to_string()],
            units: Vec::new(),
        },
        rationale: String::new(),
    };
    RiddleSet {
        name: "numbers".to_owned(),
        language: "en".to_owned(),
        riddles: (0..count).map(riddle).collect(),
    }
}

fn question(number: usize) -> String {
    format!("Which number is written on ball <{number}>?")
}

/// What a student knows who is right on these riddles.
fn knowing(numbers: impl IntoIterator<Item = usize>) -> impl Iterator<Item = (String, String)> {
    numbers.into_iter().map(|number| (question(number), number.to_string()))
}

async fn runtime(students: &[&Arc<Student>], store: Arc<dyn TaskStore>) -> Runtime {
    let mut builder = Runtime::builder().store(store);
    for student in students {
        let name = playhouse_runtime::models::ModelClient::info(&Seat(Arc::clone(student))).name.clone();
        builder = builder.model(name, Arc::new(Seat(Arc::clone(student))));
    }
    builder.start().await.unwrap()
}

fn compare(models: &[&str], riddles: RiddleSet) -> ExperimentTemplate {
    TestModelWithRiddles::new(models, riddles).unwrap().design()
}

/// An experiment in a folder of its own.
struct Lab {
    _folder: TempDir,
    store: RunStore,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::new(folder.path().join("runs"));
        Self { _folder: folder, store }
    }

    fn begin(&self, runtime: &Runtime, design: ExperimentTemplate) -> OpenRun {
        let clock = SystemWallClock::now();
        let name = design.name.clone();
        let parts = ManifestParts {
            design,
            template_yaml: None,
            catalog: runtime.catalog(),
            model_for: &|task_type, model| runtime.model_for(task_type, model),
            clock: &clock,
        };
        self.store.create(&name, Manifest::of(parts).unwrap()).unwrap()
    }

    async fn run(&self, runtime: &Runtime, design: ExperimentTemplate) -> (Ending, Report, StoredRun) {
        let mut run = self.begin(runtime, design);
        let ending = runner(runtime).run(&mut run, &mut |_| ()).await.unwrap();
        let report = write_report(run.run()).unwrap();
        (ending, report, run.run().clone())
    }
}

fn runner(runtime: &Runtime) -> Runner {
    let options = TaskOptions::default();
    Runner { runtime: runtime.clone(), clock: Arc::new(SystemWallClock::now()), options }
}

fn memory() -> Arc<dyn TaskStore> {
    Arc::new(MemoryStore::default())
}

#[tokio::test]
async fn the_numbers_of_a_report_are_those_that_one_counts_by_hand() {
    let (weak, strong) = (Student::new("weak", knowing(0..12)), Student::new("strong", knowing(4..28)));
    let runtime = runtime(&[&weak, &strong], memory()).await;
    let lab = Lab::new();
    let mut seen = Vec::new();
    let mut run = lab.begin(&runtime, compare(&["weak", "strong"], riddles(30)));
    let ending = runner(&runtime).run(&mut run, &mut |now| seen.push(*now)).await.unwrap();
    let report = write_report(run.run()).unwrap();

    assert_eq!((ending, report.counts.asked, report.counts.answered), (Ending::Complete, 60, 60));
    assert_eq!((weak.asked(), strong.asked()), (30, 30));
    let rights: Vec<_> = report.cells.iter().map(|cell| cell.outcomes.right).collect();
    assert_eq!(rights, [12, 24]);
    let usage = report.cells[0].usage;
    assert_eq!((usage.total_tokens(), usage.cost_nano_usd), (25 * 30, 30 * USED.cost_nano_usd));
    // Only strong knows 12 to 27, only weak 0 to 3: 2 * P(at most 4 of 20) = 2 * 6196 / 2^20.
    let first = &report.comparisons[0];
    assert_eq!((first.wins, first.losses, first.ties), (16, 4, 10));
    assert!((first.p - 2.0 * 6_196.0 / 1_048_576.0).abs() < 1e-9, "{}", first.p);
    assert_eq!((first.p_corrected.to_bits(), first.finding), (first.p.to_bits(), Finding::Better));
    let even = report.cells[1].groups.iter().find(|part| part.name == "even").unwrap().right.unwrap();
    assert_eq!((even.rights, even.asked), (12, 15));

    let last = seen.last().unwrap();
    assert_eq!((last.ended, last.planned, last.failed, last.usage.model_calls), (60, 60, 0, 60));
    assert!(seen.windows(2).all(|pair| pair[0].ended <= pair[1].ended));
    let verified = verify(run.run()).unwrap();
    assert!(verified.records == 60 && verified.numbers > 100);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_model_that_is_better_by_a_known_margin_is_found_at_the_planned_power() {
    const RUNS: u64 = 30;
    let plan = Plan { discordant: 0.6, difference: 0.4, false_winners: 0.05, power: 0.8 };
    let items = usize::try_from(pairs_needed(&plan).unwrap()).unwrap();
    let random = SeededSource::from_seed(3);
    let mut found = 0;
    for _ in 0..RUNS {
        // Of ten riddles strong alone knows five, weak alone one, both two.
        let draws: Vec<_> = (0..items).map(|number| (number, random.next_u64() % 10)).collect();
        let known = |places: std::ops::Range<u64>| -> Vec<_> {
            draws.iter().filter(|(_, draw)| places.contains(draw)).map(|(number, _)| *number).collect()
        };
        let weak = Student::new("weak", knowing(known(5..8)));
        let strong = Student::new("strong", knowing([known(0..5), known(6..8)].concat()));
        let runtime = runtime(&[&weak, &strong], memory()).await;
        let mut design = compare(&["weak", "strong"], riddles(items));
        design.width = 16;
        let (_, report, _) = Lab::new().run(&runtime, design).await;
        assert_ne!(report.comparisons[0].finding, Finding::Worse);
        found += u64::from(report.comparisons[0].finding == Finding::Better);
        runtime.shutdown_gracefully().await;
    }
    // 24 are expected; fewer than 18 come once in 300 seeds.
    assert!(found >= 18, "{found} of {RUNS} with {items} items");
}

#[tokio::test]
async fn a_run_that_was_interrupted_goes_on_and_asks_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let lab = Lab::new();
    let (weak, strong) = (Student::new("weak", knowing(0..20)), Student::new("strong", knowing(0..40)));
    let mut design = compare(&["weak", "strong"], riddles(40));
    design.width = 2;
    strong.answer_at_most(17);
    let first = runtime(&[&weak, &strong], Arc::new(SqliteStore::open(&journal).unwrap())).await;
    let mut run = lab.begin(&first, design);
    let asking = runner(&first);
    let mut observe = |_: &Progress| ();
    tokio::select! {
        _ = asking.run(&mut run, &mut observe) => panic!("it cannot end"),
        () = strong.is_silent.notified() => {}
    }
    drop((asking, run));
    first.shutdown(std::time::Duration::ZERO).await;
    let (asked_weak, asked_strong) = (weak.asked(), strong.asked());
    assert!(asked_weak + asked_strong < 80);

    strong.answer_at_most(usize::MAX);
    let second = runtime(&[&weak, &strong], Arc::new(SqliteStore::open(&journal).unwrap())).await;
    let mut run = lab.store.take_up("riddles-1").unwrap();
    let ending = runner(&second).run(&mut run, &mut |_| ()).await.unwrap();
    let report = write_report(run.run()).unwrap();
    assert_eq!((ending, report.counts.asked), (Ending::Complete, 80));
    assert_eq!(report.cells.iter().map(|cell| cell.outcomes.right).collect::<Vec<_>>(), [20, 40]);
    // What was cut off was asked again, once for each place; nothing that was answered.
    assert!(weak.asked() <= 40 + 2 && strong.asked() <= 40 + 2, "{} {}", weak.asked(), strong.asked());
    assert_eq!(verify(run.run()).unwrap().records, 80);
    drop(run);
    assert!(lab.store.take_up("riddles-1").is_err());
    second.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_run_whose_plan_was_taken_back_can_go_on() {
    let student = Student::new("weak", knowing(0..10));
    let runtime = runtime(&[&student], memory()).await;
    let lab = Lab::new();
    let mut run = lab.begin(&runtime, compare(&["weak"], riddles(12)));
    student.answer_at_most(5);
    let asking = runner(&runtime);
    let mut observe = |_: &Progress| ();
    let take_back = async {
        student.is_silent.notified().await;
        let plans = TaskFilter { kind: Some("plan".to_owned()), ..TaskFilter::default() };
        let plan = runtime.tasks(plans).await.unwrap().remove(0);
        runtime.cancel(plan.id).await.unwrap();
    };
    let (ended, ()) = tokio::join!(asking.run(&mut run, &mut observe), take_back);
    assert_eq!(Failure::from(ended.unwrap_err()).class, FailureClass::Cancelled);
    student.answer_at_most(usize::MAX);
    let ending = asking.run(&mut run, &mut observe).await.unwrap();
    let report = write_report(run.run()).unwrap();
    assert_eq!((ending, report.cells[0].outcomes.right), (Ending::Complete, 10));
    drop(asking);
    runtime.shutdown_gracefully().await;
}

/// A part that somebody takes back is an answer that failed, and keeps nobody from the rest.
#[tokio::test]
async fn a_question_that_was_taken_back_counts_as_failed() {
    let student = Student::new("weak", knowing(0..10));
    let runtime = runtime(&[&student], memory()).await;
    let lab = Lab::new();
    let mut design = compare(&["weak"], riddles(12));
    design.width = 1;
    let mut run = lab.begin(&runtime, design);
    student.answer_at_most(5);
    let asking = runner(&runtime);
    let mut observe = |_: &Progress| ();
    let take_back = async {
        student.is_silent.notified().await;
        student.answer_at_most(usize::MAX);
        let open = runtime.open_tasks().into_iter().find(|task| task.kind == "riddle").unwrap();
        runtime.cancel(open.id).await.unwrap();
    };
    let (ended, ()) = tokio::join!(asking.run(&mut run, &mut observe), take_back);
    assert_eq!(ended.unwrap(), Ending::Complete);
    let outcomes = &write_report(run.run()).unwrap().cells[0].outcomes;
    assert_eq!((outcomes.right, outcomes.failed[&FailureClass::Cancelled]), (9, 1));
    drop(asking);
    runtime.shutdown_gracefully().await;
}

/// A crash may leave a part of a batch. What the rule says of it must not change what the batch asks.
#[tokio::test]
async fn a_batch_that_was_half_written_under_a_rule_can_be_taken_up() {
    let weak = Student::new("weak", knowing(0..5));
    let strong = Student::new("strong", knowing(0..200));
    let other = Student::new("other", knowing((0..200).filter(|number| number % 2 == 0)));
    let runtime = runtime(&[&weak, &strong, &other], memory()).await;
    let lab = Lab::new();
    let mut design = compare(&["weak", "strong", "other"], riddles(200));
    design.stopping = Some(SequentialRule { wins: 2.0 / 3.0, false_winners: 0.05, missed_winners: 0.2 });
    let (ending, whole, run) = lab.run(&runtime, design).await;
    let asked = weak.asked() + strong.asked() + other.asked();
    let path = run.folder.join("records.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    for lines in [1, run.records.len() / 2, run.records.len() - 2] {
        fs::remove_file(run.folder.join("ending.json")).unwrap();
        let cut: String = text.split_inclusive('\n').take(lines).collect();
        fs::write(&path, cut).unwrap();
        let mut again = lab.store.take_up("riddles-1").unwrap();
        assert_eq!(runner(&runtime).run(&mut again, &mut |_| ()).await.unwrap(), ending);
        assert_eq!(write_report(again.run()).unwrap(), whole);
    }
    assert_eq!(weak.asked() + strong.asked() + other.asked(), asked, "nothing is asked twice");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn variants_that_need_more_calls_are_not_starved_by_a_budget() {
    let student = Student::new("weak", knowing(0..40));
    let runtime = runtime(&[&student], memory()).await;
    let test = CompareReasoningModes::new("weak", riddles(40)).unwrap();
    let mut design = test.design();
    (design.width, design.budget.model_calls_max) = (8, Some(100));
    let (ending, report, _) = Lab::new().run(&runtime, design).await;
    assert_eq!(ending, Ending::BudgetSpent);
    assert!((70..=100).contains(&student.asked()), "{}", student.asked());
    let answered: Vec<_> =
        report.cells.iter().map(|cell| (cell.asked, cell.outcomes.failed_total())).collect();
    assert!(answered.iter().all(|one| *one == answered[0] && one.0 > 0 && one.1 == 0), "{answered:?}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn answers_that_fail_are_counted_with_their_class_and_never_dropped() {
    let student = Student::failing("weak", knowing(0..10), [question(3), question(7)]);
    let runtime = runtime(&[&student], memory()).await;
    let (ending, report, run) = Lab::new().run(&runtime, compare(&["weak"], riddles(10))).await;
    assert_eq!((ending, report.counts.asked, report.counts.answered), (Ending::Complete, 10, 8));
    let outcomes = &report.cells[0].outcomes;
    assert_eq!((outcomes.right, outcomes.failed_total()), (8, 2));
    let failed = run.records.iter().filter_map(|record| match &record.evidence {
        Evidence::Failed { failure, .. } => Some((record.item.as_str(), failure.class)),
        Evidence::Riddle(_) | Evidence::Developed(_) => None,
    });
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed, [("r3", FailureClass::InvalidInput), ("r7", FailureClass::InvalidInput)]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_budget_ends_a_run_before_it_is_exceeded() {
    let student = Student::new("weak", knowing(0..100));
    let runtime = runtime(&[&student], memory()).await;
    let mut design = compare(&["weak"], riddles(100));
    (design.width, design.budget.model_calls_max) = (2, Some(70));
    let (ending, report, run) = Lab::new().run(&runtime, design).await;
    assert_eq!(ending, Ending::BudgetSpent);
    let used: u64 = run.records.iter().map(|record| record.evidence.usage().model_calls).sum();
    assert_eq!(used, student.asked() as u64);
    assert_eq!(used, 70);
    assert_eq!(report.counts.asked, used);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_budget_for_tokens_refuses_what_might_exceed_it() {
    let student = Student::new("weak", knowing(0..100));
    let runtime = runtime(&[&student], memory()).await;
    let mut design = compare(&["weak"], riddles(100));
    (design.width, design.budget.tokens_max) = (1, Some(1_000));
    let (ending, _, run) = Lab::new().run(&runtime, design).await;
    assert_eq!(ending, Ending::BudgetSpent);
    let used: u64 = run.records.iter().map(|record| record.evidence.usage().total_tokens()).sum();
    assert!(used > 500 && used <= 1_000, "{used}");
    // The one that was refused is there too.
    let failed = run.records.iter().filter(|record| matches!(record.evidence, Evidence::Failed { .. }));
    assert_eq!(failed.count(), 1);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_rule_stops_a_run_and_leaves_out_variants_that_it_has_judged() {
    let weak = Student::new("weak", knowing(0..200));
    let strong = Student::new("strong", knowing(0..400));
    let other = Student::new("other", knowing((0..400).filter(|number| number % 2 == 0)));
    let runtime = runtime(&[&weak, &strong, &other], memory()).await;
    let mut set = riddles(400);
    // Riddles that weak knows and such that it does not know take turns.
    set.riddles.sort_by_key(|riddle| {
        let number: usize = riddle.id[1..].parse().unwrap();
        (number % 200, number)
    });
    let mut design = compare(&["weak", "strong", "other"], set);
    design.stopping = Some(SequentialRule { wins: 2.0 / 3.0, false_winners: 0.05, missed_winners: 0.2 });
    let lab = Lab::new();
    let (ending, report, run) = lab.run(&runtime, design).await;
    assert_eq!(ending, Ending::Decided);
    let stopping = report.stopping.as_ref().unwrap();
    assert!(stopping.is_decided);
    assert_eq!(report.comparisons[0].finding, Finding::Better);
    assert!(run.records.len() < 600, "{}", run.records.len());
    assert!(strong.asked() < other.asked(), "{} {}", strong.asked(), other.asked());
    verify(&run).unwrap();
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn whatever_is_changed_after_a_run_is_noticed() {
    let student = Student::new("weak", knowing(0..6));
    let runtime = runtime(&[&student], memory()).await;
    let lab = Lab::new();
    let (.., run) = lab.run(&runtime, compare(&["weak"], riddles(8))).await;
    runtime.shutdown_gracefully().await;
    let change = |file: &str, from: &str, to: &str| {
        let path = run.folder.join(file);
        let old = fs::read_to_string(&path).unwrap();
        assert!(old.contains(from), "{file} has no {from:?}");
        fs::write(&path, old.replacen(from, to, 1)).unwrap();
        let told = verify(&lab.store.read("riddles-1").unwrap());
        fs::write(&path, old).unwrap();
        told.unwrap_err()
    };
    let told = change("report.json", "\"right\": 6", "\"right\": 7");
    let VerifyError::Differs { pointer, written, derived, .. } = &told else { panic!("{told}") };
    assert_eq!((pointer.as_str(), written.as_str(), derived.as_str()), ("/cells/0/outcomes/right", "7", "6"));
    // A wrong answer made right, and a verdict made right without one.
    let told = change("records.jsonl", "Final answer: 987", "Final answer: 6");
    assert!(matches!(told, VerifyError::Answer { .. }), "{told}");
    let told = change("records.jsonl", "\"verdict\":\"wrong\"", "\"verdict\":\"right\"");
    assert!(Failure::from(told).message.contains("item r6"));
    let told = change("records.jsonl", "Let me see.", "I know.");
    assert!(matches!(told, VerifyError::Answer { .. }), "{told}");
    // What no number is made of.
    for (file, from, to) in [
        ("records.jsonl", "\"model\":\"weak\"", "\"model\":\"strong\""),
        ("manifest.json", "on ball <3>", "on ball <33>"),
        ("report.md", "riddles-1", "riddles-7"),
        ("report.html", "riddles-1", "riddles-7"),
    ] {
        let told = change(file, from, to);
        assert!(matches!(&told, VerifyError::Changed { file: named, .. } if *named == file), "{told}");
    }
    let told = change("manifest.json", "Final answer: ", "Last answer: ");
    assert!(matches!(told, VerifyError::Prompt { .. }), "{told}");
    assert_eq!(verify(&lab.store.read("riddles-1").unwrap()).unwrap().records, 8);
}

#[tokio::test]
async fn the_use_cases_ask_what_they_say_and_keep_the_run() {
    let student = Student::new("weak", knowing(0..5));
    let runtime = runtime(&[&student], memory()).await;
    let lab = Lab::new();
    let report =
        CompareReasoningModes::new("weak", riddles(6)).unwrap().run(&runtime, &lab.store).await.unwrap();
    let variants: Vec<_> = report.cells.iter().map(|cell| cell.variant.as_str()).collect();
    let mut sorted = variants.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "weak/direct",
            "weak/expert-panel",
            "weak/plan-then-answer",
            "weak/self-consistency",
            "weak/step-by-step"
        ]
    );
    assert_eq!((report.baseline.as_str(), report.counts.asked), ("weak/direct", 30));
    let test = TestModelWithRiddles::new(&["weak", "nobody"], riddles(6)).unwrap();
    let failure = test.run(&runtime, &lab.store).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput, "{failure}");
    assert_eq!(lab.store.names().unwrap(), ["reasoning-modes-1"]);
    runtime.shutdown_gracefully().await;
}
