//! The actor itself.

use std::marker::PhantomData;

use playhouse_supervisors::catch_panic;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::message::AgentMessage;
use super::state::{AgentArgs, AgentState};
use crate::agent::{Agent, AgentError};

/// Runs one request of agent `A`; see the [module](super).
#[derive(Debug)]
pub struct AgentActor<A>(PhantomData<fn() -> A>);

impl<A> AgentActor<A> {
    /// An actor for one request.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Default for AgentActor<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Agent> Actor for AgentActor<A> {
    type Msg = AgentMessage<A>;
    type State = AgentState<A>;
    type Arguments = AgentArgs<A>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        args: AgentArgs<A>,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(AgentState::begin(args))
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let _end = state.end_on_drop();
        let AgentMessage::Run { request, mut ctx, reply } = message;
        let agent = &state.agent;
        match catch_panic(async { agent.run(&mut ctx, request).await }).await {
            Ok(answer) => {
                // An agent's own typed error is an answer, not a crash of its actor.
                let _ = reply.send(answer);
                myself.stop(None);
                Ok(())
            }
            Err(panic) => {
                let error = AgentError::Panicked {
                    kind: A::KIND,
                    message: panic.message.clone(),
                    location: panic.location.clone(),
                };
                let _ = reply.send(Err(error));
                Err(Box::new(panic))
            }
        }
    }
}
