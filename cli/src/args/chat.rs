//! `playhouse chat`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{LimitArgs, ModelArgs, TableFormat};

/// `playhouse chat`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ChatArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ChatCommand>,

    /// Ask this and end; `-` reads it from standard input [default: a conversation, a line a message]
    pub(crate) prompt: Option<String>,

    /// Go on with this conversation: its id, or `last`
    #[arg(short, long, value_name = "ID")]
    pub(crate) conversation: Option<String>,

    /// Instructions that stand above the conversation
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,

    /// Keep nothing of what is said
    #[arg(long)]
    pub(crate) ephemeral: bool,

    /// Ask these models the same, separated by commas, and show their answers side by side; nothing of it is kept
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "prompt", conflicts_with = "model")]
    pub(crate) compare: Vec<String>,

    /// The form of a comparison
    #[arg(long, value_enum, default_value_t = CompareFormat::Text, requires = "compare")]
    pub(crate) format: CompareFormat,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Forms of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    /// For people.
    Text,
    /// For programs; has a schema version.
    Json,
}

/// Forms of a conversation in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Everything that is kept of it; has a schema version.
    Json,
    /// For people.
    Markdown,
}

/// `playhouse chat …`
#[derive(Debug, Subcommand)]
pub(crate) enum ChatCommand {
    /// The conversations, the latest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// What was said in a conversation
    Show {
        /// The conversation: its id, or `last`
        id: String,
    },
    /// Write a conversation to a file
    Export {
        /// The conversation: its id, or `last`
        id: String,
        /// The form of the file
        #[arg(long, value_enum, default_value_t = ExportFormat::Markdown)]
        format: ExportFormat,
        /// The file [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Remove a conversation for good
    Delete {
        /// The conversation: its id
        id: String,
        /// Yes, for good
        #[arg(long)]
        yes: bool,
    },
}
