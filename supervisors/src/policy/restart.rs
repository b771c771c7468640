//! The rule that turns the end of a child into what its supervisor does next.

use std::time::Duration;

use crate::cause::ExitCause;

use super::{Backoff, BudgetLedger, RestartBudget, RestartKind, Strategy};

/// What a supervisor does about the end of a child. Children are named by their place in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There is no such child: nothing.
    Ignore,
    /// The child stays down, nobody else is touched.
    Remove,
    /// Children are stopped and started.
    Restart {
        /// Whom to stop first, in this order; some may not be running.
        stop: Vec<usize>,
        /// Whom to start afterwards, one after another, in this order.
        start: Vec<usize>,
        /// How long after the exit the first start may begin.
        after: Duration,
    },
    /// The budget is spent: stop everybody and fail.
    Escalate,
}

/// What is remembered about one child.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChildHistory {
    kind: RestartKind,
    /// Failures since it last was healthy.
    attempts: u32,
    started_at: Option<Duration>,
}

/// The state machine behind a supervisor: told of starts and exits, it answers with [`Decision`]s.
///
/// The same calls give the same answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPolicy {
    strategy: Strategy,
    backoff: Backoff,
    ledger: BudgetLedger,
    children: Vec<ChildHistory>,
}

impl RestartPolicy {
    /// A policy for children of these kinds, in the order of the supervisor's list.
    pub fn new(
        strategy: Strategy,
        budget: RestartBudget,
        backoff: Backoff,
        kinds: impl IntoIterator<Item = RestartKind>,
    ) -> Self {
        let children =
            kinds.into_iter().map(|kind| ChildHistory { kind, attempts: 0, started_at: None }).collect();
        Self { strategy, backoff, ledger: BudgetLedger::new(budget), children }
    }

    /// The strategy it applies.
    pub const fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// The budget it keeps.
    pub const fn budget(&self) -> RestartBudget {
        self.ledger.budget()
    }

    /// Notes that `child` runs since `now`.
    pub fn on_started(&mut self, child: usize, now: Duration) {
        if let Some(history) = self.children.get_mut(child) {
            history.started_at = Some(now);
        }
    }

    /// Notes that `child` was stopped on purpose: what it ran for until now is not counted for it.
    pub fn on_stopped(&mut self, child: usize) {
        if let Some(history) = self.children.get_mut(child) {
            history.started_at = None;
        }
    }

    /// Decides what follows from the exit of `child` at `now`, with `random` to draw the delay.
    ///
    /// A failed start touches the child and those after it in the list only, under
    /// [`Strategy::OneForAll`] too: whoever was started before it in the same go has not met it yet.
    pub fn on_exit(&mut self, child: usize, cause: &ExitCause, now: Duration, random: u64) -> Decision {
        let Some(history) = self.children.get_mut(child) else {
            return Decision::Ignore;
        };
        let was_healthy = history
            .started_at
            .take()
            .is_some_and(|started_at| now.saturating_sub(started_at) >= self.backoff.healthy_after);
        if !history.kind.comes_back(cause.is_failure()) {
            return Decision::Remove;
        }
        if was_healthy {
            history.attempts = 0;
        }
        if !self.ledger.take(now) {
            return Decision::Escalate;
        }
        let after = self.backoff.delay(history.attempts, random);
        history.attempts = history.attempts.saturating_add(1);

        let touched = self.touched_by(child, cause);
        let stop = touched.clone().rev().filter(|touched| *touched != child).collect();
        let start = touched
            .filter(|touched| {
                self.children.get(*touched).is_some_and(|history| history.kind != RestartKind::Temporary)
            })
            .collect();
        Decision::Restart { stop, start, after }
    }

    /// The failed child and those that go down with it.
    fn touched_by(&self, child: usize, cause: &ExitCause) -> std::ops::Range<usize> {
        match (self.strategy, cause.is_failed_start()) {
            (Strategy::OneForOne, _) => child..child.saturating_add(1),
            (Strategy::OneForAll, false) => 0..self.children.len(),
            (Strategy::OneForAll, true) | (Strategy::RestForOne, _) => child..self.children.len(),
        }
    }
}
