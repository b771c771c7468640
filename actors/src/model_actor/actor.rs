//! The actor itself.

use std::sync::Arc;

use futures::StreamExt;
use playhouse_models::{CompletionEvent, ModelClient, ModelError, ModelErrorKind};
use playhouse_protocol::completion::{Completion, CompletionRequest};
use playhouse_protocol::{FailureClass, Usage};
use playhouse_supervisors::catch_panic;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::handle::{AnswerPart, TokenSink};
use super::message::{ModelCallEnded, ModelMessage};
use super::state::{ModelArgs, ModelState};

/// The queue in front of one model; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelActor;

impl Actor for ModelActor {
    type Msg = ModelMessage;
    type State = ModelState;
    type Arguments = ModelArgs;

    async fn pre_start(
        &self,
        _myself: ActorRef<ModelMessage>,
        args: ModelArgs,
    ) -> Result<ModelState, ActorProcessingErr> {
        args.mailbox.begin();
        Ok(ModelState::new(args))
    }

    async fn handle(
        &self,
        myself: ActorRef<ModelMessage>,
        message: ModelMessage,
        state: &mut ModelState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ModelMessage::Complete { client, request, sink, reply } => {
                state.mailbox.taken();
                begin_call(&myself, state, client, *request, sink, reply);
            }
            ModelMessage::CallEnded(ended) => record(state, ended),
            ModelMessage::GetSnapshot(reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(state.snapshot.clone());
            }
        }
        Ok(())
    }
}

type Reply = oneshot::Sender<Result<Completion, ModelError>>;

fn begin_call(
    myself: &ActorRef<ModelMessage>,
    state: &mut ModelState,
    client: Arc<dyn ModelClient>,
    request: CompletionRequest,
    sink: Option<TokenSink>,
    mut reply: Reply,
) {
    if reply.is_closed() {
        return;
    }
    if state.snapshot.calls_open >= state.calls_open_max {
        state.snapshot.refused += 1;
        let kind = ModelErrorKind::QueueFull { queue_len: state.calls_open_max };
        let _ = reply.send(Err(ModelError::new(client.info(), kind)));
        return;
    }
    state.snapshot.calls_open += 1;
    let stop = state.stop.clone();
    let myself = myself.clone();
    state.calls.spawn(async move {
        let started = Instant::now();
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            () = reply.closed() => None,
            answer = ask(&client, request, sink) => Some(answer),
        };
        let ended = ModelCallEnded {
            elapsed: started.elapsed(),
            usage: match &outcome {
                Some(Ok(completion)) => completion.usage,
                Some(Err(_)) | None => Usage::default(),
            },
            failure: match &outcome {
                Some(Ok(_)) => None,
                Some(Err(error)) => Some(error.class()),
                None => Some(FailureClass::Cancelled),
            },
        };
        // Counted before it is answered, so that whoever has the answer sees it in the counts.
        let _ = myself.cast(ModelMessage::CallEnded(ended));
        if let Some(answer) = outcome {
            let _ = reply.send(answer);
        }
    });
}

/// Drains the stream. A provider that panics fails this call alone.
async fn ask(
    client: &Arc<dyn ModelClient>,
    request: CompletionRequest,
    sink: Option<TokenSink>,
) -> Result<Completion, ModelError> {
    let asked = catch_panic(async {
        let mut events = client.stream(request);
        while let Some(event) = events.next().await {
            let part = match event? {
                CompletionEvent::Delta(text) => AnswerPart::Text(text),
                CompletionEvent::Restarted { reason } => AnswerPart::Restarted { reason },
                CompletionEvent::Finished(completion) => return Ok(completion),
            };
            if let Some(sink) = &sink {
                sink.send(part);
            }
        }
        let kind = ModelErrorKind::BrokenStream { reason: "it ended without an answer".to_owned() };
        Err(ModelError::new(client.info(), kind))
    });
    asked.await.unwrap_or_else(|panic| {
        Err(ModelError::new(client.info(), ModelErrorKind::Internal { reason: panic.to_string() }))
    })
}

fn record(state: &mut ModelState, ended: ModelCallEnded) {
    let snapshot = &mut state.snapshot;
    snapshot.calls_open = snapshot.calls_open.saturating_sub(1);
    match ended.failure {
        None => snapshot.answered += 1,
        Some(FailureClass::Cancelled) => snapshot.cancelled += 1,
        Some(_) => snapshot.failed += 1,
    }
    snapshot.usage += ended.usage;
    tracing::debug!(
        model = snapshot.model,
        elapsed_ms = ended.elapsed.as_millis(),
        completion_tokens = ended.usage.completion_tokens,
        failure = ended.failure.map(playhouse_protocol::FailureClass::as_str),
        "model call ended"
    );
    state.meter.model_call_ended(&snapshot.model, &ended);
}
