//! Reading back.

use std::sync::Arc;

use playhouse_protocol::journal::StepPath;
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{TenantId, Usage};

use super::super::{Reception, StatusCounts, TaskFilter, TaskStore};
use super::samples::{self, ended, failed_attempt, failure, id, keyed, step, task};

pub(super) async fn accepted_then(store: &Arc<dyn TaskStore>, numbers: std::ops::Range<u64>) {
    let entries = numbers.map(|number| samples::accepted(task(number))).collect();
    let receptions = store.commit(entries).await.unwrap();
    assert!(receptions.iter().all(|reception| *reception == Reception::Written));
}

pub(super) async fn accepted(store: Arc<dyn TaskStore>) {
    let mut one = keyed(1, "acme", "k");
    one.parent = Some(id(9));
    one.options.timeout_ms = Some(5);
    let group = vec![samples::accepted(one.clone()), step(1, "1", Some("yes"), 3), failed_attempt(1, 1)];
    store.commit(group).await.unwrap();
    let read = store.task(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (read.id, &read.kind, &read.options, read.parent),
        (one.id, &one.kind, &one.options, one.parent)
    );
    assert_eq!((read.submitted_unix_ms, read.deadline_unix_ms), (1_001, 9_001));
    assert_eq!((read.status, read.steps_len, read.attempts), (TaskStatus::Queued, 1, 1));
    assert_eq!((read.ended_unix_ms, read.usage, &read.failure), (None, Usage::default(), &None));
    assert_eq!(read.failed_attempts[0].failure, failure("attempt"));
    assert_eq!(store.request(id(1)).await.unwrap().unwrap(), one.request);
    assert_eq!(store.reply(id(1)).await.unwrap(), None);

    store.commit(vec![ended(1, TaskStatus::Failed, 4_000)]).await.unwrap();
    let read = store.task(id(1)).await.unwrap().unwrap();
    assert_eq!((read.status, read.attempts, read.ended_unix_ms), (TaskStatus::Failed, 2, Some(4_000)));
    assert_eq!((read.usage.model_calls, read.failure), (3, Some(failure("end"))));
    assert_eq!(store.counts().await.unwrap(), StatusCounts { failed: 1, ..StatusCounts::default() });
}

pub(super) async fn pages(store: Arc<dyn TaskStore>) {
    // Written in another order than that of their ids.
    accepted_then(&store, 5..10).await;
    accepted_then(&store, 0..5).await;
    store.commit(vec![ended(3, TaskStatus::Completed, 5_000)]).await.unwrap();
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = store.open_tasks(after, 4).await.unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        read.extend(page.into_iter().map(|task| task.id));
    }
    let expected: Vec<_> = (0..10).filter(|number| *number != 3).map(id).collect();
    assert_eq!(read, expected);
}

pub(super) async fn filters(store: Arc<dyn TaskStore>) {
    accepted_then(&store, 0..3).await;
    let mut other = task(3);
    "other".clone_into(&mut other.kind);
    other.parent = Some(id(0));
    store.commit(vec![samples::accepted(other), samples::accepted(keyed(4, "acme", "k"))]).await.unwrap();
    store
        .commit(vec![ended(1, TaskStatus::Completed, 5_000), ended(2, TaskStatus::DeadLettered, 5_000)])
        .await
        .unwrap();
    let list = async |filter: TaskFilter| {
        let listed = store.list(filter).await.unwrap();
        listed.into_iter().map(|task| task.id).collect::<Vec<_>>()
    };
    let ids = |numbers: &[u64]| numbers.iter().map(|number| id(*number)).collect::<Vec<_>>();
    let all = TaskFilter::default;
    assert_eq!(list(all()).await, ids(&[4, 3, 2, 1, 0]));
    assert_eq!(list(TaskFilter { limit: 2, before: Some(id(3)), ..all() }).await, ids(&[2, 1]));
    assert_eq!(list(TaskFilter { statuses: vec![TaskStatus::Running], ..all() }).await, ids(&[4, 3, 0]));
    let two = vec![TaskStatus::Completed, TaskStatus::DeadLettered];
    assert_eq!(list(TaskFilter { statuses: two, ..all() }).await, ids(&[2, 1]));
    assert_eq!(list(TaskFilter { kind: Some("other".to_owned()), ..all() }).await, ids(&[3]));
    assert_eq!(list(TaskFilter { parent: Some(id(0)), ..all() }).await, ids(&[3]));
    let acme = TenantId::try_from("acme".to_owned()).unwrap();
    assert_eq!(list(TaskFilter { tenant: Some(acme), ..all() }).await, ids(&[4]));
    assert_eq!(list(TaskFilter { limit: 0, ..all() }).await, ids(&[]));
}

pub(super) async fn unknown(store: Arc<dyn TaskStore>) {
    assert_eq!(store.task(id(1)).await.unwrap(), None);
    assert_eq!(store.request(id(1)).await.unwrap(), None);
    assert_eq!(store.reply(id(1)).await.unwrap(), None);
    assert!(store.steps(id(1)).await.unwrap().is_empty());
    assert_eq!(store.step_input(id(1), StepPath::root().child(1)).await.unwrap(), None);
    assert!(store.open_tasks(None, 10).await.unwrap().is_empty());
    assert_eq!(store.counts().await.unwrap().total(), 0);
    assert!(store.commit(Vec::new()).await.unwrap().is_empty());
}
