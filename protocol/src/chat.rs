//! Conversations: what is kept of them, a turn that is asked for, and its answer.

use serde::{Deserialize, Serialize};

use crate::completion::{ChatMessage, Completion, Condensed, Origin, Role, Sampling, StopReason};
use crate::id::ConversationId;
use crate::usage::Usage;

/// The longest text of one turn, in bytes: what a model with a window of some hundred thousand tokens can hold.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// The longest system text, in bytes.
pub const SYSTEM_BYTES_MAX: usize = 64 * 1024;

/// The longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// A conversation as it is kept. What is sent to a model is the system text, then the condensed view where there is one, then
/// the messages behind it; see [`sent`](Self::sent).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its identity.
    pub id: ConversationId,
    /// What it is about, for lists; empty until the first turn names it.
    pub title: String,
    /// The catalog entry that is wished for; `None` leaves the choice to the settings.
    pub model: Option<String>,
    /// Instructions that stand above the conversation.
    pub system: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_unix_ms: u64,
    /// What all its turns have used, those included that were taken back later.
    pub usage: Usage,
    /// What was said, oldest first: always the original.
    pub messages: Vec<StoredMessage>,
    /// The shorter form of its beginning that models are sent.
    pub condensed: Option<CondensedView>,
}

impl Conversation {
    /// A conversation in which nothing was said yet.
    pub fn new(id: ConversationId, unix_ms: u64) -> Self {
        Self {
            id,
            title: String::new(),
            model: None,
            system: None,
            created_unix_ms: unix_ms,
            updated_unix_ms: unix_ms,
            usage: Usage::default(),
            messages: Vec::new(),
            condensed: None,
        }
    }

    /// What a model is sent of it: the system text, the condensed view, the messages behind it.
    pub fn sent(&self) -> Vec<ChatMessage> {
        self.system.iter().map(ChatMessage::system).chain(self.said()).collect()
    }

    /// What a model is sent of it without the system text.
    pub fn said(&self) -> impl Iterator<Item = ChatMessage> + '_ {
        let condensed = self.condensed.iter().flat_map(|view| view.messages.iter().cloned());
        let behind = self.condensed.as_ref().map_or(0, |view| view.until as usize);
        condensed.chain(self.messages.iter().skip(behind).map(|stored| stored.message.clone()))
    }

    /// Where the last turn begins: the last message of the user.
    pub fn last_turn(&self) -> Option<usize> {
        self.messages.iter().rposition(|stored| stored.message.role == Role::User)
    }

    /// The conversation without its messages.
    pub fn summary(&self) -> ConversationSummary {
        ConversationSummary {
            id: self.id,
            title: self.title.clone(),
            model: self.model.clone(),
            created_unix_ms: self.created_unix_ms,
            updated_unix_ms: self.updated_unix_ms,
            usage: self.usage,
            messages_len: u32::try_from(self.messages.len()).unwrap_or(u32::MAX),
            is_condensed: self.condensed.is_some(),
        }
    }
}

/// A line of a list of conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSummary {
    /// Its identity.
    pub id: ConversationId,
    /// What it is about.
    pub title: String,
    /// The catalog entry that is wished for.
    pub model: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_unix_ms: u64,
    /// What all its turns have used.
    pub usage: Usage,
    /// How many messages it has.
    pub messages_len: u32,
    /// Whether models are sent a shorter form of its beginning.
    pub is_condensed: bool,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Who said what.
    pub message: ChatMessage,
    /// Who gave it, for an answer.
    pub origin: Option<Origin>,
    /// What it used, for an answer.
    pub usage: Usage,
    /// Whether the answer is not whole: it was stopped, or reached its longest length.
    pub is_cut: bool,
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
}

impl StoredMessage {
    /// What a user said.
    pub fn question(text: impl Into<String>, unix_ms: u64) -> Self {
        Self {
            message: ChatMessage::user(text),
            origin: None,
            usage: Usage::default(),
            is_cut: false,
            unix_ms,
        }
    }

    /// What a model said.
    pub fn answer(completion: &Completion, unix_ms: u64) -> Self {
        Self {
            message: ChatMessage::assistant(completion.text.clone()),
            origin: Some(completion.origin.clone()),
            usage: completion.usage,
            is_cut: completion.stop_reason != StopReason::Stop,
            unix_ms,
        }
    }

    /// What had come of an answer when it was stopped.
    pub fn cut_answer(text: impl Into<String>, origin: Option<Origin>, unix_ms: u64) -> Self {
        let message = ChatMessage::assistant(text);
        Self { message, origin, usage: Usage::default(), is_cut: true, unix_ms }
    }
}

/// A shorter form of the beginning of a conversation, which stands for it where models are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CondensedView {
    /// How many messages it stands for, from the first on.
    pub until: u32,
    /// What stands for them.
    pub messages: Vec<ChatMessage>,
    /// Tokens of the conversation as it was sent before.
    pub tokens_before: u64,
    /// Tokens of the conversation as it is sent since.
    pub tokens_after: u64,
}

/// Asks for an answer within a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatTurn {
    /// The conversation, which is there already.
    pub conversation: ConversationId,
    /// What the user says: 1 to [`TEXT_BYTES_MAX`] bytes.
    pub text: String,
    /// The catalog entry to ask from now on; `None` keeps the conversation's.
    pub model: Option<String>,
    /// The system text from now on; `None` keeps the conversation's.
    pub system: Option<String>,
    /// How tokens are chosen.
    pub sampling: Sampling,
}

impl ChatTurn {
    /// A turn that keeps the conversation's model and system text.
    pub fn new(conversation: ConversationId, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { conversation, text, model: None, system: None, sampling: Sampling::default() }
    }
}

/// An answer within a conversation, which holds it and its question when this is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatReply {
    /// The conversation.
    pub conversation: ConversationId,
    /// The answer: its text, origin, use, stop reason, and how it came about.
    pub completion: Completion,
    /// The place of the question among the messages, counted from 0; the answer is the next one.
    pub question_at: u32,
    /// What this turn made of the conversation for models, where it neared their limit. The route of the completion tells what
    /// was done for this question alone.
    pub condensed: Option<Condensed>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededSource;

    fn conversation() -> Conversation {
        let mut conversation = Conversation::new(ConversationId::new(5, &SeededSource::from_seed(1)), 5);
        for (number, text) in ["one", "two", "three"].into_iter().enumerate() {
            let at = number as u64;
            conversation.messages.push(StoredMessage::question(text, at));
            conversation.messages.push(StoredMessage::cut_answer(format!("{text}!"), None, at));
        }
        conversation
    }

    fn texts(messages: &[ChatMessage]) -> Vec<&str> {
        messages.iter().map(|message| message.content.as_str()).collect()
    }

    #[test]
    fn what_is_sent_is_the_system_text_the_condensed_view_and_what_stands_behind_it() {
        let mut conversation = conversation();
        assert_eq!(texts(&conversation.sent()), ["one", "one!", "two", "two!", "three", "three!"]);
        conversation.system = Some("be brief".to_owned());
        conversation.condensed = Some(CondensedView {
            until: 4,
            messages: vec![ChatMessage::user("one and two")],
            tokens_before: 9,
            tokens_after: 5,
        });
        assert_eq!(texts(&conversation.sent()), ["be brief", "one and two", "three", "three!"]);
        assert_eq!(conversation.messages.len(), 6, "the original is kept");
        assert_eq!(conversation.last_turn(), Some(4));
    }

    #[test]
    fn a_turn_and_its_answer_can_be_written_down() {
        let turn = ChatTurn::new(conversation().id, "hi");
        let bytes = crate::envelope::encode_agent_value(1, &turn).unwrap();
        assert_eq!(crate::envelope::decode_agent_value::<ChatTurn>(1, &bytes).unwrap(), turn);
    }
}
