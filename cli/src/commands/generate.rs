//! `playhouse generate`

use playhouse_protocol::Failure;
use playhouse_protocol::generate::{GenerateCode, GeneratedCode, SPEC_BYTES_MAX};
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::generator::CodeGenerator;

use super::work::{self, Work};
use crate::app::{App, Outcome};
use crate::args::{CodeArgs, Format, GenerateArgs};
use crate::exit::ExitStatus;
use crate::input;
use crate::output::OutputFile;
use crate::render::{generate, json, markdown};
use crate::ui::Ui;

pub(crate) fn run(app: &App, args: &GenerateArgs) -> Outcome {
    let output = args.output.as_deref().map(OutputFile::check).transpose()?;
    let request = GenerateCode {
        spec: spec(&app.ui, &args.spec)?,
        language: args.code.language.unwrap_or_default(),
        constraints: args.code.constraints.clone(),
        context: context(&app.ui, &args.code)?,
        tests: !args.code.no_tests,
        revision: None,
        model: args.model.model.clone(),
        sampling: args.model.sampling(),
    };
    let spec = request.spec.clone();
    let generated = work::run::<CodeGenerator>(
        app,
        Work {
            request,
            options: args.limits.options(),
            models: vec![(CodeGenerator::KIND, args.model.model.as_deref())],
            no_pull: args.model.no_pull,
        },
    )?;
    match output {
        None => {
            let generated = app.ui.safe(generated)?;
            app.ui.print(&match args.format {
                Format::Text => generate::text(&generated, &generated.source(), app.ui.stdout_style()),
                Format::Json | Format::Markdown => document(&generated, &spec, args.format)?,
            })?;
        }
        Some(file) => {
            file.write(&document(&generated, &spec, args.format)?)?;
            app.ui.note(&format!("wrote {}", file.path().display()));
        }
    }
    Ok(ExitStatus::Success)
}

/// The result as a file.
fn document(generated: &GeneratedCode, spec: &str, format: Format) -> Result<String, Failure> {
    let scripted = generated.origin.provider.is_scripted();
    match format {
        Format::Text => Ok(generate::source(generated.language, &generated.code, &generated.tests, scripted)),
        Format::Json => json::envelope("generated", scripted, generated),
        Format::Markdown => Ok(markdown::generated(generated, spec)),
    }
}

/// The spec on the command line or, for `-`, on standard input. Its content is checked by the agent.
pub(super) fn spec(ui: &Ui, text: &str) -> Result<String, Failure> {
    if text == input::STDIN { input::read_stdin(ui, "the spec", SPEC_BYTES_MAX) } else { Ok(text.to_owned()) }
}

/// The file with what the code has to fit to.
pub(super) fn context(ui: &Ui, code: &CodeArgs) -> Result<Option<String>, Failure> {
    let read = |path| input::read_text(ui, path, "the context", SPEC_BYTES_MAX);
    code.context.as_deref().map(read).transpose()
}
