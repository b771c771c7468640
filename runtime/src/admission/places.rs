//! Places among the live agents, shared out between priorities and tenants.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use playhouse_protocol::task::Priority;
use playhouse_protocol::{TaskId, TenantId};
use playhouse_supervisors::{Permit, SupervisorPool};
use tokio::sync::oneshot;

use super::fair_queue::FairQueue;

/// The queue in front of the agents. One a runtime.
///
/// It needs no bound of its own: whoever waits is an open task, and these are bounded.
#[derive(Debug)]
pub(crate) struct Places {
    pool: SupervisorPool,
    waiting: Mutex<FairQueue<oneshot::Sender<Place>>>,
}

/// A place among the live agents; given on when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// Taken out before the next one is let in.
    permit: Option<Permit>,
    places: Arc<Places>,
}

impl Places {
    pub(crate) fn new(pool: SupervisorPool) -> Arc<Self> {
        Arc::new(Self { pool, waiting: Mutex::new(FairQueue::default()) })
    }

    /// Waits for a place until `given_up` is over. `None` when it was given up.
    pub(crate) async fn take(
        self: &Arc<Self>,
        task: TaskId,
        priority: Priority,
        tenant: &TenantId,
        given_up: impl Future<Output = ()>,
    ) -> Option<Place> {
        let place = {
            let mut waiting = self.waiting();
            match self.pool.try_admit().ok().filter(|_| waiting.is_empty()) {
                Some(permit) => return Some(self.place(permit)),
                None => {
                    let (sender, place) = oneshot::channel();
                    waiting.push(priority, tenant.clone(), task, sender);
                    place
                }
            }
        };
        // A permit that came back between look and wait has found nobody in the queue.
        self.share_out();
        tokio::select! {
            biased;
            () = given_up => {
                self.waiting().remove(task);
                None
            }
            // The sender is dropped only with the queue, and the queue lives as long as this.
            place = place => place.ok(),
        }
    }

    fn place(self: &Arc<Self>, permit: Permit) -> Place {
        Place { permit: Some(permit), places: Arc::clone(self) }
    }

    /// Gives free places to those who wait, the next one first.
    fn share_out(self: &Arc<Self>) {
        loop {
            let refused = {
                let mut waiting = self.waiting();
                if waiting.is_empty() {
                    return;
                }
                let Ok(permit) = self.pool.try_admit() else { return };
                let Some(next) = waiting.pop() else { return };
                next.send(self.place(permit))
            };
            // Whoever gave up in this moment hands the place back; it is given on outside the lock.
            if let Err(mut place) = refused {
                place.permit = None;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, FairQueue<oneshot::Sender<Place>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.permit.take().is_some() {
            self.places.share_out();
        }
    }
}
