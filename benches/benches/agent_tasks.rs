//! Agent tasks a second: spawn an actor, ask it, take the answer, see it stop; 100,000 tasks without any work in
//! them, at most 1,000 alive. Playhouse beside bare ractor (linked to a supervisor, capped alike) and beside a
//! bare tokio task with a mailbox, in turns within one run, on the binary's allocator. Then the memory of a task
//! that is open and waits.
//!
//! `cargo bench -p playhouse-benches --bench agent_tasks [-- --tasks 100000 --rounds 5]`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playhouse_benches::{args, median, resident_bytes, table};
use playhouse_runtime::config::Config;
use playhouse_runtime::protocol::task::{Durability, TaskOptions};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ALIVE_MAX: usize = 1_000;

struct Echo;

impl Agent for Echo {
    const KIND: &'static str = "echo";
    type Request = u64;
    type Reply = u64;

    async fn run(&self, _ctx: &mut AgentContext, request: u64) -> Result<u64, AgentError> {
        Ok(request)
    }
}

struct Sleeper;

impl Agent for Sleeper {
    const KIND: &'static str = "sleeper";
    type Request = u64;
    type Reply = u64;

    async fn run(&self, _ctx: &mut AgentContext, _request: u64) -> Result<u64, AgentError> {
        std::future::pending().await
    }
}

/// The least that ractor needs to do the same.
struct BareActor;

enum BareMessage {
    Ask(u64, RpcReplyPort<u64>),
}

impl Actor for BareActor {
    type Msg = BareMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<BareMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<BareMessage>,
        message: BareMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let BareMessage::Ask(value, reply) = message;
        let _ = reply.send(value);
        myself.stop(None);
        Ok(())
    }
}

struct BareSupervisor;

impl Actor for BareSupervisor {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        _: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// Runs `tasks` futures on tasks of their own, at most [`ALIVE_MAX`] at once, and checks the sum of the answers.
async fn capped<F, T>(tasks: u64, make: F) -> Result<Duration>
where
    F: Fn(u64) -> T,
    T: Future<Output = Result<u64>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(ALIVE_MAX));
    let begun = Instant::now();
    let mut running = JoinSet::new();
    let mut sum = 0;
    for n in 0..tasks {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let task = make(n);
        running.spawn(async move {
            let answer = task.await;
            drop(permit);
            answer
        });
        while let Some(ended) = running.try_join_next() {
            sum += ended??;
        }
    }
    while let Some(ended) = running.join_next().await {
        sum += ended??;
    }
    ensure!(sum == tasks * (tasks - 1) / 2, "answers are missing");
    Ok(begun.elapsed())
}

async fn tokio_mailbox(tasks: u64) -> Result<Duration> {
    capped(tasks, |n| async move {
        let (mailbox, mut messages) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(8);
        let actor = tokio::task::JoinSet::from_iter([async move {
            if let Some((value, reply)) = messages.recv().await {
                let _ = reply.send(value);
            }
        }]);
        let (reply, answer) = oneshot::channel();
        mailbox.send((n, reply)).await.ok().context("the actor is gone")?;
        let answer = answer.await?;
        actor.join_all().await;
        Ok(answer)
    })
    .await
}

async fn bare_ractor(tasks: u64) -> Result<Duration> {
    let (supervisor, join) = Actor::spawn(None, BareSupervisor, ()).await?;
    let cell = supervisor.get_cell();
    let elapsed = capped(tasks, move |n| {
        let cell = cell.clone();
        async move {
            let (actor, _join) = Actor::spawn_linked(None, BareActor, (), cell).await?;
            match actor.call(|reply| BareMessage::Ask(n, reply), None).await? {
                ractor::rpc::CallResult::Success(answer) => Ok(answer),
                _ => anyhow::bail!("no answer"),
            }
        }
    })
    .await?;
    supervisor.stop(None);
    join.await?;
    Ok(elapsed)
}

async fn playhouse_run(runtime: &Runtime, tasks: u64) -> Result<Duration> {
    let runtime = runtime.clone();
    capped(tasks, move |n| {
        let runtime = runtime.clone();
        async move { Ok(runtime.run_with::<Echo>(n, in_memory()).await?) }
    })
    .await
}

async fn playhouse_map(runtime: &Runtime, tasks: u64) -> Result<Duration> {
    let begun = Instant::now();
    let outcomes =
        runtime.map::<Echo>((0..tasks).collect()).width(ALIVE_MAX).options(in_memory()).run().await?;
    let elapsed = begun.elapsed();
    let sum: u64 = outcomes.into_iter().sum::<Result<u64, _>>()?;
    ensure!(sum == tasks * (tasks - 1) / 2, "answers are missing");
    Ok(elapsed)
}

/// Without the journal: what is compared with bare actors does without one too.
fn in_memory() -> TaskOptions {
    TaskOptions { durability: Durability::None, ..TaskOptions::default() }
}

/// Resident bytes for each of `open` tasks that were submitted and wait for an answer that never comes.
async fn bytes_per_open_task(open: usize) -> Result<u64> {
    let mut config = Config::default();
    config.limits.agents_live_max = open;
    let runtime = Runtime::builder().config(config).agent(Sleeper).start().await?;
    let before = resident_bytes()?;
    let mut tasks = Vec::with_capacity(open);
    for n in 0..open as u64 {
        tasks.push(runtime.submit::<Sleeper>(n, in_memory()).await?);
    }
    while runtime.metrics_text().await?.lines().any(|line| {
        line.strip_prefix("playhouse_agent_requests_running{agent=\"sleeper\"} ")
            .is_some_and(|count| count != open.to_string())
    }) {
        tokio::task::yield_now().await;
    }
    let bytes = resident_bytes()?.saturating_sub(before) / open as u64;
    drop(tasks);
    runtime.shutdown(Duration::ZERO).await;
    Ok(bytes)
}

async fn run(tasks: u64, rounds: usize) -> Result<()> {
    let runtime = Runtime::builder().agent(Echo).start().await?;
    let mut seconds: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        seconds[0].push(tokio_mailbox(tasks).await?.as_secs_f64());
        seconds[1].push(bare_ractor(tasks).await?.as_secs_f64());
        seconds[2].push(playhouse_run(&runtime, tasks).await?.as_secs_f64());
        seconds[3].push(playhouse_map(&runtime, tasks).await?.as_secs_f64());
    }
    runtime.shutdown_gracefully().await;
    let rates = seconds.map(|seconds| tasks as f64 / median(&seconds));
    let names = [
        "tokio task with a mailbox",
        "bare ractor, linked",
        "playhouse, run() from tasks of one's own",
        "playhouse, map()",
    ];
    let rows: Vec<_> = names
        .iter()
        .zip(rates)
        .map(|(name, rate)| vec![(*name).to_owned(), format!("{rate:.0}"), format!("{:.2}", rate / rates[1])])
        .collect();
    println!("{tasks} tasks, at most {ALIVE_MAX} alive, median of {rounds} rounds");
    println!("{}", table(&["", "tasks/s", "x bare ractor"], &rows));
    let open = 10_000;
    println!("memory of an open task ({open} open): {} bytes resident", bytes_per_open_task(open).await?);
    println!("goal: at least 0.50 x bare ractor; seen: {:.2}", rates[2].min(rates[3]) / rates[1]);
    Ok(())
}

fn main() -> Result<()> {
    let tasks = args::number("--tasks", 100_000)?;
    let rounds = usize::try_from(args::number("--rounds", 5)?)?;
    ensure!(tasks > 0 && rounds > 0, "--tasks and --rounds must be at least 1");
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(tasks, rounds))
}
