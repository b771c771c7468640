//! How many tasks are open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_config::settings::LimitsConfig;
use playhouse_protocol::{Failure, FailureClass, TenantId};
use tokio::sync::Notify;
use tokio::time::Instant;

/// What a refused caller is asked to wait at least, and at most.
const RETRY_AFTER_MIN: Duration = Duration::from_millis(50);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// What a refused caller is asked to wait before any task has ended. Most tasks ask a model, which takes seconds.
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(1);

/// What a caller is asked to wait that came during a shutdown: about what the next process needs to be there.
const RETRY_AFTER_CLOSED: Duration = Duration::from_secs(5);

/// What a part waits at most before it looks again: another one may have been told of a slot and left it.
const AGAIN_MAX: Duration = Duration::from_secs(1);

/// What a part waits when it is not for a slot.
const AGAIN_DEFAULT: Duration = Duration::from_millis(100);

/// The weight of the latest end in the time between two ends: about the last hundred count.
const PACE_WEIGHT: f64 = 0.02;

/// Counts open tasks against their bounds, in all and of each tenant. A runtime has one of them for tasks of agents and
/// one for plans: a plan that took its slot from its parts would wait for itself.
#[derive(Debug)]
pub(crate) struct Slots {
    /// What is counted, in the singular.
    what: &'static str,
    open_max: usize,
    tenant_open_max: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    all: Gauge,
    tenants: BTreeMap<TenantId, Gauge>,
    /// What everybody is told from here on.
    closed: Option<Failure>,
}

/// Open tasks against one bound, and how fast slots come free where that matters: while none is.
#[derive(Debug, Default)]
struct Gauge {
    open: usize,
    /// The time between two ends, averaged.
    pace: Option<Duration>,
    /// When the last slot was taken, or the last one came free while none was.
    since: Option<Instant>,
}

impl Slots {
    pub(crate) fn new(what: &'static str, limits: &LimitsConfig) -> Arc<Self> {
        Arc::new(Self {
            what,
            open_max: limits.tasks_open_max,
            tenant_open_max: limits.tenant_tasks_open_max.unwrap_or(limits.tasks_open_max),
            state: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Takes a slot for a task of `tenant`.
    ///
    /// # Errors
    /// Class `Overloaded`, with the time after which a slot can be expected: of this tenant, where its own bound is
    /// reached. Whatever the slots were closed with.
    pub(crate) fn take(self: &Arc<Self>, tenant: &TenantId) -> Result<Slot, Failure> {
        let mut state = self.state();
        if let Some(closed) = &state.closed {
            return Err(closed.clone());
        }
        let of_tenant = state.tenants.get(tenant);
        let (gauge, whose, setting) = match of_tenant {
            _ if state.all.is_full(self.open_max) => (&state.all, String::new(), "limits.tasks_open_max"),
            Some(gauge) if gauge.is_full(self.tenant_open_max) => {
                (gauge, format!(" of tenant {tenant}"), "limits.tenant_tasks_open_max")
            }
            Some(_) | None => return Ok(self.fill(&mut state, tenant)),
        };
        let (what, open) = (self.what, gauge.open);
        let text = format!("accept a {what}: {open} {what}s{whose} are open already");
        Err(Failure::new(FailureClass::Overloaded, text)
            .with_hint(format!("Try again later, or raise `{setting}`."))
            .with_retry_after_ms(gauge.retry_after_ms(Instant::now())))
    }

    /// Takes a slot for a task that was accepted by an earlier process, whatever the bounds are.
    pub(crate) fn take_again(self: &Arc<Self>, tenant: &TenantId) -> Slot {
        let mut state = self.state();
        self.fill(&mut state, tenant)
    }

    fn fill(self: &Arc<Self>, state: &mut State, tenant: &TenantId) -> Slot {
        let now = Instant::now();
        state.all.fill(self.open_max, now);
        state.tenants.entry(tenant.clone()).or_default().fill(self.tenant_open_max, now);
        Slot { slots: Arc::clone(self), tenant: tenant.clone() }
    }

    /// Waits until another try may succeed, for a part of what was accepted, which was refused with this: until a slot
    /// comes free, whosoever, one that came free a moment ago counted in; or for a while.
    pub(crate) async fn wait_for_room(&self, refused: &Failure) {
        // A journal without room says no time, and slots that come free change nothing about it.
        let Some(again_ms) = refused.retry_after_ms else {
            return tokio::time::sleep(AGAIN_DEFAULT).await;
        };
        tokio::select! {
            biased;
            () = self.freed.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(again_ms).min(AGAIN_MAX)) => {}
        }
    }

    /// Lets no further task in because the runtime shuts down.
    pub(crate) fn close(&self) {
        let text = format!("accept a {}: the runtime is shutting down", self.what);
        let wait_ms = u64::try_from(RETRY_AFTER_CLOSED.as_millis()).unwrap_or(u64::MAX);
        self.close_with(
            Failure::new(FailureClass::Overloaded, text)
                .with_hint("Submit it to the next runtime.")
                .with_retry_after_ms(wait_ms),
        );
    }

    /// Lets no further task in, and tells everybody why. The first reason stands.
    pub(crate) fn close_with(&self, why: Failure) {
        self.state().closed.get_or_insert(why);
        self.freed.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gauge {
    fn is_full(&self, max: usize) -> bool {
        self.open >= max
    }

    fn fill(&mut self, max: usize, now: Instant) {
        self.open += 1;
        if self.open == max {
            self.since = Some(now);
        }
    }

    /// Only ends that somebody may have waited for say how fast slots come free, and no time without a task counts.
    fn free(&mut self, max: usize, now: Instant) {
        if self.is_full(max)
            && let Some(since) = self.since.replace(now)
        {
            let took = now.saturating_duration_since(since).min(RETRY_AFTER_MAX);
            self.pace = Some(
                self.pace.map_or(took, |pace| pace.mul_f64(1.0 - PACE_WEIGHT) + took.mul_f64(PACE_WEIGHT)),
            );
        }
        self.open = self.open.saturating_sub(1);
    }

    /// As long as the last slots took, and at least as long as none has come free by now: what has stood still is not
    /// expected to move in a moment.
    fn retry_after_ms(&self, now: Instant) -> u64 {
        let still = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let wait =
            self.pace.unwrap_or(RETRY_AFTER_UNKNOWN).max(still).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX);
        u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The right of one task to be open; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    tenant: TenantId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let (slots, now) = (&self.slots, Instant::now());
            let mut state = slots.state();
            state.all.free(slots.open_max, now);
            // What is known of a tenant goes with its last open task: tenants may be without number.
            if let Some(gauge) = state.tenants.get_mut(&self.tenant) {
                gauge.free(slots.tenant_open_max, now);
                if gauge.open == 0 {
                    state.tenants.remove(&self.tenant);
                }
            }
        }
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(open_max: usize, tenant_open_max: Option<usize>) -> Arc<Slots> {
        let limits = LimitsConfig {
            tasks_open_max: open_max,
            tenant_tasks_open_max: tenant_open_max,
            ..LimitsConfig::default()
        };
        Slots::new("task", &limits)
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::try_from(name.to_owned()).unwrap()
    }

    fn wait_ms(slots: &Arc<Slots>, tenant: &TenantId) -> u64 {
        slots.take(tenant).unwrap_err().retry_after_ms.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_says_what_is_full_and_when_to_come_again() {
        let slots = slots(3, Some(2));
        let (a, b) = (tenant("a"), tenant("b"));
        let mut held = vec![slots.take(&a).unwrap(), slots.take(&a).unwrap()];
        let refused = slots.take(&a).unwrap_err();
        assert_eq!(refused.message, "accept a task: 2 tasks of tenant a are open already");
        assert_eq!(refused.retry_after_ms, Some(1_000));
        let other = slots.take(&b).unwrap();
        assert_eq!(slots.take(&b).unwrap_err().message, "accept a task: 3 tasks are open already");
        for _ in 0..2 {
            tokio::time::advance(Duration::from_millis(400)).await;
            held.remove(0);
            held.push(slots.take(&a).unwrap());
        }
        assert_eq!(wait_ms(&slots, &b), 400);
        drop(other);
        assert_eq!(wait_ms(&slots, &a), 400, "at the pace of its own tasks");
        drop(held);
        assert!(slots.state().tenants.is_empty());
        slots.close();
        let refused = slots.take(&a).unwrap_err();
        assert_eq!(refused.message, "accept a task: the runtime is shutting down");
        assert_eq!((refused.class, refused.retry_after_ms), (FailureClass::Overloaded, Some(5_000)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_that_of_slots_that_were_waited_for_and_grows_while_none_comes_free() {
        let slots = slots(2, None);
        let a = tenant("a");
        // An hour with room to spare says nothing.
        for _ in 0..3 {
            tokio::time::advance(Duration::from_hours(1)).await;
            drop(slots.take(&a).unwrap());
        }
        let mut held = vec![slots.take(&a).unwrap(), slots.take(&a).unwrap()];
        assert_eq!(wait_ms(&slots, &a), 1_000, "none has come free while it was full");
        tokio::time::advance(Duration::from_millis(200)).await;
        held.pop();
        held.push(slots.take(&a).unwrap());
        assert_eq!(wait_ms(&slots, &a), 200);
        for (still_ms, expected) in [(100, 200), (900, 1_000), (9_000, 10_000), (60_000, 30_000)] {
            tokio::time::advance(Duration::from_millis(still_ms)).await;
            assert_eq!(wait_ms(&slots, &a), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_a_slot_is_told_of_the_next_one_and_of_the_end() {
        let slots = slots(1, None);
        let begun = Instant::now();
        let held = slots.take(&tenant("a")).unwrap();
        let refused = slots.take(&tenant("a")).unwrap_err();
        let mut room = Box::pin(slots.wait_for_room(&refused));
        assert!(futures::poll!(&mut room).is_pending());
        drop(held);
        room.await;
        let mut room = Box::pin(slots.wait_for_room(&refused));
        assert!(futures::poll!(&mut room).is_pending());
        slots.close_with(Failure::internal("go on: it is over"));
        room.await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        slots.close();
        assert_eq!(slots.take(&tenant("a")).unwrap_err().message, "go on: it is over");
        // Nobody is told, and it is looked again all the same.
        slots.wait_for_room(&refused.clone().with_retry_after_ms(30_000)).await;
        assert_eq!(begun.elapsed(), AGAIN_MAX);
        // A full disk: slots that come free are none of its business.
        let full = Failure::new(FailureClass::Overloaded, "write to the journal: the disk is full");
        drop(slots.take_again(&tenant("a")));
        slots.wait_for_room(&full).await;
        assert_eq!(begun.elapsed(), AGAIN_MAX + AGAIN_DEFAULT);
    }

    #[test]
    fn tasks_of_an_earlier_process_come_in_whatever_the_bounds_are() {
        let slots = slots(1, None);
        let (a, _first) = (tenant("a"), slots.take_again(&tenant("a")));
        let second = slots.take_again(&a);
        assert!(slots.take(&a).is_err());
        drop(second);
        assert!(slots.take(&a).is_err());
    }
}
