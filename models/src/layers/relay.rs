//! What most layers have in common: something is had before a call may pass, and learns how the call ended.

use std::sync::Arc;

use futures::stream;
use futures::{Future, StreamExt};
use playhouse_protocol::completion::{Completion, CompletionRequest};

use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};

/// What a layer holds while a call runs. Dropped without [`ended`](Self::ended) when the call was dropped: whatever
/// it holds is released then, and the call counts neither as a success nor as a failure.
pub(super) trait Guard: Send {
    /// The first text of a streamed answer has come.
    fn first_text(&mut self) {}

    /// The call has come to its end.
    fn ended(&mut self, outcome: Result<&mut Completion, &mut ModelError>);
}

/// A plain call of `inner` under a guard.
pub(super) async fn complete(
    inner: &dyn ModelClient,
    request: CompletionRequest,
    mut guard: impl Guard,
) -> Result<Completion, ModelError> {
    let mut outcome = inner.complete(request).await;
    guard.ended(outcome.as_mut());
    outcome
}

/// A streamed call between two of its events.
enum Call<A, G> {
    /// Not begun: its guard is not had yet.
    Waiting { admit: A, inner: Arc<dyn ModelClient> },
    /// Begun.
    Running { events: CompletionStream, inner: Arc<dyn ModelClient>, guard: G, text_given: bool },
}

/// A streamed call of `inner` under the guard that `admit` comes to, which gives the request back beside it. Nothing
/// is begun before the first poll.
pub(super) fn stream<A, G>(inner: &Arc<dyn ModelClient>, admit: A) -> CompletionStream
where
    A: Future<Output = Result<(G, CompletionRequest), ModelError>> + Send + 'static,
    G: Guard + 'static,
{
    let call = Call::Waiting { admit, inner: Arc::clone(inner) };
    stream::unfold(Some(call), |call| async move { next(call?).await.into() }).boxed()
}

/// The next event of a call, and the call when more will follow.
async fn next<A, G>(call: Call<A, G>) -> (Result<CompletionEvent, ModelError>, Option<Call<A, G>>)
where
    A: Future<Output = Result<(G, CompletionRequest), ModelError>>,
    G: Guard,
{
    let (mut events, inner, mut guard, mut text_given) = match call {
        Call::Running { events, inner, guard, text_given } => (events, inner, guard, text_given),
        Call::Waiting { admit, inner } => match admit.await {
            Ok((guard, request)) => (inner.stream(request), inner, guard, false),
            Err(error) => return (Err(error), None),
        },
    };
    match events.next().await.unwrap_or_else(|| Err(ended_early(inner.info()))) {
        Ok(CompletionEvent::Finished(mut completion)) => {
            guard.ended(Ok(&mut completion));
            (Ok(CompletionEvent::Finished(completion)), None)
        }
        Ok(event) => {
            if !text_given && matches!(event, CompletionEvent::Delta(_)) {
                text_given = true;
                guard.first_text();
            }
            (Ok(event), Some(Call::Running { events, inner, guard, text_given }))
        }
        Err(mut error) => {
            guard.ended(Err(&mut error));
            (Err(error), None)
        }
    }
}

/// The error of a stream that ended without its last event.
pub(super) fn ended_early(info: &ModelInfo) -> ModelError {
    ModelError::new(info, ModelErrorKind::BrokenStream { reason: "it ended without an answer".to_owned() })
}
