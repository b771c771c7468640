//! What a supervisor knows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::RandomSource;
use ractor::{ActorCell, ActorId, RpcReplyPort};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cause::{CauseKind, ExitCause};
use crate::child::ChildSpec;
use crate::policy::RestartPolicy;
use crate::stop::ShutdownReport;

use super::repair::Repair;
use super::{EscalationError, Observer, SupervisorEvent, SupervisorSpec, notify};

/// How many exits of actors that are not known yet are kept: a child can end before the task that
/// started it has said which actor it is.
const EARLY_EXITS_MAX: usize = 64;

/// The state of a supervisor. A restart loses all of it: the new supervisor starts its children afresh,
/// with a full budget.
pub(super) struct SupervisorState {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) policy: RestartPolicy,
    pub(super) children: Vec<Child>,
    /// What is being carried out; no two repairs have a child in common that they have not finished with.
    pub(super) repairs: Vec<Repair>,
    pub(super) repairs_begun: u64,
    /// The tasks of the repairs and of the shutdown. They end with this state.
    pub(super) tasks: JoinSet<()>,
    /// The tasks that put together answers. They end with this state.
    pub(super) questions: JoinSet<()>,
    pub(super) waiting_for_ready: Vec<RpcReplyPort<()>>,
    /// The instant from which the policy counts time.
    pub(super) origin: Instant,
    early_exits: Vec<(ActorId, ExitCause)>,
    random: Arc<dyn RandomSource>,
    observer: Option<Arc<dyn Observer>>,
    ended: Option<oneshot::Sender<ExitCause>>,
}

/// What the supervisor is up to.
pub(super) enum Mode {
    /// Keeps its children up.
    Supervising,
    /// Stops its children because it was told to.
    ShuttingDown { replies: Vec<RpcReplyPort<ShutdownReport>> },
    /// Stops its children because it gave up; somebody may want to know how they ended.
    Escalating { error: EscalationError, replies: Vec<RpcReplyPort<ShutdownReport>> },
    /// All children are down.
    Down,
}

/// What the supervisor knows about one child.
pub(super) struct Child {
    pub(super) spec: ChildSpec,
    pub(super) phase: ChildPhase,
    /// How often it was restarted for its own exits.
    pub(super) restarts: BTreeMap<CauseKind, u64>,
    /// How often it was restarted because a sibling was.
    pub(super) restarts_with_sibling: u64,
    pub(super) last_failure: Option<(Instant, ExitCause)>,
    /// How its present actor ended, if it did so before its start was reported.
    pub(super) early_exit: Option<(ActorId, ExitCause)>,
}

/// Where a child stands.
#[derive(Debug, Clone)]
pub(super) enum ChildPhase {
    /// Its turn to be started has not come.
    Waiting,
    /// It is started again at `until`, or later if others come before it.
    Backoff { until: Instant },
    /// It is being started.
    Starting,
    /// It runs.
    Running { cell: ActorCell, since: Instant },
    /// It is being stopped.
    Stopping,
    /// It is down for good: it ended, was stopped, or may not come back.
    Ended { failed: bool },
}

impl SupervisorState {
    pub(super) fn new(spec: SupervisorSpec, ended: Option<oneshot::Sender<ExitCause>>) -> Self {
        let SupervisorSpec { name, strategy, budget, backoff, children, random, observer } = spec;
        let policy = RestartPolicy::new(strategy, budget, backoff, children.iter().map(|child| child.kind));
        Self {
            name,
            mode: Mode::Supervising,
            policy,
            children: children.into_iter().map(Child::new).collect(),
            repairs: Vec::new(),
            repairs_begun: 0,
            tasks: JoinSet::new(),
            questions: JoinSet::new(),
            waiting_for_ready: Vec::new(),
            origin: Instant::now(),
            early_exits: Vec::new(),
            random,
            observer,
            ended,
        }
    }

    /// The time for the policy.
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(super) fn random(&self) -> u64 {
        self.random.next_u64()
    }

    /// The child whose present actor this is.
    pub(super) fn child_of(&self, id: ActorId) -> Option<usize> {
        self.children.iter().position(|child| child.spec.slot.holds(id))
    }

    /// Keeps the exit of an actor that nobody has reported yet, in case it belongs to a start under way.
    pub(super) fn keep_early_exit(&mut self, id: ActorId, cause: ExitCause) {
        if self.repairs.is_empty() {
            return;
        }
        if self.early_exits.len() == EARLY_EXITS_MAX {
            self.early_exits.remove(0);
        }
        self.early_exits.push((id, cause));
    }

    pub(super) fn take_early_exit(&mut self, id: ActorId) -> Option<ExitCause> {
        let at = self.early_exits.iter().position(|(exited, _)| *exited == id)?;
        Some(self.early_exits.swap_remove(at).1)
    }

    /// Answers those who wait for all children to be up, if they are.
    pub(super) fn answer_if_ready(&mut self) {
        if !self.repairs.is_empty() || !matches!(self.mode, Mode::Supervising) {
            return;
        }
        self.early_exits.clear();
        for reply in self.waiting_for_ready.drain(..) {
            // Whoever no longer waits does not mind.
            let _ = reply.send(());
        }
    }

    /// Tells the owner of a root supervisor why it ends. Only the first call counts.
    pub(super) fn report_end(&mut self, cause: ExitCause) {
        if let Some(ended) = self.ended.take() {
            // The owner need not care.
            let _ = ended.send(cause);
        }
    }

    pub(super) fn child_name(&self, child: usize) -> String {
        self.children.get(child).map(|child| child.spec.name.clone()).unwrap_or_default()
    }

    /// Logs what happened to a child and tells the observer. `event` is given the names of supervisor and child.
    pub(super) fn notify(&self, child: usize, event: impl FnOnce(String, String) -> SupervisorEvent) {
        notify(self.observer.as_ref(), &event(self.name.clone(), self.child_name(child)));
    }
}

impl Child {
    fn new(spec: ChildSpec) -> Self {
        Self {
            spec,
            phase: ChildPhase::Waiting,
            restarts: BTreeMap::new(),
            restarts_with_sibling: 0,
            last_failure: None,
            early_exit: None,
        }
    }
}
