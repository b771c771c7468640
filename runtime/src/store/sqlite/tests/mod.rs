mod damage;
mod rows;
mod size;

use std::path::{Path, PathBuf};

use playhouse_protocol::task::TaskStatus;
use rusqlite::Connection;

use super::schema::{MIGRATIONS, VERSION, migrate};
use super::{SqliteStore, Writer};
use crate::store::conformance::samples::{accepted, ended, id, task};
use crate::store::{StoreErrorKind, TaskStore};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("journal.db")
    }
}

/// A journal with so many open tasks, closed.
async fn filled(path: &Path, tasks: u64) {
    let store = SqliteStore::open(path).unwrap();
    store.commit((0..tasks).map(|number| accepted(task(number))).collect()).await.unwrap();
    store.close().await.unwrap();
}

/// Opens a file that must be refused, and checks that it stays as it was.
fn refused(path: &Path) -> StoreErrorKind {
    let before = std::fs::read(path).unwrap();
    let error = SqliteStore::open(path).unwrap_err();
    assert_eq!(std::fs::read(path).unwrap(), before, "a refused file was changed");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert!(error.hint().is_some(), "{error}");
    let read_only = SqliteStore::open_read_only(path).unwrap_err();
    assert_eq!(read_only.kind, error.kind);
    error.kind
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = Folder::new();
    filled(&folder.journal(), 1).await;
    let connection = Connection::open(folder.journal()).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let expected = StoreErrorKind::Newer { found: VERSION + 1, supported: VERSION };
    assert_eq!(refused(&folder.journal()), expected);
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.journal(), "Dear diary, …".repeat(100)).unwrap();
    assert!(matches!(refused(&folder.journal()), StoreErrorKind::NotAJournal { .. }));
    std::fs::write(folder.journal(), "short").unwrap();
    assert!(matches!(refused(&folder.journal()), StoreErrorKind::NotAJournal { .. }));
    std::fs::remove_file(folder.journal()).unwrap();
    let connection = Connection::open(folder.journal()).unwrap();
    connection.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(connection);
    assert!(matches!(refused(&folder.journal()), StoreErrorKind::NotAJournal { .. }));
}

#[tokio::test]
async fn a_cut_or_damaged_file_is_refused() {
    let folder = Folder::new();
    filled(&folder.journal(), 500).await;
    let whole = std::fs::read(folder.journal()).unwrap();
    std::fs::write(folder.journal(), &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&folder.journal()), StoreErrorKind::Corrupt { .. }));
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..].fill(0xa5);
    std::fs::write(folder.journal(), damaged).unwrap();
    assert!(matches!(refused(&folder.journal()), StoreErrorKind::Corrupt { .. }));
    std::fs::write(folder.journal(), whole).unwrap();
    let store = SqliteStore::open(&folder.journal()).unwrap();
    assert_eq!(store.counts().await.unwrap().open, 500);
}

#[test]
fn a_folder_and_a_place_that_cannot_be_written_are_refused_and_an_empty_file_is_a_new_journal() {
    let folder = Folder::new();
    let error = SqliteStore::open(folder.0.path()).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::NotAJournal { message: "it is a folder".to_owned() });
    let file = folder.0.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(SqliteStore::open(&file.join("x")).unwrap_err().kind, StoreErrorKind::Io { .. }));
    assert!(SqliteStore::open(&file).is_ok());
    let below = folder.0.path().join("a").join("b").join("journal.db");
    assert!(SqliteStore::open(&below).is_ok());
    let missing = folder.0.path().join("missing.db");
    assert!(matches!(SqliteStore::open_read_only(&missing).unwrap_err().kind, StoreErrorKind::Io { .. }));
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_file_has_one_owner_and_any_number_of_readers() {
    let folder = Folder::new();
    let owner = SqliteStore::open(&folder.journal()).unwrap();
    assert_eq!(SqliteStore::open(&folder.journal()).unwrap_err().kind, StoreErrorKind::InUse);
    let reader = SqliteStore::open_read_only(&folder.journal()).unwrap();
    owner.commit(vec![accepted(task(1))]).await.unwrap();
    assert_eq!(reader.counts().await.unwrap().open, 1);
    let refused = reader.commit(vec![accepted(task(2))]).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::ReadOnly);
    owner.close().await.unwrap();
    assert_eq!(owner.commit(vec![accepted(task(2))]).await.unwrap_err().kind, StoreErrorKind::Closed);
    assert_eq!(owner.counts().await.unwrap().open, 1, "what is closed can be read");
    assert!(SqliteStore::open(&folder.journal()).is_ok());
}

#[tokio::test]
async fn a_full_disk_refuses_a_group_as_a_whole_and_takes_it_when_there_is_room() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.journal()).unwrap();
    let pages = |max: u32| {
        let Writer::Open { connection, .. } = &*store.0.writer.lock().unwrap() else { panic!("it is open") };
        connection.pragma_update_and_check(None, "max_page_count", max, |_| Ok(())).unwrap();
    };
    store.commit(vec![accepted(task(0))]).await.unwrap();
    pages(1);
    let group = || (1..500).map(|number| accepted(task(number))).collect::<Vec<_>>();
    let full = store.commit(group()).await.unwrap_err();
    assert_eq!(full.kind, StoreErrorKind::Full);
    assert!(full.is_transient());
    assert_eq!(store.counts().await.unwrap().open, 1);
    pages(1_000_000);
    store.commit(group()).await.unwrap();
    assert_eq!(store.counts().await.unwrap().open, 500);
}

#[tokio::test]
async fn a_copy_of_the_files_at_any_moment_holds_every_group_that_was_committed() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.journal()).unwrap();
    for number in 0..20 {
        store.commit(vec![accepted(task(number))]).await.unwrap();
        if number % 2 == 0 {
            store.commit(vec![ended(number, TaskStatus::Completed, 1)]).await.unwrap();
        }
        let image = Folder::new();
        for suffix in ["", "-wal"] {
            let name = format!("journal.db{suffix}");
            std::fs::copy(folder.0.path().join(&name), image.0.path().join(&name)).unwrap();
        }
        let copy = SqliteStore::open(&image.journal()).unwrap();
        assert_eq!(copy.counts().await.unwrap(), store.counts().await.unwrap());
        assert!(copy.task(id(number)).await.unwrap().is_some());
    }
}

#[test]
fn an_older_file_is_brought_to_the_present_version_in_one_go() {
    let folder = Folder::new();
    let mut connection = Connection::open(folder.journal()).unwrap();
    assert_eq!(MIGRATIONS.len(), VERSION as usize);
    migrate(&mut connection, MIGRATIONS).unwrap();
    let version = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(version(&connection), VERSION);
    let mut newer = MIGRATIONS.to_vec();
    newer.extend(["CREATE TABLE more (x)", "INSERT INTO nowhere VALUES (1)"]);
    assert!(migrate(&mut connection, &newer).is_err());
    assert_eq!(version(&connection), VERSION, "half a migration is none");
    newer[MIGRATIONS.len() + 1] = "INSERT INTO more VALUES (1)";
    migrate(&mut connection, &newer).unwrap();
    assert_eq!(version(&connection), VERSION + 2);
    migrate(&mut connection, &newer).unwrap();
    assert_eq!(connection.query_row("SELECT COUNT(*) FROM more", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}
