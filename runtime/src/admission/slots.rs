//! How many tasks are open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_config::settings::LimitsConfig;
use playhouse_protocol::{Failure, FailureClass, TenantId};
use tokio::time::Instant;

/// What a refused caller is asked to wait at least, and at most.
const RETRY_AFTER_MIN: Duration = Duration::from_millis(50);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// What a refused caller is asked to wait before any task has ended. Most tasks ask a model, which takes seconds.
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(1);

/// The weight of the latest end in the time between two ends: about the last hundred count.
const PACE_WEIGHT: f64 = 0.02;

/// Counts open tasks against their bounds. One a runtime.
#[derive(Debug)]
pub(crate) struct Slots {
    open_max: usize,
    tenant_open_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    tenants: BTreeMap<TenantId, usize>,
    closed: bool,
    /// The time between two ends, averaged, and when the last one was.
    pace: Option<Duration>,
    last_end: Option<Instant>,
}

impl Slots {
    pub(crate) fn new(limits: &LimitsConfig) -> Arc<Self> {
        Arc::new(Self {
            open_max: limits.tasks_open_max,
            tenant_open_max: limits.tenant_tasks_open_max.unwrap_or(limits.tasks_open_max),
            state: Mutex::default(),
        })
    }

    /// Takes a slot for a task of `tenant`.
    ///
    /// # Errors
    /// Class `Overloaded`, with the time after which a slot can be expected.
    pub(crate) fn take(self: &Arc<Self>, tenant: &TenantId) -> Result<Slot, Failure> {
        let mut state = self.state();
        if state.closed {
            return Err(Failure::new(
                FailureClass::Overloaded,
                "accept a task: the runtime is shutting down",
            ));
        }
        let of_tenant = state.tenants.get(tenant).copied().unwrap_or_default();
        let full = if state.open >= self.open_max {
            Some((format!("{} tasks are open already", state.open), "limits.tasks_open_max"))
        } else if of_tenant >= self.tenant_open_max {
            let open = format!("{of_tenant} tasks of tenant {tenant} are open already");
            Some((open, "limits.tenant_tasks_open_max"))
        } else {
            None
        };
        if let Some((open, setting)) = full {
            return Err(Failure::new(FailureClass::Overloaded, format!("accept a task: {open}"))
                .with_hint(format!("Try again later, or raise `{setting}`."))
                .with_retry_after_ms(state.retry_after_ms()));
        }
        Ok(self.fill(&mut state, tenant))
    }

    /// Takes a slot for a task that was accepted by an earlier process, whatever the bounds are.
    pub(crate) fn take_again(self: &Arc<Self>, tenant: &TenantId) -> Slot {
        let mut state = self.state();
        self.fill(&mut state, tenant)
    }

    fn fill(self: &Arc<Self>, state: &mut State, tenant: &TenantId) -> Slot {
        state.open += 1;
        *state.tenants.entry(tenant.clone()).or_default() += 1;
        Slot { slots: Arc::clone(self), tenant: tenant.clone() }
    }

    /// Lets no further task in.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn retry_after_ms(&self) -> u64 {
        let wait = self.pace.unwrap_or(RETRY_AFTER_UNKNOWN).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX);
        u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
    }

    fn end(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last_end.replace(now) {
            let since = now.saturating_duration_since(last);
            self.pace = Some(
                self.pace.map_or(since, |pace| pace.mul_f64(1.0 - PACE_WEIGHT) + since.mul_f64(PACE_WEIGHT)),
            );
        }
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
        let mut state = self.slots.state();
        state.open = state.open.saturating_sub(1);
        let is_last = match state.tenants.get_mut(&self.tenant) {
            Some(open) => {
                *open = open.saturating_sub(1);
                *open == 0
            }
            None => false,
        };
        if is_last {
            state.tenants.remove(&self.tenant);
        }
        state.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(open_max: usize, tenant_open_max: Option<usize>) -> Arc<Slots> {
        Slots::new(&LimitsConfig {
            tasks_open_max: open_max,
            tenant_tasks_open_max: tenant_open_max,
            ..LimitsConfig::default()
        })
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::try_from(name.to_owned()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_says_what_is_full_and_when_to_come_again() {
        let slots = slots(3, Some(2));
        let (a, b) = (tenant("a"), tenant("b"));
        let held = [slots.take(&a).unwrap(), slots.take(&a).unwrap()];
        let refused = slots.take(&a).unwrap_err();
        assert_eq!(refused.message, "accept a task: 2 tasks of tenant a are open already");
        assert_eq!(refused.retry_after_ms, Some(1_000));
        let other = slots.take(&b).unwrap();
        assert_eq!(slots.take(&b).unwrap_err().message, "accept a task: 3 tasks are open already");
        for slot in held {
            tokio::time::advance(Duration::from_millis(400)).await;
            drop(slot);
        }
        drop(other);
        assert!(slots.state().tenants.is_empty());
        let held: Vec<_> = (0..2).map(|_| slots.take(&a).unwrap()).collect();
        assert!(slots.take(&a).unwrap_err().retry_after_ms.is_some_and(|ms| (300..=400).contains(&ms)));
        drop(held);
        slots.close();
        assert_eq!(slots.take(&a).unwrap_err().message, "accept a task: the runtime is shutting down");
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
