//! What the journal's actor is told.

/// The mailbox of a [`JournalActor`](super::JournalActor).
#[derive(Debug, Clone, Copy)]
pub(crate) enum JournalMessage {
    /// From [`Journal`](super::Journal), when the list of entries was empty: commit what is in it.
    Commit,
    /// From the actor's own timer, and from itself behind many ends: remove what is past its time.
    Prune,
}
