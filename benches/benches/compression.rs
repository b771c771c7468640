//! Compression: which facts survive at 2×, 4× and 8× by strategy, beside plain truncation and evenly spaced sentences;
//! and how long it takes.
//!
//! `cargo bench -p playhouse-benches --bench compression [-- --rounds 5 --tokens-max 1000000]`
//!
//! The texts are the repository's own documentation and sources and a few public-domain paragraphs. Facts are planted
//! in each (sentences with a value of their own, at even distances, in forms that the extractor knows and in plain
//! words that it does not) and looked for word for word afterwards: the extractor does not judge itself.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use anyhow::{Context, Result, ensure};
use playhouse_benches::{args, median, table};
use playhouse_models::tokens::{Encoding, TiktokenCounter, TokenCounter, warm_up};
use playhouse_runtime::actors::compression::{Job, compress};
use playhouse_runtime::protocol::compress::{Pin, Strategy};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Facts that are planted in each text.
const PLANTED: usize = 24;

/// Of these, every third is pinned in the second half of the runs.
const PINNED_STEP: usize = 3;

/// From Melville, "Moby-Dick" (1851), and Darwin, "On the Origin of Species" (1859): in the public domain.
const PROSE: &str = include_str!("../texts/public_domain.txt");

struct Text {
    name: &'static str,
    body: String,
    /// Whether facts are planted as comments of code.
    is_code: bool,
}

fn texts() -> Vec<Text> {
    let docs = [
        include_str!("../../docs/architecture.md"),
        include_str!("../../docs/models.md"),
        include_str!("../../docs/model-faults.md"),
    ];
    let sources =
        [include_str!("../../runtime/src/builder.rs"), include_str!("../../actors/src/context/mod.rs")];
    vec![
        Text { name: "prose", body: PROSE.to_owned(), is_code: false },
        Text { name: "documentation", body: docs.join("\n\n"), is_code: false },
        Text { name: "source", body: sources[0].to_owned(), is_code: true },
        Text { name: "source 2", body: sources[1].to_owned(), is_code: true },
    ]
}

/// A planted sentence and the words that must be found again.
struct Planted {
    sentence: String,
    fact: String,
}

fn planted(number: usize) -> Planted {
    let value = 137 + number * 91;
    let (sentence, fact) = match number % 6 {
        0 => (format!("The relief valve opens at {value}.5 kPa."), format!("{value}.5 kPa")),
        1 => (
            format!("Older readings were moved to /srv/archive/batch{value}.csv last year."),
            format!("/srv/archive/batch{value}.csv"),
        ),
        2 => (
            format!("The form is explained at https://forms.example/f/{value} for new readers."),
            format!("https://forms.example/f/{value}"),
        ),
        3 => (
            format!("Operators set `retry_window_{value}` before a rehearsal."),
            format!("retry_window_{value}"),
        ),
        4 => (
            format!("The second signature was given by Oriel Tamsin Vance{}.", letters(number)),
            format!("Oriel Tamsin Vance{}", letters(number)),
        ),
        // Nothing in its form tells that it is a fact: only that its words are rare.
        _ => (
            format!("The gardener hid a key beneath the {} sundial.", letters(number)),
            format!("beneath the {} sundial", letters(number)),
        ),
    };
    Planted { sentence, fact }
}

/// A made-up word for a number.
fn letters(number: usize) -> String {
    let syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "so", "ti"];
    format!("{}{}{}", syllables[number % 8], syllables[number / 8 % 8], syllables[(number * 3 + 1) % 8])
}

/// The text with its facts at even distances, at the borders of paragraphs (of lines, in code).
fn with_facts(text: &Text) -> (String, Vec<String>) {
    let separator = if text.is_code { "\n" } else { "\n\n" };
    let blocks: Vec<&str> = text.body.split(separator).collect();
    let mut out = String::new();
    let mut facts = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        out.push_str(block);
        let due = (number + 1) * PLANTED / blocks.len();
        while facts.len() < due {
            let Planted { sentence, fact } = planted(facts.len());
            if text.is_code {
                out.push_str("\n// ");
                out.push_str(&sentence);
            } else {
                out.push(' ');
                out.push_str(&sentence);
            }
            facts.push(fact);
        }
        out.push_str(separator);
    }
    (out, facts)
}

/// Sentences at even distances until the limit is reached: what sampling without looking gives.
fn uniform(text: &str, limit: u64, counter: &dyn TokenCounter) -> String {
    let sentences: Vec<&str> = text.split_inclusive(['.', '\n']).collect();
    let total = counter.count(text);
    let mut kept = String::new();
    let (mut due, mut spent) = (0.0, 0);
    for sentence in sentences {
        let tokens = counter.count(sentence);
        due += tokens as f64 * limit as f64 / total as f64;
        if spent as f64 + tokens as f64 / 2.0 <= due && spent + tokens <= limit {
            kept.push_str(sentence);
            spent += tokens;
        }
    }
    kept
}

fn found(result: &str, facts: &[String]) -> usize {
    facts.iter().filter(|fact| result.contains(fact.as_str())).count()
}

fn main() -> Result<()> {
    let rounds = usize::try_from(args::number("--rounds", 5)?)?;
    let tokens_max = args::number("--tokens-max", 1_000_000)?;
    let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
    warm_up(Encoding::O200k);
    recall(&counter)?;
    speed(&counter, rounds, tokens_max)
}

fn recall(counter: &dyn TokenCounter) -> Result<()> {
    let ways = [Strategy::Auto, Strategy::Keyword, Strategy::Code, Strategy::Head, Strategy::Middle];
    let mut rows = Vec::new();
    let (mut pinned_found, mut pinned_all) = (0, 0);
    for factor in [2, 4, 8] {
        let mut sums = vec![0; ways.len() + 1];
        let mut all = 0;
        for text in texts() {
            let (body, facts) = with_facts(&text);
            let limit = counter.count(&body) / factor;
            let mut cells = vec![format!("{} {factor}×", text.name)];
            for (at, strategy) in ways.iter().enumerate() {
                let job =
                    Job { text: &body, limit_tokens: limit, strategy: *strategy, pins: &[], content: None };
                let result = compress(&job, counter).context("compress")?;
                ensure!(counter.count(&result.text) <= limit, "{} {strategy}: too long", text.name);
                let kept = found(&result.text, &facts);
                sums[at] += kept;
                cells.push(percent(kept, facts.len()));
            }
            let kept = found(&uniform(&body, limit, counter), &facts);
            sums[ways.len()] += kept;
            cells.push(percent(kept, facts.len()));
            all += facts.len();
            let pinned: Vec<_> = facts.iter().step_by(PINNED_STEP).cloned().collect();
            let pins: Vec<_> = pinned.iter().cloned().map(Pin::Text).collect();
            let job = Job {
                text: &body,
                limit_tokens: limit,
                strategy: Strategy::Auto,
                pins: &pins,
                content: None,
            };
            let result = compress(&job, counter).context("compress with pins")?;
            let kept = found(&result.text, &pinned);
            cells.push(percent(kept, pinned.len()));
            if factor == 4 {
                pinned_found += kept;
                pinned_all += pinned.len();
            }
            rows.push(cells);
        }
        let mut cells = vec![format!("all {factor}×")];
        cells.extend(sums.iter().map(|sum| percent(*sum, all)));
        rows.push(cells);
        if factor == 4 {
            let ratio = sums[0] as f64 / sums[3].max(1) as f64;
            println!("at 4×: unpinned facts kept by auto / by head truncation = {ratio:.2} (goal 1.5)");
        }
    }
    println!("at 4×: pinned facts kept = {} (goal 99.5 %)", percent(pinned_found, pinned_all));
    println!("\nplanted facts that are found again");
    println!(
        "{}",
        table(&["", "auto", "keyword", "code", "head", "middle", "uniform", "pinned (auto)"], &rows)
    );
    Ok(())
}

fn percent(part: usize, of: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / of.max(1) as f64)
}

fn speed(counter: &dyn TokenCounter, rounds: usize, tokens_max: u64) -> Result<()> {
    let docs = texts().swap_remove(1).body;
    let mut rows = Vec::new();
    for tokens in [10_000, 100_000, 1_000_000].into_iter().filter(|tokens| *tokens <= tokens_max) {
        let text = grown(&docs, tokens, counter);
        let limit = tokens / 4;
        for strategy in [Strategy::Auto, Strategy::Keyword, Strategy::Head] {
            let job = Job { text: &text, limit_tokens: limit, strategy, pins: &[], content: None };
            let mut times = Vec::new();
            for _ in 0..rounds {
                let begun = Instant::now();
                let result = compress(&job, counter).context("compress")?;
                times.push(begun.elapsed().as_secs_f64() * 1e3);
                ensure!(result.tokens_after <= limit, "{strategy}: too long");
            }
            let ms = median(&times);
            let per = ms * 1e4 / tokens as f64;
            rows.push(vec![format!("{strategy}, {tokens} tokens"), format!("{ms:.1}"), format!("{per:.1}")]);
        }
    }
    println!("\ntime on one core (goal: 200 ms for 10,000 tokens, and no more for each 10,000 of a million)");
    println!("{}", table(&["", "ms", "ms for 10,000"], &rows));
    Ok(())
}

/// The text again and again with new numbers in it, so that it does not repeat, up to about so many tokens.
fn grown(text: &str, tokens: u64, counter: &dyn TokenCounter) -> String {
    let once = counter.count(text).max(1);
    let mut grown = String::new();
    let mut copies = 0;
    while copies * once < tokens {
        for (number, line) in text.lines().enumerate() {
            grown.push_str(line);
            if number % 4 == 0 && !line.trim().is_empty() {
                let name = letters(usize::try_from(copies).unwrap_or(0) + number);
                grown.extend([" Item ", &copies.to_string(), &number.to_string(), " is ", &name, " here."]);
            }
            grown.push('\n');
        }
        copies += 1;
    }
    let all = counter.count(&grown).max(1);
    let end = grown.len() as u128 * u128::from(tokens.min(all)) / u128::from(all);
    let end = usize::try_from(end).unwrap_or(grown.len());
    grown.truncate(grown.floor_char_boundary(end));
    grown
}
