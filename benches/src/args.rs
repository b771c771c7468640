//! Arguments of benchmarks: `--name value`. Cargo's own `--bench` is passed over.

use anyhow::{Context, Result};

/// The number behind `name`, or `default`.
///
/// # Errors
/// When there is no number behind it.
pub fn number(name: &str, default: u64) -> Result<u64> {
    match text(name)? {
        None => Ok(default),
        Some(value) => {
            value.parse().with_context(|| format!("read {name} {value:?}: it is not a whole number"))
        }
    }
}

/// The text behind `name`.
///
/// # Errors
/// When nothing follows it.
pub fn text(name: &str) -> Result<Option<String>> {
    let mut args = std::env::args().skip_while(|arg| arg != name);
    if args.next().is_none() {
        return Ok(None);
    }
    args.next().map(Some).with_context(|| format!("read {name}: nothing follows it"))
}
