//! Whether a model is still what it was: its failures, times, costs and quality held against its own first calls.
//!
//! Each is a [`Watch`]: it learns from the first calls which of them count as bad (failed; at or beyond the 90th percentile of time or
//! cost; at or below the 10th of quality) and how many are, and then bets on there being more (the e-detector in `detector`).
//! Without a change a watch raises a false alarm once in 100,000 calls on average or less often. What an entry of the catalog is asked
//! for belongs to it: a model that is asked something else all of a sudden drifts too. Versions of a registered model are entries of
//! their own, so each has a baseline of its own.
//!
//! A call costs a lock that nobody holds for long, and for each of three watches a comparison, two running means and three
//! multiplications; nothing is allocated once the first calls are over.

mod buckets;
mod detector;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observer::{CallEvent, DriftKind};
use buckets::{fine, twentieths};
use watch::{Change, Watch};

/// First calls that the others are held against: enough for a 90th percentile that means something (some 25 calls lie beyond
/// it), and few enough that a model is watched after an hour's work.
const BASELINE_CALLS: u64 = 256;

/// First judged answers that the others are held against: there are far fewer of them than calls.
const BASELINE_ANSWERS: u64 = 128;

/// Types of tasks whose quality is watched. There are as many as there are kinds of agents; the bound holds against
/// names that are made up.
const TASK_TYPES_MAX: usize = 64;

/// Whether a model is still what it was. Lives as long as the catalog, and longer in the file of measured figures.
#[derive(Debug, Default)]
pub struct Drift(Mutex<DriftState>);

/// What is kept of a model's calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DriftState {
    errors: Watch,
    latency: Watch,
    cost: Watch,
    /// By type of task.
    quality: BTreeMap<String, Watch>,
}

impl Default for DriftState {
    fn default() -> Self {
        Self {
            errors: Watch::counting(BASELINE_CALLS),
            latency: Watch::learning(BASELINE_CALLS),
            cost: Watch::learning(BASELINE_CALLS),
            quality: BTreeMap::new(),
        }
    }
}

/// How one of them stands.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftStanding {
    /// What is watched.
    pub what: DriftKind,
    /// The type of task, for quality.
    pub task_type: Option<String>,
    /// Calls, or judged answers, so far.
    pub calls: u64,
    /// The running mean of the last hundred or so: a share of failures, seconds, billionths of a US dollar, or a score.
    pub rolling: f64,
    /// The share of bad ones among the first, 0.0 to 1.0; `None` while they are being learned from.
    pub usual: Option<f64>,
    /// The share of bad ones among the last hundred or so, 0.0 to 1.0; `None` while there is nothing to hold against them.
    pub recent: Option<f64>,
    /// Why it is no longer as it was, as a sentence without its full stop; `None` where it is.
    pub drifted: Option<String>,
}

impl Drift {
    /// Sees a call that ended: whether it failed, and for an answer how long it took and what it cost. Gives what has changed
    /// by it, which is almost always nothing.
    pub fn see_call(&self, elapsed: Duration, cost_nano_usd: u64, failed: bool) -> Vec<CallEvent> {
        let mut state = self.state();
        let mut events = Vec::new();
        let seen = state.errors.see(u16::from(failed), f64::from(u8::from(failed)));
        events.extend(event(DriftKind::Errors, None, &state.errors, seen));
        if !failed {
            let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
            let seen = state.latency.see(fine(micros), elapsed.as_secs_f64());
            events.extend(event(DriftKind::Latency, None, &state.latency, seen));
            let seen = state.cost.see(fine(cost_nano_usd), cost_nano_usd as f64);
            events.extend(event(DriftKind::Cost, None, &state.cost, seen));
        }
        events
    }

    /// Sees how good an answer to a task of this type was, from 0.0 to 1.0.
    pub fn see_quality(&self, task_type: &str, score: f64) -> Option<CallEvent> {
        let mut state = self.state();
        if !state.quality.contains_key(task_type) {
            if state.quality.len() >= TASK_TYPES_MAX {
                return None;
            }
            state.quality.insert(task_type.to_owned(), Watch::learning(BASELINE_ANSWERS));
        }
        let watch = state.quality.get_mut(task_type)?;
        let seen = watch.see(twentieths(1.0 - score), score);
        event(DriftKind::Quality, Some(task_type), watch, seen)
    }

    /// How everything that was seen stands: errors, time, cost, and the quality of each type of task.
    pub fn standing(&self) -> Vec<DriftStanding> {
        let state = self.state();
        let calls = [
            (DriftKind::Errors, None, &state.errors),
            (DriftKind::Latency, None, &state.latency),
            (DriftKind::Cost, None, &state.cost),
        ];
        let quality = state.quality.iter().map(|(task, watch)| (DriftKind::Quality, Some(task), watch));
        let standing = |(what, task_type, watch): (DriftKind, Option<&String>, &Watch)| DriftStanding {
            what,
            task_type: task_type.cloned(),
            calls: watch.calls(),
            rolling: watch.rolling(),
            usual: watch.usual(),
            recent: watch.recent(),
            drifted: watch.is_drifting().then(|| sentence(what, task_type.map(String::as_str), watch)),
        };
        calls.into_iter().chain(quality).filter(|(.., watch)| watch.calls() > 0).map(standing).collect()
    }

    pub(crate) fn saved(&self) -> Option<DriftState> {
        let state = self.state();
        (*state != DriftState::default()).then(|| state.clone())
    }

    /// Goes on where an earlier process ended. What cannot be is left out.
    pub(crate) fn restore(&self, saved: DriftState) {
        if saved.is_sound() {
            *self.state() = saved;
        }
    }

    fn state(&self) -> MutexGuard<'_, DriftState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DriftState {
    fn is_sound(&self) -> bool {
        let calls = [&self.errors, &self.latency, &self.cost];
        self.quality.len() <= TASK_TYPES_MAX
            && calls.into_iter().all(|watch| watch.is_sound(BASELINE_CALLS))
            && self.quality.values().all(|watch| watch.is_sound(BASELINE_ANSWERS))
    }
}

fn event(what: DriftKind, task: Option<&str>, watch: &Watch, change: Option<Change>) -> Option<CallEvent> {
    let task_type = || task.map(str::to_owned);
    Some(match change? {
        Change::Drifted => {
            CallEvent::Drifted { what, task_type: task_type(), reason: sentence(what, task, watch) }
        }
        Change::Ended => CallEvent::DriftEnded { what, task_type: task_type() },
    })
}

/// What it was and what it is.
fn sentence(what: DriftKind, task_type: Option<&str>, watch: &Watch) -> String {
    let share = |share: Option<f64>| format!("{:.0} %", share.unwrap_or_default() * 100.0);
    let (recent, usual) = (share(watch.recent()), share(watch.usual()));
    // Where the first ones were all alike, there is no worst tenth of them.
    let worst = |superlative: &str| match watch.usual() {
        Some(share) if share > 0.0 => format!("as the {superlative} {usual} of its first ones"),
        _ => "as none of its first ones".to_owned(),
    };
    match what {
        DriftKind::Errors => format!("{recent} of its last calls failed, {usual} of its first ones"),
        DriftKind::Latency => format!("{recent} of its last answers took as long {}", worst("slowest")),
        DriftKind::Cost => format!("{recent} of its last answers cost as much {}", worst("dearest")),
        DriftKind::Quality => {
            let task_type = task_type.unwrap_or_default();
            format!("{recent} of its last answers to {task_type} were as bad {}", worst("worst"))
        }
    }
}

#[cfg(test)]
mod tests;
