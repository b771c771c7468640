//! Equal questions at one time are asked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use playhouse_protocol::completion::Completion;
use tokio::sync::watch;
use tokio::time::timeout;

use super::CacheKey;

/// The longest that a call waits for another's answer: what a call takes at most by default. Whoever holds a stream without
/// reading it would otherwise hold up all others.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// The answers that are being waited for. One for each cache.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    running: Mutex<HashMap<CacheKey, Waiting>>,
}

/// Waits for the answer of another call.
#[derive(Debug, Clone)]
pub(crate) struct Waiting(watch::Receiver<Option<Arc<Completion>>>);

/// The call that asks for all. Ends with its answer, or without when it is dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Arc<Flights>,
    key: CacheKey,
    answer: watch::Sender<Option<Arc<Completion>>>,
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
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = running.get(&key) {
            return Place::Waits(waiting.clone());
        }
        let (answer, waiting) = watch::channel(None);
        running.insert(key, Waiting(waiting));
        Place::Asks(Flight { flights: Arc::clone(self), key, answer })
    }
}

impl Flight {
    /// Gives the answer to all who wait.
    pub(crate) fn land(self, completion: &Completion) {
        self.answer.send_replace(Some(Arc::new(completion.clone())));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Waiting {
    /// The other's answer; `None` when it failed, was dropped or takes too long.
    pub(crate) async fn answer(mut self) -> Option<Arc<Completion>> {
        let landed = timeout(WAIT_MAX, self.0.wait_for(Option::is_some)).await;
        landed.ok()?.ok()?.clone()
    }
}
