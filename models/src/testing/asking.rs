//! Asks models as tests do.

use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use playhouse_protocol::completion::Completion;

use super::{FakeModel, Step, hello};
use crate::client::{CompletionEvent, ModelClient};
use crate::error::ModelError;
use crate::observer::{CallEvent, CallObserver};

/// An observer that notes everything.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<Vec<CallEvent>>);

impl Noted {
    /// What was noted since the last call.
    pub(crate) fn take(&self) -> Vec<CallEvent> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// How often `wanted` was noted so far.
    pub(crate) fn count(&self, wanted: impl Fn(&CallEvent) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }
}

impl CallObserver for Noted {
    fn observe(&self, _: &str, event: &CallEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Asks in the streamed way, and gives the last event.
pub(crate) async fn ask_streamed(model: &dyn ModelClient) -> Result<Completion, ModelError> {
    let events: Vec<_> = model.stream(hello()).try_collect().await?;
    match events.into_iter().last() {
        Some(CompletionEvent::Finished(completion)) => Ok(completion),
        other => panic!("{other:?} is the last event"),
    }
}

/// Asks a model of `steps` in the layer that `wrap` makes, once plainly and once streamed, and gives both outcomes
/// and what `wrap` gave beside the layer.
pub(crate) async fn ask_both_ways<T>(
    steps: &[Step],
    wrap: impl Fn(Arc<FakeModel>) -> (Arc<dyn ModelClient>, T),
) -> (Vec<Result<Completion, ModelError>>, Vec<T>) {
    let (plain, beside_plain) = wrap(FakeModel::new(steps.to_vec()));
    let plain = plain.complete(hello()).await;
    let (streamed, beside_streamed) = wrap(FakeModel::new(steps.to_vec()));
    let streamed = ask_streamed(&*streamed).await;
    (vec![plain, streamed], vec![beside_plain, beside_streamed])
}
