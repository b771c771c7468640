//! Answers in this process.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::{CacheKey, KeptAnswer};
use crate::http::ANSWER_BYTES_MAX;

/// Parts of the store, each with a lock of its own: enough that calls on many cores hardly meet.
const PARTS_MAX: u64 = 64;

/// What an answer takes as a rule, in bytes, to size the table.
const ANSWER_BYTES_USUAL: u64 = 2_048;

/// Answers in this process, bounded in bytes. When it is full, what is asked for seldom makes room for what is asked for often.
///
/// Ages are looked at by whoever reads; an answer that is too old stays until it is asked for or makes room.
pub struct MemoryStore {
    answers: Cache<CacheKey, Arc<KeptAnswer>, Weigh>,
}

/// Weighs answers by their bytes.
#[derive(Debug, Clone, Copy)]
struct Weigh;

impl Weighter<CacheKey, Arc<KeptAnswer>> for Weigh {
    fn weight(&self, _: &CacheKey, answer: &Arc<KeptAnswer>) -> u64 {
        answer.memory_bytes() as u64
    }
}

impl MemoryStore {
    /// An empty store that holds at most `bytes_max`.
    pub fn new(bytes_max: u64) -> Self {
        // Each part has its share of the bytes, and is to hold the longest answer there is.
        let parts = (bytes_max / (2 * ANSWER_BYTES_MAX as u64)).clamp(1, PARTS_MAX);
        let usual = usize::try_from(bytes_max / ANSWER_BYTES_USUAL).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(usize::try_from(parts).unwrap_or(1))
            .estimated_items_capacity(usual)
            // The library rounds each part's share up.
            .weight_capacity(bytes_max / parts * parts)
            .build();
        let answers = match options {
            Ok(options) => Cache::with_options(
                options,
                Weigh,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // Both capacities are given, so this is never reached; it means the same with as many parts as there are cores.
            Err(_) => Cache::with_weighter(usual, bytes_max, Weigh),
        };
        Self { answers }
    }

    /// What is kept under `key`. It may be older than is wanted.
    pub fn get(&self, key: &CacheKey) -> Option<Arc<KeptAnswer>> {
        self.answers.get(key)
    }

    /// Keeps an answer. One that is larger than the store is not kept.
    pub fn put(&self, key: &CacheKey, answer: &Arc<KeptAnswer>) {
        self.answers.insert(*key, Arc::clone(answer));
    }

    /// The bytes that are kept.
    pub fn bytes(&self) -> u64 {
        self.answers.weight()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
    use playhouse_protocol::completion::{ChatMessage, CompletionRequest};

    use super::*;
    use crate::cache::CacheScope;

    fn key(number: usize) -> CacheKey {
        let config = ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://h", "x")));
        CacheScope::new(&config).key(&CompletionRequest::new(vec![ChatMessage::user(number.to_string())]))
    }

    fn answer(text: &str) -> Arc<KeptAnswer> {
        Arc::new(KeptAnswer { kept_unix_ms: 0, completion: crate::testing::completion(text) })
    }

    #[test]
    fn it_never_holds_more_than_its_bytes_and_keeps_what_is_asked_for_often() {
        let answer = answer(&"x".repeat(1_000));
        let bytes_max = 10 * answer.memory_bytes() as u64;
        let store = MemoryStore::new(bytes_max);
        store.put(&key(0), &answer);
        for number in 1..200 {
            for _ in 0..5 {
                assert_eq!(store.get(&key(0)).as_ref(), Some(&answer));
            }
            store.put(&key(number), &answer);
            assert!(store.bytes() <= bytes_max);
        }
        assert!(store.bytes() >= bytes_max * 9 / 10, "{}", store.bytes());
    }

    #[test]
    fn a_large_one_in_many_parts_stays_within_its_bytes_and_holds_the_longest_answer() {
        let bytes_max = 100 * 1024 * 1024;
        let store = MemoryStore::new(bytes_max);
        let longest = answer(&"x".repeat(ANSWER_BYTES_MAX));
        for number in 0..20 {
            store.put(&key(number), &longest);
            assert!(store.get(&key(number)).is_some(), "{number}");
            assert!(store.bytes() <= bytes_max);
        }
    }

    #[test]
    fn an_answer_that_is_larger_than_all_of_it_is_not_kept() {
        let store = MemoryStore::new(100);
        store.put(&key(0), &answer("hi"));
        assert_eq!((store.bytes(), store.get(&key(0))), (0, None));
    }
}
