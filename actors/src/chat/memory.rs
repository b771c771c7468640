//! Conversations that end with the process.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use playhouse_protocol::ConversationId;
use playhouse_protocol::chat::{CondensedView, Conversation, ConversationSummary};

use super::{
    Appended, Change, ConversationError, ConversationErrorKind, ConversationPage, ConversationStore, Turn,
    TurnKey,
};

/// Conversations in memory.
#[derive(Debug, Default)]
pub struct MemoryConversations(Mutex<BTreeMap<ConversationId, Kept>>);

#[derive(Debug)]
struct Kept {
    conversation: Conversation,
    /// Where each turn begins.
    turns: BTreeMap<TurnKey, u32>,
}

impl MemoryConversations {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Kept>> {
        // Every change is made at once, at the end of its call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on a conversation that must be there.
    fn with<T: Send + 'static>(
        &self,
        doing: &'static str,
        id: ConversationId,
        work: impl FnOnce(&mut Kept) -> Result<T, ConversationErrorKind>,
    ) -> BoxFuture<'static, Result<T, ConversationError>> {
        let mut all = self.lock();
        let done = all.get_mut(&id).ok_or(ConversationErrorKind::Unknown { id }).and_then(work);
        ready(done.map_err(|kind| ConversationError::new(doing, kind))).boxed()
    }
}

fn len(conversation: &Conversation) -> u32 {
    u32::try_from(conversation.messages.len()).unwrap_or(u32::MAX)
}

impl ConversationStore for MemoryConversations {
    fn create(&self, conversation: Conversation) -> BoxFuture<'_, Result<(), ConversationError>> {
        let id = conversation.id;
        let mut all = self.lock();
        let created = match all.entry(id) {
            Entry::Occupied(_) => {
                Err(ConversationError::new("begin a conversation", ConversationErrorKind::Exists { id }))
            }
            Entry::Vacant(place) => {
                place.insert(Kept { conversation, turns: BTreeMap::new() });
                Ok(())
            }
        };
        ready(created).boxed()
    }

    fn get(&self, id: ConversationId) -> BoxFuture<'_, Result<Option<Conversation>, ConversationError>> {
        ready(Ok(self.lock().get(&id).map(|kept| kept.conversation.clone()))).boxed()
    }

    fn list(
        &self,
        page: ConversationPage,
    ) -> BoxFuture<'_, Result<Vec<ConversationSummary>, ConversationError>> {
        let all = self.lock();
        let order: BTreeSet<_> =
            all.values().map(|kept| (kept.conversation.updated_unix_ms, kept.conversation.id)).collect();
        let behind = order.into_iter().rev().filter(|place| page.after.is_none_or(|after| *place < after));
        let found = behind.take(page.limit).filter_map(|(_, id)| all.get(&id));
        ready(Ok(found.map(|kept| kept.conversation.summary()).collect())).boxed()
    }

    fn append(&self, id: ConversationId, turn: Turn) -> BoxFuture<'_, Result<Appended, ConversationError>> {
        self.with("append to a conversation", id, move |kept| {
            if let Some(first) = kept.turns.get(&turn.key) {
                return Ok(Appended { first: *first, is_new: false });
            }
            let conversation = &mut kept.conversation;
            let first = len(conversation);
            conversation.usage += turn.usage();
            conversation.updated_unix_ms = turn.unix_ms;
            if conversation.title.is_empty() {
                conversation.title = turn.title;
            }
            if turn.model.is_some() {
                conversation.model = turn.model;
            }
            if turn.system.is_some() {
                conversation.system = turn.system;
            }
            conversation.messages.extend(turn.messages);
            kept.turns.insert(turn.key, first);
            Ok(Appended { first, is_new: true })
        })
    }

    fn set_condensed(
        &self,
        id: ConversationId,
        view: Option<CondensedView>,
    ) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.with("condense a conversation", id, move |kept| {
            let messages_len = len(&kept.conversation);
            if let Some(until) = view.as_ref().map(|view| view.until).filter(|until| *until > messages_len) {
                return Err(ConversationErrorKind::ViewTooLong { until, messages_len });
            }
            kept.conversation.condensed = view;
            Ok(())
        })
    }

    fn change(&self, id: ConversationId, change: Change) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.with("change a conversation", id, move |kept| {
            let conversation = &mut kept.conversation;
            if let Some(title) = change.title {
                conversation.title = title;
            }
            if let Some(model) = change.model {
                conversation.model = model;
            }
            if let Some(system) = change.system {
                conversation.system = system;
            }
            Ok(())
        })
    }

    fn truncate(
        &self,
        id: ConversationId,
        messages_len: u32,
    ) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.with("take back the end of a conversation", id, move |kept| {
            let conversation = &mut kept.conversation;
            conversation.messages.truncate(messages_len as usize);
            conversation.condensed = conversation.condensed.take().filter(|view| view.until <= messages_len);
            kept.turns.retain(|_, first| *first < messages_len);
            Ok(())
        })
    }

    fn delete(&self, id: ConversationId) -> BoxFuture<'_, Result<bool, ConversationError>> {
        ready(Ok(self.lock().remove(&id).is_some())).boxed()
    }

    fn is_durable(&self) -> bool {
        false
    }
}
