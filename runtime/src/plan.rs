//! Plans as tasks.

use std::sync::Arc;

use playhouse_actors::agent::AgentError;
use playhouse_protocol::Failure;
use playhouse_protocol::journal::Payload;

use crate::tasks::{Engine, OpenTask};

/// The kind of a plan's task.
pub(crate) const KIND: &str = "plan";

/// What runs a plan.
#[derive(Clone)]
pub(crate) struct PlanWork;

impl PlanWork {
    pub(crate) fn stored() -> Self {
        Self
    }

    pub(crate) async fn run(&self, _engine: &Arc<Engine>, _task: &Arc<OpenTask>, _request: Payload) -> Result<Payload, AgentError> {
        Err(Failure::internal("run a plan").into())
    }
}
