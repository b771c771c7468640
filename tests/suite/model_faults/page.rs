//! The page of the documentation, written from the table.

use std::fmt::Write as _;

use playhouse_tests::faults::{End, Fault, GROUPS, Outcome, TEXT};

/// What the table of the documentation is called.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/model-faults.md");

fn outcome_cell(outcome: Option<Outcome>) -> String {
    let Some(outcome) = outcome else { return "–".to_owned() };
    let mut cell = match outcome.end {
        End::Answer(TEXT) => "answer".to_owned(),
        End::Answer(text) => format!("answer `{text}`"),
        End::Error(kind, class, status) => {
            let status = status.map(|status| format!(", HTTP {status}")).unwrap_or_default();
            format!("`{kind}` ({class}{status})")
        }
    };
    if outcome.restarts > 0 {
        let _ = write!(cell, ", begun anew {} ×", outcome.restarts);
    }
    let _ = write!(cell, "; {} sent", outcome.requests);
    if let [gap_ms, ..] = outcome.gaps_min_ms {
        let _ = write!(cell, ", {gap_ms} ms apart at least");
    }
    cell
}

fn table() -> String {
    let mut text = "# What becomes of a provider's faults

Written by `tests/suite/model_faults.rs`, which plays each of them against the client with all of its layers (four attempts at most)
and checks what stands here; to write it anew: `PLAYHOUSE_BLESS=1 cargo test -p playhouse-tests --test suite model_faults`.
No error and no log above `trace` holds the key or the prompt. A time is the server's hint, or the limit by which silence was noticed.
"
    .to_owned();
    for group in GROUPS {
        let _ = write!(
            text,
            "\n## {}\n\n| fault | the server | plain | streamed |\n|---|---|---|---|\n",
            group.title
        );
        for fault in group.faults {
            let Fault { name, what, .. } = fault;
            let (plain, streamed) = (outcome_cell(fault.plain), outcome_cell(fault.streamed));
            let _ = writeln!(text, "| `{name}` | {what} | {plain} | {streamed} |");
        }
    }
    text
}

#[test]
fn the_table_of_the_documentation_is_the_one_that_is_played() {
    let table = table();
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write the page anew is no setting of Playhouse"
    )]
    let bless = std::env::var_os("PLAYHOUSE_BLESS").is_some();
    if bless {
        std::fs::write(TABLE, &table).unwrap();
    }
    let page = std::fs::read_to_string(TABLE).unwrap_or_default();
    assert!(page == table, "docs/model-faults.md is out of date: run this test with PLAYHOUSE_BLESS=1");
}
