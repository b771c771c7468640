//! A run of an experiment: how many answers are there, and what they have cost.

use indicatif::{ProgressBar, ProgressStyle};
use playhouse_experiments::run::Progress;

use super::TICK;
use crate::render::words;
use crate::ui::Ui;

/// Without a bar, a line is written after each tenth of a run.
const LINES: u64 = 10;

/// Shows how far a run is.
#[derive(Debug)]
pub(crate) struct RunProgress {
    ui: Ui,
    bar: Option<ProgressBar>,
    lines: u64,
}

impl RunProgress {
    pub(crate) fn new(ui: &Ui) -> Self {
        let bar = ui.is_live().then(|| {
            let bar = ui.bars().add(ProgressBar::new(0));
            let style =
                ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {elapsed} eta {eta} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { ui: ui.clone(), bar, lines: 0 }
    }

    /// Shows where the run stands.
    pub(crate) fn show(&mut self, now: &Progress) {
        let failed = if now.failed > 0 { format!(", {} failed", now.failed) } else { String::new() };
        let text = format!("{}{failed}", words::usage(&now.usage));
        if let Some(bar) = &self.bar {
            bar.set_length(now.planned);
            bar.set_position(now.ended);
            bar.set_message(text);
            return;
        }
        let line = now.ended.saturating_mul(LINES) / now.planned.max(1);
        if line > self.lines {
            self.lines = line;
            self.ui.note(&format!("{}/{} answers, {text}", now.ended, now.planned));
        }
    }

    /// Takes away what moves.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
