//! Tasks of a journal.

use std::fmt::Write as _;

use playhouse_protocol::journal::{FailedAttempt, RecordedStep, StepKind, StepOutcome};
use playhouse_protocol::task::TaskSummary;
use playhouse_runtime::DeadLetter;
use serde::Serialize;

use super::table::Table;
use crate::style::{Style, printable};

/// The longest cause in a list, in characters; all of it is in the details.
const CAUSE_LEN_MAX: usize = 60;

/// A list, a line a task.
pub(crate) fn list(tasks: &[TaskSummary], style: Style) -> String {
    if tasks.is_empty() {
        return "no such task\n".to_owned();
    }
    let mut table = Table::new(&["id", "kind", "tenant", "status", ">attempts", "submitted", "cause"]);
    for task in tasks {
        let cause = task.failure.as_ref().map(|failure| printable(&failure.message).into_owned());
        table.row([
            task.id.to_string(),
            printable(&task.kind).into_owned(),
            task.tenant.to_string(),
            if task.status.is_open() { "open".to_owned() } else { task.status.to_string() },
            task.attempts.to_string(),
            time(task.submitted_unix_ms),
            cause.map(|cause| cause.chars().take(CAUSE_LEN_MAX).collect()).unwrap_or_default(),
        ]);
    }
    table.render(style)
}

/// One task in a line.
pub(crate) fn line(task: &TaskSummary) -> String {
    let cause = task.failure.as_ref().map(|failure| format!(": failed to {}", printable(&failure.message)));
    format!("task {} is {}{}\n", task.id, task.status, cause.unwrap_or_default())
}

/// One task with its attempts and steps.
pub(crate) fn details(letter: &DeadLetter, style: Style) -> String {
    let task = &letter.task;
    let mut text = line(task);
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "agent {}, tenant {}, {} attempts, {} model calls, submitted {}",
        printable(&task.kind),
        task.tenant,
        task.attempts,
        task.usage.model_calls,
        time(task.submitted_unix_ms)
    );
    if !letter.failed_attempts.is_empty() {
        let _ = writeln!(text, "\n{}", style.bold("attempts that failed"));
        for FailedAttempt { attempt, failure, unix_ms } in &letter.failed_attempts {
            let message = printable(&failure.message);
            let _ = writeln!(text, "{attempt:>4}  {}  {}: {message}", time(*unix_ms), failure.class);
        }
    }
    if !letter.steps.is_empty() {
        let mut table = Table::new(&["step", "what", "outcome", "at"]);
        for step in &letter.steps {
            table.row([step.path.to_string(), what(step), outcome(step), time(step.unix_ms)]);
        }
        let _ = write!(text, "\n{}", table.render(style));
    }
    text
}

fn what(step: &RecordedStep) -> String {
    let label = printable(&step.label);
    match &step.kind {
        StepKind::ModelCall { model } => format!("{label} ({})", printable(model)),
        StepKind::AgentCall { .. } | StepKind::Effect => label.into_owned(),
    }
}

fn outcome(step: &RecordedStep) -> String {
    match &step.outcome {
        StepOutcome::Answered { usage, .. } => format!("answered, {} tokens", usage.total_tokens()),
        StepOutcome::Failed(failure) => format!("{}: {}", failure.class, printable(&failure.message)),
    }
}

/// Seconds since 1970 with the milliseconds behind the point, which every tool reads.
fn time(unix_ms: u64) -> String {
    format!("{}.{:03}", unix_ms / 1_000, unix_ms % 1_000)
}

/// A task for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Shown<'a> {
    task: &'a TaskSummary,
    failed_attempts: &'a [FailedAttempt],
    steps: Vec<ShownStep<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownStep<'a> {
    path: String,
    attempt: u32,
    kind: &'a StepKind,
    label: &'a str,
    fingerprint: String,
    outcome: String,
    is_answered: bool,
    unix_ms: u64,
}

impl<'a> Shown<'a> {
    pub(crate) fn of(letter: &'a DeadLetter) -> Self {
        let step = |step: &'a RecordedStep| ShownStep {
            path: step.path.to_string(),
            attempt: step.attempt,
            kind: &step.kind,
            label: &step.label,
            fingerprint: step.fingerprint.to_string(),
            outcome: outcome(step),
            is_answered: step.outcome.is_answered(),
            unix_ms: step.unix_ms,
        };
        Self {
            task: &letter.task,
            failed_attempts: &letter.failed_attempts,
            steps: letter.steps.iter().map(step).collect(),
        }
    }
}
