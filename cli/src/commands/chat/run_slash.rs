//! The commands within a conversation.

use std::path::Path;

use playhouse_protocol::chat::{Conversation, StoredMessage};
use playhouse_protocol::{Failure, TaskId, Usage};
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::chat::{Change, Chat, ConversationPage, Turn, TurnKey, condense};
use playhouse_runtime::models::ModelWish;

use super::ask::Answered;
use super::measure::{self, Measured};
use super::slash::{HELP, Slash};
use super::talk::{Next, Talk};
use super::{find, scripts};
use crate::args::ExportFormat;
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render::{chat as render, words};
use crate::style::printable;

/// Conversations that `/list` shows.
const LISTED_MAX: usize = 20;

impl Talk<'_> {
    /// Runs a command.
    pub(super) async fn run_slash(&mut self, command: Slash) -> Result<Next, Failure> {
        let ui = &self.app.ui;
        match command {
            Slash::Help => ui.print(HELP)?,
            Slash::Model(None) => {
                let wish = ModelWish::of(Chat::KIND).named(self.current.model.as_deref());
                let chosen = self.session.runtime.catalog().select(&wish)?;
                ui.print(&format!(
                    "{}: {}\n",
                    printable(&chosen.model),
                    printable(&chosen.reason.to_string())
                ))?;
            }
            Slash::Model(Some(name)) => self.set_model(name).await?,
            Slash::System(None) => {
                let system = self.current.system.as_deref().unwrap_or("there are no instructions");
                ui.print(&format!("{}\n", ui.shown(system)))?;
            }
            Slash::System(Some(text)) => self.set_system(Some(text).filter(|text| text != "-")).await?,
            Slash::Tokens => {
                let measured = measure::measure(&self.session, &self.conversation().await?).await?;
                ui.print(&measure::table(&measured, ui.stdout_style()))?;
            }
            Slash::Compress(limit) => self.compress(limit).await?,
            Slash::Retry => return self.retry().await,
            Slash::Undo => {
                self.take_back().await?;
                ui.note("the last question and its answer are gone");
            }
            Slash::New => {
                self.begin_new();
                self.app.ui.note("a new conversation");
            }
            Slash::List => {
                let found = self.store.list(ConversationPage::first(LISTED_MAX)).await?;
                ui.print(&render::list(&found, ui.stdout_style()))?;
            }
            Slash::Resume(name) => {
                let conversation = find(&*self.store, &name).await?;
                self.go_on_with(&conversation);
            }
            Slash::Rename(title) => {
                self.change(Change { title: Some(title), ..Change::default() }).await?;
            }
            Slash::Export { is_json, file } => self.export(is_json, file.as_deref()).await?,
            Slash::Quit => return Ok(Next::Leave(ExitStatus::Success)),
        }
        Ok(Next::Line)
    }

    async fn change(&self, change: Change) -> Result<(), Failure> {
        if !self.current.is_begun {
            return Err(Failure::invalid("change the conversation: nothing was said in it yet")
                .with_hint("Say something first."));
        }
        Ok(self.store.change(self.current.id, change).await?)
    }

    async fn set_model(&mut self, name: String) -> Result<(), Failure> {
        // An unknown one is told now and not with the next question.
        self.session.runtime.catalog().config(&name)?;
        if self.current.is_begun {
            self.change(Change { model: Some(Some(name.clone())), ..Change::default() }).await?;
        }
        self.app.ui.note(&format!("the next answer comes from {}", printable(&name)));
        self.current.model = Some(name);
        Ok(())
    }

    async fn set_system(&mut self, text: Option<String>) -> Result<(), Failure> {
        if self.current.is_begun {
            self.change(Change { system: Some(text.clone()), ..Change::default() }).await?;
        }
        let told =
            if text.is_some() { "the instructions stand from now on" } else { "the instructions are gone" };
        self.app.ui.note(told);
        self.current.system = text;
        Ok(())
    }

    /// Makes what models are sent shorter: to so many tokens, or to half of what it is.
    async fn compress(&self, limit: Option<u64>) -> Result<(), Failure> {
        let mut conversation = self.conversation().await?;
        let Measured { total_tokens, counter, limits, .. } =
            measure::measure(&self.session, &conversation).await?;
        let half = (total_tokens / 2).min(if limits.target == 0 { u64::MAX } else { limits.target });
        let shortened = condense(&*self.store, &mut conversation, limit.unwrap_or(half), counter).await?;
        let told = match shortened {
            Some(condensed) => format!(
                "models are sent {} of the conversation now instead of {}; the original is kept",
                words::counted(condensed.tokens_after, "token"),
                words::thousands(condensed.tokens_before)
            ),
            None => {
                let tokens = words::counted(total_tokens, "token");
                format!(
                    "nothing was changed: the conversation has {tokens} and cannot or need not be shorter"
                )
            }
        };
        self.app.ui.note(&told);
        Ok(())
    }

    /// Takes the last turn back, and gives it.
    async fn take_back(&self) -> Result<(Conversation, Vec<StoredMessage>), Failure> {
        let mut conversation = self.conversation().await?;
        let Some(begin) = conversation.last_turn() else {
            return Err(Failure::invalid("take back the last question: nothing was asked yet")
                .with_hint("Ask something first."));
        };
        self.store.truncate(conversation.id, u32::try_from(begin).unwrap_or(u32::MAX)).await?;
        let gone = conversation.messages.split_off(begin);
        Ok((conversation, gone))
    }

    /// Asks the last question again. The old answer stays when no other one comes.
    async fn retry(&mut self) -> Result<Next, Failure> {
        let (conversation, gone) = self.take_back().await?;
        let question = gone.first().map(|said| said.message.content.clone()).unwrap_or_default();
        let answered = self.say(question).await;
        if matches!(answered, Err(_) | Ok(Answered::Cut { is_kept: false })) {
            // What they used is counted already.
            let messages = gone.into_iter().map(|said| StoredMessage { usage: Usage::default(), ..said });
            let unix_ms = self.unix_ms();
            let back = Turn {
                key: TurnKey::of_task(TaskId::new(unix_ms, self.ids())),
                messages: messages.collect(),
                title: conversation.title,
                model: None,
                system: None,
                unix_ms,
            };
            self.store.append(conversation.id, back).await?;
        }
        Ok(self.behind(&answered?))
    }

    async fn export(&self, is_json: bool, file: Option<&str>) -> Result<(), Failure> {
        let ui = &self.app.ui;
        let format = if is_json { ExportFormat::Json } else { ExportFormat::Markdown };
        let conversation = self.conversation().await?;
        match file {
            None => ui.print(&scripts::document(&ui.safe(conversation)?, format)?),
            Some(name) => {
                let file = OutputFile::check(Path::new(name))?;
                file.write(&scripts::document(&conversation, format)?)?;
                ui.note(&format!("wrote {}", file.path().display()));
                Ok(())
            }
        }
    }
}
