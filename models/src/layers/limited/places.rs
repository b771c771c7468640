//! The places in which calls run, and the queue in front of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_config::settings::ConcurrencyConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::limit::{Limit, Measured, Signal};

/// How many calls of one model run at once, and how many may. Shared by the model's calls and whoever looks at it.
///
/// Calls wait in the order in which they came. The queue itself has no bound here: each model's calls are bounded in
/// front of all layers (`queue_len_max`), and each has its total time.
#[derive(Debug)]
pub struct Concurrency {
    /// Gives out places in order. It may hold more than the limit allows for a moment: see `Count::owed`.
    semaphore: Arc<Semaphore>,
    /// Held for the time of a few additions.
    count: Mutex<Count>,
    begun: Instant,
}

#[derive(Debug)]
struct Count {
    limit: Limit,
    in_use: u32,
    /// Places that are to be given up when calls end, since the limit shrank below what runs.
    owed: u32,
}

impl Concurrency {
    /// All places free.
    pub fn new(config: ConcurrencyConfig) -> Arc<Self> {
        let limit = Limit::new(config);
        Arc::new(Self {
            semaphore: Arc::new(Semaphore::new(limit.now() as usize)),
            count: Mutex::new(Count { limit, in_use: 0, owed: 0 }),
            begun: Instant::now(),
        })
    }

    /// Calls that may run at once, as of now.
    pub fn limit(&self) -> u32 {
        self.count().limit.now()
    }

    /// Calls that run.
    pub fn in_use(&self) -> u32 {
        self.count().in_use
    }

    /// Waits for a place, in order. Gives the place and how long was waited, where it was.
    pub(super) async fn enter(self: &Arc<Self>) -> (Place, Option<Duration>) {
        let (permit, waited) = match Arc::clone(&self.semaphore).try_acquire_owned() {
            Ok(permit) => (Some(permit), None),
            Err(_) => {
                let begun = Instant::now();
                // The semaphore is never closed.
                let permit = Arc::clone(&self.semaphore).acquire_owned().await.ok();
                (permit, Some(begun.elapsed()))
            }
        };
        self.count().in_use += 1;
        (Place { concurrency: Arc::clone(self), permit, begun: self.begun.elapsed() }, waited)
    }

    /// Places that nobody has.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.semaphore.available_permits()
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that a call has. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    concurrency: Arc<Concurrency>,
    permit: Option<OwnedSemaphorePermit>,
    /// When the call was sent, since the concurrency's own beginning.
    begun: Duration,
}

impl Place {
    /// Begins to measure: whatever else was waited for is over.
    pub(super) fn begin(&mut self) {
        self.begun = self.concurrency.begun.elapsed();
    }

    /// How long the call has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.concurrency.begun.elapsed().saturating_sub(self.begun)
    }

    /// Learns how the call went, and gives the new limit when it has changed.
    pub(super) fn learn(&self, signal: Signal, measured: Measured) -> Option<u32> {
        let now = self.concurrency.begun.elapsed();
        let mut count = self.concurrency.count();
        let before = count.limit.now();
        let in_use = count.in_use;
        count.limit.learn(self.begun, now, in_use, (signal, measured));
        let after = count.limit.now();
        if after < before {
            // Places that are free go at once, the others as their calls end.
            let surplus = before - after;
            let gone = self.concurrency.semaphore.forget_permits(surplus as usize);
            count.owed += surplus - u32::try_from(gone).unwrap_or(surplus);
        } else if after > before {
            let kept = count.owed.min(after - before);
            count.owed -= kept;
            self.concurrency.semaphore.add_permits((after - before - kept) as usize);
        }
        (before != after).then_some(after)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut count = self.concurrency.count();
        count.in_use = count.in_use.saturating_sub(1);
        if count.owed > 0 {
            count.owed -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}
