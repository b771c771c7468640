//! What was used lately.

use std::collections::BTreeMap;

use playhouse_protocol::journal::StepKind;
use playhouse_protocol::{TenantId, Usage};
use rusqlite::Connection;

use super::columns::{time, value};
use super::faults::Fault;

/// Steps are numbered as they are written, which is nearly in the order of their times: a journal that could not be
/// written for a while has written some late. Steps that waited for more than an hour are not looked for.
const LATE_MS: u64 = 3_600_000;

/// Reads from the latest step back to the first one that is clearly too old, so that it costs what was recorded since, and
/// no index. A row that cannot be read is not counted.
pub(super) fn usage_since(
    connection: &Connection,
    since_unix_ms: u64,
) -> Result<BTreeMap<TenantId, Usage>, Fault> {
    let (since, too_old) = (time(since_unix_ms), time(since_unix_ms.saturating_sub(LATE_MS)));
    // The cross join keeps the steps in front, so that they are read in their order and not sorted.
    let mut statement = connection.prepare_cached(
        "SELECT tasks.tenant, steps.kind, steps.usage, steps.unix_ms FROM steps \
         CROSS JOIN tasks ON tasks.id = steps.task ORDER BY steps.number DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut by_tenant: BTreeMap<TenantId, Usage> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let unix_ms: i64 = row.get(3)?;
        if unix_ms < too_old {
            break;
        }
        let (Some(usage), true) = (row.get::<_, Option<Vec<u8>>>(2)?, unix_ms >= since) else { continue };
        let kind = value::<StepKind>(&row.get::<_, Vec<u8>>(1)?);
        let tenant = TenantId::try_from(row.get::<_, String>(0)?);
        if let (Ok(StepKind::ModelCall { .. }), Ok(usage), Ok(tenant)) =
            (kind, value::<Usage>(&usage), tenant)
        {
            *by_tenant.entry(tenant).or_default() += usage;
        }
    }
    Ok(by_tenant)
}
