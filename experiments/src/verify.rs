//! Reports beside their runs, and whether they are what the records say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use playhouse_config::experiments::ItemBody;
use playhouse_config::reasoning::prompt_sha256;
use playhouse_protocol::riddle::Sample;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_runtime::actors::riddles::scoring::{self, score};
use serde_json::Value;

use crate::analysis::{AnalysisError, Report, analyse};
use crate::files::write_whole;
use crate::report::{Details, html, json, markdown};
use crate::run::{Ending, Evidence, Record, StoredRun};

/// The files of a report in a run's folder.
pub const REPORT_JSON: &str = "report.json";
/// The same for people.
pub const REPORT_MARKDOWN: &str = "report.md";
/// The same with pictures and all answers.
pub const REPORT_HTML: &str = "report.html";

/// What was made again and found the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Answers that were scored and measured again.
    pub records: usize,
    /// Numbers of the report that came out the same.
    pub numbers: usize,
}

/// Why a report is not what the records say.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The records contradict the manifest, or are scored otherwise now.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The run has no report.
    #[error("verify run {run}: there is no report to be verified ({path})", path = .path.display())]
    NoReport {
        /// The run.
        run: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{action} {path}: {reason}", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The report says something else than the records.
    #[error(
        "verify run {run}: the report does not say what the records say, first at {pointer}: {written} instead of {derived}"
    )]
    Differs {
        /// The run.
        run: String,
        /// The place in the report, as a JSON pointer.
        pointer: String,
        /// What is there.
        written: String,
        /// What the records say.
        derived: String,
    },
    /// A file was changed after the run ended.
    #[error("verify run {run}: {file} is not what it was when the run ended")]
    Changed {
        /// The run.
        run: String,
        /// The file.
        file: &'static str,
    },
    /// What was taken from an answer is not what its text says.
    #[error(
        "verify run {run}: what was taken from answer {repeat} of variant {variant} to item {item} is not what its text says"
    )]
    Answer {
        /// The run.
        run: String,
        /// The variant.
        variant: String,
        /// The item.
        item: String,
        /// Which of its repeats, counted from 1.
        repeat: u32,
    },
    /// A prompt of the manifest is not the one that its hash is of.
    #[error(
        "verify run {run}: the prompt of variant {variant} is not the one that was hashed when the run began"
    )]
    Prompt {
        /// The run.
        run: String,
        /// The variant.
        variant: String,
    },
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        let hint = match &error {
            VerifyError::Analysis(_) => {
                let VerifyError::Analysis(error) = error else { return Self::internal("verify a run") };
                return error.into();
            }
            VerifyError::NoReport { run, .. } => format!("`playhouse experiment report {run}` writes one."),
            VerifyError::Io { .. } => {
                "Check that the folder is there, may be written, and has room.".to_owned()
            }
            VerifyError::Differs { .. }
            | VerifyError::Prompt { .. }
            | VerifyError::Changed { .. }
            | VerifyError::Answer { .. } => {
                "A file of the run was changed after it was written: do not trust it.".to_owned()
            }
        };
        let class = match &error {
            VerifyError::Io { .. } => FailureClass::Internal,
            _ => FailureClass::InvalidInput,
        };
        Self::new(class, error.to_string()).with_hint(hint)
    }
}

/// What a run says now.
///
/// # Errors
/// When its records contradict its manifest, or are scored otherwise than they were recorded.
pub fn report_of(run: &StoredRun) -> Result<Report, AnalysisError> {
    analyse(&run.manifest, &run.records, run.ending.unwrap_or(Ending::Open), &score)
}

/// Writes a run's report into its folder, in all three forms.
///
/// # Errors
/// As [`report_of`]; when a file cannot be written.
pub fn write_report(run: &StoredRun) -> Result<Report, VerifyError> {
    let report = report_of(run)?;
    let details = Details::new(&run.manifest, &run.records);
    let files = [
        (REPORT_JSON, to_json(&report, &run.folder)?),
        (REPORT_MARKDOWN, markdown(&report)),
        (REPORT_HTML, html(&report, &details)),
    ];
    for (name, text) in files {
        let path = run.folder.join(name);
        write_whole(&path, text.as_bytes()).map_err(|error| io("write", &path, &error))?;
    }
    Ok(report)
}

/// Makes every number of a run's report again from its records, and holds them against the report, bit for bit.
///
/// # Errors
/// The first thing that is not the same.
pub fn verify(run: &StoredRun) -> Result<Verified, VerifyError> {
    let name = &run.manifest.run;
    for variant in &run.manifest.design.variants {
        let hashed = run.manifest.prompts_sha256.get(&variant.name);
        if hashed.is_some_and(|hashed| *hashed != prompt_sha256(&variant.mode)) {
            return Err(VerifyError::Prompt { run: name.clone(), variant: variant.name.clone() });
        }
    }
    let items = &run.manifest.design.items;
    let items: BTreeMap<_, _> = items.iter().map(|item| (item.id.as_str(), &item.body)).collect();
    run.records
        .iter()
        .try_for_each(|record| check_record(name, items.get(record.item.as_str()).copied(), record))?;
    if let Some(file) = run.changed.first() {
        return Err(VerifyError::Changed { run: name.clone(), file });
    }
    let path = run.folder.join(REPORT_JSON);
    if !path.exists() {
        return Err(VerifyError::NoReport { run: name.clone(), path });
    }
    let written = fs::read_to_string(&path).map_err(|error| io("read", &path, &error))?;
    let report = report_of(run)?;
    let derived = to_json(&report, &run.folder)?;
    let parse = |text: &str| {
        serde_json::from_str::<Value>(text).map_err(|error| VerifyError::Io {
            action: "read",
            path: path.clone(),
            reason: error.to_string(),
        })
    };
    let derived_value = parse(&derived)?;
    if written != derived {
        let (pointer, written, derived) = first_difference(&parse(&written)?, &derived_value, String::new())
            .unwrap_or_else(|| {
                ("its form".to_owned(), "other white space".to_owned(), "what is written".to_owned())
            });
        return Err(VerifyError::Differs { run: name.clone(), pointer, written, derived });
    }
    let details = Details::new(&run.manifest, &run.records);
    for (file, text) in [(REPORT_MARKDOWN, markdown(&report)), (REPORT_HTML, html(&report, &details))] {
        let path = run.folder.join(file);
        if path.exists() && fs::read(&path).map_err(|error| io("read", &path, &error))? != text.as_bytes() {
            return Err(VerifyError::Changed { run: name.clone(), file });
        }
    }
    Ok(Verified { records: run.records.len(), numbers: numbers(&derived_value) })
}

/// Takes everything from the texts of a record again: votes, which sample counts, its score, signals.
fn check_record(run: &str, item: Option<&ItemBody>, record: &Record) -> Result<(), VerifyError> {
    let (Evidence::Riddle(riddle), Some(ItemBody::Question { key, .. })) = (&record.evidence, item) else {
        return Ok(());
    };
    let vote_of = |sample: &Sample| {
        sample.steps.last().and_then(|last| scoring::vote(key, &last.text, last.stop_reason))
    };
    let votes: Vec<_> = riddle.samples.iter().map(vote_of).collect();
    let are_votes = riddle.samples.iter().zip(&votes).all(|(sample, vote)| sample.vote == *vote);
    let chosen = scoring::elect(votes.iter().map(Option::as_deref));
    let is_answer = match riddle.answer() {
        None => true,
        Some(answer) => {
            scoring::score(key, &answer.text, answer.stop_reason) == riddle.score
                && scoring::signals(&answer.text) == riddle.signals
        }
    };
    if are_votes && chosen == riddle.chosen as usize && is_answer {
        return Ok(());
    }
    let (variant, item) = (record.variant.clone(), record.item.clone());
    Err(VerifyError::Answer { run: run.to_owned(), variant, item, repeat: record.repeat + 1 })
}

fn to_json(report: &Report, folder: &Path) -> Result<String, VerifyError> {
    json(report).map_err(|error| io("write", &folder.join(REPORT_JSON), &error.into()))
}

fn io(action: &'static str, path: &Path, error: &std::io::Error) -> VerifyError {
    VerifyError::Io { action, path: path.to_owned(), reason: error.to_string() }
}

/// Where two values first differ, and what each says there.
fn first_difference(written: &Value, derived: &Value, at: String) -> Option<(String, String, String)> {
    match (written, derived) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                first_difference(&of(a), &of(b), format!("{at}/{key}"))
            })
        }
        (Value::Array(a), Value::Array(b)) => (0..a.len().max(b.len())).find_map(|index| {
            let of = |list: &[Value]| list.get(index).cloned().unwrap_or(Value::Null);
            first_difference(&of(a), &of(b), format!("{at}/{index}"))
        }),
        (a, b) if a == b => None,
        (a, b) => Some((at, a.to_string(), b.to_string())),
    }
}

fn numbers(value: &Value) -> usize {
    match value {
        Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(numbers).sum(),
        Value::Object(fields) => fields.values().map(numbers).sum(),
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}
