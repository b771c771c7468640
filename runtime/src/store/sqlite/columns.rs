//! Values as columns hold them.

use playhouse_protocol::TaskId;
use playhouse_protocol::envelope::{self, EnvelopeError, Wire};
use playhouse_protocol::task::TaskStatus;

use super::faults::Fault;
use crate::store::StoreErrorKind;

/// An open task. Whether it runs is not written down.
pub(super) const OPEN: u8 = 0;
/// A dead letter.
pub(super) const DEAD_LETTERED: u8 = 4;

pub(super) const fn status_number(status: TaskStatus) -> u8 {
    match status {
        TaskStatus::Queued | TaskStatus::Running => OPEN,
        TaskStatus::Completed => 1,
        TaskStatus::Failed => 2,
        TaskStatus::Cancelled => 3,
        TaskStatus::DeadLettered => DEAD_LETTERED,
    }
}

pub(super) fn status(number: u8) -> Result<TaskStatus, Fault> {
    match number {
        OPEN => Ok(TaskStatus::Queued),
        1 => Ok(TaskStatus::Completed),
        2 => Ok(TaskStatus::Failed),
        3 => Ok(TaskStatus::Cancelled),
        DEAD_LETTERED => Ok(TaskStatus::DeadLettered),
        other => Err(Fault::Unreadable(format!("a task has status {other}"))),
    }
}

pub(super) fn bytes<T: Wire>(value: &T) -> Result<Vec<u8>, Fault> {
    envelope::encode(value).map_err(Fault::Unwritable)
}

pub(super) fn value<T: Wire>(bytes: &[u8]) -> Result<T, Fault> {
    envelope::decode(bytes).map_err(|error| match error {
        EnvelopeError::Version { found, expected, .. } => {
            let name = std::any::type_name::<T>();
            let value = name.rsplit("::").next().unwrap_or(name);
            Fault::Kind(StoreErrorKind::OtherVersion { value, found, supported: expected })
        }
        error => Fault::Unreadable(error.to_string()),
    })
}

/// Milliseconds since 1970 as SQLite's signed integers. Times behind the year 292,278,994 are that year.
pub(super) fn time(unix_ms: u64) -> i64 {
    i64::try_from(unix_ms).unwrap_or(i64::MAX)
}

pub(super) fn unix_ms(time: i64) -> u64 {
    u64::try_from(time).unwrap_or_default()
}

pub(super) const fn id(bytes: [u8; 16]) -> TaskId {
    TaskId::from_bytes(bytes)
}
