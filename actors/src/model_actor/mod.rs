//! One actor for each model that is in use: the queue in front of it.
//!
//! Started by the runtime's model supervisor on a model's first use. Receives calls from agents through
//! [`ModelHandle`], refuses them when too many are open, runs the others side by side (the provider behind
//! the client decides how many it computes at once), and keeps count of how they ended. Ends with the
//! runtime. A restart loses the counts and the calls under way, whose callers are told.

mod actor;
mod handle;
mod message;
mod state;

pub use actor::ModelActor;
pub use handle::{AnswerPart, ModelHandle, TokenSink};
pub use message::{ModelCallEnded, ModelMessage};
pub use state::{ModelArgs, ModelSnapshot, ModelState};

#[cfg(test)]
mod tests;
