//! How much of the calls of all models together may be retries.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use playhouse_config::settings::RetryBudgetConfig;
use tokio::time::Instant;

use crate::layers::window::Window;

/// The places of the counts in the window.
const FIRST_CALLS: usize = 0;
const RETRIES: usize = 1;

/// The rule, without a clock: within the sliding window, retries are at most `ratio_max` of the first calls, or
/// `free` where that is more.
///
/// Retries multiply the load just when a provider can bear it least, and each caller's own limit of attempts does
/// not help: with three attempts, an outage triples the calls of everybody.
///
/// Source: "Addressing Cascading Failures", Site Reliability Engineering (O'Reilly 2016), chapter 22: a retry budget
/// for the whole process.
#[derive(Debug)]
pub(super) struct Ledger {
    config: RetryBudgetConfig,
    window: Window,
}

impl Ledger {
    pub(super) fn new(config: RetryBudgetConfig) -> Self {
        Self { config, window: Window::new(config.window) }
    }

    pub(super) fn first_call(&mut self, now: Duration) {
        self.window.count(now, FIRST_CALLS);
    }

    /// Whether one more retry is within the budget; if so, it is counted.
    pub(super) fn spend(&mut self, now: Duration) -> bool {
        let counts = self.window.counts(now);
        let earned = self.config.ratio_max * counts[FIRST_CALLS] as f64;
        let allowed = counts[RETRIES] < u64::from(self.config.free) || (counts[RETRIES] + 1) as f64 <= earned;
        if allowed {
            self.window.count(now, RETRIES);
        }
        allowed
    }
}

/// The budget that all models of a catalog share. Held for the time of a few additions.
#[derive(Debug)]
pub struct RetryBudget {
    ledger: Mutex<Ledger>,
    begun: Instant,
}

impl RetryBudget {
    /// A budget of which nothing is spent.
    pub fn new(config: RetryBudgetConfig) -> Self {
        Self { ledger: Mutex::new(Ledger::new(config)), begun: Instant::now() }
    }

    pub(super) fn first_call(&self) {
        self.ledger().first_call(self.begun.elapsed());
    }

    pub(super) fn spend(&self) -> bool {
        self.ledger().spend(self.begun.elapsed())
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> RetryBudgetConfig {
        RetryBudgetConfig { ratio_max: 0.1, free: 3, window: Duration::from_secs(10) }
    }

    #[test]
    fn a_few_retries_are_free_and_further_ones_are_earned_by_calls() {
        let mut ledger = Ledger::new(config());
        let now = Duration::ZERO;
        let spent = |ledger: &mut Ledger| (0..100).take_while(|_| ledger.spend(now)).count();
        assert_eq!(spent(&mut ledger), 3);
        (0..39).for_each(|_| ledger.first_call(now));
        assert_eq!(spent(&mut ledger), 0);
        ledger.first_call(now);
        assert_eq!(spent(&mut ledger), 1);
    }

    #[test]
    fn what_was_spent_comes_back_when_the_window_has_passed() {
        let mut ledger = Ledger::new(config());
        (0..3).for_each(|_| assert!(ledger.spend(Duration::ZERO)));
        assert!(!ledger.spend(Duration::from_secs(9)));
        assert!(ledger.spend(Duration::from_secs(10)));
    }

    proptest! {
        /// The model: a list of all calls and retries with the part of the window they were in.
        #[test]
        fn no_window_ever_has_more_retries_than_it_may(
            steps in prop::collection::vec((0_u64..300, prop::bool::weighted(0.5)), 1..400),
        ) {
            let mut ledger = Ledger::new(config());
            let mut list = Vec::new();
            let mut now_ms = 0;
            for (passed_ms, is_retry) in steps {
                now_ms += passed_ms;
                let now = Duration::from_millis(now_ms);
                let granted = if is_retry { ledger.spend(now) } else { ledger.first_call(now); true };
                let within = |wanted: bool, list: &Vec<(u64, bool)>| {
                    let inside = |part: u64| part + 10 > now_ms / 1_000;
                    list.iter().filter(|(part, is_retry)| *is_retry == wanted && inside(*part)).count()
                };
                if granted {
                    list.push((now_ms / 1_000, is_retry));
                }
                let allowed = (within(false, &list) / 10).max(3);
                if is_retry {
                    prop_assert_eq!(granted, within(true, &list) + usize::from(!granted) <= allowed);
                }
            }
        }
    }
}
