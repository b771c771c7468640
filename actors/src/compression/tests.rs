use playhouse_models::tokens::{Encoding, TiktokenCounter, TokenCounter as _};
use playhouse_protocol::compress::{Compressed, Pin, PinRule, Strategy};

use super::*;

fn counter() -> TiktokenCounter {
    TiktokenCounter::with_encoding(Encoding::O200k, "")
}

fn run(text: &str, limit_tokens: u64, strategy: Strategy, pins: &[Pin]) -> Result<Compressed, CompressError> {
    compress(&Job { text, limit_tokens, strategy, pins, content: None }, &counter())
}

#[test]
fn a_text_that_fits_stays_as_it_is() {
    let done = run("Short.", 8, Strategy::Auto, &[]).unwrap();
    assert_eq!((done.text.as_str(), done.strategy, done.dropped.len()), ("Short.", None, 0));
}

const RUST: &str = "//! Docs.\n\nuse std::fmt;\n\n/// Adds.\npub fn add(a: u8, b: u8) -> u8 {\n    // Checked before.\n    let sum = a + b;\n    println!(\"{sum}\");\n    sum\n}\n\nfn private() {\n    let x = [1, 2, 3, 4, 5, 6, 7, 8];\n    drop(x);\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {\n        assert_eq!(super::add(1, 1), 2);\n    }\n}\n";

#[test]
fn rust_loses_tests_and_bodies_first_and_still_parses() {
    let all = counter().count(RUST);
    let done = run(RUST, all - 40, Strategy::Auto, &[]).unwrap();
    assert_eq!(done.strategy, Some(Strategy::Code), "{:?}", done.refused);
    assert!(done.text.contains("pub fn add(a: u8, b: u8) -> u8"), "{}", done.text);
    assert!(!done.text.contains("assert_eq"), "{}", done.text);
    assert!(syn::parse_file(&done.text).is_ok());
}

const PROSE: &str = "The harbour was quiet that morning. Nobody had seen the Meridian leave. Captain Ada Quell \
    logged the pressure at 47.3 kPa before dawn. It was quiet, and it was cold, and it was quiet again. The log is \
    kept at /var/log/meridian.log and at https://harbour.example/logs/17. The crew did not answer. \
    It was quiet that morning, and it was cold. They waited for some time, as people do.\n\n\
    Later it rained. It rained for some time. The rain went on as rain does.";

#[test]
fn every_strategy_fits_and_lists_what_it_dropped() {
    let all = counter().count(PROSE);
    for strategy in Strategy::ALL {
        for limit in [8, 20, all / 2, all - 1] {
            let done = run(PROSE, limit, strategy, &[]).unwrap();
            assert_eq!(done.tokens_after, counter().count(&done.text));
            assert!(done.tokens_after <= limit && !done.text.is_empty(), "{strategy} {limit} {}", done.text);
            for dropped in &done.dropped {
                let text = dropped_text(PROSE, dropped).unwrap();
                assert!(!done.text.contains(text) || text.len() < 40, "{text}");
                assert_eq!(
                    find_dropped(&done.dropped, &dropped.sha256[..12]).unwrap().sha256,
                    dropped.sha256
                );
            }
        }
    }
}

#[test]
fn a_dropped_part_is_not_fetched_from_another_text() {
    let done = run(PROSE, 20, Strategy::Head, &[]).unwrap();
    assert_eq!(dropped_text(&PROSE.to_uppercase(), &done.dropped[0]), None);
}

#[test]
fn truncation_keeps_whole_sentences_of_its_end() {
    let head = run(PROSE, 20, Strategy::Head, &[]).unwrap().text;
    assert_eq!(head, "The harbour was quiet that morning. Nobody had seen the Meridian leave.");
    let tail = run(PROSE, 24, Strategy::Tail, &[]).unwrap().text;
    assert_eq!(tail, "Later it rained. It rained for some time. The rain went on as rain does.");
    let middle = run(PROSE, 26, Strategy::Middle, &[]).unwrap().text;
    assert_eq!(
        middle,
        "The harbour was quiet that morning. Nobody had seen the Meridian leave.\n[…]\nThe rain went on as rain does."
    );
}

#[test]
fn where_no_sentence_fits_whole_words_are_kept() {
    let text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    assert_eq!(run(text, 8, Strategy::Head, &[]).unwrap().text, "one two three four five six seven eight");
    assert!(run(text, 8, Strategy::Tail, &[]).unwrap().text.ends_with("fourteen"));
}

#[test]
fn keyword_prefers_what_says_something() {
    let done = run(PROSE, 40, Strategy::Keyword, &[]).unwrap();
    assert!(done.text.contains("47.3 kPa"), "{}", done.text);
    assert!(!done.text.contains("rained"), "{}", done.text);
}

#[test]
fn pinned_spans_survive_every_strategy() {
    let pins = [Pin::Rule(PinRule::Urls), Pin::Rule(PinRule::Paths), Pin::Text("It rained for".to_owned())];
    for strategy in Strategy::ALL {
        let done = run(PROSE, 40, strategy, &pins).unwrap();
        for pin in ["/var/log/meridian.log", "https://harbour.example/logs/17", "It rained for"] {
            assert!(done.text.contains(pin), "{strategy}: {pin} is not in {}", done.text);
        }
    }
}

#[test]
fn a_limit_that_is_too_small_names_the_smallest_that_works() {
    let pins = [Pin::Text("Captain Ada Quell logged the pressure at 47.3 kPa before dawn".to_owned())];
    for limit in [0, 7, 8, 12] {
        let smallest = run(PROSE, limit, Strategy::Auto, &pins).unwrap_err().smallest_tokens();
        let done = run(PROSE, smallest, Strategy::Auto, &pins).unwrap();
        assert!(done.tokens_after <= smallest);
    }
    assert_eq!(
        run(PROSE, 0, Strategy::Auto, &[]).unwrap_err().to_string(),
        "compress to 0 tokens: the smallest limit that works is 8"
    );
}

#[test]
fn repetitions_and_empty_lines_go_first() {
    let line = "The service was restarted by the operator on duty.";
    let text = format!("{line}\n\n\n\n{line}\n\n{line}   \n\nThen it ran.");
    let done = run(&text, 25, Strategy::Auto, &[]).unwrap();
    assert_eq!(
        (done.strategy, done.text.as_str()),
        (Some(Strategy::Normalize), &*format!("{line}\n\nThen it ran."))
    );
}

#[test]
fn code_that_does_not_parse_is_refused_and_the_next_strategy_is_tried() {
    let text = RUST.replace("fn private() {", "fn private( {");
    let done = run(&text, 60, Strategy::Code, &[]).unwrap();
    assert_eq!((done.strategy, done.refused[0].strategy), (Some(Strategy::Keyword), Strategy::Code));
    assert_eq!(done.refused[0].reason, "it does not parse as Rust");
}

#[test]
fn code_that_shrinks_keeps_its_signatures_longer_than_its_docs() {
    let all = counter().count(RUST);
    for limit in (40..all).step_by(7) {
        let done = run(RUST, limit, Strategy::Code, &[]).unwrap();
        if done.strategy == Some(Strategy::Code) {
            assert!(syn::parse_file(&done.text).is_ok(), "{}", done.text);
            assert!(done.text.contains("pub fn add(a: u8, b: u8) -> u8"), "{}", done.text);
        }
    }
}

#[test]
fn a_pinned_span_in_a_body_keeps_that_body() {
    let pins = [Pin::Text("println!(\"{sum}\")".to_owned())];
    let done = run(RUST, 80, Strategy::Code, &pins).unwrap();
    assert_eq!(done.strategy, Some(Strategy::Code), "{:?}", done.refused);
    assert!(done.text.contains("println!(\"{sum}\")"), "{}", done.text);
}

mod any_text {
    use proptest::collection::vec as many;
    use proptest::prelude::{Just, ProptestConfig, prop_assert, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::Strategy as _;

    use super::*;

    /// Texts with everything that borders and pins may stumble over.
    fn texts() -> impl proptest::strategy::Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-z]{1,9} ",
            2 => "[A-Z][a-z]{2,8}[.!?] ",
            1 => "\\PC{0,12}",
            1 => "(\n|\n\n|\t|  |\r\n){1,3}",
            1 => "[0-9]{1,4}(\\.[0-9])? (ms|kPa|%)? ",
            1 => Just("https://x.example/a?b=c. ".to_owned()),
            1 => Just("src/lib.rs ".to_owned()),
            1 => Just("max_len `a b` ".to_owned()),
            1 => Just("\n```rust\nfn f() {}\n```\n".to_owned()),
            1 => Just("👩‍👩‍👧e\u{301}\u{301}".to_owned()),
            1 => Just("fn f(x: u8) -> u8 {\n    let y = x + 1; // add\n    y * 2 + 3\n}\n".to_owned()),
            1 => Just("日本語の文章です。".to_owned()),
        ];
        many(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    fn pin_sets() -> Vec<Vec<Pin>> {
        vec![
            vec![],
            PinRule::DEFAULT.map(Pin::Rule).to_vec(),
            PinRule::ALL.map(Pin::Rule).to_vec(),
            vec![Pin::Text("max_len".to_owned()), Pin::Text("not in it".to_owned())],
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn what_comes_out_fits_keeps_its_pins_and_comes_out_again(text in texts(), limit in 8_u64..200) {
            for strategy in super::Strategy::ALL {
                for pins in pin_sets() {
                    let first = run(&text, limit, strategy, &pins);
                    match &first {
                        Ok(done) => {
                            prop_assert!(counter().count(&done.text) <= limit);
                            prop_assert_eq!(counter().count(&done.text), done.tokens_after);
                            for pin in pinned_texts(&text, &pins) {
                                prop_assert!(done.text.contains(pin), "{} lost {:?} in {:?}", strategy, pin, done.text);
                            }
                            for dropped in &done.dropped {
                                prop_assert!(dropped_text(&text, dropped).is_some());
                            }
                        }
                        Err(error) => {
                            prop_assert!(!pinned_texts(&text, &pins).is_empty());
                            let smallest = error.smallest_tokens();
                            prop_assert!(smallest > limit);
                            let again = run(&text, smallest, strategy, &pins);
                            prop_assert!(again.is_ok_and(|done| done.tokens_after <= smallest));
                        }
                    }
                    prop_assert_eq!(&first, &run(&text, limit, strategy, &pins));
                }
            }
        }
    }
}
