//! How long a conversation is for a model.

use std::sync::Arc;

use playhouse_protocol::Failure;
use playhouse_protocol::chat::Conversation;
use playhouse_protocol::completion::Role;
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::chat::{Chat, LimitTokens};
use playhouse_runtime::models::ModelWish;
use playhouse_runtime::models::tokens::TokenCounter;

use crate::render::table::Table;
use crate::render::words;
use crate::session::Session;
use crate::style::{Style, printable};

/// What models are sent of a conversation, counted.
#[derive(Debug)]
pub(super) struct Measured {
    model: String,
    context_tokens: u64,
    /// Messages and tokens of each role.
    roles: Vec<(Role, u64, u64)>,
    /// With the framing around the messages.
    pub(super) total_tokens: u64,
    pub(super) limits: LimitTokens,
    pub(super) counter: Arc<dyn TokenCounter>,
}

/// Counts as the model does that would be asked next.
pub(super) async fn measure(session: &Session, conversation: &Conversation) -> Result<Measured, Failure> {
    let catalog = session.runtime.catalog();
    let wish = ModelWish::of(Chat::KIND).named(conversation.model.as_deref());
    let model = catalog.select(&wish)?.model;
    let client = catalog.client(&model)?;
    let (counter, info) = (client.tokens(), client.info());
    let (limits, context_tokens) = (LimitTokens::of(info), u64::from(info.context_tokens));
    let sent = conversation.sent();
    let counting = Arc::clone(&counter);
    let counted = tokio::task::spawn_blocking(move || {
        let of = |role: Role| {
            let said: Vec<_> = sent.iter().filter(|message| message.role == role).collect();
            (role, said.len() as u64, said.iter().map(|message| counting.count(&message.content)).sum())
        };
        ([Role::System, Role::User, Role::Assistant].map(of), counting.count_chat(&sent))
    });
    let (roles, total_tokens) =
        counted.await.map_err(|_| Failure::internal("count tokens: the counting thread is gone"))?;
    Ok(Measured { model, context_tokens, roles: roles.into(), total_tokens, limits, counter })
}

/// The counts as a table.
pub(super) fn table(measured: &Measured, style: Style) -> String {
    let share = |tokens: u64| match measured.context_tokens {
        0 => "-".to_owned(),
        context => format!("{:.1} %", tokens as f64 * 100.0 / context as f64),
    };
    let mut table = Table::new(&["part", ">messages", ">tokens", ">of the context"]);
    let mut row = |part: &str, messages: u64, tokens: u64| {
        table.row([part.to_owned(), words::thousands(messages), words::thousands(tokens), share(tokens)]);
    };
    for (role, messages, tokens) in &measured.roles {
        row(role.as_str(), *messages, *tokens);
    }
    let said: u64 = measured.roles.iter().map(|(_, _, tokens)| tokens).sum();
    let messages = measured.roles.iter().map(|(_, messages, _)| messages).sum();
    row("framing", 0, measured.total_tokens.saturating_sub(said));
    row("all", messages, measured.total_tokens);
    let estimate = if measured.counter.is_exact() { "" } else { " (an estimate)" };
    format!(
        "{}{} holds {}; {} of them are left for what is said next, beside the longest answer{estimate}\n",
        table.render(style),
        printable(&measured.model),
        words::counted(measured.context_tokens, "token"),
        words::thousands(measured.limits.room.saturating_sub(measured.total_tokens)),
    )
}
