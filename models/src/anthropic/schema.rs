//! The part of a JSON schema that Anthropic's servers accept.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::ModelErrorKind;
use crate::http::request::{Schema, wrong};

/// Keywords that the servers refuse. What they ask for is checked when the answer is here.
///
/// Source: "JSON Schema limitations" under "Structured outputs" in Anthropic's documentation.
const REFUSED: [&str; 16] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "contains",
    "$schema",
];

/// Keywords whose value is an object of schemas by names.
const NAMED_SCHEMAS: [&str; 3] = ["properties", "$defs", "definitions"];

/// Keywords whose value is a schema or a list of them.
const SCHEMAS: [&str; 5] = ["items", "prefixItems", "anyOf", "allOf", "oneOf"];

/// A schema that the servers accept: looser than the one it was made of in what they refuse, stricter in that objects
/// have no properties but the named ones. The order of properties is kept, for models answer in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Accepted(Ordered);

impl Accepted {
    /// The part of a schema that the servers accept.
    ///
    /// # Errors
    /// When it is not JSON of a depth that can be read.
    pub(super) fn from_schema(schema: Schema<'_>) -> Result<Self, ModelErrorKind> {
        let ordered: Ordered = serde_json::from_str(schema.text.get())
            .map_err(|_| wrong("format", format!("the schema {:?} is not JSON", schema.name)))?;
        Ok(Self(accepted(ordered)))
    }
}

impl Serialize for Accepted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

fn accepted(schema: Ordered) -> Ordered {
    let Ordered::Object(fields) = schema else { return schema };
    let is_object = fields
        .iter()
        .any(|(name, value)| name == "properties" || (name == "type" && *value == Ordered::from("object")));
    let kept = |(name, _): &(String, Ordered)| {
        !(REFUSED.contains(&name.as_str()) || is_object && name == "additionalProperties")
    };
    let mut fields: Vec<_> = fields.into_iter().filter(kept).map(accepted_field).collect();
    if is_object {
        fields.push(("additionalProperties".to_owned(), Ordered::Other(Value::Bool(false))));
    }
    Ordered::Object(fields)
}

fn accepted_field((name, value): (String, Ordered)) -> (String, Ordered) {
    let value = match value {
        Ordered::Object(schemas) if NAMED_SCHEMAS.contains(&name.as_str()) => {
            Ordered::Object(schemas.into_iter().map(|(name, schema)| (name, accepted(schema))).collect())
        }
        Ordered::List(schemas) if SCHEMAS.contains(&name.as_str()) => {
            Ordered::List(schemas.into_iter().map(accepted).collect())
        }
        schema if SCHEMAS.contains(&name.as_str()) => accepted(schema),
        other => other,
    };
    (name, value)
}

/// JSON whose objects keep their order.
#[derive(Debug, Clone, PartialEq)]
enum Ordered {
    Object(Vec<(String, Ordered)>),
    List(Vec<Ordered>),
    Other(Value),
}

impl From<&str> for Ordered {
    fn from(text: &str) -> Self {
        Self::Other(Value::from(text))
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Other(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Ordered::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ordered, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Ordered::List(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Other(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Other(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::from(value))
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Other(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: &str) {
        let text = serde_json::from_str(schema).unwrap();
        let accepted = Accepted::from_schema(Schema { name: "s", text }).unwrap();
        assert_eq!(serde_json::to_string(&accepted).unwrap(), expected);
    }

    #[test]
    fn what_servers_refuse_is_left_out_wherever_a_schema_stands() {
        check(
            r#"{"$schema":"x","type":"object","properties":{"z":{"type":"integer","minimum":0,"maximum":10},"a":{"type":"array","maxItems":3,"items":{"type":"string","minLength":1}}},"required":["z","a"]}"#,
            r#"{"type":"object","properties":{"z":{"type":"integer"},"a":{"type":"array","items":{"type":"string"}}},"required":["z","a"],"additionalProperties":false}"#,
        );
        check(
            r##"{"$defs":{"d":{"type":"object","additionalProperties":true}},"anyOf":[{"$ref":"#/$defs/d"},{"maximum":1.5}]}"##,
            r##"{"$defs":{"d":{"type":"object","additionalProperties":false}},"anyOf":[{"$ref":"#/$defs/d"},{}]}"##,
        );
    }

    #[test]
    fn names_and_values_that_look_like_keywords_stay() {
        let schema = r#"{"type":"object","properties":{"minimum":{"enum":["maximum",{"minimum":1},null,-1,true]}},"required":["minimum"],"additionalProperties":false}"#;
        check(schema, schema);
        check("true", "true");
    }
}
