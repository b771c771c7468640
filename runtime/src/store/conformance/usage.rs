//! What was used.

use std::collections::BTreeMap;
use std::sync::Arc;

use playhouse_protocol::journal::StepKind;
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{TenantId, Usage};

use super::super::{Entry, TaskStore};
use super::samples::{accepted, ended, keyed, step, task};

pub(super) async fn since(store: Arc<dyn TaskStore>) {
    const DAY_MS: u64 = 86_400_000;
    assert!(store.usage_since(0).await.unwrap().is_empty());
    let of_another_kind = |mut entry: Entry| {
        if let Entry::StepEnded { step, .. } = &mut entry {
            step.kind = StepKind::AgentCall { agent: "sample".to_owned() };
        }
        entry
    };
    let group = vec![
        accepted(task(0)),
        accepted(keyed(1, "acme", "k")),
        step(0, "1", Some("yesterday"), DAY_MS - 1),
        step(1, "1", Some("long ago"), 1),
        step(0, "2", Some("at midnight"), DAY_MS),
        step(0, "3", None, DAY_MS + 1),
        of_another_kind(step(0, "4", Some("what other steps used"), DAY_MS + 2)),
        step(1, "2", Some("later"), DAY_MS + 3),
        step(1, "3", Some("written late"), DAY_MS - 2),
        step(0, "5", Some("later"), DAY_MS + 4),
        ended(0, TaskStatus::Completed, DAY_MS + 5),
    ];
    store.commit(group).await.unwrap();
    let used = store.usage_since(DAY_MS).await.unwrap();
    let calls = |model_calls| Usage { model_calls, ..Usage::default() };
    let acme = TenantId::try_from("acme".to_owned()).unwrap();
    assert_eq!(used, BTreeMap::from([(acme, calls(1)), (TenantId::default(), calls(2))]));
}
