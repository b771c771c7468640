//! Settings of Playhouse: YAML as written, checked settings, prompt templates.
//!
//! Only this crate reads files of settings and the environment. Read in this order:
//!
//! 1. [`settings`]: the checked types that the rest of Playhouse is given;
//! 2. [`secret`]: keys by reference, read when they are used;
//! 3. [`environment`] and [`mod@load`]: where settings are found and how they are read: text, its marks, its
//!    shape (`shape`, by the schema of the raw types), then checked settings (`check`);
//! 4. [`schema`] and [`mod@show`]: settings for editors and for people; [`specs`]: files with many specs;
//!    [`mod@entry`]: one model apart from the rest; [`aliases`]: names of registered models;
//! 5. [`error`]: what can be wrong with them;
//! 6. [`prompts`]: the templates of what the shipped agents ask; [`reasoning`]: ways to have a model think; [`riddles`]: what
//!    it is asked, with the answers.

pub mod settings;

pub mod secret;

pub mod environment;
pub mod load;

mod check;
mod marks;
mod raw;
mod report;
mod shape;
mod yaml;

pub mod aliases;
pub mod entry;
pub mod experiments;
pub mod riddles;
pub mod schema;
pub mod show;
pub mod specs;

pub mod error;

mod key_path;
mod nearest;

pub mod prompts;
pub mod reasoning;

pub use aliases::{AliasName, AliasTarget, RegisteredModel, RegisteredModels};
pub use entry::{entry_yaml, parse_entry};
pub use environment::Environment;
pub use error::{ConfigError, ConfigErrorKind, ConfigErrors};
pub use load::{LoadArgs, Loaded, check_secrets, default_yaml, load, parse_str};
pub use nearest::nearest;
pub use schema::schema_json;
pub use secret::{Secret, SecretRef};
pub use settings::Config;
pub use show::show;
