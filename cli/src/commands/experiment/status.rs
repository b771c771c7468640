//! How the A/B tests of the settings stand, and putting an arm back.

use playhouse_config::Config;
use playhouse_experiments::ab::{AbVerdict, ArmStatus, TestStatus};
use playhouse_protocol::Failure;
use serde::Serialize;

use crate::app::{App, Outcome};
use crate::args::TableFormat;
use crate::exit::ExitStatus;
use crate::render::chat::moment;
use crate::render::json;
use crate::render::table::Table;
use crate::session;

pub(super) fn status(app: &App, format: TableFormat) -> Outcome {
    let config = app.config()?;
    let tests = tests(app, &config)?;
    if format == TableFormat::Json {
        #[derive(Serialize)]
        struct Tests<'a> {
            tests: &'a [TestStatus],
        }
        app.ui.print(&json::envelope("ab_tests", false, &Tests { tests: &tests })?)?;
        return Ok(ExitStatus::Success);
    }
    if tests.is_empty() {
        app.ui
            .note("the settings name no A/B test: selection.ab.TASK_TYPE, beside selection.split.TASK_TYPE");
        return Ok(ExitStatus::Success);
    }
    let mut table =
        Table::new(&["task", "arm", ">weight", ">outcomes", ">mean", ">e-value", ">needed", "verdict"]);
    for (test, arm) in tests.iter().flat_map(|test| test.arms.iter().map(move |arm| (test, arm))) {
        table.row(row(test, arm));
    }
    app.ui.print(&table.render(app.ui.stdout_style()))?;
    Ok(ExitStatus::Success)
}

pub(super) fn resume_arm(app: &App, task: &str, arm: &str, reason: &str) -> Outcome {
    let config = app.config()?;
    let catalog = session::catalog(app, &config)?;
    let monitor = session::ab_monitor(app, &config)?;
    monitor.resume(&catalog, task, arm, reason).map_err(Failure::from)?;
    app.ui.print(&format!("{arm} takes its share of {task} again; its test begins anew\n"))?;
    Ok(ExitStatus::Success)
}

fn tests(app: &App, config: &Config) -> Result<Vec<TestStatus>, Failure> {
    if config.selection.ab.is_empty() {
        return Ok(Vec::new());
    }
    let catalog = session::catalog(app, config)?;
    session::ab_monitor(app, config)?.status(&catalog).map_err(Failure::from)
}

fn row(test: &TestStatus, arm: &ArmStatus) -> [String; 8] {
    let named = if arm.model == arm.arm { arm.arm.clone() } else { format!("{} ({})", arm.arm, arm.model) };
    let evidence = |value: f64| if value < 1_000.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    [
        test.task_type.clone(),
        named,
        arm.weight.to_string(),
        arm.outcomes.to_string(),
        arm.mean.map(|mean| format!("{mean:.3}")).unwrap_or_default(),
        arm.e_value.map(evidence).unwrap_or_default(),
        arm.e_value.map(|_| evidence(test.e_value_needed)).unwrap_or_default(),
        verdict(test, arm),
    ]
}

fn verdict(test: &TestStatus, arm: &ArmStatus) -> String {
    if let Some(stopped) = &arm.stopped {
        return format!("stopped since {}: {}", moment(stopped.unix_ms), stopped.reason);
    }
    let seen_too_few = arm.outcomes < u64::from(test.outcomes_min);
    match arm.verdict {
        None => "the baseline".to_owned(),
        Some(AbVerdict::GoOn) if seen_too_few => {
            format!("nothing yet, {} outcomes at least", test.outcomes_min)
        }
        Some(AbVerdict::GoOn) => "nothing yet".to_owned(),
        Some(AbVerdict::Better) => "better".to_owned(),
        Some(AbVerdict::Harmful) => "worse".to_owned(),
    }
}
