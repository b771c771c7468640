//! Submitting and waiting, so many at once.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressStyle};
use playhouse_protocol::task::{Durability, TaskOptions, TaskSummary};
use playhouse_protocol::{Failure, FailureClass, IdempotencyKey, TaskId, TenantId};
use playhouse_runtime::{Runtime, TaskHandle, TaskTimings};
use tokio::time::Instant;

use super::faults::{LoadAgent, LoadTask};
use super::tally::Tally;
use crate::app::App;
use crate::args::{DurabilityArg, LoadArgs};
use crate::progress::TICK;
use crate::signals::Signals;

/// Tasks at once when nobody says: as many as agents that a runtime keeps alive by default.
const WIDTH_DEFAULT: u64 = 1_000;

/// How long open tasks may go on when the run is stopped.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// How often progress is told where no bar moves, at most: when a task ends.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// What a refused submission waits when nobody says.
const AGAIN_DEFAULT: Duration = Duration::from_millis(100);

/// What is to be submitted.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tasks: u64,
    pub(super) width: u64,
    pub(super) is_journaled: bool,
    calls: u32,
    seed: u64,
    attempts: Option<u32>,
    tenants: Vec<TenantId>,
    acks: Option<Mutex<File>>,
}

impl Plan {
    /// Reads what was asked for, and opens the file of acknowledged tasks.
    ///
    /// # Errors
    /// Class `InvalidInput` when flags gainsay one another or that file cannot be written.
    pub(super) fn new(args: &LoadArgs) -> Result<Self, Failure> {
        if let (Some(DurabilityArg::None), Some(path)) = (args.durability, &args.journal) {
            let text = format!(
                "load with --durability none: nothing would be written to --journal {}",
                path.display()
            );
            return Err(Failure::invalid(text).with_hint("Leave one of the two away."));
        }
        let acks = args.acks.as_ref().map(|path| {
            let file = File::options().append(true).create(true).open(path);
            file.map(Mutex::new)
                .map_err(|error| Failure::invalid(format!("write {}: {error}", path.display())))
        });
        let tenants = (0..args.tenants).map(|number| TenantId::try_from(format!("load-{number}")));
        Ok(Self {
            tasks: args.tasks,
            width: args.width.unwrap_or(WIDTH_DEFAULT).min(args.tasks),
            is_journaled: match args.durability {
                Some(durability) => durability == DurabilityArg::Full,
                None => args.journal.is_some(),
            },
            calls: args.calls,
            seed: args.seed,
            attempts: args.attempts,
            tenants: tenants.collect::<Result<_, _>>()?,
            acks: acks.transpose()?,
        })
    }

    fn options(&self, number: u64) -> Result<TaskOptions, Failure> {
        let tenant = usize::try_from(number).unwrap_or_default() % self.tenants.len().max(1);
        let key = || IdempotencyKey::try_from(format!("load-{}-{number}", self.seed));
        Ok(TaskOptions {
            tenant: self.tenants.get(tenant).cloned().unwrap_or_default(),
            durability: if self.is_journaled { Durability::Full } else { Durability::None },
            attempts_max: self.attempts,
            idempotency_key: self.is_journaled.then(key).transpose()?,
            ..TaskOptions::default()
        })
    }

    /// Notes an acknowledged task before anything else is done with it.
    fn acknowledge(&self, number: u64, id: TaskId) -> Result<(), Failure> {
        let Some(acks) = &self.acks else { return Ok(()) };
        let mut file = acks.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{number} {id}")
            .map_err(|error| Failure::internal(format!("note an acknowledged task: {error}")))
    }
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) tally: Tally,
    pub(super) elapsed: Duration,
}

/// Submits every task and waits for its end. The first signal stops submitting and shuts the runtime down, which is
/// down in any case when this returns.
pub(super) async fn drive(
    app: &App,
    runtime: &Runtime,
    plan: &Plan,
    signals: &Arc<Signals>,
    mut tally: Tally,
) -> Result<Driven, Failure> {
    let started = Instant::now();
    let mut progress = Progress::new(app, plan.tasks);
    let mut numbers = 0..plan.tasks;
    let width = usize::try_from(plan.width).unwrap_or(usize::MAX);
    let mut running: FuturesUnordered<_> =
        numbers.by_ref().take(width).map(|number| one(runtime, plan, signals, number)).collect();
    let mut is_stopped = false;
    loop {
        let ended = tokio::select! {
            biased;
            () = signals.token().cancelled(), if !is_stopped => {
                is_stopped = true;
                progress.note("stopping; open tasks are ended or left to the journal");
                runtime.shutdown(STOP_GRACE).await;
                continue;
            }
            ended = running.next() => ended,
        };
        let Some(ended) = ended else { break };
        let Ended { refused, task } = ended?;
        tally.outcomes.refused_and_retried += refused;
        if let Some((summary, timings)) = task {
            tally.ended(&summary, timings);
        }
        if !is_stopped {
            running.extend(numbers.next().map(|number| one(runtime, plan, signals, number)));
        }
        progress.tell(&tally);
    }
    let elapsed = started.elapsed();
    // The books are read behind this: whatever is still open is open no more.
    runtime.shutdown(STOP_GRACE).await;
    progress.clear();
    Ok(Driven { tally, elapsed })
}

/// How one number ended: without a task when the run was stopped before it was accepted.
struct Ended {
    refused: u64,
    task: Option<(TaskSummary, TaskTimings)>,
}

async fn one(runtime: &Runtime, plan: &Plan, signals: &Signals, number: u64) -> Result<Ended, Failure> {
    let mut refused = 0;
    let handle: TaskHandle<LoadAgent> = loop {
        let task = LoadTask { number, calls: plan.calls };
        match runtime.submit::<LoadAgent>(task, plan.options(number)?).await {
            Ok(handle) => break handle,
            Err(_) if runtime.is_shutting_down() => return Ok(Ended { refused, task: None }),
            Err(failure) if failure.class == FailureClass::Overloaded => {
                refused += 1;
                let again = failure.retry_after_ms.map_or(AGAIN_DEFAULT, Duration::from_millis);
                tokio::select! {
                    biased;
                    () = signals.token().cancelled() => return Ok(Ended { refused, task: None }),
                    () = tokio::time::sleep(again) => {}
                }
            }
            Err(failure) if plan.is_journaled && failure.class == FailureClass::InvalidInput => {
                return Err(failure.with_hint(
                    "The journal may hold a run with this seed and other settings: use another --seed or --journal.",
                ));
            }
            Err(failure) => return Err(failure),
        }
    };
    plan.acknowledge(number, handle.id())?;
    // Its failure is in the summary.
    let _ = handle.result().await;
    Ok(Ended { refused, task: Some((handle.summary(), handle.timings())) })
}

/// Shows how far a run is.
struct Progress<'a> {
    app: &'a App,
    bar: Option<ProgressBar>,
    tasks: u64,
    started: Instant,
    told: Instant,
}

impl<'a> Progress<'a> {
    fn new(app: &'a App, tasks: u64) -> Self {
        let bar = app.ui.is_live().then(|| {
            let bar = app.ui.bars().add(ProgressBar::new(tasks));
            let style = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {elapsed} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(TICK);
            bar
        });
        let now = Instant::now();
        Self { app, bar, tasks, started: now, told: now }
    }

    fn tell(&mut self, tally: &Tally) {
        let done = tally.outcomes.acknowledged;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            let rate = done as f64 / self.started.elapsed().as_secs_f64().max(0.001);
            bar.set_message(format!("{rate:.0}/s, {} failed", tally.failed_len()));
        } else if self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            self.note(&format!("{done} of {} tasks have ended", self.tasks));
        }
    }

    fn note(&self, text: &str) {
        self.app.ui.note(text);
    }

    fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
