//! Which model of a chain is asked next.

use std::borrow::Cow;
use std::sync::Arc;

use playhouse_protocol::FailureClass;
use playhouse_protocol::completion::{Completion, CompletionRequest, PassedOver};

use super::{Candidate, FallingBack};
use crate::client::ModelClient;
use crate::error::ModelError;
use crate::observer::CallEvent;
use crate::tokens::prompt_tokens_at_most;

/// One call on its way through the models.
pub(super) struct Chain<'a> {
    falling_back: Cow<'a, FallingBack>,
    request: CompletionRequest,
    /// The place of the next candidate.
    next: usize,
    first_error: Option<ModelError>,
    /// Who failed or was passed over, in order.
    failed: Vec<PassedOver>,
    /// Requests that were sent by those who failed.
    sent: u32,
}

impl<'a> Chain<'a> {
    pub(super) fn new(falling_back: Cow<'a, FallingBack>, request: CompletionRequest) -> Self {
        Self { falling_back, request, next: 0, first_error: None, failed: Vec::new(), sent: 0 }
    }

    pub(super) fn request(&self) -> &CompletionRequest {
        &self.request
    }

    /// The answer with what came before it.
    pub(super) fn answered(&mut self, mut completion: Completion) -> Completion {
        completion.route.attempts += self.sent;
        completion.route.passed_over = std::mem::take(&mut self.failed);
        completion
    }

    /// The model that is asked after `error`.
    pub(super) async fn next_after(&mut self, error: ModelError) -> Result<Arc<dyn ModelClient>, ModelError> {
        self.sent += error.attempts;
        self.failed.push(PassedOver { model: error.model.clone(), failure: error.kind.to_string() });
        if self.first_error.is_none() {
            if !is_worth_another_model(error.class()) {
                return Err(error);
            }
            self.first_error = Some(error.clone());
        }
        while let Some(candidate) = self.falling_back.others.get(self.next).cloned() {
            self.next += 1;
            match self.fit(&candidate).await {
                Ok(model) => {
                    let FallingBack { first, observer, .. } = &*self.falling_back;
                    let to = candidate.name().to_owned();
                    tracing::warn!(model = %first.info().name, to = %to, "a model failed and another is asked");
                    observer.observe(&first.info().name, &CallEvent::FellBack { to });
                    return Ok(model);
                }
                Err(failure) => {
                    self.failed.push(PassedOver { model: candidate.name().to_owned(), failure });
                }
            }
        }
        let mut first_error = self.first_error.take().unwrap_or(error);
        first_error.attempts = self.sent;
        first_error.also_failed = self.failed.split_off(1);
        Err(first_error)
    }

    /// The candidate's client, when it can be made and holds the request; else why not.
    async fn fit(&self, candidate: &Arc<dyn Candidate>) -> Result<Arc<dyn ModelClient>, String> {
        let model = match candidate.made() {
            Some(model) => model,
            None => {
                let candidate = Arc::clone(candidate);
                let made = tokio::task::spawn_blocking(move || candidate.make()).await;
                made.map_err(|_| "the runtime shuts down".to_owned())??
            }
        };
        let info = model.info();
        let answer = u64::from(self.request.completion_tokens_max.unwrap_or(info.completion_tokens_default));
        let context_tokens = u64::from(info.context_tokens);
        if prompt_tokens_at_most(&self.request.messages).saturating_add(answer) > context_tokens {
            let (counter, messages) = (model.tokens(), self.request.messages.clone());
            let counted = tokio::task::spawn_blocking(move || counter.count_chat(&messages)).await;
            // What cannot be counted is not known not to fit.
            let prompt = counted.unwrap_or_default();
            if prompt.saturating_add(answer) > context_tokens {
                return Err(format!(
                    "it holds {context_tokens} tokens, and the prompt has {prompt}, its answer up to {answer}"
                ));
            }
        }
        Ok(model)
    }
}

/// Whether a failure of the first model is one that another model need not have.
const fn is_worth_another_model(class: FailureClass) -> bool {
    match class {
        FailureClass::Retryable
        | FailureClass::Overloaded
        | FailureClass::Denied
        | FailureClass::Deadline => true,
        FailureClass::InvalidInput | FailureClass::Cancelled | FailureClass::Internal => false,
    }
}
