//! Settings of Playhouse: YAML as written, checked settings, prompt templates.
//!
//! Only this crate reads files of settings and the environment. Read in this order:
//!
//! 1. [`settings`]: the checked types that the rest of Playhouse is given;
//! 2. [`secret`]: keys by reference, read when they are used;
//! 3. [`environment`] and [`load`]: where settings are found and how they are read;
//! 4. [`error`]: what can be wrong with them;
//! 5. [`prompts`]: the templates of what the shipped agents ask.

pub mod settings;

pub mod secret;

pub mod environment;
pub mod load;

pub mod error;

pub mod prompts;

mod nearest;

pub use environment::Environment;
pub use error::{ConfigError, ConfigErrorKind, ConfigErrors};
pub use load::{LoadArgs, Loaded, load, parse_str};
pub use secret::{Secret, SecretRef};
pub use settings::Config;
