//! The deterministic simulation, a little of it: `.ci/run` and `simulate` run it at length.

use playhouse_tests::simulation::disk::Crash;
use playhouse_tests::simulation::{Outcome, Settings, run};

/// Seeds that found a bug, with what it was. They are run with a thousand tasks each, for good.
const SEEDS_THAT_FOUND_A_BUG: &[(u64, &str)] = &[
    (1, "a replay whose writer died behind the write was open, and nobody worked on it"),
    (2, "a shutdown left tasks that its own clerks then looked for"),
    (5, "the journal's writer was restarted behind all agents, which waited for it"),
    (206, "a failure behind a writer's death passed for a refusal of what that one had written"),
];

fn world(seed: u64, tasks: u64, crash: Option<Crash>) -> Outcome {
    let outcome = run(Settings { seed, tasks, crash, keep_log: false }).unwrap();
    if let Some(violation) = &outcome.violation {
        panic!("seed {seed}, {crash:?}: {violation}\n{}", outcome.lines.join("\n"));
    }
    outcome
}

#[test]
fn the_same_seed_gives_the_same_log_byte_for_byte() {
    let log = |seed| run(Settings { seed, tasks: 150, crash: None, keep_log: true }).unwrap();
    for seed in 1..=3 {
        let (one, two) = (log(seed), log(seed));
        let differs = one.lines.iter().zip(&two.lines).find(|(one, two)| one != two);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!((one.lines_len, &one.hash), (two.lines_len, &two.hash));
        assert!(one.lives > 0 && one.lines_len > 500, "seed {seed} is too quiet to tell anything");
    }
    assert_ne!(log(1).hash, log(2).hash);
}

#[test]
fn a_small_world_survives_a_crash_at_every_commit() {
    let never = Crash { commit: u64::MAX, is_written: false };
    for seed in 1..=2 {
        let commits = world(seed, 12, Some(never)).commits;
        assert!(commits > 20, "{commits} commits are too few to tell anything");
        for commit in 1..=commits {
            for is_written in [false, true] {
                let outcome = world(seed, 12, Some(Crash { commit, is_written }));
                assert!(
                    outcome.lives >= 2,
                    "seed {seed}: one life before the crash at {commit}, one behind it"
                );
            }
        }
    }
}

#[test]
fn seeds_that_found_a_bug_find_it_no_more() {
    for (seed, _) in SEEDS_THAT_FOUND_A_BUG {
        world(*seed, 1_000, None);
    }
}

#[test]
fn some_worlds_of_any_size_lose_nothing() {
    for seed in 100..120 {
        world(seed, 20 + seed % 7 * 15, None);
    }
}
