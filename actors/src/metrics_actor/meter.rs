//! What everybody counts with.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dashmap::DashMap;
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString, Unit,
};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use playhouse_models::BudgetLedger;
use playhouse_protocol::FailureClass;
use playhouse_protocol::task::TaskStatus;
use tokio::time::Instant;

use super::calls::CallMeters;
use super::names::{self, Metric};
use crate::model_actor::ModelCallEnded;

/// Handles into one runtime's recorder. Counting takes no lock and never waits.
pub struct Meter {
    pub(super) recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    agents: DashMap<&'static str, Arc<AgentMeters>>,
    models: DashMap<String, Arc<ModelMeters>>,
    pub(super) calls: DashMap<String, Arc<CallMeters>>,
    tasks: TaskMeters,
    journal: JournalMeters,
    pub(super) ledger: OnceLock<Arc<BudgetLedger>>,
}

/// Counts by outcome: answered, or the class of the failure.
pub(super) struct Outcomes {
    ok: Counter,
    failed: [Counter; FailureClass::ALL.len()],
}

impl Outcomes {
    pub(super) fn new(
        recorder: &PrometheusRecorder,
        metric: &Metric,
        labels: &[(&'static str, &str)],
    ) -> Self {
        let of = |outcome: &'static str| {
            let mut labels = labels.to_vec();
            labels.push(("outcome", outcome));
            counter(recorder, metric, &labels)
        };
        Self { ok: of("ok"), failed: FailureClass::ALL.map(|class| of(class.as_str())) }
    }

    pub(super) fn count(&self, failure: Option<FailureClass>) {
        let counter = match failure {
            None => Some(&self.ok),
            Some(class) => {
                FailureClass::ALL.iter().position(|known| *known == class).and_then(|at| self.failed.get(at))
            }
        };
        if let Some(counter) = counter {
            counter.increment(1);
        }
    }
}

/// The counters of one agent kind.
pub struct AgentMeters {
    started: Counter,
    running: Gauge,
    seconds: Histogram,
    ended: Outcomes,
}

impl AgentMeters {
    /// Counts a request that starts now. Dropped without [`Running::end`], it counts as cancelled.
    pub fn begin(self: &Arc<Self>) -> Running {
        self.started.increment(1);
        self.running.increment(1.0);
        Running { meters: Arc::clone(self), started: Instant::now(), failure: Some(FailureClass::Cancelled) }
    }
}

/// A request that is counted as running until this is dropped.
pub struct Running {
    meters: Arc<AgentMeters>,
    started: Instant,
    failure: Option<FailureClass>,
}

impl Running {
    /// Counts the request as ended: `None` for an answer, otherwise the class of its failure.
    pub fn end(mut self, failure: Option<FailureClass>) {
        self.failure = failure;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.meters.running.decrement(1.0);
        self.meters.seconds.record(self.started.elapsed().as_secs_f64());
        self.meters.ended.count(self.failure);
    }
}

struct ModelMeters {
    calls: Outcomes,
    seconds: Histogram,
    prompt_tokens: Counter,
    cached_prompt_tokens: Counter,
    completion_tokens: Counter,
    cost_nano_usd: Counter,
}

struct TaskMeters {
    accepted: Counter,
    resumed: Counter,
    reopened: Counter,
    kept: Counter,
    open: Gauge,
    ended: [Counter; TaskStatus::ALL.len()],
    failures: Classes,
    attempts_failed: Classes,
    refused: Classes,
}

impl TaskMeters {
    fn new(recorder: &PrometheusRecorder) -> Self {
        let count = |metric| counter(recorder, metric, &[]);
        let ended = |status: TaskStatus| {
            if status.is_open() {
                return Counter::noop();
            }
            counter(recorder, &names::TASKS_ENDED, &[("status", status.as_str())])
        };
        Self {
            accepted: count(&names::TASKS_ACCEPTED),
            resumed: count(&names::TASKS_RESUMED),
            reopened: count(&names::TASKS_REOPENED),
            kept: count(&names::TASKS_KEPT),
            open: gauge(recorder, &names::TASKS_OPEN, &[]),
            ended: TaskStatus::ALL.map(ended),
            failures: Classes::new(recorder, &names::TASK_FAILURES),
            attempts_failed: Classes::new(recorder, &names::TASK_ATTEMPTS_FAILED),
            refused: Classes::new(recorder, &names::TASKS_REFUSED),
        }
    }
}

struct JournalMeters {
    commits: Outcomes,
    entries: Counter,
    seconds: Histogram,
}

/// Counts by the class of a failure.
struct Classes([Counter; FailureClass::ALL.len()]);

impl Classes {
    fn new(recorder: &PrometheusRecorder, metric: &Metric) -> Self {
        Self(FailureClass::ALL.map(|class| counter(recorder, metric, &[("class", class.as_str())])))
    }

    fn count(&self, class: FailureClass) {
        let at = FailureClass::ALL.iter().position(|known| *known == class);
        if let Some(counter) = at.and_then(|at| self.0.get(at)) {
            counter.increment(1);
        }
    }
}

impl Meter {
    /// A meter with a recorder of its own: two runtimes in one process count apart.
    ///
    /// # Errors
    /// When the exporter refuses its settings, which are fixed.
    pub fn new() -> Result<Arc<Self>, BuildError> {
        let shares = |builder: PrometheusBuilder, metric: &Metric| {
            builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), &names::SHARE_BUCKETS)
        };
        let builder = PrometheusBuilder::new().set_buckets(&names::SECONDS_BUCKETS)?;
        let recorder = names::SHARES.iter().try_fold(builder, shares)?.build_recorder();
        describe(&recorder);
        let tasks = TaskMeters::new(&recorder);
        let journal = JournalMeters {
            commits: Outcomes::new(&recorder, &names::JOURNAL_COMMITS, &[]),
            entries: counter(&recorder, &names::JOURNAL_ENTRIES, &[]),
            seconds: histogram(&recorder, &names::JOURNAL_COMMIT_SECONDS, &[]),
        };
        let handle = recorder.handle();
        Ok(Arc::new(Self {
            recorder,
            handle,
            agents: DashMap::new(),
            models: DashMap::new(),
            calls: DashMap::new(),
            tasks,
            journal,
            ledger: OnceLock::new(),
        }))
    }

    /// The counters of one agent kind.
    pub fn agent(&self, kind: &'static str) -> Arc<AgentMeters> {
        if let Some(meters) = self.agents.get(kind) {
            return Arc::clone(&meters);
        }
        let labels = [("agent", kind)];
        let new = || {
            Arc::new(AgentMeters {
                started: counter(&self.recorder, &names::REQUESTS_STARTED, &labels),
                running: gauge(&self.recorder, &names::REQUESTS_RUNNING, &labels),
                seconds: histogram(&self.recorder, &names::REQUEST_SECONDS, &labels),
                ended: Outcomes::new(&self.recorder, &names::REQUESTS_ENDED, &labels),
            })
        };
        Arc::clone(&self.agents.entry(kind).or_insert_with(new))
    }

    /// Counts a model call that ended. `model` is a catalog entry.
    pub fn model_call_ended(&self, model: &str, ended: &ModelCallEnded) {
        let meters = self.model(model);
        meters.calls.count(ended.failure);
        meters.seconds.record(ended.elapsed.as_secs_f64());
        meters.prompt_tokens.increment(ended.usage.prompt_tokens);
        meters.cached_prompt_tokens.increment(ended.usage.cached_prompt_tokens);
        meters.completion_tokens.increment(ended.usage.completion_tokens);
        meters.cost_nano_usd.increment(ended.usage.cost_nano_usd);
    }

    fn model(&self, model: &str) -> Arc<ModelMeters> {
        if let Some(meters) = self.models.get(model) {
            return Arc::clone(&meters);
        }
        let labels = [("model", model)];
        let tokens =
            |kind| counter(&self.recorder, &names::MODEL_TOKENS, &[("model", model), ("kind", kind)]);
        let new = || {
            Arc::new(ModelMeters {
                calls: Outcomes::new(&self.recorder, &names::MODEL_CALLS, &labels),
                seconds: histogram(&self.recorder, &names::MODEL_CALL_SECONDS, &labels),
                prompt_tokens: tokens("prompt"),
                cached_prompt_tokens: tokens("cached_prompt"),
                completion_tokens: tokens("completion"),
                cost_nano_usd: counter(&self.recorder, &names::MODEL_COST, &labels),
            })
        };
        Arc::clone(&self.models.entry(model.to_owned()).or_insert_with(new))
    }

    /// Counts a task that was accepted.
    pub fn task_accepted(&self) {
        self.tasks.accepted.increment(1);
        self.tasks.open.increment(1.0);
    }

    /// Counts an open task of an earlier process that this one goes on with.
    pub fn task_resumed(&self) {
        self.tasks.resumed.increment(1);
        self.tasks.open.increment(1.0);
    }

    /// Counts a dead letter that was opened again.
    pub fn task_reopened(&self) {
        self.tasks.reopened.increment(1);
        self.tasks.open.increment(1.0);
    }

    /// Counts a task that was refused.
    pub fn task_refused(&self, class: FailureClass) {
        self.tasks.refused.count(class);
    }

    /// Counts an attempt that failed and is followed by another one.
    pub fn task_attempt_failed(&self, class: FailureClass) {
        self.tasks.attempts_failed.count(class);
    }

    /// Counts a task that ended, with the class of its failure where it has no answer.
    pub fn task_ended(&self, status: TaskStatus, failure: Option<FailureClass>) {
        self.tasks.open.decrement(1.0);
        let at = TaskStatus::ALL.iter().position(|known| *known == status);
        if let Some(counter) = at.and_then(|at| self.tasks.ended.get(at)) {
            counter.increment(1);
        }
        if let Some(class) = failure {
            self.tasks.failures.count(class);
        }
    }

    /// Counts a task that was left open in the journal.
    pub fn task_kept(&self) {
        self.tasks.open.decrement(1.0);
        self.tasks.kept.increment(1);
    }

    /// Counts a commit to the journal: what it held, how long it took, and the class of its failure.
    pub fn journal_committed(&self, entries_len: usize, elapsed: Duration, failure: Option<FailureClass>) {
        self.journal.commits.count(failure);
        self.journal.seconds.record(elapsed.as_secs_f64());
        if failure.is_none() {
            self.journal.entries.increment(entries_len as u64);
        }
    }

    /// The text in Prometheus' exposition format.
    pub fn render(&self) -> String {
        self.set_budgets();
        self.handle.render()
    }

    /// Moves what histograms have gathered into their buckets.
    pub fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").finish_non_exhaustive()
    }
}

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

fn key(metric: &Metric, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<_> = labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

pub(super) fn counter(
    recorder: &PrometheusRecorder,
    metric: &Metric,
    labels: &[(&'static str, &str)],
) -> Counter {
    recorder.register_counter(&key(metric, labels), &METADATA)
}

pub(super) fn gauge(
    recorder: &PrometheusRecorder,
    metric: &Metric,
    labels: &[(&'static str, &str)],
) -> Gauge {
    recorder.register_gauge(&key(metric, labels), &METADATA)
}

pub(super) fn histogram(
    recorder: &PrometheusRecorder,
    metric: &Metric,
    labels: &[(&'static str, &str)],
) -> Histogram {
    recorder.register_histogram(&key(metric, labels), &METADATA)
}

fn describe(recorder: &PrometheusRecorder) {
    let text = |metric: &Metric| (KeyName::from(metric.name), SharedString::from(metric.help));
    for metric in names::COUNTERS {
        let (name, help) = text(metric);
        recorder.describe_counter(name, Some(Unit::Count), help);
    }
    for metric in names::GAUGES {
        let (name, help) = text(metric);
        recorder.describe_gauge(name, Some(Unit::Count), help);
    }
    for metric in names::HISTOGRAMS {
        let (name, help) = text(metric);
        recorder.describe_histogram(name, Some(Unit::Seconds), help);
    }
    for metric in names::SHARES {
        let (name, help) = text(metric);
        recorder.describe_histogram(name, None, help);
    }
}
