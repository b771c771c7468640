//! How an entry is doing.

use std::sync::Arc;
use std::time::Duration;

use playhouse_config::settings::ModelConfig;

use crate::layers::{Breaker, Concurrency, Pace};
use crate::observer::BreakerState;
use crate::stats::{ModelStats, StatsSnapshot};

/// How a model is doing at one moment. What an entry does not have (a model in this process has no breaker) is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelHealth {
    /// Whether its calls pass.
    pub breaker: Option<BreakerState>,
    /// How many of its calls may run at once, and how many run.
    pub concurrency: Option<ConcurrencyHealth>,
    /// How long a small call that came now would wait for its turn; zero where it would not.
    pub pacing_wait: Option<Duration>,
    /// What its last attempts come to.
    pub stats: StatsSnapshot,
}

/// How many calls of a model run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyHealth {
    /// So many may, as of now.
    pub limit: u32,
    /// So many do.
    pub in_use: u32,
}

/// What the layers of one entry share with whoever looks at it. They are there before the entry's client is, and stay
/// when it is built anew.
#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) stats: Arc<ModelStats>,
    pub(super) breaker: Option<Arc<Breaker>>,
    pub(super) concurrency: Option<Arc<Concurrency>>,
    pub(super) pace: Option<Arc<Pace>>,
}

impl Instruments {
    pub(super) fn new(config: &ModelConfig) -> Self {
        let http = config.provider.http();
        Self {
            stats: Arc::default(),
            breaker: http.and_then(|http| http.breaker).map(|breaker| Arc::new(Breaker::new(breaker))),
            concurrency: http.map(|http| Concurrency::new(http.concurrency)),
            pace: http.map(|http| Pace::new(http.pacing)),
        }
    }

    pub(super) fn health(&self) -> ModelHealth {
        let concurrency = |concurrency: &Arc<Concurrency>| ConcurrencyHealth {
            limit: concurrency.limit(),
            in_use: concurrency.in_use(),
        };
        ModelHealth {
            breaker: self.breaker.as_ref().map(|breaker| breaker.state()),
            concurrency: self.concurrency.as_ref().map(concurrency),
            pacing_wait: self.pace.as_ref().map(|pace| pace.expected_wait()),
            stats: self.stats.snapshot(),
        }
    }
}
