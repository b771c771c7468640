//! A model that does what a test lists.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use tokio::time::Instant;

use super::info;
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::{TiktokenCounter, TokenCounter};

/// What one call does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Answers this text.
    Answer(&'static str),
    /// Fails with this, after texts.
    Fail(Vec<&'static str>, ModelErrorKind, Option<Duration>),
    /// Answers nothing, ever.
    Hang,
}

/// A model whose calls do what is listed, in order, and that notes when it was asked.
#[derive(Debug)]
pub(crate) struct FakeModel {
    info: ModelInfo,
    steps: Mutex<VecDeque<Step>>,
    begun: Instant,
    asked_ms: Mutex<Vec<u128>>,
}

impl FakeModel {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            info: info(ProviderKind::OpenAi),
            steps: Mutex::new(steps.into_iter().collect()),
            begun: Instant::now(),
            asked_ms: Mutex::default(),
        })
    }

    /// When each call came, in milliseconds since the beginning.
    pub(crate) fn asked_ms(&self) -> Vec<u128> {
        self.asked_ms.lock().unwrap().clone()
    }
}

impl ModelClient for FakeModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, _: CompletionRequest) -> CompletionStream {
        self.asked_ms.lock().unwrap().push(self.begun.elapsed().as_millis());
        let delta = |text: &str| Ok(CompletionEvent::Delta(text.to_owned()));
        match self.steps.lock().unwrap().pop_front().expect("a step for every call") {
            Step::Hang => stream::pending().boxed(),
            Step::Fail(texts, kind, retry_after) => {
                let mut error = ModelError::new(&self.info, kind);
                error.retry_after = retry_after;
                let events: Vec<_> = texts.into_iter().map(delta).chain([Err(error)]).collect();
                stream::iter(events).boxed()
            }
            Step::Answer(text) => {
                let completion = Completion {
                    text: text.to_owned(),
                    stop_reason: StopReason::Stop,
                    usage: Usage {
                        model_calls: 1,
                        prompt_tokens: 10,
                        completion_tokens: 2,
                        ..Usage::default()
                    },
                    usage_reported: true,
                    route: Route { attempts: 1, ..Route::default() },
                    origin: Origin {
                        model: "m".to_owned(),
                        provider: ProviderKind::OpenAi,
                        request_id: None,
                    },
                };
                stream::iter([delta(text), Ok(CompletionEvent::Finished(completion))]).boxed()
            }
        }
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4"))
    }
}
