//! What is asked for, what must come out, and the agent that does it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use playhouse_runtime::protocol::completion::{ChatMessage, CompletionRequest};
use playhouse_runtime::protocol::task::{Durability, Priority, TaskOptions};
use playhouse_runtime::protocol::{Failure, FailureClass, IdempotencyKey, TaskId, TenantId};
use playhouse_runtime::{Agent, AgentContext, AgentError};
use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::draws::{Draws, place_of};
use super::log::Log;
use super::model::answer;

/// One thing that the agent does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Asks the model.
    Call,
    /// Asks the model and goes on when it fails.
    TryCall,
    /// Has another agent do this.
    Ask(Vec<Act>),
    /// Does something that must not be done twice.
    Effect,
    /// Panics now and then.
    Stumble,
    /// Takes this long.
    Work(u16),
    /// Says that the request is wrong.
    Refuse,
    /// Never ends.
    Hang,
}

/// What the agent is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number in the world.
    pub number: u64,
    /// What to do.
    pub acts: Vec<Act>,
    /// How many agents are above.
    pub depth: u32,
    /// The place of the step that asks for it, with a dot behind it; empty at the top.
    pub path: String,
}

/// One task of a world.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is asked.
    pub order: Order,
    /// How.
    pub options: TaskOptions,
    /// When it is taken back, in milliseconds behind its acceptance.
    pub cancelled_after_ms: Option<u64>,
}

/// The task with a number.
pub fn plan(draws: Draws, number: u64) -> Plan {
    let act = |at: u64| match draws.below(100, "act", number * 100 + at) {
        0..45 => Act::Call,
        45..55 => Act::TryCall,
        55..65 => Act::Ask(vec![Act::Call, Act::Stumble]),
        65..75 => Act::Effect,
        75..85 => Act::Stumble,
        85..98 => Act::Work(u16::try_from(draws.below(3_000, "work", number * 100 + at)).unwrap_or(1)),
        98..99 => Act::Refuse,
        _ => Act::Hang,
    };
    let acts = (0..=draws.below(4, "acts", number)).map(act).collect();
    let is_limited = draws.happens(150, "attempts are limited", number);
    let durability =
        if draws.happens(100, "in memory", number) { Durability::None } else { Durability::Full };
    let is_keyed = durability == Durability::Full && draws.happens(300, "keyed", number);
    let key = is_keyed.then(|| IdempotencyKey::try_from(format!("order-{number}")).ok()).flatten();
    let tenant = format!("tenant-{}", draws.below(4, "tenant", number));
    let priority = usize::try_from(draws.below(3, "priority", number)).unwrap_or_default();
    Plan {
        order: Order { number, acts, depth: 0, path: String::new() },
        options: TaskOptions {
            tenant: TenantId::try_from(tenant).unwrap_or_default(),
            timeout_ms: Some(20_000 + draws.below(100_000, "timeout", number)),
            priority: Priority::ALL.get(priority).copied().unwrap_or_default(),
            durability,
            attempt_timeout_ms: is_limited.then(|| 1_000 + draws.below(10_000, "attempt timeout", number)),
            attempts_max: Some(1 + u32::try_from(draws.below(5, "attempts", number)).unwrap_or(0)),
            idempotency_key: key,
            ..TaskOptions::default()
        },
        cancelled_after_ms: draws
            .happens(50, "cancelled", number)
            .then(|| draws.below(5_000, "cancelled after", number)),
    }
}

/// What the agent answers: a function of the task's id and the order alone.
pub fn reply(task: &str, order: &Order, path: &str) -> Vec<String> {
    let tell = |(at, act): (usize, &Act)| match act {
        Act::Call => answer(&format!("{task} {path}{at}")),
        Act::Ask(acts) => {
            let below = Order { acts: acts.clone(), depth: order.depth + 1, ..order.clone() };
            reply(task, &below, &format!("{path}{at}.")).join("+")
        }
        Act::TryCall => "tried".to_owned(),
        Act::Effect => "done".to_owned(),
        Act::Stumble | Act::Work(_) | Act::Refuse | Act::Hang => String::new(),
    };
    order.acts.iter().enumerate().map(tell).collect()
}

/// What all lives of a world share of the agent.
#[derive(Debug, Default)]
pub struct Stage {
    /// How often an act was done, by task and place.
    done: Mutex<BTreeMap<String, u64>>,
    /// Agents of orders that are alive.
    pub live: AtomicUsize,
    /// The most that were alive at once.
    pub live_max: AtomicUsize,
}

impl Stage {
    fn times(&self, place: &str) -> u64 {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let times = done.entry(place.to_owned()).or_default();
        *times += 1;
        *times
    }
}

/// Alive as long as its agent.
struct Presence(Arc<Stage>);

impl Presence {
    fn enter(stage: &Arc<Stage>) -> Self {
        let live = stage.live.fetch_add(1, Ordering::SeqCst) + 1;
        stage.live_max.fetch_max(live, Ordering::SeqCst);
        Self(Arc::clone(stage))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Does what an order says.
#[derive(Debug)]
pub struct Player {
    /// From where stumbles are drawn.
    pub draws: Draws,
    /// What outlives it.
    pub stage: Arc<Stage>,
    /// What is written.
    pub disk: Arc<Disk>,
    /// Where is told what must not be.
    pub log: Log,
}

/// One act of an order, as it is done.
struct Scene<'a> {
    order: &'a Order,
    act: &'a Act,
    at: usize,
    task: TaskId,
    /// The same in every attempt.
    place: String,
    /// The place of its step, for an act that is one.
    path: Option<String>,
}

impl Agent for Player {
    const KIND: &'static str = "player";
    type Request = Order;
    type Reply = Vec<String>;

    async fn run(&self, ctx: &mut AgentContext, order: Order) -> Result<Vec<String>, AgentError> {
        let _presence = (order.depth == 0).then(|| Presence::enter(&self.stage));
        let task = ctx.task_id();
        let mut told = Vec::new();
        let mut steps_len = 0;
        for (at, act) in order.acts.iter().enumerate() {
            let path = act.is_step().then(|| {
                steps_len += 1;
                format!("{}{steps_len}", order.path)
            });
            let place = format!("{task} {}{at}", "0.".repeat(order.depth as usize));
            self.draws.dawdle("act", place_of(&place) ^ u64::from(ctx.attempt())).await;
            let scene = Scene { order: &order, act, at, task, place, path };
            told.push(self.act(ctx, &scene).await?);
            self.check_written(&scene);
        }
        Ok(told)
    }
}

impl Act {
    const fn is_step(&self) -> bool {
        matches!(self, Self::Call | Self::TryCall | Self::Ask(_) | Self::Effect)
    }
}

impl Player {
    async fn act(&self, ctx: &mut AgentContext, scene: &Scene<'_>) -> Result<String, AgentError> {
        let Scene { order, at, task, .. } = scene;
        match scene.act {
            Act::Call => self.call(ctx, format!("{task} {}", place_in(order, *at))).await,
            Act::TryCall => {
                let asked = self.call(ctx, format!("{task} {}", place_in(order, *at))).await;
                match asked {
                    Err(error)
                        if matches!(error.class(), FailureClass::Cancelled | FailureClass::Deadline) =>
                    {
                        Err(error)
                    }
                    Ok(_) | Err(_) => Ok("tried".to_owned()),
                }
            }
            Act::Ask(acts) => {
                let path = format!("{}.", scene.path.as_deref().unwrap_or_default());
                let below = Order { number: *at as u64, acts: acts.clone(), depth: order.depth + 1, path };
                Ok(ctx.ask::<Self>(below).await?.join("+"))
            }
            Act::Effect => ctx.step("effect", self.effect(scene)).await,
            Act::Stumble => {
                let times = self.stage.times(&scene.place);
                assert!(!self.draws.happens(250, &scene.place, times), "stumbled for the {times}th time");
                Ok(String::new())
            }
            Act::Work(ms) => {
                tokio::time::sleep(Duration::from_millis(u64::from(*ms))).await;
                Ok(String::new())
            }
            Act::Refuse => Err(Failure::invalid("make sense of the order").into()),
            Act::Hang => std::future::pending().await,
        }
    }

    /// Must not be done again once it is written down that it was done.
    async fn effect(&self, scene: &Scene<'_>) -> Result<String, AgentError> {
        let path = scene.path.as_deref().unwrap_or_default();
        if self.disk.is_answered(scene.task, path) {
            self.log.violate(format!("done again, though it is recorded: {} {path}", scene.task));
        }
        self.draws.dawdle("effect", place_of(&scene.place)).await;
        Ok("done".to_owned())
    }

    /// A step is written down before anything follows it, unless the task is in memory alone.
    fn check_written(&self, scene: &Scene<'_>) {
        let Some(path) = &scene.path else { return };
        if self.disk.has_task(scene.task) && !self.disk.has_step(scene.task, path) {
            self.log.violate(format!("went on behind a step that is not written: {} {path}", scene.task));
        }
    }

    async fn call(&self, ctx: &mut AgentContext, question: String) -> Result<String, AgentError> {
        Ok(ctx.complete(CompletionRequest::new(vec![ChatMessage::user(question)])).await?.text)
    }
}

/// The place of an act as it stands in a question: agents are asked from the first depth only.
fn place_in(order: &Order, at: usize) -> String {
    if order.depth == 0 { at.to_string() } else { format!("{}.{at}", order.number) }
}
