//! Supervision trees over ractor: who is restarted when, with whom, how often, and who is told.
//!
//! This crate knows no agent, no task and no model. Read in this order:
//!
//! 1. [`policy`]: the rules, pure;
//! 2. [`cause`] and [`panics`]: why an actor ended, with a panic's text and place;
//! 3. [`mod@child`]: one line of a supervisor's list, and a stable address for what is replaced;
//! 4. [`supervisor`]: the static supervisor that carries the rules out;
//! 5. [`dynamic`]: supervisors for thousands of short-lived actors, and the pool that spreads them;
//! 6. [`mod@tree`] and [`stop`]: what it looks like, and how it ends.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use playhouse_protocol::SeededSource;
//! use playhouse_supervisors::{PoolConfig, RestartKind, Strategy, SupervisorPool, SupervisorSpec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let random = Arc::new(SeededSource::from_seed(7));
//! let (pool, agents) = SupervisorPool::new(&PoolConfig::new("agents"), random.clone());
//! let root = SupervisorSpec::new("runtime", Strategy::RestForOne, random)
//!     .with_child(agents.into_child(RestartKind::Permanent))
//!     .spawn()
//!     .await?;
//! playhouse_supervisors::ready(&root.actor, Duration::from_secs(5)).await?;
//!
//! // In the task of each request: a permit, then an actor under the next of the pool's supervisors.
//! let permit = pool.admit().await?;
//! # drop(permit);
//!
//! let report = playhouse_supervisors::shutdown(&root.actor, Duration::from_secs(5)).await?;
//! assert_eq!(report.forced(), Vec::<String>::new());
//! # Ok(())
//! # }
//! ```
//!
//! No actor is given a name in ractor's registry, so two trees in one process do not meet. Time is tokio's
//! clock, jitter comes from a source that is handed in, and no order depends on a hash.

pub mod policy;

pub mod cause;
pub mod panics;

pub mod child;
pub mod supervisor;

pub mod dynamic;

pub mod stop;
pub mod tree;

pub use cause::{CauseKind, ExitCause};
pub use child::{Address, AddressError, ChildSpec, MailboxGauge, StartContext, StartError};
pub use dynamic::{AdmitError, Permit, PoolConfig, PoolError, PoolSupervisor, SupervisorPool};
pub use panics::{Ending, PanicCause, Supervised, catch_panic};
pub use policy::{Backoff, Jitter, RestartBudget, RestartKind, Strategy};
pub use stop::{ChildStop, ShutdownReport, StopOutcome};
pub use supervisor::{
    AskError, EscalationError, Observer, RootSupervisor, SupervisorEvent, SupervisorMessage, SupervisorSpec,
    child, ready, shutdown, tree,
};
pub use tree::{DynamicCounts, LastFailure, NodeKind, NodeState, TreeNode};

#[cfg(test)]
mod testing;

use std::time::Duration;

/// The longest wait that is taken at its word: longer ones would overflow the clock when added up.
const WAIT_MAX: Duration = Duration::from_hours(30 * 24);

/// A duration that can be added to an instant a few times over.
fn bounded(duration: Duration) -> Duration {
    duration.min(WAIT_MAX)
}

/// Whole milliseconds, for texts and snapshots.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
