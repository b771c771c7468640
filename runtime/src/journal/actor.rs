//! The actor itself.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::handle::{Journal, Waiting};
use super::message::JournalMessage;
use super::state::{JournalArgs, JournalState};
use crate::store::{Entry, Reception, Retention, StoreError, StoreErrorKind};

/// Entries in one commit at most. A hundred already make the sync's cost small; the bound keeps one commit, and
/// the wait for it, short.
const GROUP_LEN_MAX: usize = 1_024;

/// How often old tasks are removed.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// Ended tasks that are kept in memory at most: a file may hold the history of a week, a service's memory may not.
const ENDED_IN_MEMORY_MAX: u64 = 1_000;

/// Ends behind which old tasks are removed without waiting for the timer: in a file looking for them costs a
/// millisecond or so, in memory nothing.
const PRUNE_BEHIND_ENDS: (u64, u64) = (10_000, 500);

/// Tasks that one removal takes at most, so that commits do not wait long behind it.
const PRUNE_LEN_MAX: usize = 500;

/// Commits in groups; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JournalActor;

impl Actor for JournalActor {
    type Msg = JournalMessage;
    type State = JournalState;
    type Arguments = JournalArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<JournalMessage>,
        args: JournalArgs,
    ) -> Result<JournalState, ActorProcessingErr> {
        // Entries may have waited for a restart.
        args.journal.begin(myself.clone());
        // The timer ends with the actor.
        let _timer = myself.send_interval(PRUNE_INTERVAL, || JournalMessage::Prune);
        Ok(JournalState { args, ends: 0 })
    }

    async fn handle(
        &self,
        myself: ActorRef<JournalMessage>,
        message: JournalMessage,
        state: &mut JournalState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            JournalMessage::Commit => {
                let journal = &state.args.journal;
                let group = journal.take(GROUP_LEN_MAX);
                let entries = group.iter().flat_map(|waiting| &waiting.entries);
                state.ends += entries.filter(|entry| matches!(entry, Entry::Ended { .. })).count() as u64;
                commit(journal, group).await;
                let (in_file, in_memory) = PRUNE_BEHIND_ENDS;
                if state.ends >= if journal.store().is_durable() { in_file } else { in_memory } {
                    state.ends = 0;
                    myself.cast(JournalMessage::Prune)?;
                }
                journal.nudge_if_waiting();
            }
            JournalMessage::Prune => prune(&myself, &state.args).await?,
        }
        Ok(())
    }
}

/// Commits what waits as one group. A group that is refused for what is in it, or for damage that it touches, is committed
/// piece by piece, so that only whoever wrote the wrong entry, or has the damaged task, is told.
async fn commit(journal: &Journal, group: Vec<Waiting>) {
    if group.is_empty() {
        return;
    }
    let entries: Vec<Entry> = group.iter().flat_map(|waiting| waiting.entries.iter().cloned()).collect();
    match journal.write(entries).await {
        Ok(receptions) => {
            let mut receptions = receptions.into_iter();
            for waiting in group {
                let own: Vec<Reception> = receptions.by_ref().take(waiting.entries.len()).collect();
                waiting.answer(Ok(own));
            }
        }
        Err(error) if is_about_an_entry(&error) && group.len() > 1 => {
            for waiting in group {
                let written = journal.write(waiting.entries.clone()).await;
                waiting.answer(written);
            }
        }
        Err(error) => group.into_iter().for_each(|waiting| waiting.answer(Err(error.clone()))),
    }
}

fn is_about_an_entry(error: &StoreError) -> bool {
    matches!(
        error.kind,
        StoreErrorKind::Unwritable { .. }
            | StoreErrorKind::Corrupt { .. }
            | StoreErrorKind::OtherVersion { .. }
    )
}

async fn prune(myself: &ActorRef<JournalMessage>, args: &JournalArgs) -> Result<(), ActorProcessingErr> {
    let retention = Retention {
        ended_before_unix_ms: args.ended_age_max.map(|age| {
            args.clock.unix_ms().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
        }),
        ended_max: if args.journal.store().is_durable() {
            args.ended_max
        } else {
            Some(args.ended_max.unwrap_or(ENDED_IN_MEMORY_MAX).min(ENDED_IN_MEMORY_MAX))
        },
    };
    if retention == Retention::default() {
        return Ok(());
    }
    match args.journal.store().prune(retention, PRUNE_LEN_MAX).await {
        // There may be more: commits that wait come first.
        Ok(pruned) if pruned >= PRUNE_LEN_MAX as u64 => myself.cast(JournalMessage::Prune)?,
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "old tasks could not be removed"),
    }
    Ok(())
}
