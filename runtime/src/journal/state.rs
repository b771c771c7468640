//! What the journal's actor holds.

use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::WallClock;

use super::handle::Journal;

/// What a [`JournalActor`](super::JournalActor) is started with.
#[derive(Debug, Clone)]
pub(crate) struct JournalArgs {
    /// The list of entries and the store behind it.
    pub(crate) journal: Journal,
    /// How long an ended task is kept.
    pub(crate) ended_age_max: Option<Duration>,
    /// How many ended tasks are kept.
    pub(crate) ended_max: Option<u64>,
    /// Tells how old a task is.
    pub(crate) clock: Arc<dyn WallClock>,
}

/// The state of a [`JournalActor`](super::JournalActor). A restart loses nothing: entries that wait are in the
/// journal's list, which the runtime keeps.
#[derive(Debug)]
pub(crate) struct JournalState {
    pub(super) args: JournalArgs,
    /// Tasks that ended since old ones were removed.
    pub(super) ends: u64,
}
