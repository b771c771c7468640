//! What a crash leaves is taken, and what a crash cannot leave is refused.

use std::path::Path;

use rusqlite::Connection;

use super::{Folder, refused};
use crate::store::conformance::samples::{accepted, id, task};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::open::PAGE_BYTES;
use crate::store::sqlite::schema::{MIGRATIONS, VERSION, migrate};
use crate::store::{StoreErrorKind, TaskStore};

/// Copies the files of a journal as they are: what a process that is killed now leaves.
fn image(folder: &Folder) -> Folder {
    let image = Folder::new();
    for suffix in ["", "-wal", "-journal"] {
        let name = format!("journal.db{suffix}");
        if folder.0.path().join(&name).exists() {
            std::fs::copy(folder.0.path().join(&name), image.0.path().join(&name)).unwrap();
        }
    }
    image
}

fn wal(folder: &Folder) -> std::path::PathBuf {
    folder.0.path().join("journal.db-wal")
}

/// A journal with so many open tasks, one commit each, all of which stand in its write-ahead log.
async fn written(tasks: u64) -> (Folder, SqliteStore) {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.journal()).unwrap();
    store.checkpoint().await.unwrap();
    for number in 0..tasks {
        store.commit(vec![accepted(task(number))]).await.unwrap();
    }
    (folder, store)
}

async fn open_len(path: &Path) -> Result<u64, StoreErrorKind> {
    let read_only = SqliteStore::open_read_only(path).map_err(|error| error.kind)?;
    let seen = read_only.counts().await.unwrap().open;
    drop(read_only);
    let store = SqliteStore::open(path).map_err(|error| error.kind)?;
    let open = store.counts().await.unwrap().open;
    assert_eq!(seen, open, "a reader sees what the next owner sees");
    for number in 0..open {
        assert!(store.task(id(number)).await.unwrap().is_some(), "task {number} of {open} is gone");
    }
    Ok(open)
}

#[tokio::test]
async fn a_crash_within_a_checkpoint_loses_nothing() {
    let (folder, store) = written(100).await;
    let crashed = image(&folder);
    let len_before = std::fs::metadata(folder.journal()).unwrap().len();
    store.checkpoint().await.unwrap();
    // The first page was written, with the number of pages to come, and the file had not grown.
    let whole = std::fs::read(folder.journal()).unwrap();
    assert!(whole.len() as u64 > len_before);
    std::fs::write(crashed.journal(), &whole[..usize::try_from(len_before).unwrap()]).unwrap();
    assert_eq!(open_len(&crashed.journal()).await, Ok(100));
}

#[tokio::test]
async fn a_log_that_ends_anywhere_is_taken_up_to_its_last_whole_commit() {
    let (folder, _store) = written(12).await;
    let log = std::fs::read(wal(&folder)).unwrap();
    let mut before = 0;
    for len in (0..log.len()).step_by(1_111).chain([log.len()]) {
        let torn = image(&folder);
        std::fs::write(wal(&torn), &log[..len]).unwrap();
        let open = open_len(&torn.journal()).await.unwrap();
        assert!(open >= before);
        before = open;
    }
    assert_eq!(before, 12);
}

#[tokio::test]
async fn damage_in_a_log_is_refused_wherever_another_commit_stands_behind_it() {
    let (folder, _store) = written(12).await;
    let log = std::fs::read(wal(&folder)).unwrap();
    let last_commit = last_commit(&log);
    for at in (0..log.len() - 8).step_by(613).chain(8..64) {
        let damaged = image(&folder);
        let mut bytes = log.clone();
        bytes[at..at + 8].iter_mut().for_each(|byte| *byte ^= 0xa5);
        std::fs::write(wal(&damaged), &bytes).unwrap();
        if at + 8 <= last_commit {
            let kind = refused(&damaged.journal());
            assert!(matches!(kind, StoreErrorKind::Corrupt { .. }), "{kind:?}");
            assert_eq!(std::fs::read(wal(&damaged)).unwrap(), bytes, "a refused log was changed");
        } else {
            // The last commit looks as one that was not finished.
            assert!(open_len(&damaged.journal()).await.unwrap() >= 11);
        }
    }
}

/// Where the frames of the last commit begin.
fn last_commit(log: &[u8]) -> usize {
    let frame = 24 + PAGE_BYTES as usize;
    let frames = (32..log.len()).step_by(frame);
    let commits: Vec<_> = frames.filter(|at| log[at + 4..at + 8] != [0; 4]).collect();
    commits[commits.len() - 2] + frame
}

#[tokio::test]
async fn a_log_that_began_again_is_taken_with_what_is_left_of_before() {
    let (folder, store) = written(40).await;
    let connection = Connection::open(folder.journal()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    for number in 40..45 {
        store.commit(vec![accepted(task(number))]).await.unwrap();
    }
    assert_eq!(open_len(&image(&folder).journal()).await, Ok(45));
}

#[tokio::test]
async fn a_log_without_its_file_is_refused() {
    let (folder, _store) = written(3).await;
    let without = image(&folder);
    std::fs::write(without.journal(), "").unwrap();
    let error = SqliteStore::open(&without.journal()).unwrap_err();
    assert!(matches!(error.kind, StoreErrorKind::Corrupt { .. }), "{error}");
    std::fs::remove_file(without.journal()).unwrap();
    let error = SqliteStore::open(&without.journal()).unwrap_err();
    assert!(matches!(error.kind, StoreErrorKind::Corrupt { .. }), "{error}");
    assert_eq!(std::fs::read(wal(&without)).unwrap(), std::fs::read(wal(&folder)).unwrap());
}

#[tokio::test]
async fn a_file_without_its_log_holds_what_was_brought_into_it() {
    let (folder, store) = written(3).await;
    store.checkpoint().await.unwrap();
    store.commit(vec![accepted(task(3))]).await.unwrap();
    let without = image(&folder);
    std::fs::remove_file(wal(&without)).unwrap();
    assert_eq!(open_len(&without.journal()).await, Ok(3));
}

#[tokio::test]
async fn a_newer_version_that_stands_in_the_log_alone_is_refused() {
    let (folder, _store) = written(3).await;
    let connection = Connection::open(folder.journal()).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
    let newer = image(&folder);
    let log = std::fs::read(wal(&newer)).unwrap();
    assert_eq!(refused(&newer.journal()), StoreErrorKind::Newer { found: VERSION + 1, supported: VERSION });
    assert_eq!(std::fs::read(wal(&newer)).unwrap(), log, "a refused log was changed");
}

#[test]
fn a_newer_version_is_not_made_an_older_one() {
    let folder = Folder::new();
    let mut connection = Connection::open(folder.journal()).unwrap();
    migrate(&mut connection, MIGRATIONS).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
    assert!(migrate(&mut connection, MIGRATIONS).is_err());
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, VERSION + 1);
}

#[tokio::test]
async fn a_crash_within_the_first_migration_leaves_a_new_journal() {
    let folder = Folder::new();
    let mut connection = Connection::open(folder.journal()).unwrap();
    connection.pragma_update(None, "page_size", PAGE_BYTES).unwrap();
    // So little memory that pages go to the file before the end.
    connection.pragma_update(None, "cache_size", 1).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch(MIGRATIONS[0]).unwrap();
    transaction
        .execute_batch("INSERT INTO pieces (hash, refs, bytes) VALUES ('x', 0, zeroblob(1000000))")
        .unwrap();
    let crashed = image(&folder);
    assert!(std::fs::metadata(crashed.journal()).unwrap().len() > 0);
    let error = SqliteStore::open_read_only(&crashed.journal()).unwrap_err();
    assert!(matches!(error.kind, StoreErrorKind::Io { .. } | StoreErrorKind::NotAJournal { .. }), "{error}");
    let store = SqliteStore::open(&crashed.journal()).unwrap();
    assert_eq!(store.counts().await.unwrap().total(), 0);
    store.commit(vec![accepted(task(0))]).await.unwrap();

    // Its first page was written, and the others were not.
    transaction.rollback().unwrap();
    migrate(&mut connection, MIGRATIONS).unwrap();
    drop(connection);
    let whole = std::fs::read(folder.journal()).unwrap();
    let begun = Folder::new();
    std::fs::write(begun.journal(), &whole[..PAGE_BYTES as usize]).unwrap();
    let undo = std::fs::read(crashed.0.path().join("journal.db-journal"));
    assert!(undo.is_err(), "what was taken back is done with");
    std::fs::write(begun.0.path().join("journal.db-journal"), image_of_nothing()).unwrap();
    let store = SqliteStore::open(&begun.journal()).unwrap();
    assert_eq!(store.counts().await.unwrap().total(), 0);
}

/// A rollback journal of a file that was empty: its header alone.
fn image_of_nothing() -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..8].copy_from_slice(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7");
    bytes[20..24].copy_from_slice(&512_u32.to_be_bytes());
    bytes[24..28].copy_from_slice(&PAGE_BYTES.to_be_bytes());
    bytes
}

#[tokio::test]
async fn a_journal_is_read_while_it_is_written_and_brought_into_its_file() {
    let (folder, store) = written(1).await;
    let mut writer = tokio::task::JoinSet::new();
    writer.spawn(async move {
        for number in 1..150 {
            store.commit(vec![accepted(task(number))]).await.unwrap();
            if number % 5 == 0 {
                store.checkpoint().await.unwrap();
            }
        }
    });
    let mut before = 0;
    let ended = loop {
        if let Some(ended) = writer.try_join_next() {
            break ended;
        }
        let path = folder.journal();
        let reader = tokio::task::spawn_blocking(move || SqliteStore::open_read_only(&path)).await.unwrap();
        let open = reader.unwrap().counts().await.unwrap().open;
        assert!(open >= before);
        before = open;
    };
    ended.unwrap();
}
