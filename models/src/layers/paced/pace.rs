//! The pace of one model, shared by its calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_config::settings::PacingConfig;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};

use super::turns::Turns;

/// How fast the calls of one model are begun. Shared by the model's calls and whoever looks at it.
///
/// Calls take their turns in the order in which they came. As with concurrency, the queue is bounded in front of all
/// layers, and by each call's total time.
#[derive(Debug)]
pub struct Pace {
    config: PacingConfig,
    /// Held for the time of a few additions.
    turns: Mutex<Turns>,
    /// The first of those that wait has it, and the others queue for it.
    first: Semaphore,
    /// Something may have made the turn of the first come sooner.
    sooner: Notify,
    begun: Instant,
}

impl Pace {
    /// A pace of which nothing is used.
    pub fn new(config: PacingConfig) -> Arc<Self> {
        Arc::new(Self {
            config,
            turns: Mutex::new(Turns::new(config)),
            first: Semaphore::new(1),
            sooner: Notify::new(),
            begun: Instant::now(),
        })
    }

    /// How long a small call that came now would wait for its turn.
    pub fn expected_wait(&self) -> Duration {
        self.turns().expected_wait(self.begun.elapsed(), 0)
    }

    pub(super) const fn tokens_per_minute(&self) -> Option<u32> {
        self.config.tokens_per_minute
    }

    /// Takes the turn of a call of at most `tokens` if so much is left of the present minute that they need not be known
    /// exactly, and says whether it has.
    pub(super) fn turn_at_ease(&self, tokens: u64) -> bool {
        self.turns().take_at_ease(self.begun.elapsed(), tokens)
    }

    /// Waits for the turn of a call of `tokens`, and gives how long that took. Where it would take longer than
    /// `wait_max` that is an error, as soon as it is known, which gives how long it would take.
    pub(super) async fn turn(&self, tokens: u64, wait_max: Duration) -> Result<Duration, Duration> {
        let came = self.begun.elapsed();
        let waiting = {
            let now = came;
            let mut turns = self.turns();
            let wait = turns.expected_wait(now, tokens);
            if wait > wait_max {
                return Err(wait);
            }
            if !turns.is_anybody_waiting() && turns.take(now, tokens).is_ok() {
                return Ok(Duration::ZERO);
            }
            turns.enqueue(tokens);
            Waiting { pace: self, tokens }
        };
        // The semaphore is never closed. It serves in order.
        let _first = self.first.acquire().await;
        loop {
            let sooner = self.sooner.notified();
            let taken = self.turns().take(self.begun.elapsed(), tokens);
            let Err(wait) = taken else { break };
            // A pause may have come since.
            if self.waited_since(came).saturating_add(wait) > wait_max {
                return Err(wait);
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = sooner => {}
            }
        }
        drop(waiting);
        Ok(self.waited_since(came))
    }

    fn waited_since(&self, came: Duration) -> Duration {
        self.begun.elapsed().saturating_sub(came)
    }

    /// Waits until a pause is over, and says whether there was one.
    pub(crate) async fn pause_over(&self) -> bool {
        let mut was_paused = false;
        loop {
            let pause = self.turns().pause(|| self.begun.elapsed());
            if pause.is_zero() {
                return was_paused;
            }
            was_paused = true;
            sleep(pause).await;
        }
    }

    pub(super) fn settle(&self, set_aside: u64, used: u64) {
        let mut turns = self.turns();
        turns.settle(self.begun.elapsed(), set_aside, used);
        if turns.is_anybody_waiting() {
            self.sooner.notify_one();
        }
    }

    pub(super) fn pause_for(&self, hint: Duration) {
        self.turns().pause_for(self.begun.elapsed(), hint);
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for its turn, until it is dropped.
struct Waiting<'a> {
    pace: &'a Pace,
    tokens: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pace.turns().leave(self.tokens);
    }
}
