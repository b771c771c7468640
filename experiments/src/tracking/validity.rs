//! What every tracker refuses.

use super::{MetricPoint, RunStart, TrackingError};

/// The largest file that is tracked, in bytes: reports take a few megabytes, and one is held in memory as a whole.
pub const ARTIFACT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The longest value of a parameter or tag, in bytes: longer ones are files.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The longest key and the longest name, in bytes.
const NAME_BYTES_MAX: usize = 500;

pub(super) fn check_start(start: &RunStart) -> Result<(), TrackingError> {
    check_run(&start.run)?;
    if start.experiment.is_empty() || start.experiment.len() > NAME_BYTES_MAX {
        return Err(TrackingError::Experiment { experiment: shown(&start.experiment) });
    }
    Ok(())
}

pub(super) fn check_run(run: &str) -> Result<(), TrackingError> {
    if is_plain(run) { Ok(()) } else { Err(TrackingError::Run { run: shown(run) }) }
}

pub(super) fn check_pairs(pairs: &[(String, String)]) -> Result<(), TrackingError> {
    for (key, value) in pairs {
        check_key(key)?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(TrackingError::TooLong { key: shown(key), bytes: value.len() });
        }
    }
    Ok(())
}

pub(super) fn check_points(points: &[MetricPoint]) -> Result<(), TrackingError> {
    for point in points {
        check_key(&point.key)?;
        if !point.value.is_finite() {
            return Err(TrackingError::NotFinite { key: shown(&point.key) });
        }
    }
    Ok(())
}

pub(super) fn check_artifact(name: &str, bytes: u64) -> Result<(), TrackingError> {
    if name.len() > NAME_BYTES_MAX || !name.split('/').all(is_plain) {
        return Err(TrackingError::ArtifactName { name: shown(name) });
    }
    if bytes > ARTIFACT_BYTES_MAX {
        return Err(TrackingError::ArtifactTooLarge { name: shown(name), bytes });
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), TrackingError> {
    if key.is_empty() || key.len() > NAME_BYTES_MAX || key.chars().any(char::is_control) {
        return Err(TrackingError::Key { key: shown(key) });
    }
    Ok(())
}

/// Whether a name can be that of a file everywhere.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= 200 && name.chars().all(allowed) && !name.starts_with('.')
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
