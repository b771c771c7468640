//! Counts over a sliding window of time, in little memory.

use std::time::Duration;

/// Parts into which a window is cut. What is counted leaves the window a part at a time, so the window that is
/// looked at is between nine and ten tenths of the wanted one.
const PARTS: u32 = 10;

/// Two counts over a sliding window; what they mean is up to who counts. Time is handed in, as the time since some
/// fixed moment, and must not go backwards by more than a part of the window.
#[derive(Debug, Clone)]
pub(super) struct Window {
    part: Duration,
    /// The number of the newest part since the fixed moment.
    newest: u64,
    counts: [[u64; 2]; PARTS as usize],
}

impl Window {
    /// A window of the length `window`, at least a nanosecond for each part.
    pub(super) fn new(window: Duration) -> Self {
        let part = (window / PARTS).max(Duration::from_nanos(1));
        Self { part, newest: 0, counts: [[0; 2]; PARTS as usize] }
    }

    /// Adds one to the count number `which` (0 or 1).
    pub(super) fn count(&mut self, now: Duration, which: usize) {
        self.slide(now);
        let newest = place(self.newest);
        self.counts[newest][which] += 1;
    }

    /// Both counts within the window that ends now.
    pub(super) fn counts(&mut self, now: Duration) -> [u64; 2] {
        self.slide(now);
        let sum = |which: usize| self.counts.iter().map(|counts| counts[which]).sum();
        [sum(0), sum(1)]
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.counts = [[0; 2]; PARTS as usize];
    }

    fn slide(&mut self, now: Duration) {
        let current = nanos(now) / nanos(self.part);
        let passed = current.saturating_sub(self.newest).min(u64::from(PARTS));
        // The newest of the parts that were passed over come last, so each place is cleared once.
        for back in 0..passed {
            let place = place(current - back);
            self.counts[place] = [0; 2];
        }
        self.newest = self.newest.max(current);
    }
}

/// The place of a part in the ring.
fn place(part: u64) -> usize {
    usize::try_from(part % u64::from(PARTS)).unwrap_or_default()
}

/// Enough for 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_millis(1_000);

    proptest! {
        /// The model: a list of all that was counted, of which the last ten parts of the window are looked at.
        #[test]
        fn a_window_counts_as_a_list_of_everything_does(
            steps in prop::collection::vec((0_u64..400, 0_usize..2), 1..200),
        ) {
            let mut window = Window::new(WINDOW);
            let mut list = Vec::new();
            let mut now_ms = 0;
            for (passed_ms, which) in steps {
                now_ms += passed_ms;
                window.count(Duration::from_millis(now_ms), which);
                list.push((now_ms / 100, which));
                let within = |wanted: usize| {
                    let inside = |part: u64| part + 10 > now_ms / 100;
                    list.iter().filter(|(part, which)| *which == wanted && inside(*part)).count() as u64
                };
                prop_assert_eq!(window.counts(Duration::from_millis(now_ms)), [within(0), within(1)]);
            }
        }
    }

    #[test]
    fn a_window_of_no_length_counts_only_the_moment() {
        let mut window = Window::new(Duration::ZERO);
        window.count(WINDOW, 1);
        assert_eq!(window.counts(WINDOW), [0, 1]);
        assert_eq!(window.counts(2 * WINDOW), [0, 0]);
    }
}
