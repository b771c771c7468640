//! Conversations: streamed, appended once, cut, condensed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_runtime::actors::chat::{
    Appended, Change, Chat, ConversationError, ConversationErrorKind, ConversationPage, ConversationStore,
    MemoryConversations, Turn, TurnKey,
};
use playhouse_runtime::config::Config;
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{CompletionEvent, CompletionStream, ModelClient, ModelError, ModelInfo};
use playhouse_runtime::protocol::chat::{
    ChatTurn, CondensedView, Conversation, ConversationSummary, StoredMessage,
};
use playhouse_runtime::protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_runtime::protocol::event::TaskEventKind;
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{ConversationId, FailureClass, SeededSource, TaskId, Usage};
use playhouse_runtime::store::{MemoryStore, TaskStore};
use playhouse_runtime::{Agent as _, Runtime};
use tokio::sync::Notify;

/// Tokens that the model holds, and its longest answer.
const CONTEXT_TOKENS: u32 = 1_200;
const ANSWER_TOKENS: u32 = 200;

/// Answers "one two three" word by word, and keeps what it is asked.
#[derive(Debug)]
struct Speaker {
    info: ModelInfo,
    stage: Arc<Stage>,
}

/// What a test sees, and decides.
#[derive(Debug, Default)]
struct Stage {
    asked: Mutex<Vec<CompletionRequest>>,
    /// Whether the model falls silent after its first word.
    falls_silent: AtomicBool,
    /// Appends that are made and then told as failed.
    lost_appends: AtomicUsize,
    silent: Notify,
}

impl ModelClient for Speaker {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        self.stage.asked.lock().unwrap().push(request);
        let word = |text: &str| Ok::<_, ModelError>(CompletionEvent::Delta(text.to_owned()));
        if self.stage.falls_silent.load(Ordering::SeqCst) {
            let stage = Arc::clone(&self.stage);
            let silence = async move {
                stage.silent.notify_one();
                future::pending().await
            };
            return stream::iter([word("one")]).chain(silence.into_stream()).boxed();
        }
        let usage = Usage { model_calls: 1, prompt_tokens: 5, completion_tokens: 3, ..Usage::default() };
        let finished = CompletionEvent::Finished(Completion {
            text: "one two three".to_owned(),
            stop_reason: StopReason::Stop,
            usage,
            usage_reported: true,
            route: Route::default(),
            origin: Origin {
                model: "speaker".to_owned(),
                provider: ProviderKind::Scripted,
                request_id: None,
            },
        });
        stream::iter([word("one"), word(" two"), word(" three"), Ok(finished)]).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}

/// A store whose connection breaks behind an append, as often as the stage says.
#[derive(Debug)]
struct Shaky {
    inner: MemoryConversations,
    stage: Arc<Stage>,
}

impl ConversationStore for Shaky {
    fn create(&self, conversation: Conversation) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.inner.create(conversation)
    }

    fn get(&self, id: ConversationId) -> BoxFuture<'_, Result<Option<Conversation>, ConversationError>> {
        self.inner.get(id)
    }

    fn list(
        &self,
        page: ConversationPage,
    ) -> BoxFuture<'_, Result<Vec<ConversationSummary>, ConversationError>> {
        self.inner.list(page)
    }

    fn append(&self, id: ConversationId, turn: Turn) -> BoxFuture<'_, Result<Appended, ConversationError>> {
        async move {
            let appended = self.inner.append(id, turn).await;
            let lost = &self.stage.lost_appends;
            if lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                let message = "the cable is loose".to_owned();
                return Err(ConversationError::new("append", ConversationErrorKind::Io { message }));
            }
            appended
        }
        .boxed()
    }

    fn set_condensed(
        &self,
        id: ConversationId,
        view: Option<CondensedView>,
    ) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.inner.set_condensed(id, view)
    }

    fn change(&self, id: ConversationId, change: Change) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.inner.change(id, change)
    }

    fn truncate(&self, id: ConversationId, len: u32) -> BoxFuture<'_, Result<(), ConversationError>> {
        self.inner.truncate(id, len)
    }

    fn delete(&self, id: ConversationId) -> BoxFuture<'_, Result<bool, ConversationError>> {
        self.inner.delete(id)
    }

    fn is_durable(&self) -> bool {
        false
    }
}

struct Theatre {
    stage: Arc<Stage>,
    store: Arc<Shaky>,
    journal: Arc<MemoryStore>,
}

impl Theatre {
    fn new() -> Self {
        let stage = Arc::new(Stage::default());
        let store = Shaky { inner: MemoryConversations::default(), stage: Arc::clone(&stage) };
        Self { stage, store: Arc::new(store), journal: Arc::new(MemoryStore::default()) }
    }

    async fn open(&self) -> Runtime {
        let mut config = Config::default();
        config.attempts.backoff_initial = Duration::from_millis(1);
        let info = ModelInfo {
            name: "speaker".to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: CONTEXT_TOKENS,
            completion_tokens_default: ANSWER_TOKENS,
            structured_output: false,
        };
        Runtime::builder()
            .config(config)
            .seed(1)
            .store(Arc::clone(&self.journal) as Arc<dyn TaskStore>)
            .model("speaker", Arc::new(Speaker { info, stage: Arc::clone(&self.stage) }))
            .default_model("speaker")
            .conversations(Arc::clone(&self.store) as Arc<dyn ConversationStore>)
            .start()
            .await
            .unwrap()
    }

    async fn begin(&self) -> ConversationId {
        let id = ConversationId::new(1, &SeededSource::from_seed(1));
        self.store.create(Conversation::new(id, 1)).await.unwrap();
        id
    }

    async fn read(&self, id: ConversationId) -> Conversation {
        self.store.get(id).await.unwrap().unwrap()
    }

    fn asked(&self) -> Vec<Vec<ChatMessage>> {
        self.stage.asked.lock().unwrap().iter().map(|request| request.messages.to_vec()).collect()
    }
}

fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_str()).collect()
}

#[tokio::test]
async fn an_answer_comes_word_by_word_and_is_kept_with_its_question() {
    let theatre = Theatre::new();
    let (runtime, id) = (theatre.open().await, theatre.begin().await);
    let first = ChatTurn { system: Some("be brief".to_owned()), ..ChatTurn::new(id, "count") };
    let handle = runtime.submit::<Chat>(first, TaskOptions::default()).await.unwrap();
    let mut events = handle.watch();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        if let TaskEventKind::Tokens { text, .. } = event.kind {
            seen.push(text);
        }
    }
    assert_eq!(seen.concat(), "one two three");
    assert!(seen.len() > 1, "{seen:?}");
    let reply = handle.result().await.unwrap();
    assert_eq!((reply.question_at, reply.completion.text.as_str()), (0, "one two three"));
    let second = runtime.run::<Chat>(ChatTurn::new(id, "again")).await.unwrap();
    assert_eq!(second.question_at, 2);
    assert_eq!(
        texts(&theatre.asked()[1]),
        ["be brief", "count", "one two three", "again"],
        "the second question stands on the first answer"
    );
    let conversation = theatre.read(id).await;
    assert_eq!((conversation.title.as_str(), conversation.messages.len()), ("count", 4));
    assert_eq!(conversation.usage.total_tokens(), 16);
    let answer = &conversation.messages[3];
    assert_eq!(answer.origin.as_ref().map(|origin| origin.model.as_str()), Some("speaker"));
    assert!(!answer.is_cut);
}

#[tokio::test]
async fn a_turn_that_is_tried_again_is_asked_and_appended_once() {
    let theatre = Theatre::new();
    let (runtime, id) = (theatre.open().await, theatre.begin().await);
    theatre.stage.lost_appends.store(1, Ordering::SeqCst);
    let reply = runtime.run::<Chat>(ChatTurn::new(id, "count")).await.unwrap();
    assert_eq!(reply.question_at, 0);
    assert_eq!(theatre.asked().len(), 1, "the recorded answer is used");
    assert_eq!(theatre.read(id).await.messages.len(), 2);
}

#[tokio::test]
async fn another_process_goes_on_with_the_turn_where_it_stood() {
    let theatre = Theatre::new();
    let (runtime, id) = (theatre.open().await, theatre.begin().await);
    runtime.run::<Chat>(ChatTurn::new(id, "count")).await.unwrap();
    theatre.stage.lost_appends.store(usize::MAX, Ordering::SeqCst);
    let options = TaskOptions { attempts_max: Some(1), ..TaskOptions::default() };
    let given_up = runtime.submit::<Chat>(ChatTurn::new(id, "again"), options).await.unwrap();
    given_up.result().await.unwrap_err();
    theatre.stage.lost_appends.store(0, Ordering::SeqCst);
    // Meanwhile the conversation went on, was given instructions, and was condensed.
    let change = Change { system: Some(Some("be brief".to_owned())), ..Change::default() };
    theatre.store.change(id, change).await.unwrap();
    let other = Turn {
        key: TurnKey::of_task(TaskId::new(9, &SeededSource::from_seed(9))),
        messages: vec![StoredMessage::question("by another", 9)],
        title: String::new(),
        model: None,
        system: None,
        unix_ms: 9,
    };
    theatre.store.append(id, other).await.unwrap();
    let view = CondensedView {
        until: 1,
        messages: vec![ChatMessage::user("short")],
        tokens_before: 2,
        tokens_after: 1,
    };
    theatre.store.set_condensed(id, Some(view)).await.unwrap();
    runtime.replay(given_up.id()).await.unwrap();
    runtime.wait(given_up.id()).await.unwrap();
    let reply = runtime.attach::<Chat>(given_up.id()).await.unwrap().result().await.unwrap();
    assert_eq!(reply.question_at, 2);
    assert_eq!(theatre.asked().len(), 2, "each question was asked once");
    assert_eq!(theatre.read(id).await.messages.len(), 5);
}

#[tokio::test]
async fn what_had_come_of_a_stopped_answer_can_be_kept_and_a_whole_one_stays() {
    let theatre = Theatre::new();
    let (runtime, id) = (theatre.open().await, theatre.begin().await);
    theatre.stage.falls_silent.store(true, Ordering::SeqCst);
    let handle = runtime.submit::<Chat>(ChatTurn::new(id, "count"), TaskOptions::default()).await.unwrap();
    theatre.stage.silent.notified().await;
    handle.cancel();
    assert_eq!(handle.result().await.unwrap_err().class, FailureClass::Cancelled);
    assert!(theatre.read(id).await.messages.is_empty(), "half an answer is not appended by itself");
    let cut = |key: TaskId| Turn {
        key: TurnKey::of_task(key),
        messages: vec![StoredMessage::question("count", 2), StoredMessage::cut_answer("one", None, 2)],
        title: "count".to_owned(),
        model: None,
        system: None,
        unix_ms: 2,
    };
    assert!(theatre.store.append(id, cut(handle.id())).await.unwrap().is_new);
    theatre.stage.falls_silent.store(false, Ordering::SeqCst);
    let whole = runtime.submit::<Chat>(ChatTurn::new(id, "go on"), TaskOptions::default()).await.unwrap();
    whole.result().await.unwrap();
    assert_eq!(texts(&theatre.asked()[1]), ["count", "one", "go on"], "models are sent what is there");
    assert!(!theatre.store.append(id, cut(whole.id())).await.unwrap().is_new, "it was whole already");
    assert_eq!(theatre.read(id).await.messages.len(), 4);
}

#[tokio::test]
async fn a_conversation_near_the_limit_is_condensed_and_keeps_its_original() {
    let theatre = Theatre::new();
    let (runtime, id) = (theatre.open().await, theatre.begin().await);
    let mut condensed = Vec::new();
    let mut said = Vec::new();
    for number in 0..12 {
        let text = format!("question {number}: {}", "tell me about the harbour of the old town. ".repeat(9));
        said.push(text.clone());
        let reply = runtime.run::<Chat>(ChatTurn::new(id, text)).await.unwrap();
        assert_eq!(reply.completion.route.condensed, None, "the request path had nothing to do");
        condensed.extend(reply.condensed.map(|condensed| (number, condensed)));
    }
    let conversation = theatre.read(id).await;
    assert!(!condensed.is_empty() && condensed.len() < 6, "{condensed:?}");
    let counter = TiktokenCounter::for_model("gpt-4o");
    let limit = u64::from(CONTEXT_TOKENS - ANSWER_TOKENS);
    for asked in theatre.asked() {
        assert!(counter.count_chat(&asked) <= limit * 8 / 10);
    }
    for (number, condensed) in condensed {
        assert!(condensed.tokens_after <= limit / 2 && condensed.tokens_after < condensed.tokens_before);
        let asked = &theatre.asked()[number];
        assert!(asked.len() < number * 2 + 1 || asked[0].content.len() < said[0].len());
        assert_eq!(asked.last().unwrap().content, said[number]);
    }
    let questions: Vec<_> =
        conversation.messages.iter().step_by(2).map(|kept| kept.message.content.clone()).collect();
    assert_eq!(questions, said, "the original is kept word for word");
    assert!(conversation.condensed.is_some());
}

#[tokio::test]
async fn an_unknown_conversation_is_told_and_nothing_is_asked() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let id = ConversationId::new(7, &SeededSource::from_seed(7));
    let failure = runtime.run::<Chat>(ChatTurn::new(id, "hello")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput);
    assert!(failure.message.contains(&id.to_string()) && failure.hint.is_some(), "{failure:?}");
    assert!(theatre.asked().is_empty());
    let empty = runtime.run::<Chat>(ChatTurn::new(id, " ")).await.unwrap_err();
    assert!(empty.message.contains("it is empty"), "{empty}");
    assert_eq!(Chat::KIND, "chat");
}

#[tokio::test]
async fn a_runtime_without_conversations_says_so() {
    let runtime = Runtime::builder().seed(1).start().await.unwrap();
    let id = ConversationId::new(7, &SeededSource::from_seed(7));
    let failure = runtime.run::<Chat>(ChatTurn::new(id, "hello")).await.unwrap_err();
    assert!(failure.message.contains("not registered"), "{failure}");
}
