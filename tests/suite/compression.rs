//! Compression of Rust that other people wrote: what is left parses, always.

use std::fs;
use std::path::{Path, PathBuf};

use playhouse_config::Environment;
use playhouse_models::tokens::{Encoding, TiktokenCounter, TokenCounter as _};
use playhouse_protocol::code::Language;
use playhouse_protocol::compress::{Content, Strategy};
use playhouse_runtime::actors::code::facts::facts;
use playhouse_runtime::actors::compression::{Job, compress};

/// Crates that files are taken of, and files of each: enough for every form of item, few enough for seconds.
const CRATES: usize = 40;
const FILES: usize = 2;
const CRATES_MIN: usize = 20;

/// Sizes of files: smaller ones have nothing to leave out, larger ones take long without optimisation.
const BYTES: std::ops::Range<u64> = 2_000..16_000;

/// The folders of published crates that cargo has unpacked here, in the order of their names.
fn crates() -> Vec<PathBuf> {
    let environment = Environment::process();
    let home = environment.get("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| environment.get("HOME").map(|home| Path::new(&home).join(".cargo")));
    let Some(registries) = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok()) else {
        return Vec::new();
    };
    let folders = registries.flatten().filter_map(|registry| fs::read_dir(registry.path()).ok());
    let mut crates: Vec<_> = folders.flat_map(|folder| folder.flatten().map(|entry| entry.path())).collect();
    crates.sort();
    crates
}

/// The first files of a crate that have the right size and parse.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("src")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "rs");
    let has_size = |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| BYTES.contains(&metadata.len()));
    let texts =
        paths.into_iter().filter(is_rust).filter(has_size).filter_map(|path| fs::read_to_string(path).ok());
    texts.filter(|text| parses(text)).take(FILES).collect()
}

/// Whether it is a file of Rust; one in which there is no item is none.
fn parses(text: &str) -> bool {
    let facts = facts(Language::Rust, text);
    facts.parses == Some(true) && facts.diagnostics.is_empty()
}

#[test]
fn what_is_left_of_published_crates_parses() {
    let counter = TiktokenCounter::with_encoding(Encoding::O200k, "");
    let all = crates();
    // From the whole alphabet.
    let step = (all.len() / (CRATES * 2)).max(1);
    let (mut crates_len, mut jobs, mut as_text) = (0, 0_u32, 0_u32);
    for folder in all.iter().step_by(step) {
        let files = files(folder);
        crates_len += usize::from(!files.is_empty());
        for text in &files {
            let tokens = counter.count(text);
            for factor in [2, 4] {
                let job = Job {
                    text,
                    limit_tokens: tokens / factor,
                    strategy: Strategy::Code,
                    pins: &[],
                    content: Some(Content::Rust),
                };
                let done = compress(&job, &counter).unwrap();
                assert!(done.tokens_after <= tokens / factor, "{}", folder.display());
                jobs += 1;
                if done.strategy == Some(Strategy::Code) {
                    assert!(parses(&done.text), "{} at {factor}×:\n{}", folder.display(), done.text);
                } else {
                    // A file that is all docs cannot be made so short by leaving out items: it says so, and becomes text.
                    assert!(!done.refused.is_empty(), "{} at {factor}×", folder.display());
                    as_text += 1;
                }
            }
        }
        if crates_len == CRATES {
            break;
        }
    }
    assert!(as_text * 20 <= jobs, "{as_text} of {jobs} became text");
    if crates_len < CRATES_MIN {
        assert!(
            Environment::process().get("PLAYHOUSE_REQUIRE_SERVERS").is_none_or(|value| value != "1"),
            "{crates_len} published crates with files of the right size are here, {CRATES_MIN} are needed"
        );
        println!("skipped: {crates_len} published crates are unpacked here, {CRATES_MIN} are needed");
    }
}
