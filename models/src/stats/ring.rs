//! The last attempts, in a ring of fixed size.

use std::time::Duration;

/// Attempts that are remembered: enough for a 99th percentile (five lie above it), and 16 KiB for each model.
pub(super) const RING_LEN: usize = 512;

/// An attempt that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRecord {
    /// From the request to the end of the answer, or to the failure.
    pub elapsed: Duration,
    /// From the request to the first text of a streamed answer.
    pub first_token: Option<Duration>,
    /// Whether it failed in a way that speaks against the model. A request that was wrong in itself does not.
    pub failed: bool,
}

/// The last [`RING_LEN`] attempts. Allocates when it is made and never again.
#[derive(Debug)]
pub(super) struct Ring {
    records: Vec<AttemptRecord>,
    /// Where the next record goes once the ring is full: the place of the oldest one.
    oldest: usize,
}

impl Ring {
    pub(super) fn new() -> Self {
        Self { records: Vec::with_capacity(RING_LEN), oldest: 0 }
    }

    pub(super) fn push(&mut self, record: AttemptRecord) {
        if self.records.len() < RING_LEN {
            self.records.push(record);
        } else {
            self.records[self.oldest] = record;
            self.oldest = (self.oldest + 1) % RING_LEN;
        }
    }

    /// The last `count` records, the oldest of them first.
    pub(super) fn last(&self, count: usize) -> Vec<AttemptRecord> {
        let (newer, older) = self.records.split_at(self.oldest);
        let skipped = self.records.len().saturating_sub(count);
        older.iter().chain(newer).skip(skipped).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: usize) -> AttemptRecord {
        let elapsed = Duration::from_millis(u64::try_from(number).unwrap());
        AttemptRecord { elapsed, first_token: None, failed: false }
    }

    proptest! {
        #[test]
        fn the_ring_holds_the_end_of_the_list_of_all(pushed in 0_usize..1_500, asked in 0_usize..600) {
            let all: Vec<_> = (0..pushed).map(record).collect();
            let mut ring = Ring::new();
            all.iter().for_each(|record| ring.push(*record));
            let kept = asked.min(RING_LEN).min(pushed);
            prop_assert_eq!(ring.last(asked), all[pushed - kept..].to_vec());
        }
    }
}
