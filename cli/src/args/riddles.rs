//! `playhouse riddles …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use playhouse_protocol::riddle::Difficulty;

use super::TableFormat;

/// `playhouse riddles …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RiddlesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RiddlesCommand>,
}

/// What to do with riddles.
#[derive(Debug, Subcommand)]
pub(crate) enum RiddlesCommand {
    /// The sets there are: the one that comes along, and your own
    List {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// The riddles of a set, or one of them with its answers
    Show(RiddlesShowArgs),
    /// Add a riddle to a set of your own
    Add(Box<RiddlesAddArgs>),
    /// Check sets by name, and files: .yaml sets, or .jsonl with a riddle on each line
    Validate {
        /// Names of sets, or files
        #[arg(required = true, value_name = "SET|FILE")]
        sets: Vec<String>,
    },
    /// Add the riddles of a file to a set of your own, all or none
    Import {
        /// The set; it is made where it is not there
        set: String,
        /// The file: a riddle on each line, as JSON with the keys of the YAML form
        #[arg(value_name = "FILE.jsonl")]
        file: PathBuf,
    },
}

/// `playhouse riddles show`
#[derive(Debug, Args)]
pub(crate) struct RiddlesShowArgs {
    /// The set
    pub(crate) set: String,

    /// The riddle's id: shows it with the answers that are accepted
    pub(crate) id: Option<String>,

    /// Only those of this difficulty
    #[arg(long, value_enum, conflicts_with = "id")]
    pub(crate) difficulty: Option<DifficultyArg>,

    /// Only those of this form
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    pub(crate) form: Option<String>,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// `playhouse riddles add`
#[derive(Debug, Args)]
pub(crate) struct RiddlesAddArgs {
    /// The set; it is made where it is not there
    pub(crate) set: String,

    /// Its id, different for each riddle of the set
    #[arg(long)]
    pub(crate) id: String,

    /// What is asked
    #[arg(long, value_name = "TEXT")]
    pub(crate) question: String,

    /// What is accepted; can be given several times
    #[arg(long = "answer", value_name = "TEXT", required = true, allow_hyphen_values = true)]
    pub(crate) answers: Vec<String>,

    /// How answers are held against that [default: number where every answer is one, else word]
    #[arg(long = "match", value_enum, value_name = "HOW")]
    pub(crate) matching: Option<MatchArg>,

    /// How far a number may be off
    #[arg(long, value_name = "NUMBER")]
    pub(crate) tolerance: Option<f64>,

    /// A unit that may follow a number; can be given several times
    #[arg(long = "unit", value_name = "UNIT")]
    pub(crate) units: Vec<String>,

    /// How hard it is
    #[arg(long, value_enum, default_value_t = DifficultyArg::Medium)]
    pub(crate) difficulty: DifficultyArg,

    /// Its form: logic, counting and the like
    #[arg(long, default_value = "", value_name = "NAME")]
    pub(crate) form: String,

    /// A further word to find it by; can be given several times
    #[arg(long = "tag", value_name = "WORD")]
    pub(crate) tags: Vec<String>,

    /// A file with the text that the question is about
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,

    /// Why the answer is right
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) rationale: String,
}

/// Difficulties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DifficultyArg {
    /// Most people find it at once.
    Easy,
    /// Most people find it with some thought.
    Medium,
    /// Many people go wrong.
    Hard,
}

impl From<DifficultyArg> for Difficulty {
    fn from(arg: DifficultyArg) -> Self {
        match arg {
            DifficultyArg::Easy => Self::Easy,
            DifficultyArg::Medium => Self::Medium,
            DifficultyArg::Hard => Self::Hard,
        }
    }
}

/// Ways to compare answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatchArg {
    /// As numbers.
    Number,
    /// As what the answer claims.
    Word,
    /// Somewhere in the answer.
    Any,
}
