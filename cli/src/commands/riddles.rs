//! `playhouse riddles …`

mod add;
mod ask;
mod show;

use playhouse_config::ConfigErrors;
use playhouse_config::riddles::{Added, RiddleRepository, SetContents};
use playhouse_protocol::Failure;

use crate::app::{App, Outcome};
use crate::args::{RiddlesArgs, RiddlesCommand};
use crate::exit::ExitStatus;
use crate::failure;
use crate::render::words;

pub(crate) fn run(app: &App, args: &RiddlesArgs) -> Outcome {
    let Some(command) = &args.command else { return ask::ask(app, &args.test) };
    let repository = repository(app)?;
    match command {
        RiddlesCommand::List { format } => show::sets(app, &repository, *format)?,
        RiddlesCommand::Show(args) => show::riddles(app, &repository, args)?,
        RiddlesCommand::Add(args) => add::add(app, &repository, args)?,
        RiddlesCommand::Validate { sets } => return validate(app, &repository, sets),
        RiddlesCommand::Import { set, file } => {
            let added = repository.import_jsonl(set, file);
            say_added(app, set, &added.map_err(|errors| failure::input("import riddles", &errors))?)?;
        }
    }
    Ok(ExitStatus::Success)
}

/// The user's own sets.
fn repository(app: &App) -> Result<RiddleRepository, Failure> {
    let folder = app.environment.riddles_dir().ok_or_else(|| {
        Failure::invalid("find the folder of riddles: no variable tells where data is kept")
            .with_hint("Set XDG_DATA_HOME or HOME.")
    })?;
    Ok(RiddleRepository::open(folder))
}

/// Checks all that is named; the faults of all are told together.
fn validate(app: &App, repository: &RiddleRepository, sets: &[String]) -> Outcome {
    let mut faults: Vec<ConfigErrors> = Vec::new();
    let mut good: Vec<String> = Vec::new();
    for set in sets {
        match repository.validate(set) {
            Ok(contents) => good.push(format!("ok: {}: {}\n", app.ui.shown(set), in_words(&contents))),
            Err(errors) => faults.push(errors),
        }
    }
    app.ui.print(&good.concat())?;
    match faults.as_slice() {
        [] => Ok(ExitStatus::Success),
        [one] => Err(failure::input("read the riddles", one).into()),
        several => {
            let len: usize = several.iter().map(ConfigErrors::len).sum();
            let all: Vec<_> = several.iter().flat_map(ConfigErrors::iter).map(ToString::to_string).collect();
            let text = all.join("\n").replace('\n', "\n  ");
            Err(Failure::invalid(format!("read the riddles: {len} faults\n  {text}")).into())
        }
    }
}

/// `12 riddles (4 easy, 8 hard)`
fn in_words(contents: &SetContents) -> String {
    let of_each: Vec<_> = contents
        .by_difficulty
        .iter()
        .map(|(difficulty, len)| format!("{len} {}", difficulty.as_str()))
        .collect();
    format!("{} ({})", words::counted(contents.riddles_len as u64, "riddle"), of_each.join(", "))
}

fn say_added(app: &App, set: &str, added: &Added) -> Result<(), Failure> {
    let what = words::counted(added.added_len as u64, "riddle");
    let how = if added.is_new { "made the set" } else { "added to the set" };
    let now = if added.is_new { String::new() } else { format!(", {} in all", added.riddles_len) };
    app.ui.print(&format!("{how} {set}: {what}{now}\n"))?;
    app.ui.note(&format!("file: {}", added.path.display()));
    Ok(())
}
