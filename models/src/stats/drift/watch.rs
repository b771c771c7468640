//! One thing about a model's calls: what it was at first, and whether it still is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::detector::{Detector, share_at_most};

/// What a new call counts in running means: they follow a change within a hundred calls or so.
const RECENT_WEIGHT: f64 = 1.0 / 64.0;

/// Calls behind an alarm before it can end: so many that the running mean has forgotten what was before it.
const DRIFTING_CALLS_MIN: u64 = 256;

/// The share of first calls that count as bad, at least, where they can be told apart.
const BAD_SHARE: f64 = 0.1;

/// The share of first calls that count as bad, at most: of what nearly all were there cannot be more.
const BAD_SHARE_MAX: f64 = 0.5;

/// One thing about a model's calls. Takes no more room than the buckets that its first calls were in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Watch {
    calls: u64,
    /// The running mean of its values.
    rolling: f64,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// The first calls are noted.
    Learning {
        /// So many.
        calls_needed: u64,
        /// The calls in each bucket.
        buckets: BTreeMap<u16, u64>,
        /// The lowest bucket of a bad call where that is known beforehand.
        bad_from: Option<u16>,
    },
    /// The others are held against them.
    Watching(Watching),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Watching {
    /// The lowest bucket of a bad call.
    bad_from: u16,
    /// The share of bad ones among the first calls.
    usual: f64,
    /// The share that it may really be.
    usual_at_most: f64,
    /// The running mean of the share of bad ones.
    recent: f64,
    detector: Detector,
    /// Calls since the alarm, where there was one.
    drifting: Option<u64>,
}

/// What has changed with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is no longer what it was.
    Drifted,
    /// It is again.
    Ended,
}

impl Watch {
    /// For what is bad beyond a bucket that the first calls tell.
    pub(super) fn learning(calls_needed: u64) -> Self {
        let stage = Stage::Learning { calls_needed, buckets: BTreeMap::new(), bad_from: None };
        Self { calls: 0, rolling: 0.0, stage }
    }

    /// For what is bad from bucket 1.
    pub(super) fn counting(calls_needed: u64) -> Self {
        let stage = Stage::Learning { calls_needed, buckets: BTreeMap::new(), bad_from: Some(1) };
        Self { calls: 0, rolling: 0.0, stage }
    }

    /// Sees a call in this bucket, with this value for the running mean.
    pub(super) fn see(&mut self, bucket: u16, value: f64) -> Option<Change> {
        self.calls = self.calls.saturating_add(1);
        self.rolling += (value - self.rolling) * RECENT_WEIGHT.max(1.0 / self.calls as f64);
        match &mut self.stage {
            Stage::Watching(watching) => watching.see(bucket),
            Stage::Learning { calls_needed, buckets, bad_from } => {
                *buckets.entry(bucket).or_default() += 1;
                if self.calls >= *calls_needed {
                    self.stage = Stage::Watching(Watching::learned(buckets, *bad_from));
                }
                None
            }
        }
    }

    pub(super) const fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) const fn rolling(&self) -> f64 {
        self.rolling
    }

    pub(super) const fn usual(&self) -> Option<f64> {
        match &self.stage {
            Stage::Watching(watching) => Some(watching.usual),
            Stage::Learning { .. } => None,
        }
    }

    pub(super) const fn recent(&self) -> Option<f64> {
        match &self.stage {
            Stage::Watching(watching) => Some(watching.recent),
            Stage::Learning { .. } => None,
        }
    }

    pub(super) const fn is_drifting(&self) -> bool {
        matches!(&self.stage, Stage::Watching(Watching { drifting: Some(_), .. }))
    }

    /// Whether this can be: what was read from a file may be anything.
    pub(super) fn is_sound(&self, calls_max: u64) -> bool {
        let stage = match &self.stage {
            Stage::Learning { calls_needed, buckets, .. } => {
                *calls_needed <= calls_max
                    && buckets.len() as u64 <= calls_max
                    && buckets.values().all(|calls| *calls <= calls_max)
            }
            Stage::Watching(watching) => {
                let shares = [watching.usual, watching.usual_at_most, watching.recent];
                watching.detector.is_sound() && shares.iter().all(|share| (0.0..=1.0).contains(share))
            }
        };
        self.rolling.is_finite() && stage
    }
}

impl Watching {
    fn learned(buckets: &BTreeMap<u16, u64>, bad_from: Option<u16>) -> Self {
        let calls: u64 = buckets.values().sum();
        let bad_from = bad_from.unwrap_or_else(|| bad_from_of(buckets, calls));
        let bad: u64 = buckets.range(bad_from..).map(|(_, calls)| calls).sum();
        let usual = bad as f64 / calls.max(1) as f64;
        Self {
            bad_from,
            usual,
            usual_at_most: share_at_most(bad, calls),
            recent: usual,
            detector: Detector::default(),
            drifting: None,
        }
    }

    fn see(&mut self, bucket: u16) -> Option<Change> {
        let is_bad = bucket >= self.bad_from;
        self.recent += (f64::from(u8::from(is_bad)) - self.recent) * RECENT_WEIGHT;
        match &mut self.drifting {
            None => {
                if !self.detector.see(is_bad, self.usual_at_most) {
                    return None;
                }
                self.drifting = Some(0);
                Some(Change::Drifted)
            }
            Some(calls) => {
                *calls = calls.saturating_add(1);
                if *calls < DRIFTING_CALLS_MIN || self.recent > self.usual_at_most {
                    return None;
                }
                self.detector = Detector::default();
                self.drifting = None;
                Some(Change::Ended)
            }
        }
    }
}

/// The lowest bucket of a bad call: the worst tenth of the first calls and what is in one bucket with it; only what is worse than
/// they all are where that would be most of them.
fn bad_from_of(buckets: &BTreeMap<u16, u64>, calls: u64) -> u16 {
    let calls = calls as f64;
    let mut beyond = 0;
    for (bucket, in_it) in buckets.iter().rev() {
        beyond += in_it;
        if beyond as f64 > calls * BAD_SHARE_MAX {
            return bucket.saturating_add(1);
        }
        if beyond as f64 >= calls * BAD_SHARE {
            return *bucket;
        }
    }
    u16::MAX
}
