//! The rules against a model that is too simple to be wrong.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::cause::ExitCause;

use super::{Backoff, BudgetLedger, Decision, Jitter, RestartBudget, RestartKind, RestartPolicy, Strategy};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn panicked() -> ExitCause {
    ExitCause::Panicked { message: "boom".to_owned(), location: None }
}

fn failed_start() -> ExitCause {
    ExitCause::StartFailed { message: "no".to_owned(), location: None }
}

fn strategies() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)]
}

fn kinds() -> impl proptest::strategy::Strategy<Value = RestartKind> {
    prop_oneof![Just(RestartKind::Permanent), Just(RestartKind::Transient), Just(RestartKind::Temporary)]
}

fn causes() -> impl proptest::strategy::Strategy<Value = ExitCause> {
    prop_oneof![Just(ExitCause::Normal), Just(ExitCause::Killed), Just(panicked()), Just(failed_start())]
}

fn jitters() -> impl proptest::strategy::Strategy<Value = Jitter> {
    prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal)]
}

prop_compose! {
    fn backoffs()(
        initial in 0u64..2_000,
        max in 0u64..100_000,
        factor in 0u32..5,
        jitter in jitters(),
        healthy_after in 0u64..5_000,
    ) -> Backoff {
        Backoff { initial: millis(initial), max: millis(max), factor, jitter, healthy_after: millis(healthy_after) }
    }
}

prop_compose! {
    fn budgets()(restarts_max in 0u32..5, window in 1u64..3_000) -> RestartBudget {
        RestartBudget { restarts_max, window: millis(window) }
    }
}

/// An exit: of which child, why, how long after the one before, whether the child had been started, and chance.
type Exit = (usize, ExitCause, u64, bool, u64);

fn exits() -> impl proptest::strategy::Strategy<Value = Vec<Exit>> {
    vec((0usize..6, causes(), 0u64..1_500, any::<bool>(), any::<u64>()), 0..60)
}

/// Runs a policy over exits; each decision with the time at which it was taken.
fn decisions(policy: &mut RestartPolicy, exits: &[Exit]) -> Vec<(Duration, Decision)> {
    let mut now = Duration::ZERO;
    exits
        .iter()
        .map(|(child, cause, pause, was_started, random)| {
            if *was_started {
                policy.on_started(*child, now);
            }
            now += millis(*pause);
            (now, policy.on_exit(*child, cause, now, *random))
        })
        .collect()
}

/// The same rules in the plainest form: all of history is kept, and everything is looked up in it.
struct Model {
    strategy: Strategy,
    budget: RestartBudget,
    backoff: Backoff,
    kinds: Vec<RestartKind>,
    granted: Vec<Duration>,
    attempts: Vec<u32>,
    started_at: Vec<Option<Duration>>,
}

impl Model {
    fn on_exit(&mut self, child: usize, cause: &ExitCause, now: Duration, random: u64) -> Decision {
        let Some(kind) = self.kinds.get(child).copied() else { return Decision::Ignore };
        let ran_for = self.started_at[child].take().map(|started_at| now.saturating_sub(started_at));
        match (kind, cause) {
            (RestartKind::Temporary, _) | (RestartKind::Transient, ExitCause::Normal) => {
                return Decision::Remove;
            }
            (RestartKind::Permanent | RestartKind::Transient, _) => {}
        }
        if ran_for.is_some_and(|ran_for| ran_for >= self.backoff.healthy_after) {
            self.attempts[child] = 0;
        }
        let recent =
            self.granted.iter().filter(|granted| now.saturating_sub(**granted) < self.budget.window).count();
        if recent >= self.budget.restarts_max as usize {
            return Decision::Escalate;
        }
        self.granted.push(now);
        let after = self.backoff.delay(self.attempts[child], random);
        self.attempts[child] += 1;
        let goes_down = |other: usize| match self.strategy {
            Strategy::OneForOne => other == child,
            Strategy::OneForAll if cause.is_failed_start() => other >= child,
            Strategy::OneForAll => true,
            Strategy::RestForOne => other >= child,
        };
        let down = (0..self.kinds.len()).filter(|other| goes_down(*other));
        Decision::Restart {
            stop: down.clone().rev().filter(|other| *other != child).collect(),
            start: down.filter(|other| self.kinds[*other] != RestartKind::Temporary).collect(),
            after,
        }
    }
}

proptest! {
    #[test]
    fn every_decision_is_the_models(
        strategy in strategies(), budget in budgets(), backoff in backoffs(),
        kinds in vec(kinds(), 0..6), exits in exits(),
    ) {
        let mut policy = RestartPolicy::new(strategy, budget, backoff, kinds.clone());
        let mut model = Model {
            strategy, budget, backoff,
            granted: Vec::new(),
            attempts: vec![0; kinds.len()],
            started_at: vec![None; kinds.len()],
            kinds,
        };
        let mut now = Duration::ZERO;
        for (child, cause, pause, was_started, random) in &exits {
            if *was_started {
                policy.on_started(*child, now);
                if let Some(started_at) = model.started_at.get_mut(*child) {
                    *started_at = Some(now);
                }
            }
            now += millis(*pause);
            prop_assert_eq!(
                policy.on_exit(*child, cause, now, *random),
                model.on_exit(*child, cause, now, *random)
            );
        }
    }

    #[test]
    fn no_window_holds_more_restarts_than_the_budget(
        strategy in strategies(), budget in budgets(), backoff in backoffs(),
        kinds in vec(kinds(), 1..6), exits in exits(),
    ) {
        let mut policy = RestartPolicy::new(strategy, budget, backoff, kinds);
        let restarts: Vec<Duration> = decisions(&mut policy, &exits)
            .into_iter()
            .filter(|(_, decision)| matches!(decision, Decision::Restart { .. }))
            .map(|(at, _)| at)
            .collect();
        for begin in &restarts {
            let within = restarts.iter().filter(|at| *at >= begin && at.saturating_sub(*begin) < budget.window).count();
            prop_assert!(within <= budget.restarts_max as usize);
        }
    }

    #[test]
    fn the_same_calls_get_the_same_decisions(
        strategy in strategies(), budget in budgets(), backoff in backoffs(),
        kinds in vec(kinds(), 0..6), exits in exits(),
    ) {
        let mut one = RestartPolicy::new(strategy, budget, backoff, kinds);
        let mut other = one.clone();
        prop_assert_eq!(decisions(&mut one, &exits), decisions(&mut other, &exits));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_temporary_child_is_never_started_again_and_a_done_transient_one_neither(
        strategy in strategies(), budget in budgets(), backoff in backoffs(),
        kinds in vec(kinds(), 1..6), exits in exits(),
    ) {
        let mut policy = RestartPolicy::new(strategy, budget, backoff, kinds.clone());
        for ((_, decision), (child, cause, ..)) in decisions(&mut policy, &exits).into_iter().zip(&exits) {
            if let Decision::Restart { start, .. } = &decision {
                prop_assert!(start.iter().all(|started| kinds[*started] != RestartKind::Temporary));
            }
            match (kinds.get(*child), cause) {
                (Some(RestartKind::Temporary), _) | (Some(RestartKind::Transient), ExitCause::Normal) => {
                    prop_assert_eq!(decision, Decision::Remove);
                }
                (Some(RestartKind::Permanent | RestartKind::Transient) | None, _) => {}
            }
        }
    }

    #[test]
    fn a_delay_lies_between_its_floor_and_its_ceiling(
        backoff in backoffs(), attempts in 0u32..200, random in any::<u64>(),
    ) {
        let (delay, ceiling) = (backoff.delay(attempts, random), backoff.ceiling(attempts));
        let floor = match backoff.jitter {
            Jitter::None => ceiling,
            Jitter::Full => Duration::ZERO,
            Jitter::Equal => ceiling / 2,
        };
        prop_assert!(floor <= delay && delay <= ceiling && ceiling <= backoff.max);
    }

    #[test]
    fn ceilings_never_fall_as_failures_go_on(backoff in backoffs(), attempts in 0u32..200) {
        prop_assert!(backoff.ceiling(attempts) <= backoff.ceiling(attempts + 1));
    }

    #[test]
    fn a_delay_grows_with_what_was_drawn(
        backoff in backoffs(), attempts in 0u32..20, one in any::<u64>(), other in any::<u64>(),
    ) {
        let (low, high) = (one.min(other), one.max(other));
        prop_assert!(backoff.delay(attempts, low) <= backoff.delay(attempts, high));
    }

    #[test]
    fn even_the_longest_durations_are_handled(attempts in any::<u32>(), random in any::<u64>(), factor in any::<u32>()) {
        for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
            for initial in [Duration::from_nanos(1), Duration::MAX] {
                let backoff = Backoff { initial, max: Duration::MAX, factor, jitter, healthy_after: Duration::MAX };
                prop_assert!(backoff.delay(attempts, random) <= backoff.ceiling(attempts));
            }
        }
    }
}

#[test]
fn ceilings_double_up_to_the_maximum() {
    let backoff = Backoff { initial: millis(100), max: millis(1_000), ..Backoff::default() };
    let ceilings: Vec<_> = (0..6).map(|attempts| backoff.ceiling(attempts).as_millis()).collect();
    assert_eq!(ceilings, [100, 200, 400, 800, 1_000, 1_000]);
}

#[test]
fn jitter_reaches_both_ends_of_its_range() {
    let backoff = Backoff { initial: millis(1_000), ..Backoff::default() };
    let full = Backoff { jitter: Jitter::Full, ..backoff };
    assert_eq!(
        (full.delay(0, 0), full.delay(0, u64::MAX / 2)),
        (millis(0), Duration::from_nanos(499_999_999))
    );
    let equal = Backoff { jitter: Jitter::Equal, ..backoff };
    assert_eq!(
        (equal.delay(0, 0), equal.delay(0, u64::MAX)),
        (millis(500), Duration::from_nanos(999_999_999))
    );
}

#[test]
fn a_restart_counts_until_just_before_its_window_is_over() {
    let mut ledger = BudgetLedger::new(RestartBudget { restarts_max: 1, window: millis(100) });
    let taken = [0, 99, 100, 150, 200].map(|at| ledger.take(millis(at)));
    assert_eq!(taken, [true, false, true, false, true]);
}

#[test]
fn a_failure_after_a_healthy_time_waits_as_briefly_as_the_first() {
    let backoff = Backoff {
        initial: millis(100),
        jitter: Jitter::None,
        healthy_after: millis(1_000),
        ..Backoff::default()
    };
    let budget = RestartBudget { restarts_max: 100, ..RestartBudget::default() };
    let mut policy = RestartPolicy::new(Strategy::OneForOne, budget, backoff, [RestartKind::Permanent]);
    let mut delay_after = |started_at: u64, ended_at: u64| {
        policy.on_started(0, millis(started_at));
        match policy.on_exit(0, &panicked(), millis(ended_at), 0) {
            Decision::Restart { after, .. } => after.as_millis(),
            decision @ (Decision::Ignore | Decision::Remove | Decision::Escalate) => panic!("{decision:?}"),
        }
    };
    assert_eq!(delay_after(0, 10), 100);
    assert_eq!(delay_after(110, 120), 200);
    assert_eq!(delay_after(320, 1_319), 400);
    assert_eq!(delay_after(2_000, 3_000), 100);
}
