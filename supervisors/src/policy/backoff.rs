//! How long to wait before a restart: longer after each failure, and never in step with others.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What part of a delay is left to chance, so that children that failed together do not return together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Nothing: the delay is its ceiling. For tests, and for an only child.
    None,
    /// Anything between nothing and the ceiling.
    Full,
    /// Between half of the ceiling and the ceiling.
    Equal,
}

/// Exponential delays: `initial`, then `factor` times longer after each further failure, up to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Backoff {
    /// The ceiling of the first delay.
    pub initial: Duration,
    /// The ceiling of every delay.
    pub max: Duration,
    /// What the ceiling is multiplied with after each failure; 0 and 1 keep it at `initial`. A whole
    /// number, so that the delays are the same on every machine.
    pub factor: u32,
    /// What part is left to chance.
    pub jitter: Jitter,
    /// A child that ran for this long has recovered: its next failure counts as its first.
    pub healthy_after: Duration,
}

impl Default for Backoff {
    /// 100 ms, doubled up to 30 s, with equal jitter; healthy after a minute.
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
            factor: 2,
            jitter: Jitter::Equal,
            healthy_after: Duration::from_mins(1),
        }
    }
}

impl Backoff {
    /// The longest delay after `attempts` failures in a row that came before this one; never falls as
    /// `attempts` grows.
    pub fn ceiling(&self, attempts: u32) -> Duration {
        let mut ceiling = self.initial.min(self.max);
        if self.factor < 2 || ceiling.is_zero() {
            return ceiling;
        }
        // At least doubled in each round, so that `max` is reached after at most 94 of them.
        for _ in 0..attempts {
            if ceiling >= self.max {
                break;
            }
            ceiling = ceiling.saturating_mul(self.factor).min(self.max);
        }
        ceiling
    }

    /// The delay after `attempts` earlier failures in a row, drawn with `random`.
    ///
    /// It lies in `[ceiling, ceiling]`, `[0, ceiling]` or `[ceiling / 2, ceiling]`, by the kind of jitter.
    pub fn delay(&self, attempts: u32, random: u64) -> Duration {
        let ceiling = self.ceiling(attempts);
        match self.jitter {
            Jitter::None => ceiling,
            Jitter::Full => fraction(ceiling, random),
            Jitter::Equal => {
                let half = ceiling / 2;
                half + fraction(ceiling.saturating_sub(half), random)
            }
        }
    }
}

/// `whole × random ⁄ 2⁶⁴`, rounded down: never more than `whole`.
fn fraction(whole: Duration, random: u64) -> Duration {
    // The nanoseconds of a Duration take up to 94 bits, so the seconds are scaled apart from the rest.
    let scale = |value: u64| ((u128::from(value) * u128::from(random)) >> 64, (value.wrapping_mul(random)));
    let (seconds, remainder) = scale(whole.as_secs());
    let from_remainder = (u128::from(remainder) * 1_000_000_000) >> 64;
    let (nanos, _) = scale(u64::from(whole.subsec_nanos()));
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    let nanos = u64::try_from(from_remainder + nanos).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos)).min(whole)
}
