//! What every [`ConversationStore`] must do, as checks that panic where it does not.
//!
//! A store outside this crate runs them with the feature `conformance`:
//! `for (rule, check) in conformance::RULES { check(make_an_empty_store()).await }`.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

use std::sync::Arc;

use futures::future::BoxFuture;
use playhouse_protocol::chat::{CondensedView, Conversation, StoredMessage};
use playhouse_protocol::completion::{ChatMessage, Origin, ProviderKind};
use playhouse_protocol::{ConversationId, SeededSource, TaskId, Usage};

use super::{Change, ConversationErrorKind, ConversationPage, ConversationStore, Turn, TurnKey};

/// A check of one rule, on a store that is empty.
pub type Check = fn(Arc<dyn ConversationStore>) -> BoxFuture<'static, ()>;

/// Every rule with its check.
pub const RULES: &[(&str, Check)] = &[
    ("a conversation is read back as it was created", |store| Box::pin(created(store))),
    ("a turn is appended once however often it is tried", |store| Box::pin(appended_once(store))),
    ("a turn brings title, model and system text", |store| Box::pin(turns_change(store))),
    ("what is unknown is told", |store| Box::pin(unknown(store))),
    ("lists come in pages, the latest change first", |store| Box::pin(pages(store))),
    ("a condensed view keeps the original and is replaced as a whole", |store| Box::pin(condensed(store))),
    ("title, model and system text change and go", |store| Box::pin(changes(store))),
    ("what is taken back can be said again, and stays counted", |store| Box::pin(truncated(store))),
    ("a conversation is deleted with everything in it", |store| Box::pin(deleted(store))),
    ("texts of any shape come back", |store| Box::pin(texts(store))),
];

/// The conversation of a number, made at that time.
pub fn id(number: u64) -> ConversationId {
    ConversationId::new(number, &SeededSource::from_seed(number))
}

/// The turn of a number: a question and an answer that used 3 tokens.
pub fn turn(number: u64) -> Turn {
    let origin = Origin {
        model: format!("m{number}"),
        provider: ProviderKind::Scripted,
        request_id: Some(format!("r{number}")),
    };
    let answer = StoredMessage {
        message: ChatMessage::assistant(format!("answer {number}")),
        origin: Some(origin),
        usage: Usage {
            model_calls: 1,
            prompt_tokens: 2,
            cached_prompt_tokens: 1,
            completion_tokens: 1,
            cost_nano_usd: 7,
        },
        is_cut: number % 2 == 1,
        unix_ms: number,
    };
    Turn {
        key: TurnKey::of_task(TaskId::new(number, &SeededSource::from_seed(number))),
        messages: vec![StoredMessage::question(format!("question {number}"), number), answer],
        title: format!("title {number}"),
        model: None,
        system: None,
        unix_ms: number,
    }
}

async fn begin(store: &Arc<dyn ConversationStore>, number: u64) -> ConversationId {
    store.create(Conversation::new(id(number), number)).await.unwrap();
    id(number)
}

async fn read(store: &Arc<dyn ConversationStore>, id: ConversationId) -> Conversation {
    store.get(id).await.unwrap().unwrap()
}

async fn created(store: Arc<dyn ConversationStore>) {
    let mut conversation = Conversation::new(id(1), 1);
    conversation.title.push_str("of old times");
    conversation.model = Some("m".to_owned());
    conversation.system = Some("be brief".to_owned());
    conversation.updated_unix_ms = 9;
    conversation.usage = turn(1).usage();
    conversation.messages = turn(1).messages;
    conversation.condensed = Some(view(1, "shorter"));
    store.create(conversation.clone()).await.unwrap();
    assert_eq!(read(&store, id(1)).await, conversation);
    let again = store.create(Conversation::new(id(1), 2)).await.unwrap_err();
    assert_eq!(again.kind, ConversationErrorKind::Exists { id: id(1) });
    assert_eq!(read(&store, id(1)).await, conversation, "the first one stays as it was");
    assert_eq!(store.get(id(2)).await.unwrap(), None);
}

async fn appended_once(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    let first = store.append(id, turn(5)).await.unwrap();
    assert_eq!((first.first, first.is_new), (0, true));
    let second = store.append(id, turn(6)).await.unwrap();
    assert_eq!((second.first, second.is_new), (2, true));
    let mut other = turn(5);
    other.messages[1].message.content.push_str(", another one");
    other.title.push_str(", another one");
    other.unix_ms = 99;
    let again = store.append(id, other).await.unwrap();
    assert_eq!((again.first, again.is_new), (0, false));
    let conversation = read(&store, id).await;
    assert_eq!(conversation.messages, [turn(5).messages, turn(6).messages].concat());
    assert_eq!(conversation.usage.total_tokens(), 6);
    assert_eq!(conversation.updated_unix_ms, 6);
    let elsewhere = begin(&store, 2).await;
    assert!(store.append(elsewhere, turn(5)).await.unwrap().is_new, "keys are a conversation's own");
}

async fn turns_change(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    store
        .append(id, Turn { model: Some("m".to_owned()), system: Some("s".to_owned()), ..turn(5) })
        .await
        .unwrap();
    store.append(id, turn(6)).await.unwrap();
    let conversation = read(&store, id).await;
    assert_eq!(conversation.title, "title 5", "the first turn names it");
    assert_eq!((conversation.model.as_deref(), conversation.system.as_deref()), (Some("m"), Some("s")));
}

async fn unknown(store: Arc<dyn ConversationStore>) {
    let kind = ConversationErrorKind::Unknown { id: id(1) };
    assert_eq!(store.append(id(1), turn(1)).await.unwrap_err().kind, kind);
    assert_eq!(store.set_condensed(id(1), None).await.unwrap_err().kind, kind);
    assert_eq!(store.change(id(1), Change::default()).await.unwrap_err().kind, kind);
    assert_eq!(store.truncate(id(1), 0).await.unwrap_err().kind, kind);
    assert!(!store.delete(id(1)).await.unwrap());
    assert!(store.list(ConversationPage::first(10)).await.unwrap().is_empty());
}

async fn pages(store: Arc<dyn ConversationStore>) {
    for number in 1..=5 {
        begin(&store, number).await;
    }
    store.append(id(2), turn(9)).await.unwrap();
    // Two of one time are told apart by their ids.
    store.append(id(4), turn(9)).await.unwrap();
    let mut listed = Vec::new();
    let mut page = ConversationPage::first(2);
    loop {
        let found = store.list(page).await.unwrap();
        assert!(found.len() <= 2);
        let Some(last) = found.last() else { break };
        page.after = Some((last.updated_unix_ms, last.id));
        listed.extend(found);
    }
    let ids: Vec<_> = listed.iter().map(|summary| summary.id).collect();
    assert_eq!(ids, [id(4), id(2), id(5), id(3), id(1)]);
    assert_eq!(listed[0], read(&store, id(4)).await.summary());
    assert_eq!((listed[0].messages_len, listed[0].usage.total_tokens()), (2, 3));
    assert_eq!((listed[4].messages_len, listed[4].is_condensed), (0, false));
    assert!(store.list(ConversationPage::first(0)).await.unwrap().is_empty());
}

fn view(until: u32, text: &str) -> CondensedView {
    CondensedView {
        until,
        messages: vec![ChatMessage::user(text), ChatMessage::assistant(format!("{text}!"))],
        tokens_before: 100,
        tokens_after: 10,
    }
}

async fn condensed(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    store.append(id, turn(5)).await.unwrap();
    store.append(id, turn(6)).await.unwrap();
    let original = read(&store, id).await.messages;
    for shorter in [Some(view(2, "two")), Some(view(4, "four")), None] {
        store.set_condensed(id, shorter.clone()).await.unwrap();
        let conversation = read(&store, id).await;
        assert_eq!(conversation.condensed, shorter);
        assert_eq!(conversation.messages, original);
    }
    let refused = store.set_condensed(id, Some(view(5, "five"))).await.unwrap_err();
    assert_eq!(refused.kind, ConversationErrorKind::ViewTooLong { until: 5, messages_len: 4 });
}

async fn changes(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    let change = Change {
        title: Some("mine".to_owned()),
        model: Some(Some("m".to_owned())),
        system: Some(Some("s".to_owned())),
    };
    store.change(id, change).await.unwrap();
    store.change(id, Change::default()).await.unwrap();
    store.append(id, turn(5)).await.unwrap();
    let conversation = read(&store, id).await;
    assert_eq!(conversation.title, "mine", "a turn does not rename it");
    assert_eq!((conversation.model.as_deref(), conversation.system.as_deref()), (Some("m"), Some("s")));
    store.change(id, Change { model: Some(None), system: Some(None), ..Change::default() }).await.unwrap();
    let conversation = read(&store, id).await;
    assert_eq!((conversation.model, conversation.system), (None, None));
}

async fn truncated(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    store.append(id, turn(5)).await.unwrap();
    store.append(id, turn(6)).await.unwrap();
    store.set_condensed(id, Some(view(4, "four"))).await.unwrap();
    store.truncate(id, 9).await.unwrap();
    assert!(read(&store, id).await.condensed.is_some(), "nothing was behind that");
    store.truncate(id, 2).await.unwrap();
    let conversation = read(&store, id).await;
    assert_eq!(conversation.messages, turn(5).messages);
    assert_eq!(conversation.condensed, None);
    assert_eq!(conversation.usage.total_tokens(), 6, "what was paid is paid");
    assert!(!store.append(id, turn(5)).await.unwrap().is_new);
    let again = store.append(id, turn(6)).await.unwrap();
    assert_eq!((again.first, again.is_new), (2, true));
}

async fn deleted(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    store.append(id, turn(5)).await.unwrap();
    store.set_condensed(id, Some(view(2, "two"))).await.unwrap();
    assert!(store.delete(id).await.unwrap());
    assert!(!store.delete(id).await.unwrap());
    assert_eq!(store.get(id).await.unwrap(), None);
    begin(&store, 1).await;
    assert!(read(&store, id).await.messages.is_empty(), "nothing of it is left");
    assert!(store.append(id, turn(5)).await.unwrap().is_new);
}

async fn texts(store: Arc<dyn ConversationStore>) {
    let id = begin(&store, 1).await;
    let texts = ["", "\0", "a\u{0}b", "\u{feff}é\u{202e}🦀\r\n\u{1b}[31m", "'; DROP TABLE messages; --"];
    for (number, text) in texts.into_iter().enumerate() {
        let mut said = turn(number as u64);
        text.clone_into(&mut said.messages[0].message.content);
        said.messages[1].message.content = "x".repeat(number * 100_000);
        store.append(id, said.clone()).await.unwrap();
        let conversation = read(&store, id).await;
        assert_eq!(conversation.messages[number * 2..], said.messages);
    }
}
