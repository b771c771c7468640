//! The one writer of the task store: takes entries from everybody and commits them in groups.
//!
//! Started by the runtime's supervisor before everybody else. Entries do not pass through its mailbox but wait
//! in a list that it empties with each commit, so its mailbox holds a nudge at most, and all that came during
//! one commit goes into the next: the slower the disk, the larger the groups. Removes old tasks now and
//! then. Ends with the runtime. A restart loses nothing that was acknowledged; whoever waits for a commit that
//! was under way is told, and writes again, which changes nothing where it was written before.

mod actor;
mod handle;
mod message;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use actor::JournalActor;
pub(crate) use handle::Journal;
pub(crate) use state::JournalArgs;
