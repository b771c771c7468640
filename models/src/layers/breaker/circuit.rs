//! When calls are refused because others failed, without a clock of its own.

use std::time::Duration;

use playhouse_config::settings::BreakerConfig;

use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::layers::window::Window;
use crate::observer::BreakerState;

/// How many times the open time is doubled at the most: up to eight times it.
const DOUBLINGS_MAX: u32 = 3;

/// After how long a call that met a half-open breaker may come again, where the open time is not shorter: the probes
/// that it met are calls, and most calls have ended by then.
const PROBED_RETRY: Duration = Duration::from_secs(1);

/// The places of the counts in the window.
const SUCCEEDED: usize = 0;
const FAILED: usize = 1;

/// What a call that ended says about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// It works.
    Works,
    /// It is broken.
    Broken,
    /// Nothing.
    Nothing,
}

impl Finding {
    /// What a failure says. An answer that the server meant works for the breaker, also when it was "no" (a wrong
    /// request, a wrong key, an answer out of schema). A server that wants fewer requests is busy and not broken: the
    /// pace and the concurrency limit see to that. What we refused or gave up ourselves says nothing.
    pub(super) fn of(error: &ModelError) -> Self {
        match *error.kind {
            // Statuses like 408 and 409 are tried again as if they were 5xx, but the server meant them.
            ModelErrorKind::ServerError { .. } if error.status.is_some_and(|status| status < 500) => {
                Self::Works
            }
            ModelErrorKind::ServerError { .. }
            | ModelErrorKind::Unreachable { .. }
            | ModelErrorKind::BrokenStream { .. }
            | ModelErrorKind::InvalidResponse { .. }
            | ModelErrorKind::TimedOut {
                what: Awaited::Connection | Awaited::FirstToken | Awaited::NextToken | Awaited::Attempt,
                ..
            } => Self::Broken,
            ModelErrorKind::Rejected { .. }
            | ModelErrorKind::Unauthorized { .. }
            | ModelErrorKind::NoSuchModel { .. }
            | ModelErrorKind::ContextExceeded { .. }
            | ModelErrorKind::OutOfSchema { .. } => Self::Works,
            _ => Self::Nothing,
        }
    }
}

/// The right to make one call. It is void once the breaker has changed: what was asked before says nothing about after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    epoch: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Duration },
    HalfOpen { running: u32, succeeded: u32 },
}

/// The breaker: closed until too many calls fail, open for a time, then half open until its probes have ended.
///
/// Source: Michael T. Nygard, "Release It!", 2nd edition (2018), "Circuit Breaker".
#[derive(Debug)]
pub(super) struct Circuit {
    config: BreakerConfig,
    window: Window,
    state: State,
    /// Changes so far.
    epoch: u64,
    /// Times that it was opened since it was last closed.
    opened: u32,
}

impl Circuit {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self { config, window: Window::new(config.window), state: State::Closed, epoch: 0, opened: 0 }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Lets a call pass, or says in how long one may.
    pub(super) fn admit(&mut self, now: Duration) -> Result<Ticket, Duration> {
        if let State::Open { until } = self.state {
            if now < until {
                return Err(until.saturating_sub(now));
            }
            self.change(State::HalfOpen { running: 0, succeeded: 0 });
        }
        if let State::HalfOpen { running, succeeded } = &mut self.state {
            if *running + *succeeded >= self.config.probes.max(1) {
                return Err(self.config.open.min(PROBED_RETRY));
            }
            *running += 1;
        }
        Ok(Ticket { epoch: self.epoch })
    }

    /// A call that was let pass has ended, or was dropped (which says nothing).
    pub(super) fn ended(&mut self, ticket: Ticket, finding: Finding, now: Duration) {
        if ticket.epoch != self.epoch {
            return;
        }
        match &mut self.state {
            State::Open { .. } => {}
            State::Closed => match finding {
                Finding::Nothing => {}
                Finding::Works => self.window.count(now, SUCCEEDED),
                Finding::Broken => {
                    self.window.count(now, FAILED);
                    let [succeeded, failed] = self.window.counts(now);
                    let ended = succeeded + failed;
                    let enough = ended >= u64::from(self.config.calls_min.max(1));
                    if enough && failed as f64 >= self.config.failure_ratio * ended as f64 {
                        self.open(now);
                    }
                }
            },
            State::HalfOpen { running, succeeded } => {
                *running = running.saturating_sub(1);
                match finding {
                    Finding::Nothing => {}
                    Finding::Works => {
                        *succeeded += 1;
                        if *succeeded >= self.config.probes.max(1) {
                            self.opened = 0;
                            self.window.clear();
                            self.change(State::Closed);
                        }
                    }
                    Finding::Broken => self.open(now),
                }
            }
        }
    }

    fn open(&mut self, now: Duration) {
        let wait = self.config.open.saturating_mul(1 << self.opened.min(DOUBLINGS_MAX));
        self.opened = self.opened.saturating_add(1);
        self.change(State::Open { until: now.saturating_add(wait) });
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::completion::ProviderKind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::info;

    const SECOND: Duration = Duration::from_secs(1);

    fn config() -> BreakerConfig {
        BreakerConfig { failure_ratio: 0.5, calls_min: 4, window: 10 * SECOND, open: 5 * SECOND, probes: 2 }
    }

    fn call(circuit: &mut Circuit, finding: Finding, now: Duration) {
        let ticket = circuit.admit(now).unwrap();
        circuit.ended(ticket, finding, now);
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::new(config());
        (0..4).for_each(|_| call(&mut circuit, Finding::Broken, Duration::ZERO));
        assert_eq!(circuit.state(), BreakerState::Open);
        circuit
    }

    #[test]
    fn it_opens_when_the_share_is_reached_by_enough_calls() {
        let mut circuit = Circuit::new(config());
        (0..3).for_each(|_| call(&mut circuit, Finding::Broken, Duration::ZERO));
        assert_eq!(circuit.state(), BreakerState::Closed);
        let mut circuit = Circuit::new(config());
        (0..4).for_each(|_| call(&mut circuit, Finding::Works, Duration::ZERO));
        (0..3).for_each(|_| call(&mut circuit, Finding::Broken, Duration::ZERO));
        (0..9).for_each(|_| call(&mut circuit, Finding::Nothing, Duration::ZERO));
        assert_eq!(circuit.state(), BreakerState::Closed);
        call(&mut circuit, Finding::Broken, Duration::ZERO);
        assert_eq!(circuit.state(), BreakerState::Open);
    }

    #[test]
    fn failures_that_lie_behind_the_window_do_not_count() {
        let mut circuit = Circuit::new(config());
        (0..20).for_each(|number| call(&mut circuit, Finding::Broken, number * 4 * SECOND));
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[test]
    fn it_refuses_until_its_time_and_says_how_long() {
        let mut circuit = opened();
        assert_eq!(circuit.admit(SECOND), Err(4 * SECOND));
        assert!(circuit.admit(5 * SECOND).is_ok());
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
    }

    #[test]
    fn it_closes_when_all_probes_succeed_and_no_more_than_those_pass() {
        let mut circuit = opened();
        let probes = [circuit.admit(5 * SECOND).unwrap(), circuit.admit(5 * SECOND).unwrap()];
        assert_eq!(circuit.admit(5 * SECOND), Err(SECOND));
        circuit.ended(probes[0], Finding::Works, 6 * SECOND);
        assert_eq!((circuit.admit(6 * SECOND), circuit.state()), (Err(SECOND), BreakerState::HalfOpen));
        circuit.ended(probes[1], Finding::Works, 6 * SECOND);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[test]
    fn a_probe_that_fails_opens_it_again_for_twice_as_long_up_to_eight_times() {
        let mut circuit = opened();
        let mut now = Duration::ZERO;
        for times in [1, 2, 4, 8, 8, 8] {
            assert_eq!(circuit.admit(now), Err(times * 5 * SECOND));
            now += times * 5 * SECOND;
            call(&mut circuit, Finding::Broken, now);
        }
        now += 40 * SECOND;
        (0..2).for_each(|_| call(&mut circuit, Finding::Works, now));
        (0..4).for_each(|_| call(&mut circuit, Finding::Broken, now));
        assert_eq!(circuit.admit(now), Err(5 * SECOND));
    }

    #[test]
    fn a_probe_that_says_nothing_frees_its_place() {
        let mut circuit = opened();
        let now = 5 * SECOND;
        (0..9).for_each(|_| call(&mut circuit, Finding::Nothing, now));
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        (0..2).for_each(|_| call(&mut circuit, Finding::Works, now));
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[test]
    fn what_was_asked_before_a_change_says_nothing_after_it() {
        let mut circuit = Circuit::new(config());
        let early: Vec<_> = (0..9).map(|_| circuit.admit(Duration::ZERO).unwrap()).collect();
        early[..4].iter().for_each(|ticket| circuit.ended(*ticket, Finding::Broken, Duration::ZERO));
        let probe = circuit.admit(5 * SECOND).unwrap();
        early[4..].iter().for_each(|ticket| circuit.ended(*ticket, Finding::Broken, 5 * SECOND));
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        circuit.ended(probe, Finding::Works, 5 * SECOND);
        call(&mut circuit, Finding::Works, 5 * SECOND);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[test]
    fn only_a_server_that_does_not_work_is_broken() {
        let message = String::new;
        let timed_out = |what| ModelErrorKind::TimedOut { what, limit_ms: 1 };
        let check = |kind, status| {
            Finding::of(&ModelError { status, ..ModelError::new(&info(ProviderKind::OpenAi), kind) })
        };
        for kind in [
            ModelErrorKind::ServerError { message: message() },
            ModelErrorKind::Unreachable { endpoint: message(), reason: message() },
            ModelErrorKind::BrokenStream { reason: message() },
            timed_out(Awaited::FirstToken),
            timed_out(Awaited::Attempt),
        ] {
            assert_eq!(check(kind, None), Finding::Broken);
        }
        assert_eq!(check(ModelErrorKind::ServerError { message: message() }, Some(503)), Finding::Broken);
        assert_eq!(check(ModelErrorKind::ServerError { message: message() }, Some(409)), Finding::Works);
        assert_eq!(check(ModelErrorKind::Rejected { message: message() }, Some(400)), Finding::Works);
        assert_eq!(check(ModelErrorKind::Unauthorized { message: message() }, Some(401)), Finding::Works);
        for kind in [
            ModelErrorKind::RateLimited { message: message() },
            ModelErrorKind::QueueFull { queue_len: 1 },
            ModelErrorKind::Paced { wait_ms: 1 },
            timed_out(Awaited::Answer),
        ] {
            assert_eq!(check(kind, None), Finding::Nothing);
        }
    }

    fn any_finding() -> impl Strategy<Value = Finding> {
        prop_oneof![Just(Finding::Works), Just(Finding::Broken), Just(Finding::Nothing)]
    }

    proptest! {
        /// The model: a list of what ended while it was closed, and a count of the probes that run.
        #[test]
        fn it_does_what_a_list_of_all_calls_says(
            steps in prop::collection::vec((0_u64..3_000, any_finding(), any::<bool>()), 1..300),
        ) {
            let mut circuit = Circuit::new(config());
            let mut running = Vec::new();
            let mut ended_closed: Vec<(u64, Finding)> = Vec::new();
            let mut now_ms = 0;
            for (passed_ms, finding, begins) in steps {
                now_ms += passed_ms;
                let now = Duration::from_millis(now_ms);
                let before = circuit.state();
                if begins {
                    match circuit.admit(now) {
                        Ok(ticket) => running.push(ticket),
                        Err(wait) => prop_assert!(before != BreakerState::Closed && !wait.is_zero()),
                    }
                    if before == BreakerState::Closed {
                        prop_assert_eq!(circuit.state(), BreakerState::Closed);
                    }
                } else if !running.is_empty() {
                    let ticket = running.remove(0);
                    let counts = ticket.epoch == circuit.epoch;
                    circuit.ended(ticket, finding, now);
                    if before == BreakerState::Closed && counts {
                        ended_closed.push((now_ms / 1_000, finding));
                        let within = |wanted: Finding| {
                            let inside = |part: u64| part + 10 > now_ms / 1_000;
                            ended_closed.iter().filter(|(part, found)| *found == wanted && inside(*part)).count()
                        };
                        let (failed, works) = (within(Finding::Broken), within(Finding::Works));
                        let opens = finding == Finding::Broken && failed + works >= 4 && failed >= works;
                        prop_assert_eq!(circuit.state() == BreakerState::Open, opens);
                    }
                }
                if circuit.state() != BreakerState::Closed {
                    ended_closed.clear();
                }
                if circuit.state() == BreakerState::HalfOpen {
                    let probes = running.iter().filter(|ticket| ticket.epoch == circuit.epoch).count();
                    prop_assert!(probes <= 2);
                }
            }
        }
    }
}
