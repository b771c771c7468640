//! Keys, ends, and what goes.

use std::sync::Arc;

use playhouse_protocol::journal::Payload;
use playhouse_protocol::task::TaskStatus;

use super::super::{Entry, Reception, Retention, TaskStore};
use super::reading::accepted_then;
use super::samples::{self, accepted, ended, failed_attempt, id, keyed, step, task};

pub(super) async fn keys(store: Arc<dyn TaskStore>) {
    let same = |number| {
        let mut same = keyed(number, "acme", "k");
        same.request = Payload::single(*b"the same");
        accepted(same)
    };
    let other_kind = {
        let mut other = keyed(4, "acme", "k");
        (other.kind, other.request) = ("other".to_owned(), Payload::single(*b"the same"));
        accepted(other)
    };
    // Also within one group.
    let group =
        vec![same(1), same(2), accepted(keyed(3, "acme", "k")), other_kind, accepted(keyed(5, "b", "k"))];
    let taken = |same_request| Reception::KeyTaken { task: id(1), same_request };
    let expected = [Reception::Written, taken(true), taken(false), taken(false), Reception::Written];
    assert_eq!(store.commit(group).await.unwrap(), expected);
    assert_eq!(store.commit(vec![same(1), same(6)]).await.unwrap(), [Reception::Written, taken(true)]);
    store.commit(vec![ended(1, TaskStatus::Completed, 5_000)]).await.unwrap();
    assert_eq!(store.commit(vec![same(7)]).await.unwrap(), [taken(true)]);
    assert_eq!(store.counts().await.unwrap().total(), 2);
}

pub(super) async fn immutable(store: Arc<dyn TaskStore>) {
    accepted_then(&store, 0..1).await;
    let end = || ended(0, TaskStatus::Completed, 5_000);
    assert_eq!(store.commit(vec![end(), end()]).await.unwrap(), [Reception::Written; 2]);
    let settled = Reception::Settled(TaskStatus::Completed);
    let late =
        vec![ended(0, TaskStatus::Cancelled, 6_000), step(0, "1", Some("late"), 3), failed_attempt(0, 1)];
    assert_eq!(store.commit(late).await.unwrap(), [settled; 3]);
    let read = store.task(id(0)).await.unwrap().unwrap();
    assert_eq!((read.status, read.ended_unix_ms, read.steps_len), (TaskStatus::Completed, Some(5_000), 0));
    assert_eq!(store.reply(id(0)).await.unwrap().unwrap(), Payload::single(*b"reply 0"));
}

pub(super) async fn reopened(store: Arc<dyn TaskStore>) {
    accepted_then(&store, 0..2).await;
    let group = vec![
        step(0, "1", Some("one"), 1),
        step(0, "2", None, 2),
        step(0, "3.1", None, 3),
        step(0, "3.2", Some("may rest on 2 and 3.1"), 4),
        step(0, "3.3", None, 5),
        step(0, "3", None, 6),
        failed_attempt(0, 1),
        ended(0, TaskStatus::DeadLettered, 5_000),
    ];
    store.commit(group).await.unwrap();
    let group = [0, 0, 1].map(samples::reopened).to_vec();
    let receptions = store.commit(group).await;
    let expected = [Reception::Written, Reception::Written, Reception::NotApplicable];
    assert_eq!(receptions.unwrap(), expected, "the same entry once more, and a task that is no dead letter");
    let Entry::Reopened { task, attempts_max, unix_ms, .. } = samples::reopened(0) else { unreachable!() };
    let other = Entry::Reopened { task, deadline_unix_ms: 88_000, attempts_max, unix_ms };
    assert_eq!(store.commit(vec![other]).await.unwrap(), [Reception::NotApplicable]);
    let read = store.task(id(0)).await.unwrap().unwrap();
    assert_eq!(
        (read.status, read.deadline_unix_ms, read.options.attempts_max),
        (TaskStatus::Queued, 77_000, Some(9))
    );
    assert_eq!((read.failed_attempts.len(), read.failure, read.ended_unix_ms), (1, None, None));
    let steps = store.steps(id(0)).await.unwrap();
    let places: Vec<_> = steps.iter().map(|step| step.path.to_string()).collect();
    assert_eq!(places, ["1", "2", "3.1", "3.2"], "what was done is not done again");
    store.commit(vec![step(0, "3.3", Some("again"), 7), step(0, "3", Some("three"), 8)]).await.unwrap();
    assert_eq!(store.open_tasks(None, 9).await.unwrap().len(), 2);
    assert_eq!(store.counts().await.unwrap().open, 2);
    assert_eq!(
        store.commit(vec![ended(0, TaskStatus::Completed, 6_000)]).await.unwrap(),
        [Reception::Written]
    );
}

pub(super) async fn discarded(store: Arc<dyn TaskStore>) {
    let discard = |number| Entry::Discarded { task: id(number) };
    store.commit(vec![accepted(keyed(0, "acme", "k")), step(0, "1", Some("one"), 1)]).await.unwrap();
    assert_eq!(store.commit(vec![discard(0), discard(1)]).await.unwrap(), [Reception::NotApplicable; 2]);
    store.commit(vec![ended(0, TaskStatus::DeadLettered, 5_000), discard(0)]).await.unwrap();
    assert_eq!((store.task(id(0)).await.unwrap(), store.counts().await.unwrap().total()), (None, 0));
    assert!(store.steps(id(0)).await.unwrap().is_empty());
    assert_eq!(store.commit(vec![accepted(keyed(2, "acme", "k"))]).await.unwrap(), [Reception::Written]);
}

pub(super) async fn pruned(store: Arc<dyn TaskStore>) {
    accepted_then(&store, 0..8).await;
    let mut part = task(8);
    part.parent = Some(id(7));
    let mut orphan = task(9);
    orphan.parent = Some(id(77));
    store.commit(vec![accepted(part), accepted(orphan)]).await.unwrap();
    let ends = [
        (0, TaskStatus::Completed, 100),
        (1, TaskStatus::Failed, 200),
        (2, TaskStatus::Cancelled, 300),
        (3, TaskStatus::DeadLettered, 100),
        (4, TaskStatus::Completed, 400),
        (5, TaskStatus::Completed, 500),
        (8, TaskStatus::Completed, 100),
        (9, TaskStatus::Completed, 150),
    ];
    store
        .commit(ends.iter().map(|(number, status, at)| ended(*number, *status, *at)).collect())
        .await
        .unwrap();
    let left = async || {
        let all = super::super::TaskFilter::default();
        let mut left: Vec<_> = store.list(all).await.unwrap().into_iter().map(|task| task.id).collect();
        left.sort();
        left
    };
    let ids = |numbers: &[u64]| numbers.iter().map(|number| id(*number)).collect::<Vec<_>>();
    let nothing = Retention::default();
    assert_eq!(store.prune(nothing, 100).await.unwrap(), 0);
    // The dead letter, the open ones and the part of an open one stay; the bound of a round is kept.
    let old = Retention { ended_before_unix_ms: Some(300), ..nothing };
    assert_eq!(store.prune(old, 2).await.unwrap(), 2);
    assert_eq!(left().await, ids(&[1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(store.prune(old, 100).await.unwrap(), 1);
    assert_eq!(left().await, ids(&[2, 3, 4, 5, 6, 7, 8]));
    let many = Retention { ended_max: Some(2), ..nothing };
    assert_eq!(store.prune(many, 100).await.unwrap(), 2);
    assert_eq!(left().await, ids(&[3, 5, 6, 7, 8]));
    store.commit(vec![ended(7, TaskStatus::Completed, 600)]).await.unwrap();
    let old = Retention { ended_before_unix_ms: Some(700), ..nothing };
    assert_eq!(store.prune(old, 100).await.unwrap(), 2, "a part goes in the round behind its whole");
    assert_eq!(store.prune(old, 100).await.unwrap(), 1);
    assert_eq!(left().await, ids(&[3, 6]));
    assert_eq!(store.counts().await.unwrap().total(), 2);
}
