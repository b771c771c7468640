//! `playhouse load`

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

/// Run many agent tasks on a scripted model and account for every one.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArgs {
    /// How many tasks: 1 to 10,000,000
    #[arg(short = 'n', long = "tasks", value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) tasks: u64,

    /// Tasks under way at once [default: 1000, or as many as there are]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) width: Option<u64>,

    /// How long the scripted model takes for an answer: at most a day
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    pub(crate) latency_ms: u64,

    /// The share of model calls that fail, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub(crate) fail: f64,

    /// The share of attempts that panic, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub(crate) panic: f64,

    /// Model calls of each task
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) calls: u32,

    /// Whether tasks are written down [default: full with --journal, else none]
    #[arg(long, value_enum)]
    pub(crate) durability: Option<DurabilityArg>,

    /// The file in which tasks are written down
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,

    /// Note the number and id of each acknowledged task in this file, a line each
    #[arg(long, value_name = "FILE")]
    pub(crate) acks: Option<PathBuf>,

    /// Ask this model of the catalog instead of the scripted one
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["latency_ms", "fail"])]
    pub(crate) model: Option<String>,

    /// Tenants that take turns in submitting
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) tenants: u64,

    /// From which faults are drawn
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Attempts of each task, the first included [default: as the settings say]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) attempts: Option<u32>,

    /// A goal, such as `p95_ms=500`; can be given several times. A wrong one lists all
    #[arg(long = "slo", value_name = "GOAL=N")]
    pub(crate) slos: Vec<Slo>,

    /// The form of the report
    #[arg(long, value_enum, default_value_t = LoadFormat::Text)]
    pub(crate) format: LoadFormat,

    /// Write the report to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Forms of a load report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoadFormat {
    /// For people.
    Text,
    /// For programs; has a schema version.
    Json,
    /// One page with a picture.
    Html,
}

/// Whether tasks are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// In the journal; in the process's memory where no journal is named.
    Full,
    /// Nowhere.
    None,
}

/// A goal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slo {
    /// Its name, one of [`Slo::NAMES`].
    pub(crate) name: &'static str,
    /// The bound.
    pub(crate) bound: f64,
}

impl Slo {
    /// Every goal that can be set.
    pub(crate) const NAMES: [&str; 7] =
        ["p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "throughput_min", "failed_max"];
}

impl FromStr for Slo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.join(", ");
        let (name, bound) = text.split_once('=').ok_or(format!("write it as GOAL=N; goals: {known}"))?;
        let name = Self::NAMES.into_iter().find(|known| *known == name);
        let name = name.ok_or(format!("no such goal; goals: {known}"))?;
        let bound: f64 = bound.parse().map_err(|_| format!("{bound:?} is not a number"))?;
        if name == "failed_max" && bound > 1.0 {
            return Err("failed_max is a share: use 0 to 1".to_owned());
        }
        if bound.is_finite() && bound >= 0.0 {
            Ok(Self { name, bound })
        } else {
            Err("use 0 or more".to_owned())
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("use a share from 0 to 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_read_by_name_and_wrong_ones_list_all() {
        assert_eq!("p95_ms=12.5".parse(), Ok(Slo { name: "p95_ms", bound: 12.5 }));
        for (wrong, text) in
            [("p95", "GOAL=N"), ("p94_ms=1", "p95_ms"), ("max_ms=x", "\"x\""), ("max_ms=-1", "0 or")]
        {
            let error = wrong.parse::<Slo>().unwrap_err();
            assert!(error.contains(text), "{error}");
        }
        assert!("failed_max=1.01".parse::<Slo>().unwrap_err().contains("0 to 1"));
        assert_eq!("failed_max=1".parse(), Ok(Slo { name: "failed_max", bound: 1.0 }));
        assert!(share("1.1").is_err() && share("NaN").is_err() && share("0.5") == Ok(0.5));
    }
}
