use playhouse_protocol::{RandomSource, SeededSource};

use super::*;

/// Streams in each simulation.
const STREAMS: usize = 1_000;

/// Calls of a stream behind its first ones.
const CALLS: u64 = 1_000;

/// A number above 0.0 and below 1.0.
fn uniform(random: &dyn RandomSource) -> f64 {
    ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A normal number. Source: G. Box, M. Muller, "A Note on the Generation of Random Normal Deviates" (1958).
fn normal(random: &dyn RandomSource) -> f64 {
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

/// The time of an answer: log-normal around a second, as those of models are, with this spread.
fn latency(random: &dyn RandomSource, spread: f64) -> Duration {
    Duration::from_secs_f64((spread * normal(random)).exp())
}

/// What an answer costs: log-normal around a thousandth of a dollar.
fn cost(random: &dyn RandomSource, spread: f64) -> u64 {
    u64::try_from(latency(random, spread).as_micros()).unwrap()
}

/// What one stream saw: the number of the call, from its first one on, with the first alarm of this kind.
fn first_alarm(
    what: DriftKind,
    calls: u64,
    mut see: impl FnMut(&Drift, u64) -> Vec<CallEvent>,
) -> Option<u64> {
    let drift = Drift::default();
    let is_alarm =
        |event: &CallEvent| matches!(event, CallEvent::Drifted { what: drifted, .. } if *drifted == what);
    (1..=calls).find(|call| see(&drift, *call).iter().any(is_alarm))
}

/// Of streams in which something changes behind the first calls: within how many calls four of five have told of it.
fn found_by(
    what: DriftKind,
    baseline: u64,
    see: impl Fn(&dyn RandomSource, &Drift, bool) -> Vec<CallEvent>,
) -> u64 {
    let random = SeededSource::from_seed(11);
    let alarm = |_| {
        let alarm = first_alarm(what, baseline + 5_000, |drift, call| see(&random, drift, call > baseline));
        alarm.map_or(u64::MAX, |call| call.saturating_sub(baseline))
    };
    let mut taken: Vec<_> = (0..300).map(alarm).collect();
    taken.sort_unstable();
    taken[239]
}

#[test]
fn of_1000_streams_of_1000_calls_without_a_change_at_most_1_per_cent_are_called_drifting_by_any_watch() {
    let random = SeededSource::from_seed(12);
    let mut alarms = BTreeMap::<DriftKind, u64>::new();
    for stream in 0..STREAMS {
        let (drift, spread) = (Drift::default(), if stream % 2 == 0 { 0.3 } else { 1.0 });
        for _ in 0..BASELINE_CALLS + CALLS {
            let cost = cost(&random, 0.7);
            let failed = uniform(&random) < [0.0, 0.01, 0.1][stream % 3];
            let mut events = drift.see_call(latency(&random, spread), cost, failed);
            let score = if stream % 2 == 0 {
                f64::from(u8::from(uniform(&random) < 0.8))
            } else {
                uniform(&random).sqrt()
            };
            events.extend(drift.see_quality("review", score));
            for event in events {
                if let CallEvent::Drifted { what, .. } = event {
                    *alarms.entry(what).or_default() += 1;
                }
            }
        }
    }
    assert!(alarms.values().all(|alarms| *alarms <= 10), "{alarms:?}");
}

#[test]
fn a_change_is_found_within_a_stated_number_of_calls_in_four_of_five_streams() {
    let second = Duration::from_secs(1);
    let errors = found_by(DriftKind::Errors, BASELINE_CALLS, |random, drift, has_changed| {
        drift.see_call(second, 0, uniform(random) < if has_changed { 0.1 } else { 0.01 })
    });
    let slower = |spread: f64| {
        found_by(DriftKind::Latency, BASELINE_CALLS, |random, drift, has_changed| {
            drift.see_call(latency(random, spread) * if has_changed { 2 } else { 1 }, 0, false)
        })
    };
    let (steady, scattered) = (slower(0.3), slower(1.0));
    let dearer = found_by(DriftKind::Cost, BASELINE_CALLS, |random, drift, has_changed| {
        drift.see_call(second, cost(random, 0.5) * if has_changed { 2 } else { 1 }, false)
    });
    let worse = found_by(DriftKind::Quality, BASELINE_ANSWERS, |random, drift, has_changed| {
        let score = uniform(random).powf(if has_changed { 1.0 } else { 0.25 });
        drift.see_quality("review", score).into_iter().collect()
    });
    let wrong = found_by(DriftKind::Quality, BASELINE_ANSWERS, |random, drift, has_changed| {
        let is_right = uniform(random) < if has_changed { 0.5 } else { 0.8 };
        drift.see_quality("riddle", f64::from(u8::from(is_right))).into_iter().collect()
    });
    assert!(errors <= 400, "{errors}");
    assert!(steady <= 25, "{steady}");
    assert!(scattered <= 350, "{scattered}");
    assert!(dearer <= 50, "{dearer}");
    assert!(worse <= 110, "{worse}");
    assert!(wrong <= 250, "{wrong}");
}

/// A model that answers in a second, and fails where it is told to.
fn calls(drift: &Drift, count: u64, elapsed: Duration, failed: bool) -> Vec<CallEvent> {
    (0..count).flat_map(|_| drift.see_call(elapsed, 7, failed)).collect()
}

#[test]
fn a_drift_is_told_once_and_its_end_too() {
    let drift = Drift::default();
    assert_eq!(calls(&drift, BASELINE_CALLS, Duration::from_secs(1), false), []);
    let events = calls(&drift, 500, Duration::from_secs(2), false);
    let reason = "100 % of its last answers took as long as none of its first ones".to_owned();
    let told = |event: &CallEvent| {
        matches!(event, CallEvent::Drifted { what: DriftKind::Latency, task_type: None, .. })
    };
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(told(&events[0]));
    let standing = drift.standing();
    assert_eq!(standing.len(), 3);
    assert_eq!(standing[1].drifted.as_ref(), Some(&reason));
    assert_eq!((standing[0].drifted.as_ref(), standing[2].drifted.as_ref()), (None, None));
    let events = calls(&drift, 600, Duration::from_secs(1), false);
    assert_eq!(events, [CallEvent::DriftEnded { what: DriftKind::Latency, task_type: None }]);
    assert_eq!(drift.standing()[1].drifted, None);
}

#[test]
fn what_nearly_all_first_calls_are_is_not_bad() {
    let drift = Drift::default();
    // Nine in ten answers are wrong from the beginning: there is nothing left to become worse.
    for number in 0..1_000 {
        assert_eq!(drift.see_quality("riddle", f64::from(u8::from(number % 10 == 0))), None);
    }
    assert_eq!(drift.standing()[0].usual, Some(0.0));
}

#[test]
fn what_was_saved_goes_on_and_what_cannot_be_is_left_out() {
    let (drift, later) = (Drift::default(), Drift::default());
    calls(&drift, BASELINE_CALLS / 2, Duration::from_secs(1), false);
    let json = serde_json::to_string(&drift.saved().unwrap()).unwrap();
    later.restore(serde_json::from_str(&json).unwrap());
    assert_eq!(later.saved(), drift.saved());
    calls(&later, BASELINE_CALLS, Duration::from_secs(1), false);
    assert_eq!(later.standing()[0].usual, Some(0.0));
    let json = serde_json::to_string(&later.saved().unwrap()).unwrap();
    let damaged: DriftState = serde_json::from_str(&json.replace("\"usual\":0.0", "\"usual\":7.0")).unwrap();
    let other = Drift::default();
    other.restore(damaged);
    assert_eq!(other.saved(), None);
}
