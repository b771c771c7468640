use proptest::prelude::*;

use super::parts::split;
use super::*;
use crate::tokens::{Encoding, TiktokenCounter};

fn facts(context_tokens: Option<u32>) -> ModelFacts {
    ModelFacts {
        name: "m".to_owned(),
        context_tokens,
        completion_tokens_default: 100,
        price: PriceConfig { prompt_nano_usd_per_token: 3, completion_nano_usd_per_token: 5 },
        counter: Arc::new(TiktokenCounter::with_encoding(Encoding::O200k, "gpt-4o")),
    }
}

const TEXT: &str = "# Title\n\nSome words.\n\n- one\n- two\n\n| a | b |\n|---|---|\n\n```Rust,ignore\nfn a() {}\n```\n\
                    ~~~\n```\n~~~\nMore words.\n";

fn of_text(text: &str, facts: &ModelFacts) -> TokenAnalysis {
    TokenAnalysis::of_document(Document { text, language: None }, facts)
}

fn kinds(text: &str) -> Vec<(String, &str)> {
    split(text).into_iter().map(|(kind, text)| (kind.name(), text)).collect()
}

#[test]
fn a_text_has_prose_lists_tables_and_blocks_by_language() {
    let parts = kinds(TEXT);
    let names: Vec<_> = parts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["prose", "list", "table", "code:rust", "code", "prose"]);
    assert_eq!(parts[3].1, "```Rust,ignore\nfn a() {}\n```\n");
    assert_eq!(parts[4].1, "~~~\n```\n~~~\n", "another fence closes nothing");
}

#[test]
fn a_block_that_is_never_closed_reaches_to_the_end() {
    assert_eq!(kinds("a\n````py\n```\nb"), [("prose".into(), "a\n"), ("code:py".into(), "````py\n```\nb")]);
}

#[test]
fn what_is_no_name_of_a_language_is_none() {
    assert_eq!(kinds("```<script>\n```")[0].0, "code");
    assert_eq!(kinds(&format!("```{}\n```", "x".repeat(99)))[0].0, "code");
}

#[test]
fn two_blocks_side_by_side_are_two_parts() {
    let analysis = of_text("```rs\na\n```\n```rs\nb\n```\n", &facts(None));
    assert_eq!((analysis.parts.len(), analysis.parts[0].parts), (1, 2));
}

#[test]
fn a_prompt_has_its_share_its_room_and_its_cost() {
    let analysis = TokenAnalysis::of_tokens(400, &facts(Some(1_000)));
    let window = analysis.window.unwrap();
    assert_eq!((window.room_tokens, window.excess_tokens, window.fits), (500, 0, true));
    assert!((window.share - 0.4).abs() < f64::EPSILON);
    assert_eq!(analysis.cost, CostEstimate { prompt_nano_usd: 1_200, completion_nano_usd_max: 500 });
    assert_eq!(analysis.cost.total_nano_usd_max(), 1_700);
    let window = TokenAnalysis::of_tokens(901, &facts(Some(1_000))).window.unwrap();
    assert_eq!((window.room_tokens, window.excess_tokens, window.fits), (0, 1, false));
    assert_eq!(TokenAnalysis::of_tokens(1, &facts(None)).window, None);
}

#[test]
fn a_conversation_is_counted_by_role_and_part_with_its_framing() {
    let messages = [
        ChatMessage::system("hello"),
        ChatMessage::user("hello world"),
        ChatMessage::user("```rs\nfn a() {}\n```"),
    ];
    let facts = facts(Some(1_000));
    let analysis = TokenAnalysis::of_conversation(&messages, &facts);
    let roles: Vec<_> = analysis.roles.iter().map(|role| (role.role, role.messages)).collect();
    assert_eq!(roles, [(Role::System, 1), (Role::User, 2)]);
    assert_eq!((analysis.roles[0].tokens, analysis.prompt_tokens), (1, facts.counter.count_chat(&messages)));
    let parts: Vec<_> = analysis.parts.iter().map(|part| part.part.name()).collect();
    assert_eq!(parts, ["code:rs", "prose"]);
    let json = serde_json::to_value(&analysis).unwrap();
    assert_eq!((&json["accuracy"], &json["roles"][1]["role"]), (&"exact".into(), &"user".into()));
    assert_eq!(json["parts"][0]["part"], "code:rs");
}

#[test]
fn parts_of_several_texts_are_added_by_kind() {
    let facts = facts(None);
    let mut all = of_text(TEXT, &facts);
    let once = all.parts.clone();
    let code = Document { text: "fn b() {}\n- 1", language: Some("rust") };
    all.add_parts(&TokenAnalysis::of_document(code, &facts).parts);
    all.add_parts(&once);
    let of = |parts: &[PartTokens], name: &str| {
        parts.iter().find(|part| part.part.name() == name).unwrap().clone()
    };
    assert_eq!(of(&all.parts, "prose").tokens, 2 * of(&once, "prose").tokens);
    assert_eq!(of(&all.parts, "code:rust").parts, 3);
}

proptest! {
    #[test]
    fn the_parts_of_any_text_are_the_text(lines in prop::collection::vec("(```|~~~~|- |1. |\\||\\PC{0,4}){0,3}[\r\n]{0,2}", 0..30)) {
        let text = lines.concat();
        let parts = split(&text);
        prop_assert_eq!(parts.iter().map(|(_, part)| *part).collect::<String>(), text.clone());
        prop_assert!(parts.iter().all(|(_, part)| !part.is_empty()));
    }
}
