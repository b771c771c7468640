//! Plans among the orders: fan-outs with every policy, sequences, maps.

use futures::FutureExt as _;
use playhouse_runtime::Agent as _;
use playhouse_runtime::protocol::plan::Policy;
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{Failure, IdempotencyKey, TaskId, envelope};
use playhouse_runtime::store::{TaskFilter, TaskStore as _};
use playhouse_runtime::{PlanHandle, PlanPart, PlanResult};

use super::clerk::{Clerk, is_interruption};
use super::disk::told;
use super::draws::Draws;
use super::orders::{Order, Player, plan, reply};

/// The number of the first plan: orders are below.
pub(super) const PLANS_FROM: u64 = 1_000_000;

/// Tasks of a plan at most.
const ITEMS_MAX: u64 = 6;

/// A plan of a world.
struct Project {
    /// The orders of its tasks.
    orders: Vec<Order>,
    policy: Policy,
    width: usize,
    /// Whether its tasks go in pairs, one behind the other.
    in_pairs: bool,
    /// Whether it is asked for as a map, which ends with whoever asks.
    is_map: bool,
    options: TaskOptions,
}

fn project(draws: Draws, number: u64) -> Project {
    let items = 2 + draws.below(ITEMS_MAX - 1, "items", number);
    let order = |item| plan(draws, PLANS_FROM + number * 10 + item).order;
    let is_map = draws.happens(300, "map", number);
    let in_pairs = !is_map && draws.happens(400, "in pairs", number);
    let branches = if in_pairs { items.div_ceil(2) } else { items };
    let policy = match draws.below(4, "policy", number) {
        0 => Policy::Collect,
        1 => Policy::All,
        2 => Policy::FirstN(1),
        _ => Policy::Quorum(usize::try_from(branches.min(2)).unwrap_or(1)),
    };
    let is_keyed = !is_map && draws.happens(500, "plan is keyed", number);
    Project {
        orders: (0..items).map(order).collect(),
        policy,
        width: 1 + usize::try_from(draws.below(4, "width", number)).unwrap_or_default(),
        in_pairs,
        is_map,
        options: TaskOptions {
            timeout_ms: Some(20_000 + draws.below(100_000, "plan timeout", number)),
            attempts_max: Some(3),
            idempotency_key: is_keyed
                .then(|| IdempotencyKey::try_from(format!("plan-{number}")).ok())
                .flatten(),
            ..TaskOptions::default()
        },
    }
}

impl Project {
    fn part(&self) -> Result<PlanPart, Failure> {
        let tasks: Vec<_> = self.orders.iter().map(PlanPart::task::<Player>).collect::<Result<_, _>>()?;
        let branches = if self.in_pairs {
            tasks.chunks(2).map(|pair| PlanPart::sequence(pair.to_vec())).collect()
        } else {
            tasks
        };
        Ok(PlanPart::parallel(branches, self.width, self.policy))
    }

    /// Whether the policy holds, by which branches were answered.
    fn holds(&self, is_answered: &[bool]) -> bool {
        let len = if self.in_pairs { 2 } else { 1 };
        let branches: Vec<_> =
            is_answered.chunks(len).map(|branch| branch.iter().all(|answered| *answered)).collect();
        let answered = branches.iter().filter(|answered| **answered).count();
        match self.policy {
            Policy::Collect => true,
            Policy::All => answered == branches.len(),
            Policy::FirstN(wanted) | Policy::Quorum(wanted) => answered >= wanted,
        }
    }
}

impl Clerk {
    /// Sees a plan to its end.
    pub(super) async fn manage(self, number: u64) {
        self.begin(number).await;
        let project = project(self.draws, number - PLANS_FROM);
        if project.is_map {
            return self.map(number, &project).await;
        }
        let known = self.books.known().acknowledged.get(&number).copied();
        let handle = match known {
            Some(id) => self.insist(number, Some(id), || self.runtime.attach_plan(id)).await,
            None => {
                let Ok(part) = project.part() else { return self.violate(number, "cannot be written down") };
                let submit = || self.runtime.submit_plan(part.clone(), project.options.clone());
                self.insist(number, None, submit).await
            }
        };
        let Some(handle) = handle else { return };
        if known.is_none() {
            self.acknowledge(number, handle.id());
        }
        self.tell(number, &format!("is plan {}", handle.id()));
        self.wait_for_plan(number, &project, &handle).await;
    }

    async fn wait_for_plan(&self, number: u64, project: &Project, handle: &PlanHandle) {
        let id = handle.id();
        let result = handle.result().await;
        if result.as_ref().is_err_and(is_interruption) {
            return self.tell(number, "interrupted");
        }
        let text = told(result.as_ref().ok().map(|_| "a plan".to_owned()), result.as_ref().err());
        self.tell(number, &format!("plan {}: {text}", handle.summary().status));
        self.check_told(number, id, &text);
        if let Ok(result) = result {
            self.check_plan(number, project, id, &result);
        }
        self.books.known().finished.insert(number);
    }

    /// There is an outcome for each task, in the order of writing, and the policy is what decides.
    fn check_plan(&self, number: u64, project: &Project, id: TaskId, result: &PlanResult) {
        if result.tasks_len() != project.orders.len() {
            return self.violate(number, &format!("{} outcomes", result.tasks_len()));
        }
        let outcomes: Vec<_> = (0..result.tasks_len()).map(|item| result.reply::<Player>(item)).collect();
        let is_answered: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
        if project.holds(&is_answered) != result.failure.is_none() {
            let failure = &result.failure;
            self.violate(number, &format!("{:?} of {is_answered:?} gave {failure:?}", project.policy));
        }
        for (order, outcome) in project.orders.iter().zip(outcomes) {
            let (Ok(answer), Some(part)) = (outcome, self.part_of(id, order)) else { continue };
            let expected = reply(&part.to_string(), order, "");
            if answer != expected {
                self.violate(number, &format!("answered {answer:?} and not {expected:?}"));
            }
        }
    }

    /// The task that answered an order of a plan; `None` once it was removed.
    fn part_of(&self, plan: TaskId, order: &Order) -> Option<TaskId> {
        let filter = TaskFilter { parent: Some(plan), ..TaskFilter::default() };
        let parts = self.disk.store.list(filter).now_or_never()?.ok()?;
        parts.into_iter().map(|part| part.id).find(|part| {
            let request = self.disk.store.request(*part).now_or_never().and_then(Result::ok).flatten();
            let asked = request
                .as_ref()
                .and_then(|request| request.as_single())
                .map(|bytes| envelope::decode_agent_value::<Order>(Player::VERSION, bytes));
            matches!(asked, Some(Ok(asked)) if asked == *order)
        })
    }

    async fn map(&self, number: u64, project: &Project) {
        let ask = || {
            let map = self.runtime.map::<Player>(project.orders.clone());
            map.width(project.width).policy(project.policy).options(project.options.clone()).run()
        };
        let outcomes = match ask().await {
            Ok(outcomes) => outcomes,
            Err(failure) => {
                self.tell(number, &format!("map: {}", failure.class));
                // Its policy did not hold, or the life ends: there is nobody who waits for it in the next one.
                if !self.runtime.is_shutting_down() {
                    self.books.known().finished.insert(number);
                }
                return;
            }
        };
        let told: Vec<_> =
            outcomes.iter().map(|outcome| outcome.as_ref().map_err(|failure| failure.class)).collect();
        self.tell(number, &format!("map: {} outcomes", told.len()));
        if told.len() != project.orders.len() {
            self.violate(number, &format!("{} outcomes of a map", told.len()));
        }
        for (order, answer) in project.orders.iter().zip(&told) {
            if answer.is_ok_and(|answer| answer.len() != order.acts.len()) {
                self.violate(number, &format!("answered {answer:?} to {order:?}"));
            }
        }
        self.books.known().finished.insert(number);
    }
}
