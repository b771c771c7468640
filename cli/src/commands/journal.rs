//! What commands on a journal share: finding it, reading it, owning it.

use std::path::PathBuf;
use std::sync::Arc;

use playhouse_protocol::task::{TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, FailureClass, TaskId, TenantId};
use playhouse_runtime::store::{SqliteStore, TaskFilter, TaskStore};
use playhouse_runtime::{DeadLetter, Runtime};
use serde::Serialize;

use crate::app::App;
use crate::args::{JournalArgs, ListArgs, TableFormat};
use crate::render::{journal as render, json};
use crate::session::Session;
use crate::signals::Signals;

/// The file that the flag or the settings name.
fn path(app: &App, args: &JournalArgs) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.journal {
        return Ok(path.clone());
    }
    app.config()?.journal.path.ok_or_else(|| {
        Failure::invalid("open the journal: none is named")
            .with_hint("Name its file with --journal FILE, or with `journal.path` in the settings.")
    })
}

/// The journal, to be read: another process may own it.
pub(super) async fn read(app: &App, args: &JournalArgs) -> Result<SqliteStore, Failure> {
    let path = path(app, args)?;
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open_read_only(&path)).await;
    opened
        .map_err(|_| Failure::internal("open the journal: the thread that opens it ended"))?
        .map_err(Failure::from)
}

/// A runtime that owns the journal.
pub(super) async fn own(
    app: &App,
    args: &JournalArgs,
    signals: &Signals,
    is_recovering: bool,
) -> Result<Session, Failure> {
    let mut config = app.config()?;
    let path = path(app, args)?;
    if !path.exists() {
        return Err(Failure::invalid(format!("open the journal {}: there is no such file", path.display())));
    }
    config.journal.path = Some(path);
    let builder = Runtime::builder().config(config);
    let builder = if is_recovering { builder } else { builder.without_recovery() };
    signals.or_cancelled(Session::start_with(app, builder)).await
}

/// Lists tasks.
pub(super) async fn list(
    app: &App,
    journal: &JournalArgs,
    statuses: Vec<TaskStatus>,
    args: &ListArgs,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Listed {
        tasks: Vec<TaskSummary>,
    }
    let filter = TaskFilter {
        statuses,
        tenant: args.tenant.clone().map(TenantId::try_from).transpose()?,
        kind: args.kind.clone(),
        parent: None,
        before: args.before,
        limit: args.limit,
    };
    let stored = read(app, journal).await?.list(filter).await?;
    let tasks: Vec<_> = stored.into_iter().map(TaskSummary::from).collect();
    match args.format {
        TableFormat::Table => app.ui.print(&render::list(&tasks, app.ui.stdout_style())),
        TableFormat::Json => app.ui.print(&json::envelope("tasks", false, &Listed { tasks })?),
    }
}

/// Shows one task with its attempts and steps.
pub(super) async fn show(
    app: &App,
    journal: &JournalArgs,
    id: TaskId,
    format: TableFormat,
    is_letter: bool,
) -> Result<(), Failure> {
    let store: Arc<dyn TaskStore> = Arc::new(read(app, journal).await?);
    let stored = store.task(id).await?.ok_or_else(|| {
        Failure::invalid(format!("find task {id}: no task of the journal has this id"))
            .with_hint("List them: playhouse tasks list")
    })?;
    if is_letter && stored.status != TaskStatus::DeadLettered {
        return Err(Failure::invalid(format!("find dead letter {id}: the task is {}", stored.status))
            .with_hint("Show it as a task: playhouse tasks show ID"));
    }
    let steps = store.steps(id).await?;
    let shown = DeadLetter { failed_attempts: stored.failed_attempts.clone(), task: stored.into(), steps };
    match format {
        TableFormat::Table => app.ui.print(&render::details(&shown, app.ui.stdout_style())),
        TableFormat::Json => app.ui.print(&json::envelope("task", false, &render::Shown::of(&shown))?),
    }
}

/// The statuses that users name.
pub(super) fn statuses(names: &[String]) -> Result<Vec<TaskStatus>, Failure> {
    let of = |name: &String| match name.as_str() {
        "open" => Ok(TaskStatus::Queued),
        name => TaskStatus::ALL
            .into_iter()
            .find(|status| !status.is_open() && status.as_str() == name)
            .ok_or_else(|| {
                Failure::invalid(format!("read the status {name:?}"))
                    .with_hint("Use open, completed, failed, cancelled or dead_lettered.")
            }),
    };
    names.iter().map(of).collect()
}

/// The failure of a task that was waited for, as this program's own.
pub(super) fn as_failure(task: &TaskSummary) -> Option<Failure> {
    let failure = task.failure.clone()?;
    Some(Failure { class: failure.class, ..failure })
        .filter(|failure| failure.class != FailureClass::Cancelled)
}
