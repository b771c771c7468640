//! `playhouse riddles …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use playhouse_protocol::riddle::Difficulty;

use super::{AskingArgs, ModesArgs, TableFormat};

/// `playhouse riddles …`; without a subcommand, models are asked riddles.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RiddlesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RiddlesCommand>,

    #[command(flatten)]
    pub(crate) test: RiddlesTestArgs,
}

/// Asking riddles: each model in each mode is a variant, and the first one in the first mode is what the others are held
/// against.
#[derive(Debug, Args)]
pub(crate) struct RiddlesTestArgs {
    /// The models to ask, separated by commas [default: the one that the settings select]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) models: Vec<String>,

    /// How they are made to think, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "direct")]
    pub(crate) modes: Vec<String>,

    /// How often each riddle is asked
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) repeats: u32,

    /// The set of riddles: its name, or a file (.yaml, .jsonl)
    #[arg(long, value_name = "SET|FILE", default_value = "classic", help_heading = "Riddles")]
    pub(crate) set: String,

    /// Only those of this difficulty; can be given several times
    #[arg(long, value_enum, help_heading = "Riddles")]
    pub(crate) difficulty: Vec<DifficultyArg>,

    /// Only those of this form; can be given several times
    #[arg(long, value_name = "NAME", help_heading = "Riddles")]
    pub(crate) form: Vec<String>,

    /// So many of them, of each form and difficulty its share
    #[arg(long, value_name = "N", help_heading = "Riddles", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) sample: Option<u32>,

    /// What chance is drawn from: which riddles, seeds, resampling
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Riddles")]
    pub(crate) seed: u64,

    /// 0 always takes the most probable token; at most 2
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = "Model")]
    pub(crate) temperature: Option<f32>,

    /// The longest answer of a step, in tokens
    #[arg(long, value_name = "N", help_heading = "Model", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tokens_max: Option<u32>,

    /// Have this model judge the answers beside the exact scorer
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) judge: Option<String>,

    /// How many answers are waited for at once; times are honest with 1 alone
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) width: u32,

    /// Stop as soon as every comparison is decided, with the chance of a false winner under control
    #[arg(long, help_heading = "Limits")]
    pub(crate) early_stop: bool,

    /// The tokens that all answers together may use
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) budget_tokens: Option<u64>,

    /// The model calls that all answers together may make
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) budget_calls: Option<u64>,

    #[command(flatten)]
    pub(crate) own: ModesArgs,

    #[command(flatten)]
    pub(crate) asking: AskingArgs,
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
