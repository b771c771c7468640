//! Tasks from their acceptance to their end.
//!
//! A request is never handed over: the [`OpenTask`] in the table keeps it until it is answered, and an agent
//! that panics, hangs or is killed leaves it there for the next attempt. Read in this order: [`open_task`] is what is kept,
//! [`accept`] lets it in, [`drive`] works on it, [`attempts`] decides about another attempt, [`conclude`] ends
//! it, [`ledger`] keeps the books; [`recover`] goes on with what an earlier process left, [`dead_letters`] with
//! what was given up.

mod accept;
mod attempts;
mod conclude;
mod dead_letters;
mod drive;
mod engine;
mod ledger;
mod open_task;
mod recover;

pub(crate) use accept::{Submission, TakeBackOnDrop};
pub use dead_letters::DeadLetter;
pub(crate) use engine::{Engine, EngineParts};
pub use ledger::Accounting;
pub(crate) use ledger::Ledger;
pub use open_task::TaskTimings;
pub(crate) use open_task::{OpenTask, Settled, Work};
