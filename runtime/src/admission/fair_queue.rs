//! temporary
use std::collections::VecDeque;
use playhouse_protocol::{TaskId, TenantId, task::Priority};
#[derive(Debug)]
pub(crate) struct FairQueue<T>(VecDeque<(TaskId, T)>);
impl<T> Default for FairQueue<T> { fn default() -> Self { Self(VecDeque::new()) } }
impl<T> FairQueue<T> {
    pub(crate) fn push(&mut self, _p: Priority, _t: TenantId, id: TaskId, item: T) { self.0.push_back((id, item)); }
    pub(crate) fn pop(&mut self) -> Option<T> { self.0.pop_front().map(|x| x.1) }
    pub(crate) fn remove(&mut self, id: TaskId) -> Option<T> { let at = self.0.iter().position(|x| x.0 == id)?; self.0.remove(at).map(|x| x.1) }
    pub(crate) fn len(&self) -> usize { self.0.len() }
    pub(crate) fn is_empty(&self) -> bool { self.0.is_empty() }
}
