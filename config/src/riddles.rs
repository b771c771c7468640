//! Sets of riddles with the answers that are accepted.
//!
//! ```yaml
//! version: 1
//! name: mine
//! language: en
//! riddles:
//!   - id: sheep
//!     form: arithmetic
//!     difficulty: easy
//!     question: All but 9 of 17 sheep run away. How many are left?
//!     match: number
//!     answers: ["9"]
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Difficulty};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::report::{Report, check_name, invalid, needed};
use crate::schema::schema_of;
use crate::shape;

/// The most riddles of one set: each is asked of every model, in every mode, several times.
pub const RIDDLES_MAX: usize = 10_000;

/// The version of the form of sets.
const VERSION: u32 = 1;

/// The set that comes with Playhouse, as it is written.
const CLASSIC: &str = include_str!("../riddles/classic.yaml");

/// The set of questions about texts that comes along, as it is written.
const DOCUMENTS: &str = include_str!("../riddles/documents.yaml");

/// A riddle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Riddle {
    /// Its id, different for each riddle of the set: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// Its form: logic, counting and the like.
    pub form: String,
    /// How hard it is held to be.
    pub difficulty: Difficulty,
    /// Further words to find it by.
    pub tags: Vec<String>,
    /// What is asked.
    pub question: String,
    /// A text that the question is about, where there is one.
    pub context: Option<String>,
    /// What is accepted.
    pub key: AnswerKey,
    /// Why the answer is right.
    pub rationale: String,
}

/// Riddles under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiddleSet {
    /// Its name.
    pub name: String,
    /// The language of its questions, as in `en`.
    pub language: String,
    /// At least one, in the order of the file.
    pub riddles: Vec<Riddle>,
}

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

/// The set that comes with Playhouse: 60 riddles in six classic forms and three difficulties.
///
/// # Errors
/// Never, as its tests hold.
pub fn classic() -> Result<RiddleSet, ConfigErrors> {
    parse_riddles("classic.yaml", CLASSIC)
}

/// The set of questions about texts that comes with Playhouse, for experiments with compression: 16 about four texts.
///
/// # Errors
/// Never, as its tests hold.
pub fn documents() -> Result<RiddleSet, ConfigErrors> {
    parse_riddles("documents.yaml", DOCUMENTS)
}

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
    let at = |index: usize| KeyPath::default().child(&format!("line-{}", lines[index]));
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
    let id = needed(raw.id, &path.child("id"), "write an id, as in `sheep-1`", report);
    check_name(&id, "an id", &path.child("id"), report);
    let question = needed(raw.question, &path.child("question"), "write what is asked", report);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_set_that_comes_along_has_ten_riddles_of_each_form_in_three_difficulties() {
        let set = classic().unwrap();
        let mut count = BTreeMap::<_, usize>::new();
        for riddle in &set.riddles {
            *count.entry((riddle.form.as_str(), riddle.difficulty)).or_default() += 1;
            assert!(!riddle.rationale.is_empty(), "{}", riddle.id);
        }
        for form in ["arithmetic", "counting", "lateral", "logic", "ordering", "wordplay"] {
            let of = |difficulty| count[&(form, difficulty)];
            assert_eq!(
                (of(Difficulty::Easy), of(Difficulty::Medium), of(Difficulty::Hard)),
                (3, 4, 3),
                "{form}"
            );
        }
        assert_eq!(set.riddles.len(), 60);
    }

    #[test]
    fn every_answer_about_a_text_stands_in_it() {
        let set = documents().unwrap();
        assert_eq!(set.riddles.len(), 16);
        for riddle in &set.riddles {
            let text = riddle.context.as_deref().unwrap().replace(',', "");
            let words = [("6", "6"), ("7", "seven"), ("91", "91")];
            let is_there = |answer: &String| {
                let word = words
                    .iter()
                    .find(|(number, _)| number == answer)
                    .map_or(answer.as_str(), |(_, word)| word);
                text.contains(word)
            };
            assert!(riddle.key.answers.iter().all(is_there), "{}", riddle.id);
        }
    }

    const ONE: &str = "\
version: 1
name: mine
riddles:
  - id: a
    difficulty: easy
    question: How many?
    match: number
    tolerance: 0.5
    answers: ['9']
";

    #[test]
    fn a_set_is_read_key_by_key() {
        let set = parse_riddles("f.yaml", ONE).unwrap();
        assert_eq!((set.name.as_str(), set.language.as_str()), ("mine", "en"));
        assert_eq!(set.riddles[0].key.matching, AnswerMatch::Number { tolerance: 0.5 });
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_place() {
        let text = ONE.replace("answers: ['9']", "answers: ['nine', '?']\n    colour: red")
            + "  - {id: a, difficulty: easy, question: q, match: word, answers: [], units: [km]}\n  - {id: b}\n  - 7\n";
        assert_snapshot!(parse_riddles("f.yaml", &text).unwrap_err(), @r#"
        f.yaml:9:15: riddles.0.answers.0: "nine" is not a number
        hint: write digits, with a point where needed, or `match: word`
        f.yaml:9:23: riddles.0.answers.1: the answer has neither letters nor digits
        f.yaml:10:5: riddles.0.colour: unknown key
        hint: the keys in `riddles.0` are: answers, context, difficulty, form, id, match, question, rationale, tags, tolerance, units
        f.yaml:11:10: riddles.1.id: the id "a" stands twice; first in riddle 1
        hint: give each riddle its own id
        f.yaml:11:66: riddles.1.answers: no answer is accepted
        hint: write at least one
        f.yaml:11:70: riddles.1.units: only numbers have this key
        hint: take it out, or write `match: number`
        f.yaml:12:5: riddles.2.question: it is missing
        hint: write what is asked
        f.yaml:12:5: riddles.2.difficulty: it is missing
        hint: write `easy`, `medium` or `hard`
        f.yaml:12:5: riddles.2.match: it is missing
        hint: write `number`, `word` or `any`
        f.yaml:12:5: riddles.2.answers: no answer is accepted
        hint: write at least one
        f.yaml:13:5: riddles.3: expected a map of keys, found a whole number
        "#);
    }

    #[test]
    fn lines_of_json_are_read_too() {
        let good = r#"{"id": "a", "difficulty": "hard", "question": "q", "match": "any", "answers": ["x"]}"#;
        assert_eq!(parse_jsonl("f.jsonl", &format!("{good}\n\n")).unwrap().len(), 1);
        assert_snapshot!(parse_jsonl("f.jsonl", &format!("{good}\n{{\n{good}\n")).unwrap_err(), @r#"
        f.jsonl: line 2: it is not a riddle: EOF while parsing an object at line 1 column 1
        f.jsonl: line-3.id: the id "a" stands twice; first in riddle 1
        hint: give each riddle its own id
        "#);
    }
}
