//! The agents of a runtime.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use playhouse_protocol::Failure;
use playhouse_protocol::envelope::{self, EnvelopeError};

use super::replay::write_value;
use super::{AgentServices, Place};
use crate::agent::{Agent, AgentError};
use crate::agent_actor::run_agent;
use crate::task::TaskScope;

/// Two agents of one kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("register agent {kind}: the runtime has one of that kind already")]
pub struct DuplicateAgent {
    /// The kind.
    pub kind: &'static str,
}

/// An agent whose types are left aside: what it is asked and answers are bytes.
pub trait AnyAgent: Send + Sync {
    /// [`Agent::KIND`].
    fn kind(&self) -> &'static str;

    /// [`Agent::VERSION`].
    fn version(&self) -> u8;

    /// Reads a request and checks it as [`Agent::validate`] does.
    ///
    /// # Errors
    /// When it cannot be read, or the agent does not accept it.
    fn check(&self, request: &[u8]) -> Result<(), Failure>;

    /// Answers on behalf of `task`, on an actor that lives inside this future: dropping it ends the agent.
    ///
    /// # Errors
    /// What the agent says; `Unwritable` when its reply cannot be written down.
    fn answer<'a>(
        &'a self,
        services: &'a Arc<AgentServices>,
        task: &'a Arc<TaskScope>,
        request: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, AgentError>>;
}

struct Erased<A>(Arc<A>);

impl<A: Agent> AnyAgent for Erased<A> {
    fn kind(&self) -> &'static str {
        A::KIND
    }

    fn version(&self) -> u8 {
        A::VERSION
    }

    fn check(&self, request: &[u8]) -> Result<(), Failure> {
        self.0.validate(&read_request::<A>(request)?)
    }

    fn answer<'a>(
        &'a self,
        services: &'a Arc<AgentServices>,
        task: &'a Arc<TaskScope>,
        request: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, AgentError>> {
        Box::pin(async move {
            let request = read_request::<A>(request)?;
            let reply = run_agent(Arc::clone(&self.0), services, task, Place::default(), request).await?;
            write_value::<A, _>("the reply", &reply)
        })
    }
}

fn read_request<A: Agent>(request: &[u8]) -> Result<A::Request, Failure> {
    envelope::decode_agent_value(A::VERSION, request).map_err(|error| {
        let unwritable =
            AgentError::Unwritable { kind: A::KIND, what: "the request", reason: error.to_string() };
        match error {
            // Another program wrote it.
            EnvelopeError::Version { .. } => {
                Failure::invalid(format!("read the request of agent {}: {error}", A::KIND))
            }
            _ => unwritable.into(),
        }
    })
}

/// The agents of a runtime by their type and by their kind. Filled while the runtime is built, then only read.
#[derive(Default)]
pub struct AgentRegistry {
    agents: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    kinds: BTreeMap<&'static str, Arc<dyn AnyAgent>>,
}

impl AgentRegistry {
    /// Adds an agent.
    ///
    /// # Errors
    /// When there is one of its kind already.
    pub fn insert<A: Agent>(&mut self, agent: A) -> Result<(), DuplicateAgent> {
        if self.kinds.contains_key(A::KIND) {
            return Err(DuplicateAgent { kind: A::KIND });
        }
        let agent = Arc::new(agent);
        self.kinds.insert(A::KIND, Arc::new(Erased(Arc::clone(&agent))));
        self.agents.insert(TypeId::of::<A>(), agent);
        Ok(())
    }

    /// The agent of a type.
    pub fn get<A: Agent>(&self) -> Option<Arc<A>> {
        let agent = Arc::clone(self.agents.get(&TypeId::of::<A>())?);
        agent.downcast().ok()
    }

    /// The agent of a kind.
    pub fn by_kind(&self, kind: &str) -> Option<&Arc<dyn AnyAgent>> {
        self.kinds.get(kind)
    }

    /// Every kind, in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.kinds.keys().copied()
    }
}

impl std::fmt::Debug for AgentRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}
