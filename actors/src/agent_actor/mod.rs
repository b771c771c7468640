//! One actor for each request to an agent.
//!
//! Started by `run_agent` inside the future of whoever asks, linked to one of the runtime's agent
//! supervisors. Receives one message, [`AgentMessage::Run`], answers it and ends. A panic or an error of the
//! agent ends the actor with that cause, which its supervisor counts, and reaches the asker as a typed error.
//! It is never restarted: the request's policy decides about another attempt.

mod actor;
mod message;
mod run;
mod state;

pub use actor::AgentActor;
pub use message::AgentMessage;
pub(crate) use run::run_agent;
pub use state::{AgentArgs, AgentState};
