//! The one place that writes to the terminal: results to standard output, everything else to standard error.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{MultiProgress, ProgressDrawTarget};
use playhouse_config::Environment;
use playhouse_protocol::Failure;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::args::{ColorChoice, Global};
use crate::style::{Style, printable};

/// What is known of the terminal, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    quiet: bool,
    stdout_is_terminal: bool,
    live: bool,
    stdout_style: Style,
    stderr_style: Style,
    bars: MultiProgress,
}

impl Ui {
    /// As the flags and the environment say.
    pub(crate) fn new(global: &Global, environment: &Environment) -> Self {
        let (stdout_is_terminal, stderr_is_terminal) =
            (io::stdout().is_terminal(), io::stderr().is_terminal());
        let coloured = |is_terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !environment.no_color(),
        };
        let live = stderr_is_terminal && !global.quiet;
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            quiet: global.quiet,
            stdout_is_terminal,
            live,
            stdout_style: Style::new(coloured(stdout_is_terminal)),
            stderr_style: Style::new(coloured(stderr_is_terminal)),
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Whether nothing but errors is wanted on standard error.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether moving progress can be shown.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Everything that moves on standard error; hidden unless [`is_live`](Self::is_live).
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether a person reads the result as it comes.
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    pub(crate) fn stdout_style(&self) -> Style {
        self.stdout_style
    }

    pub(crate) fn stderr_style(&self) -> Style {
        self.stderr_style
    }

    /// Writes a result. A reader who has gone away is no failure: it has what it wanted.
    ///
    /// The text may hold colours of ours; what models or files say must have gone through
    /// [`safe`](Self::safe).
    #[expect(clippy::unused_self, reason = "only who was given the terminal may write to it")]
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::internal(format!("write the result to standard output: {error}"))
                    .with_hint("Write it to a file: --output FILE"))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A result as it may be rendered: byte for byte into a pipe; for a terminal, without what models or files
    /// could do to it. The way over JSON reaches every text in it, also in fields that are added one day.
    pub(crate) fn safe<T: Serialize + DeserializeOwned>(&self, result: T) -> Result<T, Failure> {
        if self.stdout_is_terminal { clean(result) } else { Ok(result) }
    }

    /// A part of a text as it may be written: as [`safe`](Self::safe).
    pub(crate) fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.stdout_is_terminal { printable(text) } else { Cow::Borrowed(text) }
    }

    /// Says something on standard error, unless told to be quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.write_stderr(text);
        }
    }

    /// Says something that nobody may overlook.
    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            self.write_stderr(&format!("{} {text}", self.stderr_style.yellow("warning:")));
        }
    }

    /// Says what went wrong and what to do about it, also when quiet.
    pub(crate) fn failure(&self, failure: &Failure) {
        let style = self.stderr_style;
        let mut text = format!("{} failed to {}", style.red("error:"), printable(&failure.message));
        if let Some(hint) = &failure.hint {
            text.push('\n');
            text.push_str(&style.cyan("hint:"));
            text.push(' ');
            text.push_str(&printable(hint));
        }
        if let Some(wait_ms) = failure.retry_after_ms {
            let seconds = wait_ms.div_ceil(1_000);
            let _ = write!(text, "\n{} Try again in {seconds} s.", style.cyan("hint:"));
        }
        self.write_stderr(&text);
    }

    /// Writes lines above whatever moves.
    pub(crate) fn write_stderr(&self, text: &str) {
        self.bars.suspend(|| {
            // There is nowhere left to say that standard error is gone.
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }
}

fn clean<T: Serialize + DeserializeOwned>(result: T) -> Result<T, Failure> {
    let failed = |error: serde_json::Error| Failure::internal(format!("show the result: {error}"));
    let mut value = serde_json::to_value(result).map_err(failed)?;
    clean_value(&mut value);
    serde_json::from_value(value).map_err(failed)
}

fn clean_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = printable(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean_value),
        Value::Object(fields) => fields.values_mut().for_each(clean_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn escape_sequences_of_a_model_do_not_reach_a_terminal() {
        let developed = sample::developed();
        assert_eq!(clean(developed.clone()).unwrap(), developed);

        let mut hostile = developed;
        hostile.rounds[0].generated.code = "\u{1b}[2J".to_owned();
        assert_eq!(clean(hostile).unwrap().rounds[0].generated.code, "\u{fffd}[2J");
    }
}
