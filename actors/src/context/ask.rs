//! Asking models.

use std::pin::pin;
use std::sync::Arc;

use playhouse_models::{BudgetExceeded, ModelError};
use playhouse_protocol::completion::{Completion, CompletionRequest, Condensed};
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::journal::StepKind;
use playhouse_protocol::{Failure, Usage};

use super::overflow::Prepared;
use super::parts::WaitingParts;
use super::replay::{self, StepHead};
use super::{AgentContext, ModelCall, SelectedModel, fingerprint, stored};
use crate::agent::AgentError;
use crate::model_actor::{AnswerPart, TokenSink};

/// Is handed the parts of an answer as they arrive.
type Receive<'a> = &'a mut (dyn FnMut(AnswerPart) + Send);

impl AgentContext {
    /// Asks the model for the agent's own task type, with default settings.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn complete(&mut self, request: CompletionRequest) -> Result<Completion, AgentError> {
        let task_type = self.kind;
        self.call(ModelCall { task_type, model: None, label: format!("{task_type}: ask a model"), request })
            .await
    }

    /// Asks a model, as one step of the task: within the budgets, the deadline and the cancellation, counted,
    /// and visible to watchers with its tokens as they come. The answer is written down before it is returned,
    /// and an attempt or a process that comes here again is given it without asking.
    ///
    /// # Errors
    /// `BudgetExceeded` before anything is sent when prompt and longest answer would not fit into what the task, its
    /// tenant or the day has left; the model's own failure (as `Failed` when it was written down: decide on its class);
    /// `Cancelled` and `DeadlineExceeded`; `NonDeterministic` when something else is written down for this step.
    pub async fn call(&mut self, call: ModelCall) -> Result<Completion, AgentError> {
        self.answer(call, None).await
    }

    /// [`call`](Self::call), and hands the answer's text to `receive` as it arrives. What comes behind the last
    /// [`AnswerPart::Restarted`] is the text of the answer; a step that is written down gives it as one part. Parts are
    /// handed over where the agent runs: those that come meanwhile are joined.
    ///
    /// # Errors
    /// As [`call`](Self::call). What was handed over of an answer that failed is void.
    pub async fn stream(
        &mut self,
        call: ModelCall,
        mut receive: impl FnMut(AnswerPart) + Send,
    ) -> Result<Completion, AgentError> {
        self.answer(call, Some(&mut receive)).await
    }

    async fn answer(
        &mut self,
        call: ModelCall,
        receive: Option<Receive<'_>>,
    ) -> Result<Completion, AgentError> {
        let path = self.next_path();
        let fingerprint = fingerprint::of_model_call(&call);
        if let Some(recorded) = self.task.take_recorded(&path) {
            let output = self.replay(recorded, fingerprint, "a model")?;
            let completion =
                stored::to_completion(&output).map_err(|error| replay::unreadable(&path, &error))?;
            if let Some(receive) = receive
                && !completion.text.is_empty()
            {
                receive(AnswerPart::Text(completion.text.clone()));
            }
            return Ok(completion);
        }
        let label = call.label.clone();
        let input = self.task.is_journaled().then(|| stored::of_request(&call.request));
        let (model, answered) = self.ask_model(call, receive).await;
        let kind = StepKind::ModelCall { model };
        let output = |completion: &Completion| Ok((stored::of_completion(completion)?, completion.usage));
        if let Some(input) = input {
            self.write_down(StepHead { path, kind, label, fingerprint }, input, &answered, output).await?;
        }
        answered
    }

    /// Asks a model without regard to what is written down. Returns who was asked beside the answer; nobody
    /// when it did not come so far.
    async fn ask_model(
        &mut self,
        call: ModelCall,
        receive: Option<Receive<'_>>,
    ) -> (String, Result<Completion, AgentError>) {
        let selected = match self.services.models().select(self.wish(&call)).await {
            Ok(selected) => selected,
            Err(failure) => return (String::new(), Err(failure.into())),
        };
        let model = selected.handle.info().name.clone();
        let (task, reason) = (self.task.id(), selected.reason.clone());
        tracing::debug!(%task, task_type = call.task_type, model, reason, "chose a model");
        let mut answered = self.ask_selected(selected, call, receive).await;
        if let Ok(completion) = &mut answered
            && completion.route.reason.is_empty()
        {
            completion.route.reason = reason;
        }
        (model, answered)
    }

    async fn ask_selected(
        &mut self,
        selected: SelectedModel,
        call: ModelCall,
        receive: Option<Receive<'_>>,
    ) -> Result<Completion, AgentError> {
        let Prepared { request, condensed } = selected.prepare(call.request).await?;
        let planned = self.plan(&selected, &request).await?;
        let refused = |error: BudgetExceeded| {
            self.services.meter().budget_refused(&error.scope);
            AgentError::from(error)
        };
        let task_share = self.task.reserve(planned).map_err(refused)?;
        let day_share = self.services.ledger().reserve(self.task.tenant(), planned).map_err(refused)?;
        let step = self.task.next_step();
        self.task.emit(|| TaskEventKind::StepStarted {
            step,
            label: call.label,
            model: Some(selected.handle.info().name.clone()),
        });
        if let Some(condensed) = condensed {
            self.tell_condensed(&selected, step, condensed);
        }
        let mut answered = self.ask_in_time(&selected, request, step, receive).await;
        if let Ok(completion) = &mut answered {
            completion.route.condensed = condensed.map(Box::new);
        }
        match &answered {
            Ok(completion) => {
                let usage = completion.usage;
                task_share.settle(usage);
                day_share.settle(usage);
                self.task.emit(|| TaskEventKind::StepCompleted { step, usage });
            }
            // Both shares are given back: a call that failed tells no usage.
            Err(error) => {
                self.task.emit(|| TaskEventKind::StepFailed { step, failure: Failure::from(error.clone()) });
            }
        }
        answered
    }

    fn tell_condensed(&self, selected: &SelectedModel, step: u32, condensed: Condensed) {
        let model = &selected.handle.info().name;
        self.services.meter().prompt_condensed(model, &condensed);
        let task = self.task.id();
        let Condensed { tokens_before, tokens_after, messages_shortened, messages_dropped, .. } = condensed;
        tracing::info!(
            %task, model, tokens_before, tokens_after, messages_shortened, messages_dropped,
            "a conversation did not fit and was condensed"
        );
        self.task.emit(|| TaskEventKind::PromptCondensed { step, condensed });
    }

    /// The question itself, until its answer, its failure, or the end of the task's time.
    async fn ask_in_time(
        &self,
        selected: &SelectedModel,
        request: CompletionRequest,
        step: u32,
        receive: Option<Receive<'_>>,
    ) -> Result<Completion, AgentError> {
        let waiting = receive.is_some().then(WaitingParts::new);
        let sink = self.sink(step, waiting.as_ref());
        let answer = hand_over(selected.handle.complete(request, sink), waiting, receive);
        tokio::select! {
            biased;
            answer = answer => answer.map_err(AgentError::from),
            () = self.task.cancel().cancelled() => Err(AgentError::Cancelled),
            () = tokio::time::sleep_until(self.task.deadline()) => Err(self.task.deadline_error()),
        }
    }

    /// Where the parts of an answer go; nowhere when nobody looks.
    fn sink(&self, step: u32, waiting: Option<&Arc<WaitingParts>>) -> Option<TokenSink> {
        let watched = self.task.is_watched().then(|| Arc::clone(&self.task));
        let waiting = waiting.cloned();
        if watched.is_none() && waiting.is_none() {
            return None;
        }
        Some(TokenSink::new(move |part| {
            if let Some(waiting) = &waiting {
                waiting.push(part.clone());
            }
            if let Some(task) = &watched {
                task.emit(|| match part {
                    AnswerPart::Text(text) => TaskEventKind::Tokens { step, text },
                    AnswerPart::Restarted { reason } => TaskEventKind::AnswerRestarted { step, reason },
                });
            }
        }))
    }

    /// What a call would use at most: the prompt by exact count, and the longest answer. Counted only where something
    /// is limited.
    async fn plan(&self, selected: &SelectedModel, request: &CompletionRequest) -> Result<Usage, AgentError> {
        let budget = self.task.budget();
        let mut planned = Usage { model_calls: 1, ..Usage::default() };
        let is_limited = budget.tokens_max.is_some()
            || budget.cost_nano_usd_max.is_some()
            || self.services.ledger().is_limited(self.task.tenant());
        if !is_limited {
            return Ok(planned);
        }
        planned.prompt_tokens = selected.count_prompt(&request.messages).await?;
        planned.completion_tokens = u64::from(
            request.completion_tokens_max.unwrap_or(selected.handle.info().completion_tokens_default),
        );
        planned.cost_nano_usd = selected.cost_nano_usd(&planned);
        Ok(planned)
    }
}

/// Waits for an answer, and hands its parts over meanwhile.
async fn hand_over(
    answer: impl Future<Output = Result<Completion, ModelError>>,
    waiting: Option<Arc<WaitingParts>>,
    receive: Option<Receive<'_>>,
) -> Result<Completion, ModelError> {
    let (Some(waiting), Some(receive)) = (waiting, receive) else { return answer.await };
    let mut answer = pin!(answer);
    let mut is_empty = true;
    let mut hand = |part: AnswerPart| {
        is_empty = matches!(part, AnswerPart::Restarted { .. });
        receive(part);
    };
    let answered = loop {
        tokio::select! {
            biased;
            answered = &mut answer => break answered,
            parts = waiting.next() => parts.into_iter().for_each(&mut hand),
        }
    };
    waiting.take().into_iter().for_each(&mut hand);
    if let Ok(completion) = &answered
        && is_empty
        && !completion.text.is_empty()
    {
        // A model may give its answer whole.
        receive(AnswerPart::Text(completion.text.clone()));
    }
    answered
}
