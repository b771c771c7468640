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
    /// How many of those before it ended at a full queue.
    pub(crate) overloaded: u32,
    /// Attempts that the task has in all, without those that ended at a full queue.
    pub(crate) attempts_max: u32,
    /// Why it failed.
    pub(crate) failure: &'a Failure,
    /// Why the attempt before failed, leaving out full queues.
    pub(crate) before: Option<&'a Failure>,
    /// Whether who ran it was lost: a supervisor was restarted, or an actor killed.
    pub(crate) is_lost: bool,
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
///   or so late that no time is left to wait; then it is given up and kept.
/// - A full queue says nothing about the task: it may repeat, and takes none of the task's attempts; the task's time
///   bounds how often. Neither does the loss of who ran it, which may repeat as often as the task has attempts.
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
    let is_overloaded = failure.class == FailureClass::Overloaded;
    let repeats = failed
        .before
        .is_some_and(|before| before.class == failure.class && before.message == failure.message)
        && !failed.is_lost;
    let is_last = repeats || failed.attempt.saturating_sub(failed.overloaded) >= failed.attempts_max;
    let after = wait(rules, failed);
    if (is_last && !is_overloaded) || after >= failed.time_left {
        return Next::End(TaskStatus::DeadLettered);
    }
    Next::Again { after }
}

/// Drawn from zero up to a bound that doubles with each attempt of its kind. What a failure says itself is the least.
///
/// Behind a full queue half the bound at least comes on top of what it says: those that were refused together must not
/// come again together, and with the task's time this bounds how often they come.
fn wait(rules: &AttemptsConfig, failed: &Failed<'_>) -> Duration {
    let is_overloaded = failed.failure.class == FailureClass::Overloaded;
    let doublings = if is_overloaded {
        failed.overloaded
    } else {
        failed.attempt.saturating_sub(failed.overloaded).saturating_sub(1)
    };
    let bound = rules
        .backoff_initial
        .checked_mul(2_u32.saturating_pow(doublings.min(32)))
        .map_or(rules.backoff_max, |bound| bound.min(rules.backoff_max));
    let jitter = failed.jitter.clamp(0.0, 1.0);
    let said = failed.failure.retry_after_ms.map_or(Duration::ZERO, Duration::from_millis);
    if is_overloaded {
        said.saturating_add(bound.mul_f64(f64::midpoint(1.0, jitter)))
    } else {
        bound.mul_f64(jitter).max(said)
    }
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
        let failed = Failed {
            attempt,
            overloaded: 0,
            attempts_max: 3,
            failure,
            before,
            is_lost: false,
            time_left,
            jitter: 0.5,
        };
        next(&RULES, &failed)
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
    fn a_full_queue_takes_no_attempt_and_waits_longer_each_time() {
        let full = failure(FailureClass::Overloaded, "the queue is full").with_retry_after_ms(2_000);
        let other = failure(FailureClass::Retryable, "x");
        let after = |attempt, overloaded, failure| {
            let time_left = Duration::from_secs(10);
            let failed = Failed {
                attempt,
                overloaded,
                attempts_max: 3,
                failure,
                before: None,
                is_lost: false,
                time_left,
                jitter: 0.5,
            };
            match next(&RULES, &failed) {
                Next::Again { after } => Some(after.as_millis()),
                Next::End(_) => None,
            }
        };
        let waits =
            [(1, 0), (2, 1), (3, 2), (9, 8)].map(|(attempt, overloaded)| after(attempt, overloaded, &full));
        assert_eq!(waits, [Some(2_075), Some(2_150), Some(2_300), Some(2_750)]);
        assert_eq!(after(10, 8, &other), Some(100), "the second attempt that counts");
        assert_eq!(after(11, 8, &other), None, "the third one");
        let too_slow = full.clone().with_retry_after_ms(10_000);
        assert_eq!(after(1, 0, &too_slow), None, "the task's time is the bound");
    }

    #[test]
    fn a_loss_may_repeat_within_the_attempts() {
        let lost = failure(FailureClass::Retryable, "its actor ended");
        let after = |attempt| {
            let time_left = Duration::from_secs(10);
            let failed = Failed {
                attempt,
                overloaded: 0,
                attempts_max: 3,
                failure: &lost,
                before: Some(&lost),
                is_lost: true,
                time_left,
                jitter: 0.0,
            };
            next(&RULES, &failed)
        };
        assert!(matches!(after(2), Next::Again { .. }));
        assert_eq!(after(3), Next::End(TaskStatus::DeadLettered));
    }

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_keeps_what_the_failure_asks_for() {
        let failure = failure(FailureClass::Retryable, "x");
        let waits = [1, 2, 3, 4, 5, 40].map(|attempt| {
            let time_left = Duration::from_mins(1);
            let failed = Failed {
                attempt,
                overloaded: 0,
                attempts_max: 100,
                failure: &failure,
                before: None,
                is_lost: false,
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
        fn every_task_ends_within_its_attempts_and_its_time(
            classes in prop::collection::vec(0..7_usize, 1..20), max in 1..10_u32, jitter in 0.0..1.0_f64,
        ) {
            let mut before: Option<Failure> = None;
            let (mut overloaded, mut time_left) = (0, Duration::from_mins(1));
            for (attempt, class) in (1..).zip(classes.into_iter().cycle()) {
                let failure = Failure::new(FailureClass::ALL[class], format!("attempt {attempt}"));
                let failed = Failed {
                    attempt,
                    overloaded,
                    attempts_max: max,
                    failure: &failure,
                    before: before.as_ref(),
                    is_lost: false,
                    time_left,
                    jitter,
                };
                prop_assert!(attempt <= max + overloaded, "attempts that count");
                match next(&RULES, &failed) {
                    Next::Again { after } => {
                        prop_assert!(after <= RULES.backoff_max && after < time_left);
                        time_left -= after;
                    }
                    Next::End(status) => {
                        prop_assert!(!status.is_open());
                        break;
                    }
                }
                if failure.class == FailureClass::Overloaded {
                    overloaded += 1;
                } else {
                    before = Some(failure);
                }
            }
        }
    }
}
