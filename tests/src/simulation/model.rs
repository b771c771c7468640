//! A model that misbehaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, pending};
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_runtime::protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_runtime::protocol::{TaskId, Usage};

use super::disk::Disk;
use super::draws::{Draws, place_of};
use super::log::Log;
use super::world::Clock;

/// The answer to a question, the same every time.
pub fn answer(question: &str) -> String {
    format!("{:016x}", place_of(question))
}

/// A model of one life. What it was asked outlives it.
#[derive(Debug)]
pub struct FaultyModel {
    /// What is known of it.
    pub info: ModelInfo,
    /// From where faults are drawn.
    pub draws: Draws,
    /// Where it is told.
    pub log: Log,
    /// The time.
    pub clock: Clock,
    /// What is written of its answers.
    pub disk: Arc<Disk>,
    /// How often it was asked what.
    pub asked: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl FaultyModel {
    /// The name under which it is registered.
    pub const NAME: &'static str = "faulty";

    /// What is known of it.
    pub fn info() -> ModelInfo {
        ModelInfo {
            name: Self::NAME.to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: 100_000,
            completion_tokens_default: 100,
            structured_output: false,
        }
    }

    /// Counts a question and checks that it is not one whose answer is written down. Questions begin with their
    /// task's id.
    fn note(&self, question: &str) -> u64 {
        let task = question.split(' ').next().and_then(|id| id.parse::<TaskId>().ok());
        if task.is_some_and(|task| self.disk.is_recorded(task, question)) {
            self.log.violate(format!("asked again, though its answer is recorded: {question}"));
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(question.to_owned()).or_default();
        *times += 1;
        *times
    }

    fn completion(&self, text: String) -> Completion {
        Completion {
            text,
            stop_reason: StopReason::Stop,
            usage: Usage { model_calls: 1, prompt_tokens: 7, completion_tokens: 3, ..Usage::default() },
            usage_reported: true,
            route: Route::default(),
            origin: Origin {
                model: self.info.name.clone(),
                provider: ProviderKind::Scripted,
                request_id: None,
            },
        }
    }

    fn fault(&self, place: u64) -> Option<ModelErrorKind> {
        match self.draws.below(1_000, "model fault", place) {
            0..40 => Some(ModelErrorKind::ServerError { message: format!("outage {}", place % 1_000) }),
            40..50 => Some(ModelErrorKind::ServerError { message: "the model is down".to_owned() }),
            50..60 => Some(ModelErrorKind::QueueFull { queue_len: 1 }),
            60..65 => Some(ModelErrorKind::Unauthorized { message: "no".to_owned() }),
            _ => None,
        }
    }
}

impl ModelClient for FaultyModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let question = request.messages.last().map(|message| message.content.clone()).unwrap_or_default();
        let times = self.note(&question);
        let place = place_of(&question) ^ times;
        self.log.line(self.clock.now_ms(), &format!("asked {times}: {question}"));
        assert!(!self.draws.happens(5, "model panics", place), "the provider fell over");
        if self.draws.happens(5, "model hangs", place) {
            return stream::once(pending()).boxed();
        }
        let ended = match self.fault(place) {
            Some(kind) => Err(ModelError::new(&self.info, kind)),
            None => Ok(CompletionEvent::Finished(self.completion(answer(&question)))),
        };
        let after = Duration::from_millis(self.draws.below(2_000, "model takes", place));
        let draws = self.draws;
        let answered = async move {
            draws.dawdle("answer", place).await;
            tokio::time::sleep(after).await;
            ended
        };
        answered.into_stream().boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}
