//! Runs many worlds: `simulate --seeds 10000`. A world that breaks a rule is told with the command that repeats it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use playhouse_tests::simulation::{Outcome, Settings, run};

/// Simulates a runtime under faults, the same for the same seed.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 300)]
    seeds: u64,

    /// The first of them
    #[arg(long, default_value_t = 1)]
    first: u64,

    /// One seed alone
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,

    /// Tasks in each world
    #[arg(long, default_value_t = 1_000)]
    tasks: u64,

    /// Worlds side by side
    #[arg(long, default_value_t = 2)]
    threads: usize,

    /// Print every line of the log, of one seed
    #[arg(long, requires = "seed")]
    log: bool,
}

#[expect(clippy::print_stdout, reason = "what a program is for")]
fn main() -> Result<()> {
    let args = Args::parse();
    let (first, count) = args.seed.map_or((args.first, args.seeds), |seed| (seed, 1));
    let (next, lines) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed: Mutex<Option<(u64, Outcome)>> = Mutex::new(None);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let done = next.fetch_add(1, Ordering::Relaxed);
                let is_over = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                if done >= count || is_over {
                    return Ok(());
                }
                let seed = first + done;
                let settings = Settings { seed, tasks: args.tasks, crash: None, keep_log: args.log };
                let outcome = run(settings).context("make a thread runtime")?;
                lines.fetch_add(outcome.lines_len, Ordering::Relaxed);
                if args.log {
                    outcome.lines.iter().for_each(|line| println!("{line}"));
                }
                if args.seed.is_some() {
                    println!(
                        "seed {seed}: {} lives, {} lines, {}",
                        outcome.lives, outcome.lines_len, outcome.hash
                    );
                }
                if outcome.violation.is_some() {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((seed, outcome));
                } else if done > 0 && done.is_multiple_of(100) {
                    println!("{done} worlds");
                }
            }
        };
        let threads: Vec<_> = (0..args.threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(_) => bail!("a world panicked"),
        })
    })?;
    if let Some((seed, outcome)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        outcome.lines.iter().rev().take(50).rev().for_each(|line| println!("{line}"));
        let what = outcome.violation.unwrap_or_default();
        let tasks = args.tasks;
        bail!("seed {seed}: {what}\nrepeat it: simulate --seed {seed} --tasks {tasks} --log");
    }
    println!("{count} worlds of {} tasks, {} lines: nothing was lost", args.tasks, lines.into_inner());
    Ok(())
}
