//! `playhouse tasks` and `playhouse dead-letters`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use playhouse_protocol::TaskId;

use super::TableFormat;

/// Which journal.
#[derive(Debug, Clone, Args)]
pub(crate) struct JournalArgs {
    /// The journal's file [default: `journal.path` of the settings]
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
}

/// Which tasks, and how they are shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    /// Only those of this tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,

    /// Only those of this kind of agent
    #[arg(long)]
    pub(crate) kind: Option<String>,

    /// Only those submitted before this one: the last of the page before
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<TaskId>,

    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// `playhouse tasks …`
#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// The tasks of the journal, the latest first
    List {
        #[command(flatten)]
        journal: JournalArgs,
        /// Only those with this status: open, completed, failed, cancelled or `dead_lettered`; can be given several times
        #[arg(long = "status", value_name = "STATUS")]
        statuses: Vec<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// One task with its attempts and steps
    Show {
        #[command(flatten)]
        journal: JournalArgs,
        /// The task
        id: TaskId,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Take a task back
    Cancel {
        #[command(flatten)]
        journal: JournalArgs,
        /// The task
        id: TaskId,
    },
    /// Go on with every open task and wait for them
    Resume {
        #[command(flatten)]
        journal: JournalArgs,
    },
}

/// `playhouse dead-letters …`
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// The tasks that were given up, the latest first
    List {
        #[command(flatten)]
        journal: JournalArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// One of them with every cause and every step
    Show {
        #[command(flatten)]
        journal: JournalArgs,
        /// The task
        id: TaskId,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Try them again and wait for them
    Replay {
        #[command(flatten)]
        journal: JournalArgs,
        /// The tasks
        #[arg(required = true)]
        ids: Vec<TaskId>,
    },
    /// Remove them for good
    Discard {
        #[command(flatten)]
        journal: JournalArgs,
        /// The tasks
        #[arg(required = true)]
        ids: Vec<TaskId>,
    },
}
