//! What is said when a budget is spent.

use std::fmt;
use std::time::Duration;

use playhouse_protocol::usage::BudgetLimit;
use playhouse_protocol::{Failure, FailureClass, TenantId};

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetScope {
    /// A task's.
    Task,
    /// That of all tenants together in a day.
    Day,
    /// A tenant's in a day.
    Tenant(TenantId),
}

impl BudgetScope {
    /// The name used in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Day => "day",
            Self::Tenant(_) => "tenant",
        }
    }
}

impl fmt::Display for BudgetScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task => f.write_str("the task's budget"),
            Self::Day => f.write_str("the day's budget"),
            Self::Tenant(tenant) => write!(f, "the day's budget of tenant {tenant}"),
        }
    }
}

/// A model call would have exceeded a budget; it was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "stay within {scope}: {} would be exceeded ({used} used, {planned} planned, {limit} allowed)",
    limit_name(*.which)
)]
pub struct BudgetExceeded {
    /// Whose budget.
    pub scope: BudgetScope,
    /// Which of its limits.
    pub which: BudgetLimit,
    /// What was used or set aside before, in the limit's unit.
    pub used: u64,
    /// What the call was planned with.
    pub planned: u64,
    /// What is allowed.
    pub limit: u64,
    /// When the budget is whole again, from here; `None` for a task's, which never is.
    pub ends_in: Option<Duration>,
}

impl BudgetExceeded {
    /// What is left, in the limit's unit.
    pub const fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match &self.scope {
            BudgetScope::Task => {
                "Allow more with the task's budget, or ask for less: a shorter input, fewer rounds."
                    .to_owned()
            }
            BudgetScope::Day => {
                "Wait until midnight UTC, or raise `budgets.day` in playhouse.yaml.".to_owned()
            }
            BudgetScope::Tenant(tenant) => format!(
                "Wait until midnight UTC, or raise `budgets.tenants.{tenant}` (or `budgets.tenant_day`) in \
                 playhouse.yaml."
            ),
        }
    }
}

/// Whether a failure is that a task's own budget did not allow a call: what becomes of a [`BudgetExceeded`] on its way to whoever
/// asked.
pub fn is_task_budget_exceeded(failure: &Failure) -> bool {
    let begin = format!("stay within {}: ", BudgetScope::Task);
    failure.class == FailureClass::Denied && failure.message.starts_with(&begin)
}

const fn limit_name(which: BudgetLimit) -> &'static str {
    match which {
        BudgetLimit::ModelCalls => "the number of model calls",
        BudgetLimit::Tokens => "the number of tokens",
        BudgetLimit::Cost => "the cost in billionths of a US dollar",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_task_budget_is_told_from_other_denials() {
        let exceeded = |scope| {
            let exceeded = BudgetExceeded {
                scope,
                which: BudgetLimit::Tokens,
                used: 1,
                planned: 2,
                limit: 2,
                ends_in: None,
            };
            Failure::new(FailureClass::Denied, exceeded.to_string())
        };
        assert!(is_task_budget_exceeded(&exceeded(BudgetScope::Task)));
        assert!(!is_task_budget_exceeded(&exceeded(BudgetScope::Day)));
        assert!(!is_task_budget_exceeded(&Failure::new(FailureClass::Denied, "use a key")));
    }
}
