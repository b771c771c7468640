//! Playhouse as a library: typed agents in a Rust service, each request supervised, bounded and metered.

pub mod builder;
pub mod error;
pub mod handle;
pub mod map;
pub mod runtime;
pub mod shutdown;

mod admission;
mod clock;
mod router;
mod tree;

pub use admission::TASK_TIMEOUT_MAX;
pub use builder::RuntimeBuilder;
pub use clock::SystemWallClock;
pub use error::{StartError, StateError};
pub use handle::TaskHandle;
pub use map::Map;
pub use runtime::Runtime;
pub use shutdown::ShutdownSummary;

pub use playhouse_actors as actors;
pub use playhouse_actors::{Agent, AgentContext, AgentError, ModelCall};
pub use playhouse_config as config;
pub use playhouse_models as models;
pub use playhouse_protocol as protocol;
pub use playhouse_supervisors as supervisors;
