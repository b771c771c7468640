//! Where conversations live.

use std::fmt;

use futures::future::BoxFuture;
use playhouse_protocol::chat::{
    CondensedView, Conversation, ConversationSummary, StoredMessage, TITLE_CHARS_MAX,
};
use playhouse_protocol::journal::StepPath;
use playhouse_protocol::{ConversationId, TaskId, Usage};

use super::ConversationError;

/// A store of conversations.
///
/// Contract, which `conformance` tests:
/// - Each call is all or nothing; what it wrote is there when it returns, and survives what the store survives.
/// - Messages never change. They go only from the end, with [`truncate`](Self::truncate), or with their conversation.
/// - A turn is appended once: a second one of the same key changes nothing, whatever it holds.
/// - Lists are ordered by the last change, the latest first; nothing depends on a hash.
pub trait ConversationStore: Send + Sync + fmt::Debug {
    /// Adds a conversation with everything that it holds.
    ///
    /// # Errors
    /// `Exists` when there is one of this id.
    fn create(&self, conversation: Conversation) -> BoxFuture<'_, Result<(), ConversationError>>;

    /// A conversation with its messages; `None` for an unknown one.
    fn get(&self, id: ConversationId) -> BoxFuture<'_, Result<Option<Conversation>, ConversationError>>;

    /// A page of the conversations, the latest change first.
    fn list(
        &self,
        page: ConversationPage,
    ) -> BoxFuture<'_, Result<Vec<ConversationSummary>, ConversationError>>;

    /// Appends the messages of a turn, all of them or none. A turn whose key was appended before changes nothing.
    ///
    /// # Errors
    /// `Unknown` without such a conversation.
    fn append(&self, id: ConversationId, turn: Turn) -> BoxFuture<'_, Result<Appended, ConversationError>>;

    /// Sets the shorter form that models are sent of the beginning, or takes it away.
    ///
    /// # Errors
    /// `Unknown` without such a conversation, `ViewTooLong` for a view of more messages than it has.
    fn set_condensed(
        &self,
        id: ConversationId,
        view: Option<CondensedView>,
    ) -> BoxFuture<'_, Result<(), ConversationError>>;

    /// Changes what the conversation is called, or what is asked from now on.
    ///
    /// # Errors
    /// `Unknown` without such a conversation.
    fn change(&self, id: ConversationId, change: Change) -> BoxFuture<'_, Result<(), ConversationError>>;

    /// Takes back all messages but the first `messages_len`, and a condensed view that stands for more. What they used stays
    /// counted. Their turns can be appended again.
    ///
    /// # Errors
    /// `Unknown` without such a conversation.
    fn truncate(&self, id: ConversationId, messages_len: u32)
    -> BoxFuture<'_, Result<(), ConversationError>>;

    /// Removes a conversation with everything in it. Returns whether it was there.
    fn delete(&self, id: ConversationId) -> BoxFuture<'_, Result<bool, ConversationError>>;

    /// Whether what is written survives the process.
    fn is_durable(&self) -> bool;
}

/// Names a turn, so that it is appended once however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnKey(String);

impl TurnKey {
    /// The turn that a task answers by itself. Whoever stops the task can append what had come under this key: when the task
    /// was faster, its own answer stays.
    pub fn of_task(task: TaskId) -> Self {
        Self(task.to_string())
    }

    /// The turn that a step of a task answers.
    pub(crate) fn of_step(task: TaskId, path: &StepPath) -> Self {
        if *path == StepPath::default() { Self::of_task(task) } else { Self(format!("{task}/{path}")) }
    }

    /// The key as it is written down.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A turn to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its name.
    pub key: TurnKey,
    /// What was said, oldest first.
    pub messages: Vec<StoredMessage>,
    /// The conversation's title, where it has none yet.
    pub title: String,
    /// The model that is wished for from now on; `None` keeps it.
    pub model: Option<String>,
    /// The system text from now on; `None` keeps it.
    pub system: Option<String>,
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
}

impl Turn {
    /// What its messages used.
    pub fn usage(&self) -> Usage {
        self.messages.iter().fold(Usage::default(), |mut sum, message| {
            sum += message.usage;
            sum
        })
    }
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The place of its first message, counted from 0.
    pub first: u32,
    /// Whether this call appended it; otherwise it was there.
    pub is_new: bool,
}

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationPage {
    /// Only those behind this one, the last of the page before: when it last changed, and its id.
    pub after: Option<(u64, ConversationId)>,
    /// At most so many.
    pub limit: usize,
}

impl ConversationPage {
    /// The first page.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}

/// What to change of a conversation; `None` keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub title: Option<String>,
    /// The model that is wished for; the inner `None` leaves the choice to the settings.
    pub model: Option<Option<String>>,
    /// The system text; the inner `None` is none.
    pub system: Option<Option<String>>,
}

/// The title of a conversation that begins with this text: its first line that is not empty, cut at [`TITLE_CHARS_MAX`].
pub fn title_of(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    if line.chars().count() <= TITLE_CHARS_MAX {
        return line.chars().map(visible).collect();
    }
    line.chars().take(TITLE_CHARS_MAX - 1).map(visible).chain(['…']).collect()
}
