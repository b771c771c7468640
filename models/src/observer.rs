//! What happens around calls, for whoever counts and shows it.

use std::fmt;
use std::time::Duration;

use playhouse_protocol::FailureClass;

/// Is told what happens around calls. Must not block: it is called where the calls run.
pub trait CallObserver: Send + Sync + fmt::Debug {
    /// Something happened around a call of the catalog entry `model`.
    fn observe(&self, model: &str, event: &CallEvent);
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl CallObserver for NoObserver {
    fn observe(&self, _: &str, _: &CallEvent) {}
}

/// What happened around a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// A request was sent and came to its end.
    AttemptEnded {
        /// From the request to the end of the answer.
        elapsed: Duration,
        /// The class of its failure; `None` for an answer.
        failure: Option<FailureClass>,
    },
    /// A call failed and is tried again.
    Retried {
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How long is waited.
        wait: Duration,
    },
    /// A call failed and is not tried again, since too many of all calls are retries.
    RetryBudgetSpent,
    /// The same failure came too often in a row: it is not tried again.
    RetryFutile,
    /// A streamed answer broke half way and is begun anew.
    Restarted,
    /// The circuit breaker changed.
    BreakerChanged {
        /// What it is now.
        state: BreakerState,
    },
    /// The circuit breaker refused a call.
    BreakerRefused,
    /// A call waited for its turn.
    Waited {
        /// What for.
        what: WaitedFor,
        /// How long.
        wait: Duration,
    },
    /// The number of calls that may run at once changed.
    ConcurrencyChanged {
        /// What it is now.
        limit: u32,
    },
    /// A second call was sent, since the first took long.
    Hedged,
    /// The second call answered first.
    HedgeWon,
    /// The provider counted a prompt's tokens, and so did we.
    TokensCompared {
        /// Our count.
        counted: u64,
        /// The provider's.
        reported: u64,
    },
    /// Another model is asked, since this one failed.
    FellBack {
        /// The catalog entry that is asked next.
        to: String,
    },
    /// The answer was taken from the cache.
    CacheHit {
        /// Which cache.
        store: CacheStore,
    },
    /// The answer was in no cache.
    CacheMiss,
    /// A cache was down or slow, and was passed by.
    CacheBypassed {
        /// Which cache.
        store: CacheStore,
    },
    /// The model has become worse and is passed over when models are chosen.
    Demoted {
        /// Why, as a sentence.
        reason: String,
    },
    /// The model is considered again.
    Restored,
    /// The model's calls or answers are no longer as they were at first.
    Drifted {
        /// What has changed.
        what: DriftKind,
        /// The type of task, for quality.
        task_type: Option<String>,
        /// What it was and what it is, as a sentence without its full stop.
        reason: String,
    },
    /// They are as they were at first again.
    DriftEnded {
        /// What had changed.
        what: DriftKind,
        /// The type of task, for quality.
        task_type: Option<String>,
    },
    /// The model, an arm of the split of a type of task, stands so in its test.
    ArmJudged {
        /// The type of task.
        task_type: String,
        /// How it stands.
        standing: ArmStanding,
    },
    /// The model, an arm of the split of a type of task, takes no more of its tasks.
    ArmStopped {
        /// The type of task.
        task_type: String,
        /// Why, as a sentence without its full stop.
        reason: String,
    },
    /// The model takes its share again.
    ArmResumed {
        /// The type of task.
        task_type: String,
    },
}

/// How an arm of a split stands against the arm that it is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ArmStanding {
    /// Outcomes so far.
    pub outcomes: u64,
    /// Their mean, 0.0 to 1.0; `None` before the first.
    pub mean: Option<f64>,
    /// The evidence for a difference, in whichever direction there is more; `None` for the baseline.
    pub e_value: Option<f64>,
}

/// What of a model may drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// More calls fail.
    Errors,
    /// More calls take long.
    Latency,
    /// More calls are dear.
    Cost,
    /// More answers are bad.
    Quality,
}

impl DriftKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Errors, Self::Latency, Self::Cost, Self::Quality];

    /// The name used in metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Cost => "cost",
            Self::Quality => "quality",
        }
    }
}

/// What a circuit breaker is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass.
    #[default]
    Closed,
    /// Calls are refused.
    Open,
    /// A few calls pass, to find out whether it is over.
    HalfOpen,
}

impl BreakerState {
    /// The name used in metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What a call waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitedFor {
    /// Another call to end.
    Concurrency,
    /// The pace of requests and tokens.
    Pacing,
}

impl WaitedFor {
    /// The name used in metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Pacing => "pacing",
        }
    }
}

/// Where answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStore {
    /// In this process.
    Memory,
    /// In Redis.
    Redis,
}

impl CacheStore {
    /// The name used in metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
        }
    }
}
