//! The agent and the model of a load run, and what goes wrong with them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{self, BoxFuture};
use futures::{FutureExt as _, StreamExt as _};
use playhouse_models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, StopReason,
};
use playhouse_runtime::{Agent, AgentContext, AgentError, ModelCall};
use serde::{Deserialize, Serialize};

use super::draw;
use crate::args::LoadArgs;

/// The name of the scripted model of a load run.
pub(super) const MODEL: &str = "load";

/// What goes wrong, drawn from the seed and a place.
#[derive(Debug)]
pub(super) struct Faults {
    seed: u64,
    latency: Duration,
    fail: f64,
    panic: f64,
    /// Questions that are to fail when they are asked next.
    failing: Mutex<BTreeSet<String>>,
}

impl Faults {
    pub(super) fn new(args: &LoadArgs) -> Self {
        Self {
            seed: args.seed,
            latency: Duration::from_millis(args.latency_ms),
            fail: args.fail,
            panic: args.panic,
            failing: Mutex::default(),
        }
    }

    fn panics(&self, task: u64, attempt: u32) -> bool {
        self.panic > 0.0 && draw(self.seed, &format!("panic {task} {attempt}")) < self.panic
    }

    /// Draws whether a question of this attempt fails.
    fn prepare(&self, question: &str, attempt: u32) {
        if self.fail > 0.0 && draw(self.seed, &format!("fail {question} {attempt}")) < self.fail {
            self.failing.lock().unwrap_or_else(PoisonError::into_inner).insert(question.to_owned());
        }
    }

    fn fails(&self, question: &str) -> bool {
        self.fail > 0.0 && self.failing.lock().unwrap_or_else(PoisonError::into_inner).remove(question)
    }
}

/// One task of a load run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoadTask {
    pub(super) number: u64,
    pub(super) calls: u32,
}

/// Makes its model calls, one after the other, and panics now and then.
#[derive(Debug)]
pub(super) struct LoadAgent {
    faults: Arc<Faults>,
    model: Option<String>,
}

impl LoadAgent {
    pub(super) const fn new(faults: Arc<Faults>, model: Option<String>) -> Self {
        Self { faults, model }
    }
}

impl Agent for LoadAgent {
    const KIND: &'static str = "load";
    type Request = LoadTask;
    type Reply = u64;

    async fn run(&self, ctx: &mut AgentContext, task: LoadTask) -> Result<u64, AgentError> {
        let (number, attempt) = (task.number, ctx.attempt());
        for call in 0..task.calls {
            let question = format!("task {number} call {call}");
            self.faults.prepare(&question, attempt);
            let request = CompletionRequest {
                completion_tokens_max: Some(16),
                ..CompletionRequest::new(vec![ChatMessage::user(question)])
            };
            let (task_type, label) = (Self::KIND, format!("call {call}"));
            ctx.call(ModelCall { task_type, model: self.model.clone(), label, request }).await?;
        }
        if self.faults.panics(number, attempt) {
            crash(number, attempt);
        }
        Ok(number)
    }
}

#[expect(clippy::panic, reason = "that is what was asked for with --panic")]
fn crash(number: u64, attempt: u32) {
    panic!("attempt {attempt} at task {number} was drawn to panic");
}

/// Answers after its latency, or fails.
#[derive(Debug)]
pub(super) struct LoadModel {
    info: Arc<ModelInfo>,
    faults: Arc<Faults>,
}

impl LoadModel {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        let info = ModelInfo {
            name: MODEL.to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: 100_000,
            completion_tokens_default: 16,
            structured_output: false,
        };
        Self { info: Arc::new(info), faults }
    }
}

impl ModelClient for LoadModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let question = request.messages.last().map_or("", |message| &message.content);
        let fails = self.faults.fails(question);
        let (info, latency) = (Arc::clone(&self.info), self.faults.latency);
        let answer = async move {
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            if fails {
                let kind = ModelErrorKind::ServerError { message: "drawn to fail".to_owned() };
                return Err(ModelError::new(&info, kind));
            }
            let usage = Usage { model_calls: 1, prompt_tokens: 8, completion_tokens: 2, ..Usage::default() };
            let origin =
                Origin { model: info.name.clone(), provider: ProviderKind::Scripted, request_id: None };
            Ok(CompletionEvent::Finished(Completion {
                text: "All well.".to_owned(),
                stop_reason: StopReason::Stop,
                usage,
                usage_reported: true,
                origin,
            }))
        };
        answer.into_stream().boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}
