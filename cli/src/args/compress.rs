//! `playhouse compress`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use playhouse_models::tokens::Encoding;
use playhouse_protocol::compress::{PinRule, Strategy};

use super::{EncodingParser, PinRuleParser, StrategyParser};

/// `playhouse compress`
#[derive(Debug, Args)]
pub(crate) struct CompressArgs {
    /// The text; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The most tokens that the result may have: at least 8
    #[arg(long, value_name = "N")]
    pub(crate) limit: u64,

    /// How to shorten it: auto, normalize, code, keyword, summarize, head, tail, middle
    #[arg(
        long,
        value_parser = StrategyParser,
        hide_possible_values = true,
        default_value = "auto",
        value_name = "NAME"
    )]
    pub(crate) strategy: Strategy,

    /// A part of the text that must survive word for word; can be given several times
    #[arg(long = "pin", value_name = "TEXT")]
    pub(crate) pins: Vec<String>,

    /// A kind of spans that must survive word for word, separated by commas [default: urls and paths, as long as they fit]
    #[arg(
        long = "pin-rule",
        value_parser = PinRuleParser,
        value_delimiter = ',',
        value_name = "RULE"
    )]
    pub(crate) pin_rules: Vec<PinRule>,

    /// Count as this model of the catalog does, and ask it for a summary
    #[arg(short, long, value_name = "NAME", conflicts_with = "encoding")]
    pub(crate) model: Option<String>,

    /// Count by this encoding [default: that of the newest models]
    #[arg(long, value_parser = EncodingParser)]
    pub(crate) encoding: Option<Encoding>,

    /// Fail instead of fetching a model file that is missing
    #[arg(long)]
    pub(crate) no_pull: bool,

    /// Show on standard error what was kept and what was dropped
    #[arg(long)]
    pub(crate) diff: bool,

    /// Print the dropped part whose hash begins so, instead of the result; with the flags that it was dropped with
    #[arg(long, value_name = "HASH")]
    pub(crate) show_dropped: Option<String>,

    /// The form of the result
    #[arg(long, value_enum, default_value_t = CompressFormat::Text)]
    pub(crate) format: CompressFormat,
}

/// Forms of a compressed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompressFormat {
    /// The text alone.
    Text,
    /// For programs; has a schema version.
    Json,
}
