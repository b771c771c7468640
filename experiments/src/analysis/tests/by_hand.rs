//! Every number of a small run, worked out by hand.
//!
//! Rights by item (see `fixture`): `direct` 2 1 0 2 0 0 of 2 each; `steps` 2 2 1 2 2 2 of 2 each; `vote` 1 2 0 1 0 1 of 2 each, but of 1 for
//! the fourth.

use playhouse_config::experiments::Metric;
use playhouse_protocol::{FailureClass, Usage};

use crate::analysis::{
    Cell, Comparison, Counts, Finding, NumberSummary, Outcomes, Report, ShareSummary, Summary, analyse,
};
use crate::fixture::{scorer, small_run};
use crate::run::Ending;

fn report() -> Report {
    let (manifest, records) = small_run();
    analyse(&manifest, &records, Ending::BudgetSpent, &scorer).unwrap()
}

fn near(value: f64, wanted: f64) {
    assert!((value - wanted).abs() < 5e-6, "{value} instead of {wanted}");
}

fn check_share(share: Option<ShareSummary>, (rights, asked): (u64, u64), [effective, low, high]: [f64; 3]) {
    let share = share.unwrap();
    assert_eq!((share.rights, share.asked), (rights, asked));
    near(share.share, rights as f64 / asked as f64);
    near(share.effective, effective);
    near(share.interval.low, low);
    near(share.interval.high, high);
}

fn number(cell: &Cell, metric: Metric) -> NumberSummary {
    let found = cell.metrics.iter().find(|one| one.metric == metric).unwrap();
    match &found.summary {
        Summary::Number(number) => *number,
        other => panic!("{other:?}"),
    }
}

#[test]
fn questions_are_counted() {
    let report = report();
    // 3 * 6 * 2, less one that was not asked, less one that failed.
    let counts = Counts { items: 6, repeats: 2, variants: 3, planned: 36, asked: 35, answered: 34 };
    assert_eq!(report.counts, counts);
    assert_eq!((report.baseline.as_str(), report.cells[0].is_baseline), ("direct", true));
    let asked: Vec<_> = report.cells.iter().map(|cell| (cell.asked, cell.answered)).collect();
    assert_eq!(asked, [(12, 11), (12, 12), (11, 11)]);
}

#[test]
fn every_outcome_is_counted_and_none_left_out() {
    let report = report();
    let outcomes: Vec<_> = report.cells.iter().map(|cell| cell.outcomes.clone()).collect();
    let failed = [(FailureClass::Deadline, 1)].into();
    assert_eq!(
        outcomes,
        [
            Outcomes { right: 5, wrong: 5, truncated: 1, failed, ..Outcomes::default() },
            Outcomes { right: 11, wrong: 1, ..Outcomes::default() },
            Outcomes { right: 5, wrong: 5, refused: 1, ..Outcomes::default() },
        ]
    );
}

#[test]
fn shares_have_the_intervals_of_their_effective_answers() {
    let report = report();
    // direct: p = 5/12, squares of 2 - 10/12 (twice), 1 - 10/12, 0 - 10/12 (three times): 174/36 = 4.8333;
    // 6/5 * 4.8333 / 12^2 = 5.8/144 against p(1-p) = 35/144: 35/5.8 = 6.0345 answers instead of 12.
    check_share(report.cells[0].right, (5, 12), [35.0 / 5.8, 0.139_901, 0.758_261]);
    // steps: p = 11/12, five times (2 - 22/12)^2 and once (1 - 22/12)^2: 30/36; 6/5 * 30/36 / 144 = 1/144: 11 answers.
    check_share(report.cells[1].right, (11, 12), [11.0, 0.631_611, 0.986_028]);
    // vote: p = 5/11; (1 + 144 + 100 + 36 + 100 + 1) / 121; 6/5 * 382 / 121^2 against 30/121: 3630/458.4.
    check_share(report.cells[2].right, (5, 11), [3_630.0 / 458.4, 0.184_424, 0.754_362]);
    let Summary::Share(accuracy) = report.cells[0].metrics[0].summary else { panic!("no share") };
    assert_eq!(Some(accuracy), report.cells[0].right);
}

#[test]
fn the_chance_of_one_right_answer_in_two_is_the_share_of_items_with_one() {
    let report = report();
    let chances = |cell: &Cell| cell.pass_at_k.iter().map(|one| (one.k, one.chance)).collect::<Vec<_>>();
    let check = |at: usize, first: f64, second: f64| {
        let chances = chances(&report.cells[at]);
        assert_eq!((chances.len(), chances[0].0, chances[1].0), (2, 1, 2));
        near(chances[0].1, first);
        near(chances[1].1, second);
    };
    check(0, 5.0 / 12.0, 3.0 / 6.0);
    check(1, 11.0 / 12.0, 1.0);
    // Without the fourth item, of which one repeat was not asked.
    check(2, 4.0 / 10.0, 3.0 / 5.0);
}

#[test]
fn parts_are_shares_of_their_own() {
    let report = report();
    let parts = |parts: &[crate::analysis::Part]| {
        let counted = |part: &crate::analysis::Part| part.right.map(|right| (right.rights, right.asked));
        parts.iter().map(|part| (part.name.clone(), part.items, counted(part).unwrap())).collect::<Vec<_>>()
    };
    let cell = &report.cells[2];
    assert_eq!(parts(&cell.groups), [("logic".to_owned(), 3, (3, 6)), ("counting".to_owned(), 3, (2, 5))]);
    let wanted = [("easy", 2, (3, 4)), ("medium", 2, (1, 3)), ("hard", 2, (1, 4))];
    assert_eq!(parts(&cell.difficulties), wanted.map(|(name, items, right)| (name.to_owned(), items, right)));
}

#[test]
fn numbers_have_means_over_items_and_quantiles_over_answers() {
    let report = report();
    // 11 11 12 12 13 13 14 14 15 16 16: the failed answer to the fifth item has no tokens.
    let tokens = number(&report.cells[0], Metric::TotalTokens);
    assert_eq!((tokens.answers, tokens.items), (11, 6));
    near(tokens.mean, (11.0 + 12.0 + 13.0 + 14.0 + 15.0 + 16.0) / 6.0);
    near(tokens.median, 13.0);
    // Place 0.95 * 10 = 9.5, between two times 16.
    near(tokens.p95, 16.0);
    assert!(
        tokens.interval.contains(tokens.mean) && tokens.interval.low > 11.0 && tokens.interval.high < 16.0
    );
    // All answers of `steps` took 100 ms, but the one out of the cache has no time.
    let latency = number(&report.cells[1], Metric::LatencyMs);
    assert_eq!((latency.answers, latency.items), (11, 6));
    near(latency.mean, 100.0);
}

#[test]
fn usage_is_the_sum_of_all_answers_and_judging_stands_apart() {
    let report = report();
    // 2 * (11 + 12 + 13 + 14 + 16) + 15 tokens, of these 10 for each prompt, a thousandth of a cent for a hundred tokens.
    let usage = Usage {
        model_calls: 11,
        prompt_tokens: 110,
        completion_tokens: 37,
        cost_nano_usd: 147_000,
        ..Usage::default()
    };
    assert_eq!(report.cells[0].usage, usage);
    assert_eq!(report.cells[0].judge_usage.total_tokens(), 11 * 12);
    assert_eq!(report.cells[1].judge_usage, Usage::default());
    let cached: Vec<_> =
        report.cells.iter().map(|cell| (cell.cached_answers, cell.scripted_answers)).collect();
    assert_eq!(cached, [(0, 0), (1, 0), (0, 0)]);
    // Both answers the same: items 1, 3, 4; 1, 2, 4, 5, 6; 2, 3.
    assert_eq!(report.cells.iter().map(|cell| cell.same_repeats).collect::<Vec<_>>(), [3, 5, 2]);
    let announced = report.cells[0].announced.unwrap();
    assert_eq!((announced.rights, announced.asked), (11, 11));
}

fn counts(one: &Comparison) -> (&str, [u64; 5]) {
    (&one.variant, [one.items, one.left_out, one.wins, one.losses, one.ties])
}

#[test]
fn variants_are_compared_by_the_items_that_they_won() {
    let report = report();
    let [steps, vote] = &report.comparisons[..2] else { panic!("two by the first metric") };
    assert_eq!(counts(steps), ("steps", [6, 0, 4, 0, 2]));
    // Not the fourth; of the others the first is lost, the second and the last are won.
    assert_eq!(counts(vote), ("vote", [5, 1, 2, 1, 2]));
    // 2 / 2^4 and 2 * (1 + 3) / 2^3; Holm: twice the smaller one.
    near(steps.p, 0.125);
    near(steps.p_corrected, 0.25);
    near(vote.p, 1.0);
    near(vote.p_corrected, 1.0);
    // Six items that are all won have 2 / 2^6 = 0.031, and half of 0.05 was needed.
    assert_eq!((steps.finding, vote.finding), (Finding::TooFewItems, Finding::TooFewItems));
    assert!(report.comparisons[..2].iter().all(|one| one.is_deciding && one.is_p_valid && one.family == 2));
    assert_eq!((steps.table, vote.table), (None, None));
}

#[test]
fn differences_have_sizes_and_items_that_they_would_take() {
    let report = report();
    let [steps, vote, ..] = &report.comparisons[..] else { panic!("two by the first metric") };
    // (0 + 0.5 + 0.5 + 0 + 1 + 1) / 6 and (-0.5 + 0.5 + 0 + 0 + 0.5) / 5.
    near(steps.difference.unwrap().estimate, 0.5);
    near(vote.difference.unwrap().estimate, 0.1);
    // 2 asin(sqrt(11/12)) - 2 asin(sqrt(5/12)), and from 0.3 to 0.4.
    near(steps.effect.cohens_h.unwrap(), 1.152_559);
    near(vote.effect.cohens_h.unwrap(), 0.210_159);
    near(steps.effect.cohens_g.unwrap(), 0.5);
    near(vote.effect.cohens_g.unwrap(), 2.0 / 3.0 - 0.5);
    // z(0.9875) = 2.241403, z(0.8) = 0.841621: ((2.241403 * sqrt(4/6) + 0.841621 * sqrt(4/6 - 16/36)) / (4/6))^2 = 11.2, and
    // ((2.241403 * sqrt(0.6) + 0.841621 * sqrt(0.6 - 0.04)) / 0.2)^2 = 139.9.
    assert_eq!((steps.items_needed, vote.items_needed), (Some(12), Some(140)));
}

#[test]
fn other_metrics_are_a_family_of_their_own() {
    let report = report();
    let [_, _, steps, vote] = &report.comparisons[..] else { panic!("two by each metric") };
    assert!(!steps.is_deciding && !vote.is_deciding && steps.metric == Metric::TotalTokens);
    // Without the fifth, and for `vote` the fourth: more tokens are worse.
    assert_eq!(counts(steps), ("steps", [5, 1, 0, 5, 0]));
    assert_eq!(counts(vote), ("vote", [4, 2, 0, 0, 4]));
    near(steps.p, 2.0 / 32.0);
    near(steps.p_corrected, 4.0 / 32.0);
    // 21 22 23 24 26: mean 23.2, squares 14.8 / 4.
    near(steps.difference.unwrap().estimate, 23.2);
    near(steps.effect.cohens_d_z.unwrap(), 23.2 / 3.7_f64.sqrt());
    assert_eq!((vote.effect.cohens_d_z, vote.effect.cohens_h), (None, None));
    near(vote.difference.unwrap().estimate, 0.0);
    // Each pair differs, and all the same way: (2.241403 / 1)^2 = 5.02, but 2 / 2^6 is above 0.025 and 2 / 2^7 is not.
    assert_eq!((steps.items_needed, vote.items_needed), (Some(7), None));
}

#[test]
fn the_judge_is_held_against_the_scorer() {
    let judge = report().judge.unwrap();
    let table = judge.table;
    // Of five right ones it denies one, of six others it grants one and leaves one open.
    assert_eq!([table.both, table.only_first, table.only_second, table.neither], [4, 1, 1, 4]);
    assert_eq!(judge.undecided, 1);
    let agreement = judge.agreement.unwrap();
    assert_eq!((agreement.rights, agreement.asked), (8, 10));
    // (0.8 - 0.5) / (1 - 0.5).
    near(judge.kappa.unwrap(), 0.6);
}
