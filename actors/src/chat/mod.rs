//! Conversations: kept turn by turn, answered by models.
//!
//! [`Chat`] receives a [`ChatTurn`](playhouse_protocol::chat::ChatTurn) for a conversation that is there. It loads the
//! conversation, makes it shorter for the model where it nears the model's limit, asks, and appends question and answer
//! together, once, before it answers. Who watches the task sees the answer as it comes. The runtime registers it with a
//! [`ConversationStore`], the trait for places where conversations live: [`MemoryConversations`] ends with the process, and
//! the runtime has one in a file. Both pass the same suite, `conformance`.

mod agent;
mod condense;
mod error;
mod memory;
mod store;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

#[cfg(test)]
mod tests;

pub use agent::{Chat, ChatArgs};
pub use condense::{LimitTokens, condense};
pub use error::{ConversationError, ConversationErrorKind};
pub use memory::MemoryConversations;
pub use store::{Appended, Change, ConversationPage, ConversationStore, Turn, TurnKey, title_of};
