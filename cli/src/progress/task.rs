//! One task: a phase and, on a terminal, the answer as it comes.

use indicatif::{ProgressBar, ProgressStyle};
use playhouse_protocol::completion::Condensed;
use playhouse_protocol::event::{TaskEvent, TaskEventKind};

use super::TICK;
use crate::render::words;
use crate::style::printable;
use crate::ui::Ui;

/// Shows the events of one task.
#[derive(Debug)]
pub(crate) struct TaskProgress {
    ui: Ui,
    live: Option<Live>,
    /// What the agent said it is about to do; told together with the model that it then asks.
    announced: Option<String>,
    /// When the step that is under way began.
    step_unix_ms: u64,
}

/// What moves: the last line of the answer so far, and under it the phase.
#[derive(Debug)]
struct Live {
    tail: ProgressBar,
    phase: ProgressBar,
    /// The end of the answer behind its last line break.
    line: String,
}

impl TaskProgress {
    pub(crate) fn new(ui: &Ui) -> Self {
        Self { ui: ui.clone(), live: ui.is_live().then(|| Live::new(ui)), announced: None, step_unix_ms: 0 }
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &TaskEvent) {
        match &event.kind {
            TaskEventKind::StepStarted { label, model, .. } => {
                let what = self.announced.take().unwrap_or_else(|| label.clone());
                let with = model.as_ref().map(|model| format!(" with {model}")).unwrap_or_default();
                self.step_unix_ms = event.unix_ms;
                self.phase(&format!("{what}{with}"));
            }
            TaskEventKind::Tokens { text, .. } => self.tokens(text),
            TaskEventKind::AnswerRestarted { reason, .. } => {
                self.end_step(event.unix_ms, &format!("{reason}; the answer begins anew"));
            }
            TaskEventKind::PromptCondensed { condensed, .. } => {
                let Condensed { tokens_before, tokens_after, answer_tokens_max, .. } = condensed;
                let (before, after) = (words::thousands(*tokens_before), words::thousands(*tokens_after));
                let answer = answer_tokens_max.map(|most| format!("; the answer has room for {most}"));
                let answer = answer.unwrap_or_default();
                self.tokens(&format!("[{before} tokens of prompt, sent as {after}{answer}] "));
            }
            TaskEventKind::TokensSkipped { .. } => self.tokens(" […] "),
            TaskEventKind::StepCompleted { usage, .. } => {
                let spent = words::counted(usage.completion_tokens, "token");
                self.end_step(event.unix_ms, &spent);
            }
            TaskEventKind::StepFailed { failure, .. } => {
                self.end_step(event.unix_ms, &format!("failed to {}", failure.message));
            }
            TaskEventKind::Progress { message } => {
                if let Some(unfollowed) = self.announced.replace(message.clone()) {
                    self.phase(&unfollowed);
                }
            }
            TaskEventKind::AttemptFailed { attempt, failure, .. } => {
                let failed = format!("attempt {attempt} failed to {}; trying again", failure.message);
                self.end_step(event.unix_ms, &failed);
            }
            TaskEventKind::Accepted { .. }
            | TaskEventKind::Started { .. }
            | TaskEventKind::StepReplayed { .. } => {}
            TaskEventKind::Finished { .. } => self.clear(),
        }
    }

    /// Takes away what moves.
    pub(crate) fn clear(&mut self) {
        if let Some(mut live) = self.live.take() {
            live.end_line(&self.ui);
            live.tail.finish_and_clear();
            live.phase.finish_and_clear();
        }
    }

    /// A phase begins: a line that stays, and on a terminal a spinner that tells it too.
    fn phase(&self, text: &str) {
        let style = self.ui.stderr_style();
        self.ui.note(&style.bold(&printable(text)));
        if let Some(live) = &self.live {
            live.phase.set_message(printable(text).into_owned());
        }
    }

    fn tokens(&mut self, text: &str) {
        if let Some(live) = &mut self.live {
            live.push(text, &self.ui);
        }
    }

    fn end_step(&mut self, unix_ms: u64, result: &str) {
        if let Some(live) = &mut self.live {
            live.end_line(&self.ui);
        }
        let elapsed = words::seconds(unix_ms.saturating_sub(self.step_unix_ms));
        self.ui.note(&printable(&format!("  {result}, {elapsed}")));
    }
}

impl Live {
    fn new(ui: &Ui) -> Self {
        // The templates are constants that have been tried; a wrong one would only look plain.
        let plain = |_| ProgressStyle::default_spinner();
        let style = ui.stderr_style();
        let dim = if style == crate::style::Style::PLAIN { "{wide_msg}" } else { "{wide_msg:.dim}" };
        let tail = ui.bars().add(ProgressBar::new_spinner());
        tail.set_style(ProgressStyle::with_template(dim).unwrap_or_else(plain));
        let phase = ui.bars().add(ProgressBar::new_spinner());
        let template = "{spinner} {wide_msg} {elapsed}";
        phase.set_style(ProgressStyle::with_template(template).unwrap_or_else(plain));
        phase.enable_steady_tick(TICK);
        Self { tail, phase, line: String::new() }
    }

    /// Adds to the answer: whole lines stay above, the rest moves along.
    fn push(&mut self, text: &str, ui: &Ui) {
        self.line.push_str(text);
        while let Some(end) = self.line.find('\n') {
            let rest = self.line.split_off(end + 1);
            let line = std::mem::replace(&mut self.line, rest);
            write_dim(ui, line.trim_end_matches('\n'));
        }
        self.tail.set_message(shown(&self.line));
    }

    /// What is left of the answer when it has ended.
    fn end_line(&mut self, ui: &Ui) {
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            write_dim(ui, &line);
        }
        self.tail.set_message("");
    }
}

fn write_dim(ui: &Ui, line: &str) {
    ui.write_stderr(&ui.stderr_style().dim(&shown(line)));
}

/// A line of an answer as a terminal can take it.
fn shown(line: &str) -> String {
    printable(line).replace('\t', "    ")
}
