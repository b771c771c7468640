//! Checks that keys, types and limits are those of the schema.
//!
//! serde stops at the first thing that is wrong and may show a value that is a secret. So the shape is
//! checked here first, all of it; what is wrong is reported and taken out, and serde reads the rest.

mod words;

use serde_json::{Map, Value};

use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::nearest::nearest;
use crate::report::Report;
use words::{Kind, duration_hint, range_text, shown};

/// Takes out of `value` all that the schema does not allow, and reports it.
pub(crate) fn check(schema: &Value, value: &mut Value, path: &KeyPath, report: &mut Report) {
    let kind = Kind::of(value);
    if kind == Kind::Null {
        return;
    }
    if let Some(error) = wrong_type(schema, value, path) {
        report.value(path, error);
        *value = Value::Null;
        return;
    }
    let wrong = match value {
        Value::Object(entries) => {
            check_entries(schema, entries, path, report);
            None
        }
        Value::Array(items) => {
            check_items(schema, items, path, report);
            None
        }
        Value::String(text) => unknown_name(schema, text).or_else(|| empty(schema, text)),
        Value::Number(_) => out_of_range(schema, value),
        Value::Null | Value::Bool(_) => None,
    };
    if let Some(error) = wrong {
        report.value(path, error);
        *value = Value::Null;
    }
}

fn check_entries(schema: &Value, entries: &mut Map<String, Value>, path: &KeyPath, report: &mut Report) {
    let known = schema.get("properties").and_then(Value::as_object);
    let any = schema.get("additionalProperties").filter(|any| any.is_object());
    entries.retain(|key, value| {
        let below = path.child(key);
        if let Some(schema) = known.and_then(|known| known.get(key)).or(any) {
            check(schema, value, &below, report);
            return true;
        }
        let names = known.into_iter().flat_map(Map::keys).map(String::as_str);
        report.key(&below, unknown_key(key, &names.collect::<Vec<_>>(), path));
        false
    });
}

/// An item that is wrong leaves the list; so does one without a value, which counts as not written.
fn check_items(schema: &Value, items: &mut Vec<Value>, path: &KeyPath, report: &mut Report) {
    let mut index = 0;
    items.retain_mut(|item| {
        if let Some(schema) = schema.get("items") {
            check(schema, item, &path.child(&index.to_string()), report);
        }
        index += 1;
        !item.is_null()
    });
}

fn unknown_key(key: &str, known: &[&str], path: &KeyPath) -> ConfigError {
    let error = ConfigError::new(ConfigErrorKind::UnknownKey, "unknown key");
    if let Some(near) = nearest(key, known.iter().copied()) {
        return error.with_hint(format!("did you mean `{near}`?"));
    }
    let place = if path.is_top() { "at the top of the file".to_owned() } else { format!("in `{path}`") };
    error.with_hint(format!("the keys {place} are: {}", known.join(", ")))
}

fn wrong_type(schema: &Value, value: &Value, path: &KeyPath) -> Option<ConfigError> {
    let expected = Kind::expected(schema);
    let found = Kind::of(value);
    if expected.contains(&found) || (found == Kind::Whole && expected.contains(&Kind::Number)) {
        return None;
    }
    if found == Kind::Number && expected.contains(&Kind::Whole) && is_beyond_whole(value) {
        return Some(too_far(schema, value));
    }
    let expected: Vec<_> =
        expected.into_iter().filter(|kind| *kind != Kind::Null).map(Kind::as_str).collect();
    let expected = expected.join(" or ");
    let error =
        ConfigError::new(ConfigErrorKind::WrongType, format!("expected {expected}, found {}", found.found()));
    let key = path.last().unwrap_or_default();
    match key {
        "api_key" => return Some(error.with_hint(crate::secret::REFERENCE_HINT)),
        "url" => return Some(error.with_hint(crate::secret::REDIS_HINT)),
        _ => {}
    }
    if let Some(names) = names(schema) {
        return Some(error.with_hint(format!("known: {}", names.join(", "))));
    }
    Some(match type_hint(value, key, &expected) {
        Some(hint) => error.with_hint(hint),
        None => error,
    })
}

/// What was probably meant.
fn type_hint(value: &Value, key: &str, expected: &str) -> Option<String> {
    match value {
        Value::String(text) if key.ends_with("_ms") => duration_hint(text),
        Value::String(text) if expected.contains("number") && text.trim().parse::<f64>().is_ok() => {
            Some("write the number without quotes".to_owned())
        }
        Value::String(_) if expected == Kind::Bool.as_str() => Some("write `true` or `false`".to_owned()),
        Value::Bool(_) | Value::Number(_) if expected == Kind::Text.as_str() => {
            Some("put the value in quotes".to_owned())
        }
        _ => None,
    }
}

/// The texts that a schema allows, where they are a list.
fn names(schema: &Value) -> Option<Vec<&str>> {
    Some(schema.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect())
}

fn unknown_name(schema: &Value, text: &str) -> Option<ConfigError> {
    let names = names(schema)?;
    if names.contains(&text) {
        return None;
    }
    let hint = match (nearest(text, names.iter().copied()), server(text)) {
        (Some(near), _) => format!("did you mean `{near}`? known: {}", names.join(", ")),
        (None, Some(hint)) => hint,
        (None, None) => format!("known: {}", names.join(", ")),
    };
    Some(
        ConfigError::new(ConfigErrorKind::UnknownName, format!("{} is not known", shown(text)))
            .with_hint(hint),
    )
}

/// Servers that people name as a provider and that are reached through `open_ai`.
fn server(text: &str) -> Option<String> {
    let plain = text.to_lowercase().replace(['.', '-', '_', ' '], "");
    let base_url = match plain.as_str() {
        "vllm" => "http://127.0.0.1:8000/v1",
        "llamacpp" | "llamaserver" => "http://127.0.0.1:8080/v1",
        "lmstudio" => "http://127.0.0.1:1234/v1",
        _ => return None,
    };
    Some(format!("it speaks OpenAI's API: use `provider: open_ai` with `base_url: {base_url}`"))
}

fn empty(schema: &Value, text: &str) -> Option<ConfigError> {
    let filled = schema.get("minLength").is_some();
    (filled && text.trim().is_empty()).then(|| {
        ConfigError::new(ConfigErrorKind::Invalid, "it is empty")
            .with_hint("write a value, or leave the key out")
    })
}

fn out_of_range(schema: &Value, value: &Value) -> Option<ConfigError> {
    let number = value.as_f64()?;
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let outside = limit("minimum").is_some_and(|least| number < least)
        || limit("exclusiveMinimum").is_some_and(|least| number <= least)
        || limit("maximum").is_some_and(|most| number > most);
    outside.then(|| too_far(schema, value))
}

fn too_far(schema: &Value, value: &Value) -> ConfigError {
    ConfigError::new(ConfigErrorKind::OutOfRange, format!("{value} is out of range"))
        .with_hint(range_text(schema))
}

/// Whether a number without a fraction came as one with, because it needs more than 64 bits.
fn is_beyond_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() >= i64::MAX as f64)
}
