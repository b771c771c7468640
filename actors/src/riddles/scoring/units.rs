//! Units that can be turned into each other.

/// A kind of unit: its names, each with how many of the smallest it is.
type Family = &'static [(&'static [&'static str], f64)];

/// What riddles ask for. Names are in lower case, without accents.
const FAMILIES: [Family; 6] = [
    &[
        (&["cent", "cents", "ct", "cts", "pence", "penny", "pennies", "p"], 1.0),
        (
            &["dollar", "dollars", "$", "usd", "euro", "euros", "€", "eur", "pound", "pounds", "£", "gbp"],
            100.0,
        ),
    ],
    &[
        (&["second", "seconds", "sec", "secs", "s"], 1.0),
        (&["minute", "minutes", "min", "mins"], 60.0),
        (&["hour", "hours", "h", "hr", "hrs"], 3_600.0),
        (&["day", "days"], 86_400.0),
        (&["week", "weeks"], 604_800.0),
    ],
    &[
        (&["mm", "millimetre", "millimetres", "millimeter", "millimeters"], 1.0),
        (&["cm", "centimetre", "centimetres", "centimeter", "centimeters"], 10.0),
        (&["m", "metre", "metres", "meter", "meters"], 1_000.0),
        (&["km", "kilometre", "kilometres", "kilometer", "kilometers"], 1_000_000.0),
        (&["mile", "miles", "mi"], 1_609_344.0),
    ],
    &[
        (&["g", "gram", "grams"], 1.0),
        (&["kg", "kilogram", "kilograms", "kilo", "kilos"], 1_000.0),
        (&["tonne", "tonnes", "ton", "tons", "t"], 1_000_000.0),
    ],
    &[
        (
            &["km/h", "kmh", "kph", "kmph", "kilometres per hour", "kilometers per hour", "km per hour"],
            1_000.0,
        ),
        (&["m/s", "metres per second", "meters per second"], 3_600.0),
        (&["mph", "miles per hour"], 1_609.344),
    ],
    &[(&["%", "percent", "per cent", "pct"], 1.0)],
];

/// How many of unit `to` a unit `from` is; `None` where they are of different kinds or not known.
pub(super) fn factor(from: &str, to: &str) -> Option<f64> {
    let size = |family: &Family, unit: &str| {
        family.iter().find(|(names, _)| names.contains(&unit)).map(|(_, size)| *size)
    };
    FAMILIES.iter().find_map(|family| Some(size(family, from)? / size(family, to)?))
}

/// Whether it is a unit of any kind that is known.
pub(super) fn is_known(unit: &str) -> bool {
    FAMILIES.iter().any(|family| family.iter().any(|(names, _)| names.contains(&unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_a_kind_are_turned_into_each_other() {
        assert_eq!(factor("€", "cents"), Some(100.0));
        assert_eq!(factor("minutes", "hours"), Some(1.0 / 60.0));
        assert_eq!(factor("km", "hours"), None);
        assert_eq!(factor("sheep", "hours"), None);
        assert!(is_known("km/h") && !is_known("sheep"));
    }
}
