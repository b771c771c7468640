//! Conversations that do not fit into a model's context.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_runtime::config::Config;
use playhouse_runtime::config::settings::{ModelConfig, OverflowPolicy, ProviderConfig};
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{CompletionEvent, CompletionStream, ModelClient, ModelError, ModelInfo};
use playhouse_runtime::protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Condensed, Origin, ProviderKind, Route, StopReason,
};
use playhouse_runtime::protocol::event::TaskEventKind;
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{FailureClass, Usage};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};

/// Tokens that the model holds, and its longest answer.
const CONTEXT_TOKENS: u32 = 1_000;
const ANSWER_TOKENS: u32 = 300;

/// Keeps what it is asked.
#[derive(Debug)]
struct Ear {
    info: ModelInfo,
    asked: Arc<Mutex<Vec<CompletionRequest>>>,
}

impl ModelClient for Ear {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        self.asked.lock().unwrap().push(request);
        let finished = CompletionEvent::Finished(Completion {
            text: "yes".to_owned(),
            stop_reason: StopReason::Stop,
            usage: Usage::default(),
            usage_reported: true,
            route: Route::default(),
            origin: Origin { model: "ear".to_owned(), provider: ProviderKind::Scripted, request_id: None },
        });
        stream::iter([Ok::<_, ModelError>(finished)]).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(counter())
    }
}

fn counter() -> TiktokenCounter {
    TiktokenCounter::for_model("gpt-4o")
}

/// Asks what it is given, and answers how that went.
struct Talker;

impl Agent for Talker {
    const KIND: &'static str = "talker";
    type Request = Vec<ChatMessage>;
    type Reply = (String, Option<Box<Condensed>>);

    async fn run(&self, ctx: &mut AgentContext, talk: Vec<ChatMessage>) -> Result<Self::Reply, AgentError> {
        let completion = ctx.complete(CompletionRequest::new(talk)).await?;
        Ok((completion.text, completion.route.condensed))
    }
}

struct Stage {
    runtime: Runtime,
    asked: Arc<Mutex<Vec<CompletionRequest>>>,
}

async fn stage() -> Stage {
    let info = ModelInfo {
        name: "ear".to_owned(),
        provider: ProviderKind::Scripted,
        context_tokens: CONTEXT_TOKENS,
        completion_tokens_default: ANSWER_TOKENS,
        structured_output: false,
    };
    let asked = Arc::<Mutex<Vec<CompletionRequest>>>::default();
    let runtime = Runtime::builder()
        .seed(1)
        .model("ear", Arc::new(Ear { info, asked: Arc::clone(&asked) }))
        .default_model("ear")
        .agent(Talker)
        .start()
        .await
        .unwrap();
    Stage { runtime, asked }
}

/// A text of about so many tokens, in sentences.
fn story(tokens: usize) -> String {
    (0..tokens / 10).map(|number| format!("In scene {number} somebody walks over the stage. ")).collect()
}

fn talk() -> Vec<ChatMessage> {
    vec![
        ChatMessage::system("Answer with yes or no."),
        ChatMessage::user(story(400)),
        ChatMessage::assistant(story(300)),
        ChatMessage::user(story(200)),
        ChatMessage::assistant("Yes."),
        ChatMessage::user("Does anybody die in the end?"),
    ]
}

#[tokio::test]
async fn a_long_conversation_is_condensed_and_everybody_is_told() {
    let Stage { runtime, asked } = stage().await;
    let task = runtime.submit::<Talker>(talk(), TaskOptions::default()).await.unwrap();
    let mut events = task.watch();
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        if let TaskEventKind::PromptCondensed { condensed, .. } = event.kind {
            told.push(condensed);
        }
    }
    let (_, condensed) = task.result().await.unwrap();
    let condensed = *condensed.unwrap();
    assert_eq!(told, [condensed]);

    let sent = asked.lock().unwrap().remove(0).messages;
    let counted = counter().count_chat(&sent);
    assert!(counted <= u64::from(CONTEXT_TOKENS - ANSWER_TOKENS), "{counted}");
    assert_eq!((condensed.tokens_before, condensed.tokens_after), (counter().count_chat(&talk()), counted));
    assert!(condensed.messages_shortened + condensed.messages_dropped > 0);
    assert_eq!((sent.first(), sent.last()), (talk().first(), talk().last()));

    let metrics = runtime.metrics_text().await.unwrap();
    assert!(metrics.contains("playhouse_model_prompts_condensed_total{model=\"ear\"} 1"), "{metrics}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn what_fits_is_sent_as_it_is() {
    let Stage { runtime, asked } = stage().await;
    let short = vec![ChatMessage::user(story(600))];
    let (_, condensed) = runtime.run::<Talker>(short.clone()).await.unwrap();
    assert_eq!(condensed, None);
    assert_eq!(*asked.lock().unwrap()[0].messages, *short);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn the_answer_makes_room_for_what_is_never_shortened() {
    let Stage { runtime, asked } = stage().await;
    let long = vec![ChatMessage::user(story(800))];
    let (_, condensed) = runtime.run::<Talker>(long.clone()).await.unwrap();
    let left = u64::from(CONTEXT_TOKENS) - counter().count_chat(&long);
    let sent = asked.lock().unwrap().remove(0);
    assert_eq!(*sent.messages, *long);
    assert_eq!(sent.completion_tokens_max.map(u64::from), Some(left));
    assert_eq!(condensed.unwrap().answer_tokens_max.map(u64::from), Some(left));
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn what_does_not_fit_at_all_is_refused_with_its_size_and_not_sent() {
    let Stage { runtime, asked } = stage().await;
    let failure = runtime.run::<Talker>(vec![ChatMessage::user(story(2_000))]).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput);
    let tokens = counter().count_chat(&[ChatMessage::user(story(2_000))]);
    assert!(failure.message.contains(&format!("the prompt has {tokens} tokens")), "{failure}");
    assert!(asked.lock().unwrap().is_empty());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn an_entry_that_refuses_gets_no_condensed_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.yaml");
    std::fs::write(&script, "entries:\n  - answer: 'yes'\n").unwrap();
    let mut config = Config::default();
    let entry = ModelConfig {
        context_tokens: Some(CONTEXT_TOKENS),
        completion_tokens_default: ANSWER_TOKENS,
        overflow: OverflowPolicy::Refuse,
        ..ModelConfig::new(ProviderConfig::Scripted { script })
    };
    config.models.insert("strict".to_owned(), entry);
    config.selection.default = "strict".to_owned();
    let runtime = Runtime::builder().config(config).seed(1).agent(Talker).start().await.unwrap();
    let failure = runtime.run::<Talker>(talk()).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput);
    assert!(failure.message.contains("the model holds 1000 tokens"), "{failure}");
    runtime.shutdown_gracefully().await;
}
