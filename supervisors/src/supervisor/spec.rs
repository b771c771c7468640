//! How a supervisor is written down, and how a written one comes to life.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::RandomSource;
use ractor::{Actor, ActorRef};
use tokio::sync::oneshot;

use crate::cause::ExitCause;
use crate::child::{ChildSpec, StartContext, StartError};
use crate::panics::Supervised;
use crate::policy::{Backoff, RestartBudget, RestartKind, Strategy};
use crate::stop::KILL_LIMIT;

use super::actor::{SupervisorActor, SupervisorArgs};
use super::{Observer, SupervisorMessage, ready};

/// How many children one static supervisor may have: each exit looks through all of them. Thousands belong
/// under a [`SupervisorPool`](crate::dynamic::SupervisorPool).
const CHILDREN_MAX: usize = 1_024;

/// How long a supervisor waits for the children of a child that is a supervisor before it starts the next
/// child; they go on starting after that.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// A supervisor as it is written down: strategy, budget, backoff and the list of children in starting order.
pub struct SupervisorSpec {
    pub(crate) name: String,
    pub(crate) strategy: Strategy,
    pub(crate) budget: RestartBudget,
    pub(crate) backoff: Backoff,
    pub(crate) children: Vec<ChildSpec>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// A supervisor without a supervisor.
#[derive(Debug)]
pub struct RootSupervisor {
    /// The supervisor, for questions and for its shutdown.
    pub actor: ActorRef<SupervisorMessage>,
    ended: oneshot::Receiver<ExitCause>,
}

impl RootSupervisor {
    /// Waits for its end: [`ExitCause::Normal`] after a shutdown, [`ExitCause::Escalated`] when it gave up,
    /// [`ExitCause::Killed`] for anything else.
    pub async fn ended(self) -> ExitCause {
        self.ended.await.unwrap_or(ExitCause::Killed)
    }
}

impl SupervisorSpec {
    /// A supervisor without children, with the default budget and backoff. Jitter is drawn from `random`.
    pub fn new(name: impl Into<String>, strategy: Strategy, random: Arc<dyn RandomSource>) -> Self {
        Self {
            name: name.into(),
            strategy,
            budget: RestartBudget::default(),
            backoff: Backoff::default(),
            children: Vec::new(),
            random,
            observer: None,
        }
    }

    /// The same supervisor with another restart budget.
    #[must_use]
    pub fn with_budget(mut self, budget: RestartBudget) -> Self {
        self.budget = budget;
        self
    }

    /// The same supervisor with another backoff.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The same supervisor with one more child, started after the others and stopped before them.
    #[must_use]
    pub fn with_child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }

    /// The same supervisor with somebody who is told of what happens to its children (not of what happens to
    /// theirs).
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Starts it as the root of a tree. Its children are started after it has; see [`ready`].
    ///
    /// # Errors
    /// [`StartError::InvalidSpec`] for two children of one name, or more than 1,024 children.
    pub async fn spawn(self) -> Result<RootSupervisor, StartError> {
        self.check()?;
        let (ended_tx, ended) = oneshot::channel();
        let args = SupervisorArgs { spec: self, ended: Some(ended_tx) };
        let (actor, _join) = Actor::spawn(None, Supervised::new(SupervisorActor), args).await?;
        Ok(RootSupervisor { actor, ended })
    }

    /// Makes it a child of another supervisor.
    ///
    /// It counts as started when its children are up, or after 30 seconds. Its grace is what its children
    /// need at most.
    pub fn into_child(self, kind: RestartKind) -> ChildSpec {
        let grace = self.stop_limit();
        let name = self.name.clone();
        let spec = Arc::new(self);
        ChildSpec::new(name, kind, move |context: StartContext| {
            let spec = spec.again();
            async move {
                spec.check()?;
                let actor = context.spawn(SupervisorActor, SupervisorArgs { spec, ended: None }).await?;
                // Whether they are up in time or not, from here on they are its own affair; if it fails
                // meanwhile, that arrives as its exit.
                let _ = ready(&actor, READY_LIMIT).await;
                Ok(actor.get_cell())
            }
        })
        .with_grace(grace)
        .with_start_limit(READY_LIMIT + KILL_LIMIT)
    }

    /// How long its children take to stop at most, one after another.
    fn stop_limit(&self) -> Duration {
        self.children
            .iter()
            .fold(Duration::ZERO, |sum, child| sum.saturating_add(child.grace).saturating_add(KILL_LIMIT))
    }

    fn check(&self) -> Result<(), StartError> {
        let invalid = |problem: String| Err(StartError::InvalidSpec { problem });
        if self.children.len() > CHILDREN_MAX {
            return invalid(format!("{} has more than {CHILDREN_MAX} children", self.name));
        }
        let mut names = BTreeSet::new();
        match self.children.iter().find(|child| !names.insert(&child.name)) {
            Some(child) => invalid(format!("{} has two children named {}", self.name, child.name)),
            None => Ok(()),
        }
    }

    /// The same supervisor once more, for its restart. Its children share their addresses with the first.
    fn again(&self) -> Self {
        Self {
            name: self.name.clone(),
            strategy: self.strategy,
            budget: self.budget,
            backoff: self.backoff,
            children: self.children.iter().map(ChildSpec::again).collect(),
            random: Arc::clone(&self.random),
            observer: self.observer.clone(),
        }
    }
}

impl fmt::Debug for SupervisorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorSpec")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .field("budget", &self.budget)
            .field("backoff", &self.backoff)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}
