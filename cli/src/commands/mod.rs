//! One module a command: what it reads, what it asks for, what it prints.

pub(crate) mod batch;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod compress;
pub(crate) mod config;
pub(crate) mod dead_letters;
pub(crate) mod develop;
pub(crate) mod experiment;
pub(crate) mod generate;
pub(crate) mod load;
pub(crate) mod models;
pub(crate) mod review;
pub(crate) mod riddles;
pub(crate) mod tasks;
pub(crate) mod tokens;
pub(crate) mod tree;

mod fetch;
mod journal;
mod work;
