//! Settings of Playhouse. Only this crate reads files of settings and the environment.

pub mod secret;
pub mod settings;

pub use settings::Config;
