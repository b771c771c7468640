//! Options of a task, checked.

use std::time::Duration;

use playhouse_actors::{Agent, AgentError};
use playhouse_protocol::Failure;
use playhouse_protocol::envelope::EnvelopeError;
use playhouse_protocol::task::{Durability, TaskOptions};

/// The longest time that a task may be given: 30 days. Longer ones are a mistake of units.
pub const TASK_TIMEOUT_MAX: Duration = Duration::from_hours(30 * 24);

/// The most attempts that a task may be given.
pub const ATTEMPTS_MAX: u32 = 100;

/// The time that a task has, checked with its other options.
pub(crate) fn check_options(options: &TaskOptions, default: Duration) -> Result<Duration, Failure> {
    let zero = |field: &str| {
        Failure::invalid(format!("accept a task: budget.{field} is 0, which allows no model call"))
            .with_hint("Leave it out for no limit, or allow at least what one call needs.")
    };
    if options.budget.tokens_max == Some(0) {
        return Err(zero("tokens_max"));
    }
    if options.budget.model_calls_max == Some(0) {
        return Err(zero("model_calls_max"));
    }
    if let Some(attempts) = options.attempts_max.filter(|max| !(1..=ATTEMPTS_MAX).contains(max)) {
        return Err(Failure::invalid(format!("accept a task: attempts_max is {attempts}"))
            .with_hint(format!("Use 1 to {ATTEMPTS_MAX}; 1 tries nothing again.")));
    }
    let longest_ms = u64::try_from(TASK_TIMEOUT_MAX.as_millis()).unwrap_or(u64::MAX);
    if let Some(limit_ms) = options.attempt_timeout_ms.filter(|ms| !(1..=longest_ms).contains(ms)) {
        return Err(Failure::invalid(format!("accept a task: attempt_timeout_ms is {limit_ms}"))
            .with_hint(format!("Use 1 to {longest_ms} milliseconds (30 days), or leave it out.")));
    }
    if options.idempotency_key.is_some() && options.durability == Durability::None {
        return Err(Failure::invalid("accept a task: it has an idempotency_key and durability is none")
            .with_hint(
                "A key is found again only in the journal: use durability full, or leave the key out.",
            ));
    }
    let Some(timeout_ms) = options.timeout_ms else { return Ok(default) };
    let timeout = Duration::from_millis(timeout_ms);
    if timeout.is_zero() || timeout > TASK_TIMEOUT_MAX {
        return Err(Failure::invalid(format!("accept a task: timeout_ms is {timeout_ms}"))
            .with_hint(format!("Use 1 to {} milliseconds (30 days).", TASK_TIMEOUT_MAX.as_millis())));
    }
    Ok(timeout)
}

/// Why a request of agent `A` cannot be accepted: it is too large, or has a form that cannot be written down.
pub(crate) fn unwritable_request<A: Agent>(error: &EnvelopeError) -> Failure {
    if let EnvelopeError::TooLarge { bytes, limit } = error {
        let text = format!("accept a task: the request of agent {} takes {bytes} bytes", A::KIND);
        return Failure::invalid(text).with_hint(format!(
            "At most {limit} bytes are possible: ask about parts of it, or hand over where it is found."
        ));
    }
    AgentError::Unwritable { kind: A::KIND, what: "the request", reason: error.to_string() }.into()
}
