//! What follows a failed attempt. Pure: the time and the jitter come in as arguments.

use std::time::Duration;

use playhouse_config::settings::AttemptsConfig;
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{Failure, FailureClass};

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another one, after a wait.
    Again {
        /// How long.
        after: Duration,
    },
    /// The end, with this status.
    End(TaskStatus),
}

/// How an attempt failed, and what was before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed<'a> {
    /// The attempt, counted from 1.
    pub(crate) attempt: u32,
    /// Attempts that the task has in all.
    pub(crate) attempts_max: u32,
    /// Why it failed.
    pub(crate) failure: &'a Failure,
    /// Why the attempt before failed.
    pub(crate) before: Option<&'a Failure>,
    /// How much of the task's time is left.
    pub(crate) time_left: Duration,
    /// Evenly drawn from 0 up to and without 1.
    pub(crate) jitter: f64,
}

/// Decides.
///
/// - A task that was taken back is cancelled; one whose time is over, or whose request is wrong or not allowed,
///   has failed: another attempt would end alike.
/// - A fault inside is given up at once and kept, to be replayed when the program is mended.
/// - Anything else is tried again, unless it failed the same way twice (same class, same text), too often,
///   or so late that no time is left to wait; then it is given up and kept. A full queue says nothing about
///   the task, so it may repeat.
pub(crate) fn next(rules: &AttemptsConfig, failed: &Failed<'_>) -> Next {
    let failure = failed.failure;
    match failure.class {
        FailureClass::Cancelled => return Next::End(TaskStatus::Cancelled),
        FailureClass::InvalidInput | FailureClass::Denied | FailureClass::Deadline => {
            return Next::End(TaskStatus::Failed);
        }
        FailureClass::Internal => return Next::End(TaskStatus::DeadLettered),
        FailureClass::Retryable | FailureClass::Overloaded => {}
    }
    let repeats = failed
        .before
        .is_some_and(|before| before.class == failure.class && before.message == failure.message)
        && failure.class != FailureClass::Overloaded;
    let after = wait(rules, failed);
    if repeats || failed.attempt >= failed.attempts_max || after >= failed.time_left {
        return Next::End(TaskStatus::DeadLettered);
    }
    Next::Again { after }
}

/// Full jitter: drawn from zero up to a bound that doubles with each attempt. What a failure says itself is
/// the least.
fn wait(rules: &AttemptsConfig, failed: &Failed<'_>) -> Duration {
    let doublings = failed.attempt.saturating_sub(1).min(32);
    let bound = rules
        .backoff_initial
        .checked_mul(2_u32.saturating_pow(doublings))
        .map_or(rules.backoff_max, |bound| bound.min(rules.backoff_max));
    let said = failed.failure.retry_after_ms.map_or(Duration::ZERO, Duration::from_millis);
    bound.mul_f64(failed.jitter.clamp(0.0, 1.0)).max(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: AttemptsConfig = AttemptsConfig {
        attempts_max: 3,
        backoff_initial: Duration::from_millis(100),
        backoff_max: Duration::from_secs(1),
    };

    fn failure(class: FailureClass, text: &str) -> Failure {
        Failure::new(class, text)
    }

    fn after(attempt: u32, failure: &Failure, before: Option<&Failure>) -> Next {
        let time_left = Duration::from_mins(1);
        next(&RULES, &Failed { attempt, attempts_max: 3, failure, before, time_left, jitter: 0.5 })
    }

    #[test]
    fn only_what_another_attempt_may_mend_is_tried_again() {
        let end = |class| match after(1, &failure(class, "x"), None) {
            Next::Again { .. } => None,
            Next::End(status) => Some(status),
        };
        let ends = FailureClass::ALL.map(end);
        let [failed, dead, cancelled] =
            [TaskStatus::Failed, TaskStatus::DeadLettered, TaskStatus::Cancelled].map(Some);
        assert_eq!(ends, [None, None, failed, failed, failed, cancelled, dead]);
    }

    #[test]
    fn the_same_failure_twice_ends_it_early_and_a_full_queue_does_not() {
        let one = failure(FailureClass::Retryable, "index out of bounds at lib.rs:7:9");
        assert_eq!(after(2, &one, Some(&one)), Next::End(TaskStatus::DeadLettered));
        let other = failure(FailureClass::Retryable, "connection reset");
        assert!(matches!(after(2, &one, Some(&other)), Next::Again { .. }));
        let full = failure(FailureClass::Overloaded, "the queue is full");
        assert!(matches!(after(2, &full, Some(&full)), Next::Again { .. }));
    }

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_keeps_what_the_failure_asks_for() {
        let failure = failure(FailureClass::Retryable, "x");
        let waits = [1, 2, 3, 4, 5, 40].map(|attempt| {
            let time_left = Duration::from_mins(1);
            let failed = Failed {
                attempt,
                attempts_max: 100,
                failure: &failure,
                before: None,
                time_left,
                jitter: 0.5,
            };
            match next(&RULES, &failed) {
                Next::Again { after } => after.as_millis(),
                Next::End(status) => panic!("{status}"),
            }
        });
        assert_eq!(waits, [50, 100, 200, 400, 500, 500]);
        let slow = failure.with_retry_after_ms(7_000);
        assert_eq!(after(1, &slow, None), Next::Again { after: Duration::from_secs(7) });
        let too_slow = slow.with_retry_after_ms(60_000);
        assert_eq!(after(1, &too_slow, None), Next::End(TaskStatus::DeadLettered));
    }

    proptest! {
        #[test]
        fn every_task_ends_within_its_attempts(classes in prop::collection::vec(0..7_usize, 1..20), max in 1..10_u32, jitter in 0.0..1.0_f64) {
            let mut before: Option<Failure> = None;
            for (attempt, class) in (1..).zip(classes.into_iter().cycle()) {
                let failure = Failure::new(FailureClass::ALL[class], format!("attempt {attempt}"));
                let time_left = Duration::from_hours(1);
                let failed = Failed { attempt, attempts_max: max, failure: &failure, before: before.as_ref(), time_left, jitter };
                prop_assert!(attempt <= max);
                match next(&RULES, &failed) {
                    Next::Again { after } => prop_assert!(after <= RULES.backoff_max),
                    Next::End(status) => {
                        prop_assert!(!status.is_open());
                        break;
                    }
                }
                before = Some(failure);
            }
        }
    }
}
