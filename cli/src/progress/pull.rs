//! A model file on its way.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use playhouse_models::pull::{Phase, PullProgress};

use super::TICK;
use crate::style::printable;
use crate::ui::Ui;

/// Shows the reports of a pull, which come from any thread.
#[derive(Debug)]
pub(crate) struct PullView {
    ui: Ui,
    bar: Option<ProgressBar>,
    /// The phase that was told last.
    told: Mutex<Option<Phase>>,
}

impl PullView {
    pub(crate) fn new(ui: &Ui) -> Self {
        let bar = ui.is_live().then(|| {
            let bar = ui.bars().add(ProgressBar::new(0));
            let template = "{spinner} {msg} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { ui: ui.clone(), bar, told: Mutex::new(None) }
    }

    /// Shows one report.
    pub(crate) fn show(&self, report: &PullProgress) {
        let is_new = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.replace(report.phase) != Some(report.phase)
        };
        if let Some(bar) = &self.bar {
            bar.set_length(report.bytes_total);
            bar.set_position(report.bytes_done);
            if is_new {
                bar.set_message(report.phase.to_string());
                bar.reset_eta();
            }
        }
        // On a terminal the bar tells the phase, but not why a source failed.
        if (is_new && self.bar.is_none()) || report.phase == Phase::SourceFailed {
            let note = report.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            self.ui.note(&printable(&format!("{}{note}", report.phase)));
        }
    }
}

impl Drop for PullView {
    /// Takes away what moves, also when the pull was cancelled.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
