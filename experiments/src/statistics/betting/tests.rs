use playhouse_protocol::{RandomSource, SeededSource};
use proptest::prelude::*;

use super::*;

/// A number from 0.0 to below 1.0.
fn uniform(random: &dyn RandomSource) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// How outcomes of an arm are drawn.
type Draw = fn(&dyn RandomSource, f64) -> f64;

/// Right or wrong, with this mean.
fn binary(random: &dyn RandomSource, mean: f64) -> f64 {
    f64::from(u8::from(uniform(random) < mean))
}

/// Spread evenly around this mean as far as the bounds allow.
fn even(random: &dyn RandomSource, mean: f64) -> f64 {
    let reach = mean.min(1.0 - mean);
    mean - reach + 2.0 * reach * uniform(random)
}

/// Mostly near the top with a long tail downwards: the mean of `u^(1/mean - 1)` is this one.
fn skewed(random: &dyn RandomSource, mean: f64) -> f64 {
    uniform(random).powf(1.0 / mean - 1.0)
}

/// Two arms, `first_share` of the outcomes being of the first. Runs until one direction has `needed` evidence or `outcomes_max`
/// outcomes were seen; gives who is better, and the outcomes of both that it took.
fn run(
    random: &dyn RandomSource,
    draw: Draw,
    means: [f64; 2],
    first_share: f64,
    outcomes_max: u64,
) -> (Option<&'static str>, u64) {
    let mut streams = TwoStreams::default();
    for number in 1..=outcomes_max {
        if uniform(random) < first_share {
            streams.see_first(draw(random, means[0]));
        } else {
            streams.see_second(draw(random, means[1]));
        }
        if streams.betting().first_is_better() >= 20.0 {
            return (Some("first"), number);
        }
        if streams.betting().second_is_better() >= 20.0 {
            return (Some("second"), number);
        }
    }
    (None, outcomes_max)
}

#[test]
fn of_1000_tests_between_equals_that_are_looked_at_after_every_outcome_at_most_5_per_cent_have_a_verdict() {
    let draws: [(&str, Draw, f64); 4] =
        [("binary", binary, 0.8), ("binary", binary, 0.5), ("even", even, 0.6), ("skewed", skewed, 0.85)];
    for (name, draw, mean) in draws {
        for first_share in [0.5, 0.9] {
            let random = SeededSource::from_seed(7);
            let verdicts =
                (0..1_000).filter(|_| run(&random, draw, [mean; 2], first_share, 1_000).0.is_some()).count();
            assert!(verdicts <= 50, "{name} around {mean}, {first_share}: {verdicts}");
        }
    }
}

/// The outcomes of both arms together by which four of five of 300 tests have found that the second is worse.
fn found_by(draw: Draw, means: [f64; 2], first_share: f64) -> u64 {
    let random = SeededSource::from_seed(8);
    let mut taken: Vec<_> = (0..300)
        .map(|_| match run(&random, draw, means, first_share, 20_000) {
            (Some("first"), taken) => taken,
            _ => u64::MAX,
        })
        .collect();
    taken.sort_unstable();
    taken[239]
}

#[test]
fn a_harmful_arm_is_found_within_a_stated_number_of_outcomes_in_four_of_five_tests() {
    // Outcomes of both arms together.
    let cases: [(&str, Draw, [f64; 2], f64, u64); 6] = [
        ("binary", binary, [0.8, 0.6], 0.5, 450),
        ("binary, a small share", binary, [0.8, 0.6], 0.9, 1900),
        ("binary, much worse", binary, [0.9, 0.3], 0.5, 70),
        ("even", even, [0.7, 0.6], 0.5, 380),
        ("skewed", skewed, [0.85, 0.7], 0.5, 220),
        ("skewed, a small share", skewed, [0.85, 0.7], 0.9, 1000),
    ];
    for (name, draw, means, first_share, within) in cases {
        let found = found_by(draw, means, first_share);
        assert!(found <= within, "{name}: {found}");
    }
}

#[test]
fn three_pairs_come_to_what_they_come_to_by_hand() {
    let mut betting = Betting::default();
    assert_eq!((betting.first_is_better(), betting.second_is_better()), (0.5, 0.5));
    // Nothing is known yet, so nothing is staked.
    betting.see(1.0, 0.0);
    assert_eq!((betting.first_is_better(), betting.second_is_better()), (0.5, 0.5));
    // 1 / (1 + 1) of the capital is staked on the first, and a half of that is won.
    betting.see(0.75, 0.25);
    assert!((betting.first_is_better() - 0.5 * 1.25).abs() < 1e-12);
    // 1.5 / (1.25 + 1) is more than may be staked; all of the stake is lost.
    betting.see(0.0, 1.0);
    assert!((betting.first_is_better() - 0.5 * 1.25 * 0.5).abs() < 1e-12);
    assert!((betting.second_is_better() - 0.5).abs() < 1e-12);
    assert_eq!(betting.pairs(), 3);
}

#[test]
fn outcomes_are_paired_in_their_order_and_the_oldest_are_left_out_where_too_many_wait() {
    let mut streams = TwoStreams::default();
    streams.see_first(1.0);
    streams.see_first(0.5);
    streams.see_second(0.0);
    let mut by_hand = Betting::default();
    by_hand.see(1.0, 0.0);
    assert_eq!(streams.betting(), &by_hand);
    for _ in 0..WAITING_MAX {
        streams.see_first(0.25);
    }
    streams.see_second(0.0);
    by_hand.see(0.25, 0.0);
    assert_eq!(streams.betting(), &by_hand);
    assert!(streams.is_sound());
}

proptest! {
    #[test]
    fn who_is_first_does_not_matter(pairs in prop::collection::vec((0.0_f64..=1.0, 0.0_f64..=1.0), 0..200)) {
        let (mut one, mut other) = (Betting::default(), Betting::default());
        for (first, second) in pairs {
            one.see(first, second);
            other.see(second, first);
        }
        prop_assert!((one.first_is_better() - other.second_is_better()).abs() <= 1e-9 * one.first_is_better());
        prop_assert!(one.is_sound());
    }

    /// The law that makes the bound hold: whatever was seen, a fair coin between two opposite differences adds nothing to the
    /// capital on average.
    #[test]
    fn a_fair_pair_adds_nothing_on_average(
        pairs in prop::collection::vec((0.0_f64..=1.0, 0.0_f64..=1.0), 0..100),
        (first, second) in (0.0_f64..=1.0, 0.0_f64..=1.0),
    ) {
        let mut before = Betting::default();
        pairs.iter().for_each(|(first, second)| before.see(*first, *second));
        let (mut won, mut lost) = (before, before);
        won.see(first, second);
        lost.see(second, first);
        let mean = f64::midpoint(won.first_is_better(), lost.first_is_better());
        prop_assert!((mean - before.first_is_better()).abs() <= 1e-9 * before.first_is_better());
        let mean = f64::midpoint(won.second_is_better(), lost.second_is_better());
        prop_assert!((mean - before.second_is_better()).abs() <= 1e-9 * before.second_is_better());
    }

    #[test]
    fn a_test_that_was_written_down_goes_on_as_if_it_had_not_been(
        outcomes in prop::collection::vec((any::<bool>(), 0.0_f64..=1.0), 0..300),
        at in 0_usize..300,
    ) {
        let see = |streams: &mut TwoStreams, outcomes: &[(bool, f64)]| {
            for (is_first, outcome) in outcomes {
                if *is_first { streams.see_first(*outcome) } else { streams.see_second(*outcome) }
            }
        };
        let (before, after) = outcomes.split_at(at.min(outcomes.len()));
        let mut whole = TwoStreams::default();
        see(&mut whole, before);
        let mut read: TwoStreams = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
        see(&mut whole, after);
        see(&mut read, after);
        prop_assert_eq!(whole, read);
    }
}
