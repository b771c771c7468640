//! What users hand in: texts on the command line, files, standard input.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use playhouse_protocol::Failure;

use crate::ui::Ui;

/// Names standard input where a file or a text is expected.
pub(crate) const STDIN: &str = "-";

/// Reads a text file, or standard input for `-`; `bytes_max` is the most that is any use.
pub(crate) fn read_text(ui: &Ui, path: &Path, what: &str, bytes_max: usize) -> Result<String, Failure> {
    if path == Path::new(STDIN) {
        return read_stdin(ui, what, bytes_max);
    }
    let name = path.display().to_string();
    let unreadable = |error: io::Error| {
        Failure::invalid(format!("read {what} from {name}: {error}"))
            .with_hint(format!("Name a text file, or `{STDIN}` for standard input."))
    };
    if path.is_dir() {
        return Err(Failure::invalid(format!("read {what} from {name}: it is a folder"))
            .with_hint("Name a file in it."));
    }
    let file = File::open(path).map_err(unreadable)?;
    read_bounded(file, &name, what, bytes_max, unreadable)
}

/// Reads standard input to its end.
pub(crate) fn read_stdin(ui: &Ui, what: &str, bytes_max: usize) -> Result<String, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        ui.note(&format!("reading {what} from standard input; end it with Ctrl-D"));
    }
    let unreadable = |error: io::Error| Failure::invalid(format!("read {what} from standard input: {error}"));
    read_bounded(stdin.lock(), "standard input", what, bytes_max, unreadable)
}

fn read_bounded(
    reader: impl Read,
    name: &str,
    what: &str,
    bytes_max: usize,
    unreadable: impl Fn(io::Error) -> Failure,
) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    reader.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > bytes_max {
        return Err(Failure::invalid(format!(
            "read {what} from {name}: it is larger than {bytes_max} bytes"
        ))
        .with_hint("Hand in a smaller part."));
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::invalid(format!("read {what} from {name}: it is not UTF-8 text"))
            .with_hint("Name a text file.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], bytes_max: usize) -> Result<String, String> {
        read_bounded(bytes, "a.rs", "the code", bytes_max, |error| Failure::invalid(error.to_string()))
            .map_err(|failure| failure.message)
    }

    #[test]
    fn a_text_is_read_up_to_its_bound_and_never_cut() {
        assert_eq!(read(b"abc", 3).unwrap(), "abc");
        assert_eq!(read(b"abcd", 3).unwrap_err(), "read the code from a.rs: it is larger than 3 bytes");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(read(b"\xff\xfe", 9).unwrap_err(), "read the code from a.rs: it is not UTF-8 text");
    }
}
