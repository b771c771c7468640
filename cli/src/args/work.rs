//! Flags of the commands that ask models.

use std::path::PathBuf;

use clap::Args;
use playhouse_protocol::code::Language;
use playhouse_protocol::review::Aspect;

use super::{AspectParser, CodeArgs, Format, LanguageParser, LimitArgs, ModelArgs};

/// `playhouse develop`
#[derive(Debug, Args)]
pub(crate) struct DevelopArgs {
    /// What the code must do; `-` reads it from standard input
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub(crate) spec: Option<String>,

    #[command(flatten)]
    pub(crate) code: CodeArgs,

    /// Rounds of writing and reviewing at most [default: as the settings say, 2]
    #[arg(short, long, value_name = "N")]
    pub(crate) rounds: Option<u32>,

    /// End with code 7 when the result was not approved
    #[arg(long)]
    pub(crate) require_approval: bool,

    /// The model of the catalog that reviews [default: as the settings select]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) reviewer_model: Option<String>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) batch: BatchArgs,

    /// Write the result to this file (with --from: to this folder, a file for each spec and report.json)
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub(crate) output: Option<PathBuf>,

    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Result")]
    pub(crate) format: Format,
}

/// Many specs at once.
#[derive(Debug, Args)]
#[command(next_help_heading = "Many at once")]
pub(crate) struct BatchArgs {
    /// A YAML file with a list of specs, or of `{spec, name, language, rounds, …}`
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,

    /// Specs that are worked on side by side
    #[arg(long, value_name = "N", default_value_t = 8, requires = "from")]
    pub(crate) width: usize,
}

/// `playhouse generate`
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// What the code must do; `-` reads it from standard input
    pub(crate) spec: String,

    #[command(flatten)]
    pub(crate) code: CodeArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    /// Write the result to this file
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub(crate) output: Option<PathBuf>,

    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Result")]
    pub(crate) format: Format,
}

/// `playhouse review`
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// The code; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The language of the code [default: by the file's ending, else rust]
    #[arg(short, long, value_parser = LanguageParser, hide_possible_values = true)]
    pub(crate) language: Option<Language>,

    /// What the code should do
    #[arg(long, value_name = "TEXT")]
    pub(crate) spec: Option<String>,

    /// What to look at most, separated by commas
    #[arg(long, value_parser = AspectParser, value_delimiter = ',', value_name = "ASPECT")]
    pub(crate) focus: Vec<Aspect>,

    /// End with code 7 when the code was not approved
    #[arg(long)]
    pub(crate) require_approval: bool,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    /// Write the result to this file
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub(crate) output: Option<PathBuf>,

    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Result")]
    pub(crate) format: Format,
}
