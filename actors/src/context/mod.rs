//! What an agent may use: models, other agents, the task's limits, its watchers.

mod ask;
mod fingerprint;
mod overflow;
mod parts;
mod registry;
mod replay;
mod services;
mod stored;

pub use crate::model_actor::AnswerPart;
pub use registry::{AgentRegistry, AnyAgent, DuplicateAgent};
pub use services::{AgentServices, AgentServicesArgs, ModelRouter, SelectedModel};

use std::future::Future;
use std::sync::Arc;

use playhouse_config::prompts::PromptLibrary;
use playhouse_config::settings::AgentsConfig;
use playhouse_models::tokens::TokenCounter;
use playhouse_models::{ModelInfo, ModelWish};
use playhouse_protocol::completion::CompletionRequest;
use playhouse_protocol::compress::Compressed;
use playhouse_protocol::envelope;
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::journal::{Payload, StepKind, StepPath};
use playhouse_protocol::{Failure, TaskId, Usage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, AgentError};
use crate::agent_actor::run_agent;
use crate::task::TaskScope;
use replay::{StepHead, write_value};

/// How deep agents may ask agents. Develop asks two deep; the bound stops agents that ask each other in a circle.
pub const ASK_DEPTH_MAX: u32 = 8;

/// The version of values that [`AgentContext::step`] writes down: their types are the agent's, which raises its own.
const EFFECT_VERSION: u8 = 1;

/// A question to a model, as an agent asks it.
#[derive(Debug, Clone)]
pub struct ModelCall {
    /// What selects the model where none is named: usually the agent's kind.
    pub task_type: &'static str,
    /// The catalog entry to ask; `None` selects by task type.
    pub model: Option<String>,
    /// What is done, for people who watch: "write code". No prompt text.
    pub label: String,
    /// The question.
    pub request: CompletionRequest,
}

/// Handed to [`Agent::run`]: everything that an agent does to the world goes through here.
#[derive(Debug)]
pub struct AgentContext {
    services: Arc<AgentServices>,
    task: Arc<TaskScope>,
    kind: &'static str,
    place: Place,
    steps_len: u32,
}

/// Selects the models of one agent.
#[derive(Debug)]
pub(crate) struct ModelChooser {
    services: Arc<AgentServices>,
    task_id: TaskId,
    task_type: &'static str,
}

impl ModelChooser {
    /// The model of this name, or the one that is selected for the task.
    pub(crate) async fn select(&self, model: Option<&str>) -> Result<SelectedModel, Failure> {
        let wish = ModelWish { task_id: Some(self.task_id), ..ModelWish::of(self.task_type).named(model) };
        self.services.models().select(wish).await
    }
}

/// Where in a task an agent runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// How many agents are above it.
    pub(crate) depth: u32,
    /// The step that it answers.
    pub(crate) path: StepPath,
}

impl AgentContext {
    pub(crate) fn new(
        services: Arc<AgentServices>,
        task: Arc<TaskScope>,
        kind: &'static str,
        place: Place,
    ) -> Self {
        Self { services, task, kind, place, steps_len: 0 }
    }

    /// The place of the agent's next step.
    fn next_path(&mut self) -> StepPath {
        self.steps_len += 1;
        self.place.path.child(self.steps_len)
    }

    /// The task that this request belongs to.
    pub fn task_id(&self) -> TaskId {
        self.task.id()
    }

    /// The step of the task that this agent answers; the root's for an agent that was submitted.
    pub(crate) fn path(&self) -> &StepPath {
        &self.place.path
    }

    /// Selects models as [`call`](Self::call) does, for work that goes on while the context is in use.
    pub(crate) fn chooser(&self, task_type: &'static str) -> ModelChooser {
        ModelChooser { services: Arc::clone(&self.services), task_id: self.task.id(), task_type }
    }

    /// The attempt at the task, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.task.attempt_number()
    }

    /// Asks another agent, which gets an actor of its own under the same task: same budget, deadline,
    /// cancellation and watchers. Its reply is written down as a step.
    ///
    /// # Errors
    /// What that agent says; `NotRegistered` when the runtime has no such agent; `TooDeep` past
    /// [`ASK_DEPTH_MAX`]; `NonDeterministic` as for [`call`](Self::call).
    pub async fn ask<A: Agent>(&mut self, request: A::Request) -> Result<A::Reply, AgentError> {
        if self.place.depth + 1 >= ASK_DEPTH_MAX {
            return Err(AgentError::TooDeep { kind: A::KIND, depth: ASK_DEPTH_MAX });
        }
        let agent = self.services.registry().get::<A>().ok_or(AgentError::NotRegistered { kind: A::KIND })?;
        agent.validate(&request)?;
        let path = self.next_path();
        let place = Place { depth: self.place.depth + 1, path: path.clone() };
        if !self.task.is_journaled() {
            // Boxed: an agent may ask an agent of its own kind.
            return Box::pin(run_agent(agent, &self.services, &self.task, place, request)).await;
        }
        let bytes = write_value::<A, _>("the request", &request)?;
        let fingerprint = fingerprint::of_agent_call(A::KIND, &bytes);
        if let Some(recorded) = self.task.take_recorded(&path) {
            let output = self.replay(recorded, fingerprint, A::KIND)?;
            let bytes = output.as_single().map_or(&[][..], |bytes| bytes);
            return envelope::decode_agent_value(A::VERSION, bytes)
                .map_err(|error| replay::unreadable(&path, &error));
        }
        let used_before = self.task.usage();
        let answered = Box::pin(run_agent(agent, &self.services, &self.task, place, request)).await;
        let used = self.task.usage().since(&used_before);
        let kind = StepKind::AgentCall { agent: A::KIND.to_owned() };
        let head = StepHead { path, kind, label: format!("ask {}", A::KIND), fingerprint };
        let output = |reply: &A::Reply| {
            let bytes = envelope::encode_agent_value(A::VERSION, reply)?;
            Ok((Payload::single(bytes), used))
        };
        self.write_down(head, Ok(Payload::single(bytes)), &answered, output).await?;
        answered
    }

    /// Does something once: what `work` gives is written down, and an attempt or a process that comes here again
    /// is given it without doing it. For whatever must not happen twice or does not come out the same twice:
    /// random numbers, times, files, calls to other services.
    ///
    /// # Errors
    /// What `work` says; `NonDeterministic` when another step is written down here.
    pub async fn step<T, F>(&mut self, label: &str, work: F) -> Result<T, AgentError>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, AgentError>>,
    {
        let path = self.next_path();
        let fingerprint = fingerprint::of_effect(label);
        if let Some(recorded) = self.task.take_recorded(&path) {
            let output = self.replay(recorded, fingerprint, label)?;
            let bytes = output.as_single().map_or(&[][..], |bytes| bytes);
            return envelope::decode_agent_value(EFFECT_VERSION, bytes)
                .map_err(|error| replay::unreadable(&path, &error));
        }
        let done = work.await;
        let head = StepHead { path, kind: StepKind::Effect, label: label.to_owned(), fingerprint };
        let output = |value: &T| {
            Ok((Payload::single(envelope::encode_agent_value(EFFECT_VERSION, value)?), Usage::default()))
        };
        self.write_down(head, Ok(Payload::default()), &done, output).await?;
        done
    }

    /// What is known of the model that [`call`](Self::call) would ask.
    ///
    /// # Errors
    /// When no such model is in the catalog, or it cannot be used.
    pub async fn model_info(
        &self,
        task_type: &'static str,
        model: Option<&str>,
    ) -> Result<ModelInfo, AgentError> {
        let selected = self.chooser(task_type).select(model).await?;
        Ok(selected.handle.info().clone())
    }

    /// What counts the tokens of the model that [`call`](Self::call) would ask.
    ///
    /// # Errors
    /// When no such model is in the catalog, or it cannot be used.
    pub async fn token_counter(
        &self,
        task_type: &'static str,
        model: Option<&str>,
    ) -> Result<Arc<dyn TokenCounter>, AgentError> {
        Ok(self.chooser(task_type).select(model).await?.handle.tokens())
    }

    /// Counts a compression.
    pub fn compressed(&self, compressed: &Compressed) {
        self.services.meter().compressed(compressed);
    }

    /// What a call wants of its model.
    fn wish<'a>(&self, call: &'a ModelCall) -> ModelWish<'a> {
        let wish = ModelWish::of(call.task_type).named(call.model.as_deref()).asking(&call.request);
        ModelWish { task_id: Some(self.task.id()), ..wish }
    }

    /// Tells how good an answer of `model` to a task of this type was: 0.0 (useless) to 1.0 (nothing to change). Models are
    /// selected by it. Not a step: an attempt that comes here again tells it again.
    pub fn record_quality(&self, model: &str, task_type: &str, score: f64) {
        self.services.models().record_quality(model, task_type, score);
    }

    /// Tells watchers where the agent stands. No prompt or answer text.
    pub fn progress(&self, message: impl Into<String>) {
        let message = message.into();
        self.task.emit(|| TaskEventKind::Progress { message });
    }

    /// What the whole task has used so far.
    pub fn usage(&self) -> Usage {
        self.task.usage()
    }

    /// How many steps of the whole task were taken from what an earlier attempt or process wrote down. Where it grows during
    /// some work, the time that the work took tells nothing.
    pub fn replayed_len(&self) -> u32 {
        self.task.replayed_len()
    }

    /// Milliseconds since the task began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.task.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Is cancelled when the task is taken back. Dropping of the agent's future does the work; this is for
    /// agents who hand work to threads of their own.
    pub fn cancellation(&self) -> &CancellationToken {
        self.task.cancel()
    }

    /// The prompt templates.
    pub fn prompts(&self) -> &PromptLibrary {
        self.services.prompts()
    }

    /// Settings of the shipped agents.
    pub fn agents_config(&self) -> &AgentsConfig {
        self.services.agents_config()
    }
}
