//! A model that answers from a script.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_protocol::completion::{Completion, CompletionRequest, Origin, ProviderKind, Route};
use playhouse_protocol::{FailureClass, Usage};

use super::script::{Outcome, Reply, Script, ScriptedError};
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::tokens::{TokenCounter, estimate};

/// A model that answers from a script.
#[derive(Debug)]
pub struct ScriptedModel {
    info: ModelInfo,
    script: Script,
    /// How many requests each entry has matched so far, `nth` left aside.
    matched: Mutex<Vec<u64>>,
    tokens: Arc<dyn TokenCounter>,
}

impl ScriptedModel {
    /// A model that answers from `script`. Whatever `info` says, its provider is
    /// [`ProviderKind::Scripted`].
    pub fn new(info: ModelInfo, script: Script, tokens: Arc<dyn TokenCounter>) -> Self {
        let info = ModelInfo { provider: ProviderKind::Scripted, ..info };
        let matched = Mutex::new(vec![0; script.entries.len()]);
        Self { info, script, matched, tokens }
    }

    /// The reply to a request: the first entry that matches, else the default. Every entry that matches counts the
    /// request, whether or not it answers.
    fn reply(&self, request: &CompletionRequest) -> Result<Reply, ModelError> {
        let mut matched = self.matched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reply = None;
        for (entry, seen) in self.script.entries.iter().zip(matched.iter_mut()) {
            if entry.matches.holds(request) {
                *seen += 1;
                if reply.is_none() && entry.matches.nth.is_none_or(|nth| nth == *seen) {
                    reply = Some(entry.reply.clone());
                }
            }
        }
        reply.or_else(|| self.script.default.clone()).ok_or_else(|| {
            let path = self.script.path.display().to_string();
            ModelError::new(&self.info, ModelErrorKind::NotScripted { path })
        })
    }

    fn error(&self, error: &ScriptedError) -> ModelError {
        let message = error.message.clone();
        let kind = match (error.status, error.class) {
            (Some(401..=403), _) | (_, Some(FailureClass::Denied)) => {
                ModelErrorKind::Unauthorized { message }
            }
            (Some(404), _) => ModelErrorKind::NoSuchModel { message },
            (Some(429), _) => ModelErrorKind::RateLimited { message },
            (Some(500..), _) | (_, Some(FailureClass::Retryable)) => ModelErrorKind::ServerError { message },
            (Some(_), _) | (_, Some(FailureClass::InvalidInput)) => ModelErrorKind::Rejected { message },
            (_, Some(FailureClass::Overloaded)) => ModelErrorKind::QueueFull { queue_len: 0 },
            (_, Some(FailureClass::Deadline)) => {
                ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms: 0 }
            }
            (_, Some(FailureClass::Cancelled | FailureClass::Internal) | None) => {
                ModelErrorKind::Internal { reason: message }
            }
        };
        let mut scripted = ModelError::new(&self.info, kind);
        scripted.status = error.status;
        scripted.retry_after = error.retry_after_ms.map(Duration::from_millis);
        scripted
    }

    /// The events of a reply, without its delay.
    fn events(&self, reply: Reply, request: CompletionRequest) -> CompletionStream {
        let (text, stop_reason, usage, words_per_chunk) = match reply.outcome {
            Outcome::Error(error) => return stream::iter([Err(self.error(&error))]).boxed(),
            Outcome::Answer { text, stop_reason, usage, words_per_chunk } => {
                (text, stop_reason, usage, words_per_chunk)
            }
        };
        let origin =
            Origin { model: self.info.name.clone(), provider: ProviderKind::Scripted, request_id: None };
        let wait = reply.chunk_delay;
        let deltas =
            stream::iter(chunks(&text, words_per_chunk)).enumerate().then(move |(at, chunk)| async move {
                if at > 0 && !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                Ok(CompletionEvent::Delta(chunk))
            });
        let tokens = Arc::clone(&self.tokens);
        let finished = async move {
            let (usage, usage_reported) = match usage {
                Some(usage) => {
                    let usage = Usage {
                        model_calls: 1,
                        prompt_tokens: usage.prompt,
                        completion_tokens: usage.completion,
                        cached_prompt_tokens: usage.cached_prompt,
                        cost_nano_usd: 0,
                    };
                    (usage, true)
                }
                None => (estimate::usage(tokens, request.messages, text.clone()).await, false),
            };
            let route = Route { attempts: 1, ..Route::default() };
            let completion = Completion { text, stop_reason, usage, usage_reported, origin, route };
            Ok(CompletionEvent::Finished(completion))
        };
        deltas.chain(finished.into_stream()).boxed()
    }
}

/// The text in runs of `words` words, each with the white space before it; together they are the text.
fn chunks(text: &str, words: usize) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut chunk = String::new();
    let mut words_in_chunk = 0;
    let mut in_word = false;
    for c in text.chars() {
        if in_word && c.is_whitespace() {
            words_in_chunk += 1;
            if words_in_chunk == words {
                chunks.push(std::mem::take(&mut chunk));
                words_in_chunk = 0;
            }
        }
        in_word = !c.is_whitespace();
        chunk.push(c);
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

impl ModelClient for ScriptedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        match self.reply(&request) {
            Err(error) => stream::iter([Err(error)]).boxed(),
            Ok(reply) => {
                let delay = reply.delay;
                let events = self.events(reply, request);
                if delay.is_zero() {
                    return events;
                }
                let delayed = async move {
                    tokio::time::sleep(delay).await;
                    events
                };
                delayed.flatten_stream().boxed()
            }
        }
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.tokens)
    }
}
