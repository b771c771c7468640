//! Runs plans: items one after the other and side by side, never more than a width, one outcome for each.
//!
//! One actor a runtime, started by its supervisor. Receives plans from the runtime; runs the
//! items of each plan inside a few tasks that it owns, so that an item costs what its agent costs and no
//! more. A fast branch never waits for a slow one. Ends with the runtime, which cancels what is open. A restart
//! loses the plans under way; whoever waits for one is told.

mod actor;
mod message;
mod plan;
mod progress;
mod run;
mod state;
mod tally;

pub use actor::OrchestratorActor;
pub use message::OrchestratorMessage;
pub use plan::{ItemOutcome, Plan, PlanId, PlanOutcome};
pub use progress::PlanSnapshot;
pub use state::OrchestratorState;

#[cfg(test)]
mod tests;
