//! Numbers that are read as they were written, to the last bit: the JSON library alone may be off by one.

use serde::{Deserialize as _, Deserializer};
use serde_json::value::RawValue;

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let text = Box::<RawValue>::deserialize(from)?;
    // Some servers write numbers as texts.
    text.get().trim_matches('"').parse().map_err(serde::de::Error::custom)
}
