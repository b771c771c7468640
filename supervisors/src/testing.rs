//! The harness of this crate's tests: actors that do as they are told, and a count of those that live.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use playhouse_protocol::{RandomSource, SeededSource};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorStatus, RpcReplyPort};
use tokio::time::sleep;

use crate::policy::{Backoff, Jitter, RestartBudget, RestartKind, Strategy};
use crate::supervisor::{
    RootSupervisor, SupervisorEvent, SupervisorMessage, SupervisorSpec, ready, shutdown,
};
use crate::{ChildSpec, ExitCause, ShutdownReport};

/// Longer than anything in these tests, in paused time.
pub(crate) const LONG: Duration = Duration::from_hours(1);

/// What is written when a child is started while its actor before is still there.
pub(crate) const DOUBLE: &str = "double";

/// A stage for players. When it is dropped, everybody must have left: a test that leaves an actor running fails.
pub(crate) struct Stage {
    live: Arc<AtomicUsize>,
    log: Arc<Mutex<Vec<String>>>,
    /// The latest actor of each name, to see that it had left before the next one came.
    cast: Arc<Mutex<BTreeMap<String, ActorCell>>>,
    roots: Mutex<Vec<ActorRef<SupervisorMessage>>>,
}

/// What a player is told to do.
#[derive(Debug)]
pub(crate) enum Cue {
    Panic(&'static str),
    Fail(&'static str),
    Leave,
    Hang(Duration),
    Answer(RpcReplyPort<&'static str>),
}

/// How a player behaves of its own accord.
#[derive(Clone, Default)]
pub(crate) struct Temper {
    /// How many of its starts fail, counted down over restarts.
    pub(crate) bad_starts: Arc<AtomicUsize>,
    pub(crate) panics_at_start: bool,
    pub(crate) start_time: Duration,
    pub(crate) stop_time: Duration,
    /// Panics as soon as it runs, this many times.
    pub(crate) bad_entrances: Arc<AtomicUsize>,
}

pub(crate) struct Player;

pub(crate) struct PlayerArgs {
    name: String,
    temper: Temper,
    live: Arc<AtomicUsize>,
    log: Arc<Mutex<Vec<String>>>,
    cast: Option<Arc<Mutex<BTreeMap<String, ActorCell>>>>,
}

/// The state: alive as long as the player is.
pub(crate) struct Presence(PlayerArgs);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl PlayerArgs {
    fn write(&self, line: &str) {
        self.log.lock().unwrap().push(format!("{line} {}", self.name));
    }
}

/// Takes one from a count, if there is one.
fn take_one(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
}

impl Actor for Player {
    type Msg = Cue;
    type State = Presence;
    type Arguments = PlayerArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Cue>,
        args: PlayerArgs,
    ) -> Result<Presence, ActorProcessingErr> {
        if let Some(cast) = &args.cast
            && let Some(before) = cast.lock().unwrap().insert(args.name.clone(), myself.get_cell())
            && before.get_status() < ActorStatus::Stopping
        {
            args.write(DOUBLE);
        }
        args.live.fetch_add(1, Ordering::SeqCst);
        let presence = Presence(args);
        let args = &presence.0;
        sleep(args.temper.start_time).await;
        if take_one(&args.temper.bad_starts) {
            args.write("no");
            assert!(!args.temper.panics_at_start, "panicked at start");
            return Err("not today".into());
        }
        args.write("start");
        Ok(presence)
    }

    async fn post_start(
        &self,
        _myself: ActorRef<Cue>,
        state: &mut Presence,
    ) -> Result<(), ActorProcessingErr> {
        assert!(!take_one(&state.0.temper.bad_entrances), "stage fright");
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Cue>,
        cue: Cue,
        _state: &mut Presence,
    ) -> Result<(), ActorProcessingErr> {
        match cue {
            Cue::Panic(text) => panic!("{text}"),
            Cue::Fail(text) => return Err(text.into()),
            Cue::Leave => myself.stop(None),
            Cue::Hang(time) => sleep(time).await,
            Cue::Answer(reply) => drop(reply.send("here")),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Cue>,
        state: &mut Presence,
    ) -> Result<(), ActorProcessingErr> {
        sleep(state.0.temper.stop_time).await;
        state.0.write("stop");
        Ok(())
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { live: Arc::default(), log: Arc::default(), cast: Arc::default(), roots: Mutex::default() }
    }

    pub(crate) fn random() -> Arc<dyn RandomSource> {
        Arc::new(SeededSource::from_seed(7))
    }

    /// A supervisor with a backoff of exactly 100 ms, 200 ms, … and three restarts a minute.
    pub(crate) fn supervisor(&self, name: &str, strategy: Strategy) -> SupervisorSpec {
        let log = Arc::clone(&self.log);
        SupervisorSpec::new(name, strategy, Self::random())
            .with_backoff(Backoff { jitter: Jitter::None, ..Backoff::default() })
            .with_budget(RestartBudget { restarts_max: 3, window: Duration::from_mins(1) })
            .with_observer(move |event: &SupervisorEvent| {
                if let SupervisorEvent::Escalated { supervisor, child, .. } = event {
                    log.lock().unwrap().push(format!("{supervisor} gives up on {child}"));
                }
            })
    }

    pub(crate) fn child(&self, name: &str) -> ChildSpec {
        self.child_with(name, RestartKind::Permanent, &Temper::default())
    }

    pub(crate) fn child_with(&self, name: &str, kind: RestartKind, temper: &Temper) -> ChildSpec {
        let (name, temper) = (name.to_owned(), temper.clone());
        let (live, log, cast) = (Arc::clone(&self.live), Arc::clone(&self.log), Arc::clone(&self.cast));
        ChildSpec::actor(name.clone(), kind, move || {
            let (live, log, cast) = (Arc::clone(&live), Arc::clone(&log), Some(Arc::clone(&cast)));
            (Player, PlayerArgs { name: name.clone(), temper: temper.clone(), live, log, cast })
        })
    }

    pub(crate) fn player(&self, name: &str) -> (Player, PlayerArgs) {
        let (live, log) = (Arc::clone(&self.live), Arc::clone(&self.log));
        (Player, PlayerArgs { name: name.to_owned(), temper: Temper::default(), live, log, cast: None })
    }

    pub(crate) async fn open(&self, spec: SupervisorSpec) -> RootSupervisor {
        let root = spec.spawn().await.unwrap();
        self.roots.lock().unwrap().push(root.actor.clone());
        root
    }

    /// Opens it and waits until all children are up.
    pub(crate) async fn open_all(&self, spec: SupervisorSpec) -> RootSupervisor {
        let root = self.open(spec).await;
        ready(&root.actor, LONG).await.unwrap();
        root
    }

    pub(crate) async fn close(&self, root: RootSupervisor) -> ShutdownReport {
        let report = shutdown(&root.actor, LONG).await.unwrap();
        assert_eq!(root.ended().await, ExitCause::Normal);
        report
    }

    /// What was written since the last call.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for root in self.roots.lock().unwrap().iter() {
            assert_eq!(root.get_status(), ActorStatus::Stopped, "a supervisor was left running");
        }
        assert_eq!(self.live(), 0, "actors were left running");
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}
