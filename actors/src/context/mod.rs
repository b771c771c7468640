//! What an agent may use: models, other agents, the task's limits, its watchers.

mod registry;
mod services;

pub use registry::{AgentRegistry, DuplicateAgent};
pub use services::{AgentServices, AgentServicesArgs, ModelRouter, SelectedModel};

use std::sync::Arc;

use playhouse_config::prompts::PromptLibrary;
use playhouse_config::settings::AgentsConfig;
use playhouse_models::ModelInfo;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::{Failure, TaskId, Usage};
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, AgentError};
use crate::agent_actor::run_agent;
use crate::model_actor::TokenSink;
use crate::task::TaskScope;

/// How deep agents may ask agents. Develop asks two deep; the bound stops agents that ask each other in a circle.
pub const ASK_DEPTH_MAX: u32 = 8;

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
    depth: u32,
}

impl AgentContext {
    pub(crate) fn new(
        services: Arc<AgentServices>,
        task: Arc<TaskScope>,
        kind: &'static str,
        depth: u32,
    ) -> Self {
        Self { services, task, kind, depth }
    }

    /// The task that this request belongs to.
    pub fn task_id(&self) -> TaskId {
        self.task.id()
    }

    /// Asks the model for the agent's own task type, with default settings.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn complete(&mut self, request: CompletionRequest) -> Result<Completion, AgentError> {
        let task_type = self.kind;
        self.call(ModelCall { task_type, model: None, label: format!("{task_type}: ask a model"), request })
            .await
    }

    /// Asks a model, as one step of the task: within the budget, the deadline and the cancellation, counted,
    /// and visible to watchers with its tokens as they come.
    ///
    /// # Errors
    /// `BudgetExceeded` before anything is sent when prompt and longest answer would not fit; the model's own
    /// failure; `Cancelled` and `DeadlineExceeded`.
    pub async fn call(&mut self, call: ModelCall) -> Result<Completion, AgentError> {
        let selected = self.services.models().select(call.task_type, call.model.as_deref()).await?;
        let planned = self.plan(&selected, &call.request).await?;
        let reservation = self.task.reserve(planned)?;
        let step = self.task.next_step();
        self.task.emit(|| TaskEventKind::StepStarted {
            step,
            label: call.label,
            model: Some(selected.handle.info().name.clone()),
        });
        let sink = self.task.is_watched().then(|| {
            let task = Arc::clone(&self.task);
            TokenSink::new(move |text| task.emit(|| TaskEventKind::Tokens { step, text }))
        });
        let answered = tokio::select! {
            biased;
            answer = selected.handle.complete(call.request, sink) => answer.map_err(AgentError::from),
            () = self.task.cancel().cancelled() => Err(AgentError::Cancelled),
            () = tokio::time::sleep_until(self.task.deadline()) => Err(self.task.deadline_error()),
        };
        match &answered {
            Ok(completion) => {
                let usage = completion.usage;
                reservation.settle(usage);
                self.task.emit(|| TaskEventKind::StepCompleted { step, usage });
            }
            Err(error) => {
                self.task.emit(|| TaskEventKind::StepFailed { step, failure: Failure::from(error.clone()) });
            }
        }
        answered
    }

    /// What a call would use at most: the prompt by exact count, and the longest answer.
    async fn plan(&self, selected: &SelectedModel, request: &CompletionRequest) -> Result<Usage, AgentError> {
        let limited = self.task.budget();
        let mut planned = Usage { model_calls: 1, ..Usage::default() };
        if limited.tokens_max.is_none() && limited.cost_nano_usd_max.is_none() {
            return Ok(planned);
        }
        planned.prompt_tokens = selected.count_prompt(&request.messages).await?;
        planned.completion_tokens = u64::from(
            request.completion_tokens_max.unwrap_or(selected.handle.info().completion_tokens_default),
        );
        planned.cost_nano_usd = selected.cost_nano_usd(&planned);
        Ok(planned)
    }

    /// Asks another agent, which gets an actor of its own under the same task: same budget, deadline,
    /// cancellation and watchers.
    ///
    /// # Errors
    /// What that agent says; `NotRegistered` when the runtime has no such agent; `TooDeep` past
    /// [`ASK_DEPTH_MAX`].
    pub async fn ask<A: Agent>(&mut self, request: A::Request) -> Result<A::Reply, AgentError> {
        if self.depth + 1 >= ASK_DEPTH_MAX {
            return Err(AgentError::TooDeep { kind: A::KIND, depth: ASK_DEPTH_MAX });
        }
        let agent = self.services.registry().get::<A>().ok_or(AgentError::NotRegistered { kind: A::KIND })?;
        agent.validate(&request)?;
        // Boxed: an agent may ask an agent of its own kind.
        Box::pin(run_agent(agent, &self.services, &self.task, self.depth + 1, request)).await
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
        let selected = self.services.models().select(task_type, model).await?;
        Ok(selected.handle.info().clone())
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
