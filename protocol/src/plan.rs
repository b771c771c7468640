//! What an orchestrator runs: tasks in an order, with a width and a rule for failures.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The most tasks that one plan has.
pub const PLAN_TASKS_MAX: usize = 1_000_000;

/// The most parts of one node that run at once: as many as agents that a runtime keeps alive by default, a
/// hundred times over. More is a mistake of units.
pub const WIDTH_MAX: usize = 100_000;

/// How deep a plan is nested at most. Deeper ones are made by programs in a loop.
pub const PLAN_DEPTH_MAX: usize = 16;

/// The shape of a plan. Its tasks are numbered from 0 in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanShape {
    /// One task: the next one in order.
    Task,
    /// One part after the other. The first failure ends it: the parts behind it are not begun.
    Sequence(Vec<PlanShape>),
    /// Parts side by side. A fast one goes on with its own next task while a slow one runs.
    Parallel {
        /// The parts.
        branches: Vec<PlanShape>,
        /// How many run at once at most.
        width: usize,
        /// What failures mean.
        policy: Policy,
    },
    /// Tasks side by side: a `Parallel` of as many `Task`s, in short.
    Items {
        /// How many.
        count: usize,
        /// How many run at once at most.
        width: usize,
        /// What failures mean.
        policy: Policy,
    },
}

/// What failures of parts that run side by side mean for the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing: every part runs to its end.
    #[default]
    Collect,
    /// Every part must answer. The first failure cancels the others and is the failure of the whole.
    All,
    /// So many parts must answer. Then the others are cancelled, as they are when that cannot be reached any more.
    FirstN(usize),
    /// So many parts must answer, and all run to their end. When that cannot be reached any more, the others are
    /// cancelled.
    Quorum(usize),
}

impl PlanShape {
    /// How many tasks it has.
    pub fn tasks_len(&self) -> usize {
        match self {
            Self::Task => 1,
            Self::Items { count, .. } => *count,
            Self::Sequence(parts) | Self::Parallel { branches: parts, .. } => {
                parts.iter().map(Self::tasks_len).fold(0, usize::saturating_add)
            }
        }
    }

    /// Checks a shape for a plan of `tasks_len` tasks.
    ///
    /// # Errors
    /// Class `InvalidInput` that names the part and its field, as in `plan.branches[2].width`.
    pub fn check(&self, tasks_len: usize) -> Result<(), Failure> {
        self.check_at("plan", 0)?;
        let expected = self.tasks_len();
        if expected > PLAN_TASKS_MAX {
            return Err(Failure::invalid(format!("run a plan: it has {expected} tasks"))
                .with_hint(format!("At most {PLAN_TASKS_MAX} are possible: make several plans of it.")));
        }
        if expected != tasks_len {
            return Err(Failure::invalid(format!(
                "run a plan: its shape has {expected} tasks and {tasks_len} requests are given"
            )));
        }
        Ok(())
    }

    fn check_at(&self, place: &str, depth: usize) -> Result<(), Failure> {
        if depth > PLAN_DEPTH_MAX {
            return Err(Failure::invalid(format!(
                "run a plan: it is nested more than {PLAN_DEPTH_MAX} deep"
            )));
        }
        match self {
            Self::Task => Ok(()),
            Self::Items { count, width, policy } => check_parallel(place, *count, *width, *policy),
            Self::Sequence(parts) => {
                if parts.is_empty() {
                    return Err(empty(place));
                }
                let at = |index| format!("{place}.sequence[{index}]");
                (0..).zip(parts).try_for_each(|(index, part)| part.check_at(&at(index), depth + 1))
            }
            Self::Parallel { branches, width, policy } => {
                check_parallel(place, branches.len(), *width, *policy)?;
                let at = |index| format!("{place}.branches[{index}]");
                (0..).zip(branches).try_for_each(|(index, part)| part.check_at(&at(index), depth + 1))
            }
        }
    }
}

fn empty(place: &str) -> Failure {
    Failure::invalid(format!("run a plan: {place} has no items")).with_hint("Give it at least one item.")
}

fn check_parallel(place: &str, parts_len: usize, width: usize, policy: Policy) -> Result<(), Failure> {
    if parts_len == 0 {
        return Err(empty(place));
    }
    if !(1..=WIDTH_MAX).contains(&width) {
        return Err(Failure::invalid(format!("run a plan: {place}.width is {width}"))
            .with_hint(format!("Use a width from 1 to {WIDTH_MAX}.")));
    }
    match policy {
        Policy::FirstN(n) | Policy::Quorum(n) if n == 0 || n > parts_len => {
            Err(Failure::invalid(format!("run a plan: {place}.policy asks for {n} answers of {parts_len}"))
                .with_hint(format!("Use 1 to {parts_len}.")))
        }
        Policy::Collect | Policy::All | Policy::FirstN(_) | Policy::Quorum(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize, width: usize, policy: Policy) -> PlanShape {
        PlanShape::Items { count, width, policy }
    }

    #[test]
    fn wrong_plans_are_refused_with_the_place_of_the_fault() {
        let nested = |inner: PlanShape| PlanShape::Parallel {
            branches: vec![PlanShape::Task, PlanShape::Sequence(vec![PlanShape::Task, inner])],
            width: 1,
            policy: Policy::All,
        };
        let deep = (0..20).fold(PlanShape::Task, |inner, _| PlanShape::Sequence(vec![inner]));
        for (shape, expected) in [
            (items(0, 1, Policy::All), "run a plan: plan has no items"),
            (items(1, 0, Policy::All), "run a plan: plan.width is 0"),
            (items(3, 1, Policy::Quorum(4)), "run a plan: plan.policy asks for 4 answers of 3"),
            (items(3, 1, Policy::FirstN(0)), "run a plan: plan.policy asks for 0 answers of 3"),
            (
                nested(items(2, 100_001, Policy::All)),
                "run a plan: plan.branches[1].sequence[1].width is 100001",
            ),
            (nested(PlanShape::Sequence(vec![])), "run a plan: plan.branches[1].sequence[1] has no items"),
            (deep, "run a plan: it is nested more than 16 deep"),
            (items(1_000_001, 1, Policy::All), "run a plan: it has 1000001 tasks"),
        ] {
            assert_eq!(shape.check(shape.tasks_len()).unwrap_err().message, expected);
        }
        let fine = nested(items(2, 2, Policy::FirstN(1)));
        assert_eq!((fine.tasks_len(), fine.check(4)), (4, Ok(())));
        assert_eq!(
            fine.check(3).unwrap_err().message,
            "run a plan: its shape has 4 tasks and 3 requests are given"
        );
    }
}
