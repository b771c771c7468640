//! The dynamic supervisor: many short-lived children that others spawn under it, and that never return.
//!
//! - **What it does:** counts its children, keeps the latest failures with their causes, and stops the
//!   children when it is stopped. The end of a child is that child's own: nothing is restarted and
//!   nobody is taken along.
//! - **Who starts it:** the supervisor that [`SupervisorPool::new`] writes down, one for each shard: one
//!   supervisor's mailbox would be the place where thousands of starts and ends meet.
//! - **What it receives:** [`SupervisorMessage`](crate::supervisor::SupervisorMessage), and ractor's
//!   supervision events. Its children are spawned by their callers, in the callers' own tasks:
//!   it does nothing for a start.
//! - **When it ends:** after a shutdown or a plain stop. Never because of a child.

mod config;
mod pool;

mod actor;
mod state;
mod stop;

#[cfg(test)]
mod tests;

pub use config::PoolConfig;
pub use pool::{AdmitError, Permit, PoolError, PoolSupervisor, SupervisorPool};
