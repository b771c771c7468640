use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use playhouse_models::tokens::TokenCounter;
use playhouse_models::{
    CompletionEvent, CompletionStream, ModelClient, ModelError, ModelErrorKind, ModelInfo,
};
use playhouse_protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_protocol::{FailureClass, SeededSource, Usage};
use playhouse_supervisors::{
    ChildSpec, MailboxGauge, RestartKind, RootSupervisor, Strategy, SupervisorSpec, ready, shutdown,
};
use tokio::sync::Notify;

use super::{AnswerPart, ModelActor, ModelArgs, ModelHandle, ModelMessage, TokenSink};
use crate::metrics_actor::Meter;

/// Answers "panic" with a panic, "hang" never, and anything else with itself in two parts.
#[derive(Debug)]
struct Parrot {
    info: ModelInfo,
    begun: Notify,
    live: Arc<AtomicUsize>,
}

struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Letters;

impl TokenCounter for Letters {
    fn encoding(&self) -> &'static str {
        "letters"
    }
    fn is_exact(&self) -> bool {
        true
    }
    fn count(&self, text: &str) -> u64 {
        text.len() as u64
    }
    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        messages.iter().map(|message| self.count(&message.content)).sum()
    }
}

impl ModelClient for Parrot {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        self.live.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(Arc::clone(&self.live));
        self.begun.notify_one();
        let keep = move |event| {
            let _ = &alive;
            event
        };
        let text = request.messages[0].content.clone();
        assert_ne!(text, "panic", "told to");
        if text == "hang" {
            return futures::stream::pending().map(keep).boxed();
        }
        let completion = Completion {
            text: text.clone(),
            stop_reason: StopReason::Stop,
            usage: Usage { model_calls: 1, prompt_tokens: 3, completion_tokens: 2, ..Usage::default() },
            usage_reported: true,
            route: Route::default(),
            origin: Origin { model: "parrot".to_owned(), provider: ProviderKind::Scripted, request_id: None },
        };
        let (head, tail) = text.split_at(1);
        let events = [
            Ok(CompletionEvent::Delta(head.to_owned())),
            Ok(CompletionEvent::Delta(tail.to_owned())),
            Ok(CompletionEvent::Finished(completion)),
        ];
        futures::stream::iter(events).map(keep).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(Letters)
    }
}

struct Setting {
    root: RootSupervisor,
    handle: ModelHandle,
    parrot: Arc<Parrot>,
    actor: playhouse_supervisors::Address<ModelMessage>,
}

async fn setting(calls_open_max: usize) -> Setting {
    let parrot = Arc::new(Parrot {
        info: ModelInfo {
            name: "parrot".to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: 100,
            completion_tokens_default: 10,
            structured_output: false,
        },
        begun: Notify::new(),
        live: Arc::default(),
    });
    let meter = Meter::new().unwrap();
    let mailbox = MailboxGauge::default();
    let args = ModelArgs { model: "parrot".to_owned(), calls_open_max, meter, mailbox: mailbox.clone() };
    let child = ChildSpec::actor("parrot", RestartKind::Permanent, move || (ModelActor, args.clone()))
        .with_mailbox(&mailbox);
    let actor = child.address();
    let random = Arc::new(SeededSource::from_seed(1));
    let root = SupervisorSpec::new("models", Strategy::OneForOne, random).with_child(child).spawn().await;
    let root = root.unwrap();
    ready(&root.actor, Duration::from_secs(5)).await.unwrap();
    let client: Arc<dyn ModelClient> = Arc::clone(&parrot) as _;
    Setting { root, handle: ModelHandle::new(client, actor.clone()), parrot, actor }
}

fn say(text: &str) -> CompletionRequest {
    CompletionRequest::new(vec![ChatMessage::user(text)])
}

async fn end(setting: Setting) {
    let report = shutdown(&setting.root.actor, Duration::from_secs(5)).await.unwrap();
    assert!(report.forced().is_empty());
    while setting.parrot.live.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
}

async fn snapshot(setting: &Setting) -> super::ModelSnapshot {
    let actor = setting.actor.get().unwrap();
    actor.call(ModelMessage::GetSnapshot, None).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_answer_comes_in_parts_and_as_a_whole_and_is_counted() {
    let setting = setting(4).await;
    let parts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&parts);
    let sink = TokenSink::new(move |part| seen.lock().unwrap().push(part));
    let answer = setting.handle.complete(say("hello"), Some(sink)).await.unwrap();
    assert_eq!(answer.text, "hello");
    let text = |text: &str| AnswerPart::Text(text.to_owned());
    assert_eq!(*parts.lock().unwrap(), [text("h"), text("ello")]);
    let counts = snapshot(&setting).await;
    assert_eq!((counts.answered, counts.calls_open, counts.usage.prompt_tokens), (1, 0, 3));
    end(setting).await;
}

#[tokio::test]
async fn a_provider_that_panics_fails_that_call_alone() {
    let setting = setting(4).await;
    let error = setting.handle.complete(say("panic"), None).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Internal);
    assert!(error.to_string().contains("told to"), "{error}");
    assert!(setting.handle.complete(say("hello"), None).await.is_ok());
    end(setting).await;
}

#[tokio::test]
async fn calls_past_the_bound_are_refused_at_once_and_places_come_back() {
    let setting = setting(1).await;
    let mut hanging = Box::pin(setting.handle.complete(say("hang"), None));
    tokio::select! {
        _ = &mut hanging => panic!("it cannot answer"),
        () = setting.parrot.begun.notified() => {}
    }
    let refused = setting.handle.complete(say("hello"), None).await.unwrap_err();
    assert_eq!(*refused.kind, ModelErrorKind::QueueFull { queue_len: 1 });
    assert_eq!(refused.class(), FailureClass::Overloaded);

    drop(hanging);
    while snapshot(&setting).await.calls_open > 0 {
        tokio::task::yield_now().await;
    }
    assert!(setting.handle.complete(say("hello"), None).await.is_ok());
    let counts = snapshot(&setting).await;
    assert_eq!((counts.refused, counts.cancelled, counts.answered), (1, 1, 1));
    end(setting).await;
}

#[tokio::test]
async fn a_handle_survives_a_restart_of_the_actor_and_open_calls_are_told() {
    let setting = setting(4).await;
    let mut hanging = Box::pin(setting.handle.complete(say("hang"), None));
    tokio::select! {
        _ = &mut hanging => panic!("it cannot answer"),
        () = setting.parrot.begun.notified() => {}
    }
    setting.actor.get().unwrap().kill();
    let told = hanging.await.unwrap_err();
    assert_eq!(told.class(), FailureClass::Retryable);
    assert!(setting.handle.complete(say("hello"), None).await.is_ok());
    end(setting).await;
}
