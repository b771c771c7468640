//! A folder of templates.

use std::fs;
use std::path::Path;

use super::error::PromptError;
use super::library::PromptName;

/// The largest template, in bytes: a prompt that no shipped model could take is a mistake.
const TEMPLATE_BYTES_MAX: u64 = 256 * 1024;

/// A template as it stands in a file.
#[derive(Debug)]
pub(super) struct TemplateFile {
    pub(super) name: PromptName,
    pub(super) version: u32,
    /// The file as errors name it.
    pub(super) path: String,
    pub(super) source: String,
}

/// Reads every `.j2` file of a folder, in the order of their names.
pub(super) fn read_folder(folder: &Path) -> Result<Vec<TemplateFile>, PromptError> {
    let unreadable = |error: std::io::Error| unreadable(folder, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "j2") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> Result<TemplateFile, PromptError> {
    let shown = path.display().to_string();
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((name, version)) = parse_name(file_name) else {
        let known: Vec<_> = PromptName::ALL.iter().map(|name| format!("{name}.vN.j2")).collect();
        return Err(PromptError::UnknownTemplate { path: shown, known: known.join(", ") });
    };
    let size = fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > TEMPLATE_BYTES_MAX {
        let cause = format!("it is larger than {TEMPLATE_BYTES_MAX} bytes");
        return Err(PromptError::Unreadable { path: shown, cause });
    }
    let source = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Ok(TemplateFile { name, version, path: shown, source })
}

/// Reads `generate.v1.j2`.
fn parse_name(file_name: &str) -> Option<(PromptName, u32)> {
    let (name, version) = file_name.strip_suffix(".j2")?.split_once(".v")?;
    let name = PromptName::ALL.into_iter().find(|known| known.as_str() == name)?;
    Some((name, version.parse().ok()?))
}

fn unreadable(path: &Path, error: &std::io::Error) -> PromptError {
    PromptError::Unreadable { path: path.display().to_string(), cause: error.to_string() }
}
