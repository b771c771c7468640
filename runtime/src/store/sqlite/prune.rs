//! Removing tasks.

use playhouse_protocol::TaskId;
use rusqlite::{Connection, TransactionBehavior};

use super::columns::{DEAD_LETTERED, id, time};
use super::faults::Fault;
use super::payloads;
use crate::store::Retention;

/// Ended tasks that may go, the ones that ended first in front: no dead letters, and no parts of a task that
/// is still there.
const PRUNABLE: &str = "SELECT id FROM tasks WHERE ended IS NOT NULL AND status <> ?1 AND ended < ?2 \
     AND (parent IS NULL OR parent NOT IN (SELECT id FROM tasks)) ORDER BY ended, id LIMIT ?3";

/// Removes what `retention` says, at most `limit` tasks, in one transaction.
pub(super) fn prune(connection: &mut Connection, retention: Retention, limit: usize) -> Result<u64, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut pruned = 0;
    if let Some(before) = retention.ended_before_unix_ms {
        pruned += remove_up_to(&transaction, time(before), limit)?;
    }
    if let Some(ended_max) = retention.ended_max {
        let ended: u64 = transaction
            .prepare_cached("SELECT COUNT(*) FROM tasks WHERE ended IS NOT NULL AND status <> ?1")?
            .query_row([DEAD_LETTERED], |row| row.get(0))?;
        let excess = usize::try_from(ended.saturating_sub(ended_max)).unwrap_or(usize::MAX);
        pruned += remove_up_to(&transaction, i64::MAX, excess.min(limit - pruned))?;
    }
    transaction.commit()?;
    Ok(pruned as u64)
}

fn remove_up_to(connection: &Connection, before: i64, limit: usize) -> Result<usize, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let tasks: Vec<[u8; 16]> = connection
        .prepare_cached(PRUNABLE)?
        .query_map((DEAD_LETTERED, before, limit), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for task in &tasks {
        remove(connection, id(*task))?;
    }
    Ok(tasks.len())
}

/// Removes a task with its steps, its attempts, and the payloads that nobody else has.
pub(super) fn remove(connection: &Connection, task: TaskId) -> Result<(), Fault> {
    let key = &task.as_bytes()[..];
    let mut payloads: Vec<i64> = Vec::new();
    {
        let mut steps =
            connection.prepare_cached("DELETE FROM steps WHERE task = ?1 RETURNING input, output")?;
        let mut rows = steps.query([key])?;
        while let Some(row) = rows.next()? {
            payloads.push(row.get(0)?);
            payloads.extend(row.get::<_, Option<i64>>(1)?);
        }
    }
    connection.prepare_cached("DELETE FROM failed_attempts WHERE task = ?1")?.execute([key])?;
    let (request, reply): (i64, Option<i64>) = connection
        .prepare_cached("DELETE FROM tasks WHERE id = ?1 RETURNING request, reply")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    payloads.push(request);
    payloads.extend(reply);
    payloads.into_iter().try_for_each(|payload| payloads::release(connection, payload))
}
