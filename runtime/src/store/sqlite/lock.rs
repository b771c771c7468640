//! Who owns a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::faults::Fault;
use crate::store::StoreErrorKind;

/// The right to write a journal. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct OwnerLock(File);

impl OwnerLock {
    /// Takes the lock file beside `path`.
    pub(super) fn take(path: &Path) -> Result<Self, Fault> {
        let mut name = path.to_owned().into_os_string();
        name.push(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|error| io(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Fault::Kind(StoreErrorKind::InUse)),
            Err(TryLockError::Error(error)) => Err(io(&error)),
        }
    }
}

impl Drop for OwnerLock {
    fn drop(&mut self) {
        // The system unlocks a file that is closed, too.
        let _ = self.0.unlock();
    }
}

pub(super) fn io(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Fault::Kind(StoreErrorKind::Full),
        _ => Fault::Kind(StoreErrorKind::Io { message: error.to_string() }),
    }
}
