//! Counters, gauges and histograms of one runtime, as Prometheus reads them.
//!
//! Two parts. A [`Meter`] is what everybody counts with: handles into a recorder that belongs to the runtime,
//! so that counting is an atomic addition and never a queue. The [`MetricsActor`] owns that recorder: it keeps
//! histograms short, and renders the text. Started by the runtime's supervisor, second after the journal; ends
//! with the runtime. A restart loses nothing, since the recorder is handed to it anew.
//!
//! A [`Meter`] is also what models tell what happens around their calls (`CallObserver`): it counts that and
//! writes it into the log, without a word of prompts or answers.
//!
//! Labels come from closed sets (agent kinds, catalog entries, failure classes), never from input.

mod actor;
mod arms;
mod budgets;
mod calls;
mod compressions;
mod message;
mod meter;
mod names;
mod state;

pub use actor::MetricsActor;
pub use message::MetricsMessage;
pub use meter::{AgentMeters, Meter, Running};
pub use state::{MetricsArgs, MetricsState};

#[cfg(test)]
mod tests;
