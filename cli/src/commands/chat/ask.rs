//! One question and its answer, as it comes.

use playhouse_protocol::Failure;
use playhouse_protocol::FailureClass;
use playhouse_protocol::chat::{ChatReply, ChatTurn, StoredMessage};
use playhouse_protocol::completion::Origin;
use playhouse_protocol::event::{TaskEvent, TaskEventKind};
use playhouse_protocol::task::TaskOptions;
use playhouse_runtime::actors::chat::{Chat, ConversationStore, Turn, TurnKey, title_of};
use playhouse_runtime::{Runtime, TaskHandle};

use crate::app::App;
use crate::render::words;
use crate::signals::Interrupts;
use crate::style::printable;

/// How a question ended.
#[derive(Debug)]
pub(super) enum Answered {
    Whole(Box<ChatReply>),
    /// It was stopped; whether something of the answer was kept.
    Cut {
        is_kept: bool,
    },
}

/// An answer on its way.
#[derive(Debug, Default)]
struct Arriving {
    text: String,
    model: Option<String>,
}

/// Who asks whom, and where that is kept.
pub(super) struct Asking<'a> {
    pub(super) app: &'a App,
    pub(super) runtime: &'a Runtime,
    pub(super) store: &'a dyn ConversationStore,
    pub(super) options: TaskOptions,
    pub(super) unix_ms: u64,
}

impl Asking<'_> {
    /// Asks, and writes the answer as it comes. Ctrl-C and SIGTERM stop it: what has come is kept then, with its question,
    /// marked as cut.
    pub(super) async fn ask(self, turn: ChatTurn, interrupts: &mut Interrupts) -> Result<Answered, Failure> {
        let handle = self.runtime.submit::<Chat>(turn.clone(), self.options.clone()).await?;
        let mut events = handle.watch();
        let mut arriving = Arriving::default();
        let mut is_stopped = false;
        loop {
            tokio::select! {
                biased;
                _ = interrupts.next(), if !is_stopped => {
                    is_stopped = true;
                    handle.cancel();
                }
                event = events.next() => match event {
                    Some(event) => self.show(&event, &mut arriving)?,
                    None => break,
                }
            }
        }
        match handle.result().await {
            Ok(reply) => {
                self.finish(&arriving, &reply.completion.text)?;
                Ok(Answered::Whole(Box::new(reply)))
            }
            Err(failure) => {
                self.end_line(&arriving.text)?;
                if is_stopped && failure.class == FailureClass::Cancelled {
                    let is_kept = self.keep(&handle, turn, arriving).await?;
                    return Ok(Answered::Cut { is_kept });
                }
                Err(failure)
            }
        }
    }

    fn show(&self, event: &TaskEvent, arriving: &mut Arriving) -> Result<(), Failure> {
        let ui = &self.app.ui;
        match &event.kind {
            TaskEventKind::StepStarted { model: Some(model), .. } => arriving.model = Some(model.clone()),
            TaskEventKind::Tokens { text, .. } => {
                arriving.text.push_str(text);
                ui.print(&ui.shown(text))?;
            }
            TaskEventKind::TokensSkipped { .. } => arriving.text.push_str(" […] "),
            TaskEventKind::AnswerRestarted { reason, .. } => self.begin_anew(arriving, reason)?,
            TaskEventKind::AttemptFailed { failure, .. } => {
                let reason = format!("the model failed to {}", failure.message);
                self.begin_anew(arriving, &reason)?;
            }
            TaskEventKind::PromptCondensed { condensed, .. } => ui.note(&format!(
                "the question was sent with {} instead of {}, for the model holds no more",
                words::counted(condensed.tokens_after, "token"),
                words::thousands(condensed.tokens_before)
            )),
            // Lifecycle that a reader of the answer has no use for.
            _ => {}
        }
        Ok(())
    }

    /// What was written so far is void.
    fn begin_anew(&self, arriving: &mut Arriving, reason: &str) -> Result<(), Failure> {
        self.end_line(&arriving.text)?;
        arriving.text.clear();
        self.app.ui.warn(&format!("{}; the answer begins anew", printable(reason)));
        Ok(())
    }

    /// Ends the line that the cursor is in.
    fn end_line(&self, written: &str) -> Result<(), Failure> {
        if written.is_empty() || written.ends_with('\n') { Ok(()) } else { self.app.ui.print("\n") }
    }

    /// Writes what is missing of the answer: a reader who is slow loses parts on the way.
    fn finish(&self, arriving: &Arriving, text: &str) -> Result<(), Failure> {
        let ui = &self.app.ui;
        if let Some(rest) = text.strip_prefix(&arriving.text) {
            ui.print(&ui.shown(rest))?;
        } else {
            self.end_line(&arriving.text)?;
            ui.warn("parts of the answer were lost on the way; this is the whole");
            ui.print(&ui.shown(text))?;
        }
        self.end_line(text)
    }

    /// Keeps a question with what has come of its answer. An answer that was faster than the stop stays as it is.
    async fn keep(
        &self,
        handle: &TaskHandle<Chat>,
        turn: ChatTurn,
        arriving: Arriving,
    ) -> Result<bool, Failure> {
        if arriving.text.is_empty() {
            return Ok(false);
        }
        let origin = arriving.model.and_then(|model| {
            let provider = self.runtime.catalog().client(&model).ok()?.info().provider;
            Some(Origin { model, provider, request_id: None })
        });
        let answer = StoredMessage::cut_answer(arriving.text, origin, self.unix_ms);
        let said = Turn {
            key: TurnKey::of_task(handle.id()),
            title: title_of(&turn.text),
            messages: vec![StoredMessage::question(turn.text, self.unix_ms), answer],
            model: turn.model,
            system: turn.system,
            unix_ms: self.unix_ms,
        };
        self.store.append(turn.conversation, said).await?;
        Ok(true)
    }
}
