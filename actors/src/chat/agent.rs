//! The agent itself.

use std::fmt;
use std::sync::Arc;

use playhouse_config::settings::OverflowPolicy;
use playhouse_protocol::chat::{
    ChatReply, ChatTurn, CondensedView, Conversation, SYSTEM_BYTES_MAX, StoredMessage, TEXT_BYTES_MAX,
};
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, Condensed};
use playhouse_protocol::{ConversationId, Failure, WallClock};
use serde::{Deserialize, Serialize};

use super::condense::{LimitTokens, condense_near_limit};
use super::store::title_of;
use super::{ConversationError, ConversationErrorKind, ConversationStore, Turn, TurnKey};
use crate::agent::{Agent, AgentError};
use crate::context::{AgentContext, ModelCall};
use crate::generator::check_sampling;

/// What [`Chat`] is made of.
#[derive(Debug, Clone)]
pub struct ChatArgs {
    /// Where the conversations live.
    pub store: Arc<dyn ConversationStore>,
    /// The time of day that messages carry.
    pub clock: Arc<dyn WallClock>,
}

/// Answers within conversations; see the [module](super).
#[derive(Clone)]
pub struct Chat(ChatArgs);

/// What an answer is given to: written down before a model is asked, so that another attempt asks the same, whatever was
/// said or changed meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Standing {
    messages_len: u32,
    model: Option<String>,
    system: Option<String>,
    condensed: Option<CondensedView>,
    shortened: Option<Condensed>,
}

impl Chat {
    /// The agent.
    pub const fn new(args: ChatArgs) -> Self {
        Self(args)
    }

    async fn load(&self, id: ConversationId) -> Result<Conversation, Failure> {
        let found = self.0.store.get(id).await?;
        let unknown = || {
            ConversationError::new("go on with a conversation", ConversationErrorKind::Unknown { id }).into()
        };
        found.ok_or_else(unknown)
    }

    /// The conversation as the turn finds it: written down, and loaded.
    async fn standing(
        &self,
        ctx: &mut AgentContext,
        turn: &ChatTurn,
    ) -> Result<(Standing, Conversation), AgentError> {
        let mut loaded = None;
        let chooser = ctx.chooser(Self::KIND);
        let look = async {
            let mut conversation = self.load(turn.conversation).await?;
            conversation.model = turn.model.clone().or(conversation.model);
            conversation.system = turn.system.clone().or(conversation.system);
            let selected = chooser.select(conversation.model.as_deref()).await?;
            let limits = LimitTokens::of(selected.handle.info());
            let may_condense = selected.overflow == OverflowPolicy::Condense && limits.room > 0;
            let shortened = if may_condense {
                let counter = selected.handle.tokens();
                condense_near_limit(&*self.0.store, &mut conversation, &turn.text, limits, counter).await?
            } else {
                None
            };
            let standing = Standing {
                messages_len: u32::try_from(conversation.messages.len()).unwrap_or(u32::MAX),
                model: conversation.model.clone(),
                system: conversation.system.clone(),
                condensed: conversation.condensed.clone(),
                shortened,
            };
            loaded = Some(conversation);
            Ok(standing)
        };
        let standing: Standing = ctx.step("see where the conversation stands", look).await?;
        if let Some(conversation) = loaded {
            return Ok((standing, conversation));
        }
        let mut conversation = self.load(turn.conversation).await?;
        if conversation.messages.len() < standing.messages_len as usize {
            let id = turn.conversation;
            let failure = format!("go on with conversation {id}: messages before this turn were taken back");
            return Err(Failure::invalid(failure).with_hint("Ask again.").into());
        }
        conversation.messages.truncate(standing.messages_len as usize);
        conversation.model.clone_from(&standing.model);
        conversation.system.clone_from(&standing.system);
        conversation.condensed.clone_from(&standing.condensed);
        Ok((standing, conversation))
    }
}

impl Agent for Chat {
    const KIND: &'static str = "chat";
    type Request = ChatTurn;
    type Reply = ChatReply;

    fn validate(&self, turn: &ChatTurn) -> Result<(), Failure> {
        if turn.text.trim().is_empty() {
            return Err(
                Failure::invalid("read the message: it is empty").with_hint("Say something to the model.")
            );
        }
        check_len("message", turn.text.len(), TEXT_BYTES_MAX)?;
        check_len("system text", turn.system.as_ref().map_or(0, String::len), SYSTEM_BYTES_MAX)?;
        check_sampling(&turn.sampling)
    }

    async fn run(&self, ctx: &mut AgentContext, turn: ChatTurn) -> Result<ChatReply, AgentError> {
        let (standing, conversation) = self.standing(ctx, &turn).await?;
        let mut messages = conversation.sent();
        messages.push(ChatMessage::user(turn.text.clone()));
        let call = ModelCall {
            task_type: Self::KIND,
            model: standing.model,
            label: "answer".to_owned(),
            request: CompletionRequest { sampling: turn.sampling, ..CompletionRequest::new(messages) },
        };
        // Watchers are given the answer as it comes; the agent itself has no use for parts of it.
        let completion = ctx.call(call).await?;
        let key = TurnKey::of_step(ctx.task_id(), ctx.path());
        let append = async {
            let unix_ms = self.0.clock.unix_ms();
            let question = StoredMessage::question(turn.text.clone(), unix_ms);
            let said = Turn {
                key,
                messages: vec![question, StoredMessage::answer(&completion, unix_ms)],
                title: title_of(&turn.text),
                model: turn.model.clone(),
                system: turn.system.clone(),
                unix_ms,
            };
            let appended = self.0.store.append(turn.conversation, said).await.map_err(Failure::from)?;
            Ok(appended.first)
        };
        let question_at = ctx.step("append question and answer", append).await?;
        Ok(ChatReply {
            conversation: turn.conversation,
            completion,
            question_at,
            condensed: standing.shortened,
        })
    }
}

fn check_len(what: &str, bytes: usize, bytes_max: usize) -> Result<(), Failure> {
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(Failure::invalid(format!("read the {what}: it has {bytes} bytes, the limit is {bytes_max}"))
        .with_hint("Shorten it, or say it in several parts."))
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chat").field(&self.0.store).finish()
    }
}
