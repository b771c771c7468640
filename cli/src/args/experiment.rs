//! `playhouse experiment …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::TableFormat;

/// `playhouse experiment …`
#[derive(Debug, Subcommand)]
pub(crate) enum ExperimentCommand {
    /// Write a template to begin with, or list those there are
    New {
        /// The template; all are listed when left out
        template: Option<String>,
        /// Write it to this file [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check a template, and say what it would ask
    Check {
        /// The template
        file: PathBuf,
        #[command(flatten)]
        modes: ModesArgs,
    },
    /// Run a template
    Run(RunArgs),
    /// Go on with a run that was interrupted; nothing that was answered is asked again
    Resume(ResumeArgs),
    /// List the runs
    List {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Show what a run is made of, and the answers to an item
    Show {
        /// The run
        run: String,
        /// Show the answers to this item
        #[arg(long, value_name = "ID")]
        item: Option<String>,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Report on a run: written into its folder, and printed
    Report {
        /// The run
        run: String,
        /// The form of what is printed
        #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
        format: ReportFormat,
        /// Tell in the table what came of each item
        #[arg(long)]
        details: bool,
        /// Write it to this file instead
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Hold the variants of one run against those of another, on the items that both have
    Compare {
        /// The run that the other is held against
        baseline: String,
        /// The other run
        run: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
        format: ReportFormat,
    },
    /// Send what waits for the MLflow server that the settings name, or tell it of a run that it does not know
    Track {
        /// A run to be told of
        run: Option<String>,
    },
    /// Make every number of a run's report again from its answers, and hold both against each other, bit for bit
    Verify {
        /// The run
        run: String,
    },
    /// Show how the A/B tests of the settings stand
    Status {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Put an arm back that an A/B test has taken out of its split; its test begins anew
    ResumeArm {
        /// The type of task
        task: String,
        /// The arm, as the split names it
        arm: String,
        /// Why; it is kept with the outcomes
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// `playhouse experiment run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The template
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) modes: ModesArgs,

    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

/// `playhouse experiment resume`
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run
    pub(crate) run: String,

    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

/// Reasoning modes of one's own.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModesArgs {
    /// A file with reasoning modes, beside those that come along
    #[arg(long, value_name = "FILE")]
    pub(crate) modes_file: Option<PathBuf>,
}

/// How a run asks and what it prints.
#[derive(Debug, Clone, Args)]
pub(crate) struct AskingArgs {
    /// The time that an answer may take
    #[arg(long, value_name = "SECS", help_heading = "Limits")]
    pub(crate) timeout: Option<u64>,

    /// Take answers from the cache where the settings allow it: they tell nothing about time and cost, nor anything new
    #[arg(long)]
    pub(crate) cache: bool,

    /// Fail instead of fetching a model file that is missing
    #[arg(long)]
    pub(crate) no_pull: bool,

    /// The form of the report; all forms are written into the run's folder
    #[arg(long, value_enum, default_value_t = ReportFormat::Table, help_heading = "Result")]
    pub(crate) format: ReportFormat,

    /// Tell in the table what came of each item
    #[arg(long, help_heading = "Result")]
    pub(crate) details: bool,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people, on a terminal.
    Table,
    /// For programs; the form that is verified.
    Json,
    /// For people, in a file.
    Markdown,
    /// One page with pictures and every answer.
    Html,
}
