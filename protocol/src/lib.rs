//! The nouns of Playhouse: what is asked, what is answered, what happened, what went wrong.
//!
//! Everything here is plain data that may cross a process. This crate does no input or output, reads no
//! clock, and knows neither ractor nor tokio. Read in this order:
//!
//! 1. [`failure`]: the classes on which supervisors, retries, gRPC status and exit codes decide;
//! 2. [`id`], [`random`] and [`time`]: identities, and where their bits come from;
//! 3. [`completion`]: what a model is asked and answers; [`usage`]: what that cost;
//! 4. [`generate`], [`review`], [`develop`], [`compress`], [`chat`], [`riddle`]: requests and replies of the shipped agents;
//! 5. [`task`] and [`event`]: a unit of work and what happens to it; [`plan`]: many of them;
//!    [`journal`]: what is written down of it;
//! 6. [`envelope`]: the wire form, the one door to bincode.

pub mod failure;
pub mod id;
pub mod random;
pub mod time;

pub mod completion;
pub mod usage;

pub mod chat;
pub mod code;
pub mod compress;
pub mod develop;
pub mod generate;
pub mod review;
pub mod riddle;

pub mod event;
pub mod journal;
pub mod plan;
pub mod task;

pub mod envelope;

pub use failure::{Failure, FailureClass};
pub use id::{ConversationId, IdempotencyKey, TaskId, TenantId};
pub use random::{RandomSource, SeededSource};
pub use time::WallClock;
pub use usage::{Budget, Usage};
