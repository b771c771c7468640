//! What can be wrong with settings, said so that a person can repair it.

use std::fmt;

use playhouse_protocol::{Failure, FailureClass};

/// What sort of thing is wrong: for programs and tests; people read the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigErrorKind {
    /// A file is missing, unreadable, too large, a folder, or not UTF-8.
    File,
    /// It is not YAML, or YAML that settings do without (tags, several documents, endless nesting).
    Syntax,
    /// A key stands twice in one map.
    DuplicateKey,
    /// No setting has this name.
    UnknownKey,
    /// Text where a number belongs, and the like.
    WrongType,
    /// A number outside its limits.
    OutOfRange,
    /// A value that has to be one of a known list and is not.
    UnknownName,
    /// A setting that is needed and not there.
    Missing,
    /// Settings that do not go together.
    Conflict,
    /// A value of the right type that cannot be used, for example a URL without a host.
    Invalid,
    /// A key or password that stands in the file itself.
    LiteralSecret,
    /// A secret that its reference does not lead to.
    Secret,
}

/// A place in a file, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where something is wrong, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it.
    pub file: Option<String>,
    /// Where in the file.
    pub position: Option<Position>,
    /// The key, dotted from the top.
    pub key: Option<String>,
}

/// One thing that is wrong.
///
/// Its text is `file:line:column: key: message`, then `hint: …` on a line of its own. It never holds a
/// secret, nor a value that might be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What sort of thing is wrong.
    pub kind: ConfigErrorKind,
    /// Where. Boxed, because errors are handed up through many small results.
    pub place: Box<Place>,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ConfigError {
    /// Something wrong that belongs to no place yet.
    pub fn new(kind: ConfigErrorKind, message: impl Into<String>) -> Self {
        Self { kind, place: Box::default(), message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same in a file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place.file = Some(file.into());
        self
    }

    /// The same at a place in its file.
    #[must_use]
    pub fn at(mut self, position: Option<Position>) -> Self {
        self.place.position = position;
        self
    }

    /// The same about a key.
    #[must_use]
    pub fn about(mut self, key: impl fmt::Display) -> Self {
        self.place.key = Some(key.to_string());
        self
    }

    /// What supervisors and exit codes decide on.
    pub const fn class(&self) -> FailureClass {
        FailureClass::InvalidInput
    }

    /// Where and what, without the hint: one line.
    pub fn line(&self) -> String {
        let Place { file, position, key } = &*self.place;
        let file = match (file, position) {
            (Some(file), Some(Position { line, column })) => format!("{file}:{line}:{column}: "),
            (Some(file), None) => format!("{file}: "),
            (None, _) => String::new(),
        };
        let key = key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        format!("{file}{key}{}", self.message)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::new(error.class(), error.line());
        match error.hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

/// Everything that is wrong with a file of settings, in the order of its lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    first: ConfigError,
    more: Vec<ConfigError>,
}

impl ConfigErrors {
    /// All of `errors` by line, or nothing when there are none.
    pub(crate) fn from_list(mut errors: Vec<ConfigError>) -> Option<Self> {
        errors.sort_by_key(|error| error.place.position);
        let mut errors = errors.into_iter();
        errors.next().map(|first| Self { first, more: errors.collect() })
    }

    /// Each error.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// How many there are; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        1 + self.more.len()
    }

    /// What supervisors and exit codes decide on.
    pub const fn class(&self) -> FailureClass {
        FailureClass::InvalidInput
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::iter::Chain<std::iter::Once<ConfigError>, std::vec::IntoIter<ConfigError>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.more)
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self { first: error, more: Vec::new() }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.more.iter().try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigErrors> for Failure {
    /// One error keeps its hint apart; of several, message and hints become one text.
    fn from(errors: ConfigErrors) -> Self {
        if errors.more.is_empty() {
            return errors.first.into();
        }
        Self::new(errors.class(), format!("read the settings: {} errors\n{errors}", errors.len()))
    }
}
