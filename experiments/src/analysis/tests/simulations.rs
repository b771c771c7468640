//! Experiments whose truth is known, thousands of them, through the code that compares and decides.

use playhouse_config::experiments::{Direction, SequentialRule};
use playhouse_protocol::{RandomSource, SeededSource};

use crate::analysis::comparison::{Tally, judge};
use crate::analysis::{Finding, POWER, Stopping, Watch};
use crate::fixture::{design, items};
use crate::statistics::planning::{Plan, pairs_needed};
use crate::statistics::sequential::Verdict;
use crate::statistics::summary::mean;

const ALPHA: f64 = 0.05;
const RUNS: usize = 1_000;

fn unit(random: &dyn RandomSource) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The mean of the repeats of one variant on one item, where each of them is right with this chance.
fn repeats(random: &dyn RandomSource, count: usize, chance: f64) -> f64 {
    let rights: Vec<_> = (0..count).map(|_| f64::from(u8::from(unit(random) < chance))).collect();
    mean(&rights).unwrap()
}

/// What three variants find on `items` items. Items are easier and harder for all, and each variant has items that suit it more and
/// items that suit it less, so that its repeats on one item are alike.
fn findings(random: &dyn RandomSource, (items, count): (usize, usize)) -> Vec<Finding> {
    let mut pairs = [Vec::new(), Vec::new()];
    for _ in 0..items {
        let item = unit(random);
        let answer = || repeats(random, count, (item + 0.8 * (unit(random) - 0.5)).clamp(0.0, 1.0));
        let baseline = answer();
        pairs.iter_mut().for_each(|pairs| pairs.push((baseline, answer())));
    }
    let tallies = pairs.map(|pairs| Tally::new(&pairs, Direction::Higher));
    judge(&tallies, ALPHA).into_iter().map(|(_, finding)| finding).collect()
}

fn is_winner(finding: Finding) -> bool {
    matches!(finding, Finding::Better | Finding::Worse)
}

#[test]
fn of_1000_experiments_with_three_equal_variants_at_most_5_per_cent_have_a_winner() {
    for (seed, count) in [(11, 1), (12, 3)] {
        let random = SeededSource::from_seed(seed);
        let runs = (0..RUNS).map(|_| findings(&random, (120, count)));
        let with_winner = runs.filter(|findings| findings.iter().any(|finding| is_winner(*finding))).count();
        assert!(with_winner <= 50, "{with_winner} of {RUNS} with {count} repeats");
    }
}

/// Why items are the units: a test that takes each repeat for a pair of its own is wrong far more often than it says.
#[test]
fn a_test_that_counted_every_repeat_would_find_winners_where_there_are_none() {
    let random = SeededSource::from_seed(13);
    let run = || {
        let mut by_repeat = Vec::new();
        for _ in 0..120 {
            let chances = [(); 2].map(|()| if unit(&random) < 0.5 { 0.05 } else { 0.95 });
            by_repeat
                .extend((0..3).map(|_| (repeats(&random, 1, chances[0]), repeats(&random, 1, chances[1]))));
        }
        let of_items: Vec<_> = by_repeat
            .chunks(3)
            .map(|item| item.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1)))
            .collect();
        [by_repeat, of_items]
            .map(|pairs| is_winner(judge(&[Tally::new(&pairs, Direction::Higher)], ALPHA)[0].1))
    };
    let runs: Vec<_> = (0..RUNS).map(|_| run()).collect();
    let winners = |which: usize| runs.iter().filter(|run| run[which]).count();
    assert!(winners(0) > 150, "{} by repeats", winners(0));
    assert!(winners(1) <= 50, "{} by items", winners(1));
}

#[test]
fn a_variant_that_is_better_by_a_known_margin_is_found_about_as_often_as_planned() {
    let random = SeededSource::from_seed(14);
    // Wins one in five items, loses one in ten.
    let plan = Plan { discordant: 0.3, difference: 0.1, false_winners: ALPHA, power: POWER };
    let items = pairs_needed(&plan).unwrap();
    let pair = || match unit(&random) {
        draw if draw < 0.2 => (0.0, 1.0),
        draw if draw < 0.3 => (1.0, 0.0),
        _ => (1.0, 1.0),
    };
    let run = || {
        let pairs: Vec<_> = (0..items).map(|_| pair()).collect();
        judge(&[Tally::new(&pairs, Direction::Higher)], ALPHA)[0].1
    };
    let runs: Vec<_> = (0..RUNS).map(|_| run()).collect();
    let count = |wanted| runs.iter().filter(|finding| **finding == wanted).count();
    assert!((730..=850).contains(&count(Finding::Better)), "{}", count(Finding::Better));
    assert_eq!(count(Finding::Worse), 0);
}

/// The share of items on which two variants differ.
const DISCORDANT: f64 = 0.4;

const RULE: SequentialRule = SequentialRule { wins: 2.0 / 3.0, false_winners: ALPHA, missed_winners: 0.2 };

/// The items after which a run gives up.
const ITEMS_MAX: usize = 4_000;

/// Runs three variants under the rule until it is decided; each of the two others wins the share `wins` of the items on which it
/// differs from the baseline.
fn stopped(random: &dyn RandomSource, wins: f64) -> Stopping {
    let mut design = design(&["baseline", "b", "c"], items(1), 1);
    design.stopping = Some(RULE);
    let mut watch = Watch::new(&design).unwrap().unwrap();
    for item in 0..ITEMS_MAX {
        // The baseline is right on half of the items; the others turn some of those into wrong ones, and some of the other half
        // into right ones.
        let baseline = f64::from(u8::from(unit(random) < 0.5));
        let turned = if baseline < 0.5 { 2.0 * DISCORDANT * wins } else { 2.0 * DISCORDANT * (1.0 - wins) };
        watch.place((0, item, 0), Some(baseline));
        for variant in 1..3 {
            let is_turned = unit(random) < turned;
            watch.place((variant, item, 0), Some(if is_turned { 1.0 - baseline } else { baseline }));
        }
        if watch.stopping().is_decided {
            break;
        }
    }
    watch.stopping()
}

#[test]
fn of_1000_experiments_under_the_rule_at_most_5_per_cent_have_a_winner_where_there_is_none() {
    let random = SeededSource::from_seed(15);
    let runs: Vec<_> = (0..RUNS).map(|_| stopped(&random, 0.5)).collect();
    let is_winner = |verdict: Verdict| matches!(verdict, Verdict::FirstIsBetter | Verdict::SecondIsBetter);
    let with_winner = runs.iter().filter(|run| run.comparisons.iter().any(|one| is_winner(one.verdict)));
    let with_winner = with_winner.count();
    assert!(with_winner <= 50, "{with_winner}");
    assert!(runs.iter().all(|run| run.is_decided));
}

#[test]
fn the_rule_saves_three_tenths_of_the_items_of_a_comparison_at_equal_power() {
    let random = SeededSource::from_seed(16);
    let runs: Vec<_> = (0..RUNS).map(|_| stopped(&random, RULE.wins)).collect();
    let comparisons = || runs.iter().flat_map(|run| &run.comparisons);
    let found = comparisons().filter(|one| one.verdict == Verdict::SecondIsBetter).count();
    let power = found as f64 / comparisons().count() as f64;
    let plan = Plan {
        discordant: DISCORDANT,
        difference: DISCORDANT * (2.0 * RULE.wins - 1.0),
        false_winners: ALPHA / 2.0,
        power,
    };
    let fixed = pairs_needed(&plan).unwrap() as f64;
    let each = comparisons().map(|one| one.items_seen).sum::<u64>() as f64 / comparisons().count() as f64;
    assert!(power >= 0.85, "{power}");
    assert!(each <= 0.7 * fixed, "{each} of {fixed} at {power}");
    // The baseline is asked until the last comparison is decided; variants that are decided need not be.
    let last = |run: &Stopping| run.comparisons.iter().map(|one| one.items_seen).max().unwrap_or_default();
    let last = runs.iter().map(last).sum::<u64>() as f64 / RUNS as f64;
    let questions = last + 2.0 * each;
    assert!(questions <= 0.72 * 3.0 * fixed, "{questions} of {}", 3.0 * fixed);
    // Who goes on asking all until then saves less.
    assert!(last <= 0.85 * fixed, "{last} of {fixed}");
}
