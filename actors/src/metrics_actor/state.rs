//! What the metrics actor holds.

use std::sync::Arc;

use playhouse_supervisors::MailboxGauge;

use super::meter::Meter;

/// What a [`MetricsActor`](super::MetricsActor) is started with.
#[derive(Debug, Clone)]
pub struct MetricsArgs {
    /// The runtime's meter with its recorder.
    pub meter: Arc<Meter>,
    /// Counts the questions that wait for the actor.
    pub mailbox: MailboxGauge,
}

/// The state of a [`MetricsActor`](super::MetricsActor). A restart loses nothing: the recorder lives in the
/// meter, which the runtime keeps.
#[derive(Debug)]
pub struct MetricsState {
    pub(super) meter: Arc<Meter>,
    pub(super) mailbox: MailboxGauge,
}
