//! From a file to a template, with the dataset that it names.

use std::fmt;
use std::path::{Path, PathBuf};

use playhouse_protocol::riddle::ReasoningMode;

use super::parse::{TemplateSources, parse_template};
use super::template::ExperimentTemplate;
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::load::read_file;
use crate::riddles::{self, RiddleRepository, RiddleSet, SHIPPED_NAMES, shipped};
use crate::settings::Config;

/// The longest file of riddles, in bytes: the most riddles of one set, each with a short text.
const DATASET_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The longest template, in bytes: some thousand riddles of its own. More are a dataset.
const TEMPLATE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Where datasets are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindDataset {
    /// The folder that files are named from: the template's.
    pub folder: PathBuf,
    /// The folder of the user's own sets; `None` where there is none.
    pub repository: Option<PathBuf>,
}

impl FindDataset {
    /// The set of this name, or in the file of this name: `.yaml` (a set) or `.jsonl` (riddles, one a line).
    ///
    /// # Errors
    /// When there is no such set, or everything that is wrong with its file.
    pub fn find(&self, name: &str) -> Result<RiddleSet, ConfigErrors> {
        let has_ending = |ending: &str| {
            Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
        };
        if has_ending("jsonl") {
            let text =
                read_file(&self.folder.join(name), DATASET_BYTES_MAX).map_err(|error| error.in_file(name))?;
            let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let riddles = riddles::parse_jsonl(name, &text)?;
            return Ok(RiddleSet { name: stem, language: "en".to_owned(), riddles });
        }
        if has_ending("yaml") || has_ending("yml") {
            let text =
                read_file(&self.folder.join(name), DATASET_BYTES_MAX).map_err(|error| error.in_file(name))?;
            return riddles::parse_riddles(name, &text);
        }
        match &self.repository {
            Some(folder) => RiddleRepository::open(folder).load(name),
            None => shipped(name).unwrap_or_else(|| {
                let error = ConfigError::new(
                    ConfigErrorKind::UnknownName,
                    format!("there is no set of riddles {name:?}"),
                );
                let known = SHIPPED_NAMES.join(", ");
                Err(error
                    .with_hint(format!("known: {known}; or the name of a file, `.yaml` or `.jsonl`"))
                    .into())
            }),
        }
    }
}

/// Reads a template from a file. Returns it beside the text as it is written.
///
/// # Errors
/// When the file cannot be read; everything that is wrong with it and with its dataset.
pub fn load_template(
    path: &Path,
    modes: &[ReasoningMode],
    config: Option<&Config>,
    repository: Option<PathBuf>,
) -> Result<(ExperimentTemplate, String), ConfigErrors> {
    let name = path.display().to_string();
    let text = read_file(path, TEMPLATE_BYTES_MAX).map_err(|error| error.in_file(&name))?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let find = FindDataset { folder, repository };
    let sources = TemplateSources { modes, config, dataset: &|name| find.find(name) };
    let template = parse_template(&name, &text, &sources)?;
    Ok((template, text))
}

impl fmt::Debug for TemplateSources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateSources").field("modes", &self.modes).finish_non_exhaustive()
    }
}
