use std::path::{Path, PathBuf};
use std::sync::Arc;

use playhouse_actors::chat::conformance::{RULES, id, turn};
use playhouse_actors::chat::{ConversationErrorKind, ConversationStore};
use playhouse_protocol::chat::Conversation;
use rusqlite::Connection;

use super::SqliteConversations;
use super::schema::VERSION;

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("state").join("conversations.db")
}

#[tokio::test]
async fn the_store_in_a_file_keeps_every_rule() {
    for (rule, check) in RULES {
        println!("{rule}");
        let folder = tempfile::tempdir().unwrap();
        check(Arc::new(SqliteConversations::open(&file(&folder)).unwrap())).await;
    }
}

/// A file with a conversation of so many turns, closed.
async fn filled(path: &Path, turns: u64) {
    let store = SqliteConversations::open(path).unwrap();
    store.create(Conversation::new(id(1), 1)).await.unwrap();
    for number in 0..turns {
        store.append(id(1), turn(number)).await.unwrap();
    }
}

/// Opens a file that must be refused, and checks that it stays as it was.
fn refused(path: &Path) -> ConversationErrorKind {
    let before = std::fs::read(path).unwrap();
    let error = SqliteConversations::open(path).unwrap_err();
    assert_eq!(std::fs::read(path).unwrap(), before, "a refused file was changed");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert!(error.hint().is_some(), "{error}");
    error.kind
}

#[tokio::test]
async fn what_was_said_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(&file(&folder), 3).await;
    let store = SqliteConversations::open(&file(&folder)).unwrap();
    assert_eq!(store.get(id(1)).await.unwrap().unwrap().messages.len(), 6);
    assert!(!store.append(id(1), turn(2)).await.unwrap().is_new, "also by another process");
}

#[tokio::test]
async fn two_may_have_the_file_open_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let one = SqliteConversations::open(&file(&folder)).unwrap();
    let other = SqliteConversations::open(&file(&folder)).unwrap();
    one.create(Conversation::new(id(1), 1)).await.unwrap();
    let appended = (0..40).map(|number| {
        let store = if number % 2 == 0 { &one } else { &other };
        store.append(id(1), turn(number))
    });
    let appended = futures::future::join_all(appended).await;
    let mut firsts: Vec<_> = appended.into_iter().map(|appended| appended.unwrap().first).collect();
    firsts.sort_unstable();
    assert_eq!(firsts, (0..40).map(|number| number * 2).collect::<Vec<_>>());
    let (here, there) = (one.get(id(1)).await.unwrap(), other.get(id(1)).await.unwrap());
    assert_eq!(here, there);
    assert_eq!(here.unwrap().usage.total_tokens(), 120);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(&file(&folder), 1).await;
    let connection = Connection::open(file(&folder)).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
    drop(connection);
    let expected = ConversationErrorKind::Newer { found: VERSION + 1, supported: VERSION };
    assert_eq!(refused(&file(&folder)), expected);
}

#[tokio::test]
async fn a_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.db");
    std::fs::write(&path, "Dear diary, …".repeat(100)).unwrap();
    assert!(matches!(refused(&path), ConversationErrorKind::Foreign { .. }));
    std::fs::remove_file(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(connection);
    assert!(matches!(refused(&path), ConversationErrorKind::Foreign { .. }));
    let folder = SqliteConversations::open(folder.path()).unwrap_err();
    assert!(matches!(folder.kind, ConversationErrorKind::Foreign { .. }), "{folder}");
}

#[tokio::test]
async fn a_cut_or_damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    filled(&path, 300).await;
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&path), ConversationErrorKind::Corrupt { .. }));
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..].fill(0xa5);
    std::fs::write(&path, damaged).unwrap();
    assert!(matches!(refused(&path), ConversationErrorKind::Corrupt { .. }));
    std::fs::write(&path, whole).unwrap();
    SqliteConversations::open(&path).unwrap();
}

#[tokio::test]
async fn a_value_that_was_never_written_is_damage_and_not_another_value() {
    let folder = tempfile::tempdir().unwrap();
    filled(&file(&folder), 1).await;
    let connection = Connection::open(file(&folder)).unwrap();
    for (break_it, told) in [
        ("UPDATE messages SET role = 'narrator' WHERE number = 0", "narrator"),
        ("UPDATE messages SET role = 'user', provider = 'oracle' WHERE number = 1", "narrator"),
        ("UPDATE messages SET role = 'user' WHERE number = 0", "oracle"),
        ("UPDATE messages SET provider = NULL, unix_ms = -4", "-4"),
    ] {
        connection.execute_batch(break_it).unwrap();
        let store = SqliteConversations::open(&file(&folder)).unwrap();
        let error = store.get(id(1)).await.unwrap_err();
        assert!(matches!(error.kind, ConversationErrorKind::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_a_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    SqliteConversations::open(&file(&folder)).unwrap();
    let mode = std::fs::metadata(file(&folder)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
