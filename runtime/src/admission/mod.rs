//! Who may come in, who comes first, and how many run.
//!
//! Three gates, in this order: [`check_options`] refuses what is wrong in itself; [`Slots`] bounds the tasks that
//! are open, in all and of one tenant; [`Places`] bounds the agents that are alive, and shares their places out
//! between priorities and tenants.

mod fair_queue;
mod options;
mod places;
mod slots;

pub use options::{ATTEMPTS_MAX, TASK_TIMEOUT_MAX};
pub(crate) use options::{check_options, unwritable_request};
pub(crate) use places::{Place, Places};
pub(crate) use slots::{Slot, Slots};
