//! Reading.

use playhouse_protocol::journal::{FailedAttempt, Fingerprint, Payload, RecordedStep, StepOutcome, StepPath};
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{TaskId, Usage};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::columns::{OPEN, id, status, status_number, unix_ms, value};
use super::faults::Fault;
use super::payloads;
use crate::store::{StatusCounts, StoredTask, TaskFilter};

/// The columns of a task, in the order in which [`stored`] takes them.
const COLUMNS: &str = "id, kind, parent, options, submitted, deadline, status, attempts, ended, failure, usage, \
     (SELECT COUNT(*) FROM steps WHERE steps.task = tasks.id)";

/// Tasks that cannot be read in a page of a list without making it shorter. Damage that SQLite does not see is rare, and
/// a bound keeps its sorting cheap.
const UNREADABLE_MAX: usize = 100;

/// A row of tasks as it is read, before its values are understood.
struct TaskRow {
    id: [u8; 16],
    kind: String,
    parent: Option<[u8; 16]>,
    options: Vec<u8>,
    submitted: i64,
    deadline: i64,
    status: u8,
    attempts: u32,
    ended: Option<i64>,
    failure: Option<Vec<u8>>,
    usage: Option<Vec<u8>>,
    steps_len: u64,
}

fn row(row: &Row<'_>) -> rusqlite::Result<TaskRow> {
    Ok(TaskRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        parent: row.get(2)?,
        options: row.get(3)?,
        submitted: row.get(4)?,
        deadline: row.get(5)?,
        status: row.get(6)?,
        attempts: row.get(7)?,
        ended: row.get(8)?,
        failure: row.get(9)?,
        usage: row.get(10)?,
        steps_len: row.get(11)?,
    })
}

fn stored(connection: &Connection, row: TaskRow) -> Result<StoredTask, Fault> {
    let failed_attempts: Vec<FailedAttempt> = connection
        .prepare_cached("SELECT failed FROM failed_attempts WHERE task = ?1 ORDER BY attempt")?
        .query_map([&row.id[..]], |row| row.get::<_, Vec<u8>>(0))?
        .map(|failed| value(&failed?))
        .collect::<Result<_, Fault>>()?;
    let failed_len = u32::try_from(failed_attempts.len()).unwrap_or(u32::MAX);
    Ok(StoredTask {
        id: id(row.id),
        kind: row.kind,
        options: value(&row.options)?,
        parent: row.parent.map(id),
        submitted_unix_ms: unix_ms(row.submitted),
        deadline_unix_ms: unix_ms(row.deadline),
        status: status(row.status)?,
        attempts: if row.status == OPEN { failed_len } else { row.attempts },
        failed_attempts,
        steps_len: row.steps_len,
        ended_unix_ms: row.ended.map(unix_ms),
        usage: row.usage.as_deref().map_or(Ok(Usage::default()), value)?,
        failure: row.failure.as_deref().map(value).transpose()?,
    })
}

pub(super) fn open_tasks(
    connection: &Connection,
    after: Option<TaskId>,
    limit: usize,
) -> Result<Vec<StoredTask>, Fault> {
    let after = after.map_or(Vec::new(), |after| after.as_bytes().to_vec());
    // Without a limit: rows are made as they are taken.
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE status = ?1 AND id > ?2 ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    readable(connection, statement.query_map((OPEN, after), row)?, limit)
}

/// The first tasks of `rows` that can be read, at most `limit`. One that cannot hides none of the others: the log tells of
/// it, and it stays as it is.
fn readable(
    connection: &Connection,
    rows: impl Iterator<Item = rusqlite::Result<TaskRow>>,
    limit: usize,
) -> Result<Vec<StoredTask>, Fault> {
    let read = rows.filter_map(|row| {
        let task = row.as_ref().ok().map(|row| id(row.id).to_string());
        match row.map_err(Fault::from).and_then(|row| stored(connection, row)) {
            Err(fault) if fault.is_about_a_row() => {
                let (task, problem) = (task.unwrap_or_default(), fault.into_kind());
                tracing::warn!(task, %problem, "a task of the journal cannot be read and is left as it is");
                None
            }
            read => Some(read),
        }
    });
    read.take(limit).collect()
}

pub(super) fn task(connection: &Connection, task: TaskId) -> Result<Option<StoredTask>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE id = ?1");
    let found = connection.prepare_cached(&sql)?.query_row([&task.as_bytes()[..]], row).optional()?;
    found.map(|row| stored(connection, row)).transpose()
}

pub(super) fn request(connection: &Connection, task: TaskId) -> Result<Option<Payload>, Fault> {
    payload(connection, "SELECT request FROM tasks WHERE id = ?1", task)
}

pub(super) fn reply(connection: &Connection, task: TaskId) -> Result<Option<Payload>, Fault> {
    payload(connection, "SELECT reply FROM tasks WHERE id = ?1", task)
}

fn payload(connection: &Connection, sql: &str, task: TaskId) -> Result<Option<Payload>, Fault> {
    let link: Option<Option<i64>> =
        connection.prepare_cached(sql)?.query_row([&task.as_bytes()[..]], |row| row.get(0)).optional()?;
    link.flatten().map(|link| payloads::read(connection, link)).transpose()
}

struct StepRow {
    path: String,
    attempt: u32,
    kind: Vec<u8>,
    label: String,
    fingerprint: [u8; 32],
    output: Option<i64>,
    usage: Option<Vec<u8>>,
    failure: Option<Vec<u8>>,
    unix_ms: i64,
}

pub(super) fn steps(connection: &Connection, task: TaskId) -> Result<Vec<RecordedStep>, Fault> {
    connection
        .prepare_cached(
            "SELECT path, attempt, kind, label, fingerprint, output, usage, failure, unix_ms FROM steps \
             WHERE task = ?1 ORDER BY number",
        )?
        .query_map([&task.as_bytes()[..]], |row| {
            Ok(StepRow {
                path: row.get(0)?,
                attempt: row.get(1)?,
                kind: row.get(2)?,
                label: row.get(3)?,
                fingerprint: row.get(4)?,
                output: row.get(5)?,
                usage: row.get(6)?,
                failure: row.get(7)?,
                unix_ms: row.get(8)?,
            })
        })?
        .map(|row| step(connection, row?))
        .collect()
}

fn step(connection: &Connection, row: StepRow) -> Result<RecordedStep, Fault> {
    let outcome = match (row.output, row.failure) {
        (Some(output), _) => StepOutcome::Answered {
            output: payloads::read(connection, output)?,
            usage: row.usage.as_deref().map_or(Ok(Usage::default()), value)?,
        },
        (None, Some(failure)) => StepOutcome::Failed(value(&failure)?),
        (None, None) => return Err(Fault::Unreadable(format!("step {} has no outcome", row.path))),
    };
    Ok(RecordedStep {
        path: row
            .path
            .parse()
            .map_err(|_| Fault::Unreadable(format!("a step has the place {:?}", row.path)))?,
        attempt: row.attempt,
        kind: value(&row.kind)?,
        label: row.label,
        fingerprint: Fingerprint(row.fingerprint),
        outcome,
        unix_ms: unix_ms(row.unix_ms),
    })
}

pub(super) fn step_input(
    connection: &Connection,
    task: TaskId,
    path: &StepPath,
) -> Result<Option<Payload>, Fault> {
    let link: Option<i64> = connection
        .prepare_cached("SELECT input FROM steps WHERE task = ?1 AND path = ?2")?
        .query_row((&task.as_bytes()[..], path.to_string()), |row| row.get(0))
        .optional()?;
    link.map(|link| payloads::read(connection, link)).transpose()
}

pub(super) fn list(connection: &Connection, filter: &TaskFilter) -> Result<Vec<StoredTask>, Fault> {
    let mut conditions = vec!["TRUE".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    let mut condition = |text: &str, value: Value| {
        values.push(value);
        conditions.push(format!("{text} ?{}", values.len()));
    };
    if let Some(tenant) = &filter.tenant {
        condition("tenant =", Value::Text(tenant.to_string()));
    }
    if let Some(kind) = &filter.kind {
        condition("kind =", Value::Text(kind.clone()));
    }
    if let Some(parent) = filter.parent {
        condition("parent =", Value::Blob(parent.as_bytes().to_vec()));
    }
    if let Some(before) = filter.before {
        condition("id <", Value::Blob(before.as_bytes().to_vec()));
    }
    if !filter.statuses.is_empty() {
        let mut numbers: Vec<_> = filter.statuses.iter().map(|status| status_number(*status)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Vec<_> = numbers.iter().map(u8::to_string).collect();
        conditions.push(format!("status IN ({})", numbers.join(", ")));
    }
    let conditions = conditions.join(" AND ");
    let limit = i64::try_from(filter.limit.saturating_add(UNREADABLE_MAX)).unwrap_or(i64::MAX);
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE {conditions} ORDER BY id DESC LIMIT {limit}");
    let mut statement = connection.prepare(&sql)?;
    readable(connection, statement.query_map(rusqlite::params_from_iter(values), row)?, filter.limit)
}

pub(super) fn counts(connection: &Connection) -> Result<StatusCounts, Fault> {
    let mut counts = StatusCounts::default();
    let mut statement = connection.prepare_cached("SELECT status, COUNT(*) FROM tasks GROUP BY status")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, u64>(1)?)))?;
    for row in rows {
        let (number, len) = row?;
        let count = match status(number)? {
            TaskStatus::Queued | TaskStatus::Running => &mut counts.open,
            TaskStatus::Completed => &mut counts.completed,
            TaskStatus::Failed => &mut counts.failed,
            TaskStatus::Cancelled => &mut counts.cancelled,
            TaskStatus::DeadLettered => &mut counts.dead_lettered,
        };
        *count = len;
    }
    Ok(counts)
}
