//! Entries to check with.

use playhouse_protocol::journal::{
    FailedAttempt, Fingerprint, Payload, RecordedStep, StepKind, StepOutcome, StepPath,
};
use playhouse_protocol::task::{TaskOptions, TaskStatus};
use playhouse_protocol::{Failure, FailureClass, IdempotencyKey, TaskId, TenantId, Usage};

use super::super::{AcceptedTask, Entry, TaskEnd};

/// The id of the `number`th task: a larger number is a later one.
pub fn id(number: u64) -> TaskId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    TaskId::from_bytes(bytes)
}

/// The `number`th task, without a key.
pub fn task(number: u64) -> AcceptedTask {
    AcceptedTask {
        id: id(number),
        kind: "sample".to_owned(),
        options: TaskOptions::default(),
        parent: None,
        submitted_unix_ms: 1_000 + number,
        deadline_unix_ms: 9_000 + number,
        request: Payload::single(format!("request {number}").into_bytes()),
    }
}

/// The `number`th task, of a tenant and under a key.
pub fn keyed(number: u64, tenant: &str, key: &str) -> AcceptedTask {
    let options = TaskOptions {
        tenant: TenantId::try_from(tenant.to_owned()).unwrap(),
        idempotency_key: Some(IdempotencyKey::try_from(key.to_owned()).unwrap()),
        ..TaskOptions::default()
    };
    AcceptedTask { options, ..task(number) }
}

/// Its acceptance.
pub fn accepted(task: AcceptedTask) -> Entry {
    Entry::Accepted(Box::new(task))
}

/// A step of the `number`th task at `path`: answered with a text, or failed.
pub fn step(number: u64, path: &str, answer: Option<&str>, unix_ms: u64) -> Entry {
    let outcome = match answer {
        Some(answer) => StepOutcome::Answered {
            output: Payload::single(answer.as_bytes()),
            usage: Usage { model_calls: 1, ..Usage::default() },
        },
        None => StepOutcome::Failed(failure("step")),
    };
    let step = RecordedStep {
        path: path.parse::<StepPath>().unwrap(),
        attempt: 1,
        kind: StepKind::ModelCall { model: "m".to_owned() },
        label: "ask".to_owned(),
        fingerprint: Fingerprint([7; 32]),
        outcome,
        unix_ms,
    };
    let input = Payload::single(format!("asked at {path}").into_bytes());
    Entry::StepEnded { task: id(number), step: Box::new(step), input }
}

/// A failure with a text.
pub fn failure(text: &str) -> Failure {
    Failure::new(FailureClass::Retryable, text).with_hint("Try again.").with_retry_after_ms(5)
}

/// A failed attempt of the `number`th task.
pub fn failed_attempt(number: u64, attempt: u32) -> Entry {
    let attempt = FailedAttempt { attempt, failure: failure("attempt"), unix_ms: 2_000 };
    Entry::AttemptFailed { task: id(number), attempt }
}

/// The end of the `number`th task.
pub fn ended(number: u64, status: TaskStatus, unix_ms: u64) -> Entry {
    let is_answered = status == TaskStatus::Completed;
    let end = TaskEnd {
        status,
        reply: is_answered.then(|| Payload::single(format!("reply {number}").into_bytes())),
        failure: (!is_answered).then(|| failure("end")),
        usage: Usage { model_calls: 3, prompt_tokens: 5, ..Usage::default() },
        attempts: 2,
        unix_ms,
    };
    Entry::Ended { task: id(number), end: Box::new(end) }
}

/// A dead letter's return.
pub fn reopened(number: u64) -> Entry {
    Entry::Reopened { task: id(number), deadline_unix_ms: 77_000, attempts_max: 9, unix_ms: 60_000 }
}
