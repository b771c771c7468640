//! The start of a child: what it is given and what can go wrong.

use playhouse_protocol::FailureClass;
use ractor::{Actor, ActorCell, ActorRef, SpawnErr};

use crate::cause::{ExitCause, text_with_sources};
use crate::panics::{PanicCause, Supervised};

use super::Slot;

/// What the start of a child is given.
#[derive(Clone)]
pub struct StartContext {
    supervisor: ActorCell,
    slot: Slot,
}

impl StartContext {
    pub(crate) fn new(supervisor: ActorCell, slot: Slot) -> Self {
        Self { supervisor, slot }
    }

    /// The supervisor, to link the child to.
    pub fn supervisor(&self) -> ActorCell {
        self.supervisor.clone()
    }

    /// Spawns the child's actor, linked to the supervisor, without a global name and with its panics
    /// caught with text and place.
    ///
    /// # Errors
    /// [`StartError`] when `pre_start` failed or panicked.
    pub async fn spawn<A: Actor>(
        &self,
        actor: A,
        args: A::Arguments,
    ) -> Result<ActorRef<A::Msg>, StartError> {
        let (actor, _join) =
            Actor::spawn_linked(None, Supervised::new(actor), args, self.supervisor.clone()).await?;
        // From here on the supervisor knows the actor, even if the rest of the start is dropped.
        self.slot.set(actor.get_cell());
        Ok(actor)
    }
}

impl std::fmt::Debug for StartContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartContext").field("supervisor", &self.supervisor).finish_non_exhaustive()
    }
}

/// Why an actor did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Its start panicked.
    #[error("start: it {0}")]
    Panicked(#[from] PanicCause),
    /// Its start returned an error.
    #[error("start: {message}")]
    Failed {
        /// The error and its sources.
        message: String,
    },
    /// Its start took too long.
    #[error("start within {limit_ms} ms")]
    TimedOut {
        /// The start limit, in milliseconds.
        limit_ms: u64,
    },
    /// The supervisor's list is not one.
    #[error("start a supervisor: {problem}")]
    InvalidSpec {
        /// What is wrong, with the name that is.
        problem: String,
    },
}

impl StartError {
    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::Panicked(_) | Self::Failed { .. } | Self::TimedOut { .. } => FailureClass::Retryable,
            Self::InvalidSpec { .. } => FailureClass::InvalidInput,
        }
    }
}

impl From<SpawnErr> for StartError {
    fn from(error: SpawnErr) -> Self {
        match error {
            SpawnErr::StartupFailed(inner) => match inner.downcast::<PanicCause>() {
                Ok(panic) => Self::Panicked(*panic),
                Err(inner) => Self::Failed { message: text_with_sources(inner.as_ref()) },
            },
            SpawnErr::ActorAlreadyStarted | SpawnErr::ActorAlreadyRegistered(_) => {
                Self::Failed { message: error.to_string() }
            }
        }
    }
}

impl From<StartError> for ExitCause {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Panicked(panic) => {
                Self::StartFailed { message: panic.message, location: panic.location }
            }
            StartError::Failed { message } => Self::StartFailed { message, location: None },
            StartError::TimedOut { .. } | StartError::InvalidSpec { .. } => {
                Self::StartFailed { message: error.to_string(), location: None }
            }
        }
    }
}
