//! Collects everything that is wrong with a file.

use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::marks::Marks;

/// The most errors that are reported: nobody reads more, and hostile input could ask for a million.
const ERRORS_MAX: usize = 100;

/// The longest name or id, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Errors and warnings of one file, with the places they belong to.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    marks: Marks,
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
    /// The paths that have an error, so that none is reported that only follows from another.
    broken: Vec<KeyPath>,
}

impl Report {
    pub(crate) fn new(file: &str) -> Self {
        let (errors, warnings, broken) = (Vec::new(), Vec::new(), Vec::new());
        Self { file: file.to_owned(), marks: Marks::default(), errors, warnings, broken }
    }

    pub(crate) fn set_marks(&mut self, marks: Marks) {
        self.marks = marks;
    }

    /// Adds an error that knows its place.
    pub(crate) fn add(&mut self, error: ConfigError) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error.in_file(&self.file));
        }
    }

    /// Adds what is wrong with another file that this one names.
    pub(crate) fn elsewhere(&mut self, error: ConfigError) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    /// Adds an error about a value, unless one above or about the same key was there before.
    pub(crate) fn value(&mut self, path: &KeyPath, error: ConfigError) {
        let place = self.marks.value(path);
        self.add_once(path, error.at(place));
    }

    /// Adds an error about a key, on the same terms.
    pub(crate) fn key(&mut self, path: &KeyPath, error: ConfigError) {
        let place = self.marks.key(path);
        self.add_once(path, error.at(place));
    }

    fn add_once(&mut self, path: &KeyPath, error: ConfigError) {
        // Keys that stand in one map are each wrong on their own: only what lies below is a consequence.
        if self.broken.iter().any(|broken| broken.leads_to(path)) || self.errors.len() >= ERRORS_MAX {
            return;
        }
        self.broken.push(path.clone());
        self.add(if path.is_top() { error } else { error.about(path) });
    }

    /// Adds what is allowed but hardly meant.
    pub(crate) fn warn(&mut self, path: &KeyPath, message: impl Into<String>, hint: impl Into<String>) {
        let warning = ConfigError::new(ConfigErrorKind::Invalid, message).with_hint(hint);
        self.warnings.push(warning.in_file(&self.file).at(self.marks.value(path)).about(path));
    }

    /// The warnings, or the errors when there are any.
    pub(crate) fn finish(self) -> Result<Vec<ConfigError>, ConfigErrors> {
        match ConfigErrors::from_list(self.errors) {
            Some(errors) => Err(errors),
            None => Ok(self.warnings),
        }
    }

    /// The errors of a report that has some.
    pub(crate) fn failed(self) -> ConfigErrors {
        match self.finish() {
            Err(errors) => errors,
            Ok(_) => invalid("it cannot be read").into(),
        }
    }
}

/// Something of the right type that cannot be used.
pub(crate) fn invalid(message: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, message)
}

/// The value of a key that has to be there; where it is not, the report says so with the hint.
pub(crate) fn needed<T: Default>(value: Option<T>, path: &KeyPath, hint: &str, report: &mut Report) -> T {
    value.unwrap_or_else(|| {
        report.value(path, ConfigError::new(ConfigErrorKind::Missing, "it is missing").with_hint(hint));
        T::default()
    })
}

/// Checks a name that stands in files, reports and on command lines; nothing is said of one that is missing.
pub(crate) fn check_name(name: &str, what: &str, path: &KeyPath, report: &mut Report) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_missing = name.is_empty();
    let begins_well = is_missing || name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if name.len() > NAME_BYTES_MAX || !name.chars().all(allowed) || !begins_well {
        let hint = format!(
            "use at most {NAME_BYTES_MAX} of the characters a-z, A-Z, 0-9, `-`, `_` and `.`, with a letter or digit first"
        );
        report.value(path, invalid(format!("not {what}")).with_hint(hint));
    }
}
