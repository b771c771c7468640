//! Templates: written to begin with, and checked.

use std::path::Path;

use playhouse_config::Config;
use playhouse_config::experiments::{ExperimentTemplate, load_template, shipped};
use playhouse_config::reasoning::{built_in, parse_modes};
use playhouse_protocol::Failure;
use playhouse_protocol::riddle::ReasoningMode;

use crate::app::{App, Outcome};
use crate::args::ModesArgs;
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render::table::Table;
use crate::{failure, input};

/// The largest file of reasoning modes, in bytes: the most modes that it may have, each with long prompts.
const MODES_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) fn new(app: &App, name: Option<&str>, output: Option<&Path>) -> Outcome {
    let Some(name) = name else {
        let mut table = Table::new(&["template", "what it is for"]);
        for template in shipped() {
            table.row([template.name.to_owned(), template.purpose.to_owned()]);
        }
        app.ui.print(&table.render(app.ui.stdout_style()))?;
        return Ok(ExitStatus::Success);
    };
    let found = shipped().into_iter().find(|template| template.name == name);
    let template = found.ok_or_else(|| {
        let names = shipped().map(|template| template.name);
        let hint = match playhouse_config::nearest(name, names) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("There are: {}.", names.join(", ")),
        };
        Failure::invalid(format!("find template {name:?}: there is none of this name")).with_hint(hint)
    })?;
    match output {
        None => app.ui.print(template.text)?,
        Some(path) => {
            if path.exists() {
                let failure = Failure::invalid(format!("write {}: it is there already", path.display()));
                return Err(failure.with_hint("Name a file that is not there.").into());
            }
            OutputFile::check(path)?.write(template.text)?;
            app.ui.note(&format!("wrote {}", path.display()));
        }
    }
    Ok(ExitStatus::Success)
}

pub(super) fn check(app: &App, file: &Path, modes: &ModesArgs) -> Outcome {
    let config = app.config()?;
    let (template, _) = load(app, &config, file, modes)?;
    let answers = template.items.len() as u64 * u64::from(template.repeats);
    let calls: u64 =
        template.variants.iter().map(|variant| variant.calls_max(&template)).sum::<u64>() * answers;
    if let Some(limit) = template.budget.model_calls_max.filter(|limit| *limit < calls) {
        app.ui.warn(&format!(
            "it may make {calls} model calls, and its budget allows {limit}: it may end early"
        ));
    }
    app.ui.print(&summary(&template))?;
    Ok(ExitStatus::Success)
}

/// The template in a file, and its text.
pub(super) fn load(
    app: &App,
    config: &Config,
    file: &Path,
    modes: &ModesArgs,
) -> Result<(ExperimentTemplate, String), Failure> {
    let modes = self::modes(app, modes)?;
    let loaded = load_template(file, &modes, Some(config), app.environment.riddles_dir());
    loaded.map_err(|errors| failure::input("read the template", &errors))
}

/// The reasoning modes that come along, and those of a file in front of them.
pub(crate) fn modes(app: &App, args: &ModesArgs) -> Result<Vec<ReasoningMode>, Failure> {
    let mut modes = Vec::new();
    if let Some(path) = &args.modes_file {
        let text = input::read_text(&app.ui, path, "the reasoning modes", MODES_BYTES_MAX)?;
        let own = parse_modes(&path.display().to_string(), &text);
        modes.extend(own.map_err(|errors| failure::input("read the reasoning modes", &errors))?);
    }
    let others = built_in()?.into_iter().filter(|mode| !modes.iter().any(|own| own.name == mode.name));
    let others: Vec<_> = others.collect();
    modes.extend(others);
    Ok(modes)
}

/// What a template would ask.
fn summary(template: &ExperimentTemplate) -> String {
    let ExperimentTemplate { name, items, variants, repeats, .. } = template;
    let answers = items.len() as u64 * variants.len() as u64 * u64::from(*repeats);
    let of_item: u64 = variants.iter().map(|variant| variant.calls_min(template)).sum();
    let calls = of_item * items.len() as u64 * u64::from(*repeats);
    let metrics: Vec<_> = template.metrics.iter().map(|metric| metric.as_str()).collect();
    let early =
        if template.stopping.is_some() { ", fewer where the stopping rule has its verdicts" } else { "" };
    format!(
        "{name} is right: {} variants × {} items × {repeats} = {answers} answers, at least {calls} model calls{early}; measured by {}\n",
        variants.len(),
        items.len(),
        metrics.join(", ")
    )
}
