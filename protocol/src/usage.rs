//! What work costs, and how much of it is allowed.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What one or several model calls used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Model calls that were answered.
    pub model_calls: u64,
    /// Tokens of the prompts, those taken from a cache included.
    pub prompt_tokens: u64,
    /// Tokens of the prompts that the provider (or the embedded model) did not compute again.
    pub cached_prompt_tokens: u64,
    /// Tokens of the answers.
    pub completion_tokens: u64,
    /// Money in billionths of a US dollar; 0 where no price is configured.
    pub cost_nano_usd: u64,
}

impl Usage {
    /// Tokens of prompts and answers together.
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

impl Usage {
    /// What was used since `before`, an earlier state of the same count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            model_calls: self.model_calls.saturating_sub(before.model_calls),
            prompt_tokens: self.prompt_tokens.saturating_sub(before.prompt_tokens),
            cached_prompt_tokens: self.cached_prompt_tokens.saturating_sub(before.cached_prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_sub(before.completion_tokens),
            cost_nano_usd: self.cost_nano_usd.saturating_sub(before.cost_nano_usd),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.model_calls = self.model_calls.saturating_add(other.model_calls);
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.cached_prompt_tokens = self.cached_prompt_tokens.saturating_add(other.cached_prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.cost_nano_usd = self.cost_nano_usd.saturating_add(other.cost_nano_usd);
    }
}

/// What a task may use; `None` means without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Tokens of prompts and answers together.
    pub tokens_max: Option<u64>,
    /// Money in billionths of a US dollar.
    pub cost_nano_usd_max: Option<u64>,
    /// Model calls.
    pub model_calls_max: Option<u64>,
}

impl Budget {
    /// The first limit that `planned` would break when added to what was `used`, or `None` when it fits.
    pub fn exceeded_by(&self, used: &Usage, planned: &Usage) -> Option<BudgetLimit> {
        let mut sum = *used;
        sum += *planned;
        let over = |limit: Option<u64>, value: u64| limit.is_some_and(|limit| value > limit);
        if over(self.model_calls_max, sum.model_calls) {
            Some(BudgetLimit::ModelCalls)
        } else if over(self.tokens_max, sum.total_tokens()) {
            Some(BudgetLimit::Tokens)
        } else if over(self.cost_nano_usd_max, sum.cost_nano_usd) {
            Some(BudgetLimit::Cost)
        } else {
            None
        }
    }

    /// Tokens that are left for prompts and answers after `used`; `None` without a limit.
    pub fn tokens_left(&self, used: &Usage) -> Option<u64> {
        self.tokens_max.map(|limit| limit.saturating_sub(used.total_tokens()))
    }
}

/// Which limit of a [`Budget`] was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetLimit {
    /// The number of model calls.
    ModelCalls,
    /// The number of tokens.
    Tokens,
    /// The money.
    Cost,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(prompt_tokens: u64, completion_tokens: u64) -> Usage {
        Usage { model_calls: 1, prompt_tokens, completion_tokens, ..Usage::default() }
    }

    #[test]
    fn a_budget_is_exceeded_only_past_its_limit() {
        let budget = Budget { tokens_max: Some(10), ..Budget::default() };
        assert_eq!(budget.exceeded_by(&tokens(4, 1), &tokens(5, 0)), None);
        assert_eq!(budget.exceeded_by(&tokens(4, 1), &tokens(5, 1)), Some(BudgetLimit::Tokens));
        assert_eq!(budget.tokens_left(&tokens(4, 1)), Some(5));
    }

    #[test]
    fn a_budget_of_zero_calls_allows_none() {
        let budget = Budget { model_calls_max: Some(0), ..Budget::default() };
        assert_eq!(budget.exceeded_by(&Usage::default(), &tokens(0, 0)), Some(BudgetLimit::ModelCalls));
    }

    #[test]
    fn sums_saturate_instead_of_wrapping() {
        let mut sum = Usage { cost_nano_usd: u64::MAX, ..Usage::default() };
        sum += Usage { cost_nano_usd: 1, ..Usage::default() };
        assert_eq!(sum.cost_nano_usd, u64::MAX);
    }
}
