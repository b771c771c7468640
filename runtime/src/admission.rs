//! Who may come in, and how many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use playhouse_actors::metrics_actor::Meter;
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass};

/// The longest time that a task may be given: 30 days. Longer ones are a mistake of units.
pub const TASK_TIMEOUT_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a caller is asked to wait when too many tasks are open. Most tasks ask a model, which takes seconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// Counts open tasks against their bound. One a runtime.
#[derive(Debug)]
pub(crate) struct Admission {
    open: AtomicUsize,
    open_max: usize,
    closed: AtomicBool,
    meter: Arc<Meter>,
}

impl Admission {
    pub(crate) fn new(open_max: usize, meter: Arc<Meter>) -> Self {
        Self { open: AtomicUsize::new(0), open_max, closed: AtomicBool::new(false), meter }
    }

    /// Lets a task in.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admitted, Failure> {
        let refused = if self.closed.load(Ordering::Acquire) {
            Failure::new(FailureClass::Overloaded, "accept a task: the runtime is shutting down")
        } else if self.open.fetch_add(1, Ordering::AcqRel) >= self.open_max {
            self.open.fetch_sub(1, Ordering::AcqRel);
            let open_max = self.open_max;
            Failure::new(
                FailureClass::Overloaded,
                format!("accept a task: {open_max} tasks are open already"),
            )
            .with_hint("Try again later, or raise `limits.tasks_open_max`.")
            .with_retry_after_ms(RETRY_AFTER_MS)
        } else {
            self.meter.task_accepted();
            return Ok(Admitted { admission: Arc::clone(self), failure: Some(FailureClass::Cancelled) });
        };
        self.refuse(refused)
    }

    /// Counts a refusal.
    pub(crate) fn refuse<T>(&self, failure: Failure) -> Result<T, Failure> {
        self.meter.task_refused(failure.class);
        Err(failure)
    }

    /// Lets no further task in.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }
}

/// A task that was let in; open until this is dropped. Dropped without [`Admitted::end`], it counts as
/// cancelled: whoever asked went away.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    failure: Option<FailureClass>,
}

impl Admitted {
    /// Counts how the task ended: `None` for an answer.
    pub(crate) fn end(mut self, failure: Option<FailureClass>) {
        self.failure = failure;
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.open.fetch_sub(1, Ordering::AcqRel);
        self.admission.meter.task_ended(self.failure);
    }
}

/// The time that a task has, checked.
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
    let Some(timeout_ms) = options.timeout_ms else { return Ok(default) };
    let timeout = Duration::from_millis(timeout_ms);
    if timeout.is_zero() || timeout > TASK_TIMEOUT_MAX {
        return Err(Failure::invalid(format!("accept a task: timeout_ms is {timeout_ms}"))
            .with_hint(format!("Use 1 to {} milliseconds (30 days).", TASK_TIMEOUT_MAX.as_millis())));
    }
    Ok(timeout)
}
