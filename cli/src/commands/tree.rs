//! `playhouse tree`

use std::time::Duration;

use playhouse_protocol::{Failure, FailureClass};
use playhouse_runtime::supervisors::TreeNode;
use serde::Serialize;

use crate::app::{self, App, Outcome};
use crate::args::{TreeArgs, TreeFormat};
use crate::exit::ExitStatus;
use crate::render::{json, tree};
use crate::session::Session;

/// With `--metrics` the command stays, so that its port can be asked; this is how long at most. A month, so
/// that a forgotten one ends some day.
const STAY_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// For programs: apart, because a node has a `kind` of its own.
#[derive(Debug, Serialize)]
struct Shown {
    tree: TreeNode,
}

pub(crate) fn run(app: &App, args: &TreeArgs) -> Outcome {
    let config = app.config()?;
    app::block_on(|signals| async move {
        let session = signals.or_cancelled(Session::start(app, config)).await?;
        let tree = session.runtime.tree().await;
        let tree = tree.map_err(|error| Failure::new(FailureClass::Internal, error.to_string()));
        let text = tree.and_then(|tree| match args.format {
            TreeFormat::Text => Ok(tree::text(&tree, app.ui.stdout_style())),
            TreeFormat::Json => json::envelope("tree", false, &Shown { tree }),
        });
        let printed = text.and_then(|text| app.ui.print(&text));
        if printed.is_ok() && app.global.metrics.is_some() {
            app.ui.note("serving metrics; end with Ctrl-C");
            let _ = tokio::time::timeout(STAY_MAX, signals.token().cancelled()).await;
        }
        session.end().await;
        printed
    })?;
    Ok(ExitStatus::Success)
}
