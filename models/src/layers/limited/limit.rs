//! How many calls may run at once, without a clock of its own.

use std::time::Duration;

use playhouse_config::settings::ConcurrencyConfig;

use crate::error::{Awaited, ModelError, ModelErrorKind};

/// What a limit is multiplied by when it shrinks.
///
/// Source: RFC 9438 ("CUBIC for Fast and Long-Distance Networks"), section 4.6: 0.7 gives up less of what works than
/// halving does, and frees enough for a queue to drain.
const SHRINK: f64 = 0.7;

/// The least that is left of a limit when it shrinks. One refusal of a server that is hardly asked says little about how
/// much it can bear.
const LEFT_MIN: f64 = 0.5;

/// How many times the fastest call ever may the fastest of a round take before the server is held to have a queue.
/// Twice: half of the time is waiting then.
const SLOWER_MAX: u32 = 2;

/// What a round may be slower in any case. Below this it is our own machine, or the network, that is measured: no
/// language model answers in less.
const SLOWER_FREE: Duration = Duration::from_millis(100);

/// Calls in a round at least, so that a few long answers are not taken for a slow server.
const ROUND_CALLS_MIN: u32 = 10;

/// Rounds in which the fastest call ever moves half of the way to the present, so that a server that is slower for
/// good (another model behind it, longer answers) is accepted after a while.
const FASTEST_HALF_LIFE: f64 = 50.0;

/// How a call went, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// It was answered; how long the server took to show life: the first token of a stream, or the whole answer.
    Answered(Duration),
    /// The server had too much to do.
    Overloaded,
    /// Neither.
    Nothing,
}

impl Signal {
    /// What a failure says. 503 and 529 are how servers say that they are overloaded; a time limit that passed is how
    /// it looks where they do not say it.
    pub(super) fn of(error: &ModelError) -> Self {
        match *error.kind {
            ModelErrorKind::RateLimited { .. } => Self::Overloaded,
            ModelErrorKind::ServerError { .. } if matches!(error.status, Some(503 | 529)) => Self::Overloaded,
            ModelErrorKind::TimedOut {
                what: Awaited::Connection | Awaited::FirstToken | Awaited::NextToken | Awaited::Attempt,
                ..
            } => Self::Overloaded,
            _ => Self::Nothing,
        }
    }
}

/// Which of the two times an [`Signal::Answered`] tells. They are not compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measured {
    /// A whole plain answer.
    Answer,
    /// The first token of a stream.
    FirstToken,
}

/// The fastest call of the present round, and the fastest ever.
#[derive(Debug, Clone, Copy, Default)]
struct Fastest {
    round: Option<Duration>,
    ever: Option<Duration>,
}

impl Fastest {
    fn note(&mut self, took: Duration) {
        self.round = Some(self.round.map_or(took, |fastest| fastest.min(took)));
    }

    /// Ends the round, and says whether it was slow.
    fn end_round(&mut self) -> bool {
        let Some(round) = self.round.take() else { return false };
        let ever = self.ever.map_or(round, |ever| ever.min(round));
        let is_slow = round > ever * SLOWER_MAX + SLOWER_FREE;
        // An exponential approach whose half-life is counted in rounds.
        let slower = round.saturating_sub(ever);
        self.ever = Some(ever + slower.mul_f64(std::f64::consts::LN_2 / FASTEST_HALF_LIFE));
        is_slow
    }
}

/// The limit: additive increase, multiplicative decrease.
///
/// - It grows by one for each limit's worth of answers, while at least half of it is used.
/// - It shrinks by the factor 0.7, from what was really used (but never below half), when the server says or shows that it is overloaded, and when the
///   fastest call of a round took more than twice as long as the fastest ever: long answers make some calls slow,
///   a queue at the server makes all of them slow.
/// - Only calls that were begun after the last decrease can cause another: all that run when a server becomes
///   overloaded are one event.
///
/// Sources: D.-M. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance"
/// (1989), for the rule and its fairness between processes that share a server; Netflix's concurrency-limits
/// (`AIMDLimit`, `VegasLimit`) for growing only while the limit is used, and for the minimum as the measure.
#[derive(Debug)]
pub(super) struct Limit {
    config: ConcurrencyConfig,
    /// Between 1 and the maximum. Its whole part is what holds.
    bound: f64,
    /// When it last shrank.
    shrunk: Option<Duration>,
    /// Answers in the present round.
    round_calls: u32,
    fastest: [Fastest; 2],
}

impl Limit {
    /// A limit that begins at its maximum.
    pub(super) fn new(config: ConcurrencyConfig) -> Self {
        let bound = f64::from(config.max.max(1));
        Self { config, bound, shrunk: None, round_calls: 0, fastest: [Fastest::default(); 2] }
    }

    /// What holds: at least 1, at most the maximum.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the limit is between 1 and a 32-bit number"
    )]
    pub(super) fn now(&self) -> u32 {
        self.bound as u32
    }

    /// Learns from a call that began at `begun`, when `in_use` calls run (it included).
    pub(super) fn learn(&mut self, begun: Duration, now: Duration, in_use: u32, call: (Signal, Measured)) {
        if !self.config.adaptive || self.shrunk.is_some_and(|shrunk| begun < shrunk) {
            return;
        }
        match call {
            (Signal::Nothing, _) => {}
            (Signal::Overloaded, _) => self.shrink(now, in_use),
            (Signal::Answered(took), measured) => {
                self.fastest[measured as usize].note(took);
                self.round_calls += 1;
                if f64::from(in_use) * 2.0 >= self.bound {
                    let max = f64::from(self.config.max.max(1));
                    self.bound = (self.bound + 1.0 / self.bound).min(max);
                }
                if self.round_calls >= self.now().max(ROUND_CALLS_MIN) {
                    self.round_calls = 0;
                    let [answer, first_token] = &mut self.fastest;
                    if answer.end_round() | first_token.end_round() {
                        self.shrink(now, in_use);
                    }
                }
            }
        }
    }

    fn shrink(&mut self, now: Duration, in_use: u32) {
        let used = self.bound.min(f64::from(in_use));
        self.bound = (used * SHRINK).max(self.bound * LEFT_MIN).max(1.0);
        self.shrunk = Some(now);
        self.round_calls = 0;
        self.fastest.iter_mut().for_each(|fastest| fastest.round = None);
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::completion::ProviderKind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::info;

    const SECOND: Duration = Duration::from_secs(1);

    fn adaptive(max: u32) -> Limit {
        Limit::new(ConcurrencyConfig { max, adaptive: true })
    }

    /// Calls that take `took`, one after the other, while as many as may do run.
    fn answers(limit: &mut Limit, count: u32, took: Duration, now: &mut Duration) {
        for _ in 0..count {
            let begun = *now;
            *now += took;
            limit.learn(begun, *now, limit.now(), (Signal::Answered(took), Measured::Answer));
        }
    }

    #[test]
    fn an_overload_shrinks_what_is_used_once_for_all_calls_that_ran() {
        let mut limit = adaptive(100);
        for _ in 0..40 {
            limit.learn(Duration::ZERO, SECOND, 80, (Signal::Overloaded, Measured::Answer));
        }
        assert_eq!(limit.now(), 56);
        limit.learn(SECOND, 2 * SECOND, 1, (Signal::Overloaded, Measured::Answer));
        assert_eq!(limit.now(), 28);
    }

    #[test]
    fn it_grows_back_by_one_for_a_limit_of_answers_while_it_is_used() {
        let mut limit = adaptive(20);
        limit.learn(Duration::ZERO, SECOND, 10, (Signal::Overloaded, Measured::Answer));
        assert_eq!(limit.now(), 10);
        let mut now = SECOND;
        answers(&mut limit, 9, SECOND, &mut now);
        assert_eq!(limit.now(), 10);
        answers(&mut limit, 2, SECOND, &mut now);
        assert_eq!(limit.now(), 11);
        answers(&mut limit, 1_000, SECOND, &mut now);
        assert_eq!(limit.now(), 20);
    }

    #[test]
    fn a_limit_that_is_not_used_does_not_grow() {
        let mut limit = adaptive(20);
        limit.learn(Duration::ZERO, SECOND, 20, (Signal::Overloaded, Measured::Answer));
        for _ in 0..100 {
            limit.learn(SECOND, 2 * SECOND, 6, (Signal::Answered(SECOND), Measured::Answer));
        }
        assert_eq!(limit.now(), 14);
    }

    #[test]
    fn it_shrinks_when_even_the_fastest_calls_become_slow() {
        let mut limit = adaptive(20);
        let mut now = Duration::ZERO;
        answers(&mut limit, 40, SECOND, &mut now);
        assert_eq!(limit.now(), 20);
        answers(&mut limit, 20, 3 * SECOND, &mut now);
        assert_eq!(limit.now(), 14);
    }

    #[test]
    fn long_answers_among_short_ones_do_not_shrink_it() {
        let mut limit = adaptive(20);
        let mut now = Duration::ZERO;
        for _ in 0..100 {
            answers(&mut limit, 9, 30 * SECOND, &mut now);
            answers(&mut limit, 1, SECOND, &mut now);
        }
        assert_eq!(limit.now(), 20);
    }

    #[test]
    fn first_tokens_are_not_held_against_whole_answers() {
        let mut limit = adaptive(10);
        for number in 0..200 {
            let (took, measured) = match number % 2 {
                0 => (SECOND / 2, Measured::FirstToken),
                _ => (20 * SECOND, Measured::Answer),
            };
            limit.learn(Duration::ZERO, SECOND, 10, (Signal::Answered(took), measured));
        }
        assert_eq!(limit.now(), 10);
    }

    #[test]
    fn a_server_that_is_slower_for_good_is_accepted_after_a_while() {
        let mut limit = adaptive(10);
        let mut now = Duration::ZERO;
        answers(&mut limit, 50, SECOND, &mut now);
        answers(&mut limit, 200, 3 * SECOND, &mut now);
        assert!(limit.now() < 8, "{}", limit.now());
        answers(&mut limit, 3_000, 3 * SECOND, &mut now);
        assert_eq!(limit.now(), 10);
    }

    #[test]
    fn differences_of_a_few_milliseconds_are_no_queue() {
        let mut limit = adaptive(10);
        let mut now = Duration::ZERO;
        answers(&mut limit, 50, Duration::from_millis(1), &mut now);
        answers(&mut limit, 500, Duration::from_millis(90), &mut now);
        assert_eq!(limit.now(), 10);
    }

    #[test]
    fn a_limit_that_does_not_adapt_stays_as_it_is() {
        let mut limit = Limit::new(ConcurrencyConfig { max: 7, adaptive: false });
        limit.learn(Duration::ZERO, SECOND, 7, (Signal::Overloaded, Measured::Answer));
        assert_eq!(limit.now(), 7);
    }

    #[test]
    fn servers_say_in_several_ways_that_they_are_overloaded() {
        let message = String::new;
        let check = |kind, status| {
            Signal::of(&ModelError { status, ..ModelError::new(&info(ProviderKind::OpenAi), kind) })
        };
        let server_error = || ModelErrorKind::ServerError { message: message() };
        assert_eq!(check(ModelErrorKind::RateLimited { message: message() }, Some(429)), Signal::Overloaded);
        assert_eq!(check(server_error(), Some(503)), Signal::Overloaded);
        assert_eq!(check(server_error(), Some(529)), Signal::Overloaded);
        let timed_out = ModelErrorKind::TimedOut { what: Awaited::FirstToken, limit_ms: 1 };
        assert_eq!(check(timed_out, None), Signal::Overloaded);
        assert_eq!(check(server_error(), Some(500)), Signal::Nothing);
        assert_eq!(check(ModelErrorKind::Rejected { message: message() }, Some(400)), Signal::Nothing);
    }

    proptest! {
        /// The model: the limit of a list of decreases and increases, computed from its definition alone.
        #[test]
        fn it_stays_between_one_and_its_maximum_and_follows_the_rule(
            max in 1_u32..50,
            steps in prop::collection::vec((0_u8..3, 1_u32..60, 0_u32..3), 0..300),
        ) {
            let mut limit = adaptive(max);
            let mut now = Duration::ZERO;
            let mut shrunk = None;
            let mut wanted = f64::from(max);
            for (signal, in_use, ago_s) in steps {
                now += SECOND;
                let begun = now.saturating_sub(ago_s * SECOND);
                let counts = shrunk.is_none_or(|shrunk| begun >= shrunk);
                let signal = match signal {
                    0 => Signal::Overloaded,
                    1 => Signal::Answered(SECOND),
                    _ => Signal::Nothing,
                };
                limit.learn(begun, now, in_use, (signal, Measured::Answer));
                if counts && signal == Signal::Overloaded {
                    wanted = (wanted.min(f64::from(in_use)) * 0.7).max(wanted / 2.0).max(1.0);
                    shrunk = Some(now);
                } else if counts && signal == Signal::Answered(SECOND) && f64::from(in_use) * 2.0 >= wanted {
                    wanted = (wanted + 1.0 / wanted).min(f64::from(max));
                }
                prop_assert!((1..=max).contains(&limit.now()));
                prop_assert!((limit.bound - wanted).abs() < 1e-9);
            }
        }
    }
}
