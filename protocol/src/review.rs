//! Request and reply of the code reviewer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::{CodeFacts, Language, LineSpan};
use crate::completion::{Origin, Sampling};
use crate::failure::Failure;
use crate::usage::Usage;

/// The largest code that is reviewed at once, in bytes.
pub const CODE_BYTES_MAX: usize = 256 * 1024;

/// Judge code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReviewCode {
    /// The code: 1 to [`CODE_BYTES_MAX`] bytes, not only white space.
    pub code: String,
    /// Its tests where they stand apart; may be empty.
    pub tests: String,
    /// Whether missing tests are a fault.
    pub tests_expected: bool,
    /// What the code should do, where known.
    pub spec: Option<String>,
    /// The language it is written in.
    pub language: Language,
    /// What to look at most; empty means all aspects alike.
    pub focus: Vec<Aspect>,
    /// The catalog entry to ask; `None` selects by task type.
    pub model: Option<String>,
    /// How tokens are chosen; unset fields take the agent's settings.
    pub sampling: Sampling,
}

/// What code is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// It does what the spec says.
    Functionality,
    /// It reads well and follows the language's customs.
    Quality,
    /// Its tests would catch a fault.
    Testing,
    /// It can be changed with confidence.
    Maintainability,
    /// It does no harm on hostile input.
    Security,
}

impl Aspect {
    /// Every aspect.
    pub const ALL: [Self; 5] =
        [Self::Functionality, Self::Quality, Self::Testing, Self::Maintainability, Self::Security];

    /// The name in JSON, settings and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Functionality => "functionality",
            Self::Quality => "quality",
            Self::Testing => "testing",
            Self::Maintainability => "maintainability",
            Self::Security => "security",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Aspect {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|aspect| aspect.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|aspect| aspect.as_str()).collect();
            Failure::invalid(format!("read the review aspect {text:?}: it is not known"))
                .with_hint(format!("Known aspects: {}.", known.join(", ")))
        })
    }
}

/// The outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good as it is.
    Approve,
    /// Something must change first.
    RequestChanges,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approve => "approve",
            Self::RequestChanges => "request_changes",
        })
    }
}

/// A mark for one aspect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AspectScore {
    /// What is marked.
    pub aspect: Aspect,
    /// 0.0 (unusable) to 10.0 (nothing to add).
    pub score: f32,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be better.
    Minor,
    /// Must be better.
    Major,
    /// Does not work, or does harm.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        })
    }
}

/// Who noticed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingSource {
    /// The parser or a count: certain.
    Facts,
    /// The model: an opinion.
    Model,
}

/// One thing that was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub aspect: Option<Aspect>,
    /// Where; `None` where no line was named or the named line does not exist.
    pub lines: Option<LineSpan>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Who noticed it.
    pub source: FindingSource,
}

/// How a model's answer was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parse {
    /// It was JSON of the right shape.
    Exact,
    /// It was JSON after repair (text around it, trailing commas, a cut end, other names).
    Repaired,
    /// It was prose: a verdict word and marks were looked for in it.
    Prose,
    /// Nothing could be made of it; the verdict stands on facts alone and is never an approval.
    Unreadable,
}

/// A judgement of code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The outcome.
    pub verdict: Verdict,
    /// Why the outcome is not the model's own, where facts outranked it.
    pub overruled: Option<String>,
    /// 0.0 to 10.0: the mean of `scores`, capped by facts.
    pub score: f32,
    /// A mark for each aspect that was given one.
    pub scores: Vec<AspectScore>,
    /// What was noticed, worst first.
    pub findings: Vec<Finding>,
    /// Advice beyond the findings.
    pub recommendations: Vec<String>,
    /// The model's summary.
    pub summary: String,
    /// What is known of code and tests.
    pub facts: CodeFacts,
    /// How the answer was read.
    pub parse: Parse,
    /// Who answered.
    pub origin: Origin,
    /// What it used.
    pub usage: Usage,
    /// Time from request to reply, in milliseconds.
    pub elapsed_ms: u64,
}
