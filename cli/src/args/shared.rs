//! Flags that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use playhouse_protocol::Budget;
use playhouse_protocol::code::Language;
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::task::TaskOptions;

use super::LanguageParser;

/// Forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; into a file, the bare source.
    Text,
    /// For programs; has a schema version.
    Json,
    /// A report with everything that was done.
    Markdown,
}

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people.
    Table,
    /// For programs; has a schema version.
    Json,
}

/// What code to write.
#[derive(Debug, Args)]
pub(crate) struct CodeArgs {
    /// The language to write: rust, python, typescript, javascript, go, java, c, cpp [default: rust]
    #[arg(short, long, value_parser = LanguageParser, hide_possible_values = true)]
    pub(crate) language: Option<Language>,

    /// A rule beyond the spec; can be given several times
    #[arg(long = "constraint", value_name = "TEXT")]
    pub(crate) constraints: Vec<String>,

    /// A file with code or text that the answer has to fit to
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,

    /// Ask for no tests
    #[arg(long)]
    pub(crate) no_tests: bool,
}

/// Which model, and how it chooses its words.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// The model of the catalog to ask [default: as the settings select]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// The same seed and request give the same answer, where the provider can do so
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// 0 always takes the most probable token; at most 2
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f32>,

    /// Fail instead of fetching a model file that is missing
    #[arg(long)]
    pub(crate) no_pull: bool,
}

impl ModelArgs {
    pub(crate) fn sampling(&self) -> Sampling {
        Sampling { temperature: self.temperature, seed: self.seed, ..Sampling::default() }
    }
}

/// What a task may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// The time that a task may take
    #[arg(long, value_name = "SECS")]
    pub(crate) timeout: Option<u64>,

    /// The tokens that a task may use, prompts and answers together
    #[arg(long, value_name = "N")]
    pub(crate) budget_tokens: Option<u64>,

    /// The model calls that a task may make
    #[arg(long, value_name = "N")]
    pub(crate) budget_calls: Option<u64>,
}

impl LimitArgs {
    pub(crate) fn options(&self) -> TaskOptions {
        TaskOptions {
            timeout_ms: self.timeout.map(|seconds| seconds.saturating_mul(1_000)),
            budget: Budget {
                tokens_max: self.budget_tokens,
                model_calls_max: self.budget_calls,
                ..Budget::default()
            },
            ..TaskOptions::default()
        }
    }
}
