//! Answers in this process.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use moka::future::Cache;

use super::{AnswerStore, CacheKey, KeptAnswer, StoreError};
use crate::observer::CacheStore;

/// Answers in this process, bounded in bytes. When it is full, what is asked for seldom makes room for what is asked for often.
///
/// Ages are looked at by whoever reads; an answer that is too old stays until it is asked for or makes room.
#[derive(Debug)]
pub struct MemoryStore {
    answers: Cache<CacheKey, Arc<KeptAnswer>>,
}

impl MemoryStore {
    /// An empty store that holds at most about `bytes_max`.
    pub fn new(bytes_max: u64) -> Self {
        let weigh =
            |_: &CacheKey, answer: &Arc<KeptAnswer>| u32::try_from(answer.memory_bytes()).unwrap_or(u32::MAX);
        Self { answers: Cache::builder().max_capacity(bytes_max).weigher(weigh).build() }
    }

    #[cfg(test)]
    async fn bytes(&self) -> u64 {
        self.answers.run_pending_tasks().await;
        self.answers.weighted_size()
    }
}

impl AnswerStore for MemoryStore {
    fn kind(&self) -> CacheStore {
        CacheStore::Memory
    }

    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Result<Option<KeptAnswer>, StoreError>> {
        async move { Ok(self.answers.get(key).await.map(Arc::unwrap_or_clone)) }.boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        answer: &'a KeptAnswer,
        _: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.answers.insert(*key, Arc::new(answer.clone())).await;
            Ok(())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
    use playhouse_protocol::completion::{ChatMessage, CompletionRequest};

    use super::*;
    use crate::cache::CacheScope;

    #[tokio::test]
    async fn it_never_holds_more_than_its_bytes_and_keeps_what_is_asked_for_often() {
        let scope =
            CacheScope::new(&ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://h", "x"))));
        let key =
            |number: usize| scope.key(&CompletionRequest::new(vec![ChatMessage::user(number.to_string())]));
        let answer =
            KeptAnswer { kept_unix_ms: 0, completion: crate::testing::completion(&"x".repeat(1_000)) };
        let store = MemoryStore::new(10 * answer.memory_bytes() as u64);
        let put = |number| {
            let (store, answer) = (&store, &answer);
            async move { store.put(&key(number), answer, Duration::MAX).await.unwrap() }
        };
        put(0).await;
        for number in 1..200 {
            for _ in 0..5 {
                assert_eq!(store.get(&key(0)).await.unwrap().as_ref(), Some(&answer));
            }
            put(number).await;
            assert!(store.bytes().await <= 10 * answer.memory_bytes() as u64);
        }
        let bytes = store.bytes().await;
        assert!(bytes >= 9 * answer.memory_bytes() as u64, "{bytes}");
    }

    #[tokio::test]
    async fn an_answer_that_is_larger_than_all_of_it_is_not_kept() {
        let scope =
            CacheScope::new(&ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://h", "x"))));
        let key = scope.key(&crate::testing::hello());
        let store = MemoryStore::new(100);
        let answer = KeptAnswer { kept_unix_ms: 0, completion: crate::testing::completion("hi") };
        store.put(&key, &answer, Duration::MAX).await.unwrap();
        assert_eq!(store.bytes().await, 0);
        assert_eq!(store.get(&key).await.unwrap(), None);
    }
}
