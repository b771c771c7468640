//! Many developments: a summary for people, all of it for programs.

use std::fmt::Write as _;

use playhouse_protocol::Failure;
use playhouse_protocol::develop::Developed;
use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{SCRIPTED_LABEL, develop, words};
use crate::style::Style;

/// One spec and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) spec: String,
    pub(crate) status: ItemStatus,
    /// The file that the result was written to, where one was.
    pub(crate) file: Option<String>,
    pub(crate) developed: Option<Developed>,
    pub(crate) failure: Option<Failure>,
}

/// What became of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ItemStatus {
    /// There is code, and the reviewer approved it.
    Approved,
    /// There is code, and the reviewer did not approve it.
    NotApproved,
    /// There is no code.
    Failed,
    /// It was not finished when the batch was cancelled.
    Cancelled,
}

/// All of a batch, in input order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
}

impl ItemStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::NotApproved => "not approved",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Item {
    /// One line on how it ended.
    pub(crate) fn outcome(&self) -> String {
        match (&self.developed, &self.failure) {
            (Some(developed), _) => develop::header(developed, Style::PLAIN),
            (None, Some(failure)) => format!("failed to {}", failure.message),
            (None, None) => self.status.as_str().to_owned(),
        }
    }
}

impl Batch {
    /// Whether any result is a script's.
    pub(crate) fn is_scripted(&self) -> bool {
        self.items.iter().filter_map(|item| item.developed.as_ref()).any(|developed| developed.scripted)
    }

    fn count(&self, status: ItemStatus) -> usize {
        self.items.iter().filter(|item| item.status == status).count()
    }
}

/// A table with a line a spec, what failed, and the sum.
pub(crate) fn summary(batch: &Batch, style: Style) -> String {
    let mut table = Table::new(&["name", "outcome", ">rounds", ">score", ">tokens", ">time", "file"]);
    for item in &batch.items {
        let developed = item.developed.as_ref();
        let cell = |text: Option<String>| text.unwrap_or_default();
        let best = developed.and_then(develop::best_round).and_then(|round| round.review.as_ref());
        table.row([
            item.name.clone(),
            item.status.as_str().to_owned(),
            cell(developed.map(|developed| developed.rounds.len().to_string())),
            cell(best.map(|review| format!("{:.1}", review.score))),
            cell(developed.map(|developed| words::thousands(developed.usage.total_tokens()))),
            cell(developed.map(|developed| words::seconds(developed.elapsed_ms))),
            cell(item.file.clone()),
        ]);
    }
    let mut text = table.render(style);
    for item in &batch.items {
        if let Some(failure) = &item.failure {
            let _ = writeln!(text, "{}: {} failed to {}", item.name, style.red("error:"), failure.message);
            if let Some(hint) = &failure.hint {
                let _ = writeln!(text, "{}: {} {hint}", item.name, style.cyan("hint:"));
            }
        }
    }
    let parts = [ItemStatus::Approved, ItemStatus::NotApproved, ItemStatus::Failed, ItemStatus::Cancelled];
    let sums = parts.into_iter().map(|status| (batch.count(status), status));
    let sums: Vec<_> = sums
        .filter(|(count, status)| *count > 0 || *status == ItemStatus::Approved)
        .map(|(count, status)| format!("{count} {}", status.as_str()))
        .collect();
    let _ = writeln!(text, "{} of {}", sums.join(", "), words::counted(batch.items.len() as u64, "spec"));
    if batch.is_scripted() {
        let _ = writeln!(text, "{}", style.yellow(SCRIPTED_LABEL));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_summary_has_a_line_a_spec_then_failures_then_the_sum() {
        let item = |name: &str, status, developed, failure| Item {
            name: name.to_owned(),
            spec: String::new(),
            status,
            file: None,
            developed,
            failure,
        };
        let failure = Failure::invalid("read the spec: it is empty").with_hint("Write one.");
        let batch = Batch {
            items: vec![
                item("add", ItemStatus::Approved, Some(sample::developed()), None),
                item("empty", ItemStatus::Failed, None, Some(failure)),
            ],
        };
        assert_eq!(
            summary(&batch, Style::PLAIN),
            "name   outcome   rounds  score  tokens   time  file
add    approved       2    8.5   4,160  4.8 s
empty  failed
empty: error: failed to read the spec: it is empty
empty: hint: Write one.
1 approved, 1 failed of 2 specs
scripted answers: no model was asked
"
        );
    }
}
