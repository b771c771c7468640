//! From a file to checked settings.

pub(crate) mod document;
mod files;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub(crate) use files::read_file;

use crate::environment::Environment;
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::raw::RawConfig;
use crate::report::Report;
use crate::schema::SCHEMA;
use crate::settings::Config;
use crate::{check, shape};

/// What to load.
#[derive(Debug, Clone)]
pub struct LoadArgs {
    /// The file that the user named; it has to exist. `None` looks at the usual places.
    pub path: Option<PathBuf>,
    /// Where to look for variables and folders.
    pub environment: Environment,
}

impl LoadArgs {
    /// The file that the user named, if any, in the environment of this process.
    pub fn process(path: Option<PathBuf>) -> Self {
        Self { path, environment: Environment::process() }
    }
}

/// Settings and where they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file; `None` when there is none and the defaults hold.
    pub source: Option<PathBuf>,
    /// What is allowed but hardly meant.
    pub warnings: Vec<ConfigError>,
}

/// Finds, reads and checks the settings: the file that the user named, else `PLAYHOUSE_CONFIG`, else
/// `playhouse.yaml` in the working folder, else `playhouse/playhouse.yaml` in the user's folder for
/// settings, else the defaults.
///
/// # Errors
/// Everything that is wrong with the file, each with its place.
pub fn load(args: &LoadArgs) -> Result<Loaded, ConfigErrors> {
    let Some(path) = files::find(args.path.as_deref(), &args.environment) else {
        return Ok(Loaded { config: Config::default(), source: None, warnings: Vec::new() });
    };
    let name = path.display().to_string();
    let text = files::read(&path).map_err(|error| {
        let error = error.in_file(&name);
        if args.path.is_none() && args.environment.has("PLAYHOUSE_CONFIG") {
            return error.with_hint("the variable PLAYHOUSE_CONFIG names this file");
        }
        error
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let (config, warnings) = parse(&name, &text, folder)?;
    Ok(Loaded { config, source: Some(path), warnings })
}

/// Checks settings that are at hand as text; `name` stands in errors where a file's name would, and
/// relative paths are left as they are.
///
/// # Errors
/// As [`load`].
pub fn parse_str(name: &str, text: &str) -> Result<Config, ConfigErrors> {
    if text.len() as u64 > files::BYTES_MAX {
        return Err(files::too_large().in_file(name).into());
    }
    parse(name, text, Path::new("")).map(|(config, _)| config)
}

/// The default settings with a comment on each: what `playhouse config default` prints.
pub const fn default_yaml() -> &'static str {
    include_str!("../playhouse.default.yaml")
}

/// Reads every secret that the settings refer to; the answer is what would fail when a model or the cache is used.
pub fn check_secrets(config: &Config, environment: &Environment) -> Vec<ConfigError> {
    let keys = config.models.iter().filter_map(|(name, entry)| {
        let key = entry.provider.http()?.api_key.as_ref()?;
        Some((KeyPath::of(["models", name, "api_key"]), key))
    });
    let redis = config.cache.redis.iter().map(|redis| (KeyPath::of(["cache", "redis", "url"]), &redis.url));
    let token = config.experiments.tracking_token.iter();
    let token = token.map(|token| (KeyPath::of(["experiments", "tracking_token"]), token));
    keys.chain(redis)
        .chain(token)
        .filter_map(|(path, key)| Some(key.resolve_in(environment).err()?.about(path)))
        .collect()
}

fn parse(name: &str, text: &str, folder: &Path) -> Result<(Config, Vec<ConfigError>), ConfigErrors> {
    let mut report = Report::new(name);
    let raw = read(text, &mut report).map_err(|error| error.in_file(name))?;
    let config = check::check(raw, folder, &mut report);
    Ok((config, report.finish()?))
}

/// Text → raw settings. Errors of the whole text come back; errors of single keys go into the report.
fn read(text: &str, report: &mut Report) -> Result<RawConfig, ConfigError> {
    let mut value = document::read(text, report)?;
    shape::check(&SCHEMA, &mut value, &KeyPath::default(), report);
    if value.is_null() {
        return Ok(RawConfig::default());
    }
    // The shape is that of the schema, which is drawn from these types.
    RawConfig::deserialize(value).map_err(|_| {
        ConfigError::new(ConfigErrorKind::WrongType, "the settings do not have the shape of the schema")
    })
}

#[cfg(test)]
mod tests;
