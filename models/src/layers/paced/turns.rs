//! When it is whose turn, without a clock of its own.

use std::time::Duration;

use playhouse_config::settings::PacingConfig;

/// The time in which a bucket fills.
const MINUTE: Duration = Duration::from_secs(60);

/// The longest pause that one hint of the provider makes for all calls. The call that got a longer hint keeps to it; for
/// the others it is found out again after this, so that a single odd answer does not silence a model for a day.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(600);

/// A bucket that holds what a minute allows and fills evenly.
///
/// Source: this is how the providers count. Anthropic, "Rate limits": "the token bucket algorithm […] capacity is
/// continuously replenished up to your maximum limit".
#[derive(Debug)]
struct Bucket {
    capacity: f64,
    /// May be below zero when an answer took more than was set aside.
    level: f64,
}

impl Bucket {
    fn new(per_minute: u32) -> Self {
        let capacity = f64::from(per_minute.max(1));
        Self { capacity, level: capacity }
    }

    fn fill(&mut self, passed: Duration) {
        self.add(self.capacity * passed.as_secs_f64() / MINUTE.as_secs_f64());
    }

    fn add(&mut self, amount: f64) {
        self.level = (self.level + amount).min(self.capacity);
    }

    /// How long it takes until `amount` can be taken.
    fn wait(&self, amount: f64) -> Duration {
        let seconds = (amount - self.level).max(0.0) / self.capacity * MINUTE.as_secs_f64();
        // A nanosecond more than computed, lest the bucket then lacks a billionth of a token.
        let exact = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        if exact.is_zero() { exact } else { exact.saturating_add(Duration::from_nanos(1)) }
    }
}

/// What is left of the present minute, who waits for more, and whether all is paused.
#[derive(Debug)]
pub(super) struct Turns {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    filled: Duration,
    paused_until: Duration,
    waiting_requests: u64,
    waiting_tokens: u64,
}

impl Turns {
    pub(super) fn new(config: PacingConfig) -> Self {
        Self {
            requests: config.requests_per_minute.map(Bucket::new),
            tokens: config.tokens_per_minute.map(Bucket::new),
            filled: Duration::ZERO,
            paused_until: Duration::ZERO,
            waiting_requests: 0,
            waiting_tokens: 0,
        }
    }

    /// How long a call of `tokens` that comes now waits for its turn, behind all that wait already. Exact for one
    /// bucket; with two it may become longer, and shorter when answers take less than was set aside for them.
    pub(super) fn expected_wait(&mut self, now: Duration, tokens: u64) -> Duration {
        self.wait(now, self.waiting_requests + 1, self.waiting_tokens.saturating_add(tokens))
    }

    /// How long everybody waits, however little is left to do.
    pub(super) fn pause(&self, now: impl FnOnce() -> Duration) -> Duration {
        if self.paused_until.is_zero() { Duration::ZERO } else { self.paused_until.saturating_sub(now()) }
    }

    pub(super) fn is_anybody_waiting(&self) -> bool {
        self.waiting_requests > 0
    }

    pub(super) fn enqueue(&mut self, tokens: u64) {
        self.waiting_requests += 1;
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
    }

    pub(super) fn leave(&mut self, tokens: u64) {
        self.waiting_requests = self.waiting_requests.saturating_sub(1);
        self.waiting_tokens = self.waiting_tokens.saturating_sub(tokens);
    }

    /// Takes the turn of a call of `tokens` if nobody waits and at least half of a minute's are left then; says whether
    /// it has.
    pub(super) fn take_at_ease(&mut self, now: Duration, tokens: u64) -> bool {
        self.fill(now);
        let half_left = |bucket: &Bucket| bucket.level - tokens as f64 >= bucket.capacity / 2.0;
        !self.is_anybody_waiting()
            && self.tokens.as_ref().is_none_or(half_left)
            && self.take(now, tokens).is_ok()
    }

    /// Takes the turn of the first that waits, or says how long it still has to.
    pub(super) fn take(&mut self, now: Duration, tokens: u64) -> Result<(), Duration> {
        let wait = self.wait(now, 1, tokens);
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Some(bucket) = &mut self.requests {
            bucket.level -= 1.0;
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.level -= tokens as f64;
        }
        Ok(())
    }

    /// Puts right what was set aside for a call that is over.
    pub(super) fn settle(&mut self, now: Duration, set_aside: u64, used: u64) {
        self.fill(now);
        if let Some(bucket) = &mut self.tokens {
            bucket.add(set_aside as f64 - used as f64);
        }
    }

    /// Nobody's turn comes before the provider's hint has passed.
    pub(super) fn pause_for(&mut self, now: Duration, hint: Duration) {
        self.paused_until = self.paused_until.max(now.saturating_add(hint.min(PAUSE_MAX)));
    }

    fn wait(&mut self, now: Duration, requests: u64, tokens: u64) -> Duration {
        self.fill(now);
        let wait = |bucket: &Option<Bucket>, amount: u64| {
            bucket.as_ref().map_or(Duration::ZERO, |bucket| bucket.wait(amount as f64))
        };
        wait(&self.requests, requests).max(wait(&self.tokens, tokens)).max(self.pause(|| now))
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled);
        self.filled = self.filled.max(now);
        for bucket in [&mut self.requests, &mut self.tokens].into_iter().flatten() {
            bucket.fill(passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn turns(requests_per_minute: Option<u32>, tokens_per_minute: Option<u32>) -> Turns {
        Turns::new(PacingConfig { requests_per_minute, tokens_per_minute })
    }

    #[test]
    fn a_minute_is_there_at_once_and_comes_back_evenly() {
        let mut turns = turns(Some(60), None);
        (0..60).for_each(|_| assert_eq!(turns.take(Duration::ZERO, 9), Ok(())));
        assert_eq!(turns.expected_wait(Duration::ZERO, 9).as_millis(), 1_000);
        turns.enqueue(9);
        assert_eq!(turns.expected_wait(Duration::ZERO, 9).as_millis(), 2_000);
        assert!(turns.take(Duration::from_micros(999_999), 9).is_err());
        assert_eq!(turns.take(SECOND, 9), Ok(()));
    }

    #[test]
    fn the_slower_of_two_limits_counts() {
        let mut turns = turns(Some(60), Some(6_000));
        assert_eq!(turns.take(Duration::ZERO, 6_000), Ok(()));
        assert_eq!(turns.expected_wait(Duration::ZERO, 300).as_millis(), 3_000);
        assert_eq!(turns.expected_wait(Duration::ZERO, 0).as_millis(), 0);
    }

    #[test]
    fn a_turn_at_ease_leaves_half_of_the_minute_and_passes_nobody() {
        let mut turns = turns(Some(10), Some(100));
        assert!(turns.take_at_ease(Duration::ZERO, 50));
        assert!(!turns.take_at_ease(Duration::ZERO, 1));
        assert_eq!(turns.expected_wait(Duration::ZERO, 50), Duration::ZERO);
        assert!(turns.take_at_ease(6 * SECOND, 10));
        turns.enqueue(1);
        assert!(!turns.take_at_ease(60 * SECOND, 1));
        turns.leave(1);
        turns.pause_for(60 * SECOND, SECOND);
        assert!(!turns.take_at_ease(60 * SECOND, 1));
        assert!(turns.take_at_ease(61 * SECOND, 1));
    }

    #[test]
    fn what_was_not_used_is_given_back_and_what_was_used_above_it_is_owed() {
        let mut turns = turns(None, Some(600));
        assert_eq!(turns.take(Duration::ZERO, 600), Ok(()));
        turns.settle(Duration::ZERO, 600, 100);
        assert_eq!(turns.take(Duration::ZERO, 500), Ok(()));
        turns.settle(Duration::ZERO, 500, 520);
        assert_eq!(turns.expected_wait(Duration::ZERO, 10).as_millis(), 3_000);
    }

    #[test]
    fn a_pause_holds_for_everybody_and_the_longer_one_counts() {
        let mut turns = turns(None, None);
        turns.pause_for(Duration::ZERO, 7 * SECOND);
        turns.pause_for(SECOND, SECOND);
        assert_eq!((turns.expected_wait(SECOND, 0), turns.take(7 * SECOND, 0)), (6 * SECOND, Ok(())));
        turns.pause_for(Duration::ZERO, Duration::MAX);
        assert_eq!(turns.pause(|| Duration::ZERO), PAUSE_MAX);
    }

    proptest! {
        /// The model: the list of all turns. In no stretch of time were there more than a full bucket and what
        /// came in meanwhile; and each came exactly when it was foretold.
        #[test]
        fn no_stretch_of_time_has_more_than_it_allows_and_turns_come_when_foretold(
            calls in prop::collection::vec((0_u64..4_000, 1_u64..600), 1..60),
        ) {
            let mut turns = turns(None, Some(600));
            let mut taken: Vec<(Duration, u64)> = Vec::new();
            let (mut arrives, mut free_at) = (Duration::ZERO, Duration::ZERO);
            for (passed_ms, tokens) in calls {
                // The next comes when the last one's turn is over, or later.
                arrives = (arrives + Duration::from_millis(passed_ms)).max(free_at);
                let mut now = arrives + turns.expected_wait(arrives, tokens);
                while let Err(wait) = turns.take(now, tokens) {
                    // Rounding alone.
                    prop_assert!(wait < Duration::from_micros(1), "{wait:?}");
                    now += wait;
                }
                free_at = now;
                taken.push((now, tokens));
            }
            for (place, (begin, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (end, tokens) in &taken[place..] {
                    sum += tokens;
                    let stretch = end.saturating_sub(*begin).as_secs_f64();
                    prop_assert!(sum as f64 <= 600.0 + 10.0 * stretch + 1e-3, "{sum} in {stretch} s");
                }
            }
        }

        /// The model: the turns of a queue are what the calls before it cost, at the rate of the bucket.
        #[test]
        fn a_queue_is_foretold_as_the_sum_of_those_in_front(
            queue in prop::collection::vec(1_u64..600, 1..60),
        ) {
            let mut turns = turns(None, Some(600));
            let mut sum = 0;
            for tokens in queue {
                sum += tokens;
                let wanted = (sum as f64 - 600.0).max(0.0) / 10.0;
                let foretold = turns.expected_wait(Duration::ZERO, tokens).as_secs_f64();
                prop_assert!((foretold - wanted).abs() < 1e-6);
                turns.enqueue(tokens);
            }
        }
    }
}
