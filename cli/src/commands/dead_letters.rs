//! `playhouse dead-letters …`

use playhouse_protocol::task::{TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, TaskId};
use playhouse_runtime::Runtime;

use super::journal;
use crate::app::{self, App, Outcome};
use crate::args::DeadLettersCommand;
use crate::exit::ExitStatus;
use crate::render::journal as render;

pub(crate) fn run(app: &App, command: &DeadLettersCommand) -> Outcome {
    app::block_on(|signals| async move {
        match command {
            DeadLettersCommand::List { journal, list } => {
                journal::list(app, journal, vec![TaskStatus::DeadLettered], list).await
            }
            DeadLettersCommand::Show { journal, id, format } => {
                journal::show(app, journal, *id, *format, true).await
            }
            DeadLettersCommand::Replay { journal, ids } => {
                let session = journal::own(app, journal, &signals, false).await?;
                let replayed = signals.or_cancelled(replay(app, &session.runtime, ids)).await;
                session.end().await;
                replayed
            }
            DeadLettersCommand::Discard { journal, ids } => {
                let session = journal::own(app, journal, &signals, false).await?;
                let discarded = discard(app, &session.runtime, ids).await;
                session.end().await;
                discarded
            }
        }
    })?;
    Ok(ExitStatus::Success)
}

/// Opens all of them, then waits for each. The first failure is the command's.
async fn replay(app: &App, runtime: &Runtime, ids: &[TaskId]) -> Result<(), Failure> {
    for id in ids {
        runtime.replay(*id).await?;
    }
    let mut first: Option<Failure> = None;
    for id in ids {
        let ended: TaskSummary = runtime.wait(*id).await?;
        app.ui.print(&render::line(&ended))?;
        first = first.or_else(|| journal::as_failure(&ended));
    }
    first.map_or(Ok(()), Err)
}

async fn discard(app: &App, runtime: &Runtime, ids: &[TaskId]) -> Result<(), Failure> {
    for id in ids {
        // Its history is what makes it worth a look before it goes.
        runtime.dead_letter(*id).await?;
        runtime.discard(*id).await?;
        app.ui.print(&format!("task {id} was discarded\n"))?;
    }
    Ok(())
}
