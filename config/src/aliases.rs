//! Names that lead to a version of a registered model: `@coder`, `@coder:candidate`, `@coder:2`.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{ConfigError, ConfigErrorKind};

/// The longest name of a registered model, in characters: with its version behind it, it becomes a label of metrics.
pub const REGISTERED_NAME_LEN_MAX: usize = 48;

/// Every registered model by its name.
pub type RegisteredModels = BTreeMap<String, RegisteredModel>;

/// What aliases of a registered model lead to, now and earlier. Versions are counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisteredModel {
    /// The catalog entry of each version.
    pub versions: BTreeMap<u32, String>,
    /// The production version since a time in milliseconds since 1970, in the order of time; `None` from when there was none.
    pub production: Vec<(u64, Option<u32>)>,
    /// The newest candidate, in the same way.
    pub candidate: Vec<(u64, Option<u32>)>,
}

impl RegisteredModel {
    /// The version that a target led to at a time, or now where none is given. A time before the first change counts as the
    /// first: there was no other answer to give.
    pub fn version(&self, target: AliasTarget, unix_ms: Option<u64>) -> Option<u32> {
        let changes = match target {
            AliasTarget::Version(version) => {
                return Some(version).filter(|one| self.versions.contains_key(one));
            }
            AliasTarget::Production => &self.production,
            AliasTarget::Candidate => &self.candidate,
        };
        let past = |unix_ms| changes.iter().rev().find(|(since, _)| *since <= unix_ms).or(changes.first());
        unix_ms.map_or(changes.last(), past)?.1
    }
}

/// Which version of a registered model an alias means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasTarget {
    /// The one in production.
    Production,
    /// The newest candidate.
    Candidate,
    /// This one.
    Version(u32),
}

/// A name that leads to a version of a registered model. Its `Display` is how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasName {
    /// The registered model.
    pub model: String,
    /// Which of its versions.
    pub target: AliasTarget,
}

/// A text that begins as an alias and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an alias of a registered model")]
pub struct NotAnAlias;

impl NotAnAlias {
    /// What to write.
    pub const HINT: &'static str = "write `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:2`";
}

impl From<NotAnAlias> for ConfigError {
    fn from(error: NotAnAlias) -> Self {
        Self::new(ConfigErrorKind::Invalid, error.to_string()).with_hint(NotAnAlias::HINT)
    }
}

impl AliasName {
    /// Reads `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:NUMBER`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, NotAnAlias> {
        let name = text.strip_prefix('@').ok_or(NotAnAlias)?;
        let (model, target) = match name.split_once(':') {
            None | Some((_, "production")) => {
                (name.split(':').next().unwrap_or(name), AliasTarget::Production)
            }
            Some((model, "candidate")) => (model, AliasTarget::Candidate),
            Some((model, digits)) => {
                let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
                let version = digits.parse().ok().filter(|_| is_plain).ok_or(NotAnAlias)?;
                (model, AliasTarget::Version(version))
            }
        };
        if !is_registered_name(model) {
            return Err(NotAnAlias);
        }
        Ok(Self { model: model.to_owned(), target })
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            AliasTarget::Production => write!(f, "@{}", self.model),
            AliasTarget::Candidate => write!(f, "@{}:candidate", self.model),
            AliasTarget::Version(version) => write!(f, "@{}:{version}", self.model),
        }
    }
}

/// Whether a model can be registered by this name: letters, digits, `.`, `-` and `_`.
pub fn is_registered_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= REGISTERED_NAME_LEN_MAX && name.chars().all(allowed)
}

/// The catalog entry of a version. No name in a file of settings has an `@`, so it meets no other entry.
pub fn version_entry(model: &str, version: u32) -> String {
    format!("{model}@{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_read_and_written_alike() {
        for text in ["@coder", "@coder:candidate", "@coder:12", "@a.b-c_d"] {
            assert_eq!(AliasName::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(AliasName::parse("@coder:production"), AliasName::parse("@coder"));
    }

    #[test]
    fn what_is_no_alias_is_refused() {
        let long = format!("@{}", "x".repeat(REGISTERED_NAME_LEN_MAX + 1));
        for text in [
            "coder",
            "@",
            "@:2",
            "@a:",
            "@a:0",
            "@a:01",
            "@a:+1",
            "@a:latest",
            "@a:1:2",
            "@a b",
            "@a@1",
            &long,
        ] {
            assert_eq!(AliasName::parse(text), Err(NotAnAlias), "{text}");
        }
    }

    #[test]
    fn an_alias_leads_where_it_led_at_the_time_that_is_asked_for() {
        let model = RegisteredModel {
            versions: [(1, "c@1".to_owned()), (2, "c@2".to_owned())].into(),
            production: vec![(100, Some(1)), (200, Some(2)), (300, None)],
            candidate: Vec::new(),
        };
        let at = |unix_ms| model.version(AliasTarget::Production, unix_ms);
        assert_eq!([at(Some(50)), at(Some(100)), at(Some(199))], [Some(1); 3]);
        assert_eq!([at(Some(200)), at(Some(299))], [Some(2); 2]);
        assert_eq!([at(Some(300)), at(None)], [None; 2]);
        assert_eq!(model.version(AliasTarget::Candidate, None), None);
        assert_eq!(model.version(AliasTarget::Version(2), Some(0)), Some(2));
        assert_eq!(model.version(AliasTarget::Version(3), None), None);
    }
}
