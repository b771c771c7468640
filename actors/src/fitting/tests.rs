use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::completion::{ChatMessage, Condensed, Role};
use proptest::prelude::*;

use super::conversation::fit_with;
use super::shorten::{Shorten, Shortened};
use super::{FitError, Fitted};

/// A word is a token, and a message two more.
#[derive(Debug)]
struct Words;

impl TokenCounter for Words {
    fn encoding(&self) -> &'static str {
        "words"
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn count(&self, text: &str) -> u64 {
        text.split_whitespace().count() as u64
    }

    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        messages.iter().map(|message| self.count(&message.content) + 2).sum()
    }
}

/// Keeps the first words; words of digits are facts.
struct Head;

impl Shorten for Head {
    fn shorten(&self, text: &str, limit_tokens: u64) -> Option<Shortened> {
        let kept: Vec<_> = text.split_whitespace().take(usize::try_from(limit_tokens).unwrap()).collect();
        let text_left = kept.join(" ");
        let facts_kept = self.facts(&text_left);
        Some(Shortened { text: text_left, facts_total: self.facts(text), facts_kept })
    }

    fn facts(&self, text: &str) -> u32 {
        u32::try_from(text.split_whitespace().filter(|word| word.parse::<u32>().is_ok()).count()).unwrap()
    }
}

/// Cannot make anything shorter.
struct Stubborn;

impl Shorten for Stubborn {
    fn shorten(&self, _: &str, _: u64) -> Option<Shortened> {
        None
    }

    fn facts(&self, text: &str) -> u32 {
        Head.facts(text)
    }
}

/// As many words as are wanted, the last one a number.
fn words(count: usize) -> String {
    format!("{}7", "word ".repeat(count - 1))
}

fn talk() -> Vec<ChatMessage> {
    vec![
        ChatMessage::system(words(10)),
        ChatMessage::user(words(400)),
        ChatMessage::assistant(words(300)),
        ChatMessage::user(words(200)),
        ChatMessage::assistant(words(100)),
        ChatMessage::user(words(50)),
    ]
}

/// The words of each message that is left, by the first letter of its role.
fn shape(fitted: &Fitted) -> String {
    let of =
        |message: &ChatMessage| format!("{}{}", &message.role.as_str()[..1], Words.count(&message.content));
    fitted.messages.iter().map(of).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_fits_stays_as_it_is() {
    let fitted = fit_with(&talk(), 1_072, &Words, &Head).unwrap();
    assert_eq!(fitted, Fitted { messages: talk(), condensed: None });
}

#[test]
fn the_oldest_messages_are_shortened_first_and_no_more_than_needed() {
    let check = |limit, shortener: &dyn Shorten| shape(&fit_with(&talk(), limit, &Words, shortener).unwrap());
    assert_eq!(check(1_000, &Head), "s10 u328 a300 u200 a100 u50");
    assert_eq!(check(700, &Head), "s10 u100 a228 u200 a100 u50");
    assert_eq!(check(400, &Head), "s10 u100 a75 u53 a100 u50");
    // A quarter of each is left, and then whole turns go.
    assert_eq!(check(345, &Head), "s10 u100 a75 u50 a48 u50");
    assert_eq!(check(344, &Head), "s10 u50 a48 u50");
    assert_eq!(check(66, &Head), "s10 u50");
    assert_eq!(check(1_000, &Stubborn), "s10 u200 a100 u50");
}

#[test]
fn what_became_of_the_facts_is_told() {
    let condensed = |limit| fit_with(&talk(), limit, &Words, &Head).unwrap().condensed.unwrap();
    let shortened = Condensed {
        tokens_before: 1_072,
        tokens_after: 700,
        messages_shortened: 2,
        messages_dropped: 0,
        facts_total: 2,
        facts_kept: 0,
        answer_tokens_max: None,
    };
    assert_eq!(condensed(700), shortened);
    let dropped = Condensed {
        tokens_after: 64,
        messages_shortened: 0,
        messages_dropped: 4,
        facts_total: 4,
        ..shortened
    };
    assert_eq!(condensed(66), dropped);
}

#[test]
fn what_is_never_shortened_and_does_not_fit_is_an_error_with_what_would() {
    let error = fit_with(&talk(), 63, &Words, &Head).unwrap_err();
    assert_eq!(error, FitError { limit_tokens: 63, needed_tokens: 64 });
    assert!(fit_with(&talk(), error.needed_tokens, &Words, &Head).is_ok());
}

#[test]
fn without_a_message_of_the_user_the_last_message_is_kept() {
    let talk = [ChatMessage::assistant(words(100)), ChatMessage::assistant(words(20))];
    let fitted = fit_with(&talk, 30, &Words, &Stubborn).unwrap();
    assert_eq!(shape(&fitted), "a20");
}

proptest! {
    #[test]
    fn any_conversation_fits_in_order_with_its_instructions_and_latest_message_untouched(
        lengths in prop::collection::vec((0_u8..3, 1_usize..120), 1..30),
        limit in 1_u64..2_000,
        stubborn in any::<bool>(),
    ) {
        let message = |(role, length): &(u8, usize)| {
            let role = [Role::System, Role::User, Role::Assistant][usize::from(*role)];
            ChatMessage { role, content: words(*length) }
        };
        let talk: Vec<_> = lengths.iter().map(message).collect();
        let shortener: &dyn Shorten = if stubborn { &Stubborn } else { &Head };
        let result = fit_with(&talk, limit, &Words, shortener);
        prop_assert_eq!(&result, &fit_with(&talk, limit, &Words, shortener));
        match result {
            Err(FitError { needed_tokens, .. }) => {
                prop_assert!(needed_tokens > limit);
                prop_assert!(fit_with(&talk, needed_tokens, &Words, shortener).is_ok());
            }
            Ok(fitted) => {
                let counted = Words.count_chat(&fitted.messages);
                prop_assert!(counted <= limit);
                if let Some(condensed) = fitted.condensed {
                    prop_assert_eq!(condensed.tokens_after, counted);
                    prop_assert!(condensed.facts_kept <= condensed.facts_total);
                }
                let systems = |talk: &[ChatMessage]| {
                    let systems = talk.iter().filter(|message| message.role == Role::System);
                    systems.cloned().collect::<Vec<_>>()
                };
                prop_assert_eq!(systems(&fitted.messages), systems(&talk));
                let latest = talk.iter().rposition(|message| message.role == Role::User);
                let latest = latest.unwrap_or(talk.len() - 1);
                prop_assert!(fitted.messages.ends_with(&talk[latest..]));
            }
        }
    }
}
