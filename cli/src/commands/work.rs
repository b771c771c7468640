//! What `develop`, `generate` and `review` have in common: one task from submission to answer.

use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_runtime::Agent;

use super::fetch;
use crate::app::{self, App, Ended};
use crate::progress::TaskProgress;
use crate::render::words;
use crate::session::Session;
use crate::signals::Signals;

/// One task and what has to be there for it.
pub(super) struct Work<'a, A: Agent> {
    pub(super) request: A::Request,
    pub(super) options: TaskOptions,
    /// The task types whose models are asked, each with the model that was asked for.
    pub(super) models: Vec<(&'a str, Option<&'a str>)>,
    pub(super) no_pull: bool,
}

/// Starts a runtime, runs the task and ends the runtime.
pub(super) fn run<A: Agent>(app: &App, work: Work<'_, A>) -> Result<A::Reply, Ended> {
    let config = app.config()?;
    app::block_on(|signals| async move {
        let session = signals.or_cancelled(Session::start(app, config)).await?;
        let answered = answer::<A>(app, &session, &signals, work).await;
        session.end().await;
        answered
    })
}

async fn answer<A: Agent>(
    app: &App,
    session: &Session,
    signals: &Signals,
    work: Work<'_, A>,
) -> Result<A::Reply, Failure> {
    let Work { request, options, models, no_pull } = work;
    // A wrong request is told before a file of many megabytes is fetched for it.
    session.runtime.check::<A>(&request, &options)?;
    let fetched = fetch::ensure(app, session.runtime.catalog(), &models, no_pull);
    signals.or_cancelled(fetched).await?;
    let handle = session.runtime.submit::<A>(request, options).await?;
    let mut events = handle.watch();
    let mut progress = TaskProgress::new(&app.ui);
    let mut asked = false;
    loop {
        tokio::select! {
            biased;
            () = signals.token().cancelled(), if !asked => {
                asked = true;
                handle.cancel();
            }
            event = events.next() => match event {
                Some(event) => progress.show(&event),
                None => break,
            }
        }
    }
    progress.clear();
    let usage = handle.usage();
    handle.result().await.map_err(|failure| {
        if failure.class != FailureClass::Cancelled {
            return failure;
        }
        let calls = words::counted(usage.model_calls, "model call");
        Failure::new(
            FailureClass::Cancelled,
            format!("finish: it was cancelled; nothing was written ({calls}, {})", words::usage(&usage)),
        )
    })
}
