//! `playhouse review`

use std::path::Path;

use playhouse_protocol::Failure;
use playhouse_protocol::code::Language;
use playhouse_protocol::review::{CODE_BYTES_MAX, Review, ReviewCode, Verdict};
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::reviewer::CodeReviewer;

use super::develop::status;
use super::work::{self, Work};
use crate::app::{App, Outcome};
use crate::args::{Format, ReviewArgs};
use crate::input;
use crate::output::OutputFile;
use crate::render::{json, markdown, review};
use crate::style::Style;

pub(crate) fn run(app: &App, args: &ReviewArgs) -> Outcome {
    let output = args.output.as_deref().map(OutputFile::check).transpose()?;
    let request = ReviewCode {
        code: input::read_text(&app.ui, &args.file, "the code", CODE_BYTES_MAX)?,
        tests: String::new(),
        spec: args.spec.clone(),
        tests_expected: false,
        language: args.language.unwrap_or_else(|| guess(&args.file)),
        focus: args.focus.clone(),
        model: args.model.model.clone(),
        sampling: args.model.sampling(),
    };
    let reviewed = work::run::<CodeReviewer>(
        app,
        Work {
            request,
            options: args.limits.options(),
            models: vec![(CodeReviewer::KIND, args.model.model.as_deref())],
            no_pull: args.model.no_pull,
        },
    )?;
    let approved = reviewed.verdict == Verdict::Approve;
    let name = args.file.display().to_string();
    match output {
        None => {
            let reviewed = app.ui.safe(reviewed)?;
            app.ui.print(&document(&reviewed, &name, args.format, app.ui.stdout_style())?)?;
        }
        Some(file) => {
            file.write(&document(&reviewed, &name, args.format, Style::PLAIN)?)?;
            app.ui.note(&format!("wrote {}", file.path().display()));
        }
    }
    Ok(status(approved, args.require_approval))
}

fn document(reviewed: &Review, name: &str, format: Format, style: Style) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(review::text(reviewed, style)),
        Format::Json => json::envelope("reviewed", reviewed.origin.provider.is_scripted(), reviewed),
        Format::Markdown => Ok(markdown::reviewed(reviewed, name)),
    }
}

/// The language by the file's ending; the default language where that tells nothing.
fn guess(file: &Path) -> Language {
    let ending = file.extension().and_then(|ending| ending.to_str());
    ending.and_then(Language::from_label).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_guessed_by_the_ending() {
        for (file, language) in [
            ("a/b.py", Language::Python),
            ("x.tsx", Language::TypeScript),
            ("x.H", Language::C),
            ("Makefile", Language::Rust),
            ("-", Language::Rust),
        ] {
            assert_eq!(guess(Path::new(file)), language, "{file}");
        }
    }
}
