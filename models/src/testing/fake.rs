//! A model that does what a test lists.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use tokio::time::{Instant, sleep};

use super::info;
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::TokenCounter;

/// What one call does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Answers this text.
    Answer(&'static str),
    /// Answers these texts, each after its time.
    Slow(Vec<(Duration, &'static str)>),
    /// Fails with this, after texts.
    Fail(Vec<&'static str>, ModelErrorKind, Option<Duration>),
    /// Fails with this and this status.
    Status(u16, ModelErrorKind),
    /// Does this after a time.
    After(Duration, Box<Self>),
    /// Answers nothing, ever.
    Hang,
}

impl Step {
    pub(crate) fn after(self, wait: Duration) -> Self {
        Self::After(wait, Box::new(self))
    }
}

/// A model whose calls do what is listed, in order, and that notes when it was asked.
#[derive(Debug)]
pub(crate) struct FakeModel {
    info: ModelInfo,
    steps: Mutex<VecDeque<Step>>,
    /// What every call does once the list is at its end.
    default: Option<Step>,
    begun: Instant,
    asked_ms: Mutex<Vec<u128>>,
    running: Arc<Mutex<Running>>,
}

/// How many calls run.
#[derive(Debug, Default)]
struct Running {
    now: usize,
    most: usize,
}

/// A call that runs, until it is dropped.
struct Run(Arc<Mutex<Running>>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.lock().unwrap().now -= 1;
    }
}

impl FakeModel {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self::named("m", steps))
    }

    /// A model whose every call does the same.
    pub(crate) fn always(step: Step) -> Arc<Self> {
        Arc::new(Self { default: Some(step), ..Self::named("m", []) })
    }

    pub(crate) fn named(name: &str, steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            info: ModelInfo { name: name.to_owned(), ..info(ProviderKind::OpenAi) },
            steps: Mutex::new(steps.into_iter().collect()),
            default: None,
            begun: Instant::now(),
            asked_ms: Mutex::default(),
            running: Arc::default(),
        }
    }

    pub(crate) fn holding(mut self, context_tokens: u32) -> Self {
        self.info.context_tokens = context_tokens;
        self
    }

    /// When each call came, in milliseconds since the beginning.
    pub(crate) fn asked_ms(&self) -> Vec<u128> {
        self.asked_ms.lock().unwrap().clone()
    }

    /// The number of calls that run.
    pub(crate) fn running(&self) -> usize {
        self.running.lock().unwrap().now
    }

    /// The most calls that ever ran at once.
    pub(crate) fn running_most(&self) -> usize {
        self.running.lock().unwrap().most
    }

    fn run(&self) -> Run {
        let mut running = self.running.lock().unwrap();
        running.now += 1;
        running.most = running.most.max(running.now);
        Run(Arc::clone(&self.running))
    }

    fn events(&self, step: Step) -> CompletionStream {
        let delta = |text: &str| Ok(CompletionEvent::Delta(text.to_owned()));
        match step {
            Step::Hang => stream::pending().boxed(),
            Step::After(wait, step) => {
                let events = self.events(*step);
                stream::once(sleep(wait)).flat_map(|()| stream::empty()).chain(events).boxed()
            }
            Step::Status(status, kind) => {
                let error = ModelError { status: Some(status), ..ModelError::new(&self.info, kind) };
                stream::iter([Err(error)]).boxed()
            }
            Step::Fail(texts, kind, retry_after) => {
                let error = ModelError { retry_after, ..ModelError::new(&self.info, kind) };
                let events: Vec<_> = texts.into_iter().map(delta).chain([Err(error)]).collect();
                stream::iter(events).boxed()
            }
            Step::Answer(text) => {
                stream::iter([delta(text), Ok(CompletionEvent::Finished(self.answer(text)))]).boxed()
            }
            Step::Slow(texts) => {
                let whole: String = texts.iter().map(|(_, text)| *text).collect();
                let finished = Ok(CompletionEvent::Finished(self.answer(&whole)));
                let parts = stream::iter(texts)
                    .then(|(wait, text)| sleep(wait).map(|()| Ok(CompletionEvent::Delta(text.to_owned()))));
                parts.chain(stream::iter([finished])).boxed()
            }
        }
    }

    fn answer(&self, text: &str) -> Completion {
        Completion {
            text: text.to_owned(),
            stop_reason: StopReason::Stop,
            usage: Usage { model_calls: 1, prompt_tokens: 10, completion_tokens: 2, ..Usage::default() },
            usage_reported: true,
            route: Route { attempts: 1, ..Route::default() },
            origin: Origin {
                model: self.info.name.clone(),
                provider: ProviderKind::OpenAi,
                request_id: None,
            },
        }
    }
}

impl ModelClient for FakeModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, _: CompletionRequest) -> CompletionStream {
        self.asked_ms.lock().unwrap().push(self.begun.elapsed().as_millis());
        let step = self.steps.lock().unwrap().pop_front().or_else(|| self.default.clone());
        let run = self.run();
        let events = self.events(step.expect("a step for every call"));
        events
            .inspect(move |_| {
                let _ = &run;
            })
            .boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(CountsBytes)
    }
}

/// Counts each byte of a message as a token.
#[derive(Debug)]
struct CountsBytes;

impl TokenCounter for CountsBytes {
    fn encoding(&self) -> &'static str {
        "bytes"
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn count(&self, text: &str) -> u64 {
        text.len() as u64
    }

    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        messages.iter().map(|message| self.count(&message.content)).sum()
    }
}
