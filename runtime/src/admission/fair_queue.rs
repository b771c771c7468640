//! Who comes first when not all can run. Pure.

use std::collections::{BTreeMap, VecDeque};

use playhouse_protocol::task::Priority;
use playhouse_protocol::{TaskId, TenantId};

/// How many of thirteen places a priority gets where all three wait.
const fn weight(priority: Priority) -> i64 {
    match priority {
        Priority::High => 8,
        Priority::Normal => 4,
        Priority::Low => 1,
    }
}

/// Entries that wait. Between priorities by weight, between the tenants of a priority in turn, within a tenant
/// first come, first served. Nobody waits for ever, and the order depends on what was asked alone.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    lanes: [Lane<T>; Priority::ALL.len()],
    /// Where each entry is, to take it out.
    places: BTreeMap<TaskId, Seat>,
    next: u64,
}

#[derive(Debug)]
struct Seat {
    lane: usize,
    tenant: TenantId,
    number: u64,
}

/// The entries of one priority.
#[derive(Debug)]
struct Lane<T> {
    tenants: BTreeMap<TenantId, BTreeMap<u64, (TaskId, T)>>,
    /// Tenants with entries, the next one first.
    turns: VecDeque<TenantId>,
    /// Grows by the lane's weight with each turn of all, and falls by the sum of weights when the lane is served.
    credit: i64,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { tenants: BTreeMap::new(), turns: VecDeque::new(), credit: 0 }
    }
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { lanes: std::array::from_fn(|_| Lane::default()), places: BTreeMap::new(), next: 0 }
    }
}

impl<T> FairQueue<T> {
    /// Adds an entry. An id is in the queue once at a time.
    pub(crate) fn push(&mut self, priority: Priority, tenant: TenantId, id: TaskId, item: T) {
        let lane = Priority::ALL.iter().position(|known| *known == priority).unwrap_or_default();
        let number = self.next;
        self.next += 1;
        if let Some(into) = self.lanes.get_mut(lane) {
            let entries = into.tenants.entry(tenant.clone()).or_default();
            if entries.is_empty() {
                into.turns.push_back(tenant.clone());
            }
            entries.insert(number, (id, item));
            self.places.insert(id, Seat { lane, tenant, number });
        }
    }

    /// The next entry.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (id, item) = self.next_lane()?.pop()?;
        self.places.remove(&id);
        Some(item)
    }

    /// Takes an entry out, wherever it is.
    pub(crate) fn remove(&mut self, id: TaskId) -> Option<T> {
        let Seat { lane, tenant, number } = self.places.remove(&id)?;
        let lane = self.lanes.get_mut(lane)?;
        let entries = lane.tenants.get_mut(&tenant)?;
        let (_, item) = entries.remove(&number)?;
        if entries.is_empty() {
            lane.tenants.remove(&tenant);
            lane.turns.retain(|waiting| *waiting != tenant);
        }
        Some(item)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The lane that is served next: smooth weighted round robin over those that have entries.
    fn next_lane(&mut self) -> Option<&mut Lane<T>> {
        let mut sum = 0;
        let mut best: Option<(i64, usize)> = None;
        for (at, (lane, priority)) in self.lanes.iter_mut().zip(Priority::ALL).enumerate() {
            if lane.tenants.is_empty() {
                lane.credit = 0;
                continue;
            }
            lane.credit += weight(priority);
            sum += weight(priority);
            if best.is_none_or(|(credit, _)| lane.credit > credit) {
                best = Some((lane.credit, at));
            }
        }
        let lane = self.lanes.get_mut(best?.1)?;
        lane.credit -= sum;
        Some(lane)
    }
}

impl<T> Lane<T> {
    fn pop(&mut self) -> Option<(TaskId, T)> {
        loop {
            let tenant = self.turns.pop_front()?;
            let Some(entries) = self.tenants.get_mut(&tenant) else { continue };
            let entry = entries.pop_first().map(|(_, entry)| entry);
            if entries.is_empty() {
                self.tenants.remove(&tenant);
            } else {
                self.turns.push_back(tenant);
            }
            if entry.is_some() {
                return entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use playhouse_protocol::SeededSource;
    use proptest::prelude::*;

    use super::*;

    fn tenant(number: u8) -> TenantId {
        TenantId::try_from(format!("t{number}")).unwrap()
    }

    fn ids(count: usize) -> Vec<TaskId> {
        let random = SeededSource::from_seed(1);
        (0..count).map(|at| TaskId::new(at as u64, &random)).collect()
    }

    #[test]
    fn where_all_wait_of_thirteen_places_eight_are_high_four_normal_and_one_low() {
        let mut queue = FairQueue::default();
        for (at, id) in ids(300).into_iter().enumerate() {
            let priority = Priority::ALL[at % 3];
            queue.push(priority, tenant(0), id, priority);
        }
        let mut served = |count: usize| {
            let mut counts = [0; 3];
            for _ in 0..count {
                let priority = queue.pop().unwrap();
                counts[Priority::ALL.iter().position(|known| *known == priority).unwrap()] += 1;
            }
            counts
        };
        assert_eq!(served(13), [8, 4, 1]);
        assert_eq!(served(39), [24, 12, 3]);
    }

    #[test]
    fn a_flood_of_one_tenant_delays_another_by_one_turn() {
        let mut queue = FairQueue::default();
        let ids = ids(1_001);
        for id in &ids[..1_000] {
            queue.push(Priority::Normal, tenant(0), *id, 0);
        }
        queue.push(Priority::Normal, tenant(1), ids[1_000], 1);
        let first: Vec<_> = (0..2).map(|_| queue.pop().unwrap()).collect();
        assert_eq!(first, [0, 1]);
    }

    #[derive(Debug, Clone)]
    enum Call {
        Push(u8, usize),
        Pop,
        Remove(usize),
    }

    fn calls() -> impl Strategy<Value = Vec<Call>> {
        let call = prop_oneof![
            3 => (0..4_u8, 0..3_usize).prop_map(|(tenant, lane)| Call::Push(tenant, lane)),
            2 => Just(Call::Pop),
            1 => (0..100_usize).prop_map(Call::Remove),
        ];
        prop::collection::vec(call, 0..100)
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled_and_each_tenant_is_served_in_its_order(calls in calls()) {
            let ids = ids(100);
            let mut queue = FairQueue::default();
            let mut waiting: BTreeMap<(usize, u8), BTreeSet<usize>> = BTreeMap::new();
            // How many entries of its lane were served since a tenant began to wait.
            let mut passed: BTreeMap<(usize, u8), usize> = BTreeMap::new();
            for (at, call) in calls.into_iter().enumerate() {
                match call {
                    Call::Push(name, lane) => {
                        queue.push(Priority::ALL[lane], tenant(name), ids[at], (lane, name, at));
                        waiting.entry((lane, name)).or_default().insert(at);
                    }
                    Call::Pop => match queue.pop() {
                        None => prop_assert!(waiting.values().all(BTreeSet::is_empty)),
                        Some((lane, name, entry)) => {
                            prop_assert_eq!(waiting.get_mut(&(lane, name)).unwrap().pop_first(), Some(entry));
                            for (key, entries) in &waiting {
                                let count = passed.entry(*key).or_default();
                                *count = if key.0 != lane { *count } else if entries.is_empty() || key.1 == name { 0 } else { *count + 1 };
                                prop_assert!(*count <= 4, "{:?} waits behind {} others", key, count);
                            }
                        }
                    },
                    Call::Remove(which) => {
                        let known = waiting.values_mut().any(|entries| entries.remove(&which));
                        prop_assert_eq!(queue.remove(ids[which]).is_some(), known);
                        for (key, entries) in &waiting {
                            if entries.is_empty() {
                                passed.insert(*key, 0);
                            }
                        }
                    }
                }
                prop_assert_eq!(queue.is_empty(), waiting.values().all(BTreeSet::is_empty));
                for lane in &queue.lanes {
                    let turns: BTreeSet<_> = lane.turns.iter().collect();
                    prop_assert_eq!(turns.len(), lane.turns.len());
                    prop_assert!(turns.into_iter().eq(lane.tenants.keys()));
                }
            }
            while queue.pop().is_some() {}
            prop_assert!(queue.places.is_empty());
            prop_assert!(queue.lanes.iter().all(|lane| lane.tenants.is_empty()));
        }
    }
}
