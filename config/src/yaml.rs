//! The one door to `serde_yaml`.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{ConfigError, ConfigErrorKind, Position};
use crate::key_path::KeyPath;

/// What is wrong with single keys, by path.
pub(crate) type KeyErrors = Vec<(KeyPath, ConfigError)>;

/// Reads one document. Of equal keys the first is kept, and what JSON cannot hold is left out; both are
/// noted in `errors`.
///
/// # Errors
/// When it is not YAML, or repeats itself without end.
pub(crate) fn parse(text: &str, errors: &mut KeyErrors) -> Result<Value, ConfigError> {
    let node = Node { path: KeyPath::default(), errors };
    node.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| syntax_error(&error))
}

/// Writes settings as YAML.
///
/// # Errors
/// When the value has no YAML form; the raw types all have one.
pub(crate) fn emit(value: &impl Serialize) -> Result<String, ConfigError> {
    serde_yaml::to_string(value).map_err(|error| syntax_error(&error))
}

/// A value that is to be read at a path.
struct Node<'a> {
    path: KeyPath,
    errors: &'a mut KeyErrors,
}

impl Node<'_> {
    fn note(&mut self, kind: ConfigErrorKind, message: &str, hint: &str) {
        self.errors.push((self.path.clone(), ConfigError::new(kind, message).with_hint(hint)));
    }

    fn below(&mut self, key: &str) -> Node<'_> {
        Node { path: self.path.child(key), errors: self.errors }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of YAML's core schema")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    // Whole numbers of more than 64 bits are beyond every limit; near enough is exact enough to say so.
    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(
            || {
                self.note(ConfigErrorKind::OutOfRange, "not a number to count with", "write a finite number");
                Value::Null
            },
            Value::Number,
        ))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(&list.len().to_string()))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        // Keys are read as any value would be, so that one that is no text can be told from one that is.
        while let Some(key) =
            entries.next_key_seed(Node { path: self.path.clone(), errors: &mut Vec::new() })?
        {
            let Value::String(key) = key else {
                self.note(ConfigErrorKind::WrongType, "a key here is no text", "put the key in quotes");
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let mut below = self.below(&key);
            if map.contains_key(&key) {
                below.note(ConfigErrorKind::DuplicateKey, "the key stands twice", "keep one of the two");
                entries.next_value::<IgnoredAny>()?;
            } else {
                let value = entries.next_value_seed(below)?;
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
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
