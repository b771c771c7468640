//! One template: the one door to minijinja.

use std::collections::BTreeSet;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::PromptError;
use super::files::TemplateFile;
use super::library::{PromptName, RenderedPrompt};
use super::{filters, sample};

/// Steps that a rendering may take. The shipped templates need fewer than 2,000 for 100 lines of feedback.
const FUEL: u64 = 200_000;

/// How deep templates may nest macros and loops that call themselves.
const RECURSION_MAX: usize = 32;

/// The longest text that a step of a reasoning mode may become, in bytes: four times the longest text that a question can be
/// about.
const INNER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The blocks that a template must have.
const BLOCKS: [&str; 2] = ["system", "user"];

/// A template that was tried with full and with sparse data before it was let in.
#[derive(Debug, Clone)]
pub(super) struct Template {
    name: PromptName,
    version: u32,
    path: String,
    sha256: String,
    environment: Environment<'static>,
}

impl Template {
    /// Compiles a template and tries it.
    pub(super) fn check(file: TemplateFile) -> Result<Self, PromptError> {
        check_header(&file)?;
        let sha256 = sha256_hex(&file.source);
        let mut environment = environment();
        environment
            .add_template_owned(file.path.clone(), file.source)
            .map_err(|error| template_error(&file.path, &error))?;
        let template = Self { name: file.name, version: file.version, path: file.path, sha256, environment };
        template.check_variables()?;
        for context in sample::contexts(template.name) {
            template.render(&context)?;
        }
        Ok(template)
    }

    pub(super) const fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn render(&self, context: &impl Serialize) -> Result<RenderedPrompt, PromptError> {
        let [system, user] =
            self.render_blocks(context).map_err(|error| template_error(&self.path, &error))?;
        Ok(RenderedPrompt {
            system: system.trim().to_owned(),
            user: user.trim().to_owned(),
            name: self.name,
            version: self.version,
            template_sha256: self.sha256.clone(),
        })
    }

    fn render_blocks(&self, context: &impl Serialize) -> Result<[String; 2], minijinja::Error> {
        let template = self.environment.get_template(&self.path)?;
        let [system, user] = BLOCKS;
        template
            .render_captured(context)?
            .with_state_mut(|state| Ok([state.render_block(system)?, state.render_block(user)?]))
    }

    /// Finds variables that no context has, also in branches that the samples do not reach.
    fn check_variables(&self) -> Result<(), PromptError> {
        let known = sample::variables(self.name);
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        check_variables(&self.environment, &self.path, &known, &format!("a {} template", self.name))
    }
}

/// A template that stands inside another text, such as a step of a reasoning mode: one text, no blocks.
///
/// What is none cannot be written out: it would read "none", which nobody means.
#[derive(Debug)]
pub(crate) struct InnerTemplate {
    path: String,
    environment: Environment<'static>,
}

impl InnerTemplate {
    /// Compiles a template that may use these variables; errors name it by `path`.
    pub(crate) fn new(path: &str, source: &str, variables: &[&str]) -> Result<Self, PromptError> {
        let mut environment = environment();
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Err(ErrorKind::UndefinedError.into());
            }
            minijinja::escape_formatter(out, state, value)
        });
        environment
            .add_template_owned(path.to_owned(), source.to_owned())
            .map_err(|error| template_error(path, &error))?;
        check_variables(&environment, path, variables, "it")?;
        Ok(Self { path: path.to_owned(), environment })
    }

    /// Renders it, without white space at its ends.
    pub(crate) fn render(&self, context: &impl Serialize) -> Result<String, PromptError> {
        let mut text = BoundedText::default();
        let template = self.environment.get_template(&self.path);
        template.and_then(|template| template.render_captured_to(context, &mut text).map(drop)).map_err(
            |error| match error.kind() {
                ErrorKind::WriteFailure => PromptError::Template {
                    file: self.path.clone(),
                    line: error.line().unwrap_or(1),
                    message: format!("it becomes longer than {INNER_BYTES_MAX} bytes"),
                    hint: Some("write each text out once".to_owned()),
                },
                _ => template_error(&self.path, &error),
            },
        )?;
        Ok(String::from_utf8_lossy(&text.0).trim().to_owned())
    }
}

/// Bytes up to a bound: a template may loop over texts that are megabytes long.
#[derive(Debug, Default)]
struct BoundedText(Vec<u8>);

impl std::io::Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > INNER_BYTES_MAX {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Finds variables that are not among the known ones. `whose` begins the hint that lists those.
fn check_variables(
    environment: &Environment<'static>,
    path: &str,
    known: &[&str],
    whose: &str,
) -> Result<(), PromptError> {
    let template = environment.get_template(path).map_err(|error| template_error(path, &error))?;
    let used: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    let global = |name: &String| environment.globals().any(|(global, _)| global == name);
    let unknown = used.iter().find(|name| !known.contains(&name.as_str()) && !global(name));
    let Some(unknown) = unknown else { return Ok(()) };
    let line = template.source().lines().position(|line| line.contains(unknown.as_str())).unwrap_or(0) + 1;
    Err(PromptError::Template {
        file: path.to_owned(),
        line,
        message: format!("unknown variable `{unknown}`"),
        hint: Some(match crate::nearest::nearest(unknown, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{whose} is given: {}", known.join(", ")),
        }),
    })
}

pub(crate) fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The first line says what the file is, so that a copy under another name is noticed.
fn check_header(file: &TemplateFile) -> Result<(), PromptError> {
    let expected = format!("playhouse prompt {} v{}", file.name, file.version);
    let first = file.source.lines().next().unwrap_or_default();
    let header = first.trim().trim_start_matches("{#").trim_start_matches('-').trim_start();
    let after = header.strip_prefix(expected.as_str());
    if after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_digit())) {
        return Ok(());
    }
    Err(PromptError::Template {
        file: file.path.clone(),
        line: 1,
        message: "the header does not say what the file is".to_owned(),
        hint: Some(format!("let the first line begin with `{{# {expected}`")),
    })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    environment.set_debug(true);
    environment.add_filter("fenced", |text: &str, label: Option<&str>| {
        filters::fenced(text, label.unwrap_or_default())
    });
    environment.add_filter("delimited", filters::delimited);
    environment.add_filter("numbered", filters::numbered);
    environment.add_filter("one_line", filters::one_line);
    environment
}

/// Says what is wrong in the words of the template, never with a value that was rendered.
fn template_error(path: &str, error: &minijinja::Error) -> PromptError {
    let at = error.range().and_then(|range| error.template_source()?.get(range)).unwrap_or_default();
    let (message, hint) = match error.kind() {
        ErrorKind::UndefinedError => (
            format!("`{at}` is not given"),
            Some("every variable and field has to be one that the prompt is given".to_owned()),
        ),
        ErrorKind::SyntaxError
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownTest => (format!("{}: {}", error.kind(), error.detail().unwrap_or(at)), None),
        ErrorKind::UnknownBlock => (
            "a block is missing".to_owned(),
            Some("a template has the blocks `system` and `user`".to_owned()),
        ),
        ErrorKind::OutOfFuel => (format!("it needs more than {FUEL} steps"), None),
        kind => (format!("{kind} at `{at}`"), None),
    };
    PromptError::Template { file: path.to_owned(), line: error.line().unwrap_or(1), message, hint }
}
