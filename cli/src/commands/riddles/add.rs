//! `playhouse riddles add`

use playhouse_config::riddles::{Riddle, RiddleRepository};
use playhouse_protocol::Failure;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, CONTEXT_BYTES_MAX};

use super::say_added;
use crate::app::App;
use crate::args::{MatchArg, RiddlesAddArgs};
use crate::failure;

pub(super) fn add(app: &App, repository: &RiddleRepository, args: &RiddlesAddArgs) -> Result<(), Failure> {
    let riddle = Riddle {
        id: args.id.clone(),
        form: args.form.clone(),
        difficulty: args.difficulty.into(),
        tags: args.tags.clone(),
        question: args.question.clone(),
        context: args.context.as_deref().map(context).transpose()?,
        key: AnswerKey {
            matching: matching(args)?,
            answers: args.answers.clone(),
            units: args.units.clone(),
        },
        rationale: args.rationale.clone(),
    };
    let added = repository.add(&args.set, &[riddle]);
    say_added(app, &args.set, &added.map_err(|errors| failure::input("add the riddle", &errors))?)
}

/// How answers are compared: as it is said, else as numbers where all are.
fn matching(args: &RiddlesAddArgs) -> Result<AnswerMatch, Failure> {
    let is_number = |answer: &String| answer.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let all_numbers = args.answers.iter().all(is_number);
    let said = args.matching.unwrap_or(if all_numbers { MatchArg::Number } else { MatchArg::Word });
    let number = AnswerMatch::Number { tolerance: args.tolerance.unwrap_or_default() };
    let matching = match said {
        MatchArg::Number => number,
        MatchArg::Word => AnswerMatch::Word,
        MatchArg::Any => AnswerMatch::Any,
    };
    if matching != number && (args.tolerance.is_some() || !args.units.is_empty()) {
        return Err(Failure::invalid("add the riddle: only numbers have a tolerance and units")
            .with_hint("Leave them out, or give answers that are numbers."));
    }
    if args.tolerance.is_some_and(|tolerance| !(tolerance.is_finite() && tolerance >= 0.0)) {
        return Err(Failure::invalid("add the riddle: the tolerance is no number of at least 0")
            .with_hint("Use 0.01, for example."));
    }
    Ok(matching)
}

fn context(path: &std::path::Path) -> Result<String, Failure> {
    use std::io::Read as _;
    let named = path.display();
    let unreadable = |reason: String| {
        Failure::invalid(format!("read the text from {named}: {reason}")).with_hint("Name a text file.")
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let limit = CONTEXT_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > CONTEXT_BYTES_MAX {
        return Err(unreadable(format!("it is larger than {CONTEXT_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}
