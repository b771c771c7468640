//! Conversations in a file: SQLite in WAL mode, each call one transaction that is synced before it counts.
//!
//! Unlike the journal the file may be open in several processes: every one is a terminal of its own. One connection a store;
//! all calls block, so each runs on a thread for blocking work. Read in this order: `schema` is the tables, `open` how a file
//! is looked at before it is touched, `read` and `write` the calls, `columns` how values stand in them.

mod columns;
mod faults;
mod open;
mod read;
mod schema;
mod write;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use playhouse_actors::chat::{
    Appended, Change, ConversationError, ConversationErrorKind, ConversationPage, ConversationStore, Turn,
};
use playhouse_protocol::ConversationId;
use playhouse_protocol::chat::{CondensedView, Conversation, ConversationSummary};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::faults::{Fault, failed};

/// Conversations in a file. Cheap to clone; all clones are the same store. Several processes may have the file open.
#[derive(Debug, Clone)]
pub struct SqliteConversations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl SqliteConversations {
    /// Opens the file at `path`, which is made with its folder when it is not there. Blocks.
    ///
    /// # Errors
    /// When it is no file of conversations, damaged, of a newer version, or cannot be written. A file that is refused is left
    /// as it was.
    pub fn open(path: &Path) -> Result<Self, ConversationError> {
        let connection = open::open(path).map_err(|fault| failed("open the conversations", path, fault))?;
        Ok(Self(Arc::new(Inner { path: path.to_owned(), connection: Mutex::new(connection) })))
    }

    /// Runs `work` in a transaction, which takes effect when `work` succeeds.
    fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, ConversationError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let path = inner.path.clone();
            let blocking = move || {
                // A panic in between has rolled its transaction back.
                let mut connection = inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
                let transaction = connection.transaction_with_behavior(behavior)?;
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            };
            match tokio::task::spawn_blocking(blocking).await {
                Ok(done) => done.map_err(|fault| failed(doing, &path, fault)),
                // It panicked, or the runtime ends.
                Err(_) => Err(failed(doing, &path, Fault::Kind(ConversationErrorKind::Interrupted))),
            }
        })
    }

    /// Runs `work`, which sees one state of the file.
    fn reading<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, ConversationError>> {
        self.run(doing, TransactionBehavior::Deferred, work)
    }

    /// Runs `work`, which is the only one that writes to the file meanwhile.
    fn writing<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, ConversationError>> {
        self.run(doing, TransactionBehavior::Immediate, work)
    }
}

impl ConversationStore for SqliteConversations {
    fn create(&self, conversation: Conversation) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.writing("begin a conversation", move |transaction| write::create(transaction, &conversation))
    }

    fn get(&self, id: ConversationId) -> BoxFuture<'_, Result<Option<Conversation>, ConversationError>> {
        self.reading("read a conversation", move |transaction| read::conversation(transaction, id))
    }

    fn list(
        &self,
        page: ConversationPage,
    ) -> BoxFuture<'_, Result<Vec<ConversationSummary>, ConversationError>> {
        self.reading("list the conversations", move |transaction| read::list(transaction, page))
    }

    fn append(&self, id: ConversationId, turn: Turn) -> BoxFuture<'_, Result<Appended, ConversationError>> {
        self.writing("append to a conversation", move |transaction| write::append(transaction, id, &turn))
    }

    fn set_condensed(
        &self,
        id: ConversationId,
        view: Option<CondensedView>,
    ) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.writing("condense a conversation", move |transaction| {
            write::set_condensed(transaction, id, view.as_ref())
        })
    }

    fn change(&self, id: ConversationId, change: Change) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.writing("change a conversation", move |transaction| write::change(transaction, id, &change))
    }

    fn truncate(
        &self,
        id: ConversationId,
        messages_len: u32,
    ) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.writing("take back the end of a conversation", move |transaction| {
            write::truncate(transaction, id, messages_len)
        })
    }

    fn delete(&self, id: ConversationId) -> BoxFuture<'_, Result<bool, ConversationError>> {
        self.writing("delete a conversation", move |transaction| write::delete(transaction, id))
    }

    fn is_durable(&self) -> bool {
        true
    }
}
