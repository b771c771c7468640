//! Files with many specs: what `playhouse develop --from FILE` reads.
//!
//! ```yaml
//! - Write a Rust function that adds two numbers.
//! - name: median
//!   spec: Write a function that returns the median of a list.
//!   language: python
//!   rounds: 3
//!   constraints: [No imports.]
//! ```

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::LazyLock;

use playhouse_protocol::code::Language;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::report::Report;
use crate::schema::schema_of;
use crate::shape;

/// The most specs of one file: each becomes a task with a result that is kept until all are done.
pub const SPECS_MAX: usize = 10_000;

/// The longest name of a spec, in bytes: with an ending it has to be a file's name everywhere.
const NAME_BYTES_MAX: usize = 100;

/// One spec of a file. What is `None` is left to whoever asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecEntry {
    /// Its name in reports and, with an ending, of its file: letters, digits, `-`, `_` and `.`. Given by its
    /// place (`spec-1`) where the file gives none; different for each entry.
    pub name: String,
    /// What the code must do.
    pub spec: String,
    /// The language to write.
    pub language: Option<Language>,
    /// Rounds at most.
    pub rounds: Option<u32>,
    /// Rules beyond the spec.
    pub constraints: Vec<String>,
    /// Code or text that the answer has to fit to.
    pub context: Option<String>,
    /// Whether tests are asked for.
    pub tests: Option<bool>,
    /// The catalog entry that writes.
    pub model: Option<String>,
    /// The catalog entry that reviews.
    pub reviewer_model: Option<String>,
}

/// A spec as it is written, when it is more than its text.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RawSpec {
    #[schemars(length(min = 1))]
    spec: Option<String>,
    #[schemars(length(min = 1))]
    name: Option<String>,
    language: Option<String>,
    #[schemars(range(min = 1, max = 20))]
    rounds: Option<u32>,
    constraints: Option<Vec<String>>,
    context: Option<String>,
    tests: Option<bool>,
    #[schemars(length(min = 1))]
    model: Option<String>,
    #[schemars(length(min = 1))]
    reviewer_model: Option<String>,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<RawSpec>);

/// Reads the text of a file with specs; `name` stands in errors where the file's name would.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse_specs(name: &str, text: &str) -> Result<Vec<SpecEntry>, ConfigErrors> {
    let mut report = Report::new(name);
    let items = items(text, &mut report).map_err(|error| error.in_file(name))?;
    let mut taken = BTreeMap::new();
    let mut specs = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let path = KeyPath::default().child(&index.to_string());
        let Some(mut spec) = entry(item, &path, &mut report) else { continue };
        if spec.name.is_empty() {
            spec.name = format!("spec-{}", index + 1);
        }
        // Some file systems do not tell upper from lower case.
        if let Some(first) = taken.insert(spec.name.to_lowercase(), index) {
            let message = format!("the name {:?} stands twice; first in entry {}", spec.name, first + 1);
            report.value(&path.child("name"), invalid(message).with_hint("give each spec its own name"));
        }
        specs.push(spec);
    }
    report.finish()?;
    Ok(specs)
}

/// The list that the file is.
fn items(text: &str, report: &mut Report) -> Result<Vec<Value>, ConfigError> {
    const HINT: &str =
        "write a list: each line `- ` with a spec, or with keys such as `spec:` and `language:`";
    let value = document::read(text, report)?;
    match value {
        Value::Array(items) if items.is_empty() => Err(invalid("the list is empty").with_hint(HINT)),
        Value::Array(items) if items.len() > SPECS_MAX => {
            let message = format!("it has {} specs, and {SPECS_MAX} are the most", items.len());
            Err(invalid(message).with_hint("split the file"))
        }
        Value::Array(items) => Ok(items),
        Value::Null => Err(invalid("it is empty").with_hint(HINT)),
        _ => Err(ConfigError::new(ConfigErrorKind::WrongType, "expected a list of specs").with_hint(HINT)),
    }
}

/// One entry; what is wrong with it goes into the report.
fn entry(mut item: Value, path: &KeyPath, report: &mut Report) -> Option<SpecEntry> {
    if let Value::String(spec) = item {
        if spec.trim().is_empty() {
            report.value(path, invalid("the spec is empty"));
        }
        return Some(SpecEntry { spec, ..SpecEntry::default() });
    }
    if !item.is_object() {
        let error = ConfigError::new(ConfigErrorKind::WrongType, "expected a text or a map of keys");
        report.value(path, error.with_hint("write what the code must do"));
        return None;
    }
    shape::check(&SCHEMA, &mut item, path, report);
    // The shape is that of the schema, which is drawn from the type.
    let Ok(raw) = RawSpec::deserialize(item) else {
        report.value(path, ConfigError::new(ConfigErrorKind::WrongType, "it is not a spec"));
        return None;
    };
    let language = raw.language.and_then(|language| match Language::from_str(&language) {
        Ok(language) => Some(language),
        Err(failure) => {
            let error = ConfigError::new(ConfigErrorKind::UnknownName, format!("{language:?} is not known"));
            report.value(&path.child("language"), error.with_hint(failure.hint.unwrap_or_default()));
            None
        }
    });
    if raw.spec.is_none() {
        let error = ConfigError::new(ConfigErrorKind::Missing, "it is needed and not there");
        report.value(&path.child("spec"), error.with_hint("write what the code must do"));
    }
    if raw.name.as_deref().is_some_and(|name| !is_file_name(name)) {
        let error = invalid("it cannot be a file's name");
        let hint = format!("use letters, digits, `-`, `_` and `.`, at most {NAME_BYTES_MAX}");
        report.value(&path.child("name"), error.with_hint(hint));
    }
    Some(SpecEntry {
        name: raw.name.unwrap_or_default(),
        spec: raw.spec.unwrap_or_default(),
        language,
        rounds: raw.rounds,
        constraints: raw.constraints.unwrap_or_default(),
        context: raw.context,
        tests: raw.tests,
        model: raw.model,
        reviewer_model: raw.reviewer_model,
    })
}

fn is_file_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= NAME_BYTES_MAX && name.chars().all(plain) && !name.starts_with('.')
}

fn invalid(message: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        parse_specs("specs.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_list_of_texts_and_of_maps_is_read_in_order() {
        let specs = parse_specs(
            "specs.yaml",
            "- Add two numbers.\n- spec: Sort.\n  name: sort\n  language: py\n  rounds: 3\n  constraints: [No imports.]\n",
        );
        let specs = specs.unwrap();
        assert_eq!((specs[0].name.as_str(), specs[0].spec.as_str()), ("spec-1", "Add two numbers."));
        assert_eq!(
            specs[1],
            SpecEntry {
                name: "sort".to_owned(),
                spec: "Sort.".to_owned(),
                language: Some(Language::Python),
                rounds: Some(3),
                constraints: vec!["No imports.".to_owned()],
                ..SpecEntry::default()
            }
        );
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_nearest_known_one() {
        assert_eq!(
            errors("- Add.\n- spec: Sort.\n  langauge: rust\n"),
            "specs.yaml:3:3: 1.langauge: unknown key\nhint: did you mean `language`?"
        );
    }

    #[test]
    fn every_fault_of_a_file_is_told_at_once() {
        let text = "- spec: A.\n  rounds: 0\n  constraints: [1]\n- language: klingon\n- [x]\n- ''\n- spec: B.\n  name: ../b\n";
        let told = errors(text);
        for part in [
            "specs.yaml:2:11: 0.rounds: 0 is out of range",
            "specs.yaml:3:17: 0.constraints.0: expected text",
            "specs.yaml:4:13: 1.language: \"klingon\" is not known",
            "1.spec: it is needed and not there",
            "specs.yaml:5:3: 2: expected a text or a map of keys",
            "specs.yaml:6:3: 3: the spec is empty",
            "specs.yaml:8:9: 4.name: it cannot be a file's name",
        ] {
            assert!(told.contains(part), "{part:?} is not in:\n{told}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(errors("").contains("specs.yaml: it is empty"));
        assert!(errors("[]").contains("the list is empty"));
        assert!(errors("spec: A.").contains("expected a list of specs"));
    }

    #[test]
    fn names_are_unique_whatever_their_case() {
        let told = errors("- {spec: A., name: one}\n- {spec: B., name: One}\n");
        assert!(told.contains("the name \"One\" stands twice; first in entry 1"), "{told}");
    }
}
