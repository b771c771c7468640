//! What an agent's actor holds.

use std::sync::Arc;

use playhouse_supervisors::MailboxGauge;

/// What an [`AgentActor`](super::AgentActor) is started with.
#[derive(Debug)]
pub struct AgentArgs<A> {
    /// The agent's settings.
    pub agent: Arc<A>,
    /// Counts the events that wait for its supervisor: its own start and end among them.
    pub events: MailboxGauge,
}

/// The state of an [`AgentActor`](super::AgentActor): the agent's settings, shared by all its requests. It is
/// never restarted, so nothing is lost.
#[derive(Debug)]
pub struct AgentState<A> {
    pub(super) agent: Arc<A>,
    events: MailboxGauge,
}

impl<A> AgentState<A> {
    /// The state of an actor that starts, of which its supervisor is told.
    pub(super) fn begin(args: AgentArgs<A>) -> Self {
        args.events.sent();
        Self { agent: args.agent, events: args.events }
    }

    /// Counts the actor's end when it is dropped. Held by the handling of its only message, which ends with the actor
    /// however it ends; the state does not, for it travels to the supervisor.
    pub(super) fn end_on_drop(&self) -> EndOnDrop {
        EndOnDrop(self.events.clone())
    }
}

/// Counts the end of an actor.
pub(super) struct EndOnDrop(MailboxGauge);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.sent();
    }
}
