//! Writing a group of entries.

use playhouse_protocol::TaskId;
use playhouse_protocol::journal::{FailedAttempt, Payload, RecordedStep, StepOutcome};
use playhouse_protocol::task::{TaskOptions, TaskStatus};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::columns::{DEAD_LETTERED, OPEN, bytes, id, status, status_number, time, value};
use super::faults::Fault;
use super::payloads;
use super::prune::remove;
use crate::store::{AcceptedTask, Entry, Reception, TaskEnd};

/// Writes a group in one transaction, which is synced before this returns.
pub(super) fn commit(connection: &mut Connection, group: &[Entry]) -> Result<Vec<Reception>, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let receptions = group.iter().map(|entry| apply(&transaction, entry)).collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(receptions)
}

fn apply(connection: &Connection, entry: &Entry) -> Result<Reception, Fault> {
    match entry {
        Entry::Accepted(task) => accept(connection, task),
        Entry::StepEnded { task, step, input } => end_step(connection, *task, step, input),
        Entry::AttemptFailed { task, attempt } => fail_attempt(connection, *task, attempt),
        Entry::Ended { task, end } => end_task(connection, *task, end),
        Entry::Reopened { task, deadline_unix_ms, attempts_max, .. } => {
            reopen(connection, *task, *deadline_unix_ms, *attempts_max)
        }
        Entry::Discarded { task } => discard(connection, *task),
    }
}

/// The status of a task; `None` for an unknown one.
fn status_of(connection: &Connection, task: TaskId) -> Result<Option<TaskStatus>, Fault> {
    let number: Option<u8> = connection
        .prepare_cached("SELECT status FROM tasks WHERE id = ?1")?
        .query_row([&task.as_bytes()[..]], |row| row.get(0))
        .optional()?;
    number.map(status).transpose()
}

fn accept(connection: &Connection, task: &AcceptedTask) -> Result<Reception, Fault> {
    if status_of(connection, task.id)?.is_some() {
        return Ok(Reception::Written);
    }
    let tenant = task.options.tenant.as_str();
    let key = task.options.idempotency_key.as_ref().map(playhouse_protocol::IdempotencyKey::as_str);
    if let Some(key) = key {
        let first: Option<([u8; 16], String, i64)> = connection
            .prepare_cached("SELECT id, kind, request FROM tasks WHERE tenant = ?1 AND key = ?2")?
            .query_row((tenant, key), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        if let Some((first, kind, request)) = first {
            let same_request = kind == task.kind && payloads::is_same(connection, request, &task.request)?;
            return Ok(Reception::KeyTaken { task: id(first), same_request });
        }
    }
    let request = payloads::hold(connection, &task.request)?;
    connection
        .prepare_cached(
            "INSERT INTO tasks (id, kind, tenant, key, parent, options, submitted, deadline, request, status, \
             attempts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)",
        )?
        .execute((
            &task.id.as_bytes()[..],
            &task.kind,
            tenant,
            key,
            task.parent.as_ref().map(|parent| &parent.as_bytes()[..]),
            bytes(&task.options)?,
            time(task.submitted_unix_ms),
            time(task.deadline_unix_ms),
            request,
            OPEN,
        ))?;
    Ok(Reception::Written)
}

fn end_step(
    connection: &Connection,
    task: TaskId,
    step: &RecordedStep,
    input: &Payload,
) -> Result<Reception, Fault> {
    match status_of(connection, task)? {
        None => return Ok(Reception::NotApplicable),
        Some(status) if !status.is_open() => return Ok(Reception::Settled(status)),
        Some(_) => {}
    }
    let path = step.path.to_string();
    let before: Option<(i64, i64, Option<i64>, i64)> = connection
        .prepare_cached("SELECT number, input, output, unix_ms FROM steps WHERE task = ?1 AND path = ?2")?
        .query_row((&task.as_bytes()[..], &path), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    match before {
        // An answer never changes.
        Some((_, _, Some(_), unix_ms)) => {
            let same = unix_ms == time(step.unix_ms) && step.outcome.is_answered();
            return Ok(if same { Reception::Written } else { Reception::Settled(TaskStatus::Running) });
        }
        Some((number, input, None, _)) => {
            connection.prepare_cached("DELETE FROM steps WHERE number = ?1")?.execute([number])?;
            payloads::release(connection, input)?;
        }
        None => {}
    }
    let input = payloads::hold(connection, input)?;
    let (output, usage, failure) = match &step.outcome {
        StepOutcome::Answered { output, usage } => {
            (Some(payloads::hold(connection, output)?), Some(bytes(usage)?), None)
        }
        StepOutcome::Failed(failure) => (None, None, Some(bytes(failure)?)),
    };
    connection
        .prepare_cached(
            "INSERT INTO steps (task, path, attempt, kind, label, fingerprint, input, output, usage, failure, \
             unix_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute((
            &task.as_bytes()[..],
            &path,
            step.attempt,
            bytes(&step.kind)?,
            &step.label,
            &step.fingerprint.0[..],
            input,
            output,
            usage,
            failure,
            time(step.unix_ms),
        ))?;
    Ok(Reception::Written)
}

fn fail_attempt(connection: &Connection, task: TaskId, attempt: &FailedAttempt) -> Result<Reception, Fault> {
    match status_of(connection, task)? {
        None => return Ok(Reception::NotApplicable),
        Some(status) if !status.is_open() => return Ok(Reception::Settled(status)),
        Some(_) => {}
    }
    connection
        .prepare_cached("INSERT OR IGNORE INTO failed_attempts (task, attempt, failed) VALUES (?1, ?2, ?3)")?
        .execute((&task.as_bytes()[..], attempt.attempt, bytes(attempt)?))?;
    Ok(Reception::Written)
}

fn end_task(connection: &Connection, task: TaskId, end: &TaskEnd) -> Result<Reception, Fault> {
    match status_of(connection, task)? {
        None => return Ok(Reception::NotApplicable),
        Some(status) if !status.is_open() => {
            let same = status == end.status && ended_at(connection, task)? == Some(time(end.unix_ms));
            return Ok(if same { Reception::Written } else { Reception::Settled(status) });
        }
        Some(_) => {}
    }
    let reply = end.reply.as_ref().map(|reply| payloads::hold(connection, reply)).transpose()?;
    connection
        .prepare_cached(
            "UPDATE tasks SET status = ?2, attempts = ?3, ended = ?4, reply = ?5, failure = ?6, usage = ?7 \
             WHERE id = ?1",
        )?
        .execute((
            &task.as_bytes()[..],
            status_number(end.status),
            end.attempts,
            time(end.unix_ms),
            reply,
            end.failure.as_ref().map(bytes).transpose()?,
            bytes(&end.usage)?,
        ))?;
    Ok(Reception::Written)
}

fn ended_at(connection: &Connection, task: TaskId) -> Result<Option<i64>, Fault> {
    Ok(connection
        .prepare_cached("SELECT ended FROM tasks WHERE id = ?1")?
        .query_row([&task.as_bytes()[..]], |row| row.get(0))?)
}

fn reopen(
    connection: &Connection,
    task: TaskId,
    deadline_unix_ms: u64,
    attempts_max: u32,
) -> Result<Reception, Fault> {
    let status = status_of(connection, task)?;
    if !matches!(status, Some(TaskStatus::DeadLettered | TaskStatus::Queued)) {
        return Ok(Reception::NotApplicable);
    }
    let key = &task.as_bytes()[..];
    let (options, deadline): (Vec<u8>, i64) = connection
        .prepare_cached("SELECT options, deadline FROM tasks WHERE id = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let options: TaskOptions = value(&options)?;
    if status != Some(TaskStatus::DeadLettered) {
        // The same entry once more.
        let same = options.attempts_max == Some(attempts_max) && deadline == time(deadline_unix_ms);
        return Ok(if same { Reception::Written } else { Reception::NotApplicable });
    }
    let options = TaskOptions { attempts_max: Some(attempts_max), ..options };
    connection
        .prepare_cached(
            "UPDATE tasks SET status = ?2, attempts = 0, ended = NULL, failure = NULL, usage = NULL, \
             deadline = ?3, options = ?4 WHERE id = ?1 AND status = ?5",
        )?
        .execute((key, OPEN, time(deadline_unix_ms), bytes(&options)?, DEAD_LETTERED))?;
    // None of them has an output.
    let removed: Vec<(i64, i64)> = connection
        .prepare_cached(
            "SELECT number, input FROM steps WHERE task = ?1 AND number > \
             (SELECT COALESCE(MAX(number), 0) FROM steps WHERE task = ?1 AND output IS NOT NULL)",
        )?
        .query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, input) in removed {
        connection.prepare_cached("DELETE FROM steps WHERE number = ?1")?.execute([number])?;
        payloads::release(connection, input)?;
    }
    Ok(Reception::Written)
}

fn discard(connection: &Connection, task: TaskId) -> Result<Reception, Fault> {
    match status_of(connection, task)? {
        Some(status) if !status.is_open() => {
            remove(connection, task)?;
            Ok(Reception::Written)
        }
        Some(_) | None => Ok(Reception::NotApplicable),
    }
}
