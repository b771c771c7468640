//! One entry of the catalog apart from the rest: as the registry of models keeps it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::check::model;
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::raw::{RawConfig, RawModel};
use crate::report::Report;
use crate::schema::SCHEMA;
use crate::settings::ModelConfig;
use crate::{shape, show};

/// An entry as YAML with nothing left to defaults: equal settings have equal texts. Secrets are shown as references only.
pub fn entry_yaml(entry: &ModelConfig) -> String {
    // The raw types are maps of texts and numbers, which always have a YAML form.
    crate::yaml::emit(&show::model::model(entry)).unwrap_or_default()
}

/// Reads what [`entry_yaml`] wrote. `name` stands in errors; whether the fallbacks are in a catalog is not looked at.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_entry(name: &str, yaml: &str) -> Result<ModelConfig, ConfigErrors> {
    let mut report = Report::new(name);
    let value = document::read(yaml, &mut report).map_err(|error| error.in_file(name))?;
    let path = KeyPath::of(["models", name]);
    let mut value = wrapped(name, value);
    shape::check(&SCHEMA, &mut value, &KeyPath::default(), &mut report);
    let entry = match RawConfig::deserialize(value) {
        Ok(raw) => raw.models.unwrap_or_default().into_values().flatten().next().unwrap_or_default(),
        Err(_) => {
            let message = "the entry does not have the shape of the schema";
            report.value(&path, ConfigError::new(ConfigErrorKind::WrongType, message));
            RawModel::default()
        }
    };
    let entry = model::check_entry(name, entry, Path::new(""), &path, &mut report);
    report.finish()?;
    let missing = || ConfigError::new(ConfigErrorKind::Missing, "the entry is empty").in_file(name);
    entry.ok_or_else(|| missing().into())
}

/// The entry at its place in a file of settings.
fn wrapped(name: &str, entry: Value) -> Value {
    let models = Map::from_iter([(name.to_owned(), entry)]);
    Value::Object(Map::from_iter([("models".to_owned(), Value::Object(models))]))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{Config, parse_str};

    const SETTINGS: &str = "
models:
  served:
    provider: open_ai
    base_url: http://127.0.0.1:8000/v1
    model: m
    api_key: env:SERVED_KEY
    price: {prompt_usd_per_million_tokens: 0.15}
    fallbacks: [smollm2-135m]
    hedging: {}
  canned: {provider: scripted, script: answers.yaml}
";

    #[test]
    fn an_entry_that_is_written_and_read_again_is_the_same() {
        for (name, entry) in parse_str("playhouse.yaml", SETTINGS).unwrap().models {
            let yaml = entry_yaml(&entry);
            assert_eq!(parse_entry(&format!("{name}@1"), &yaml).unwrap(), entry, "{yaml}");
            assert!(!yaml.contains("hidden"));
        }
    }

    #[test]
    fn a_secret_is_written_as_its_reference() {
        let models = parse_str("playhouse.yaml", SETTINGS).unwrap().models;
        assert!(entry_yaml(&models["served"]).contains("api_key: env:SERVED_KEY\n"));
    }

    #[test]
    fn everything_that_is_wrong_with_an_entry_is_told() {
        let told =
            parse_entry("coder@1", "provider: open_ai\nmodel: m\nqueue_len_max: 0\nbase_url: ftp://a\n");
        assert_snapshot!(told.unwrap_err(), @r#"
        coder@1:1:1: models."coder@1".queue_len_max: 0 is out of range
        hint: allowed: 1 to 100000 (waiting requests are kept in memory)
        coder@1:1:1: models."coder@1".base_url: the URL begins with neither `http://` nor `https://`
        hint: write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`
        "#);
        assert!(parse_entry("coder@1", "").is_err() && parse_entry("coder@1", "[1]").is_err());
    }

    #[test]
    fn built_in_entries_keep_their_model_under_another_name() {
        for entry in Config::default().models.values() {
            assert_eq!(parse_entry("small@3", &entry_yaml(entry)).unwrap(), *entry);
        }
    }
}
