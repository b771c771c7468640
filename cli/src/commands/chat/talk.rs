//! The conversation that goes on.

use std::path::PathBuf;
use std::sync::Arc;

use playhouse_protocol::chat::{ChatReply, ChatTurn, Conversation};
use playhouse_protocol::completion::StopReason;
use playhouse_protocol::{ConversationId, Failure, SeededSource, WallClock as _};
use playhouse_runtime::actors::chat::{Chat, ConversationStore};
use playhouse_runtime::{Agent as _, SystemWallClock};

use super::ask::{Answered, Asking};
use super::lines::{Lines, Read};
use super::slash::{self, Line, Slash};
use crate::app::App;
use crate::args::ChatArgs;
use crate::commands::fetch;
use crate::exit::ExitStatus;
use crate::render::{SCRIPTED_LABEL, words};
use crate::session::Session;
use crate::signals::Interrupts;
use crate::style::printable;

/// A terminal's side of a conversation.
pub(super) struct Talk<'a> {
    pub(super) app: &'a App,
    pub(super) args: &'a ChatArgs,
    pub(super) session: Session,
    pub(super) store: Arc<dyn ConversationStore>,
    pub(super) current: Current,
    interrupts: Interrupts,
    ids: SeededSource,
    clock: SystemWallClock,
    is_told_scripted: bool,
}

/// The conversation that is talked in.
pub(super) struct Current {
    pub(super) id: ConversationId,
    /// Whether it is kept already: a conversation in which nothing was said is not.
    pub(super) is_begun: bool,
    /// What is asked from the next turn on.
    pub(super) model: Option<String>,
    pub(super) system: Option<String>,
}

/// What follows a line.
pub(super) enum Next {
    Line,
    Leave(ExitStatus),
}

pub(super) async fn run(
    app: &App,
    args: &ChatArgs,
    prompt: Option<String>,
    mut interrupts: Interrupts,
) -> Result<ExitStatus, Failure> {
    let store = super::store_of(app, args).await?;
    let resumed = match &args.conversation {
        Some(name) => Some(super::find(&*store, name).await?),
        None => None,
    };
    let session = super::start(app, &store, &mut interrupts).await?;
    let (ids, clock) = (super::ids(), SystemWallClock::now());
    let mut talk = Talk {
        app,
        args,
        session,
        store,
        current: Current {
            id: ConversationId::new(clock.unix_ms(), &ids),
            is_begun: false,
            model: args.model.model.clone(),
            system: args.system.clone(),
        },
        interrupts,
        ids,
        clock,
        is_told_scripted: false,
    };
    if let Some(conversation) = &resumed {
        talk.go_on_with(conversation);
        talk.current.model = args.model.model.clone().or(talk.current.model);
        talk.current.system = args.system.clone().or(talk.current.system);
    }
    let done = match prompt {
        Some(text) => talk.ask_once(text).await,
        None => talk.go_on().await,
    };
    talk.session.end().await;
    done
}

impl Talk<'_> {
    /// Talks in this conversation from now on.
    pub(super) fn go_on_with(&mut self, conversation: &Conversation) {
        self.current = Current {
            id: conversation.id,
            is_begun: true,
            model: conversation.model.clone(),
            system: conversation.system.clone(),
        };
        let title = printable(&conversation.title).into_owned();
        let len = words::counted(conversation.messages.len() as u64, "message");
        self.app.ui.note(&format!("going on with {title:?} ({len})"));
    }

    /// Begins a new conversation with the same model and system text.
    pub(super) fn begin_new(&mut self) {
        self.current.id = ConversationId::new(self.clock.unix_ms(), &self.ids);
        self.current.is_begun = false;
    }

    /// The conversation as it stands.
    pub(super) async fn conversation(&self) -> Result<Conversation, Failure> {
        if let Some(found) = self.store.get(self.current.id).await? {
            return Ok(found);
        }
        let mut conversation = Conversation::new(self.current.id, self.clock.unix_ms());
        conversation.model.clone_from(&self.current.model);
        conversation.system.clone_from(&self.current.system);
        Ok(conversation)
    }

    async fn ask_once(&mut self, text: String) -> Result<ExitStatus, Failure> {
        let answered = self.say(text).await?;
        if self.current.is_begun && !self.args.ephemeral {
            self.app.ui.note(&format!("conversation: {}", self.current.id));
        }
        Ok(match answered {
            Answered::Whole(_) => ExitStatus::Success,
            Answered::Cut { .. } => super::stopped(&self.interrupts),
        })
    }

    /// Reads lines and answers them, to the end of the input.
    async fn go_on(&mut self) -> Result<ExitStatus, Failure> {
        let mut lines = Lines::open(self.history())?;
        let is_terminal = lines.is_terminal();
        if is_terminal {
            self.app.ui.note("Talk to the model; /help shows what else can be said, Ctrl-D leaves.");
        }
        // The worst that became of a line, for scripts.
        let mut status = ExitStatus::Success;
        loop {
            let reading = tokio::task::spawn_blocking(move || {
                let read = lines.read("> ");
                (lines, read)
            });
            self.interrupts.forget();
            let read;
            (lines, read) = tokio::select! {
                biased;
                // While a line is typed, Ctrl-C reaches the editor and not this.
                told = self.interrupts.next() => return Ok(told),
                read = reading => read.map_err(|_| Failure::internal("read a line: its thread ended"))?,
            };
            let line = match read? {
                Read::Line(line) if line.trim().is_empty() => continue,
                Read::Line(line) => line,
                Read::Cleared => continue,
                Read::End => break,
            };
            match self.take(&line).await {
                Ok(Next::Line) => {}
                Ok(Next::Leave(told)) => return Ok(told),
                Err(failure) => {
                    self.app.ui.failure(&failure);
                    status = ExitStatus::of(failure.class);
                }
            }
        }
        if self.current.is_begun && !self.args.ephemeral {
            self.app.ui.note(&format!("conversation: {}", self.current.id));
        }
        Ok(if is_terminal { ExitStatus::Success } else { status })
    }

    /// Does what a line says.
    async fn take(&mut self, line: &str) -> Result<Next, Failure> {
        match slash::parse(line)? {
            Line::Slash(Slash::Quit) => Ok(Next::Leave(ExitStatus::Success)),
            Line::Slash(command) => self.run_slash(command).await,
            Line::Said(text) => self.say(text).await.map(|answered| self.behind(&answered)),
        }
    }

    /// What follows an answer: one that SIGTERM stopped is the last.
    pub(super) fn behind(&self, _answered: &Answered) -> Next {
        if self.interrupts.is_terminated() { Next::Leave(ExitStatus::Terminated) } else { Next::Line }
    }

    /// Says something to the model, and tells what became of it.
    pub(super) async fn say(&mut self, text: String) -> Result<Answered, Failure> {
        let turn = ChatTurn {
            model: self.current.model.clone(),
            system: self.current.system.clone(),
            sampling: self.args.model.sampling(),
            ..ChatTurn::new(self.current.id, text)
        };
        let options = self.args.limits.options();
        self.session.runtime.check::<Chat>(&turn, &options)?;
        let wanted = [(Chat::KIND, self.current.model.as_deref())];
        let fetched =
            fetch::ensure(self.app, self.session.runtime.catalog(), &wanted, self.args.model.no_pull);
        super::or_interrupted(&mut self.interrupts, fetched).await?;
        let is_new = !self.current.is_begun;
        if is_new {
            self.store.create(self.conversation().await?).await?;
        }
        self.interrupts.forget();
        let begun_ms = self.clock.unix_ms();
        let asking = Asking {
            app: self.app,
            runtime: &self.session.runtime,
            store: &*self.store,
            options,
            unix_ms: begun_ms,
        };
        let answered = asking.ask(turn, &mut self.interrupts).await;
        let is_kept = !matches!(answered, Err(_) | Ok(Answered::Cut { is_kept: false }));
        if is_new && !is_kept {
            // Nothing was said in it.
            self.store.delete(self.current.id).await?;
        }
        self.current.is_begun = self.current.is_begun || is_kept;
        match answered.as_ref() {
            Ok(Answered::Whole(reply)) => self.tell(reply, self.clock.unix_ms().saturating_sub(begun_ms)),
            Ok(Answered::Cut { is_kept: true }) => {
                self.app.ui.note("stopped; what has come is kept, marked as cut");
            }
            Ok(Answered::Cut { is_kept: false }) => {
                self.app.ui.note("stopped; nothing had come, and the question is not kept");
            }
            Err(_) => {}
        }
        answered
    }

    /// What is to be known of an answer beside its text.
    fn tell(&mut self, reply: &ChatReply, elapsed_ms: u64) {
        let ui = &self.app.ui;
        let completion = &reply.completion;
        if completion.origin.provider.is_scripted() && !self.is_told_scripted {
            self.is_told_scripted = true;
            ui.note(SCRIPTED_LABEL);
        }
        if let Some(condensed) = &reply.condensed {
            let (before, after) = (condensed.tokens_before, condensed.tokens_after);
            ui.note(&format!(
                "the conversation neared the model's limit: models are sent {} of it now instead of {}; the original is kept",
                words::counted(after, "token"),
                words::thousands(before)
            ));
        }
        match completion.stop_reason {
            StopReason::Stop => {}
            StopReason::Length => ui.warn("the answer was cut at its longest length"),
            StopReason::ContentFilter => ui.warn("the provider withheld a part of the answer"),
        }
        let told = format!(
            "{} · {} · {}",
            printable(&completion.origin.model),
            words::usage(&completion.usage),
            words::seconds(elapsed_ms)
        );
        ui.note(&ui.stderr_style().dim(&told));
    }

    /// The file of the lines that were typed.
    fn history(&self) -> Option<PathBuf> {
        let beside = self.app.environment.conversations_file()?;
        (!self.args.ephemeral).then(|| beside.with_file_name("chat_history"))
    }

    /// The time of day.
    pub(super) fn unix_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// Where ids are drawn from.
    pub(super) const fn ids(&self) -> &SeededSource {
        &self.ids
    }
}
