//! `playhouse tasks …`

use std::time::Duration;

use playhouse_protocol::Failure;
use playhouse_runtime::Runtime;

use super::journal;
use crate::app::{self, App, Outcome};
use crate::args::{JournalArgs, TasksCommand};
use crate::exit::ExitStatus;
use crate::signals::Signals;

/// How often the open tasks are counted while they are waited for.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How often progress is told.
const TOLD_EVERY: u32 = 100;

pub(crate) fn run(app: &App, command: &TasksCommand) -> Outcome {
    app::block_on(|signals| async move {
        match command {
            TasksCommand::List { journal, statuses, list } => {
                journal::list(app, journal, journal::statuses(statuses)?, list).await
            }
            TasksCommand::Show { journal, id, format } => {
                journal::show(app, journal, *id, *format, false).await
            }
            TasksCommand::Cancel { journal, id } => {
                let session = journal::own(app, journal, &signals, false).await?;
                let cancelled = session.runtime.cancel(*id).await;
                session.end().await;
                let told = if cancelled? { "was cancelled" } else { "had ended before and stays as it is" };
                app.ui.print(&format!("task {id} {told}\n"))
            }
            TasksCommand::Resume { journal } => resume(app, journal, &signals).await,
        }
    })?;
    Ok(ExitStatus::Success)
}

/// Goes on with all open tasks. A signal leaves what is open to the next time.
async fn resume(app: &App, args: &JournalArgs, signals: &Signals) -> Result<(), Failure> {
    let session = journal::own(app, args, signals, true).await?;
    let runtime = &session.runtime;
    app.ui.note(&format!("going on with {} tasks", runtime.accounting().resumed));
    let waited = signals.or_cancelled(async {
        wait(app, runtime).await;
        Ok(())
    });
    let waited = waited.await;
    let runtime = runtime.clone();
    session.end().await;
    let books = runtime.accounting();
    let text = format!(
        "{} resumed: {} completed, {} failed, {} cancelled, {} dead letters, {} left open\n",
        books.resumed, books.completed, books.failed, books.cancelled, books.dead_lettered, books.kept
    );
    app.ui.print(&text)?;
    waited
}

async fn wait(app: &App, runtime: &Runtime) {
    let mut looks = 0_u32;
    while runtime.accounting().open > 0 {
        tokio::time::sleep(LOOK_INTERVAL).await;
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(TOLD_EVERY) {
            app.ui.note(&format!("{} tasks are open", runtime.accounting().open));
        }
    }
}
