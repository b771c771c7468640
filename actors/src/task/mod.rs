//! What all agents of one task share: identity, limits, what was used, who watches.

mod events;
mod scope;
mod steps;

pub use events::{EventLog, EventStream, TOKEN_EVENTS_MAX};
pub(crate) use scope::NewStep;
pub use scope::{Reservation, TaskScope, TaskScopeArgs};
pub use steps::StepJournal;

#[cfg(test)]
mod tests;
