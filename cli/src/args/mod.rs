//! The command line.

mod chat;
mod compress;
mod experiment;
mod journal;
mod load;
mod models;
mod parsers;
mod riddles;
mod shared;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use chat::{ChatArgs, ChatCommand, CompareFormat, ExportFormat};
pub(crate) use compress::{CompressArgs, CompressFormat};
pub(crate) use experiment::{AskingArgs, ExperimentCommand, ModesArgs, ReportFormat, ResumeArgs, RunArgs};
pub(crate) use journal::{DeadLettersCommand, JournalArgs, ListArgs, TasksCommand};
pub(crate) use load::{DurabilityArg, LoadArgs, LoadFormat, Slo};
pub(crate) use models::{ChangeArgs, ModelsArgs, ModelsCommand, PullArgs, RegisterArgs, WhyArgs};
pub(crate) use parsers::{AspectParser, EncodingParser, LanguageParser, PinRuleParser, StrategyParser};
pub(crate) use riddles::{
    MatchArg, RiddlesAddArgs, RiddlesArgs, RiddlesCommand, RiddlesShowArgs, RiddlesTestArgs,
};
pub(crate) use shared::{CodeArgs, Format, LimitArgs, ModelArgs, TableFormat};
pub(crate) use work::{DevelopArgs, GenerateArgs, ReviewArgs};

/// Agents that write and review code, supervised, on your machine or behind an endpoint.
#[derive(Debug, Parser)]
#[command(
    name = "playhouse",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: playhouse help exit-codes"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The file of settings [default: playhouse.yaml here, or in the user's configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Log what happens; twice for details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Colours; `auto` uses them on a terminal unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,

    /// Serve Prometheus metrics at this address while the command runs, for example 127.0.0.1:9090
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write code, review it and revise it until the reviewer approves
    Develop(Box<DevelopArgs>),
    /// Write code for a spec
    Generate(Box<GenerateArgs>),
    /// Review code
    Review(Box<ReviewArgs>),
    /// Talk with a model, compare several, and keep the conversations
    Chat(Box<ChatArgs>),
    /// Run many agent tasks on a scripted model and account for every one
    Load(Box<LoadArgs>),
    /// List, show, cancel and resume the tasks of a journal
    #[command(subcommand)]
    Tasks(TasksCommand),
    /// List, show, replay and discard the tasks of a journal that were given up
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Show the supervision tree of a freshly started runtime
    Tree(TreeArgs),
    /// List, explain, fetch and try the models
    Models(ModelsArgs),
    /// Count the tokens of files and folders
    Tokens(TokensArgs),
    /// Make a text fit into a number of tokens, and say what that cost
    Compress(Box<CompressArgs>),
    /// Compare models, prompts and ways of thinking on honest numbers
    #[command(subcommand)]
    Experiment(Box<ExperimentCommand>),
    /// Ask models riddles with known answers, and keep riddles
    Riddles(Box<RiddlesArgs>),
    /// Print, check and explain the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the exit codes and their meaning
    #[command(long_about = exit_codes_help())]
    ExitCodes,
}

fn exit_codes_help() -> String {
    format!("The exit codes and their meaning:\n\n{}", crate::exit::table())
}

/// `playhouse tree`
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TreeFormat::Text)]
    pub(crate) format: TreeFormat,
}

/// Forms of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TreeFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `playhouse tokens`
#[derive(Debug, Args)]
pub(crate) struct TokensArgs {
    /// Files, folders (with everything below), or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) paths: Vec<PathBuf>,

    /// Count as this model of the catalog does; several are compared [default: the model that writes code]
    #[arg(long = "model", value_name = "NAME", conflicts_with = "encoding")]
    pub(crate) models: Vec<String>,

    /// Count by this encoding
    #[arg(long, value_parser = EncodingParser)]
    pub(crate) encoding: Option<playhouse_models::tokens::Encoding>,

    /// Tell the tokens of prose, lists, tables and code apart
    #[arg(long)]
    pub(crate) parts: bool,

    /// Read one JSON file, a list of messages with role and content, as a conversation
    #[arg(long)]
    pub(crate) chat: bool,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// `playhouse config …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a file of settings with every default and what it means
    Default,
    /// Check a file of settings
    Check {
        /// The file; the one that would be used when left out
        file: Option<PathBuf>,
    },
    /// Print the JSON schema of the settings, for editors
    Schema,
    /// Print the settings in force, defaults included, secrets only by reference
    Show,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_unknown_language_is_told_in_one_line_with_a_hint() {
        let error = Cli::try_parse_from(["playhouse", "generate", "x", "--language", "klingon"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(
            error.to_string(),
            "error: failed to read the language \"klingon\": it is not known\n\
             hint: Known languages: rust, python, typescript, javascript, go, java, c, cpp.\n"
        );
    }
}
