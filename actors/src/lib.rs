//! The agents of Playhouse, the orchestrator that fans work out, and the actors they stand on.
//!
//! Read in this order:
//!
//! 1. [`agent`]: what an agent is; [`context`]: what it may use;
//! 2. [`task`]: what all agents of one task share;
//! 3. [`agent_actor`], [`model_actor`], [`orchestrator`], [`metrics_actor`]: the actors;
//! 4. [`generator`], [`reviewer`], [`develop`], [`compressor`]: the shipped agents, on [`code`] and [`compression`],
//!    which know no actor; [`chat`]: conversations; [`riddles`]: questions with known answers.

pub mod agent;
pub mod context;
pub mod task;

pub mod agent_actor;
pub mod metrics_actor;
pub mod model_actor;
pub mod orchestrator;

pub mod chat;
pub mod compressor;
pub mod develop;
pub mod fitting;
pub mod generator;
pub mod reviewer;
pub mod riddles;

pub mod code;
pub mod compression;

mod entry;

pub use agent::{Agent, AgentError};
pub use context::{AgentContext, ModelCall};
pub use entry::ask;
