use std::sync::Arc;

use playhouse_models::ModelInfo;
use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::WallClock;
use playhouse_protocol::chat::{
    ChatTurn, Conversation, SYSTEM_BYTES_MAX, StoredMessage, TEXT_BYTES_MAX, TITLE_CHARS_MAX,
};
use playhouse_protocol::completion::{ChatMessage, ProviderKind, Sampling};

use super::conformance::{RULES, id};
use super::{Chat, ChatArgs, ConversationStore, LimitTokens, MemoryConversations, condense, title_of};
use crate::agent::Agent;

#[tokio::test]
async fn the_store_in_memory_keeps_every_rule() {
    for (rule, check) in RULES {
        println!("{rule}");
        check(Arc::new(MemoryConversations::default())).await;
    }
}

#[derive(Debug)]
struct Noon;

impl WallClock for Noon {
    fn unix_ms(&self) -> u64 {
        1_795_000_000_000
    }
}

/// A token a byte, and none for the framing.
#[derive(Debug)]
struct Bytes;

impl TokenCounter for Bytes {
    fn encoding(&self) -> &'static str {
        "bytes"
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn count(&self, text: &str) -> u64 {
        text.len() as u64
    }

    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        messages.iter().map(|message| self.count(&message.content)).sum()
    }
}

#[test]
fn wrong_turns_are_refused_by_what_is_wrong() {
    let chat = Chat::new(ChatArgs { store: Arc::new(MemoryConversations::default()), clock: Arc::new(Noon) });
    let ok = ChatTurn::new(id(1), "hi");
    let hot = Sampling { temperature: Some(3.0), ..Sampling::default() };
    for (turn, word) in [
        (ChatTurn::new(id(1), " \n"), "the message: it is empty"),
        (ChatTurn::new(id(1), "x".repeat(TEXT_BYTES_MAX + 1)), "the limit is 1048576"),
        (ChatTurn { system: Some("x".repeat(SYSTEM_BYTES_MAX + 1)), ..ok.clone() }, "the system text"),
        (ChatTurn { sampling: hot, ..ok.clone() }, "temperature is 3"),
    ] {
        let failure = chat.validate(&turn).unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
        assert!(failure.hint.is_some(), "{failure} has no hint");
    }
    assert!(chat.validate(&ok).is_ok());
}

#[test]
fn a_title_is_the_first_line_and_short() {
    assert_eq!(title_of("\n  What is\ta crab?  \nAnd why?"), "What is a crab?");
    assert_eq!(title_of("é".repeat(500).as_str()).chars().count(), TITLE_CHARS_MAX);
    assert_eq!(title_of(" \n"), "");
}

#[test]
fn the_room_for_the_answer_is_left_aside() {
    let info = ModelInfo {
        name: "m".to_owned(),
        provider: ProviderKind::Scripted,
        context_tokens: 1_200,
        completion_tokens_default: 200,
        structured_output: false,
    };
    assert_eq!(LimitTokens::of(&info), LimitTokens { room: 1_000, near: 800, target: 500 });
}

#[tokio::test]
async fn a_condensed_conversation_is_short_and_keeps_its_original() {
    let store = MemoryConversations::default();
    let mut conversation = Conversation::new(id(1), 1);
    conversation.system = Some("be brief".to_owned());
    for number in 0..10_u64 {
        conversation.messages.push(StoredMessage::question(format!("question {number:03}"), number));
        conversation.messages.push(StoredMessage::cut_answer(format!("an answer {number:03}"), None, number));
    }
    store.create(conversation.clone()).await.unwrap();
    let shortened = condense(&store, &mut conversation, 100, Arc::new(Bytes)).await.unwrap().unwrap();
    let kept = store.get(conversation.id).await.unwrap().unwrap();
    assert_eq!(kept, conversation);
    assert_eq!((kept.messages.len(), kept.condensed.as_ref().unwrap().until), (20, 20));
    let sent = kept.sent();
    assert!(Bytes.count_chat(&sent) <= 100, "{sent:?}");
    assert_eq!(shortened.tokens_after, Bytes.count_chat(&sent));
    assert_eq!(sent[0], ChatMessage::system("be brief"));
    assert_eq!(sent.last().unwrap().content, "an answer 009");
    // It is short enough already.
    assert_eq!(condense(&store, &mut conversation, 100, Arc::new(Bytes)).await.unwrap(), None);
}
