//! The static supervisor: a fixed list of children that it starts in order, restarts, and stops in reverse.
//!
//! - **What it does:** turns the end of a child into a [`Decision`](crate::policy::Decision) of its
//!   policy and carries it out: stops siblings, waits out the backoff, starts again. The carrying out
//!   is a task beside the mailbox (a *repair*), so the supervisor answers at any time.
//! - **Who starts it:** [`SupervisorSpec::spawn`] for a root, its own supervisor for any other
//!   ([`SupervisorSpec::into_child`]).
//! - **What it receives:** [`SupervisorMessage`], and ractor's supervision events.
//! - **When it ends:** after a shutdown or a plain stop (children first, in reverse order), or with an
//!   [`EscalationError`] when its restart budget is spent (likewise children first). If it is killed,
//!   ractor kills the children with it, in no order.

mod message;

mod spec;

mod actor;
mod exits;
mod repair;
mod shutdown;
mod state;

mod snapshot;

mod ask;
mod error;
mod observer;

#[cfg(test)]
mod tests;

pub use ask::{child, ready, shutdown, tree};
pub use error::{AskError, EscalationError};
pub(crate) use message::StepKind;
pub use message::{Step, SupervisorMessage};
pub(crate) use observer::notify;
pub use observer::{Observer, SupervisorEvent};
pub(crate) use snapshot::last_failure;
pub use spec::{RootSupervisor, SupervisorSpec};
