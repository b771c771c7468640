//! Files: hash, lock, rename. Everything here blocks, and stops early when the pull is cancelled.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::error::PullError;
use super::progress::{Meter, Phase, Reporter};

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The pause between two looks at a lock that another process holds.
const LOCK_POLL: Duration = Duration::from_millis(250);

/// Runs blocking work off the async threads. When the future is dropped, the work sees its token cancelled.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> Result<T, PullError> + Send + 'static,
) -> Result<T, PullError> {
    let token = CancellationToken::new();
    let in_work = token.clone();
    let _guard = token.drop_guard();
    let done = tokio::task::spawn_blocking(move || work(&in_work)).await;
    done.unwrap_or_else(|error| Err(PullError::Internal(error.to_string())))
}

/// Reads to the end and gives every part to `take`.
pub(super) fn read_through(
    reader: &mut impl Read,
    token: &CancellationToken,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        if token.is_cancelled() {
            return Err(io::Error::other("it was cancelled"));
        }
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The SHA-256 of a file, in lower-case hexadecimal digits.
pub(super) fn sha256(path: &Path, token: &CancellationToken, mut meter: Meter) -> Result<String, PullError> {
    let unreadable = |source| PullError::io(path, source, 0);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hasher = Sha256::new();
    let mut bytes_done = 0;
    let read = read_through(&mut file, token, |part| {
        hasher.update(part);
        bytes_done += part.len() as u64;
        meter.reach(bytes_done);
        Ok(())
    });
    read.map_err(unreadable)?;
    Ok(hex(&hasher.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('?'));
        }
        text
    })
}

/// Takes the lock of a model, and waits while another process has it. It is given back when the file is dropped.
pub(super) async fn lock(path: PathBuf, reporter: &Reporter) -> Result<File, PullError> {
    let open = path.clone();
    let file = blocking(move |_| {
        let file = File::options().create(true).truncate(false).write(true).open(&open);
        file.map_err(|source| PullError::io(&open, source, 0))
    });
    let file = file.await?;
    let mut has_waited = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut has_waited, true) {
                    reporter.note(Phase::Waiting, "another process pulls this model");
                }
                sleep(LOCK_POLL).await;
            }
            Err(TryLockError::Error(source)) => return Err(PullError::io(&path, source, 0)),
        }
    }
}

/// Gives a complete file its name, so that after a crash either all of it is there or none.
pub(super) fn publish(part: &Path, target: &Path) -> Result<(), PullError> {
    let failed = |source| PullError::io(target, source, 0);
    File::open(part).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(part, target).map_err(failed)?;
    // Not every system can sync a folder; where it cannot, the name may be lost in a crash, but not half written.
    if let Some(folder) = target.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Deletes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), PullError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PullError::io(path, error, 0)),
        _ => Ok(()),
    }
}

/// The size of a file; zero when it is not there.
pub(super) fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
