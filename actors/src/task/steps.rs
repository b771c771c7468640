//! The steps of a task that are written down, and which of them another attempt goes on from.

use std::collections::BTreeMap;
use std::fmt;

use futures::future::BoxFuture;
use playhouse_protocol::journal::{Payload, RecordedStep, StepOutcome, StepPath};
use playhouse_protocol::{Failure, TaskId, Usage};

/// Where steps are written down. One a runtime.
pub trait StepJournal: Send + Sync + fmt::Debug {
    /// Writes a step down. Returns when it is as durable as the journal makes it.
    ///
    /// # Errors
    /// When the step cannot be written, now or ever. It is not written then.
    fn record(&self, task: TaskId, step: RecordedStep, input: Payload) -> BoxFuture<'_, Result<(), Failure>>;
}

/// One attempt at a task: its number, and what earlier ones left for it.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub(super) number: u32,
    recorded: BTreeMap<StepPath, RecordedStep>,
}

impl Attempt {
    /// The attempt `number`, which begins from `steps`, given in the order in which they were written.
    pub(super) fn new(number: u32, steps: Vec<RecordedStep>) -> Self {
        let recorded = usable(number, steps).into_iter().map(|step| (step.path.clone(), step)).collect();
        Self { number, recorded }
    }

    /// The record of the step at `path`. Given out once.
    pub(super) fn take(&mut self, path: &StepPath) -> Option<RecordedStep> {
        self.recorded.remove(path)
    }

    /// What the steps below `path` used, each once: what an answered question used holds what was asked for it.
    pub(super) fn usage_below(&self, path: &StepPath) -> Usage {
        let mut used = Usage::default();
        let mut counted: Option<&StepPath> = None;
        // A place comes before those below it.
        for step in self.recorded.values().filter(|step| step.path.is_below(path)) {
            if counted.is_some_and(|counted| step.path.is_below(counted)) {
                continue;
            }
            if let StepOutcome::Answered { usage, .. } = &step.outcome {
                used += *usage;
                counted = Some(&step.path);
            }
        }
        used
    }
}

/// The steps that the attempt `number` takes as they are.
///
/// Every answer is taken. A failure is taken when the agent went on behind it, since what it did then may
/// rest on that failure; the failures at the end are what the attempt before failed for, and are tried again,
/// unless this is that very attempt, which a new process goes on with.
fn usable(number: u32, mut steps: Vec<RecordedStep>) -> Vec<RecordedStep> {
    let settled_len = steps.iter().rposition(|step| step.outcome.is_answered()).map_or(0, |last| last + 1);
    let mut at = 0;
    steps.retain(|step| {
        at += 1;
        at <= settled_len || step.attempt == number
    });
    steps
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::FailureClass;
    use playhouse_protocol::journal::{Fingerprint, StepKind};

    use super::*;

    fn step(number: u32, attempt: u32, is_answered: bool) -> RecordedStep {
        RecordedStep {
            path: StepPath::root().child(number),
            attempt,
            kind: StepKind::Effect,
            label: "test".to_owned(),
            fingerprint: Fingerprint([0; 32]),
            outcome: if is_answered {
                StepOutcome::Answered { output: Payload::default(), usage: Usage::default() }
            } else {
                StepOutcome::Failed(Failure::new(FailureClass::Retryable, "try"))
            },
            unix_ms: 0,
        }
    }

    fn check(attempt: u32, steps: &[(u32, u32, bool)], expected: &[u32]) {
        let steps = steps.iter().map(|(number, attempt, ok)| step(*number, *attempt, *ok)).collect();
        let taken = usable(attempt, steps);
        let expected: Vec<_> = expected.iter().map(|number| StepPath::root().child(*number)).collect();
        assert_eq!(taken.into_iter().map(|step| step.path).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_failure_that_an_attempt_ended_with_is_tried_again() {
        check(2, &[(1, 1, true), (2, 1, false)], &[1]);
        check(2, &[(1, 1, false), (2, 1, false)], &[]);
    }

    #[test]
    fn a_failure_that_the_agent_went_on_behind_is_kept() {
        check(2, &[(1, 1, false), (2, 1, true), (3, 1, false)], &[1, 2]);
    }

    #[test]
    fn an_attempt_that_goes_on_in_a_new_process_keeps_its_own_failures() {
        check(2, &[(1, 1, true), (3, 1, false), (2, 2, false)], &[1, 2]);
    }

    #[test]
    fn what_steps_below_a_place_used_is_counted_once() {
        let at = |numbers: &[u32], calls: Option<u64>| {
            let path = numbers.iter().fold(StepPath::root(), |path, number| path.child(*number));
            let usage = Usage { model_calls: calls.unwrap_or_default(), ..Usage::default() };
            let mut step = step(1, 1, calls.is_some());
            if calls.is_some() {
                step.outcome = StepOutcome::Answered { output: Payload::default(), usage };
            }
            RecordedStep { path, ..step }
        };
        let steps = vec![
            at(&[1], Some(100)),
            at(&[2, 1], Some(1)),
            // Holds what is below it.
            at(&[2, 2], Some(6)),
            at(&[2, 2, 1], Some(4)),
            at(&[2, 2, 2], Some(2)),
            // Failed, and so holds nothing.
            at(&[2, 3], None),
            at(&[2, 3, 1], Some(8)),
            at(&[3], Some(100)),
        ];
        let attempt = Attempt {
            number: 2,
            recorded: steps.into_iter().map(|step| (step.path.clone(), step)).collect(),
        };
        assert_eq!(attempt.usage_below(&StepPath::root().child(2)).model_calls, 15);
    }
}
