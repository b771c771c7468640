//! From the records of a run to what may be claimed.
//!
//! Pure: manifest, records and ending go in, a [`Report`] comes out, to the byte the same each time. Read in this order:
//!
//! 1. `analyse`: [`analyse()`] and the [`Report`];
//! 2. `measure`: what one record says, scored again from its text; `table`: all of them in the order of the design;
//! 3. `cell`: one variant alone, with `summary` for each metric;
//! 4. `comparison`: two variants on the same items, and what is found;
//! 5. `stopping`: whether enough has been seen;
//! 6. `judge`: a judge held against the exact scorer; `warnings`: what a reader should know;
//! 7. `error`: what keeps a run from being analysed.

mod analyse;
mod measure;
mod table;

mod cell;
mod summary;

mod comparison;
mod stopping;

mod judge;
mod warnings;

mod error;

pub use analyse::{Counts, REPORT_VERSION, Report, analyse};
pub use cell::{Cell, Outcomes, Part, PassAtK};
pub use comparison::{Comparison, Effect, Finding, POWER};
pub use error::{AnalysisError, Fault, Place};
pub use judge::JudgeAgreement;
pub(crate) use measure::measure_item;
pub use measure::{Measured, Outcome, Scorer, measure};
pub use stopping::{Stopping, StoppingComparison, Watch, stopping};
pub use summary::{MetricSummary, NumberSummary, ShareSummary, Summary};
pub use warnings::{Warning, WarningAbout};

#[cfg(test)]
mod tests;
