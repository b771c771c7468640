//! Riddles as text.

use playhouse_protocol::riddle::AnswerMatch;

use super::Riddle;
use super::parse::VERSION;

/// How far the first riddle of a new file is indented.
const INDENT: usize = 2;

/// A new file with a set.
pub(super) fn file(name: &str, riddles: &[Riddle]) -> String {
    let head = format!("version: {VERSION}\nname: {}\nlanguage: en\nriddles:\n", quoted(name));
    riddles.iter().fold(head, |text, riddle| text + &item(riddle, INDENT))
}

/// A file with more riddles at its end; all that was there stays byte for byte. They are indented as the last riddle that begins
/// a line of its own.
pub(super) fn appended(old: &str, riddles: &[Riddle]) -> String {
    let indent = old.lines().rev().find_map(|line| {
        let trimmed = line.trim_start_matches(' ');
        trimmed.starts_with("- id:").then(|| line.len() - trimmed.len())
    });
    let mut text = old.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    riddles.iter().fold(text, |text, riddle| text + &item(riddle, indent.unwrap_or(INDENT)))
}

/// A riddle as an item of the list. Every text is quoted as JSON, which is YAML too.
fn item(riddle: &Riddle, indent: usize) -> String {
    let Riddle { id, form, difficulty, tags, question, context, key, rationale } = riddle;
    let (matching, tolerance) = match key.matching {
        AnswerMatch::Number { tolerance } => ("number", tolerance),
        AnswerMatch::Word => ("word", 0.0),
        AnswerMatch::Any => ("any", 0.0),
    };
    let optional = |is_there: bool, key: &str, value: String| is_there.then(|| format!("{key}: {value}"));
    let lines = [
        Some(format!("id: {}", quoted(id))),
        optional(!form.is_empty(), "form", quoted(form)),
        Some(format!("difficulty: {}", difficulty.as_str())),
        optional(!tags.is_empty(), "tags", list(tags)),
        Some(format!("question: {}", quoted(question))),
        context.as_ref().map(|context| format!("context: {}", quoted(context))),
        Some(format!("match: {matching}")),
        optional(tolerance > 0.0, "tolerance", tolerance.to_string()),
        Some(format!("answers: {}", list(&key.answers))),
        optional(!key.units.is_empty(), "units", list(&key.units)),
        optional(!rationale.is_empty(), "rationale", quoted(rationale)),
    ];
    let lines = lines.into_iter().flatten().enumerate();
    lines.fold(String::new(), |text, (number, line)| {
        let mark = if number == 0 { "- " } else { "  " };
        text + &" ".repeat(indent) + mark + &line + "\n"
    })
}

fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
