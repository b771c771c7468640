//! A model that knows the answers to some questions, and counts what it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_runtime::protocol::Usage;
use playhouse_runtime::protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use tokio::sync::Notify;

/// What an answer uses.
pub(super) const USED: Usage = Usage {
    model_calls: 1,
    prompt_tokens: 20,
    cached_prompt_tokens: 0,
    completion_tokens: 5,
    cost_nano_usd: 1_000,
};

/// A model for tests. It outlives runtimes.
#[derive(Debug)]
pub(super) struct Student {
    info: ModelInfo,
    /// Questions with the answers that are given to them; all others are answered wrongly.
    knows: BTreeMap<String, String>,
    /// Questions to which the provider refuses an answer.
    fails: BTreeSet<String>,
    asked: AtomicUsize,
    /// Calls past this number are never answered.
    answers_max: AtomicUsize,
    /// Is told of each call that is not answered.
    pub(super) is_silent: Notify,
}

impl Student {
    pub(super) fn new(name: &str, knows: impl IntoIterator<Item = (String, String)>) -> Arc<Self> {
        Self::failing(name, knows, [])
    }

    pub(super) fn failing<const N: usize>(
        name: &str,
        knows: impl IntoIterator<Item = (String, String)>,
        fails: [String; N],
    ) -> Arc<Self> {
        Arc::new(Self {
            info: ModelInfo {
                name: name.to_owned(),
                provider: ProviderKind::Local,
                context_tokens: 100_000,
                completion_tokens_default: 100,
                structured_output: false,
            },
            knows: knows.into_iter().collect(),
            fails: fails.into(),
            asked: AtomicUsize::new(0),
            answers_max: AtomicUsize::new(usize::MAX),
            is_silent: Notify::new(),
        })
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn answer_at_most(&self, calls: usize) {
        self.answers_max.store(calls, Ordering::SeqCst);
    }

    fn answer(&self, request: &CompletionRequest) -> Option<String> {
        let text = request.messages.last().map(|message| message.content.as_str()).unwrap_or_default();
        if self.fails.iter().any(|question| text.contains(question)) {
            return None;
        }
        let known = self.knows.iter().find(|(question, _)| text.contains(*question));
        let answer = known.map_or("987", |(_, answer)| answer.as_str());
        Some(format!("Let me see.\nFinal answer: {answer}"))
    }
}

/// The student as a runtime takes it.
#[derive(Debug)]
pub(super) struct Seat(pub(super) Arc<Student>);

impl ModelClient for Seat {
    fn info(&self) -> &ModelInfo {
        &self.0.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let number = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if number > self.0.answers_max.load(Ordering::SeqCst) {
            self.0.is_silent.notify_one();
            return stream::pending().boxed();
        }
        let Some(text) = self.0.answer(&request) else {
            let kind = ModelErrorKind::Rejected { message: "no".to_owned() };
            return stream::iter([Err(ModelError::new(&self.0.info, kind))]).boxed();
        };
        let finished = CompletionEvent::Finished(Completion {
            text,
            stop_reason: StopReason::Stop,
            usage: USED,
            usage_reported: true,
            route: Route::default(),
            origin: Origin {
                model: self.0.info.name.clone(),
                provider: ProviderKind::Local,
                request_id: None,
            },
        });
        stream::iter([Ok(finished)]).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}
