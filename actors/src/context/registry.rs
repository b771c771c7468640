//! The agents of a runtime.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::agent::Agent;

/// Two agents of one kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("register agent {kind}: the runtime has one of that kind already")]
pub struct DuplicateAgent {
    /// The kind.
    pub kind: &'static str,
}

/// The agents of a runtime by their type. Filled while the runtime is built, then only read.
#[derive(Default)]
pub struct AgentRegistry {
    agents: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    kinds: BTreeMap<&'static str, TypeId>,
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
        self.kinds.insert(A::KIND, TypeId::of::<A>());
        self.agents.insert(TypeId::of::<A>(), Arc::new(agent));
        Ok(())
    }

    /// The agent of a type.
    pub fn get<A: Agent>(&self) -> Option<Arc<A>> {
        let agent = Arc::clone(self.agents.get(&TypeId::of::<A>())?);
        agent.downcast().ok()
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
