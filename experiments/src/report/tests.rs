//! What reports look like, and that nothing from outside gets out of its place.

use playhouse_config::experiments::{Metric, SequentialRule};
use playhouse_protocol::riddle::{Extracted, Judgement, Source};
use proptest::prelude::*;

use super::{Details, ITEMS_MAX, TEXT_CHARS_MAX, claims, html, json, markdown, rows};
use crate::analysis::{Finding, Report, analyse};
use crate::fixture::{design, items, manifest, record, riddle_of, scorer, small_run};
use crate::run::{Ending, Manifest, Record};

fn report(manifest: &Manifest, records: &[Record]) -> Report {
    analyse(manifest, records, Ending::Complete, &scorer).unwrap()
}

/// Variants that are right on the first so many of forty items.
fn run(rights: &[(&str, usize)]) -> (Manifest, Vec<Record>) {
    let names: Vec<_> = rights.iter().map(|(name, _)| *name).collect();
    let design = design(&names, items(40), 1);
    let mut records = Vec::new();
    for (name, right) in rights {
        for (place, item) in design.items.iter().enumerate() {
            let text = if place < *right { "right" } else { "wrong" };
            records.push(record(name, &item.id, 0, (text, 11)));
        }
    }
    (manifest(design), records)
}

fn sentences(report: &Report) -> String {
    claims(report).into_iter().map(|claim| claim.text).collect::<Vec<_>>().join("\n")
}

#[test]
fn claims_say_what_may_be_claimed_and_what_not() {
    let (manifest, records) = run(&[("direct", 20), ("steps", 36), ("vote", 23), ("lazy", 5)]);
    insta::assert_snapshot!(sentences(&report(&manifest, &records)), @r"
    steps is better than direct by accuracy: steps won 16 and lost 0 of 40 items (p < 0.001, corrected for 3 comparisons); the difference is +40.0 points (95 % interval +22.7 to +53.5 points).
    There is no evidence that vote differs from direct by accuracy: vote won 3 and lost 0 of 40 items (p = 0.250, corrected for 3 comparisons); the difference is +7.5 points (95 % interval -1.9 to +16.2 points). That is not to say that they are equal; to find wins and losses like these in four of five runs takes about 137 items.
    lazy is worse than direct by accuracy: lazy won 0 and lost 15 of 40 items (p < 0.001, corrected for 3 comparisons); the difference is -37.5 points (95 % interval -50.9 to -20.5 points).
    ");
}

#[test]
fn a_small_run_claims_nothing() {
    let (manifest, records) = small_run();
    insta::assert_snapshot!(sentences(&report(&manifest, &records)), @r"
    Nothing can be said of steps and direct by accuracy: steps won 4 and lost 0 of 6 items (p = 0.250, corrected for 2 comparisons); the difference is +50.0 points (95 % interval +16.7 to +83.3 points). With so few items not even winning all of them would have been evidence; to find wins and losses like these in four of five runs takes about 12 items.
    Nothing can be said of vote and direct by accuracy: vote won 2 and lost 1 of 5 items (p = 1.000, corrected for 2 comparisons); the difference is +10.0 points (95 % interval -20.0 to +40.0 points). With so few items not even winning all of them would have been evidence; to find wins and losses like these in four of five runs takes about 140 items.
    Exploratory: Nothing can be said of steps and direct by total_tokens: steps won 0 and lost 5 of 5 items (p = 0.125, corrected for 2 comparisons); the difference is +23.2 (95 % interval +21.8 to +24.8). With so few items not even winning all of them would have been evidence; to find wins and losses like these in four of five runs takes about 7 items.
    Exploratory: Nothing can be said of vote and direct by total_tokens: vote won 0 and lost 0 of 4 items (p = 1.000, corrected for 2 comparisons); the difference is +0.0 (95 % interval +0.0 to +0.0). With so few items not even winning all of them would have been evidence.
    ");
}

#[test]
fn claims_under_a_rule_are_those_of_the_rule() {
    let (mut manifest, records) = run(&[("direct", 10), ("steps", 40), ("vote", 14), ("same", 10)]);
    manifest.design.stopping = Some(SequentialRule { wins: 0.8, false_winners: 0.05, missed_winners: 0.2 });
    manifest.design.metrics.push(Metric::TotalTokens);
    let report = report(&manifest, &records);
    let findings: Vec<_> = claims(&report).iter().map(|claim| (claim.finding, claim.is_deciding)).collect();
    assert_eq!(findings[..2], [(Finding::Better, true), (Finding::TooFewItems, true)]);
    insta::assert_snapshot!(sentences(&report), @r"
    steps is better than direct by accuracy: the stopping rule decided after 21 items (evidence E = 87.96).
    Nothing can be said of vote and direct by accuracy: the stopping rule has not decided after 40 items (evidence E = 3.29). That is not to say that they are equal.
    Nothing can be said of same and direct by accuracy: the stopping rule has not decided after 40 items (evidence E = 1.00). That is not to say that they are equal.
    Exploratory: There is no evidence that steps differs from direct by total_tokens: steps won 0 and lost 0 of 40 items (p = 1.000, corrected for 3 comparisons, not valid under a stopping rule); the difference is +0.0 (95 % interval +0.0 to +0.0). That is not to say that they are equal.
    Exploratory: There is no evidence that vote differs from direct by total_tokens: vote won 0 and lost 0 of 40 items (p = 1.000, corrected for 3 comparisons, not valid under a stopping rule); the difference is +0.0 (95 % interval +0.0 to +0.0). That is not to say that they are equal.
    Exploratory: There is no evidence that same differs from direct by total_tokens: same won 0 and lost 0 of 40 items (p = 1.000, corrected for 3 comparisons, not valid under a stopping rule); the difference is +0.0 (95 % interval +0.0 to +0.0). That is not to say that they are equal.
    ");
}

#[test]
fn markdown_begins_with_the_findings_and_has_every_table() {
    let (manifest, records) = small_run();
    let report = report(&manifest, &records);
    let text = markdown(&report);
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing"));
    assert!(place("## Findings") < place("## What weighs on them"));
    for table in rows(&report) {
        assert!(place("## What weighs on them") < place(&format!("## {}\n", table.title)));
        assert!(table.rows.iter().all(|row| row.len() == table.header.len()), "{}", table.title);
    }
    assert!(
        text.contains("| steps | small | direct | – | 11 of 12 | 91.7 % | 63.2 to 98.6 % | 11.0 |"),
        "{text}"
    );
    assert!(text.contains("| 4 | 1 | 1 | 4 | 1 | 8 of 10 | 80.0 % |"), "{text}");
}

#[test]
fn a_single_variant_is_reported_and_held_against_nothing() {
    let (manifest, records) = run(&[("direct", 20)]);
    let report = report(&manifest, &records);
    assert!(markdown(&report).contains("nothing that it could be held against"));
    assert!(!html(&report, &Details::new(&manifest, &records)).contains("Difference from"));
}

#[test]
fn a_page_shows_pictures_questions_and_answers_and_asks_for_nothing_else() {
    let (manifest, records) = small_run();
    let report = report(&manifest, &records);
    let page = html(&report, &Details::new(&manifest, &records));
    for id in
        ["shares", "difference-accuracy", "difference-total_tokens", "difficulties", "latency_ms", "cost_usd"]
    {
        assert!(page.contains(&format!("<title id=\"{id}-title\">")), "{id}");
    }
    assert!(page.contains("What is bridge?") && page.contains("Accepted: right"));
    assert!(page.contains("<td>failed: deadline</td>") && page.contains("failed to answer in time"));
    for foreign in ["<script", "http:", "https:", "url(", "@import", "src=", "href="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn details_are_bounded_and_in_the_order_of_the_design() {
    let (mut manifest, mut records) = small_run();
    records.reverse();
    let details = Details::new(&manifest, &records);
    let first: Vec<_> =
        details.items[0].answers.iter().map(|answer| (answer.variant.as_str(), answer.repeat)).collect();
    let wanted = [("direct", 0), ("direct", 1), ("steps", 0), ("steps", 1), ("vote", 0), ("vote", 1)];
    assert_eq!(first, wanted);
    manifest.design.items = items(ITEMS_MAX + 3);
    let mut long = record("direct", "item-1", 0, ("right", 11));
    riddle_of(&mut long).samples[0].steps[0].text = "ü".repeat(TEXT_CHARS_MAX + 7);
    let details = Details::new(&manifest, &[long]);
    assert_eq!((details.items.len(), details.left_out), (ITEMS_MAX, 3));
    assert!(details.items[0].answers[0].texts[0].ends_with("ü … and 7 more characters"));
}

#[test]
fn json_is_the_same_for_the_same_run() {
    let (manifest, records) = small_run();
    let text = json(&report(&manifest, &records)).unwrap();
    assert_eq!(text, json(&report(&manifest, &records)).unwrap());
    let read: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(json(&read).unwrap(), text);
}

/// Both variants answer two items; the second one is judged.
fn smallest_run() -> (Manifest, Vec<Record>) {
    let mut design = design(&["a", "b"], items(2), 1);
    design.metrics.push(Metric::TotalTokens);
    design.stopping = Some(SequentialRule { wins: 0.75, false_winners: 0.05, missed_winners: 0.2 });
    let mut records = vec![
        record("a", "item-1", 0, ("wrong", 12)),
        record("a", "item-2", 0, ("failed", 0)),
        record("b", "item-1", 0, ("right", 16)),
        record("b", "item-2", 0, ("right", 17)),
    ];
    let answer = crate::fixture::step("Yes.", 11);
    riddle_of(&mut records[3]).judgement = Some(Judgement { is_right: Some(true), answer });
    (manifest(design), records)
}

/// What is written down today must be what is compared tomorrow: a change of these bytes is a new version of the form.
#[test]
fn the_bytes_of_a_report_are_held_still() {
    let (manifest, records) = smallest_run();
    let text = json(&report(&manifest, &records)).unwrap();
    assert_eq!(text, include_str!("golden.json"));
}

/// The small run, with one text in every place where texts come from outside.
fn run_with(text: &str) -> (Manifest, Vec<Record>) {
    let (mut manifest, mut records) = small_run();
    let design = &mut manifest.design;
    for part in [&mut design.name, &mut design.description, &mut design.dataset, &mut manifest.run] {
        part.push_str(text);
    }
    for variant in &mut design.variants {
        variant.name.push_str(text);
        variant.mode.name.push_str(text);
        variant.model = Some(text.to_owned());
    }
    for item in &mut design.items {
        item.id.push_str(text);
        item.group.push_str(text);
        let playhouse_config::experiments::ItemBody::Question { question, key, .. } = &mut item.body else {
            panic!("questions only")
        };
        question.push_str(text);
        key.answers.push(format!("or {text}"));
    }
    for record in &mut records {
        record.variant.push_str(text);
        record.item.push_str(text);
        match &mut record.evidence {
            crate::run::Evidence::Failed { failure, .. } => failure.message.push_str(text),
            _ => {
                let riddle = riddle_of(record);
                let found = Extracted { text: text.to_owned(), source: Source::LastLine };
                riddle.score.extracted = Some(found);
                let further = crate::fixture::step(&format!("first {text}"), 11);
                riddle.samples[0].steps.insert(0, further);
            }
        }
    }
    (manifest, records)
}

/// The tags of a page, each with its attributes but for numbers, since chance is drawn by name. What stands between them must be text: without a sign of markup.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some((text, tag)) = rest.split_once('<') {
        assert!(!text.contains(['>', '"', '\'']), "markup in {text:?}");
        let (tag, after) = tag.split_once('>').expect("a tag that ends");
        tags.push(tag.replace(|char: char| char.is_ascii_digit() || char == '.', ""));
        rest = after;
    }
    assert!(!rest.contains(['>', '"', '\'']));
    tags
}

fn hostile() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "\"",
        "'",
        "<",
        ">",
        "&",
        "&lt;",
        "<!--",
        "]]>",
        "</pre></details></svg></title></style>",
        "<img src=x onerror=alert(1)>",
        "\" onload=\"x",
        "|",
        "\n",
        "`",
        "[a](javascript:b)",
        "\\",
        "\u{202e}",
        "\0",
        "ü",
        "x",
    ]);
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_text_from_outside_becomes_markup(text in hostile()) {
        let page = |text: &str| {
            let (manifest, records) = run_with(text);
            html(&report(&manifest, &records), &Details::new(&manifest, &records))
        };
        let hostile = page(&text);
        prop_assert!(!hostile.contains("<script") && !hostile.contains("<img"));
        prop_assert!(tags(&hostile) == tags(&page("plain")));
    }

    #[test]
    fn no_text_from_outside_breaks_a_table_of_markdown(text in hostile()) {
        let shape = |text: &str| {
            let (manifest, records) = run_with(text);
            let text = markdown(&report(&manifest, &records));
            prop_assert!(!text.contains("<script") && !text.contains('\0'));
            // Cells of each line: bars that are not escaped.
            let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
            Ok(text.lines().map(cells).collect::<Vec<_>>())
        };
        prop_assert_eq!(shape(&text)?, shape("plain")?);
    }
}
