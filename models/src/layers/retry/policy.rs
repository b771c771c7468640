//! Whether and when to try again, without a clock or chance of its own.

use std::time::Duration;

use playhouse_config::settings::{RetriesConfig, TimeoutsConfig};

use crate::error::{ModelError, ModelErrorKind};

/// The same failure so often in a row is not chance: the request, or the server's state, makes it. A provider was
/// asked three times by then, which is also what an ordinary call may be (`retries.attempts_max`).
pub(super) const IDENTICAL_FAILURES_MAX: u32 = 3;

/// How often and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u32,
    /// The wait before the second attempt is drawn from zero to this; it doubles with each attempt.
    pub backoff_initial: Duration,
    /// The wait is never drawn from more than this.
    pub backoff_max: Duration,
    /// From the first attempt's start to the end of the last one, waits included.
    pub total: Duration,
}

impl RetryPolicy {
    /// The policy that the settings of an endpoint describe.
    pub fn new(retries: &RetriesConfig, timeouts: &TimeoutsConfig) -> Self {
        Self {
            attempts_max: retries.attempts_max.max(1),
            backoff_initial: retries.backoff_initial,
            backoff_max: retries.backoff_max,
            total: timeouts.total,
        }
    }

    /// The wait after the failed attempt number `attempt` (from 1): full jitter over an exponentially growing
    /// range, and behind the provider's hint where it gave one, so that those who got the same hint do not all
    /// come back at once. `random` is any 64 bits.
    ///
    /// Source: the "full jitter" rule of "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    fn wait(&self, attempt: u32, hint: Option<Duration>, random: u64) -> Duration {
        if let Some(hint) = hint {
            return hint.saturating_add(draw(self.backoff_initial.min(self.backoff_max), random));
        }
        let doublings = attempt.saturating_sub(1).min(31);
        draw(self.backoff_initial.saturating_mul(1 << doublings).min(self.backoff_max), random)
    }
}

/// A time from zero to `limit`, both included, in nanoseconds.
fn draw(limit: Duration, random: u64) -> Duration {
    let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let drawn = (u128::from(random) * (u128::from(limit) + 1)) >> u64::BITS;
    Duration::from_nanos(u64::try_from(drawn).unwrap_or(limit))
}

/// What is to be done after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another attempt after this wait, if the budget allows it.
    Again(Duration),
    /// The failure is given back.
    Final,
    /// The failure is given back although attempts are left: it would only come again.
    Futile,
}

/// The failures of one call so far.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Attempts that failed.
    count: u32,
    /// The last one, when it was of a kind that repeats itself.
    last: Option<(ModelErrorKind, Option<u16>)>,
    /// How many times in a row it came.
    streak: u32,
}

impl Failures {
    /// Attempts that failed so far.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Notes a failure and decides. `left` is what remains of the call's whole time.
    pub(super) fn judge(
        &mut self,
        policy: &RetryPolicy,
        error: &ModelError,
        left: Duration,
        random: u64,
    ) -> Verdict {
        self.count += 1;
        self.note(error);
        if !is_worth_another_try(error) || self.count >= policy.attempts_max {
            return Verdict::Final;
        }
        if self.streak >= IDENTICAL_FAILURES_MAX {
            return Verdict::Futile;
        }
        let wait = policy.wait(self.count, error.retry_after, random);
        if wait >= left { Verdict::Final } else { Verdict::Again(wait) }
    }

    fn note(&mut self, error: &ModelError) {
        if !repeats_itself(error) {
            (self.last, self.streak) = (None, 0);
            return;
        }
        let is_the_same =
            self.last.as_ref().is_some_and(|(kind, status)| *kind == *error.kind && *status == error.status);
        if is_the_same {
            self.streak += 1;
        } else {
            self.last = Some(((*error.kind).clone(), error.status));
            self.streak = 1;
        }
    }
}

/// A refusal of our own (an open breaker, a pace without a turn) is not waited for here: nothing was asked, and
/// whoever has another model or a queue can use the time better. Its hint travels with it.
fn is_worth_another_try(error: &ModelError) -> bool {
    let is_our_refusal =
        matches!(*error.kind, ModelErrorKind::BreakerOpen { .. } | ModelErrorKind::Paced { .. });
    error.class().is_retryable() && !is_our_refusal
}

/// The statuses by which servers and gateways say that it is the moment: a timeout or conflict of their own, nobody
/// behind the gateway, not ready, overloaded. A server that loads its model answers 503 with the same words for minutes.
///
/// Source: RFC 9110, sections 15.5.9 and 15.6; 529 is Anthropic's "overloaded".
const MOMENTARY_STATUSES: [u16; 7] = [408, 409, 425, 502, 503, 504, 529];

/// Whether the same failure again would mean that it comes from the request or the server's state. What depends on
/// the moment alone (nobody listens, too many ask, time ran out) looks the same each time and passes all the same; so
/// does what the server itself gives a time for.
fn repeats_itself(error: &ModelError) -> bool {
    let depends_on_the_moment = matches!(
        *error.kind,
        ModelErrorKind::Unreachable { .. }
            | ModelErrorKind::RateLimited { .. }
            | ModelErrorKind::TimedOut { .. }
            | ModelErrorKind::QueueFull { .. }
    );
    let is_momentary = error.status.is_some_and(|status| MOMENTARY_STATUSES.contains(&status));
    !depends_on_the_moment && !is_momentary && error.retry_after.is_none()
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::completion::ProviderKind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::info;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy() -> RetryPolicy {
        RetryPolicy { attempts_max: 10, backoff_initial: SECOND, backoff_max: 3 * SECOND, total: 60 * SECOND }
    }

    fn error(kind: ModelErrorKind, status: Option<u16>, retry_after: Option<Duration>) -> ModelError {
        ModelError { status, retry_after, ..ModelError::new(&info(ProviderKind::OpenAi), kind) }
    }

    fn server_error(message: u8) -> ModelErrorKind {
        ModelErrorKind::ServerError { message: message.to_string() }
    }

    fn rate_limited() -> ModelErrorKind {
        ModelErrorKind::RateLimited { message: String::new() }
    }

    /// The number of attempts that failures, one after the other, are given.
    fn attempts(failures: impl IntoIterator<Item = ModelError>) -> (u32, Verdict) {
        let mut noted = Failures::default();
        for error in failures {
            let verdict = noted.judge(&policy(), &error, Duration::MAX, 0);
            if !matches!(verdict, Verdict::Again(_)) {
                return (noted.count(), verdict);
            }
        }
        panic!("the failures ran out");
    }

    #[test]
    fn jitter_is_drawn_from_its_whole_range() {
        let draws = |random| draw(SECOND, random).as_nanos();
        assert_eq!((draws(0), draws(1 << 63), draws(u64::MAX)), (0, 500_000_000, 1_000_000_000));
        assert_eq!(draw(Duration::MAX, 0), Duration::ZERO);
    }

    #[test]
    fn an_identical_failure_stops_after_the_third() {
        let same = || error(server_error(1), Some(500), None);
        assert_eq!(attempts((0..10).map(|_| same())), (3, Verdict::Futile));
        let unreadable = || error(ModelErrorKind::InvalidResponse { reason: "x".to_owned() }, None, None);
        assert_eq!(attempts((0..10).map(|_| unreadable())), (3, Verdict::Futile));
    }

    #[test]
    fn another_message_status_or_hint_in_between_begins_the_count_anew() {
        let same = || error(server_error(1), Some(500), None);
        let others = [
            error(server_error(2), Some(500), None),
            error(server_error(1), Some(507), None),
            error(server_error(1), Some(500), Some(SECOND)),
        ];
        for other in others {
            let failures = [same(), same(), other, same(), same(), same(), same()];
            assert_eq!(attempts(failures), (6, Verdict::Futile));
        }
    }

    #[test]
    fn what_depends_on_the_moment_is_never_futile() {
        let refused = ModelErrorKind::Unreachable { endpoint: String::new(), reason: "refused".to_owned() };
        for error in [
            error(refused, None, None),
            error(rate_limited(), Some(429), None),
            error(rate_limited(), Some(429), Some(SECOND)),
            error(server_error(1), Some(503), Some(SECOND)),
            error(server_error(1), Some(503), None),
            error(server_error(1), Some(529), None),
        ] {
            assert_eq!(attempts((0..10).map(|_| error.clone())), (10, Verdict::Final));
        }
    }

    #[test]
    fn a_refusal_of_our_own_is_given_back_at_once() {
        for kind in [ModelErrorKind::BreakerOpen { retry_in_ms: 1 }, ModelErrorKind::Paced { wait_ms: 1 }] {
            assert_eq!(attempts([error(kind, None, Some(SECOND))]), (1, Verdict::Final));
        }
    }

    fn any_error() -> impl Strategy<Value = ModelError> {
        let kind = prop_oneof![
            (0_u8..2).prop_map(server_error),
            Just(rate_limited()),
            Just(ModelErrorKind::Rejected { message: String::new() }),
        ];
        let hint = prop::option::weighted(0.2, (0_u64..90).prop_map(Duration::from_secs));
        (kind, hint).prop_map(|(kind, hint)| error(kind, None, hint))
    }

    proptest! {
        #[test]
        fn no_wait_undercuts_a_hint_or_outlasts_the_call(
            failures in prop::collection::vec(any_error(), 1..20),
            left_s in 0_u64..60,
            random: u64,
        ) {
            let mut noted = Failures::default();
            let left = Duration::from_secs(left_s);
            for (number, error) in (1..).zip(&failures) {
                let verdict = noted.judge(&policy(), error, left, random);
                prop_assert!(number < policy().attempts_max || verdict == Verdict::Final);
                let Verdict::Again(wait) = verdict else { continue };
                prop_assert!(error.class().is_retryable() && wait < left);
                prop_assert!(wait >= error.retry_after.unwrap_or_default());
                prop_assert!(wait <= error.retry_after.unwrap_or_default() + policy().backoff_max);
            }
        }

        /// The model: look back over the list of all failures.
        #[test]
        fn a_failure_is_futile_when_the_last_three_are_the_same(
            failures in prop::collection::vec(any_error(), 1..9),
        ) {
            let mut noted = Failures::default();
            for (place, error) in failures.iter().enumerate() {
                let verdict = noted.judge(&policy(), error, Duration::MAX, 0);
                let last_three = (place >= 2).then(|| &failures[place - 2..=place]);
                let futile = last_three.is_some_and(|last| {
                    let is_server_error = matches!(*error.kind, ModelErrorKind::ServerError { .. });
                    is_server_error
                        && last.iter().all(|other| other.retry_after.is_none() && other.kind == error.kind)
                });
                prop_assert_eq!(verdict == Verdict::Futile, futile);
            }
        }
    }
}
