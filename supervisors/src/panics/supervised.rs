//! An actor whose end is told with its cause: a panic with text and place, to supervisor and caller.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::oneshot;

use crate::cause::ExitCause;

use super::catch_panic;

/// Wraps an actor so that a panic in any of its handlers ends it with a
/// [`PanicCause`](super::PanicCause) as its error.
///
/// Messages, state and arguments stay those of the actor: the reference to it is the same as without.
#[derive(Debug)]
pub struct Supervised<A> {
    actor: A,
    teller: Option<Mutex<Option<oneshot::Sender<ExitCause>>>>,
}

/// How a supervised actor ends, for whoever waits for it: a caller that gets no reply learns why here.
#[derive(Debug)]
pub struct Ending(oneshot::Receiver<ExitCause>);

impl Ending {
    /// Waits for the end. An actor that never started, or whose task was dropped, counts as killed.
    pub async fn cause(self) -> ExitCause {
        self.0.await.unwrap_or(ExitCause::Killed)
    }
}

impl<A> Supervised<A> {
    /// Wraps `actor`.
    pub const fn new(actor: A) -> Self {
        Self { actor, teller: None }
    }

    /// Wraps `actor`, and tells how it ends.
    pub fn watched(actor: A) -> (Self, Ending) {
        let (teller, ending) = oneshot::channel();
        (Self { actor, teller: Some(Mutex::new(Some(teller))) }, Ending(ending))
    }

    /// Runs a handler, catches its panic and tells of its failure. An error ends the actor, so what the
    /// handler left half done in the state is never used.
    async fn run<T>(
        &self,
        handler: impl Future<Output = Result<T, ActorProcessingErr>>,
    ) -> Result<T, ActorProcessingErr> {
        let result = match catch_panic(handler).await {
            Ok(result) => result,
            Err(panic) => Err(panic.into()),
        };
        if let Err(error) = &result {
            self.tell(|| ExitCause::from_error(error));
        }
        result
    }

    fn tell(&self, cause: impl FnOnce() -> ExitCause) {
        let Some(teller) = &self.teller else { return };
        if let Some(teller) = teller.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever no longer waits does not mind.
            let _ = teller.send(cause());
        }
    }
}

// Each call sits inside an async block, so that a handler written as a plain function that returns a future
// is caught too when it panics before it returns one.
impl<A: Actor> Actor for Supervised<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        self.run(async move { self.actor.pre_start(myself, args).await }).await
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(async move { self.actor.post_start(myself, state).await }).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(async move { self.actor.post_stop(myself, state).await }).await?;
        self.tell(|| ExitCause::Normal);
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(async move { self.actor.handle(myself, message, state).await }).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        message: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(async move { self.actor.handle_supervisor_evt(myself, message, state).await }).await
    }
}
