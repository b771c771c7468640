use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: &[(FactKind, &str)]) {
    let found: Vec<_> = facts(text).into_iter().map(|fact| (fact.kind, &text[fact.range])).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn facts_are_told_by_their_form() {
    check(
        "see https://x.org/a_(b)?q=1. Or (http://y.io/z), ok",
        &[(FactKind::Url, "https://x.org/a_(b)?q=1"), (FactKind::Url, "http://y.io/z")],
    );
    check("a [link](https://x.org/a) here", &[(FactKind::Url, "https://x.org/a")]);
    check(
        "the file src/main.rs, /etc/hosts and Cargo.toml",
        &[(FactKind::Path, "src/main.rs"), (FactKind::Path, "/etc/hosts"), (FactKind::Path, "Cargo.toml")],
    );
    check(
        "it took 12.5 ms at 47 kPa, 50% more, v1.2.3",
        &[
            (FactKind::Number, "12.5 ms"),
            (FactKind::Number, "47 kPa"),
            (FactKind::Number, "50%"),
            (FactKind::Number, "v1.2.3"),
        ],
    );
    check("on 2024-05-03 we met", &[(FactKind::Date, "2024-05-03")]);
    check(
        "call max_len() or TextUnit with `a b` set",
        &[
            (FactKind::Identifier, "max_len()"),
            (FactKind::Identifier, "TextUnit"),
            (FactKind::Identifier, "a b"),
        ],
    );
    check(
        "The man met Ada Lovelace in Paris. Then he left NASA.",
        &[(FactKind::Name, "Ada Lovelace"), (FactKind::Name, "Paris"), (FactKind::Name, "NASA")],
    );
    check("you must not restart it", &[(FactKind::Negation, "not restart")]);
    check("he said “good night” twice", &[(FactKind::Quoted, "good night")]);
}

#[test]
fn dates_hold_their_month() {
    let text = "on 3 May 2024 it rained";
    assert!(
        facts(text)
            .iter()
            .any(|fact| fact.kind == FactKind::Date && &text[fact.range.clone()] == "3 May 2024")
    );
}

#[test]
fn the_score_is_the_share_of_different_facts_that_are_left() {
    let original = "Set max_len to 512 ms. Again: max_len. See https://x.org/abc now.";
    let verification = verify(original, "Set max_len to 512 ms.");
    assert_eq!((verification.facts_total, verification.facts_kept), (3, 2));
    assert_eq!(verification.lost[0].text, "https://x.org/abc");
    assert!((verification.score - 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn a_number_within_a_longer_one_is_not_that_number() {
    let verification = verify("it took 12 ms", "it took 512 ms");
    assert_eq!(verification.facts_kept, 0);
}

#[test]
fn a_text_keeps_all_of_itself_and_line_ends_do_not_matter() {
    let text = "Ada\nLovelace wrote 12\nms. The NASA did not\nanswer.";
    assert!((verify(text, text).score - 1.0).abs() < 1e-9);
    assert!((verify(text, &text.replace('\n', " ")).score - 1.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn facts_lie_within_any_text(text in "(\\PC|[a-zA-Z_./:` \"\n0-9]){0,200}") {
        for fact in facts(&text) {
            prop_assert!(!text[fact.range].is_empty());
        }
        prop_assert!((verify(&text, &text).score - 1.0).abs() < 1e-9);
    }
}
