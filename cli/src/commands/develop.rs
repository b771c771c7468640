//! `playhouse develop` with one spec; with a file of specs it is [`super::batch`].

use playhouse_protocol::Failure;
use playhouse_protocol::develop::{Develop, Developed};
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::develop::Developer;
use playhouse_runtime::actors::generator::CodeGenerator;
use playhouse_runtime::actors::reviewer::CodeReviewer;

use super::generate;
use super::work::{self, Work};
use crate::app::{App, Outcome};
use crate::args::{DevelopArgs, Format};
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render;

pub(crate) fn run(app: &App, args: &DevelopArgs) -> Outcome {
    let output = args.output.as_deref().map(OutputFile::check).transpose()?;
    let rounds = match args.rounds {
        Some(rounds) => rounds,
        None => app.config()?.agents.develop_rounds,
    };
    let spec = generate::spec(&app.ui, args.spec.as_deref().unwrap_or_default())?;
    let request = request(app, args, spec.clone(), rounds)?;
    let developed = work::run::<Developer>(
        app,
        Work {
            request,
            options: args.limits.options(),
            models: models(args.model.model.as_deref(), args.reviewer_model.as_deref()),
            no_pull: args.model.no_pull,
        },
    )?;
    let approved = developed.approved;
    match output {
        None => {
            let developed = app.ui.safe(developed)?;
            app.ui.print(&match args.format {
                Format::Text => {
                    render::develop::text(&developed, Some(&developed.source()), app.ui.stdout_style())
                }
                Format::Json | Format::Markdown => document(&developed, &spec, args.format)?,
            })?;
        }
        Some(file) => {
            file.write(&document(&developed, &spec, args.format)?)?;
            app.ui.note(&format!("wrote {}", file.path().display()));
            // A file of source has no place for the review, and who asked for quiet has the file.
            if args.format == Format::Text && !app.ui.is_quiet() {
                let developed = app.ui.safe(developed)?;
                app.ui.print(&render::develop::text(&developed, None, app.ui.stdout_style()))?;
            }
        }
    }
    Ok(status(approved, args.require_approval))
}

/// What the flags ask for.
pub(super) fn request(app: &App, args: &DevelopArgs, spec: String, rounds: u32) -> Result<Develop, Failure> {
    Ok(Develop {
        spec,
        language: args.code.language.unwrap_or_default(),
        constraints: args.code.constraints.clone(),
        context: generate::context(&app.ui, &args.code)?,
        tests: !args.code.no_tests,
        rounds,
        model: args.model.model.clone(),
        reviewer_model: args.reviewer_model.clone(),
        sampling: args.model.sampling(),
    })
}

/// The task types that a development asks models for.
pub(super) fn models<'a>(
    writer: Option<&'a str>,
    reviewer: Option<&'a str>,
) -> Vec<(&'static str, Option<&'a str>)> {
    vec![(CodeGenerator::KIND, writer), (CodeReviewer::KIND, reviewer)]
}

/// The result as a file.
pub(super) fn document(developed: &Developed, spec: &str, format: Format) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(render::generate::source(
            developed.language,
            &developed.code,
            &developed.tests,
            developed.scripted,
        )),
        Format::Json => render::json::envelope("developed", developed.scripted, developed),
        Format::Markdown => Ok(render::markdown::developed(developed, spec)),
    }
}

pub(super) const fn status(approved: bool, require_approval: bool) -> ExitStatus {
    if require_approval && !approved { ExitStatus::NotApproved } else { ExitStatus::Success }
}
