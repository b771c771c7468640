//! The one door to `serde_yaml`.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::error::{ConfigError, ConfigErrorKind, Position};
use crate::key_path::KeyPath;

/// Reads one document. What JSON cannot hold (a number without a value, keys that are no text) is noted in
/// `errors` and left out.
///
/// # Errors
/// When it is not YAML, or repeats itself without end.
pub(crate) fn parse(text: &str, errors: &mut Vec<(KeyPath, ConfigError)>) -> Result<Value, ConfigError> {
    let value = serde_yaml::from_str(text).map_err(|error| syntax_error(&error))?;
    Ok(to_json(value, &KeyPath::default(), errors))
}

/// Writes settings as YAML.
///
/// # Errors
/// When the value has no YAML form; the raw types all have one.
pub(crate) fn emit(value: &impl Serialize) -> Result<String, ConfigError> {
    serde_yaml::to_string(value).map_err(|error| syntax_error(&error))
}

fn to_json(value: serde_yaml::Value, path: &KeyPath, errors: &mut Vec<(KeyPath, ConfigError)>) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Number(number) => number_to_json(&number).unwrap_or_else(|| {
            let error = ConfigError::new(
                ConfigErrorKind::OutOfRange,
                format!("{number} is not a number to count with"),
            );
            errors.push((path.clone(), error));
            Value::Null
        }),
        serde_yaml::Value::Sequence(items) => {
            let items = items.into_iter().enumerate();
            Value::Array(
                items.map(|(index, item)| to_json(item, &path.child(&index.to_string()), errors)).collect(),
            )
        }
        serde_yaml::Value::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                if let serde_yaml::Value::String(key) = key {
                    let value = to_json(value, &path.child(&key), errors);
                    map.insert(key, value);
                } else {
                    let message = "a key here is a number or another value that is no text";
                    let error = ConfigError::new(ConfigErrorKind::WrongType, message)
                        .with_hint("put the key in quotes");
                    errors.push((path.clone(), error));
                }
            }
            Value::Object(map)
        }
        // The scan before has refused tags where they stand.
        serde_yaml::Value::Tagged(tagged) => to_json(tagged.value, path, errors),
    }
}

fn number_to_json(number: &serde_yaml::Number) -> Option<Value> {
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    Number::from_f64(number.as_f64()?).map(Value::Number)
}

/// `serde_yaml` ends its text with the place, which errors show elsewhere.
fn syntax_error(error: &serde_yaml::Error) -> ConfigError {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    let place = error.location().map(|at| Position { line: at.line(), column: at.column() });
    let error = ConfigError::new(ConfigErrorKind::Syntax, message).at(place);
    if message.contains("repetition limit") {
        return error.with_hint("its aliases (`*name`) repeat each other without end; write the values out");
    }
    error
}
