//! Plans: many tasks in an order, as one task that is as durable as they are.
//!
//! A plan's task holds no agent and no place among the agents: it hands its parts in as tasks of their own, each
//! under a key that is made of the plan's id and the part's number. So a plan that runs again, in another
//! attempt or another process, comes by the same parts, whether they wait, run or have ended. Read in this order:
//! [`part`] is how a plan is written down, [`handle`] what a submitter holds, `spec` its stored form, `work` how
//! it runs.

pub mod handle;
pub mod part;

mod spec;
mod work;

pub use handle::{PartReply, PlanHandle, PlanResult};
pub use part::PlanPart;
pub(crate) use spec::PlanSpec;
pub(crate) use work::{ORCHESTRATOR_LIMIT, Observe, PlanWork};

/// The kind of a plan's task.
pub(crate) const KIND: &str = "plan";
