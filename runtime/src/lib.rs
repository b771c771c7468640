//! Playhouse as a library: typed agents in a Rust service, each request supervised, bounded and metered.
//!
//! ```
//! use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};
//!
//! struct Greeter;
//!
//! impl Agent for Greeter {
//!     const KIND: &'static str = "greet";
//!     type Request = String;
//!     type Reply = String;
//!
//!     async fn run(&self, ctx: &mut AgentContext, name: String) -> Result<String, AgentError> {
//!         ctx.progress("thinking of a greeting"); // `ctx.complete(…)` would ask a model
//!         Ok(format!("Good evening, {name}."))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::builder().agent(Greeter).start().await?;
//! assert_eq!(runtime.run::<Greeter>("Ada".to_owned()).await?, "Good evening, Ada.");
//!
//! let names = ["Grace", "Barbara"].map(str::to_owned).to_vec();
//! let greetings = runtime.map::<Greeter>(names).width(8).run().await?;
//! assert_eq!(greetings[1].as_deref(), Ok("Good evening, Barbara."));
//!
//! runtime.shutdown_gracefully().await;
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: [`builder`] and [`runtime`] are the way in; [`handle`], [`map`] and [`plan`] are
//! what they give;
//! [`shutdown`] is the way out. Inside, `tasks` is the life of a task, `admission` who may come in, `journal` the
//! one writer of the [`store`], `conversations` a file of conversations. The tree that a start brings up is written down in `tree.rs`.

pub mod builder;
#[cfg(feature = "sqlite")]
pub mod conversations;
pub mod error;
pub mod handle;
pub mod map;
pub mod plan;
pub mod runtime;
pub mod shutdown;
pub mod store;

mod admission;
mod clock;
mod journal;
mod performance;
mod router;
mod tasks;
mod tree;

#[cfg(test)]
mod tests;

pub use admission::{ATTEMPTS_MAX, TASK_TIMEOUT_MAX};
pub use builder::RuntimeBuilder;
pub use clock::SystemWallClock;
#[cfg(feature = "sqlite")]
pub use conversations::SqliteConversations;
pub use error::{StartError, StateError};
pub use handle::TaskHandle;
pub use map::Map;
pub use plan::{PartReply, PlanHandle, PlanPart, PlanResult};
pub use runtime::Runtime;
pub use shutdown::ShutdownSummary;
pub use tasks::{Accounting, DeadLetter, TaskTimings};

pub use playhouse_actors as actors;
pub use playhouse_actors::context::AnswerPart;
pub use playhouse_actors::{Agent, AgentContext, AgentError, ModelCall};
pub use playhouse_config as config;
pub use playhouse_models as models;
pub use playhouse_protocol as protocol;
pub use playhouse_supervisors as supervisors;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/embedding.md")]
struct EmbeddingGuide;
