//! Taking a step from what is written down, and writing one down.

use playhouse_protocol::envelope::EnvelopeError;
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::journal::{Fingerprint, Payload, RecordedStep, StepKind, StepOutcome, StepPath};
use playhouse_protocol::{Failure, FailureClass, Usage};

use super::AgentContext;
use crate::agent::{Agent, AgentError};
use crate::task::NewStep;

/// What a step is, before it has ended.
#[derive(Debug)]
pub(super) struct StepHead {
    pub(super) path: StepPath,
    pub(super) kind: StepKind,
    pub(super) label: String,
    pub(super) fingerprint: Fingerprint,
}

impl AgentContext {
    /// The outcome of a step that is written down, if it is the step that is asked now. `asked` tells what is.
    pub(super) fn replay(
        &self,
        recorded: RecordedStep,
        fingerprint: Fingerprint,
        asked: &str,
    ) -> Result<Payload, AgentError> {
        if recorded.fingerprint != fingerprint {
            let was = match &recorded.kind {
                StepKind::ModelCall { .. } => "a model",
                StepKind::AgentCall { agent } => agent,
                StepKind::Effect => &recorded.label,
            };
            return Err(AgentError::NonDeterministic {
                step: recorded.path.to_string(),
                recorded: format!("{was} ({})", recorded.fingerprint),
                asked: format!("{asked} ({fingerprint})"),
            });
        }
        match recorded.outcome {
            StepOutcome::Answered { output, usage } => {
                self.task.count_recorded(usage);
                let step = self.task.next_step();
                let path = recorded.path.to_string();
                self.task.emit(|| TaskEventKind::StepReplayed { step, path });
                Ok(output)
            }
            StepOutcome::Failed(failure) => {
                // An agent that failed had asked before; it is not run again, so nobody else counts that.
                self.task.count_recorded(self.task.recorded_usage_below(&recorded.path));
                Err(failure.into())
            }
        }
    }

    /// Writes down how a step ended. Returns when that is durable.
    pub(super) async fn write_down<T>(
        &self,
        head: StepHead,
        input: Result<Payload, EnvelopeError>,
        ended: &Result<T, AgentError>,
        output: impl FnOnce(&T) -> Result<(Payload, Usage), EnvelopeError>,
    ) -> Result<(), AgentError> {
        if !self.task.is_journaled() {
            return Ok(());
        }
        let outcome = match ended {
            Ok(answer) => {
                let (output, usage) = output(answer).map_err(Failure::from)?;
                StepOutcome::Answered { output, usage }
            }
            Err(error) if is_end_of_task(error) => return Ok(()),
            Err(error) => StepOutcome::Failed(error.clone().into()),
        };
        let input = input.map_err(Failure::from)?;
        let StepHead { path, kind, label, fingerprint } = head;
        self.task.record(NewStep { path, kind, label, fingerprint, outcome, input }).await
    }
}

/// Whether nothing may follow a failure but the end of the task or of the process: another process must not
/// be told of it.
fn is_end_of_task(error: &AgentError) -> bool {
    matches!(error.class(), FailureClass::Cancelled | FailureClass::Deadline)
        || matches!(error, AgentError::NonDeterministic { .. } | AgentError::Unreadable { .. })
}

pub(super) fn unreadable(path: &StepPath, error: &EnvelopeError) -> AgentError {
    AgentError::Unreadable { step: path.to_string(), reason: error.to_string() }
}

/// The bytes of an agent's own value.
pub(super) fn write_value<A: Agent, T: serde::Serialize>(
    what: &'static str,
    value: &T,
) -> Result<Vec<u8>, AgentError> {
    playhouse_protocol::envelope::encode_agent_value(A::VERSION, value)
        .map_err(|error| AgentError::Unwritable { kind: A::KIND, what, reason: error.to_string() })
}
