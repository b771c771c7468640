//! Budgets of a day: what all tenants together, and each of them, may use until midnight UTC.
//!
//! The runtime makes one [`BudgetLedger`] from the settings and shares it with all tasks. A call is reserved with what it
//! may use at most before it is sent, and settled with what it used behind that; a [`DayReservation`] that is dropped, as
//! when the call fails or is cancelled, gives back what it held, since a failed call tells no usage. A call counts to the
//! day on which it began, also when its answer comes after midnight. `rules` are the books themselves, without a clock or
//! a lock; `ledger` puts both around them. The ledger lives as long as the process: what earlier processes used today is
//! given to it when it is made.

mod error;
mod ledger;
mod rules;

pub use error::{BudgetExceeded, BudgetScope, is_task_budget_exceeded};
pub use ledger::{BudgetLedger, DayReservation};
pub use rules::{Account, TENANTS_MAX};
