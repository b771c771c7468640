//! A command that runs while a test looks on.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::home::Home;

/// How long the binary may take to say or do something. It takes milliseconds, but this machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);

/// A running command whose standard error is read line by line.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home.command(args).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self { child, lines: read_lines(stderr) }
    }

    /// Waits for a line that contains `part`; returns all lines up to it.
    pub(crate) fn wait_for(&self, part: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.contains(part)) {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => seen.push(line),
                Err(error) => panic!("{part:?} did not come ({error}); seen: {seen:#?}"),
            }
        }
        seen
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the end: its code, the rest of standard error, and standard output.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, String) {
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

pub(crate) fn read_lines(stderr: ChildStderr) -> Receiver<String> {
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
