//! A whole runtime under a seed: faults at every turn, the same every time.
//!
//! A [`world`] is some tasks, and the lives of a process that works on them: each life is a runtime on a thread of its own
//! with a paused clock, and ends by a crash (everything is dropped where it is), a graceful shutdown, or because all
//! is done. What survives a life is the [`disk`]. Orders to agents ([`orders`]) panic, fail, hang and go on behind failures; the
//! [`model`] is slow, fails, hangs and panics; commits are slow, fail, find the disk full, and are where crashes happen.
//! Whatever is drawn comes from the seed and a place ([`draws`]), whatever happens is a line of the [`log`], and what
//! must hold is checked while it happens and at the end.

pub mod disk;
pub mod draws;
pub mod life;
pub mod log;
pub mod model;
pub mod orders;
pub mod world;

mod clerk;
mod plans;

pub use world::{Outcome, Settings, run};
