//! Keys and passwords: referred to in settings, read when needed, never printed.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{ConfigError, ConfigErrorKind};

/// The largest file that a secret is read from, in bytes. The longest keys (tokens with claims in them)
/// stay below 16 KiB.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// What may stand where a key is needed.
pub(crate) const REFERENCE_HINT: &str =
    "refer to the key, for example `env:OPENAI_API_KEY` or `file:secrets/openai.key`";

/// The same for the address of a Redis server.
pub(crate) const REDIS_HINT: &str =
    "refer to the address, for example `env:REDIS_URL` or `file:secrets/redis.url`";

/// The same for the token of a tracking server.
pub(crate) const TRACKING_HINT: &str =
    "refer to the token, for example `env:MLFLOW_TRACKING_TOKEN` or `file:secrets/mlflow.token`";

/// Where a secret is to be read: settings hold this, never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// The environment variable of this name.
    Env(String),
    /// The content of this file.
    File(PathBuf),
}

/// A text that is no reference, perhaps because it is the secret itself: so it is not kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reference to a secret")]
pub struct NotAReference;

impl SecretRef {
    /// Reads `env:NAME` or `file:PATH`; a relative path begins at `folder`.
    ///
    /// # Errors
    /// When the text has another form. The error does not hold the text.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, NotAReference> {
        if let Some(name) = text.strip_prefix("env:") {
            let name = name.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let named = !name.is_empty()
                && name.chars().all(plain)
                && !name.starts_with(|first: char| first.is_ascii_digit());
            return if named { Ok(Self::Env(name.to_owned())) } else { Err(NotAReference) };
        }
        match text.strip_prefix("file:").map(str::trim) {
            Some(path) if !path.is_empty() => Ok(Self::File(folder.join(path))),
            _ => Err(NotAReference),
        }
    }

    /// Reads the secret in this process's environment.
    ///
    /// # Errors
    /// When the variable or file is missing, unreadable, empty, or not one line of text.
    pub fn resolve(&self) -> Result<Secret, ConfigError> {
        self.resolve_in(&Environment::process())
    }

    /// Reads the secret in the environment that is given.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_in(&self, environment: &Environment) -> Result<Secret, ConfigError> {
        let value = match self {
            Self::Env(name) => {
                let value = environment.get(name).ok_or_else(|| {
                    self.error("the variable is not set or empty").with_hint(format!(
                        "set it with `export {name}=…`, or refer to a file with `file:PATH`"
                    ))
                })?;
                value.into_string().map_err(|_| self.error("it is not UTF-8"))?
            }
            Self::File(path) => self.read(path)?,
        };
        let value = value.trim_end_matches(['\n', '\r']);
        if value.trim().is_empty() {
            return Err(self.error("it is empty"));
        }
        if value.chars().any(char::is_control) {
            return Err(self
                .error("it holds a line break or another control character")
                .with_hint("keep only the key itself there"));
        }
        Ok(Secret::new(value, self.to_string()))
    }

    fn read(&self, path: &Path) -> Result<String, ConfigError> {
        let unreadable = |error: std::io::Error| self.error(format!("{error}"));
        if path.is_dir() {
            return Err(self.error("it is a folder"));
        }
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > SECRET_BYTES_MAX {
            return Err(self.error(format!("it is larger than {SECRET_BYTES_MAX} bytes")));
        }
        String::from_utf8(bytes).map_err(|_| self.error("it is not UTF-8"))
    }

    fn error(&self, cause: impl fmt::Display) -> ConfigError {
        ConfigError::new(ConfigErrorKind::Secret, format!("read the secret {self}: {cause}"))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// A key or a password: can be used, not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: String,
    reference: String,
}

impl Secret {
    /// A secret that was read from `reference`, for example `env:OPENAI_API_KEY`.
    pub fn new(value: impl Into<String>, reference: impl Into<String>) -> Self {
        Self { value: value.into(), reference: reference.into() }
    }

    /// The value itself; for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// Where it was read from.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference)
    }
}

#[cfg(test)]
mod tests;
