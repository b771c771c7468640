//! What all agents of one task share: identity, limits, what was used, who watches.

mod events;
mod scope;

pub use events::{EventLog, EventStream, TOKEN_EVENTS_MAX};
pub use scope::{Reservation, TaskScope, TaskScopeArgs};

#[cfg(test)]
mod tests;
