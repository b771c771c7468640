//! What is shown on standard error while work is done: on a terminal it moves, elsewhere it is a line a phase.

mod batch;
mod pull;
mod run;
mod task;

pub(crate) use batch::BatchProgress;
pub(crate) use pull::PullView;
pub(crate) use run::RunProgress;
pub(crate) use task::TaskProgress;

use std::time::Duration;

/// Between two frames of a spinner.
pub(crate) const TICK: Duration = Duration::from_millis(100);
