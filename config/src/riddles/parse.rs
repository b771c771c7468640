//! Reading of sets and of riddles.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, CONTEXT_BYTES_MAX, Difficulty, QUESTION_BYTES_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{RIDDLES_MAX, Riddle, RiddleSet};
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::report::{Report, check_name, invalid, needed};
use crate::schema::schema_of;
use crate::shape;

/// The version of the form of sets.
pub(super) const VERSION: u32 = 1;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RawDifficulty {
    #[default]
    Easy,
    Medium,
    Hard,
}

impl From<RawDifficulty> for Difficulty {
    fn from(raw: RawDifficulty) -> Self {
        match raw {
            RawDifficulty::Easy => Self::Easy,
            RawDifficulty::Medium => Self::Medium,
            RawDifficulty::Hard => Self::Hard,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RawMatch {
    Number,
    #[default]
    Word,
    Any,
}

/// A set as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RawSet {
    version: Option<u32>,
    #[schemars(length(min = 1))]
    name: Option<String>,
    language: Option<String>,
    riddles: Vec<RawRiddle>,
}

/// A riddle as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRiddle {
    #[schemars(length(min = 1))]
    id: Option<String>,
    form: Option<String>,
    difficulty: Option<RawDifficulty>,
    tags: Option<Vec<String>>,
    #[schemars(length(min = 1))]
    question: Option<String>,
    context: Option<String>,
    #[serde(rename = "match")]
    matching: Option<RawMatch>,
    #[schemars(range(min = 0, max = 1_000_000))]
    tolerance: Option<f64>,
    answers: Option<Vec<String>>,
    units: Option<Vec<String>>,
    rationale: Option<String>,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<RawSet>);

/// Reads the text of a file with a set of riddles; `name` stands in errors where the file's name would.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse_riddles(name: &str, text: &str) -> Result<RiddleSet, ConfigErrors> {
    let mut report = Report::new(name);
    let mut value = document::read(text, &mut report).map_err(|error| error.in_file(name))?;
    let top = KeyPath::default();
    if !value.is_object() {
        let error = ConfigError::new(ConfigErrorKind::WrongType, "expected a set of riddles");
        report.value(&top, error.with_hint("write `version: 1`, `name:` and a list of `riddles:`"));
        return Err(report.failed());
    }
    shape::check(&SCHEMA, &mut value, &top, &mut report);
    let Ok(raw) = RawSet::deserialize(value) else {
        report.value(&top, ConfigError::new(ConfigErrorKind::WrongType, "it is not a set of riddles"));
        return Err(report.failed());
    };
    if raw.version != Some(VERSION) {
        let error = invalid("it does not say that it is of a known version");
        report.value(&top.child("version"), error.with_hint(format!("write `version: {VERSION}`")));
    }
    let name = needed(raw.name, &top.child("name"), "write a name for the set", &mut report);
    let path = top.child("riddles");
    if raw.riddles.is_empty() || raw.riddles.len() > RIDDLES_MAX {
        let message = format!("it has {} riddles", raw.riddles.len());
        report.value(&path, invalid(message).with_hint(format!("write 1 to {RIDDLES_MAX}")));
    }
    let riddles = checked(raw.riddles, |index| path.child(&index.to_string()), &mut report);
    report.finish()?;
    Ok(RiddleSet { name, language: raw.language.unwrap_or_else(|| "en".to_owned()), riddles })
}

/// Reads riddles of which each stands on a line of its own, as a JSON object with the keys of the YAML form.
///
/// # Errors
/// Everything that is wrong with them, each with its line.
pub fn parse_jsonl(name: &str, text: &str) -> Result<Vec<Riddle>, ConfigErrors> {
    let mut report = Report::new(name);
    let mut lines = Vec::new();
    let mut read = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<RawRiddle>(line) {
            Ok(riddle) => {
                lines.push(index + 1);
                read.push(riddle);
            }
            Err(error) => {
                let message = format!("line {}: it is not a riddle: {error}", index + 1);
                report.add(ConfigError::new(ConfigErrorKind::Syntax, message));
            }
        }
    }
    if read.len() > RIDDLES_MAX {
        let message = format!("it has {} riddles", read.len());
        report.add(invalid(message).with_hint(format!("write at most {RIDDLES_MAX} into a file")));
    }
    let at = |index: usize| {
        let line = lines.get(index).copied().unwrap_or_default();
        KeyPath::default().child(&format!("line-{line}"))
    };
    let riddles = checked(read, at, &mut report);
    report.finish()?;
    Ok(riddles)
}

/// The riddles of a list; what is wrong with them goes into the report.
pub(crate) fn checked(
    raw: Vec<RawRiddle>,
    at: impl Fn(usize) -> KeyPath,
    report: &mut Report,
) -> Vec<Riddle> {
    let mut taken = BTreeMap::new();
    let mut riddles = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = at(index);
        let riddle = riddle(raw, &path, report);
        if let Some(first) = taken.insert(riddle.id.clone(), index)
            && !riddle.id.is_empty()
        {
            let message = format!("the id {:?} stands twice; first in riddle {}", riddle.id, first + 1);
            report.value(&path.child("id"), invalid(message).with_hint("give each riddle its own id"));
        }
        riddles.push(riddle);
    }
    riddles
}

/// One riddle; where something is wrong with it, the report says so and nobody sees the riddle.
fn riddle(raw: RawRiddle, path: &KeyPath, report: &mut Report) -> Riddle {
    // The schema of YAML refuses empty texts; lines of JSON come here unchecked.
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let id = needed(filled(raw.id), &path.child("id"), "write an id, as in `sheep-1`", report);
    check_name(&id, "an id", &path.child("id"), report);
    let question = needed(filled(raw.question), &path.child("question"), "write what is asked", report);
    let context_bytes = raw.context.as_ref().map_or(0, String::len);
    for (key, bytes, bytes_max) in
        [("question", question.len(), QUESTION_BYTES_MAX), ("context", context_bytes, CONTEXT_BYTES_MAX)]
    {
        if bytes > bytes_max {
            let error = ConfigError::new(ConfigErrorKind::OutOfRange, format!("it has {bytes} bytes"));
            report.value(&path.child(key), error.with_hint(format!("write at most {bytes_max}")));
        }
    }
    if raw.tolerance.is_some_and(|tolerance| !(tolerance.is_finite() && tolerance >= 0.0)) {
        report.value(&path.child("tolerance"), invalid("it is no tolerance").with_hint("write 0 or more"));
    }
    let hint = "write `easy`, `medium` or `hard`";
    let difficulty = needed(raw.difficulty, &path.child("difficulty"), hint, report);
    let matching = needed(raw.matching, &path.child("match"), "write `number`, `word` or `any`", report);
    let (answers, units) = (raw.answers.unwrap_or_default(), raw.units.unwrap_or_default());
    check_answers(&answers, matching, path, report);
    for (key, present) in [("tolerance", raw.tolerance.is_some()), ("units", !units.is_empty())] {
        if present && matching != RawMatch::Number {
            let error = ConfigError::new(ConfigErrorKind::Conflict, "only numbers have this key");
            report.key(&path.child(key), error.with_hint("take it out, or write `match: number`"));
        }
    }
    let matching = match matching {
        RawMatch::Number => AnswerMatch::Number { tolerance: raw.tolerance.unwrap_or_default() },
        RawMatch::Word => AnswerMatch::Word,
        RawMatch::Any => AnswerMatch::Any,
    };
    Riddle {
        id,
        form: raw.form.unwrap_or_default(),
        difficulty: difficulty.into(),
        tags: raw.tags.unwrap_or_default(),
        question,
        context: raw.context,
        key: AnswerKey { matching, answers, units },
        rationale: raw.rationale.unwrap_or_default(),
    }
}

fn check_answers(answers: &[String], matching: RawMatch, path: &KeyPath, report: &mut Report) {
    let path = path.child("answers");
    if answers.is_empty() {
        report.value(&path, invalid("no answer is accepted").with_hint("write at least one"));
    }
    for (index, answer) in answers.iter().enumerate() {
        let place = path.child(&index.to_string());
        if !answer.chars().any(char::is_alphanumeric) {
            report.value(&place, invalid("the answer has neither letters nor digits"));
        } else if matching == RawMatch::Number && !answer.trim().parse::<f64>().is_ok_and(f64::is_finite) {
            let error = invalid(format!("{answer:?} is not a number"));
            report
                .value(&place, error.with_hint("write digits, with a point where needed, or `match: word`"));
        }
    }
}
