//! Ctrl-C and SIGTERM while a model answers.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::home::Home;

/// How long the binary may take to say or do something. It takes milliseconds, but this machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);

/// A model that answers long after the test is over.
const SLOW: &str = "default: { answer: late, delay_ms: 600000 }";

/// A running command whose standard error is read line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home.command(args).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self { child, lines: read_lines(stderr) }
    }

    /// Waits for a line that contains `part`; returns all lines up to it.
    fn wait_for(&self, part: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.contains(part)) {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => seen.push(line),
                Err(error) => panic!("{part:?} did not come ({error}); seen: {seen:#?}"),
            }
        }
        seen
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the end: its code, the rest of standard error, and standard output.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut rest = Vec::new();
        // The channel closes when the binary has closed its standard error.
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            rest.push(line);
        }
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        (self.child.wait().unwrap().code(), rest, stdout)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = sync_channel(1_000);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            if sender.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    lines
}

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

#[test]
fn a_load_run_that_is_stopped_still_reports_and_a_journal_goes_on_later() {
    let home = Home::empty();
    let args = [
        "load",
        "-n",
        "50000",
        "--latency-ms",
        "5",
        "--width",
        "50",
        "--journal",
        "load.db",
        "--acks",
        "acks",
    ];
    let running = Running::start(&home, &args);
    let acks = home.path().join("acks");
    // A file that grows is not told of; the wait is bounded.
    let mut looks = 0;
    while std::fs::metadata(&acks).map_or(0, |file| file.len()) < 10_000 {
        looks += 1;
        assert!(looks < 3_000, "nothing was acknowledged");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    running.signal("INT");
    let (code, _, stdout) = running.end();
    assert_eq!(code, Some(130), "{stdout}");
    assert!(stdout.contains("adds up") && stdout.contains("yes"), "{stdout}");
    let acknowledged = home.read("acks").lines().count();
    let counts = |home: &Home| {
        let listed = home
            .run(&["tasks", "list", "--format", "json", "--limit", "60000", "--journal", "load.db"])
            .with_code(0)
            .json();
        listed["tasks"].as_array().unwrap().len()
    };
    assert!(counts(&home) >= acknowledged, "an acknowledged task is not in the journal");
}
