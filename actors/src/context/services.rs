//! What the runtime hands to all agents.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use playhouse_config::prompts::PromptLibrary;
use playhouse_config::settings::{AgentsConfig, OverflowPolicy, PriceConfig};
use playhouse_models::{BudgetLedger, ModelWish};
use playhouse_protocol::completion::ChatMessage;
use playhouse_protocol::{Failure, Usage};
use playhouse_supervisors::SupervisorPool;

use crate::context::AgentRegistry;
use crate::metrics_actor::Meter;
use crate::model_actor::ModelHandle;

/// Finds the model for a question.
pub trait ModelRouter: Send + Sync + fmt::Debug {
    /// The model that the wish names, or else the one selected for its type of task.
    fn select<'a>(&'a self, wish: ModelWish<'a>) -> BoxFuture<'a, Result<SelectedModel, Failure>>;

    /// Is told how good an answer of `model` to a task of this type was: 0.0 to 1.0.
    fn record_quality(&self, model: &str, task_type: &str, score: f64);
}

/// A model that was chosen.
#[derive(Debug, Clone)]
pub struct SelectedModel {
    /// How to ask it.
    pub handle: ModelHandle,
    /// Why it was chosen, as a sentence.
    pub reason: String,
    /// What it costs at most, its fallbacks included: what a call is planned with.
    pub price: PriceConfig,
    /// What becomes of a conversation that does not fit into its context.
    pub overflow: OverflowPolicy,
}

impl SelectedModel {
    /// Tokens of a prompt. Counted off the async threads: the first count of an encoding builds its tables or reads
    /// the head of a model file, which takes up to a second.
    ///
    /// # Errors
    /// When the counting thread is gone because the runtime shuts down.
    pub async fn count_prompt(&self, messages: &Arc<[ChatMessage]>) -> Result<u64, Failure> {
        let (tokens, messages) = (self.handle.tokens(), Arc::clone(messages));
        tokio::task::spawn_blocking(move || tokens.count_chat(&messages))
            .await
            .map_err(|_| Failure::internal("count the tokens of a prompt: the counting thread is gone"))
    }

    /// What `usage` costs, in billionths of a US dollar.
    pub fn cost_nano_usd(&self, usage: &Usage) -> u64 {
        playhouse_models::cost_nano_usd(self.price, usage)
    }
}

/// What [`AgentServices`] are made of.
#[derive(Debug)]
pub struct AgentServicesArgs {
    /// The agents.
    pub registry: AgentRegistry,
    /// Where their actors are linked.
    pub pool: SupervisorPool,
    /// The models.
    pub models: Arc<dyn ModelRouter>,
    /// The prompt templates.
    pub prompts: PromptLibrary,
    /// Settings of the shipped agents.
    pub agents_config: AgentsConfig,
    /// Where agents are counted.
    pub meter: Arc<Meter>,
    /// What may be used today.
    pub ledger: Arc<BudgetLedger>,
}

/// What the runtime hands to all agents. Shared by the runtime and every open request.
#[derive(Debug)]
pub struct AgentServices(AgentServicesArgs);

impl AgentServices {
    /// Services for one runtime.
    pub fn new(args: AgentServicesArgs) -> Arc<Self> {
        Arc::new(Self(args))
    }

    /// The agents.
    pub fn registry(&self) -> &AgentRegistry {
        &self.0.registry
    }

    /// What may be used today.
    pub fn ledger(&self) -> &Arc<BudgetLedger> {
        &self.0.ledger
    }

    pub(crate) fn pool(&self) -> &SupervisorPool {
        &self.0.pool
    }

    pub(crate) fn models(&self) -> &dyn ModelRouter {
        &*self.0.models
    }

    pub(crate) fn prompts(&self) -> &PromptLibrary {
        &self.0.prompts
    }

    pub(crate) fn agents_config(&self) -> &AgentsConfig {
        &self.0.agents_config
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }
}
