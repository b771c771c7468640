//! What the worker is given to do, and what it knows of its model.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use playhouse_protocol::completion::CompletionRequest;
use tokio::sync::oneshot;

use crate::client::ModelInfo;
use crate::error::ModelErrorKind;
use crate::local::error::LocalError;
use crate::local::slot::SlotWriter;
use crate::local::vocabulary::Vocabulary;

/// A piece of work.
#[derive(Debug)]
pub(in crate::local) enum Job {
    /// From `stream` and `complete`: answer into the slot. A slot that is dropped unfinished is a fault.
    Complete { request: CompletionRequest, answer: SlotWriter },
    /// From `ping`: load the model if it is not. The reply says whether it can be asked.
    Load { reply: oneshot::Sender<Result<(), ModelErrorKind>> },
}

impl Job {
    /// Whether nobody waits for the outcome any more.
    pub(super) fn is_cancelled(&self) -> bool {
        match self {
            Self::Complete { answer, .. } => answer.is_cancelled(),
            Self::Load { reply } => reply.is_closed(),
        }
    }
}

/// What the provider, its token counter and its worker share.
#[derive(Debug)]
pub(in crate::local) struct Settings {
    pub(in crate::local) info: ModelInfo,
    pub(in crate::local) path: PathBuf,
    pub(in crate::local) threads: Option<usize>,
    pub(in crate::local) seed: u64,
    vocabulary: Mutex<Option<Arc<Vocabulary>>>,
}

impl Settings {
    pub(in crate::local) fn new(info: ModelInfo, path: PathBuf, threads: Option<usize>, seed: u64) -> Self {
        Self { info, path, threads, seed, vocabulary: Mutex::new(None) }
    }

    /// The model's vocabulary, read from the file's head on first use. A failure is not remembered: the file
    /// may have been fetched when it is asked for again.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub(in crate::local) fn vocabulary(&self) -> Result<Arc<Vocabulary>, LocalError> {
        let mut known = self.vocabulary.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vocabulary) = &*known {
            return Ok(Arc::clone(vocabulary));
        }
        let vocabulary = Vocabulary::open(&self.path).map_err(|reason| reason.at(&self.path))?;
        Ok(Arc::clone(known.insert(Arc::new(vocabulary))))
    }
}
