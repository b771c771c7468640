//! A world: some tasks, and the lives of the process that works on them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use playhouse_runtime::config::Config;
use playhouse_runtime::protocol::task::{Durability, TaskStatus};
use playhouse_runtime::protocol::{TaskId, WallClock};
use playhouse_runtime::store::TaskStore as _;
use playhouse_runtime::{Accounting, Runtime};
use tokio::time::Instant;

use super::clerk::{Books, Clerk};
use super::disk::{Crash, Disk};
use super::draws::Draws;
use super::life::LifeStore;
use super::log::Log;
use super::model::FaultyModel;
use super::orders::{Player, Stage, plan};
use super::plans::PLANS_FROM;

/// Agents that may be alive at once in a world.
const AGENTS_LIVE_MAX: usize = 64;

/// Tasks that may be open at once in a world: less than a world has, so that some are refused.
const TASKS_OPEN_MAX: usize = 400;

/// A life that is not over after this time is stuck: every task has a time limit of two minutes.
const LIFE_MAX: Duration = Duration::from_hours(24);

/// Lives that may end before their time. Those behind them are left in peace.
pub(super) const TROUBLED_LIVES: u64 = 5;

/// More lives than a world can need.
const LIVES_MAX: u64 = 20;

/// What the end of a task may be late by, in milliseconds: waits for the disk, and a process that was down.
const LATE_MS_MAX: u64 = 60_000;

/// How far the time of day jumps at once at most, in milliseconds: somebody sets the clock.
const JUMP_MS_MAX: u64 = 300_000;

/// A plan for so many tasks of a world.
const TASKS_FOR_A_PLAN: u64 = 100;

/// The year in which every world begins: 2026-01-01, in milliseconds since 1970.
const BEGINNING_MS: u64 = 1_767_225_600_000;

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// From what everything is drawn.
    pub seed: u64,
    /// How many tasks.
    pub tasks: u64,
    /// When the first life dies, instead of a drawn end.
    pub crash: Option<Crash>,
    /// Whether every line of the log is kept.
    pub keep_log: bool,
}

/// What a world came to.
#[derive(Debug)]
pub struct Outcome {
    /// A hash of the log.
    pub hash: String,
    /// Lines of the log.
    pub lines_len: u64,
    /// The log, or its last lines.
    pub lines: Vec<String>,
    /// Lives that it took.
    pub lives: u64,
    /// Commits of the first life.
    pub commits: u64,
    /// What must not be and was.
    pub violation: Option<String>,
}

/// The time of a world: it goes on from life to life, and is set forward and back now and then.
#[derive(Debug, Clone)]
pub struct Clock {
    base_ms: u64,
    started: Instant,
    /// When within the life the clock is set by how much, in milliseconds.
    jump: Option<(u64, i64)>,
}

impl Clock {
    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let jumped = self.jump.filter(|(at, _)| *at <= elapsed).map_or(0, |(_, by)| by);
        (self.base_ms + elapsed).saturating_add_signed(jumped)
    }
}

impl WallClock for Clock {
    fn unix_ms(&self) -> u64 {
        self.now_ms()
    }
}

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LifeEnd {
    /// Nothing is left to do.
    Done,
    /// It was asked to end.
    ShutDown,
    /// It died.
    Crashed,
    /// It could not read its journal.
    NotStarted,
    /// It came to no end.
    Stuck,
}

struct World {
    settings: Settings,
    draws: Draws,
    log: Log,
    disk: Arc<Disk>,
    books: Arc<Books>,
    stage: Arc<Stage>,
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
    base_ms: AtomicU64,
}

/// Runs a world to its end.
///
/// # Errors
/// When no thread runtime can be made.
pub fn run(settings: Settings) -> std::io::Result<Outcome> {
    let draws = Draws(settings.seed);
    let log = Log::new(settings.keep_log);
    let world = World {
        draws,
        disk: Disk::new(draws, log.clone()),
        books: Arc::default(),
        stage: Arc::default(),
        asked: Arc::default(),
        base_ms: AtomicU64::new(BEGINNING_MS),
        log,
        settings,
    };
    let (mut lives, mut commits) = (0, 0);
    while world.log.violation().is_none() {
        let threads =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        let (end, ended_ms) = threads.block_on(world.life(lives));
        // What still runs dies here, with all that it holds.
        drop(threads);
        if lives == 0 {
            commits = world.disk.commits();
        }
        lives += 1;
        world.base_ms.store(ended_ms + 1_000, Ordering::SeqCst);
        match end {
            LifeEnd::Done => break,
            LifeEnd::Stuck => world.log.violate(format!("life {lives} came to no end")),
            LifeEnd::ShutDown | LifeEnd::Crashed | LifeEnd::NotStarted if lives == LIVES_MAX => {
                world.log.violate("too many lives".to_owned());
            }
            LifeEnd::ShutDown | LifeEnd::Crashed | LifeEnd::NotStarted => {}
        }
    }
    if world.log.violation().is_none() {
        let threads = tokio::runtime::Builder::new_current_thread().build()?;
        threads.block_on(world.check_ends());
    }
    Ok(Outcome {
        hash: world.log.hash(),
        lines_len: world.log.lines_len(),
        lines: world.log.lines(),
        lives,
        commits,
        violation: world.log.violation(),
    })
}

impl World {
    /// One life of the process. Returns how it ended and when.
    async fn life(&self, life: u64) -> (LifeEnd, u64) {
        let jump = self.draws.happens(300, "the clock is set", life).then(|| {
            let by = self.draws.below(2 * JUMP_MS_MAX, "the clock is set by", life);
            (
                self.draws.below(60_000, "the clock is set after", life),
                by.cast_signed() - JUMP_MS_MAX.cast_signed(),
            )
        });
        let clock = Clock { base_ms: self.base_ms.load(Ordering::SeqCst), started: Instant::now(), jump };
        let crash = self.crash_of(life);
        self.log.line(clock.now_ms(), &format!("life {life} begins: {crash:?} {jump:?}"));
        let store = self.disk.begin(life, crash, clock.clone());
        let crashed = Arc::clone(&store.crashed);
        let end = tokio::select! {
            biased;
            () = crashed.notified() => LifeEnd::Crashed,
            end = self.live(life, store, &clock) => end,
            () = tokio::time::sleep(LIFE_MAX) => LifeEnd::Stuck,
        };
        self.log.line(clock.now_ms(), &format!("life {life} ends: {end:?}"));
        (end, clock.now_ms())
    }

    fn crash_of(&self, life: u64) -> Option<Crash> {
        if let Some(crash) = self.settings.crash {
            return Some(crash).filter(|_| life == 0);
        }
        let dies = life < TROUBLED_LIVES && self.draws.happens(700, "dies", life);
        dies.then(|| Crash {
            commit: 1 + self.draws.below(self.settings.tasks * 2, "dies at commit", life),
            is_written: self.draws.happens(500, "dies behind the commit", life),
        })
    }

    async fn live(&self, life: u64, store: Arc<LifeStore>, clock: &Clock) -> LifeEnd {
        let runtime = match self.start(life, store, clock).await {
            Ok(runtime) => runtime,
            Err(error) => {
                self.log.line(clock.now_ms(), &format!("life {life} did not start: {error}"));
                if self.disk.reads_failed() == 0 {
                    self.log.violate(format!("life {life} did not start: {error}"));
                }
                return LifeEnd::NotStarted;
            }
        };
        let clerk = Clerk {
            runtime: runtime.clone(),
            books: Arc::clone(&self.books),
            disk: Arc::clone(&self.disk),
            draws: self.draws,
            log: self.log.clone(),
            clock: clock.clone(),
            life,
        };
        let mut clerks: futures::stream::FuturesUnordered<_> = self
            .unfinished()
            .into_iter()
            .map(|number| match number {
                PLANS_FROM.. => clerk.clone().manage(number).boxed_local(),
                _ => clerk.clone().serve(number).boxed_local(),
            })
            .collect();
        let is_asked_to_end = self.settings.crash.is_none()
            && life < TROUBLED_LIVES
            && self.draws.happens(300, "shut down", life);
        let asked_to_end = async {
            if !is_asked_to_end {
                return std::future::pending().await;
            }
            let after = self.draws.below(60_000, "shut down after", life);
            tokio::time::sleep(Duration::from_millis(after)).await;
        };
        let end = tokio::select! {
            biased;
            () = asked_to_end => LifeEnd::ShutDown,
            () = async {
                while clerks.next().await.is_some() {}
                // Plans of maps whose life has ended go on without anybody.
                while !runtime.open_tasks().is_empty() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            } => LifeEnd::Done,
        };
        let grace = Duration::from_millis(self.draws.below(5_000, "grace", life));
        let ended = runtime.shutdown(grace).await;
        self.log
            .line(clock.now_ms(), &format!("life {life} shut down: {ended:?} {:?}", runtime.accounting()));
        if !ended.killed.is_empty() {
            self.log.violate(format!("parts had to be killed: {:?}", ended.killed));
        }
        // Those who waited are told.
        while clerks.next().await.is_some() {}
        self.check_books(&runtime.accounting());
        end
    }

    /// The orders and plans that there is something to do for.
    fn unfinished(&self) -> Vec<u64> {
        let known = self.books.known();
        let orders = 0..self.settings.tasks;
        let plans = PLANS_FROM..PLANS_FROM + self.settings.tasks.div_ceil(TASKS_FOR_A_PLAN);
        orders.chain(plans).filter(|number| !known.finished.contains(number)).collect()
    }

    async fn start(
        &self,
        life: u64,
        store: Arc<LifeStore>,
        clock: &Clock,
    ) -> Result<Runtime, playhouse_runtime::StartError> {
        let mut config = Config::default();
        config.limits.agents_live_max = AGENTS_LIVE_MAX;
        config.limits.tasks_open_max = TASKS_OPEN_MAX;
        if self.draws.happens(300, "retention", 0) {
            config.journal.ended_age_max = Some(Duration::from_mins(5));
            config.journal.ended_max = Some(self.settings.tasks / 2);
        }
        let model = FaultyModel {
            info: FaultyModel::info(),
            draws: self.draws,
            log: self.log.clone(),
            clock: clock.clone(),
            disk: Arc::clone(&self.disk),
            asked: Arc::clone(&self.asked),
        };
        Runtime::builder()
            .config(config)
            .seed(self.draws.number("life", life))
            .clock(Arc::new(clock.clone()))
            .models_dir("unused")
            .store(store)
            .model(FaultyModel::NAME, Arc::new(model))
            .default_model(FaultyModel::NAME)
            .agent(Player {
                draws: self.draws,
                stage: Arc::clone(&self.stage),
                disk: Arc::clone(&self.disk),
                log: self.log.clone(),
            })
            .start()
            .await
    }

    fn check_books(&self, books: &Accounting) {
        if !books.adds_up() || books.open > 0 {
            self.log.violate(format!("the books do not add up: {books:?}"));
        }
        let live = self.stage.live_max.load(Ordering::SeqCst);
        if live > AGENTS_LIVE_MAX {
            self.log.violate(format!("{live} agents were alive at once"));
        }
    }

    /// What must hold when all is done.
    async fn check_ends(&self) {
        let acknowledged = self.books.known().acknowledged.clone();
        for number in 0..self.settings.tasks {
            let planned = plan(self.draws, number);
            match acknowledged.get(&number) {
                Some(id) => self.check_end(number, *id, planned.cancelled_after_ms.is_some()).await,
                None if planned.options.durability == Durability::Full => {
                    self.log.violate(format!("order {number} was never acknowledged"));
                }
                None => {}
            }
        }
        for (id, told) in &self.books.known().results {
            let written = self.disk.end(*id);
            if written.as_ref() != Some(told) {
                self.log.violate(format!("task {id}: told {told:?}, and {written:?} is written"));
            }
        }
        match self.disk.store.counts().await {
            Ok(counts) if counts.open == 0 => {}
            counts => self.log.violate(format!("something is still open: {counts:?}")),
        }
    }

    async fn check_end(&self, number: u64, id: TaskId, may_be_cancelled: bool) {
        let violate = |what: String| self.log.violate(format!("order {number}: {what}"));
        let Ok(Some(task)) = self.disk.store.task(id).await else {
            if !self.disk.is_pruned(id) {
                violate(format!("task {id} was acknowledged and is gone"));
            }
            return;
        };
        let Some(ended_ms) = task.ended_unix_ms else {
            return violate(format!("task {id} is still open"));
        };
        if self.books.known().taken_back.contains(&id) && task.status != TaskStatus::Cancelled {
            violate(format!("taken back, and {}", task.status));
        }
        if task.status == TaskStatus::Cancelled && !may_be_cancelled {
            violate("cancelled by nobody".to_owned());
        }
        if task.status == TaskStatus::DeadLettered && task.failure.is_none() {
            violate("a dead letter without a cause".to_owned());
        }
        // A deadline is kept by the clock that nobody sets.
        let late_ms = ended_ms.saturating_sub(task.deadline_unix_ms);
        if late_ms > LATE_MS_MAX + JUMP_MS_MAX {
            violate(format!("ended {late_ms} ms behind its deadline"));
        }
    }
}
