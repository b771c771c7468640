//! `playhouse chat list|show|export|delete`

use std::path::Path;

use playhouse_protocol::Failure;
use playhouse_protocol::chat::{Conversation, ConversationSummary};
use playhouse_runtime::actors::chat::ConversationPage;
use serde::Serialize;

use super::{find, open};
use crate::app::{self, App, Outcome};
use crate::args::{ChatCommand, ExportFormat, TableFormat};
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render::{chat as render, json};

pub(super) fn run(app: &App, command: &ChatCommand) -> Outcome {
    app::block_on(|signals| async move {
        signals
            .or_cancelled(async {
                match command {
                    ChatCommand::List { limit, format } => list(app, *limit, *format).await,
                    ChatCommand::Show { id } => show(app, id).await,
                    ChatCommand::Export { id, format, output } => {
                        export(app, id, *format, output.as_deref()).await
                    }
                    ChatCommand::Delete { id, yes } => delete(app, id, *yes).await,
                }
            })
            .await
    })?;
    Ok(ExitStatus::Success)
}

async fn list(app: &App, limit: usize, format: TableFormat) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Listed {
        conversations: Vec<ConversationSummary>,
    }
    let conversations = open(app).await?.list(ConversationPage::first(limit)).await?;
    match format {
        TableFormat::Table => app.ui.print(&render::list(&conversations, app.ui.stdout_style())),
        TableFormat::Json => {
            app.ui.print(&json::envelope("conversations", false, &Listed { conversations })?)
        }
    }
}

async fn show(app: &App, id: &str) -> Result<(), Failure> {
    let conversation = app.ui.safe(find(&*open(app).await?, id).await?)?;
    app.ui.print(&render::shown(&conversation, app.ui.stdout_style()))
}

async fn export(app: &App, id: &str, format: ExportFormat, output: Option<&Path>) -> Result<(), Failure> {
    let output = output.map(OutputFile::check).transpose()?;
    let conversation = find(&*open(app).await?, id).await?;
    match output {
        None => app.ui.print(&document(&app.ui.safe(conversation)?, format)?),
        Some(file) => {
            file.write(&document(&conversation, format)?)?;
            app.ui.note(&format!("wrote {}", file.path().display()));
            Ok(())
        }
    }
}

/// A conversation as a file.
pub(super) fn document(conversation: &Conversation, format: ExportFormat) -> Result<String, Failure> {
    match format {
        ExportFormat::Json => json::envelope("conversation", render::is_scripted(conversation), conversation),
        ExportFormat::Markdown => Ok(render::markdown(conversation)),
    }
}

async fn delete(app: &App, id: &str, is_sure: bool) -> Result<(), Failure> {
    let store = open(app).await?;
    let conversation = find(&*store, id).await?;
    if !is_sure {
        let id = conversation.id;
        return Err(Failure::invalid(format!("delete conversation {id}: it would be gone for good"))
            .with_hint(format!("Say so: playhouse chat delete {id} --yes")));
    }
    store.delete(conversation.id).await?;
    app.ui.note(&format!("conversation {} is gone", conversation.id));
    Ok(())
}
