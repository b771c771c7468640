//! Arms that were taken out of their split.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{PoisonError, RwLock};

use playhouse_protocol::TaskId;

/// Tasks whose arm is remembered, the latest of them: four times as many as run at once where the settings say nothing.
const TASKS_MAX: usize = 4_096;

/// Which arms of which splits take no more tasks, and which tasks had theirs before. Owned by
/// [`Performance`](super::Performance).
#[derive(Debug, Default)]
pub(crate) struct Arms(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    /// Why, by type of task and arm.
    stopped: BTreeMap<(String, String), String>,
    /// The arm of a task of a type: a task under way keeps its own.
    under_way: BTreeMap<(TaskId, String), String>,
    /// The same tasks, the oldest first.
    order: VecDeque<(TaskId, String)>,
}

impl Arms {
    /// Takes an arm out of the split of a type of task. Whether it was in it until now.
    pub(crate) fn stop(&self, task_type: &str, arm: &str, reason: &str) -> bool {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.stopped.insert((task_type.to_owned(), arm.to_owned()), reason.to_owned()).is_none()
    }

    /// Puts it back. Whether it was out until now.
    pub(crate) fn resume(&self, task_type: &str, arm: &str) -> bool {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.stopped.remove(&(task_type.to_owned(), arm.to_owned())).is_some()
    }

    /// Why an arm takes no tasks, or not this one; `None` where it does.
    pub(crate) fn stopped(&self, task_type: &str, arm: &str, task: Option<TaskId>) -> Option<String> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.stopped.is_empty() {
            return None;
        }
        let reason = state.stopped.get(&(task_type.to_owned(), arm.to_owned()))?;
        let own = task.and_then(|task| state.under_way.get(&(task, task_type.to_owned())));
        (own.map(String::as_str) != Some(arm)).then(|| reason.clone())
    }

    /// Notes the arm of a task, unless it has one.
    pub(crate) fn took(&self, task_type: &str, arm: &str, task: TaskId) {
        let key = (task, task_type.to_owned());
        if self.0.read().unwrap_or_else(PoisonError::into_inner).under_way.contains_key(&key) {
            return;
        }
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.under_way.insert(key.clone(), arm.to_owned()).is_none() {
            state.order.push_back(key);
        }
        while state.order.len() > TASKS_MAX {
            if let Some(oldest) = state.order.pop_front() {
                state.under_way.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::SeededSource;

    use super::*;

    #[test]
    fn a_stopped_arm_takes_only_tasks_that_it_had_before() {
        let (arms, random) = (Arms::default(), SeededSource::from_seed(1));
        let [old, new] = [TaskId::new(1, &random), TaskId::new(2, &random)];
        arms.took("review", "b", old);
        assert!(arms.stop("review", "b", "it does worse") && !arms.stop("review", "b", "it does worse"));
        assert_eq!(arms.stopped("review", "b", Some(old)), None);
        assert_eq!(arms.stopped("review", "b", Some(new)).as_deref(), Some("it does worse"));
        assert!(arms.stopped("review", "b", None).is_some());
        assert_eq!(arms.stopped("generate", "b", Some(new)), None, "another type of task");
        assert_eq!(arms.stopped("review", "a", Some(new)), None, "another arm");
        assert!(arms.resume("review", "b") && !arms.resume("review", "b"));
        assert_eq!(arms.stopped("review", "b", Some(new)), None);
    }

    #[test]
    fn no_more_tasks_are_remembered_than_the_bound() {
        let (arms, random) = (Arms::default(), SeededSource::from_seed(1));
        let ids: Vec<_> = (0..=TASKS_MAX as u64).map(|number| TaskId::new(number, &random)).collect();
        ids.iter().for_each(|id| arms.took("review", "b", *id));
        ids.iter().for_each(|id| arms.took("review", "b", *id));
        arms.stop("review", "b", "it does worse");
        let state = arms.0.read().unwrap();
        assert_eq!((state.under_way.len(), state.order.len()), (TASKS_MAX, TASKS_MAX));
    }
}
