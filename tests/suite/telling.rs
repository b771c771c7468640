//! A model that tells what it is told to, part by part, and an agent that repeats what it hears.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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
use playhouse_runtime::protocol::{Usage, WallClock};
use playhouse_runtime::store::TaskStore;
use playhouse_runtime::{Agent, AgentContext, AgentError, AnswerPart, ModelCall, Runtime};
use tokio::sync::Notify;

/// The longest answer of the model, in tokens.
pub(super) const ANSWER_TOKENS: u64 = 100;

/// What an answer uses.
pub(super) const USED: Usage = Usage {
    model_calls: 1,
    prompt_tokens: 10,
    cached_prompt_tokens: 0,
    completion_tokens: 5,
    cost_nano_usd: 7,
};

/// What the test sees and decides. It outlives runtimes.
#[derive(Debug)]
pub(super) struct Tale {
    /// The parts before the end; a part "!" is a restart, "…" waits for `go`.
    pub(super) parts: Mutex<Vec<&'static str>>,
    pub(super) go: Notify,
    /// Whether calls fail.
    pub(super) is_broken: AtomicBool,
    pub(super) asked: AtomicUsize,
    /// Calls past this number are never answered.
    pub(super) answers_max: AtomicUsize,
    /// How often [`Listener`] panics behind its first question.
    pub(super) panics: AtomicUsize,
    /// The time of day.
    pub(super) unix_ms: AtomicU64,
    /// Runtimes that were opened. Each draws ids of its own.
    opened: AtomicU64,
}

impl Tale {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            parts: Mutex::default(),
            go: Notify::new(),
            is_broken: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            answers_max: AtomicUsize::new(usize::MAX),
            panics: AtomicUsize::new(0),
            unix_ms: AtomicU64::new(0),
            opened: AtomicU64::new(0),
        })
    }
}

impl WallClock for Tale {
    fn unix_ms(&self) -> u64 {
        self.unix_ms.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Teller {
    info: ModelInfo,
    tale: Arc<Tale>,
}

impl ModelClient for Teller {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, _: CompletionRequest) -> CompletionStream {
        let asked = self.tale.asked.fetch_add(1, Ordering::SeqCst);
        if asked >= self.tale.answers_max.load(Ordering::SeqCst) {
            return stream::pending().boxed();
        }
        // What was heard of an earlier answer lets no part of this one through.
        let _ = self.tale.go.notified().now_or_never();
        if self.tale.is_broken.load(Ordering::SeqCst) {
            let kind = ModelErrorKind::Rejected { message: "no".to_owned() };
            return stream::iter([Err(ModelError::new(&self.info, kind))]).boxed();
        }
        let parts = self.tale.parts.lock().unwrap().clone();
        let finished = CompletionEvent::Finished(Completion {
            text: "the end".to_owned(),
            stop_reason: StopReason::Stop,
            usage: USED,
            usage_reported: true,
            route: Route::default(),
            origin: Origin { model: "teller".to_owned(), provider: ProviderKind::Scripted, request_id: None },
        });
        let tale = Arc::clone(&self.tale);
        let events = stream::iter(parts).filter_map(move |part| {
            let tale = Arc::clone(&tale);
            async move {
                match part {
                    "…" => {
                        tale.go.notified().await;
                        None
                    }
                    "!" => Some(CompletionEvent::Restarted { reason: "it was cut".to_owned() }),
                    text => Some(CompletionEvent::Delta(text.to_owned())),
                }
            }
        });
        events.chain(stream::iter([finished])).map(Ok).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}

/// Asks as often as it is told and answers with the parts that it heard, then why the model was chosen.
pub(super) struct Listener(Arc<Tale>);

impl Agent for Listener {
    const KIND: &'static str = "listener";
    type Request = u32;
    type Reply = Vec<String>;

    async fn run(&self, ctx: &mut AgentContext, questions: u32) -> Result<Vec<String>, AgentError> {
        let mut heard = Vec::new();
        for number in 0..questions {
            let call = ModelCall {
                task_type: Self::KIND,
                model: None,
                label: "listen".to_owned(),
                request: CompletionRequest::new(vec![ChatMessage::user("hi")]),
            };
            let answer = ctx.stream(call, |part| {
                heard.push(match part {
                    AnswerPart::Text(text) => text,
                    AnswerPart::Restarted { reason } => format!("! {reason}"),
                });
                // The model goes on only when its agent has heard it.
                self.0.go.notify_one();
            });
            let reason = answer.await?.route.reason;
            heard.push(reason);
            let left = |panics: usize| panics.checked_sub(1);
            let may_panic = self.0.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok();
            assert!(number > 0 || !may_panic, "the listener fell off its chair");
        }
        Ok(heard)
    }
}

/// A runtime on a store, at the tale's time.
pub(super) async fn open(
    tale: &Arc<Tale>,
    store: Arc<dyn TaskStore>,
    change: impl FnOnce(&mut Config),
) -> Runtime {
    let mut config = Config::default();
    change(&mut config);
    let info = ModelInfo {
        name: "teller".to_owned(),
        provider: ProviderKind::Scripted,
        context_tokens: 100_000,
        completion_tokens_default: u32::try_from(ANSWER_TOKENS).unwrap(),
        structured_output: false,
    };
    Runtime::builder()
        .config(config)
        .seed(tale.opened.fetch_add(1, Ordering::SeqCst))
        .clock(Arc::clone(tale) as _)
        .store(store)
        .model("teller", Arc::new(Teller { info, tale: Arc::clone(tale) }))
        .default_model("teller")
        .agent(Listener(Arc::clone(tale)))
        .start()
        .await
        .unwrap()
}
