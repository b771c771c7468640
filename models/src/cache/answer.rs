//! An answer that is kept.

use std::time::Duration;

use playhouse_protocol::Usage;
use playhouse_protocol::completion::{Completion, Origin, Route};
use playhouse_protocol::envelope::Wire;
use serde::{Deserialize, Serialize};

/// An answer that is kept, with the time it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// When it was given, in milliseconds since 1970.
    pub kept_unix_ms: u64,
    /// The answer as it was given the first time, with what it used then.
    pub completion: Completion,
}

/// Counts up with [`Completion`]'s own version as well. The number is noted in `playhouse_protocol::envelope`.
impl Wire for KeptAnswer {
    const KIND: u16 = 30;
    const VERSION: u8 = 2;
}

/// What an answer takes in memory beside its texts, in bytes: the struct, its key, the cache's own records.
const OVERHEAD_BYTES: usize = 512;

impl KeptAnswer {
    /// How long it may still be given at `now_unix_ms`; zero when it is too old. A time of another machine that lies ahead
    /// of ours counts as now.
    pub fn time_left(&self, now_unix_ms: u64, age_max: Duration) -> Duration {
        age_max.saturating_sub(Duration::from_millis(now_unix_ms.saturating_sub(self.kept_unix_ms)))
    }

    /// About what it takes in memory, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let Completion { text, origin, .. } = &self.completion;
        OVERHEAD_BYTES + text.len() + origin.model.len() + origin.request_id.as_ref().map_or(0, String::len)
    }

    /// The answer as it is given again.
    pub(crate) fn again(&self, model: &str) -> Completion {
        given_again(&self.completion, model)
    }
}

/// An answer as it is given to somebody for whom nothing was asked: nothing was used, neither calls nor tokens nor money,
/// so that budgets and accounts count what was paid for once. `model` is the entry that was to be asked.
pub(crate) fn given_again(first: &Completion, model: &str) -> Completion {
    Completion {
        text: first.text.clone(),
        stop_reason: first.stop_reason,
        usage: Usage::default(),
        usage_reported: first.usage_reported,
        origin: Origin { model: model.to_owned(), ..first.origin.clone() },
        route: Route { cached: true, ..Route::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(kept_unix_ms: u64) -> KeptAnswer {
        KeptAnswer { kept_unix_ms, completion: crate::testing::completion("hi") }
    }

    #[test]
    fn an_answer_is_given_again_for_nothing() {
        let again = kept(0).again("other");
        assert_eq!((again.text.as_str(), again.usage), ("hi", Usage::default()));
        assert_eq!((again.route.cached, again.route.attempts), (true, 0));
        assert_eq!(again.origin.model, "other");
    }

    #[test]
    fn the_time_left_shrinks_with_the_age_and_clocks_that_disagree_do_no_harm() {
        let age_max = Duration::from_secs(10);
        assert_eq!(kept(1_000).time_left(4_000, age_max), Duration::from_secs(7));
        assert_eq!(kept(1_000).time_left(11_000, age_max), Duration::ZERO);
        assert_eq!(kept(5_000).time_left(1_000, age_max), age_max);
    }

    #[test]
    fn the_bytes_of_an_answer_are_those_of_every_version() {
        // Held still: programs of two versions share a cache. What cannot be read is no answer, and asked anew.
        let bytes = playhouse_protocol::envelope::encode(&kept(7)).unwrap();
        let hex = crate::pull::hex(&bytes);
        insta::assert_snapshot!(hex, @"504801021e00160000006d6eddc30702686900010a00020001016d010000010000000000");
    }
}
