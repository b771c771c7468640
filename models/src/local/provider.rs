//! The embedded model behind the face of every model.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, ProviderKind};
use tokio::sync::oneshot;

use super::error::LocalError;
use super::slot::slot;
use super::worker::{Job, JobQueue, Settings, run};
use crate::client::{CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::TokenCounter;

/// Requests that wait for one model. Each is answered in seconds, so whoever came later than these would wait
/// for minutes; it is better told at once.
pub const QUEUE_LEN_MAX: usize = 64;
/// Bytes per token where the vocabulary cannot be read: a low estimate, so that counts err on the high side.
const BYTES_PER_TOKEN: u64 = 3;

/// What to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalOptions {
    /// The catalog entry.
    pub name: String,
    /// The GGUF file.
    pub path: PathBuf,
    /// Threads that compute; `None` takes one for small models and up to four for others.
    pub threads: Option<usize>,
    /// Tokens of prompt and answer together; the file's own limit holds where it is lower.
    pub context_tokens: u32,
    /// The longest answer, in tokens, when a request does not say.
    pub completion_tokens_default: u32,
    /// Seed of sampled answers when a request has none.
    pub seed: u64,
}

/// A model that runs in this process. It is loaded with the first request; dropping it ends its thread once the
/// answers that somebody waits for are given.
#[derive(Debug)]
pub struct LocalModel {
    settings: Arc<Settings>,
    queue: Arc<JobQueue>,
    /// Whether the worker thread runs.
    started: Mutex<bool>,
}

impl LocalModel {
    /// A model that is not loaded yet. Reads nothing.
    pub fn new(options: LocalOptions) -> Self {
        let info = ModelInfo {
            name: options.name,
            provider: ProviderKind::Local,
            context_tokens: options.context_tokens,
            completion_tokens_default: options.completion_tokens_default,
            structured_output: false,
        };
        Self {
            settings: Arc::new(Settings::new(info, options.path, options.threads, options.seed)),
            queue: Arc::new(JobQueue::new(QUEUE_LEN_MAX)),
            started: Mutex::new(false),
        }
    }

    /// Tokens of a text, exactly. The first call reads the file's head, which takes up to a second: call it off
    /// the async threads.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn count_tokens(&self, text: &str) -> Result<u64, LocalError> {
        count_tokens(&self.settings, text)
    }

    /// Tokens of a conversation with the model's framing and the beginning of the answer, exactly. The first
    /// call reads the file's head, as with [`count_tokens`](Self::count_tokens).
    ///
    /// # Errors
    /// When the file cannot be used, or the model's template refuses the conversation.
    pub fn count_chat(&self, messages: &[ChatMessage]) -> Result<u64, LocalError> {
        count_chat(&self.settings, messages)
    }

    /// Hands a job to the worker, which is started if need be.
    fn submit(&self, job: Job) -> Result<(), ModelErrorKind> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*started {
            let (settings, queue) = (Arc::clone(&self.settings), Arc::clone(&self.queue));
            thread::Builder::new()
                .name(format!("local-{}", self.settings.info.name))
                .spawn(move || run(&settings, &queue))
                .map_err(|error| ModelErrorKind::Internal { reason: format!("start a thread: {error}") })?;
            *started = true;
        }
        drop(started);
        self.queue.push(job).map_err(|refused| ModelErrorKind::QueueFull { queue_len: refused.queue_len })
    }

    /// Keeps the worker from being started, for tests of the queue.
    #[cfg(test)]
    pub(super) fn pretend_started(&self) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn error(&self, kind: ModelErrorKind) -> ModelError {
        ModelError::new(&self.settings.info, kind)
    }
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl ModelClient for LocalModel {
    fn info(&self) -> &ModelInfo {
        &self.settings.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let (answer, reader) = slot();
        if let Err(kind) = self.submit(Job::Complete { request, answer }) {
            return stream::iter([Err(self.error(kind))]).boxed();
        }
        stream::unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) }).boxed()
    }

    /// Loads the model, behind the requests that wait already.
    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        let (reply, outcome) = oneshot::channel();
        let submitted = self.submit(Job::Load { reply });
        Box::pin(async move {
            submitted.map_err(|kind| self.error(kind))?;
            let gone = |_| ModelErrorKind::Internal { reason: "the worker ended".to_owned() };
            outcome.await.map_err(gone).flatten().map_err(|kind| self.error(kind))
        })
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(LocalTokens { settings: Arc::clone(&self.settings), readable: AtomicBool::new(true) })
    }
}

fn count_tokens(settings: &Settings, text: &str) -> Result<u64, LocalError> {
    let tokens = settings.vocabulary()?.encode(text).map_err(|reason| reason.at(&settings.path))?;
    Ok(tokens.len() as u64)
}

fn count_chat(settings: &Settings, messages: &[ChatMessage]) -> Result<u64, LocalError> {
    let vocabulary = settings.vocabulary()?;
    let tokens = vocabulary.template().render(messages).and_then(|text| vocabulary.encode_prompt(&text));
    Ok(tokens.map_err(|reason| reason.at(&settings.path))?.len() as u64)
}

/// Counts by the model's own vocabulary; where the file cannot be read, estimates by length.
#[derive(Debug)]
struct LocalTokens {
    settings: Arc<Settings>,
    readable: AtomicBool,
}

impl LocalTokens {
    fn or_estimate(&self, count: Result<u64, LocalError>, bytes: usize) -> u64 {
        self.readable.store(count.is_ok(), Ordering::Relaxed);
        count.unwrap_or_else(|_| (bytes as u64).div_ceil(BYTES_PER_TOKEN))
    }
}

impl TokenCounter for LocalTokens {
    fn encoding(&self) -> &'static str {
        "gguf"
    }

    /// Says no once the file could not be read for a count.
    fn is_exact(&self) -> bool {
        self.readable.load(Ordering::Relaxed)
    }

    fn count(&self, text: &str) -> u64 {
        self.or_estimate(count_tokens(&self.settings, text), text.len())
    }

    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        let bytes = messages.iter().map(|message| message.content.len()).sum();
        self.or_estimate(count_chat(&self.settings, messages), bytes)
    }
}
