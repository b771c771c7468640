//! `playhouse tokens --chat`: a conversation by role and part.

use playhouse_models::tokens::{ModelFacts, TokenAnalysis};
use playhouse_protocol::Failure;
use playhouse_protocol::completion::{ChatMessage, Role};
use serde::{Deserialize, Serialize};

use super::report;
use crate::app::App;
use crate::args::{TableFormat, TokensArgs};
use crate::input;
use crate::render::json;

/// The largest conversation that is read, in bytes: far beyond every window.
const CHAT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most characters of a role that are shown.
const ROLE_LEN_MAX: usize = 40;

#[derive(Debug, Serialize)]
struct CountedChat<'a> {
    path: String,
    messages: usize,
    models: &'a [TokenAnalysis],
}

/// The forms that conversations are written in.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<WrittenMessage>),
    Object { messages: Vec<WrittenMessage> },
}

#[derive(Deserialize)]
struct WrittenMessage {
    role: String,
    content: Content,
}

/// A text, or a list of parts of which those of text are counted.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
    Nothing(()),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

impl Content {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
            Self::Nothing(()) => String::new(),
        }
    }
}

/// The report.
pub(super) fn run(app: &App, args: &TokensArgs, models: &[ModelFacts]) -> Result<String, Failure> {
    let [path] = &args.paths[..] else {
        return Err(Failure::invalid(format!("count a conversation: {} files are named", args.paths.len()))
            .with_hint("Name one file with --chat."));
    };
    let text = input::read_text(&app.ui, path, "the conversation", CHAT_BYTES_MAX)?;
    let name = super::name(path);
    let messages = read(&text).map_err(|reason| {
        Failure::invalid(format!("read the conversation from {name}: {reason}"))
            .with_hint("It is a JSON list of {\"role\": …, \"content\": …}, or an object with such a list as `messages`.")
    })?;
    let analyses: Vec<_> =
        models.iter().map(|model| TokenAnalysis::of_conversation(&messages, model)).collect();
    if args.format == TableFormat::Json {
        let counted = CountedChat { path: name, messages: messages.len(), models: &analyses };
        return json::envelope("tokens_chat", false, &counted);
    }
    let style = app.ui.stdout_style();
    let mut sections = Vec::new();
    for analysis in &analyses {
        let title = if analyses.len() > 1 { format!("{}:\n", analysis.model) } else { String::new() };
        sections.push(title + &report::roles(&analysis.roles, analysis.prompt_tokens, style));
        sections.extend(report::parts(&analysis.parts, None, style));
    }
    sections.push(report::compare(&analyses, style));
    Ok(sections.join("\n"))
}

/// Reads a conversation. What is wrong is told by its place and never by its text.
fn read(text: &str) -> Result<Vec<ChatMessage>, String> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return Err(format!("it is not JSON (line {}, column {})", error.line(), error.column()));
    }
    let written: Written = serde_json::from_str(text).map_err(|_| "it is JSON of another form".to_owned())?;
    let (Written::List(messages) | Written::Object { messages }) = written;
    let read = |(at, message): (usize, WrittenMessage)| {
        let role = match message.role.as_str() {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            other => {
                let shown: String = other.chars().take(ROLE_LEN_MAX).collect();
                return Err(format!("the role {shown:?} of message {} is not known", at + 1));
            }
        };
        Ok(ChatMessage { role, content: message.content.into_text() })
    };
    messages.into_iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_read_in_both_forms_and_parts_of_text_are_joined() {
        let expected = [ChatMessage::system("a"), ChatMessage::user("bc")];
        let messages = r#"[{"role": "developer", "content": "a", "name": "x"},
            {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image_url"}, {"text": "c"}]}]"#;
        assert_eq!(read(messages).unwrap(), expected);
        assert_eq!(read(&format!(r#"{{"id": 1, "messages": {messages}}}"#)).unwrap(), expected);
        assert_eq!(
            read(r#"[{"role": "assistant", "content": null}]"#).unwrap(),
            [ChatMessage::assistant("")]
        );
        assert_eq!(read("[]").unwrap(), []);
    }

    #[test]
    fn what_is_no_conversation_is_told_by_its_place() {
        assert_eq!(read("[{\n  oops").unwrap_err(), "it is not JSON (line 2, column 3)");
        assert_eq!(read("{\"a\": 1}").unwrap_err(), "it is JSON of another form");
        let error =
            read(r#"[{"role": "user", "content": ""}, {"role": "tool", "content": ""}]"#).unwrap_err();
        assert_eq!(error, "the role \"tool\" of message 2 is not known");
    }
}
