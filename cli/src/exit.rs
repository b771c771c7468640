//! The exit codes, in one table. They are a promise to scripts: a code never changes its meaning.

use std::fmt::Write as _;
use std::process::ExitCode;

use playhouse_protocol::FailureClass;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    /// Everything that was asked for is there.
    Success = 0,
    /// A fault in Playhouse.
    Internal = 1,
    /// What was asked for is wrong: usage, settings, input. `clap` ends with the same code.
    Invalid = 2,
    /// A model cannot be had now; the same command may succeed later.
    Unavailable = 3,
    /// A rule forbids it.
    Denied = 4,
    /// The time was over.
    Deadline = 5,
    /// A queue is full.
    Overloaded = 6,
    /// There is a result, it was not approved, and approval was required.
    NotApproved = 7,
    /// A load run lost count of a task.
    NotAccounted = 8,
    /// A load run missed a goal.
    SloMissed = 9,
    /// Ctrl-C, as shells count it: 128 + SIGINT.
    Interrupted = 130,
    /// SIGTERM, as shells count it: 128 + SIGTERM.
    Terminated = 143,
}

/// Every code with its meaning, for `playhouse help exit-codes`.
const TABLE: [(ExitStatus, &str); 12] = [
    (ExitStatus::Success, "the result is there (also one that the reviewer did not approve, see 7)"),
    (ExitStatus::Internal, "a fault in Playhouse"),
    (ExitStatus::Invalid, "wrong usage, settings or input: the same command fails again"),
    (ExitStatus::Unavailable, "a model or its provider is not available: the same command may succeed later"),
    (ExitStatus::Denied, "denied: a missing or wrong key, a spent budget"),
    (ExitStatus::Deadline, "the time limit passed"),
    (ExitStatus::Overloaded, "overloaded: a queue is full, nothing was started"),
    (ExitStatus::NotApproved, "finished, but not approved, and --require-approval was given"),
    (ExitStatus::NotAccounted, "load: the accounting does not add up"),
    (ExitStatus::SloMissed, "load: a goal given with --slo was missed"),
    (ExitStatus::Interrupted, "cancelled by Ctrl-C"),
    (ExitStatus::Terminated, "cancelled by SIGTERM"),
];

impl ExitStatus {
    /// What a failure ends the program with.
    pub(crate) const fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::Retryable => Self::Unavailable,
            FailureClass::Overloaded => Self::Overloaded,
            FailureClass::InvalidInput => Self::Invalid,
            FailureClass::Denied => Self::Denied,
            FailureClass::Deadline => Self::Deadline,
            FailureClass::Cancelled => Self::Interrupted,
            FailureClass::Internal => Self::Internal,
        }
    }

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// The table as text, a line a code.
pub(crate) fn table() -> String {
    let mut text = String::new();
    for (status, meaning) in TABLE {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:>5}  {meaning}", status.code());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_failure_has_a_code_of_its_own() {
        let mut codes: Vec<u8> =
            FailureClass::ALL.into_iter().map(|class| ExitStatus::of(class).code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 130]);
    }

    #[test]
    fn the_manual_has_every_code_with_its_meaning() {
        let manual = include_str!("../../docs/cli.md");
        for (status, meaning) in TABLE {
            let row = format!("| {} | {meaning} |", status.code());
            assert!(manual.contains(&row), "docs/cli.md lacks the row {row:?}");
        }
    }
}
