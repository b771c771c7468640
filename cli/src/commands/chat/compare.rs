//! The same question to several models, side by side.

use std::sync::Arc;

use futures::future::join_all;
use playhouse_protocol::chat::{ChatReply, ChatTurn, Conversation};
use playhouse_protocol::{ConversationId, Failure, FailureClass, WallClock as _};
use playhouse_runtime::actors::chat::{Chat, ConversationStore, MemoryConversations};
use playhouse_runtime::{Agent as _, SystemWallClock, TaskHandle};
use serde::Serialize;

use super::lines::terminal_width;
use crate::app::App;
use crate::args::{ChatArgs, CompareFormat};
use crate::commands::fetch;
use crate::exit::ExitStatus;
use crate::render::table::Table;
use crate::render::{SCRIPTED_LABEL, chat as render, json, words};
use crate::session::Session;
use crate::signals::Interrupts;
use crate::style::printable;

/// The most models at once: more answers than anybody reads beside each other.
const MODELS_MAX: usize = 16;

/// The fewest characters a column needs to be read.
const COLUMN_MIN: usize = 36;

/// What one model made of the question.
#[derive(Debug, Serialize)]
struct Compared {
    model: String,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ChatReply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

pub(super) async fn run(
    app: &App,
    args: &ChatArgs,
    prompt: String,
    mut interrupts: Interrupts,
) -> Result<ExitStatus, Failure> {
    check(&args.compare)?;
    let clock = SystemWallClock::now();
    let mut from = match &args.conversation {
        Some(name) => super::find(&*super::open(app).await?, name).await?,
        None => Conversation::new(ConversationId::new(0, &super::ids()), clock.unix_ms()),
    };
    from.system = args.system.clone().or(from.system);
    // Each model goes on with a conversation of its own.
    let store: Arc<dyn ConversationStore> = Arc::new(MemoryConversations::default());
    let session = super::start(app, &store, &mut interrupts).await?;
    let compared = ask_all(app, args, &session, &*store, (from, prompt), &mut interrupts).await;
    session.end().await;
    let compared = compared?;
    show(app, args.format, &compared)?;
    let failures: Vec<_> = compared.iter().filter_map(|one| one.failure.as_ref()).collect();
    Ok(match failures.first() {
        Some(first) if first.class == FailureClass::Cancelled => super::stopped(&interrupts),
        // One answer is a result.
        Some(first) if failures.len() == compared.len() => ExitStatus::of(first.class),
        Some(_) | None => ExitStatus::Success,
    })
}

fn check(models: &[String]) -> Result<(), Failure> {
    let mut sorted = models.to_vec();
    sorted.sort();
    let twice = sorted.iter().zip(sorted.iter().skip(1)).find(|(one, next)| one == next);
    if let Some((model, _)) = twice {
        return Err(Failure::invalid(format!("compare models: {model:?} stands twice"))
            .with_hint("Name each model once: --compare a,b"));
    }
    if models.len() > MODELS_MAX {
        return Err(Failure::invalid(format!("compare {} models at once", models.len()))
            .with_hint(format!("Name at most {MODELS_MAX}.")));
    }
    Ok(())
}

async fn ask_all(
    app: &App,
    args: &ChatArgs,
    session: &Session,
    store: &dyn ConversationStore,
    (from, prompt): (Conversation, String),
    interrupts: &mut Interrupts,
) -> Result<Vec<Compared>, Failure> {
    let (ids, clock) = (super::ids(), SystemWallClock::now());
    let options = args.limits.options();
    let mut turns = Vec::new();
    for model in &args.compare {
        let id = ConversationId::new(clock.unix_ms(), &ids);
        store.create(Conversation { id, ..from.clone() }).await?;
        let turn = ChatTurn {
            model: Some(model.clone()),
            sampling: args.model.sampling(),
            ..ChatTurn::new(id, prompt.clone())
        };
        session.runtime.check::<Chat>(&turn, &options)?;
        // All files are there before the first model is asked, so that none is timed by another one's file.
        let wanted = [(Chat::KIND, Some(model.as_str()))];
        let fetched = fetch::ensure(app, session.runtime.catalog(), &wanted, args.model.no_pull);
        turns.push((model, turn, super::or_interrupted(interrupts, fetched).await));
    }
    let mut asked = Vec::new();
    for (model, turn, fetched) in turns {
        let handle = match fetched {
            Ok(()) => session.runtime.submit::<Chat>(turn, options.clone()).await,
            Err(failure) => Err(failure),
        };
        asked.push((model.clone(), handle));
    }
    let answers = join_all(asked.iter().map(|(model, handle)| answer(model, handle, clock)));
    let mut answers = std::pin::pin!(answers);
    let mut is_stopped = false;
    loop {
        tokio::select! {
            biased;
            _ = interrupts.next(), if !is_stopped => {
                is_stopped = true;
                asked.iter().filter_map(|(_, handle)| handle.as_ref().ok()).for_each(TaskHandle::cancel);
            }
            compared = &mut answers => return Ok(compared),
        }
    }
}

async fn answer(model: &str, handle: &Result<TaskHandle<Chat>, Failure>, clock: SystemWallClock) -> Compared {
    let begun_ms = clock.unix_ms();
    let answered = match handle {
        Ok(handle) => handle.result().await,
        Err(failure) => Err(failure.clone()),
    };
    let elapsed_ms = clock.unix_ms().saturating_sub(begun_ms);
    let (reply, failure) = match answered {
        Ok(reply) => (Some(reply), None),
        Err(failure) => (None, Some(failure)),
    };
    Compared { model: model.to_owned(), elapsed_ms, reply, failure }
}

fn show(app: &App, format: CompareFormat, compared: &[Compared]) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answers<'a> {
        answers: &'a [Compared],
    }
    let replies = compared.iter().filter_map(|one| one.reply.as_ref());
    let is_scripted = replies.into_iter().any(|reply| reply.completion.origin.provider.is_scripted());
    if format == CompareFormat::Json {
        return app.ui.print(&json::envelope("compared", is_scripted, &Answers { answers: compared })?);
    }
    if is_scripted {
        app.ui.note(SCRIPTED_LABEL);
    }
    app.ui.print(&text(app, compared))
}

fn text(app: &App, compared: &[Compared]) -> String {
    let ui = &app.ui;
    let style = ui.stdout_style();
    let said = |one: &Compared| match (&one.reply, &one.failure) {
        (Some(reply), _) => ui.shown(&reply.completion.text).into_owned(),
        (None, Some(failure)) => {
            let hint = failure.hint.as_ref().map(|hint| format!("\n{}", printable(hint)));
            format!("failed to {}{}", printable(&failure.message), hint.unwrap_or_default())
        }
        (None, None) => String::new(),
    };
    let gaps = compared.len().saturating_sub(1) * " │ ".len();
    let width = terminal_width().map(|all| all.saturating_sub(gaps) / compared.len().max(1));
    let mut text = match width.filter(|width| *width >= COLUMN_MIN) {
        Some(width) => {
            let cells: Vec<_> =
                compared.iter().map(|one| (printable(&one.model).into_owned(), said(one))).collect();
            render::columns(&cells, width, style)
        }
        None => {
            let one = |one: &Compared| {
                format!(
                    "{}\n{}\n\n",
                    style.bold(&format!("== {} ==", printable(&one.model))),
                    said(one).trim_end()
                )
            };
            compared.iter().map(one).collect()
        }
    };
    let mut table = Table::new(&["model", ">time", ">prompt", ">answer", ">cost", "outcome"]);
    for one in compared {
        let usage = one.reply.as_ref().map(|reply| reply.completion.usage);
        let tokens = |count: Option<u64>| count.map_or("-".to_owned(), words::thousands);
        let cost = usage.filter(|usage| usage.cost_nano_usd > 0);
        table.row([
            printable(&one.model).into_owned(),
            words::seconds(one.elapsed_ms),
            tokens(usage.map(|usage| usage.prompt_tokens)),
            tokens(usage.map(|usage| usage.completion_tokens)),
            cost.map_or("-".to_owned(), |usage| format!("${:.6}", usage.cost_nano_usd as f64 / 1e9)),
            one.failure.as_ref().map_or("answered", |failure| failure.class.as_str()).to_owned(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.render(style));
    text
}
