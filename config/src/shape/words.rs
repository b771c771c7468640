//! Words for types, limits and values.

use serde_json::Value;

/// The longest value that is shown whole, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Whole,
    Number,
    Text,
    List,
    Map,
}

impl Kind {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Whole,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Map,
        }
    }

    /// The kinds that a schema allows.
    pub(super) fn expected(schema: &Value) -> Vec<Self> {
        let of_name = |name: &Value| match name.as_str()? {
            "null" => Some(Self::Null),
            "boolean" => Some(Self::Bool),
            "integer" => Some(Self::Whole),
            "number" => Some(Self::Number),
            "string" => Some(Self::Text),
            "array" => Some(Self::List),
            "object" => Some(Self::Map),
            _ => None,
        };
        match schema.get("type") {
            Some(Value::Array(names)) => names.iter().filter_map(of_name).collect(),
            Some(name) => of_name(name).into_iter().collect(),
            None => Vec::new(),
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool => "true or false",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map of keys",
        }
    }

    /// The same for what was found where something else was expected.
    pub(super) const fn found(self) -> &'static str {
        match self {
            Self::Number => "a number with a fraction",
            Self::Null | Self::Bool | Self::Whole | Self::Text | Self::List | Self::Map => self.as_str(),
        }
    }
}

/// A value in quotes, cut when it is long.
pub(super) fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return format!("{text:?}");
    }
    let begin: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{:?}", begin + "…")
}

/// The limits of a number and the reason for them.
pub(super) fn range_text(schema: &Value) -> String {
    let limit = |name: &str| schema.get(name).map(ToString::to_string);
    let least = limit("minimum").or_else(|| Some(format!("above {}", limit("exclusiveMinimum")?)));
    let most = limit("maximum");
    let range = match (least, most) {
        (Some(least), Some(most)) => format!("allowed: {least} to {most}"),
        (Some(least), None) => format!("allowed: from {least}"),
        (None, Some(most)) => format!("allowed: up to {most}"),
        (None, None) => String::new(),
    };
    match schema.get("x-reason").and_then(Value::as_str) {
        Some(reason) => format!("{range} ({reason})"),
        None => range,
    }
}

/// What to write for a duration with a unit, such as `5s` or `1.5 min`.
pub(super) fn duration_hint(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let ms = match unit.trim().to_lowercase().as_str() {
        "" => return Some("write the number without quotes".to_owned()),
        "ms" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
        "h" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        _ => return None,
    };
    Some(format!("write the milliseconds as a number: {:.0}", number * ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_with_units_are_turned_into_milliseconds() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(duration_hint(text).as_deref(), expected, "{text}");
        };
        check("5s", Some("write the milliseconds as a number: 5000"));
        check("1.5 min", Some("write the milliseconds as a number: 90000"));
        check("10", Some("write the number without quotes"));
        check("soon", None);
        check("5 moons", None);
    }
}
