//! How many failures a supervisor repairs before it admits that repairing does not help.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// At most `restarts_max` repairs in any stretch of time as long as `window`.
///
/// One failure costs one restart, however many siblings go down with the failed child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RestartBudget {
    /// How many failures are repaired in a window; 0 escalates the first one.
    pub restarts_max: u32,
    /// How long a restart counts.
    pub window: Duration,
}

impl Default for RestartBudget {
    /// 10 restarts a minute: enough for a provider's bad minute, too few for a crash loop to go on.
    fn default() -> Self {
        Self { restarts_max: 10, window: Duration::from_mins(1) }
    }
}

/// The account of a [`RestartBudget`]: when the restarts of the last window were granted.
///
/// It holds at most `restarts_max` instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetLedger {
    budget: RestartBudget,
    granted: VecDeque<Duration>,
}

impl BudgetLedger {
    /// An account from which nothing was taken.
    pub const fn new(budget: RestartBudget) -> Self {
        Self { budget, granted: VecDeque::new() }
    }

    /// The budget it accounts for.
    pub const fn budget(&self) -> RestartBudget {
        self.budget
    }

    /// Takes one restart at `now` and tells whether there was one to take.
    ///
    /// A restart granted at `t` counts until just before `t + window`. `now` must not go backwards; where
    /// it does, old restarts count for longer, never for less.
    pub fn take(&mut self, now: Duration) -> bool {
        while self.granted.front().is_some_and(|granted| now.saturating_sub(*granted) >= self.budget.window) {
            self.granted.pop_front();
        }
        let within = self.granted.len() < usize::try_from(self.budget.restarts_max).unwrap_or(usize::MAX);
        if within {
            self.granted.push_back(now);
        }
        within
    }
}
