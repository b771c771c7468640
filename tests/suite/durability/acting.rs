//! An agent that does what its request lists, and a model that counts what it is asked.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_runtime::config::Config;
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_runtime::protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_runtime::protocol::{Failure, FailureClass, Usage};
use playhouse_runtime::store::{SqliteStore, TaskStore};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// One thing that [`Acting`] does. Its reply is what the acts gave, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Act {
    /// Asks the model this.
    Call(String),
    /// Asks the model and goes on when it fails.
    TryCall(String),
    /// Has another of its kind do this.
    Ask(Vec<Act>),
    /// Has another of its kind do this, and goes on when it fails.
    TryAsk(Vec<Act>),
    /// Draws a number that is another one each time, as a step.
    Draw,
    /// Draws a number and asks the model for it, without writing the number down.
    CallAtRandom,
    /// Panics, once in the stage's life when `once`.
    Panic { once: bool },
    /// Fails with this class and text.
    Fail(FailureClass, String),
    /// Fails with a text that is another one each time.
    FailAnew,
    /// Waits until the test lets it go.
    Wait,
}

/// What outlives a runtime: what the test sees and decides.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// How often the model was asked what.
    asked: Mutex<BTreeMap<String, usize>>,
    drawn: AtomicUsize,
    panicked: AtomicBool,
    /// Questions with this text fail as long as it is set.
    pub(super) is_broken: AtomicBool,
    pub(super) waits: Notify,
    pub(super) go: Notify,
}

impl Stage {
    pub(super) fn asked(&self, question: &str) -> usize {
        self.asked.lock().unwrap().get(question).copied().unwrap_or_default()
    }

    pub(super) fn asked_in_all(&self) -> usize {
        self.asked.lock().unwrap().values().sum()
    }
}

pub(super) struct Acting(Arc<Stage>);

impl Agent for Acting {
    const KIND: &'static str = "acting";
    type Request = Vec<Act>;
    type Reply = Vec<String>;

    fn validate(&self, request: &Vec<Act>) -> Result<(), Failure> {
        match request.as_slice() {
            [] => Err(Failure::invalid("act: there is nothing to do")),
            _ => Ok(()),
        }
    }

    async fn run(&self, ctx: &mut AgentContext, acts: Vec<Act>) -> Result<Vec<String>, AgentError> {
        let mut told = Vec::new();
        for act in acts {
            told.push(self.act(ctx, act).await?);
        }
        Ok(told)
    }
}

impl Acting {
    async fn act(&self, ctx: &mut AgentContext, act: Act) -> Result<String, AgentError> {
        match act {
            Act::Call(question) => self.call(ctx, question).await,
            Act::TryCall(question) => Ok(match self.call(ctx, question).await {
                Ok(answer) => answer,
                Err(error) => format!("failed to {}", Failure::from(error)),
            }),
            Act::Ask(acts) => Ok(ctx.ask::<Self>(acts).await?.join("+")),
            Act::TryAsk(acts) => Ok(match ctx.ask::<Self>(acts).await {
                Ok(told) => told.join("+"),
                Err(error) => format!("failed to {}", Failure::from(error)),
            }),
            Act::Draw => {
                let draw = async { Ok(self.0.drawn.fetch_add(1, Ordering::SeqCst)) };
                Ok(ctx.step("draw a number", draw).await?.to_string())
            }
            Act::CallAtRandom => {
                let number = self.0.drawn.fetch_add(1, Ordering::SeqCst);
                self.call(ctx, format!("number {number}")).await
            }
            Act::Panic { once } => {
                assert!(once && self.0.panicked.swap(true, Ordering::SeqCst), "the stage collapsed");
                Ok("stood".to_owned())
            }
            Act::Fail(class, text) => Err(Failure::new(class, text).into()),
            Act::FailAnew => {
                let number = self.0.drawn.fetch_add(1, Ordering::SeqCst);
                Err(Failure::new(FailureClass::Retryable, format!("fail for the {number}th time")).into())
            }
            Act::Wait => {
                self.0.waits.notify_one();
                self.0.go.notified().await;
                Ok("went".to_owned())
            }
        }
    }

    async fn call(&self, ctx: &mut AgentContext, question: String) -> Result<String, AgentError> {
        Ok(ctx.complete(CompletionRequest::new(vec![ChatMessage::user(question)])).await?.text)
    }
}

/// Answers each question with the question in capitals, and counts.
#[derive(Debug)]
struct CountingModel {
    info: ModelInfo,
    stage: Arc<Stage>,
}

impl ModelClient for CountingModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let question = request.messages.last().unwrap().content.clone();
        *self.stage.asked.lock().unwrap().entry(question.clone()).or_default() += 1;
        if self.stage.is_broken.load(Ordering::SeqCst) {
            let kind = ModelErrorKind::ServerError { message: "the model is down".to_owned() };
            return stream::iter([Err(ModelError::new(&self.info, kind))]).boxed();
        }
        let usage = Usage { model_calls: 1, prompt_tokens: 10, completion_tokens: 5, ..Usage::default() };
        let origin =
            Origin { model: self.info.name.clone(), provider: ProviderKind::Scripted, request_id: None };
        let completion = Completion {
            text: question.to_uppercase(),
            stop_reason: StopReason::Stop,
            usage,
            usage_reported: true,
            route: Route::default(),
            origin,
        };
        stream::iter([Ok(CompletionEvent::Finished(completion))]).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}

/// A journal in a file, and the stage. Runtimes come and go on it.
pub(super) struct Theatre {
    folder: tempfile::TempDir,
    pub(super) stage: Arc<Stage>,
    /// Drawn anew for each runtime, or two of them would give out the same task ids.
    seeds: AtomicUsize,
}

impl Theatre {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), stage: Arc::default(), seeds: AtomicUsize::new(1) }
    }

    /// A runtime on the journal.
    pub(super) async fn open(&self) -> Runtime {
        self.open_with(|_| {}).await
    }

    pub(super) async fn open_with(&self, change: impl FnOnce(&mut Config)) -> Runtime {
        let mut config = Config::default();
        config.attempts.backoff_initial = Duration::from_millis(1);
        change(&mut config);
        let store: Arc<dyn TaskStore> =
            Arc::new(SqliteStore::open(&self.folder.path().join("journal.db")).unwrap());
        let info = ModelInfo {
            name: "counting".to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: 100_000,
            completion_tokens_default: 100,
            structured_output: false,
        };
        let model = Arc::new(CountingModel { info, stage: Arc::clone(&self.stage) });
        Runtime::builder()
            .config(config)
            .seed(self.seeds.fetch_add(1, Ordering::SeqCst) as u64)
            .store(store)
            .model("counting", model)
            .default_model("counting")
            .agent(Acting(Arc::clone(&self.stage)))
            .start()
            .await
            .unwrap()
    }

    /// A runtime that is stopped in the middle of its work, as soon as `work` is over.
    pub(super) async fn interrupt_after<T, F: Future<Output = T>>(
        &self,
        work: impl FnOnce(Runtime) -> F,
    ) -> T {
        let runtime = self.open().await;
        let done = work(runtime.clone()).await;
        runtime.shutdown(Duration::ZERO).await;
        done
    }
}

pub(super) fn call(question: &str) -> Act {
    Act::Call(question.to_owned())
}
