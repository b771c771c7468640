//! Ctrl-C and SIGTERM while a model answers.
#![cfg(unix)]

use std::io::Read as _;
use std::process::Child;
use std::time::Duration;

use crate::home::Home;
use crate::running::{Running, read_lines};

/// A model that answers long after the test is over.
const SLOW: &str = "default: { answer: late, delay_ms: 600000 }";

fn cancelled_by(signal: &str) -> (Option<i32>, Vec<String>) {
    let home = Home::scripted(SLOW);
    home.write("add.rs", "old");
    let running = Running::start(&home, &["develop", "Add.", "--output", "add.rs"]);
    running.wait_for("writing code with demo");
    running.signal(signal);
    let (code, stderr, stdout) = running.end();
    assert_eq!(stdout, "");
    assert_eq!(home.read("add.rs"), "old");
    assert_eq!(home.names(), ["add.rs", "answers.yaml", "playhouse.yaml"]);
    (code, stderr)
}

#[test]
fn ctrl_c_cancels_in_mid_answer_and_leaves_no_file() {
    let (code, stderr) = cancelled_by("INT");
    assert_eq!(code, Some(130), "{stderr:#?}");
    let told = stderr.last().unwrap();
    assert!(told.contains("it was cancelled; nothing was written"), "{stderr:#?}");
}

#[test]
fn sigterm_cancels_too_and_has_its_own_code() {
    let (code, stderr) = cancelled_by("TERM");
    assert_eq!(code, Some(143), "{stderr:#?}");
}

#[test]
fn a_cancelled_batch_keeps_what_was_finished() {
    let home = Home::scripted(
        "entries:
  - match: { contains: the slow one }
    answer: late
    delay_ms: 600000
default: { answer: \"```rust\\npub fn add() {}\\n```\" }
",
    );
    home.write("specs.yaml", "- Add.\n- Write the slow one.\n");
    let running =
        Running::start(&home, &["develop", "--from", "specs.yaml", "--output", "out", "--no-tests"]);
    running.wait_for("[1/2] spec-1: ");
    running.signal("INT");
    let (code, stderr, stdout) = running.end();
    assert_eq!(code, Some(130), "{stderr:#?}");
    assert!(stdout.contains("1 cancelled of 2 specs"), "{stdout}");
    assert!(home.exists("out/spec-1.rs") && !home.exists("out/spec-2.rs"));
    let report: serde_json::Value = serde_json::from_str(&home.read("out/report.json")).unwrap();
    assert_eq!(report["items"][1]["status"], "cancelled");
}

/// Waits until a load run has noted so many acknowledged tasks.
fn wait_for_acks(home: &Home, acks_len: usize) {
    // A file that grows is not told of; the wait is bounded.
    let mut looks = 0;
    while !home.exists("acks") || home.read("acks").lines().count() < acks_len {
        looks += 1;
        assert!(looks < 3_000, "{acks_len} were not acknowledged");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// A load run that takes a while and is written down.
fn journaled(tasks: &str) -> Vec<&str> {
    let mut args =
        vec!["load", "-n", tasks, "--latency-ms", "5", "--width", "50", "--quiet", "--format", "json"];
    args.extend(["--journal", "load.db", "--acks", "acks"]);
    args
}

fn count(report: &serde_json::Value, part: &str, name: &str) -> u64 {
    report[part][name].as_u64().unwrap_or_else(|| panic!("no {part}.{name} in {report}"))
}

#[test]
fn a_load_run_that_is_stopped_still_reports_and_leaves_what_is_open_to_the_journal() {
    let home = Home::empty();
    let running = Running::start(&home, &journaled("50000"));
    wait_for_acks(&home, 200);
    running.signal("INT");
    let (code, stderr, stdout) = running.end();
    assert_eq!(code, Some(130), "{stderr:#?}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["adds_up"], true, "{report}");
    let acknowledged = home.read("acks").lines().count() as u64;
    assert_eq!(count(&report, "outcomes", "acknowledged"), acknowledged);
    let journal = count(&report, "journal", "completed") + count(&report, "journal", "open");
    assert_eq!(journal, acknowledged, "{report}");
}

#[test]
fn a_load_run_without_a_journal_that_is_terminated_cancels_what_is_open_and_counts_it() {
    let home = Home::empty();
    let mut args = vec!["load", "-n", "1000", "--width", "20", "--latency-ms", "600000"];
    args.extend(["--acks", "acks", "--format", "json", "--slo", "throughput_min=1000000"]);
    let running = Running::start(&home, &args);
    wait_for_acks(&home, 20);
    running.signal("TERM");
    let (code, stderr, stdout) = running.end();
    assert_eq!(code, Some(143), "a signal stands above a goal: {stderr:#?}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["adds_up"], true, "{report}");
    assert_eq!(count(&report, "outcomes", "cancelled"), 20, "{report}");
    assert_eq!(count(&report, "accounting", "accepted"), 20, "{report}");
}

#[test]
fn the_same_load_command_after_a_kill_goes_on_and_submits_only_what_is_missing() {
    let home = Home::empty();
    let args = journaled("600");
    let mut running = Running::start(&home, &args);
    wait_for_acks(&home, 150);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let acknowledged = home.read("acks").lines().count() as u64;
    let report = home.run(&args).with_code(0).json();
    assert_eq!(report["adds_up"], true, "{report}");
    assert_eq!((count(&report, "journal", "completed"), count(&report, "journal", "open")), (600, 0));
    assert_eq!(count(&report, "outcomes", "completed"), 600);
    let accepted = count(&report, "accounting", "accepted");
    assert!(accepted <= 600 - acknowledged, "{accepted} were submitted anew, {acknowledged} were there");
    let here = accepted + count(&report, "accounting", "resumed");
    assert_eq!(here + count(&report, "outcomes", "ended_before"), 600, "{report}");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let home = Home::empty();
    // Nothing ends by itself, and stopping takes a grace of half a second, behind which a report would follow.
    let args = ["load", "-n", "3", "--latency-ms", "86400000", "--metrics", "127.0.0.1:0"];
    let running = Running::start(&home, &args);
    running.wait_for("metrics: http://");
    running.signal("INT");
    running.wait_for("stopping; ");
    running.signal("INT");
    let (code, stderr, stdout) = running.end();
    assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr:#?}");
}

/// A model that says the first words at once and the rest after the test is over.
const HALTING: &str = "
entries:
  - match: { contains: slowly, nth: 1 }
    answer: one two three four five
    tokens_per_chunk: 2
    chunk_delay_ms: 600000
default: { answer: quickly }
";

/// Waits until the child has written this to its standard output.
fn read_until(child: &mut Child, part: &str) -> String {
    let mut seen = Vec::new();
    let stdout = child.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&seen).contains(part) {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    String::from_utf8(seen).unwrap()
}

#[test]
fn ctrl_c_stops_an_answer_keeps_what_has_come_and_the_talk_goes_on() {
    use std::io::Write as _;
    let home = Home::scripted(HALTING);
    let mut command = home.command(&["chat"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stderr = child.stderr.take().unwrap();
    let mut running = Running { child, lines: read_lines(stderr) };
    stdin.write_all(b"count slowly\n").unwrap();
    assert_eq!(read_until(&mut running.child, "one two"), "one two");
    running.signal("INT");
    running.wait_for("what has come is kept");
    stdin.write_all(b"go on\n").unwrap();
    drop(stdin);
    let (code, stderr, stdout) = running.end();
    assert_eq!(code, Some(0), "{stderr:#?}");
    assert_eq!(stdout, "\nquickly\n");
    let shown = home.run(&["chat", "show", "last"]).with_code(0).stdout;
    assert!(shown.contains("You:\ncount slowly\n\ndemo (cut):\none two\n\nYou:\ngo on\n"), "{shown}");
}
