//! Finds and reads files of settings.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{ConfigError, ConfigErrorKind, Position};

/// The largest file of settings, in bytes: a thousand models take less than half of it.
pub(super) const BYTES_MAX: u64 = 1024 * 1024;

/// The file that is to be read; a file that somebody named is taken whether it exists or not.
pub(super) fn find(named: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    let below = |path: &Path| environment.working_folder().join(path);
    if let Some(path) = named {
        return Some(below(path));
    }
    if let Some(path) = environment.path("PLAYHOUSE_CONFIG") {
        return Some(below(&path));
    }
    let of_user = environment.config_home().map(|home| home.join("playhouse").join("playhouse.yaml"));
    // A folder of that name is taken too, so that the mistake is reported and not passed over.
    [Some(below(Path::new("playhouse.yaml"))), of_user].into_iter().flatten().find(|path| path.exists())
}

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    if !path.exists() {
        return Err(
            not_found().with_hint("`playhouse config default > playhouse.yaml` writes one with all defaults")
        );
    }
    read_file(path, BYTES_MAX)
}

/// The text of a file with at most `bytes_max` bytes.
pub(crate) fn read_file(path: &Path, bytes_max: u64) -> Result<String, ConfigError> {
    if path.is_dir() {
        return Err(
            file_error("it is a folder").with_hint("name the file in it, for example `playhouse.yaml`")
        );
    }
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => not_found(),
        _ => file_error(&error.to_string()),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(larger_than(bytes_max));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..good).unwrap_or_default();
        file_error("it is not UTF-8 from here on").at(Some(position_after(before)))
    })
}

pub(super) fn too_large() -> ConfigError {
    larger_than(BYTES_MAX)
}

fn larger_than(bytes_max: u64) -> ConfigError {
    file_error(&format!("it is larger than {bytes_max} bytes"))
}

fn not_found() -> ConfigError {
    file_error("there is no such file")
}

fn position_after(before: &[u8]) -> Position {
    let text = String::from_utf8_lossy(before);
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}

fn file_error(message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::File, message)
}
