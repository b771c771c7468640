//! Many tasks: how many are done, and a line for each that ends.

use indicatif::{ProgressBar, ProgressStyle};

use super::TICK;
use crate::style::printable;
use crate::ui::Ui;

/// Shows how far a batch is.
#[derive(Debug)]
pub(crate) struct BatchProgress {
    ui: Ui,
    bar: Option<ProgressBar>,
    len: usize,
    done: usize,
}

impl BatchProgress {
    pub(crate) fn new(ui: &Ui, len: usize) -> Self {
        let bar = ui.is_live().then(|| {
            let bar = ui.bars().add(ProgressBar::new(len as u64));
            let template = "{spinner} [{bar:30}] {pos}/{len} {elapsed}";
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { ui: ui.clone(), bar, len, done: 0 }
    }

    /// One more has ended.
    pub(crate) fn ended(&mut self, name: &str, result: &str) {
        self.done += 1;
        let width = self.len.to_string().len();
        let (done, len) = (self.done, self.len);
        self.ui.note(&printable(&format!("[{done:>width$}/{len}] {name}: {result}")));
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }

    /// Takes away what moves.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
