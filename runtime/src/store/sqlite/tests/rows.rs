//! One row that cannot be read hides none of the others.

use playhouse_protocol::TaskId;
use playhouse_protocol::envelope::{self, Wire};
use playhouse_protocol::task::{TaskOptions, TaskStatus};
use rusqlite::Connection;

use super::{Folder, filled};
use crate::store::conformance::samples::{ended, id};
use crate::store::sqlite::SqliteStore;
use crate::store::{StoreErrorKind, StoredTask, TaskFilter, TaskStore};

fn set(folder: &Folder, number: u64, column: &str, value: &[u8]) {
    let connection = Connection::open(folder.journal()).unwrap();
    let sql = format!("UPDATE tasks SET {column} = ?1 WHERE id = ?2");
    assert_eq!(connection.execute(&sql, (value, &id(number).as_bytes()[..])).unwrap(), 1);
}

/// What a later program writes where this one writes options.
#[derive(serde::Serialize, serde::Deserialize)]
struct Later;

impl Wire for Later {
    const KIND: u16 = TaskOptions::KIND;
    const VERSION: u8 = TaskOptions::VERSION + 7;
}

fn ids(tasks: &[StoredTask]) -> Vec<TaskId> {
    tasks.iter().map(|task| task.id).collect()
}

#[tokio::test]
async fn a_damaged_task_is_left_out_and_stays_in_the_file() {
    let folder = Folder::new();
    filled(&folder.journal(), 5).await;
    // The first page of two holds nothing else.
    set(&folder, 0, "options", b"?");
    set(&folder, 1, "deadline", b"late");
    set(&folder, 3, "options", b"");
    let store = SqliteStore::open(&folder.journal()).unwrap();
    assert_eq!(ids(&store.open_tasks(None, 2).await.unwrap()), [id(2), id(4)]);
    assert_eq!(ids(&store.open_tasks(Some(id(2)), 2).await.unwrap()), [id(4)]);
    let page = TaskFilter { limit: 1, before: Some(id(4)), ..TaskFilter::default() };
    assert_eq!(ids(&store.list(page).await.unwrap()), [id(2)]);
    let error = store.task(id(0)).await.unwrap_err();
    assert!(matches!(error.kind, StoreErrorKind::Corrupt { .. }), "{error}");
    assert_eq!(store.counts().await.unwrap().open, 5);
    store.commit(vec![ended(0, TaskStatus::Cancelled, 5)]).await.unwrap();
}

#[tokio::test]
async fn a_value_of_another_version_is_told_as_that() {
    let folder = Folder::new();
    filled(&folder.journal(), 2).await;
    set(&folder, 0, "options", &envelope::encode(&Later).unwrap());
    let store = SqliteStore::open(&folder.journal()).unwrap();
    let error = store.task(id(0)).await.unwrap_err();
    let (found, supported) = (Later::VERSION, TaskOptions::VERSION);
    assert_eq!(error.kind, StoreErrorKind::OtherVersion { value: "TaskOptions", found, supported });
    let told = format!("was written as version {found}, this program reads version {supported}");
    assert!(error.to_string().ends_with(&told), "{error}");
    assert_eq!(ids(&store.open_tasks(None, 9).await.unwrap()), [id(1)]);
}
