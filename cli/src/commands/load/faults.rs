//! The agent and the model of a load run, and what goes wrong with them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{self, BoxFuture};
use futures::{FutureExt as _, StreamExt as _};
use playhouse_models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_protocol::{RandomSource as _, SeededSource, Usage};
use playhouse_runtime::{Agent, AgentContext, AgentError, ModelCall};
use serde::{Deserialize, Serialize};

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
    /// Questions that fail now. At most one of each task under way.
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

    /// Draws whether a question of this attempt fails. If so, it does as long as the answer of this lives: also
    /// when the attempt is dropped, or takes a recorded answer and never asks, nothing stays behind.
    fn drawn(&self, question: &str, attempt: u32) -> Option<Failing<'_>> {
        let fails = self.fail > 0.0 && draw(self.seed, &format!("fail {question} {attempt}")) < self.fail;
        fails.then(|| {
            self.failing().insert(question.to_owned());
            Failing { faults: self, question: question.to_owned() }
        })
    }

    fn fails(&self, question: &str) -> bool {
        self.fail > 0.0 && self.failing().contains(question)
    }

    fn failing(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that fails while this lives.
#[derive(Debug)]
struct Failing<'a> {
    faults: &'a Faults,
    question: String,
}

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        self.faults.failing().remove(&self.question);
    }
}

/// A number from 0 up to and without 1, from the seed and one place of the run alone.
fn draw(seed: u64, place: &str) -> f64 {
    // The upper 53 bits: as many as a double holds exactly.
    (SeededSource::from_seed(seed).fork(place).next_u64() >> 11) as f64 / (1_u64 << 53) as f64
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
            let _failing = self.faults.drawn(&question, attempt);
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
                route: Route::default(),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(seed: u64, fail: f64, panic: f64) -> Faults {
        Faults { seed, latency: Duration::ZERO, fail, panic, failing: Mutex::default() }
    }

    #[test]
    fn a_question_fails_while_its_draw_lives_and_leaves_nothing_behind() {
        let faults = faults(1, 1.0, 0.0);
        let failing = faults.drawn("task 1 call 0", 1);
        assert!(failing.is_some() && faults.fails("task 1 call 0") && !faults.fails("task 2 call 0"));
        // Asked again by a layer that retries, it fails again.
        assert!(faults.fails("task 1 call 0"));
        drop(failing);
        assert!(!faults.fails("task 1 call 0") && faults.failing().is_empty());
    }

    #[test]
    fn nothing_fails_at_a_share_of_0_and_everything_at_1() {
        let (never, always) = (faults(3, 0.0, 0.0), faults(3, 1.0, 1.0));
        for number in 0..1_000 {
            assert!(never.drawn(&number.to_string(), 1).is_none() && !never.panics(number, 1));
            assert!(always.drawn(&number.to_string(), 1).is_some() && always.panics(number, 1));
        }
    }

    #[test]
    fn the_share_that_is_drawn_is_the_share_that_was_asked_for() {
        let faults = faults(7, 0.1, 0.3);
        let failed =
            (0..20_000).filter(|number| faults.drawn(&format!("task {number} call 0"), 1).is_some()).count();
        let panicked = (0..20_000).filter(|number| faults.panics(*number, 1)).count();
        // Four standard deviations of 20,000 draws.
        assert!(failed.abs_diff(2_000) < 170 && panicked.abs_diff(6_000) < 260, "{failed} {panicked}");
    }

    proptest! {
        #[test]
        fn a_draw_depends_on_the_seed_and_the_place_alone(seed: u64, task: u64, attempt: u32) {
            let place = format!("panic {task} {attempt}");
            let drawn = draw(seed, &place);
            prop_assert!((0.0..1.0).contains(&drawn));
            // Whatever is drawn between.
            draw(seed, "panic 0 0");
            prop_assert_eq!(drawn.to_bits(), draw(seed, &place).to_bits());
        }
    }
}
