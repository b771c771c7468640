//! `playhouse riddles list` and `show`

use std::collections::BTreeMap;

use playhouse_config::ConfigError;
use playhouse_config::riddles::{Riddle, RiddleRepository, SetSummary};
use playhouse_protocol::Failure;
use playhouse_protocol::riddle::{AnswerMatch, Difficulty};
use serde::Serialize;

use crate::app::App;
use crate::args::{RiddlesShowArgs, TableFormat};
use crate::failure;
use crate::render::json;
use crate::render::table::Table;

/// The longest part of a question in a list, in characters.
const QUESTION_CHARS_MAX: usize = 80;

#[derive(Serialize)]
struct Sets {
    sets: Vec<Set>,
}

#[derive(Serialize)]
struct Set {
    name: String,
    /// The file; none for the one that comes along.
    path: Option<String>,
    language: Option<String>,
    riddles: usize,
    by_difficulty: BTreeMap<&'static str, usize>,
    by_form: BTreeMap<String, usize>,
    /// What is wrong with it.
    faults: Vec<String>,
}

impl From<SetSummary> for Set {
    fn from(summary: SetSummary) -> Self {
        let SetSummary { name, path, contents } = summary;
        let faults = contents.as_ref().err().map(|errors| errors.iter().map(ConfigError::line).collect());
        let (has_contents, contents) = (contents.is_ok(), contents.unwrap_or_default());
        let by_difficulty =
            contents.by_difficulty.iter().map(|(difficulty, len)| (difficulty.as_str(), *len));
        Self {
            name,
            path: path.map(|path| path.display().to_string()),
            language: has_contents.then_some(contents.language),
            riddles: contents.riddles_len,
            by_difficulty: by_difficulty.collect(),
            by_form: contents.by_form,
            faults: faults.unwrap_or_default(),
        }
    }
}

/// Every set.
pub(super) fn sets(app: &App, repository: &RiddleRepository, format: TableFormat) -> Result<(), Failure> {
    let sets = repository.list().map_err(|errors| failure::input("list the riddles", &errors))?;
    let sets = Sets { sets: sets.into_iter().map(Set::from).collect() };
    let text = match format {
        TableFormat::Json => json::envelope("riddle_sets", false, &sets)?,
        TableFormat::Table => sets_table(app, &sets.sets),
    };
    app.ui.print(&text)?;
    if format == TableFormat::Table {
        for set in sets.sets.iter().filter(|set| !set.faults.is_empty()) {
            app.ui.warn(&format!("the set {} cannot be used: {}", set.name, set.faults.join("\n  ")));
        }
        app.ui.note(&format!("folder: {}", repository.folder().display()));
    }
    Ok(())
}

fn sets_table(app: &App, sets: &[Set]) -> String {
    let mut table = Table::new(&["set", "language", ">riddles", ">easy", ">medium", ">hard", "forms"]);
    for set in sets {
        let of = |difficulty: Difficulty| {
            set.by_difficulty.get(difficulty.as_str()).copied().unwrap_or_default().to_string()
        };
        let forms: Vec<_> = set.by_form.keys().map(|form| if form.is_empty() { "-" } else { form }).collect();
        table.row([
            set.name.clone(),
            set.language.clone().unwrap_or_else(|| "-".to_owned()),
            set.riddles.to_string(),
            of(Difficulty::Easy),
            of(Difficulty::Medium),
            of(Difficulty::Hard),
            forms.join(", "),
        ]);
    }
    app.ui.shown(&table.render(crate::style::Style::PLAIN)).into_owned()
}

#[derive(Serialize)]
struct Shown {
    set: String,
    riddles: Vec<Riddle>,
}

/// The riddles of a set, or one of them.
pub(super) fn riddles(
    app: &App,
    repository: &RiddleRepository,
    args: &RiddlesShowArgs,
) -> Result<(), Failure> {
    let set = repository.load(&args.set).map_err(|errors| failure::input("show the riddles", &errors))?;
    let difficulty = args.difficulty.map(Difficulty::from);
    let is_wanted = |riddle: &Riddle| {
        args.id.as_ref().is_none_or(|id| riddle.id == *id)
            && difficulty.is_none_or(|difficulty| riddle.difficulty == difficulty)
            && args.form.as_ref().is_none_or(|form| riddle.form == *form)
    };
    let riddles: Vec<_> = set.riddles.into_iter().filter(is_wanted).collect();
    if let (true, Some(id)) = (riddles.is_empty(), &args.id) {
        let hint = format!("See them all: playhouse riddles show {}", args.set);
        return Err(Failure::invalid(format!(
            "show the riddle {id:?}: the set {} has none of this id",
            set.name
        ))
        .with_hint(hint));
    }
    let text = match (args.format, riddles.as_slice()) {
        (TableFormat::Json, _) => json::envelope("riddles", false, &Shown { set: set.name, riddles })?,
        (TableFormat::Table, [riddle]) if args.id.is_some() => app.ui.shown(&one(riddle)).into_owned(),
        (TableFormat::Table, riddles) => app.ui.shown(&list(riddles)).into_owned(),
    };
    app.ui.print(&text)
}

fn list(riddles: &[Riddle]) -> String {
    let mut table = Table::new(&["id", "form", "difficulty", "match", "question"]);
    for riddle in riddles {
        let mut question: String = riddle.question.chars().take(QUESTION_CHARS_MAX).collect();
        if question.len() < riddle.question.len() {
            question.push('…');
        }
        table.row([
            riddle.id.clone(),
            riddle.form.clone(),
            riddle.difficulty.as_str().to_owned(),
            matching(riddle.key.matching),
            question,
        ]);
    }
    table.render(crate::style::Style::PLAIN)
}

/// A riddle with all that is known of it.
fn one(riddle: &Riddle) -> String {
    let Riddle { id, form, difficulty, tags, question, context, key, rationale } = riddle;
    let context_bytes = context.as_ref().map(|context| format!("{} bytes of text", context.len()));
    let lines = [
        ("id", Some(id.clone())),
        ("form", Some(form.clone())),
        ("difficulty", Some(difficulty.as_str().to_owned())),
        ("tags", Some(tags.join(", "))),
        ("question", Some(question.clone())),
        ("about", context_bytes),
        ("match", Some(matching(key.matching))),
        ("answers", Some(key.answers.join(", "))),
        ("units", Some(key.units.join(", "))),
        ("rationale", Some(rationale.clone())),
    ];
    let lines =
        lines.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    lines.fold(String::new(), |text, (name, value)| text + &format!("{name:<11} {}\n", value.trim_end()))
}

fn matching(matching: AnswerMatch) -> String {
    match matching {
        AnswerMatch::Number { tolerance } if tolerance > 0.0 => format!("number ± {tolerance}"),
        AnswerMatch::Number { .. } => "number".to_owned(),
        AnswerMatch::Word => "word".to_owned(),
        AnswerMatch::Any => "any".to_owned(),
    }
}
