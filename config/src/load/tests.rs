mod broken;
mod finding;
mod properties;
mod schema;
mod whole;

use super::*;
use crate::settings::ProviderConfig;

/// The errors of a text, as a user sees them.
fn errors(text: &str) -> String {
    parse_str("playhouse.yaml", text).unwrap_err().to_string()
}

/// The settings of a text and its warnings, as a user sees them.
fn accepted(text: &str) -> (Config, String) {
    let (config, warnings) =
        parse("playhouse.yaml", text, Path::new("")).unwrap_or_else(|errors| panic!("{errors}"));
    (config, warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
