//! Names of settings, dotted from the top.

use std::fmt;

/// The longest key that is shown whole, in characters: a longer one is no key but something pasted.
const SHOWN_CHARS_MAX: usize = 60;

/// The keys that lead to a setting; indexes of lists count as keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyPath(Vec<String>);

impl KeyPath {
    /// The path of these keys.
    pub(crate) fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.map(str::to_owned).into())
    }

    /// The path of a key below this one.
    pub(crate) fn child(&self, key: &str) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.to_owned());
        Self(keys)
    }

    /// The path without its last key; nothing above the top.
    pub(crate) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, above)| Self(above.to_vec()))
    }

    /// The last key.
    pub(crate) fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Whether this path is `other` or leads to it.
    pub(crate) fn leads_to(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Whether this is the whole file.
    pub(crate) fn is_top(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for KeyPath {
    /// Keys with other characters than those of a word are quoted, so that their dots do not mislead.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if key.chars().count() > SHOWN_CHARS_MAX {
                let begin: String = key.chars().take(SHOWN_CHARS_MAX).collect();
                write!(f, "{:?}", begin + "…")?;
            } else if !key.is_empty() && key.chars().all(plain) {
                f.write_str(key)?;
            } else {
                write!(f, "{key:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_dots_are_quoted() {
        assert_eq!(KeyPath::of(["models", "qwen2.5", "price"]).to_string(), "models.\"qwen2.5\".price");
        assert_eq!(KeyPath::of(["a\nb"]).to_string(), "\"a\\nb\"");
        assert_eq!(KeyPath::default().to_string(), "");
    }

    #[test]
    fn an_endless_key_is_shown_by_its_beginning() {
        assert!(KeyPath::of([&"x".repeat(1_000_000)]).to_string().len() < 80);
    }
}
