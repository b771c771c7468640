//! The text files among what was named: files, folders with everything below, standard input.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use playhouse_protocol::Failure;
use serde::Serialize;

use super::name;
use crate::input;
use crate::ui::Ui;

/// The largest file that is counted, in bytes: larger ones are data, and counting takes a second for 10 MB.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How deep folders may nest: deeper than any source tree, and a bound for what is opened at once.
const DEPTH_MAX: usize = 64;

/// Where the search for what is no text looks: sources and prose show their nature early.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

/// What stands at a path.
pub(super) enum Found {
    /// A text file.
    Text { path: String, text: String },
    /// Something that is not counted.
    Skipped(Skipped),
}

/// Something that is not counted.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub(super) path: String,
    pub(super) reason: String,
}

/// Visits a path that the user named. What cannot be read below a folder is skipped; what the user named
/// itself has to be there.
pub(super) fn visit(ui: &Ui, path: &Path, see: &mut dyn FnMut(Found)) -> Result<(), Failure> {
    if path == Path::new(input::STDIN) {
        let text = input::read_stdin(ui, "the text", FILE_BYTES_MAX)?;
        see(Found::Text { path: input::STDIN.to_owned(), text });
        return Ok(());
    }
    let metadata = fs::metadata(path).map_err(|error| {
        Failure::invalid(format!("read {}: {error}", name(path)))
            .with_hint("Name a file, a folder, or `-` for standard input.")
    })?;
    if metadata.is_dir() {
        folder(path, 0, see);
    } else {
        file(path, see);
    }
    Ok(())
}

/// A folder, in the order of names. Hidden entries and links are passed over.
fn folder(path: &Path, depth: usize, see: &mut dyn FnMut(Found)) {
    let skipped = |reason: String| Found::Skipped(Skipped { path: name(path), reason });
    if depth > DEPTH_MAX {
        see(skipped(format!("it nests deeper than {DEPTH_MAX} folders")));
        return;
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            see(skipped(error.to_string()));
            return;
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for below in paths {
        let hidden = below.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let Ok(metadata) = fs::symlink_metadata(&below) else { continue };
        if hidden || metadata.is_symlink() {
            continue;
        }
        if metadata.is_dir() {
            folder(&below, depth + 1, see);
        } else if metadata.is_file() {
            file(&below, see);
        }
    }
}

fn file(path: &Path, see: &mut dyn FnMut(Found)) {
    see(match read(path) {
        Ok(text) => Found::Text { path: name(path), text },
        Err(reason) => Found::Skipped(Skipped { path: name(path), reason }),
    });
}

fn read(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
    }
    if bytes.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0) {
        return Err("it is a binary file".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is a binary file (not UTF-8)".to_owned())
}
