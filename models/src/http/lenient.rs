//! Reads what may be of a wrong form.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads a value that may be of a wrong form: then it counts as missing. For counts of tokens, which are estimated
/// where they are missing: no answer is to be lost for them.
///
/// # Errors
/// When it is not JSON.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// The same without a copy of the value, where JSON itself is read: not inside of what serde sets aside first, such as a
/// tagged enum.
///
/// # Errors
/// When it is not JSON.
pub(crate) fn lenient_json<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(value.get()).unwrap_or_default())
}
