//! A model that gives the answers that a test put down, in order, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_runtime::Runtime;
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_runtime::protocol::Usage;
use playhouse_runtime::protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_runtime::store::TaskStore;
use tokio::sync::Notify;

/// What an answer uses.
pub(super) const USED: Usage = Usage {
    model_calls: 1,
    prompt_tokens: 10,
    cached_prompt_tokens: 0,
    completion_tokens: 5,
    cost_nano_usd: 7,
};

/// An answer: its text and why it ended; nothing when the provider refuses the call.
type Answer = Option<(String, StopReason)>;

/// What the test sees and decides. It outlives runtimes.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    answers: Mutex<VecDeque<Answer>>,
    pub(super) asked: Mutex<Vec<CompletionRequest>>,
    /// Calls past this number are never answered.
    answers_max: AtomicUsize,
    /// Is told of each call that is not answered.
    pub(super) is_silent: Notify,
    /// Runtimes that were opened. Each draws ids of its own.
    opened: AtomicU64,
}

impl Oracle {
    pub(super) fn saying(answers: &[&str]) -> Arc<Self> {
        let answers = answers.iter().map(|text| Some(((*text).to_owned(), StopReason::Stop))).collect();
        let oracle = Self { answers: Mutex::new(answers), ..Self::default() };
        oracle.answer_at_most(usize::MAX);
        Arc::new(oracle)
    }

    pub(super) fn then_withholds(&self) {
        self.answers.lock().unwrap().push_back(Some((String::new(), StopReason::ContentFilter)));
    }

    pub(super) fn then_fails(&self) {
        self.answers.lock().unwrap().push_back(None);
    }

    pub(super) fn answer_at_most(&self, calls: usize) {
        self.answers_max.store(calls, Ordering::SeqCst);
    }

    /// What it was asked, message by message.
    pub(super) fn asked_texts(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let text = |request: &CompletionRequest| {
            request.messages.iter().map(|message| message.content.clone()).collect::<Vec<_>>().join("\n")
        };
        asked.iter().map(text).collect()
    }

    /// A runtime on a store.
    pub(super) async fn open(self: &Arc<Self>, store: Arc<dyn TaskStore>) -> Runtime {
        let info = ModelInfo {
            name: "oracle".to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: 100_000,
            completion_tokens_default: 100,
            structured_output: false,
        };
        Runtime::builder()
            .seed(self.opened.fetch_add(1, Ordering::SeqCst))
            .store(store)
            .model("oracle", Arc::new(Speaking { info, oracle: Arc::clone(self) }))
            .default_model("oracle")
            .start()
            .await
            .unwrap()
    }
}

#[derive(Debug)]
struct Speaking {
    info: ModelInfo,
    oracle: Arc<Oracle>,
}

impl ModelClient for Speaking {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let asked_len = {
            let mut asked = self.oracle.asked.lock().unwrap();
            asked.push(request);
            asked.len()
        };
        if asked_len > self.oracle.answers_max.load(Ordering::SeqCst) {
            self.oracle.is_silent.notify_one();
            return stream::pending().boxed();
        }
        let answer = self.oracle.answers.lock().unwrap().pop_front().unwrap();
        let Some((text, stop_reason)) = answer else {
            let kind = ModelErrorKind::Rejected { message: "no".to_owned() };
            return stream::iter([Err(ModelError::new(&self.info, kind))]).boxed();
        };
        let finished = CompletionEvent::Finished(Completion {
            text,
            stop_reason,
            usage: USED,
            usage_reported: true,
            route: Route::default(),
            origin: Origin { model: "oracle".to_owned(), provider: ProviderKind::Scripted, request_id: None },
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
