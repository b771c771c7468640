//! One thing that a model must fulfil, and whether it does.

use std::fmt;
use std::time::Duration;

use super::Demotion;
use super::words::{percent, seconds, thousands, usd};

/// One thing that a model must fulfil, with what it has. Its `Display` says both, as a fragment with the model as its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// It must hold prompt and answer.
    Context {
        /// What it holds; `None` when only its file tells, which counts as too little.
        holds: Option<u32>,
        /// What is needed.
        needed: u32,
    },
    /// It must be fast.
    Latency {
        /// The 95th percentile of its times; `None` before the first call, which passes: it would never be measured
        /// otherwise.
        p95: Option<Duration>,
        /// The most that is allowed.
        max: Duration,
    },
    /// It must be cheap.
    Cost {
        /// What a call with 1,000 tokens of prompt and 1,000 of answer costs, in billionths of a US dollar.
        nano_usd: u64,
        /// The most that is allowed.
        max_nano_usd: u64,
    },
    /// It must be good.
    Quality {
        /// Its quality; `None` when nothing is known, which counts as too little.
        quality: Option<f64>,
        /// The least that is wanted.
        min: f64,
    },
    /// It must not have been taken out of its split.
    Arm {
        /// Why it was, where it was.
        stopped: Option<String>,
    },
    /// It must not have become worse.
    Health {
        /// Why it is passed over, where it is.
        demotion: Option<Demotion>,
    },
}

impl Check {
    /// Whether the model fulfils it.
    pub fn passes(&self) -> bool {
        match self {
            Self::Context { holds, needed } => holds.is_some_and(|holds| holds >= *needed),
            Self::Latency { p95, max } => p95.is_none_or(|p95| p95 <= *max),
            Self::Cost { nano_usd, max_nano_usd } => nano_usd <= max_nano_usd,
            Self::Quality { quality, min } => quality.is_some_and(|quality| quality >= *min),
            Self::Arm { stopped } => stopped.is_none(),
            Self::Health { demotion } => demotion.is_none(),
        }
    }

    /// The key of the settings that asks for it.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Context { .. } => "context_tokens_min",
            Self::Latency { .. } => "latency_max_ms",
            Self::Cost { .. } => "cost_usd_max",
            Self::Quality { .. } => "quality_min",
            Self::Arm { .. } => "ab",
            Self::Health { .. } => "demotion",
        }
    }

    /// How far the model is from fulfilling it: 0.0 when it does, 1.0 when it lacks as much as it has.
    pub(super) fn shortfall(&self) -> f64 {
        let ratio = match self {
            _ if self.passes() => 1.0,
            Self::Context { holds, needed } => f64::from(*needed) / f64::from(holds.unwrap_or(1).max(1)),
            Self::Latency { p95, max } => {
                p95.unwrap_or_default().as_secs_f64() / max.as_secs_f64().max(f64::MIN_POSITIVE)
            }
            Self::Cost { nano_usd, max_nano_usd } => *nano_usd as f64 / (*max_nano_usd).max(1) as f64,
            Self::Quality { quality, min } => {
                min / quality.unwrap_or(f64::MIN_POSITIVE).max(f64::MIN_POSITIVE)
            }
            Self::Arm { .. } | Self::Health { .. } => 1.0,
        };
        ratio - 1.0
    }

    /// What would make the model fulfil it, as a part of a sentence that begins with a verb. `None` when only time can.
    pub(super) fn remedy(&self, model: &str) -> Option<String> {
        let key = self.key();
        Some(match self {
            Self::Context { holds: Some(holds), .. } => format!("lower {key} to {holds}"),
            Self::Context { holds: None, .. } => format!("set `context_tokens` of model {model}"),
            Self::Latency { p95, .. } => {
                let ms = p95.unwrap_or_default().as_nanos().div_ceil(1_000_000);
                format!("raise {key} to {ms}")
            }
            Self::Cost { nano_usd, .. } => format!("raise {key} to {}", *nano_usd as f64 / 1e9),
            Self::Quality { quality: Some(quality), .. } => {
                format!("lower {key} to {}", (quality * 100.0).floor() / 100.0)
            }
            Self::Quality { quality: None, .. } => format!("set `quality` of model {model}"),
            Self::Arm { .. } | Self::Health { .. } => return None,
        })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context { holds: Some(holds), needed } => {
                write!(f, "holds {} tokens, {} are needed", thousands(*holds), thousands(*needed))
            }
            Self::Context { holds: None, needed } => {
                write!(f, "only its file tells what it holds, {} tokens are needed", thousands(*needed))
            }
            Self::Latency { p95: Some(p95), max } => {
                write!(f, "takes {} (p95), {} is allowed", seconds(*p95), seconds(*max))
            }
            Self::Latency { p95: None, max } => {
                write!(f, "has not been measured, {} is allowed", seconds(*max))
            }
            Self::Cost { nano_usd, max_nano_usd } => {
                write!(f, "costs {}, {} is allowed", usd(*nano_usd), usd(*max_nano_usd))
            }
            Self::Quality { quality: Some(quality), min } => {
                write!(f, "has a quality of {quality:.2}, {min:.2} is wanted")
            }
            Self::Quality { quality: None, min } => {
                write!(f, "has no known quality, {min:.2} is wanted")
            }
            Self::Arm { stopped: Some(reason) } => write!(f, "is stopped: {reason}"),
            Self::Arm { stopped: None } => write!(f, "is not stopped"),
            Self::Health { demotion: Some(demotion) } => write!(f, "is demoted: {}", demotion.reason),
            Self::Health { demotion: None } => write!(f, "is not demoted"),
        }
    }
}

impl fmt::Display for super::DemotionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing { error_ratio, error_ratio_max, calls } => write!(
                f,
                "{} of its last {calls} calls failed, more than {}",
                percent(*error_ratio),
                percent(*error_ratio_max)
            ),
            Self::Slow { recent, usual, calls } => write!(
                f,
                "its last {calls} calls took {} (median), {:.1} times its usual {}",
                seconds(*recent),
                recent.as_secs_f64() / usual.as_secs_f64().max(f64::MIN_POSITIVE),
                seconds(*usual)
            ),
        }
    }
}
