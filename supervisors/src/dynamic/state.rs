//! What a dynamic supervisor knows.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ractor::RpcReplyPort;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cause::ExitCause;
use crate::child::MailboxGauge;
use crate::stop::ShutdownReport;
use crate::supervisor::Observer;
use crate::tree::DynamicCounts;

/// The state of a dynamic supervisor. A restart loses the failures; the counts stay, and the children that
/// went down with it are counted as failed.
pub(super) struct DynamicSupervisorState {
    pub(super) name: String,
    pub(super) counters: Arc<Counters>,
    /// Counts the starts and ends of children that wait to be seen.
    pub(super) events: MailboxGauge,
    /// The latest failures, the oldest first; never more than `failures_kept`.
    pub(super) failures: VecDeque<(Instant, ExitCause)>,
    pub(super) failures_kept: usize,
    pub(super) grace: Duration,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) began: Instant,
    pub(super) mode: Mode,
    /// The task of the shutdown. It ends with this state.
    pub(super) tasks: JoinSet<()>,
}

/// What the supervisor is up to.
pub(super) enum Mode {
    /// Has children.
    Supervising,
    /// Stops them.
    ShuttingDown { replies: Vec<RpcReplyPort<ShutdownReport>> },
    /// Has none and gets none.
    Down,
}

impl DynamicSupervisorState {
    /// Remembers a failure in place of the oldest one.
    pub(super) fn remember(&mut self, cause: ExitCause) {
        if self.failures_kept == 0 {
            return;
        }
        if self.failures.len() >= self.failures_kept {
            self.failures.pop_front();
        }
        self.failures.push_back((Instant::now(), cause));
    }
}

/// The counts of one shard. Only the shard writes them; anybody reads them without asking it.
#[derive(Debug, Default)]
pub(super) struct Counters {
    started: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    /// A new one with each restart: children of the one before may still end, and nobody sees that.
    events: Mutex<MailboxGauge>,
}

impl Counters {
    /// Counts events anew, and gives what counts them.
    pub(super) fn begin_events(&self) -> MailboxGauge {
        let events = MailboxGauge::default();
        self.present_events().clone_from(&events);
        events
    }

    /// What counts the events that wait for the present supervisor.
    pub(super) fn events(&self) -> MailboxGauge {
        self.present_events().clone()
    }

    fn present_events(&self) -> MutexGuard<'_, MailboxGauge> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_started(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ended(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts children that nobody reported on as failed: their supervisor was killed, and they with it.
    pub(super) fn count_lost(&self) {
        self.failed.fetch_add(self.read().live, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> DynamicCounts {
        // Ends are read before starts, so that no end is seen without its start.
        let ended = self.ended.load(Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        let started = self.started.load(Ordering::Relaxed);
        let live = started.saturating_sub(ended).saturating_sub(failed);
        DynamicCounts { live, started, ended, failed }
    }
}
