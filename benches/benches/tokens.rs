//! How fast tokens are counted: megabytes a second and nanoseconds a byte of our counter beside plain tiktoken-rs, on
//! ordinary texts and on those that make an encoder slow, at 100 kB and at 1 MB. In turns within one run, on one core;
//! then many texts on all cores.
//!
//! `cargo bench -p playhouse-benches --bench tokens [-- --bytes 1000000 --rounds 5 --peer-seconds 20]`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Result, ensure};
use playhouse_benches::{args, median, table};
use playhouse_models::tokens::{Encoding, TiktokenCounter, TokenCounter, count_many, warm_up};
use playhouse_protocol::{RandomSource, SeededSource};
use tiktoken_rs::CoreBPE;
use tokio::time::Instant;

/// Prose and source that are at hand everywhere: this project's own.
const PROSE: [&str; 3] = [
    include_str!("../../docs/architecture.md"),
    include_str!("../../docs/gaps.md"),
    include_str!("../../docs/cli.md"),
];
const SOURCE: [&str; 3] = [
    include_str!("tokens.rs"),
    include_str!("model_client.rs"),
    include_str!("../../models/src/tokens/tiktoken.rs"),
];

/// A text of about `bytes` bytes, and its name.
struct Sample {
    name: &'static str,
    /// Whether it is ordinary: then ours is to be as fast as the peer.
    ordinary: bool,
    text: fn(usize) -> String,
}

const SAMPLES: [Sample; 6] = [
    Sample { name: "prose", ordinary: true, text: |bytes| repeated(&PROSE.concat(), bytes) },
    Sample { name: "Rust source", ordinary: true, text: |bytes| repeated(&SOURCE.concat(), bytes) },
    Sample { name: "one letter", ordinary: false, text: |bytes| repeated("a", bytes) },
    Sample { name: "base64", ordinary: false, text: base64 },
    Sample {
        name: "emoji", ordinary: false, text: |bytes| repeated("🙂🚀👩\u{200d}👧🇩🇪", bytes)
    },
    Sample { name: "spaces", ordinary: false, text: |bytes| repeated(" ", bytes) },
];

fn repeated(text: &str, bytes: usize) -> String {
    let mut whole = text.repeat(bytes.div_ceil(text.len()));
    whole.truncate(whole.floor_char_boundary(bytes));
    whole
}

/// Letters and digits without a gap, the same in every run.
fn base64(bytes: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let random = SeededSource::from_seed(5);
    let digit = |_| char::from(DIGITS[usize::try_from(random.next_u64() % 64).unwrap_or_default()]);
    (0..bytes).map(digit).collect()
}

struct Timed {
    tokens: u64,
    elapsed: Duration,
}

fn timed(count: impl FnOnce() -> u64) -> Timed {
    let begun = Instant::now();
    let tokens = count();
    Timed { tokens, elapsed: begun.elapsed() }
}

fn nanoseconds_per_byte(elapsed: Duration, bytes: usize) -> f64 {
    elapsed.as_secs_f64() * 1e9 / bytes as f64
}

/// A line of the table: one text at one length.
fn compare(
    sample: &Sample,
    bytes: usize,
    rounds: u64,
    peer_most: Duration,
    peer: &CoreBPE,
) -> Result<Vec<String>> {
    let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
    let text = (sample.text)(bytes);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let our = timed(|| counter.count(&text));
        ours.push(nanoseconds_per_byte(our.elapsed, text.len()));
        // On a long enough run of white space its regular expressions run out of stack, and it panics.
        let counted =
            || catch_unwind(AssertUnwindSafe(|| peer.count_ordinary(&text) as u64)).unwrap_or_default();
        let their = timed(counted);
        if their.tokens == 0 {
            continue;
        }
        ensure!(our.tokens == their.tokens, "{}: {} and {} tokens", sample.name, our.tokens, their.tokens);
        theirs.push(nanoseconds_per_byte(their.elapsed, text.len()));
        // What takes so long needs no second measurement.
        if their.elapsed > peer_most {
            break;
        }
    }
    let ratios: Vec<_> = ours.iter().zip(&theirs).map(|(our, their)| their / our).collect();
    let (our, their) = (median(&ours), median(&theirs));
    let rate = |nanoseconds: f64| format!("{:.2}", 1e3 / nanoseconds);
    let if_counted = |cell: String| if theirs.is_empty() { "panics".to_owned() } else { cell };
    Ok(vec![
        sample.name.to_owned(),
        format!("{} kB", bytes / 1_000),
        rate(our),
        format!("{our:.1}"),
        if_counted(rate(their)),
        if_counted(format!("{their:.1}")),
        if_counted(format!("{:.2}", median(&ratios))),
        if sample.ordinary { "1.00".to_owned() } else { String::new() },
    ])
}

/// Many texts on all cores, beside one after the other.
fn many(bytes: usize, rounds: u64) -> String {
    let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
    let text = repeated(&PROSE.concat(), bytes / 50);
    let texts = vec![text.as_str(); 200];
    let total = text.len() * texts.len();
    let mut ratios = Vec::new();
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let one = timed(|| texts.iter().map(|text| counter.count(text)).sum());
        let all = timed(|| count_many(&counter, &texts).iter().sum());
        ratios.push(one.elapsed.as_secs_f64() / all.elapsed.as_secs_f64());
        rates.push(1e3 / nanoseconds_per_byte(all.elapsed, total));
    }
    format!(
        "many texts at once: {:.1} MB/s, {:.2} × one after the other, on {} cores",
        median(&rates),
        median(&ratios),
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    )
}

fn main() -> Result<()> {
    let bytes = usize::try_from(args::number("--bytes", 1_000_000)?)?;
    let rounds = args::number("--rounds", 5)?;
    let peer_most = Duration::from_secs(args::number("--peer-seconds", 20)?);
    ensure!(bytes >= 10_000 && rounds > 0, "--bytes is at least 10000 and --rounds at least 1");
    let peer = tiktoken_rs::o200k_base_singleton();
    warm_up(Encoding::O200k);
    let mut rows = Vec::new();
    for sample in &SAMPLES {
        for bytes in [bytes / 10, bytes] {
            rows.push(compare(sample, bytes, rounds, peer_most, peer)?);
        }
    }
    println!("o200k_base on one core, ours and plain tiktoken-rs in turns; medians of {rounds} rounds");
    let head = ["text", "size", "ours MB/s", "ns/byte", "tiktoken-rs MB/s", "ns/byte", "ratio", "goal"];
    println!("{}", table(&head, &rows));
    println!("{}", many(bytes, rounds));
    println!(
        "goals: ratio at least 1 on ordinary text; our ns/byte of one text about the same at both sizes"
    );
    Ok(())
}
