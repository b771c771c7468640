//! The JSON schema of `playhouse.yaml`, drawn from the raw types: the one door to schemars.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::raw::RawConfig;

/// The schema, with nothing behind references: what checks the shape of settings.
pub(crate) static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<RawConfig>);

/// The schema of a type, with nothing behind references.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The JSON schema (draft 2020-12) of `playhouse.yaml`, for editors and for checks elsewhere.
pub fn schema_json() -> String {
    let mut text = format!("{:#}", *SCHEMA);
    text.push('\n');
    text
}
