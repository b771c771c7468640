//! Whoever is told of outcomes and takes harmful arms out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use playhouse_config::Config;
use playhouse_config::settings::{AbConfig, HarmfulArm};
use playhouse_protocol::WallClock;
use playhouse_runtime::RuntimeBuilder;
use playhouse_runtime::models::{ArmStanding, Catalog, QualityObserver};

use super::book::{AbVerdict, ArmState, Book, StoppedArm};
use super::error::AbError;
use super::file::{AbFile, Locked, News, Position};
use super::line::Line;
use super::plan::{Digests, Plan};
use super::status::{ArmStatus, TestStatus};

/// The folder of the tests, in the folder of experiments.
const FOLDER: &str = "ab";

/// The A/B tests that the settings name. Told of outcomes by the runtime it is [attached](Self::attach) to; lives as long as that.
///
/// A file that cannot be read or written is told once and given up: the test goes on in the memory of this process.
///
/// ```
/// use std::sync::Arc;
///
/// use playhouse_experiments::ab::AbMonitor;
/// use playhouse_runtime::config::Config;
/// use playhouse_runtime::{Runtime, SystemWallClock};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir();
/// let config = Config::default(); // with `selection.split` and `selection.ab`
/// let monitor = AbMonitor::new(&config, &folder, Arc::new(SystemWallClock::now()));
/// let builder = Runtime::builder().config(config);
/// let runtime = monitor.attach(builder).start().await?;
/// // … runtime.record_quality("model", "task type", 0.8)?;
/// assert!(monitor.status(runtime.catalog())?.is_empty(), "these settings name no test");
/// # runtime.shutdown_gracefully().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AbMonitor {
    tests: BTreeMap<String, Test>,
    clock: Arc<dyn WallClock>,
}

/// The test of a type of task.
#[derive(Debug)]
struct Test {
    config: AbConfig,
    weights: BTreeMap<String, u32>,
    file: AbFile,
    /// Held for the time of a short write.
    live: Mutex<Live>,
}

/// What changes about a test.
#[derive(Debug, Default)]
struct Live {
    book: Book,
    position: Position,
    digests: Digests,
    /// The arms that this monitor has taken out, of those that others may have taken out too.
    out: BTreeSet<String>,
    /// Whether the file is left alone.
    is_given_up: bool,
}

impl AbMonitor {
    /// The tests that these settings name, with their outcomes below the folder of experiments. Opens nothing.
    pub fn new(config: &Config, experiments_dir: &Path, clock: Arc<dyn WallClock>) -> Arc<Self> {
        let folder = experiments_dir.join(FOLDER);
        let test = |(task_type, ab): (&String, &AbConfig)| {
            let test = Test {
                config: ab.clone(),
                weights: config.selection.split.get(task_type).cloned().unwrap_or_default(),
                file: AbFile::new(&folder, task_type),
                live: Mutex::default(),
            };
            (task_type.clone(), test)
        };
        Arc::new(Self { tests: config.selection.ab.iter().map(test).collect(), clock })
    }

    /// The runtime is to tell this monitor of outcomes. Arms that an earlier process took out are out of their splits before
    /// the first task is accepted.
    pub fn attach(self: &Arc<Self>, builder: RuntimeBuilder) -> RuntimeBuilder {
        builder.quality_observer(Arc::clone(self) as _)
    }

    /// How each test stands, by type of task: with what other processes have seen.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn status(&self, catalog: &Catalog) -> Result<Vec<TestStatus>, AbError> {
        let status = |(task_type, test): (&String, &Test)| {
            let plan = test.plan(&mut test.live(), catalog, task_type);
            let book = test.read_anew(&plan)?;
            let arm = |(arm, weight): (&String, &u32)| ArmStatus::of(arm, &book, &plan, *weight);
            Ok(TestStatus {
                task_type: task_type.clone(),
                baseline: test.config.baseline.clone(),
                false_winners: test.config.false_winners,
                e_value_needed: plan.evidence_needed(),
                outcomes_min: test.config.outcomes_min,
                stops_harmful: test.config.harmful == HarmfulArm::Stop,
                arms: test.weights.iter().map(arm).collect(),
            })
        };
        self.tests.iter().map(status).collect()
    }

    /// Puts an arm back into its split, in this process and, as soon as they are told of an outcome, in all others. Its test
    /// begins anew, with a chance of its own for a false verdict.
    ///
    /// # Errors
    /// When there is no such test or arm, it is not stopped, or the file cannot be read or written.
    pub fn resume(&self, catalog: &Catalog, task_type: &str, arm: &str, reason: &str) -> Result<(), AbError> {
        let Some(test) = self.tests.get(task_type) else {
            let known = self.tests.keys().cloned().collect();
            return Err(AbError::UnknownTest { task_type: task_type.to_owned(), known });
        };
        let (task_type, arm) = (task_type.to_owned(), arm.to_owned());
        if !test.weights.contains_key(&arm) {
            return Err(AbError::UnknownArm {
                task_type,
                arm,
                known: test.weights.keys().cloned().collect(),
            });
        }
        let mut live = test.live();
        let plan = test.plan(&mut live, catalog, &task_type);
        let locked = test.file.lock()?;
        live.catch_up(&locked, &plan)?;
        let stopped = live.book.arms.get(&arm).filter(|state| state.stopped.is_some());
        let Some(of) = stopped.map(|state| state.of.clone()) else {
            return Err(AbError::NotStopped { task_type, arm });
        };
        let unix_ms = self.clock.unix_ms();
        let line = Line::Resumed { arm, of, unix_ms, reason: reason.to_owned() };
        live.add(&locked, &line, &plan, unix_ms)?;
        drop(locked);
        live.show(catalog, &task_type, &plan);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn arm_state(&self, task_type: &str, arm: &str) -> ArmState {
        self.tests[task_type].live().book.arms[arm].clone()
    }

    /// Takes up an outcome and what it leads to.
    fn outcome(&self, catalog: &Catalog, task_type: &str, test: &Test, model: &str, score: f64) {
        let mut live = test.live();
        let plan = test.plan(&mut live, catalog, task_type);
        // Another model may answer for the type of task too: one that a request names.
        let Some((arm, planned)) = plan.arm_of(model) else { return };
        let line = Line::Outcome { arm: arm.to_owned(), of: planned.of.clone(), score };
        let before = live.verdicts();
        if !live.is_given_up
            && let Err(error) = self.write(&mut live, test, &line, &plan)
        {
            live.give_up(&error);
        }
        if live.is_given_up {
            live.book.apply(&line, &plan);
            for line in test.stops(&live.book, self.clock.unix_ms()) {
                live.book.apply(&line, &plan);
            }
        }
        tell_verdicts(task_type, &before, &live.verdicts());
        live.show(catalog, task_type, &plan);
    }

    fn write(&self, live: &mut Live, test: &Test, line: &Line, plan: &Plan) -> Result<(), AbError> {
        let unix_ms = self.clock.unix_ms();
        let locked = test.file.lock()?;
        live.catch_up(&locked, plan)?;
        live.add(&locked, line, plan, unix_ms)?;
        for line in test.stops(&live.book, unix_ms) {
            live.add(&locked, &line, plan, unix_ms)?;
        }
        if live.position.is_long() {
            live.book.settle(plan);
            let state = |(arm, state): (&String, &_)| Line::State {
                arm: arm.clone(),
                state: Box::new(Clone::clone(state)),
            };
            let states: Vec<_> = live.book.arms.iter().map(state).collect();
            locked.rewrite(&mut live.position, &states, unix_ms)?;
        }
        Ok(())
    }
}

impl QualityObserver for AbMonitor {
    /// Takes out what earlier processes took out.
    fn attached(&self, catalog: &Catalog) {
        for (task_type, test) in &self.tests {
            let mut live = test.live();
            let plan = test.plan(&mut live, catalog, task_type);
            match test.file.read(&mut live.position) {
                Ok(news) => live.take_up(&news, &plan),
                Err(error) => live.give_up(&error),
            }
            live.show(catalog, task_type, &plan);
        }
    }

    fn judged(&self, catalog: &Catalog, model: &str, task_type: &str, score: f64) {
        if let Some(test) = self.tests.get(task_type) {
            self.outcome(catalog, task_type, test, model, score);
        }
    }
}

impl Test {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self, live: &mut Live, catalog: &Catalog, task_type: &str) -> Plan {
        Plan::new(&self.config, task_type, catalog, &mut live.digests)
    }

    fn read_anew(&self, plan: &Plan) -> Result<Book, AbError> {
        let mut live = Live::default();
        let news = self.file.read(&mut live.position)?;
        live.take_up(&news, plan);
        Ok(live.book)
    }

    /// A line for each arm that does worse and is in its split still.
    fn stops(&self, book: &Book, unix_ms: u64) -> Vec<Line> {
        if self.config.harmful == HarmfulArm::Tell {
            return Vec::new();
        }
        let harmful = book
            .arms
            .iter()
            .filter(|(_, state)| state.verdict == AbVerdict::Harmful && state.stopped.is_none());
        let line = |(arm, state): (&String, &ArmState)| {
            let reason = format!(
                "its answers have a mean score of {:.2} (of {}), those of {} of {:.2} (of {}), and the e-value is {:.0}",
                state.outcomes.mean().unwrap_or_default(),
                state.outcomes.count,
                self.config.baseline,
                state.baseline.mean().unwrap_or_default(),
                state.baseline.count,
                state.e_value(),
            );
            Line::Stopped { arm: arm.clone(), of: state.of.clone(), stopped: StoppedArm { unix_ms, reason } }
        };
        harmful.map(line).collect()
    }
}

impl Live {
    fn catch_up(&mut self, locked: &Locked<'_>, plan: &Plan) -> Result<(), AbError> {
        let news = locked.catch_up(&mut self.position)?;
        self.take_up(&news, plan);
        Ok(())
    }

    fn take_up(&mut self, news: &News, plan: &Plan) {
        if news.is_anew {
            self.book = Book::default();
        }
        news.lines.iter().for_each(|line| self.book.apply(line, plan));
        self.book.settle(plan);
    }

    /// Adds a line and takes it up. What takes an arm out or back waits for the disk.
    fn add(&mut self, locked: &Locked<'_>, line: &Line, plan: &Plan, unix_ms: u64) -> Result<(), AbError> {
        let is_durable = !matches!(line, Line::Outcome { .. });
        locked.append(&mut self.position, line, unix_ms, is_durable)?;
        self.book.apply(line, plan);
        Ok(())
    }

    fn give_up(&mut self, error: &AbError) {
        tracing::warn!(%error, "the outcomes of an A/B test are kept in memory only");
        self.is_given_up = true;
    }

    fn verdicts(&self) -> BTreeMap<String, AbVerdict> {
        self.book.arms.iter().map(|(arm, state)| (arm.clone(), state.verdict)).collect()
    }

    /// Makes the splits of the process as the book says, and tells how the arms stand.
    fn show(&mut self, catalog: &Catalog, task_type: &str, plan: &Plan) {
        for arm in plan.arms.keys() {
            let state = self.book.arms.get(arm);
            match state.and_then(|state| state.stopped.as_ref()) {
                Some(stopped) => {
                    self.out.insert(arm.clone());
                    catalog.stop_arm(task_type, arm, &stopped.reason);
                }
                None if self.out.remove(arm) => catalog.resume_arm(task_type, arm),
                None => {}
            }
            let Some(state) = state else { continue };
            let e_value = (*arm != plan.config.baseline).then(|| state.e_value());
            let standing =
                ArmStanding { outcomes: state.outcomes.count, mean: state.outcomes.mean(), e_value };
            catalog.tell_arm(task_type, arm, standing);
        }
    }
}

/// Tells of verdicts that are new. That an arm is taken out is told by the catalog.
fn tell_verdicts(task_type: &str, before: &BTreeMap<String, AbVerdict>, after: &BTreeMap<String, AbVerdict>) {
    for (arm, verdict) in after {
        if before.get(arm).copied().unwrap_or_default() == *verdict {
            continue;
        }
        match verdict {
            AbVerdict::GoOn => {}
            AbVerdict::Better => tracing::info!(task_type, arm, "an arm does better than the baseline"),
            AbVerdict::Harmful => tracing::warn!(task_type, arm, "an arm does worse than the baseline"),
        }
    }
}
