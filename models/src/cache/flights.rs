//! Equal questions at one time are asked once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_protocol::completion::Completion;
use tokio::sync::watch;
use tokio::time::timeout;

use super::CacheKey;

/// The longest that a call waits for another's answer: what a call takes at most by default. Whoever holds a stream without
/// reading it would otherwise hold up all others.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// What is handed to those who wait.
type Answer = Option<Arc<Completion>>;

/// The calls that ask, and who waits for them. One for each cache.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    /// Nearly always nobody waits: then there is nothing to hand an answer over with.
    running: Mutex<HashMap<CacheKey, Option<watch::Sender<Answer>>>>,
    ended: AtomicU64,
}

/// Waits for the answer of another call.
#[derive(Debug)]
pub(crate) struct Waiting(watch::Receiver<Answer>);

/// The call that asks for all. Ends with its answer, or without when it is dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    /// `None` when it has ended.
    flights: Option<Arc<Flights>>,
    key: CacheKey,
}

/// A call's place among equal ones.
#[derive(Debug)]
pub(crate) enum Place {
    /// It asks.
    Asks(Flight),
    /// Another one asks.
    Waits(Waiting),
}

impl Flights {
    /// Takes a place among the calls with this key.
    pub(crate) fn join(self: &Arc<Self>, key: CacheKey) -> Place {
        match self.running().entry(key) {
            Entry::Occupied(mut entry) => {
                let sender = entry.get_mut().get_or_insert_with(|| watch::Sender::new(None));
                Place::Waits(Waiting(sender.subscribe()))
            }
            Entry::Vacant(entry) => {
                entry.insert(None);
                Place::Asks(Flight { flights: Some(Arc::clone(self)), key })
            }
        }
    }

    /// How many calls have ended that asked. Who sees the same number before and after a look at what is kept, and asks
    /// then, knows that nothing was added in between.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends a call, after its answer has been kept, and gives who waits for it.
    fn end(&self, key: &CacheKey) -> Option<watch::Sender<Answer>> {
        let mut running = self.running();
        self.ended.fetch_add(1, Ordering::Release);
        running.remove(key).flatten()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<CacheKey, Option<watch::Sender<Answer>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Gives the answer to all who wait.
    pub(crate) fn land(mut self, completion: &Completion) {
        if let Some(waiting) = self.end() {
            waiting.send_replace(Some(Arc::new(completion.clone())));
        }
    }

    fn end(&mut self) -> Option<watch::Sender<Answer>> {
        self.flights.take()?.end(&self.key)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end();
    }
}

impl Waiting {
    /// The other's answer; `None` when it failed, was dropped or takes too long.
    pub(crate) async fn answer(mut self) -> Option<Arc<Completion>> {
        let landed = timeout(WAIT_MAX, self.0.wait_for(Option::is_some)).await;
        landed.ok()?.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};

    use super::*;
    use crate::cache::CacheScope;
    use crate::testing::{completion, hello};

    fn key() -> CacheKey {
        CacheScope::new(&ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://h", "x"))))
            .key(&hello())
    }

    #[tokio::test]
    async fn a_call_that_has_ended_is_counted_however_it_ended_and_the_next_one_asks() {
        let flights = Arc::<Flights>::default();
        for ended in 0..4 {
            assert_eq!(flights.ended(), ended);
            let Place::Asks(flight) = flights.join(key()) else { panic!("nobody else asks") };
            let Place::Waits(waiting) = flights.join(key()) else { panic!("there is one that asks") };
            if ended % 2 == 0 {
                flight.land(&completion("hi"));
                assert_eq!(waiting.answer().await.unwrap().text, "hi");
            } else {
                drop(flight);
                assert_eq!(waiting.answer().await, None);
            }
        }
    }
}
