//! Memory: an agent that never answers while a million submissions arrive, and ten thousand tasks that are open at
//! once.
//!
//! `cargo bench -p playhouse-benches --bench memory [-- --submits 1000000 --open 10000]`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::Duration;

use anyhow::{Result, ensure};
use playhouse_benches::{args, resident_bytes};
use playhouse_runtime::config::Config;
use playhouse_runtime::protocol::FailureClass;
use playhouse_runtime::protocol::task::{Durability, TaskOptions};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Never answers.
struct Hung;

impl Agent for Hung {
    const KIND: &'static str = "hung";
    type Request = u64;
    type Reply = u64;

    async fn run(&self, _ctx: &mut AgentContext, _request: u64) -> Result<u64, AgentError> {
        std::future::pending().await
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let submits = args::number("--submits", 1_000_000)?;
    let open = usize::try_from(args::number("--open", 10_000)?)?;
    for durability in [Durability::Full, Durability::None] {
        flood(submits, durability).await?;
    }
    all_open(open).await
}

/// What a million submissions to a runtime with the built-in bounds leave, while nobody answers.
async fn flood(submits: u64, durability: Durability) -> Result<()> {
    let runtime = Runtime::builder().agent(Hung).start().await?;
    let options = || TaskOptions { durability, ..TaskOptions::default() };
    // What is made once is no growth: a task, a refusal.
    let first = runtime.submit::<Hung>(0, options()).await?;
    runtime.cancel(first.id()).await?;
    let before = resident_bytes()?;
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..submits {
        match runtime.submit::<Hung>(number, options()).await {
            Ok(_) => accepted += 1,
            Err(failure) => {
                ensure!(failure.class == FailureClass::Overloaded, "{failure}");
                refused += 1;
            }
        }
    }
    let grown = resident_bytes()?.saturating_sub(before);
    println!(
        "an agent that never answers, {submits} submissions, durability {durability:?}: {accepted} accepted, {refused} refused, \
         {:.1} MB more resident (goal 32)",
        grown as f64 / 1e6
    );
    runtime.shutdown(Duration::ZERO).await;
    Ok(())
}

/// The memory of a process in which so many tasks are open and all of them run.
async fn all_open(open: usize) -> Result<()> {
    let mut config = Config::default();
    config.limits.agents_live_max = open;
    config.limits.tasks_open_max = open;
    let runtime = Runtime::builder().config(config).agent(Hung).start().await?;
    for number in 0..open as u64 {
        runtime.submit::<Hung>(number, TaskOptions::default()).await?;
    }
    while runtime.open_tasks().iter().any(|task| task.attempts == 0) {
        tokio::task::yield_now().await;
    }
    println!(
        "{open} tasks open and running: {:.1} MB resident in all (goal 256)",
        resident_bytes()? as f64 / 1e6
    );
    runtime.shutdown(Duration::ZERO).await;
    Ok(())
}
