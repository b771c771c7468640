//! Catching a panic with its text and its place.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use serde::{Deserialize, Serialize};

use super::hook;

/// How much of a panic's or an error's text is kept, in bytes: enough to recognise it, too little for a
/// document that an actor choked on to travel along.
pub const TEXT_BYTES_MAX: usize = 2_048;

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("panicked: {message}{}", .location.as_ref().map(|at| format!(" at {at}")).unwrap_or_default())]
pub struct PanicCause {
    /// The panic's text, at most [`TEXT_BYTES_MAX`] bytes of it.
    pub message: String,
    /// File, line and column, where they are known: unknown for
    /// [`resume_unwind`](std::panic::resume_unwind), and where somebody replaced the panic hook.
    pub location: Option<String>,
}

/// Runs `future` and returns its panic as a value.
///
/// Nothing is printed for a panic that is caught here. Code that `future` hands to another thread or
/// task is not covered. After a panic the future is dropped, so whatever it borrowed may be half
/// changed: discard it, as a supervisor discards the state of a failed actor.
///
/// # Errors
/// [`PanicCause`] when the future panicked.
pub async fn catch_panic<F: Future>(future: F) -> Result<F::Output, PanicCause> {
    hook::install();
    let mut future = pin!(future);
    poll_fn(|context| match catch_panic_now(|| future.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// [`catch_panic`] for a function that does not wait.
pub(crate) fn catch_panic_now<T>(function: impl FnOnce() -> T) -> Result<T, PanicCause> {
    hook::install();
    let watch = hook::Watch::begin();
    // What the function leaves half changed is discarded by the callers, as `catch_panic` says.
    catch_unwind(AssertUnwindSafe(function))
        .map_err(|payload| PanicCause { message: clip(text_of(payload)), location: watch.end() })
}

/// The text of a panic: `panic!` gives a `&str` or a `String`, anything else has none.
fn text_of(payload: Box<dyn Any + Send>) -> String {
    let payload = match payload.downcast::<String>() {
        Ok(text) => return *text,
        Err(payload) => payload,
    };
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return (*text).to_owned();
    }
    // A payload of any type may panic in its destructor, which must not undo the catch.
    std::mem::forget(payload);
    "a panic without a text".to_owned()
}

/// The text, cut after at most [`TEXT_BYTES_MAX`] bytes at a character's end.
pub(crate) fn clip(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX - '…'.len_utf8())
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}
