//! What models are chosen by.

use std::time::Duration;

use playhouse_config::settings::PriceConfig;
use playhouse_protocol::{TaskId, Usage};

use super::Demotion;
use crate::price::cost_nano_usd;

/// The call that prices are compared by: 1,000 tokens of prompt and 1,000 of answer.
const COMPARED_TOKENS: u64 = 1_000;

/// What the settings say of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// Tokens of prompt and answer together; `None` when only its file tells.
    pub context_tokens: Option<u32>,
    /// What it costs. Zero counts as free, also where it is only not configured.
    pub price: PriceConfig,
    /// Who stands in for it, in order.
    pub fallbacks: Vec<String>,
}

impl ModelFacts {
    /// What a call with 1,000 tokens of prompt and 1,000 of answer costs, in billionths of a US dollar.
    pub fn compared_nano_usd(&self) -> u64 {
        let usage =
            Usage { prompt_tokens: COMPARED_TOKENS, completion_tokens: COMPARED_TOKENS, ..Usage::default() };
        cost_nano_usd(self.price, &usage)
    }
}

/// What has been measured of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Attempts that came to their end.
    pub calls: u64,
    /// The share of failures among the last of them, 0.0 to 1.0.
    pub error_ratio: Option<f64>,
    /// Half of the last answers took at most this long.
    pub p50: Option<Duration>,
    /// 95 % of the last answers took at most this long.
    pub p95: Option<Duration>,
    /// 99 % of the last answers took at most this long.
    pub p99: Option<Duration>,
    /// How good its answers are, 0.0 to 1.0: as judged, or as configured until enough were.
    pub quality: Option<f64>,
}

/// Where measured facts come from. Asked anew at each choice.
pub trait Measurements {
    /// What has been measured of a model, its quality for this type of task.
    fn measured(&self, model: &str, task_type: &str) -> Measured;

    /// Why it is to be passed over, where it is.
    fn demotion(&self, model: &str) -> Option<Demotion>;

    /// Why an arm of a split takes no tasks of this type, or not this one; `None` where it does. An arm goes by its name in the
    /// settings.
    fn stopped(&self, task_type: &str, arm: &str, task: Option<TaskId>) -> Option<String> {
        let _ = (task_type, arm, task);
        None
    }
}
