//! The file with the answers, checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use playhouse_protocol::FailureClass;
use playhouse_protocol::completion::{CompletionRequest, Role, StopReason};
use serde::Deserialize;

use crate::yaml::{self, YamlError};

/// The largest script, in bytes: scripts are written by hand.
const SCRIPT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Words streamed at once when the script does not say.
const WORDS_PER_CHUNK_DEFAULT: usize = 4;

/// A checked script.
#[derive(Debug, Clone)]
pub struct Script {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
    pub(super) default: Option<Reply>,
}

/// A script that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("read the script {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("read the script {}: it is larger than {SCRIPT_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not of the form that is expected.
    #[error("read the script {}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: YamlError,
    },
    /// An entry contradicts itself.
    #[error("read the script {}: {place}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Which entry.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ScriptError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => {
                Some("Check `script:` of the catalog entry in playhouse.yaml.".to_owned())
            }
            Self::TooLarge { .. } => None,
            Self::Malformed { .. } | Self::Invalid { .. } => Some(
                "A script is a list `entries`, each with `match` and either `answer` or `error`.".to_owned(),
            ),
        }
    }
}

/// One entry: which requests it answers, and how.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) matches: Match,
    pub(super) reply: Reply,
}

/// Which requests an entry answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Match {
    contains: Texts,
    task: Option<String>,
    pub(super) nth: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    All(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Match {
    /// Whether the entry answers this request, `nth` left aside.
    pub(super) fn holds(&self, request: &CompletionRequest) -> bool {
        let is_said = |text: &String| request.messages.iter().any(|message| message.content.contains(text));
        let contained = match &self.contains {
            Texts::One(text) => is_said(text),
            Texts::All(texts) => texts.iter().all(is_said),
        };
        contained && self.task.as_ref().is_none_or(|task| names_task(request, task))
    }
}

/// Whether the first system message names the task as a word of its own.
fn names_task(request: &CompletionRequest, task: &str) -> bool {
    let system = request.messages.iter().find(|message| message.role == Role::System);
    system.is_some_and(|message| {
        message.content.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').any(|word| word == task)
    })
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) chunk_delay: Duration,
    pub(super) outcome: Outcome,
}

/// An answer or an error.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Answer { text: String, stop_reason: StopReason, usage: Option<ScriptedUsage>, words_per_chunk: usize },
    Error(ScriptedError),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptedUsage {
    #[serde(rename = "prompt_tokens")]
    pub(super) prompt: u64,
    #[serde(rename = "completion_tokens")]
    pub(super) completion: u64,
    #[serde(default, rename = "cached_prompt_tokens")]
    pub(super) cached_prompt: u64,
}

/// An error to play: by HTTP status or by class.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptedError {
    pub(super) status: Option<u16>,
    pub(super) class: Option<FailureClass>,
    #[serde(default = "scripted_message")]
    pub(super) message: String,
    pub(super) retry_after_ms: Option<u64>,
}

fn scripted_message() -> String {
    "as the script says".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a script with `entries` and `default`")]
struct RawScript {
    #[serde(default)]
    entries: Vec<RawEntry>,
    default: Option<RawReply>,
}

// serde cannot flatten and deny unknown fields at once, so an entry repeats the fields of a reply.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an entry with `match` and `answer` or `error`")]
struct RawEntry {
    #[serde(default, rename = "match")]
    matches: Match,
    answer: Option<String>,
    #[serde(default)]
    stop_reason: Option<StopReason>,
    usage: Option<ScriptedUsage>,
    delay_ms: Option<u64>,
    chunk_delay_ms: Option<u64>,
    error: Option<ScriptedError>,
    tokens_per_chunk: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a reply with `answer` or `error`")]
struct RawReply {
    answer: Option<String>,
    #[serde(default)]
    stop_reason: Option<StopReason>,
    usage: Option<ScriptedUsage>,
    delay_ms: Option<u64>,
    chunk_delay_ms: Option<u64>,
    error: Option<ScriptedError>,
    tokens_per_chunk: Option<usize>,
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let unreadable = |source| ScriptError::Unreadable { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > SCRIPT_BYTES_MAX {
            return Err(ScriptError::TooLarge { path: path.to_owned() });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Checks a text; `path` is named in errors.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScriptError> {
        let malformed = |source| ScriptError::Malformed { path: path.to_owned(), source };
        let raw: RawScript = yaml::from_str(text).map_err(malformed)?;
        let invalid = |place: String, reason: &str| ScriptError::Invalid {
            path: path.to_owned(),
            place,
            reason: reason.to_owned(),
        };
        let mut entries = Vec::with_capacity(raw.entries.len());
        for (index, raw) in raw.entries.into_iter().enumerate() {
            let place = format!("entry {}", index + 1);
            if raw.matches.nth == Some(0) {
                return Err(invalid(place, "`nth` counts from 1"));
            }
            let (matches, reply) = raw.into_parts();
            let reply = reply.check().map_err(|reason| invalid(place, reason))?;
            entries.push(Entry { matches, reply });
        }
        let default = raw.default.map(RawReply::check).transpose();
        let default = default.map_err(|reason| invalid("default".to_owned(), reason))?;
        Ok(Self { path: path.to_owned(), entries, default })
    }
}

impl RawEntry {
    fn into_parts(self) -> (Match, RawReply) {
        let Self { matches, answer, stop_reason, usage, delay_ms, chunk_delay_ms, error, tokens_per_chunk } =
            self;
        (matches, RawReply { answer, stop_reason, usage, delay_ms, chunk_delay_ms, error, tokens_per_chunk })
    }
}

impl RawReply {
    fn check(self) -> Result<Reply, &'static str> {
        let outcome = match (self.answer, self.error) {
            (Some(_), Some(_)) => return Err("it has both `answer` and `error`"),
            (None, None) => return Err("it has neither `answer` nor `error`"),
            (None, Some(error)) if error.status.is_none() == error.class.is_none() => {
                return Err("an `error` needs either `status` or `class`");
            }
            (None, Some(error)) if error.status.is_some_and(|status| !(400..600).contains(&status)) => {
                return Err("the `status` of an `error` lies between 400 and 599");
            }
            (None, Some(error)) => Outcome::Error(error),
            (Some(_), None) if self.tokens_per_chunk == Some(0) => {
                return Err("`tokens_per_chunk` is at least 1");
            }
            (Some(text), None) => Outcome::Answer {
                text,
                stop_reason: self.stop_reason.unwrap_or(StopReason::Stop),
                usage: self.usage,
                words_per_chunk: self.tokens_per_chunk.unwrap_or(WORDS_PER_CHUNK_DEFAULT),
            },
        };
        let ms = |given: Option<u64>| Duration::from_millis(given.unwrap_or(0));
        Ok(Reply { delay: ms(self.delay_ms), chunk_delay: ms(self.chunk_delay_ms), outcome })
    }
}
