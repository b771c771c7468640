//! Where lines come from: a terminal with editing and history, or standard input as it is.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::path::PathBuf;

use playhouse_protocol::Failure;
use playhouse_protocol::chat::TEXT_BYTES_MAX;
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

/// Lines that the history keeps.
const HISTORY_MAX: usize = 1_000;

/// What came of the wait for a line.
#[derive(Debug)]
pub(super) enum Read {
    Line(String),
    /// Ctrl-C at the prompt: what was typed is gone.
    Cleared,
    /// Ctrl-D, or the end of standard input.
    End,
}

/// A source of lines. Reading blocks.
pub(super) enum Lines {
    Terminal { editor: Box<DefaultEditor>, history: Option<PathBuf> },
    Plain,
}

impl Lines {
    /// The terminal where standard input is one; its history is kept in that file.
    pub(super) fn open(history: Option<PathBuf>) -> Result<Self, Failure> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Plain);
        }
        let config = Config::builder()
            .max_history_size(HISTORY_MAX)
            .map(|config| config.auto_add_history(true).history_ignore_space(true).build())
            .map_err(|error| unusable(&error))?;
        let mut editor = Box::new(DefaultEditor::with_config(config).map_err(|error| unusable(&error))?);
        if let Some(file) = &history {
            // The first time there is none; one that cannot be read costs nothing but the history.
            let _ = editor.load_history(file);
        }
        Ok(Self::Terminal { editor, history })
    }

    /// Whether somebody types.
    pub(super) const fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal { .. })
    }

    /// The next line, without its end. On a terminal one that ends with a backslash goes on in the next.
    pub(super) fn read(&mut self, prompt: &str) -> Result<Read, Failure> {
        let Self::Terminal { editor, .. } = self else { return read_plain() };
        let mut text = String::new();
        let mut prompt = prompt;
        loop {
            match editor.readline(prompt) {
                Ok(line) => match line.strip_suffix('\\') {
                    Some(part) => {
                        text.push_str(part);
                        text.push('\n');
                        prompt = "… ";
                    }
                    None => return Ok(Read::Line(text + &line)),
                },
                Err(ReadlineError::Interrupted) => return Ok(Read::Cleared),
                Err(ReadlineError::Eof) => return Ok(Read::End),
                // The window has another size.
                Err(ReadlineError::Signal(_)) => {}
                Err(error) => return Err(unusable(&error)),
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Self::Terminal { editor, history: Some(file) } = self {
            // Nobody is left to be told.
            let _ = editor.save_history(file);
        }
    }
}

fn read_plain() -> Result<Read, Failure> {
    let mut bytes = Vec::new();
    let bound = TEXT_BYTES_MAX as u64 + 2;
    let failed = |error: io::Error| Failure::invalid(format!("read a message from standard input: {error}"));
    io::stdin().lock().take(bound).read_until(b'\n', &mut bytes).map_err(failed)?;
    if bytes.is_empty() {
        return Ok(Read::End);
    }
    if bytes.len() as u64 == bound && bytes.last() != Some(&b'\n') {
        return Err(Failure::invalid(format!("read a message: it is larger than {TEXT_BYTES_MAX} bytes"))
            .with_hint("Say it in several parts."));
    }
    let line = String::from_utf8(bytes).map_err(|_| {
        Failure::invalid("read a message from standard input: it is not UTF-8 text")
            .with_hint("Hand in text.")
    })?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(Read::Line(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

fn unusable(error: &ReadlineError) -> Failure {
    Failure::internal(format!("read from the terminal: {error}"))
        .with_hint("Without a terminal a line is a message: echo \"…\" | playhouse chat")
}

/// How wide standard output is, in characters, where it is a terminal.
pub(super) fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (columns, _) = DefaultEditor::new().ok()?.dimensions()?;
    Some(usize::from(columns))
}
