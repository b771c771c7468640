use std::sync::Arc;

use playhouse_protocol::task::TaskStatus;
use proptest::prelude::*;

use super::conformance::RULES;
use super::conformance::samples::{accepted, ended, failed_attempt, id, keyed, reopened, step, task};
use super::{Entry, MemoryStore, Retention, SqliteStore, StoreError, TaskFilter, TaskStore};

#[tokio::test]
async fn the_store_in_memory_keeps_every_rule() {
    for (rule, check) in RULES {
        println!("{rule}");
        check(Arc::new(MemoryStore::default())).await;
    }
}

#[tokio::test]
async fn the_store_in_a_file_keeps_every_rule() {
    for (rule, check) in RULES {
        println!("{rule}");
        let folder = tempfile::tempdir().unwrap();
        check(Arc::new(SqliteStore::open(&folder.path().join("journal.db")).unwrap())).await;
    }
}

fn entry() -> impl Strategy<Value = Entry> {
    let number = 0..6_u64;
    let path = prop_oneof![Just("1"), Just("2"), Just("2.1")];
    let status = prop_oneof![
        Just(TaskStatus::Completed),
        Just(TaskStatus::Failed),
        Just(TaskStatus::Cancelled),
        Just(TaskStatus::DeadLettered),
    ];
    prop_oneof![
        3 => number.clone().prop_map(|number| accepted(task(number))),
        2 => (number.clone(), 0..2_u8).prop_map(|(number, key)| accepted(keyed(number, "acme", &key.to_string()))),
        4 => (number.clone(), path, prop::option::of("[ab]"), 0..3_u64)
            .prop_map(|(number, path, answer, at)| step(number, path, answer.as_deref(), at)),
        2 => (number.clone(), 1..3_u32).prop_map(|(number, attempt)| failed_attempt(number, attempt)),
        3 => (number.clone(), status, 0..5_u64).prop_map(|(number, status, at)| ended(number, status, at)),
        2 => number.clone().prop_map(reopened),
        1 => number.prop_map(|number| Entry::Discarded { task: id(number) }),
    ]
}

/// Everything that can be read of a store, as a text.
async fn all(store: &dyn TaskStore) -> Result<String, StoreError> {
    let mut told =
        vec![format!("{:?}", store.counts().await?), format!("{:?}", store.open_tasks(None, 100).await?)];
    for task in store.list(TaskFilter::default()).await? {
        let id = task.id;
        let steps = store.steps(id).await?;
        told.push(format!("{task:?} {:?} {:?}", store.request(id).await?, store.reply(id).await?));
        for step in steps {
            told.push(format!("{step:?} {:?}", store.step_input(id, step.path.clone()).await?));
        }
    }
    Ok(told.join("\n"))
}

/// Both stores, step by step; the file is closed and opened again between groups.
async fn compare(groups: Vec<Vec<Entry>>) -> Result<(), StoreError> {
    let folder = folder();
    let path = folder.path().join("journal.db");
    let memory = MemoryStore::default();
    let mut expected = String::new();
    for group in groups {
        let file = SqliteStore::open(&path)?;
        assert_eq!(all(&file).await?, if expected.is_empty() { all(&memory).await? } else { expected });
        let receptions = memory.commit(group.clone()).await?;
        assert_eq!(file.commit(group).await?, receptions);
        let retention = Retention { ended_before_unix_ms: Some(1), ended_max: Some(4) };
        assert_eq!(file.prune(retention, 2).await?, memory.prune(retention, 2).await?);
        expected = all(&memory).await?;
        assert_eq!(all(&file).await?, expected);
        file.close().await?;
    }
    // Nothing is left of what nobody has any more.
    let file = SqliteStore::open(&path)?;
    let everything: Vec<_> = (0..6)
        .flat_map(|number| [ended(number, TaskStatus::Completed, 9), Entry::Discarded { task: id(number) }])
        .collect();
    file.commit(everything.clone()).await?;
    memory.commit(everything).await?;
    assert_eq!(memory.bytes_len().await?, 0);
    file.close().await?;
    assert_eq!(rows(&path), 0);
    Ok(())
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Rows that belong to no task of their own.
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn rows(path: &std::path::Path) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    let rows =
        "SELECT (SELECT COUNT(*) FROM pieces) + (SELECT COUNT(*) FROM chains) + (SELECT COUNT(*) FROM steps)";
    connection.query_row(rows, [], |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_are_one_and_the_same(groups in prop::collection::vec(prop::collection::vec(entry(), 0..12), 1..5)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(compare(groups)).unwrap();
    }
}
