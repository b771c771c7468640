//! `playhouse models …`

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use playhouse_config::settings::{ConstraintsConfig, Preference};
use playhouse_protocol::TaskId;

use super::TableFormat;

/// `playhouse models …`; the list when nothing else is named.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ModelsCommand>,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Every model of the catalog: its state, what was measured of it, and what else could be used
    List {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// One model: where it answers from, what it holds and costs
    Show {
        /// The model's name in the catalog
        name: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Which model would answer a task, and why no other
    Why(WhyArgs),
    /// Fetch the file of an embedded model
    Pull(PullArgs),
    /// Keep the settings of a model as a version that can be promoted and gone back to
    Register(RegisterArgs),
    /// Put a version of a registered model into production: what @NAME leads to
    Promote(ChangeArgs),
    /// Put the version back that was in production before
    Rollback {
        /// The registered model
        name: String,
        /// Why
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    /// Put a version of a registered model away: it is no candidate any more
    Archive(ChangeArgs),
    /// Registered models, or the versions and the history of one
    Versions {
        /// The registered model; all when left out
        name: Option<String>,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
    /// Find out whether models can be reached or loaded
    Ping {
        /// The model's name; every model when left out
        name: Option<String>,
    },
}

/// `playhouse models register`
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// The registered model: letters, digits, `.`, `-` and `_`
    pub(crate) name: String,

    /// The entry of the catalog whose settings are kept
    #[arg(long, value_name = "ENTRY")]
    pub(crate) entry: String,

    /// Why [default: registered from ENTRY]
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: Option<String>,
}

/// `playhouse models promote` and `playhouse models archive`
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The registered model
    pub(crate) name: String,

    /// The number of the version
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) version: u32,

    /// Why
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
}

/// `playhouse models why`
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The type of task: usually an agent's kind, for example review
    #[arg(long, value_name = "TYPE")]
    pub(crate) task: String,

    /// The model that the request would name
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// The task, which decides its place in a split [default: the largest share]
    #[arg(long, value_name = "ID")]
    pub(crate) task_id: Option<TaskId>,

    /// Tokens of prompt and answer
    #[arg(long, value_name = "TOKENS")]
    pub(crate) context: Option<u32>,

    /// The longest time of a call (95th percentile)
    #[arg(long, value_name = "MS", help_heading = "Constraints in the place of the settings")]
    pub(crate) latency_ms: Option<u64>,

    /// The highest price of a call with 1,000 tokens of prompt and 1,000 of answer
    #[arg(long, value_name = "USD", value_parser = parse_usd, allow_negative_numbers = true, help_heading = "Constraints in the place of the settings")]
    pub(crate) cost_usd: Option<f64>,

    /// The lowest quality, 0 to 1
    #[arg(long, value_name = "Q", value_parser = parse_quality, help_heading = "Constraints in the place of the settings")]
    pub(crate) quality: Option<f64>,

    /// Consider this model; can be given several times
    #[arg(long, value_name = "NAME", help_heading = "Constraints in the place of the settings")]
    pub(crate) among: Vec<String>,

    /// What is best
    #[arg(long, value_enum, help_heading = "Constraints in the place of the settings")]
    pub(crate) prefer: Option<Prefer>,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// What is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefer {
    /// The highest quality.
    Quality,
    /// The lowest price.
    Cost,
    /// The shortest time.
    Latency,
}

impl WhyArgs {
    /// The constraints that the flags name, on top of what the settings have for the task; `None` when they name none but the
    /// length of the prompt, which is no constraint but a part of the question.
    pub(crate) fn constraints(&self, settings: Option<&ConstraintsConfig>) -> Option<ConstraintsConfig> {
        let names_none = self.latency_ms.is_none()
            && self.cost_usd.is_none()
            && self.quality.is_none()
            && self.among.is_empty()
            && self.prefer.is_none();
        if names_none {
            return None;
        }
        let mut constraints = settings.cloned().unwrap_or_default();
        constraints.context_tokens_min = self.context.or(constraints.context_tokens_min);
        constraints.latency_max = self.latency_ms.map(Duration::from_millis).or(constraints.latency_max);
        constraints.cost_nano_usd_max = self.cost_usd.map(nano_usd).or(constraints.cost_nano_usd_max);
        constraints.quality_min = self.quality.or(constraints.quality_min);
        if !self.among.is_empty() {
            constraints.among.clone_from(&self.among);
        }
        if let Some(prefer) = self.prefer {
            constraints.prefer = match prefer {
                Prefer::Quality => Preference::Quality,
                Prefer::Cost => Preference::Cost,
                Prefer::Latency => Preference::Latency,
            };
        }
        Some(constraints)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a checked amount is not negative, and a float saturates"
)]
fn nano_usd(usd: f64) -> u64 {
    (usd * 1e9).round() as u64
}

fn parse_usd(text: &str) -> Result<f64, String> {
    let usd = text.parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd >= 0.0);
    usd.ok_or_else(|| "an amount in US dollars is wanted, for example 0.002".to_owned())
}

fn parse_quality(text: &str) -> Result<f64, String> {
    let quality = text.parse::<f64>().ok().filter(|quality| (0.0..=1.0).contains(quality));
    quality.ok_or_else(|| "a number from 0 to 1 is wanted, for example 0.8".to_owned())
}

/// `playhouse models pull`
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// The model's name; the default model when left out
    pub(crate) name: Option<String>,

    /// Fetch from this source alone; `playhouse models show NAME` lists them
    #[arg(long)]
    pub(crate) source: Option<String>,

    /// Fetch again even if the file is there
    #[arg(long)]
    pub(crate) force: bool,
}
