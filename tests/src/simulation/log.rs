//! What happened, line by line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

/// The lines that are kept for whoever looks for a fault.
const TAIL_LEN: usize = 60;

/// The events of one world. Shared by all who take part; it outlives the lives.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    hash: Sha256,
    lines_len: u64,
    tail: VecDeque<String>,
    all: Option<Vec<String>>,
    violation: Option<String>,
}

impl Log {
    /// An empty log, which keeps all its lines or only the last ones.
    pub fn new(keep_all: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            hash: Sha256::new(),
            lines_len: 0,
            tail: VecDeque::new(),
            all: keep_all.then(Vec::new),
            violation: None,
        })))
    }

    /// Adds a line.
    pub fn line(&self, unix_ms: u64, text: &str) {
        let line = format!("{unix_ms} {text}");
        let mut state = self.state();
        state.hash.update(line.as_bytes());
        state.hash.update(b"\n");
        state.lines_len += 1;
        if state.tail.len() == TAIL_LEN {
            state.tail.pop_front();
        }
        if let Some(all) = &mut state.all {
            all.push(line.clone());
        }
        state.tail.push_back(line);
    }

    /// Notes something that must not be. The first one counts.
    pub fn violate(&self, what: String) {
        self.state().violation.get_or_insert(what);
    }

    /// What must not be and was.
    pub fn violation(&self) -> Option<String> {
        self.state().violation.clone()
    }

    /// A hash of all lines, in hexadecimal.
    pub fn hash(&self) -> String {
        let hash = self.state().hash.clone().finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// How many lines there are.
    pub fn lines_len(&self) -> u64 {
        self.state().lines_len
    }

    /// All lines, or the last ones where not all are kept.
    pub fn lines(&self) -> Vec<String> {
        let state = self.state();
        state.all.clone().unwrap_or_else(|| state.tail.iter().cloned().collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
