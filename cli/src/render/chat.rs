//! Conversations, and answers beside each other.

use std::fmt::Write as _;

use playhouse_protocol::chat::{Conversation, ConversationSummary, StoredMessage};
use playhouse_protocol::completion::Role;

use super::table::Table;
use super::{SCRIPTED_LABEL, words};
use crate::style::{Style, printable};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// A moment as people read it, in UTC: `2026-11-25 15:33`.
pub(crate) fn moment(unix_ms: u64) -> String {
    let minutes = unix_ms % DAY_MS / 60_000;
    let (year, month, day) = date(unix_ms / DAY_MS);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

/// The date of a day since 1970. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`,
/// for days from 1970 on.
const fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + (month <= 2) as u64, month, day)
}

/// The conversations as a table.
pub(crate) fn list(found: &[ConversationSummary], style: Style) -> String {
    if found.is_empty() {
        return "no conversations are kept\n".to_owned();
    }
    let mut table = Table::new(&["id", "changed (UTC)", ">messages", ">tokens", "model", "title"]);
    for one in found {
        table.row([
            one.id.to_string(),
            moment(one.updated_unix_ms),
            words::thousands(u64::from(one.messages_len)),
            words::thousands(one.usage.total_tokens()),
            printable(one.model.as_deref().unwrap_or("-")).into_owned(),
            printable(&one.title).into_owned(),
        ]);
    }
    table.render(style)
}

/// Who says a message: "you", or the model, and whether it is whole.
fn speaker(said: &StoredMessage) -> String {
    let who = match said.message.role {
        Role::User => "You".to_owned(),
        Role::System => "System".to_owned(),
        Role::Assistant => {
            said.origin.as_ref().map_or_else(|| "Model".to_owned(), |origin| origin.model.clone())
        }
    };
    if said.is_cut { format!("{who} (cut)") } else { who }
}

/// What was said, for a terminal.
pub(crate) fn shown(conversation: &Conversation, style: Style) -> String {
    let mut text = format!("{}\n", style.bold(&heading(conversation)));
    for said in &conversation.messages {
        let content = said.message.content.trim_end();
        let _ = write!(text, "\n{}\n{content}\n", style.cyan(&format!("{}:", speaker(said))));
    }
    text
}

fn heading(conversation: &Conversation) -> String {
    if conversation.title.is_empty() { "A conversation".to_owned() } else { conversation.title.clone() }
}

/// Whether an answer in it was no model's.
pub(crate) fn is_scripted(conversation: &Conversation) -> bool {
    let origins = conversation.messages.iter().filter_map(|said| said.origin.as_ref());
    origins.into_iter().any(|origin| origin.provider.is_scripted())
}

/// A conversation as a Markdown file: the original, whatever models were sent.
pub(crate) fn markdown(conversation: &Conversation) -> String {
    let mut text = format!("# {}\n\n", heading(conversation));
    if is_scripted(conversation) {
        let _ = writeln!(text, "> {SCRIPTED_LABEL}\n");
    }
    let _ = writeln!(text, "- conversation: {}", conversation.id);
    let _ = writeln!(text, "- begun: {} UTC", moment(conversation.created_unix_ms));
    if let Some(model) = &conversation.model {
        let _ = writeln!(text, "- model: {model}");
    }
    let _ = writeln!(text, "- used: {}", words::usage(&conversation.usage));
    if let Some(view) = &conversation.condensed {
        let (before, after) =
            (words::thousands(view.tokens_before), words::counted(view.tokens_after, "token"));
        let _ = writeln!(
            text,
            "- models are sent its first {} messages condensed: {after} instead of {before}",
            view.until
        );
    }
    if let Some(system) = &conversation.system {
        let _ = write!(text, "\n## System\n\n{}\n", system.trim_end());
    }
    for said in &conversation.messages {
        let _ = write!(text, "\n## {}\n\n{}\n", speaker(said), said.message.content.trim_end());
    }
    text
}

/// Texts beside each other, each as wide as `width`, under their headings.
pub(crate) fn columns(cells: &[(String, String)], width: usize, style: Style) -> String {
    let pad = |line: &str| format!("{line}{}", " ".repeat(width.saturating_sub(line.chars().count())));
    let row = |lines: Vec<String>| format!("{}\n", lines.join(" │ ").trim_end());
    let wrapped: Vec<Vec<String>> = cells.iter().map(|(_, text)| wrap(text, width)).collect();
    let heads = cells.iter().map(|(head, _)| {
        let head: String = head.chars().take(width).collect();
        style.bold(&pad(&head))
    });
    let mut text = row(heads.collect());
    let _ = writeln!(text, "{}", vec!["─".repeat(width); cells.len()].join("─┼─"));
    for at in 0..wrapped.iter().map(Vec::len).max().unwrap_or(0) {
        let lines = wrapped.iter().map(|lines| pad(lines.get(at).map_or("", String::as_str)));
        text.push_str(&row(lines.collect()));
    }
    text
}

/// A text in lines of at most `width` characters, broken between words where that can be.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.trim_end().lines() {
        let mut rest: Vec<char> = line.replace('\t', "    ").chars().collect();
        while rest.len() > width {
            let at = rest[..=width].iter().rposition(|c| *c == ' ').filter(|at| *at > 0).unwrap_or(width);
            let behind = rest.split_off(at);
            lines.push(rest.into_iter().collect::<String>().trim_end().to_owned());
            rest = behind.into_iter().skip_while(|c| *c == ' ').collect();
        }
        lines.push(rest.into_iter().collect());
    }
    lines
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::chat::CondensedView;
    use playhouse_protocol::completion::{ChatMessage, Origin, ProviderKind};
    use playhouse_protocol::{ConversationId, Usage};

    use super::*;

    fn conversation() -> Conversation {
        let id: ConversationId = "01976e3c-5f6a-7c3e-9b7a-0c8f5d2e4b1a".parse().unwrap();
        let mut conversation = Conversation::new(id, 1_795_000_000_000);
        conversation.title = "What is a crab?".to_owned();
        conversation.system = Some("Be brief.".to_owned());
        conversation.usage = Usage { prompt_tokens: 1_200, completion_tokens: 34, ..Usage::default() };
        let origin = Origin { model: "demo".to_owned(), provider: ProviderKind::Scripted, request_id: None };
        conversation.messages.push(StoredMessage::question("What is a crab?", 5));
        conversation.messages.push(StoredMessage::cut_answer("A crab is\n", Some(origin), 6));
        conversation.condensed = Some(CondensedView {
            until: 2,
            messages: vec![ChatMessage::user("crab?")],
            tokens_before: 1_000,
            tokens_after: 1,
        });
        conversation
    }

    #[test]
    fn moments_are_dates() {
        assert_eq!(moment(0), "1970-01-01 00:00");
        assert_eq!(moment(951_782_400_000), "2000-02-29 00:00");
        assert_eq!(moment(1_795_000_000_000), "2026-11-18 11:06");
        assert_eq!(moment(4_102_444_799_999), "2099-12-31 23:59");
    }

    #[test]
    fn a_conversation_in_markdown_is_the_original() {
        let expected = "# What is a crab?

> scripted answers: no model was asked

- conversation: 01976e3c-5f6a-7c3e-9b7a-0c8f5d2e4b1a
- begun: 2026-11-18 11:06 UTC
- used: 1,234 tokens
- models are sent its first 2 messages condensed: 1 token instead of 1,000

## System

Be brief.

## You

What is a crab?

## demo (cut)

A crab is
";
        assert_eq!(markdown(&conversation()), expected);
    }

    #[test]
    fn a_list_has_a_line_for_each() {
        let listed = list(&[conversation().summary()], Style::PLAIN);
        assert_eq!(
            listed.lines().nth(1),
            Some(
                "01976e3c-5f6a-7c3e-9b7a-0c8f5d2e4b1a  2026-11-18 11:06         2   1,234  -      What is a crab?"
            )
        );
        assert_eq!(list(&[], Style::PLAIN), "no conversations are kept\n");
    }

    #[test]
    fn texts_stand_side_by_side_and_break_between_words() {
        let cells = [
            ("a".to_owned(), "one two three".to_owned()),
            ("a long heading".to_owned(), "abcdefghij\n\nx".to_owned()),
        ];
        assert_eq!(
            columns(&cells, 8, Style::PLAIN),
            "a        │ a long h\n─────────┼─────────\none two  │ abcdefgh\nthree    │ ij\n         │\n         │ x\n"
        );
    }
}
