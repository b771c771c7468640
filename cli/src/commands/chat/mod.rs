//! `playhouse chat`
//!
//! `talk` is the conversation that goes on, `ask` one question and its answer, `slash` what can be said to the program,
//! `lines` where lines come from; `scripts` are the subcommands, `compare` asks several models.

mod ask;
mod compare;
mod lines;
mod measure;
mod run_slash;
mod scripts;
mod slash;
mod talk;

use std::sync::Arc;

use playhouse_protocol::chat::{Conversation, TEXT_BYTES_MAX};
use playhouse_protocol::{ConversationId, Failure, FailureClass, SeededSource};
use playhouse_runtime::actors::chat::{
    ConversationError, ConversationErrorKind, ConversationPage, ConversationStore, MemoryConversations,
};
use playhouse_runtime::{Runtime, SqliteConversations};

use crate::app::{self, App, Outcome};
use crate::args::ChatArgs;
use crate::exit::ExitStatus;
use crate::input;
use crate::session::Session;
use crate::signals::Interrupts;

/// Names the conversation that changed last.
const LAST: &str = "last";

pub(crate) fn run(app: &App, args: &ChatArgs) -> Outcome {
    if let Some(command) = &args.command {
        return scripts::run(app, command);
    }
    let prompt = match args.prompt.as_deref() {
        Some(input::STDIN) => Some(input::read_stdin(&app.ui, "the message", TEXT_BYTES_MAX)?),
        Some(text) => Some(text.to_owned()),
        None => None,
    };
    if !args.compare.is_empty() {
        let prompt = prompt.unwrap_or_default();
        return app::block_on_interruptible(|interrupts| compare::run(app, args, prompt, interrupts));
    }
    app::block_on_interruptible(|interrupts| talk::run(app, args, prompt, interrupts))
}

/// The conversations that are kept between commands.
async fn open(app: &App) -> Result<Arc<dyn ConversationStore>, Failure> {
    let path = app.environment.conversations_file().ok_or_else(|| {
        Failure::invalid("find the conversations: neither HOME nor XDG_STATE_HOME is set")
            .with_hint("Set one of them, or keep nothing with --ephemeral.")
    })?;
    let opened = tokio::task::spawn_blocking(move || SqliteConversations::open(&path)).await;
    let opened =
        opened.map_err(|_| Failure::internal("open the conversations: the thread that opens them ended"))?;
    Ok(Arc::new(opened?))
}

/// Where this command keeps what is said.
async fn store_of(app: &App, args: &ChatArgs) -> Result<Arc<dyn ConversationStore>, Failure> {
    if args.ephemeral { Ok(Arc::new(MemoryConversations::default())) } else { open(app).await }
}

/// A runtime for the time of the command: what it does is in the conversations, so nothing is written down beside them.
async fn start(
    app: &App,
    store: &Arc<dyn ConversationStore>,
    interrupts: &mut Interrupts,
) -> Result<Session, Failure> {
    let mut config = app.config()?;
    config.journal.path = None;
    let builder = Runtime::builder().config(config).conversations(Arc::clone(store));
    or_interrupted(interrupts, Session::start_with(app, builder)).await
}

/// Waits for `work`, but no longer than up to a signal; then `work` is dropped.
async fn or_interrupted<T>(
    interrupts: &mut Interrupts,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        _ = interrupts.next() => Err(Failure::new(FailureClass::Cancelled, "finish: it was cancelled")),
        done = work => done,
    }
}

/// What a command that was stopped ends with.
fn stopped(interrupts: &Interrupts) -> ExitStatus {
    if interrupts.is_terminated() { ExitStatus::Terminated } else { ExitStatus::Interrupted }
}

/// The conversation that a user names: by its id, `last`, or its number in a list of the latest, counted from 1.
async fn find(store: &dyn ConversationStore, name: &str) -> Result<Conversation, Failure> {
    let place = if name == LAST { Some(1) } else { name.parse().ok().filter(|place: &usize| *place > 0) };
    let id: ConversationId = match place {
        Some(place) => {
            let found = store.list(ConversationPage::first(place)).await?;
            let at = found.get(place - 1).map(|summary| summary.id);
            at.ok_or_else(|| {
                Failure::invalid(format!("find conversation {name:?}: {} are kept", found.len()))
                    .with_hint("List them: playhouse chat list")
            })?
        }
        None => name.parse()?,
    };
    let unknown =
        || ConversationError::new("find a conversation", ConversationErrorKind::Unknown { id }).into();
    store.get(id).await?.ok_or_else(unknown)
}

/// Where ids of conversations are drawn from: another source in each process.
fn ids() -> SeededSource {
    use std::hash::{BuildHasher as _, Hasher as _};
    // The standard library's hasher is keyed by the operating system's random source.
    SeededSource::from_seed(std::collections::hash_map::RandomState::new().build_hasher().finish())
}
