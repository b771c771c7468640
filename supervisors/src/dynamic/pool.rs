//! The pool: several dynamic supervisors side by side, and the permits for their children.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use playhouse_protocol::{FailureClass, RandomSource};
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorRef};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::Instant;

use crate::child::{Address, ChildSpec, MailboxGauge, StartContext, StartError};
use crate::panics::{Ending, Supervised};
use crate::policy::{RestartKind, Strategy};
use crate::supervisor::{SupervisorMessage, SupervisorSpec};
use crate::tree::DynamicCounts;

use super::PoolConfig;
use super::actor::{DynamicSupervisorActor, DynamicSupervisorArgs};
use super::state::Counters;

/// How often it is looked whether a supervisor is up again: a restart waits 100 ms and more.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Spreads short-lived actors over several dynamic supervisors, and bounds how many there are at once.
///
/// Cheap to clone. An actor is spawned in its caller's own task: admit, take the next supervisor, spawn
/// linked to it, and keep the permit until the actor has answered.
#[derive(Debug, Clone)]
pub struct SupervisorPool {
    shards: Arc<[Shard]>,
    next: Arc<AtomicUsize>,
    permits: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shard {
    address: Address<SupervisorMessage>,
    counters: Arc<Counters>,
}

/// A supervisor of the pool, for one child.
#[derive(Debug, Clone)]
pub struct PoolSupervisor {
    /// What the child is linked to.
    pub actor: ActorCell,
    /// The events that wait for it. Whoever spawns a child counts its start and its end in, so that the tree can tell
    /// how far the supervisor is behind.
    pub events: MailboxGauge,
}

/// The right to have one child alive. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "the child is admitted as long as the permit lives"]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
}

/// Why a child was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// As many children are alive as may be.
    #[error("admit another actor: as many are alive as may be")]
    Full,
    /// The pool was closed.
    #[error("admit another actor: the pool is closed")]
    Closed,
}

/// Why there is no supervisor for a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Every shard is down: not started yet, being restarted, or stopped.
    #[error("find a supervisor for an actor: all of them are down")]
    Down,
}

impl AdmitError {
    /// What to decide on.
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Full => FailureClass::Overloaded,
            Self::Closed => FailureClass::Retryable,
        }
    }
}

impl PoolError {
    /// What to decide on.
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Down => FailureClass::Retryable,
        }
    }
}

impl From<PoolError> for StartError {
    fn from(error: PoolError) -> Self {
        Self::Failed { message: error.to_string() }
    }
}

impl SupervisorPool {
    /// A pool, and the supervisor over its shards to put into a tree or to spawn as a root.
    ///
    /// The pool has no supervisor to give before that one runs. The jitter of a shard's restart is drawn
    /// from `random`.
    pub fn new(config: &PoolConfig, random: Arc<dyn RandomSource>) -> (Self, SupervisorSpec) {
        let PoolConfig { name, shards, children_max, failures_kept, grace, observer } = config;
        let (failures_kept, grace) = (*failures_kept, *grace);
        let mut spec = SupervisorSpec::new(name.as_str(), Strategy::OneForOne, random);
        let mut written = Vec::with_capacity(shards.get());
        for shard in 0..shards.get() {
            let name = format!("shard-{shard}");
            let counters = Arc::new(Counters::default());
            let args = DynamicSupervisorArgs {
                name: name.clone(),
                counters: Arc::clone(&counters),
                failures_kept,
                grace: crate::bounded(grace),
                observer: observer.clone(),
            };
            let child = ChildSpec::new(name, RestartKind::Permanent, move |context: StartContext| {
                let args = args.clone();
                async move { Ok(context.spawn(DynamicSupervisorActor, args).await?.get_cell()) }
            })
            .with_grace(grace);
            let shown = Arc::clone(&counters);
            let child = child.with_mailbox_probe(move || shown.events().len());
            written.push(Shard { address: child.address(), counters });
            spec = spec.with_child(child);
        }
        let pool = Self {
            shards: written.into(),
            next: Arc::new(AtomicUsize::new(0)),
            permits: Arc::new(Semaphore::new((*children_max).min(Semaphore::MAX_PERMITS))),
        };
        (pool, spec)
    }

    /// Waits for the right to have another child alive; first come, first served.
    ///
    /// # Errors
    /// [`AdmitError::Closed`] when the pool is or gets closed.
    pub async fn admit(&self) -> Result<Permit, AdmitError> {
        match Arc::clone(&self.permits).acquire_owned().await {
            Ok(permit) => Ok(Permit { _permit: permit }),
            Err(_closed) => Err(AdmitError::Closed),
        }
    }

    /// The right to have another child alive, if there is one now.
    ///
    /// # Errors
    /// [`AdmitError::Full`] when there is none, [`AdmitError::Closed`] when the pool is closed.
    pub fn try_admit(&self) -> Result<Permit, AdmitError> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => Ok(Permit { _permit: permit }),
            Err(TryAcquireError::NoPermits) => Err(AdmitError::Full),
            Err(TryAcquireError::Closed) => Err(AdmitError::Closed),
        }
    }

    /// Admits nobody any more; who waits is told. Those admitted keep their permits.
    pub fn close(&self) {
        self.permits.close();
    }

    /// How many more children could be admitted now.
    pub fn permits_available(&self) -> usize {
        self.permits.available_permits()
    }

    /// The supervisor for the next child: each in turn, leaving out those that are down.
    ///
    /// # Errors
    /// [`PoolError::Down`] when all are.
    pub fn next(&self) -> Result<ActorCell, PoolError> {
        self.next_counted().map(|next| next.actor)
    }

    fn next_counted(&self) -> Result<PoolSupervisor, PoolError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        (0..self.shards.len())
            .filter_map(|step| self.shards.get(turn.wrapping_add(step) % self.shards.len()))
            .find_map(|shard| {
                let actor = shard.address.get()?.get_cell();
                Some(PoolSupervisor { actor, events: shard.counters.events() })
            })
            .ok_or(PoolError::Down)
    }

    /// [`next`](Self::next) with what counts the events that wait for it, waiting up to `limit` while all are down: a
    /// restart of them takes them down together.
    ///
    /// # Errors
    /// [`PoolError::Down`] when none was up in time.
    pub async fn next_within(&self, limit: Duration) -> Result<PoolSupervisor, PoolError> {
        let give_up = Instant::now() + crate::bounded(limit);
        loop {
            match self.next_counted() {
                Err(PoolError::Down) if Instant::now() < give_up => {
                    // Whichever comes first: they are looked at, since waiting for one would miss the others.
                    tokio::time::sleep_until(give_up.min(Instant::now() + LOOK_EVERY)).await;
                }
                found => return found,
            }
        }
    }

    /// Spawns an actor under the next supervisor, in the task of the caller, and tells how it ends.
    ///
    /// # Errors
    /// [`StartError`] when all supervisors are down, or `pre_start` failed or panicked.
    pub async fn spawn<A: Actor>(
        &self,
        actor: A,
        args: A::Arguments,
    ) -> Result<(ActorRef<A::Msg>, JoinHandle<()>, Ending), StartError> {
        let supervisor = self.next()?;
        let (actor, ending) = Supervised::watched(actor);
        let (actor, join) = Actor::spawn_linked(None, actor, args, supervisor).await?;
        Ok((actor, join, ending))
    }

    /// The children of all shards, counted, since the pool was made.
    pub fn counts(&self) -> DynamicCounts {
        self.shards.iter().map(|shard| shard.counters.read()).fold(DynamicCounts::default(), |sum, shard| {
            DynamicCounts {
                live: sum.live + shard.live,
                started: sum.started + shard.started,
                ended: sum.ended + shard.ended,
                failed: sum.failed + shard.failed,
            }
        })
    }
}
