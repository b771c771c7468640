//! Logs to standard error. Prompts and answers are logged at `trace` only, which no flag of this program shows.

use std::io::{self, Write};

use playhouse_protocol::Failure;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::ui::Ui;

/// Shows logs: warnings, with `-v` what happens, with `-vv` the details. Quiet shows errors alone.
pub(crate) fn init(ui: &Ui, verbose: u8) -> Result<(), Failure> {
    // An agent that fails is told as its task's failure; that its actor failed too is for those who look closer.
    let directives = match (ui.is_quiet(), verbose) {
        (true, _) => "error,ractor=off",
        (false, 0) => "warn,ractor=warn,playhouse_supervisors=error",
        (false, 1) => "warn,ractor=warn,playhouse=info",
        (false, _) => "info,ractor=info,playhouse=debug",
    };
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| Failure::internal(format!("set up the log: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ui.stderr_style() != crate::style::Style::PLAIN)
        .without_time()
        .with_writer(LogWriter { ui: ui.clone() })
        .try_init()
        .map_err(|error| Failure::internal(format!("set up the log: {error}")))
}

/// Writes log lines above whatever moves on the terminal.
struct LogWriter {
    ui: Ui,
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine { ui: &self.ui }
    }
}

struct LogLine<'a> {
    ui: &'a Ui,
}

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The subscriber writes whole lines.
        self.ui.write_stderr(String::from_utf8_lossy(bytes).trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
