//! A user's home for one test: a folder with settings and a script, and the binary that sees nothing else.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Settings with one scripted model, which answers everything.
pub(crate) const SETTINGS: &str = "
models:
  demo: { provider: scripted, script: answers.yaml }
selection: { default: demo }
";

/// Code with tests, as models answer.
pub(crate) const CODE: &str = r"
      ```rust
      /// Adds two numbers.
      pub fn add(a: u64, b: u64) -> Option<u64> {
          a.checked_add(b)
      }
      ```

      ```rust
      #[cfg(test)]
      mod tests {
          use super::*;

          #[test]
          fn adds() {
              assert_eq!(add(1, 2), Some(3));
              assert_eq!(add(u64::MAX, 1), None);
          }
      }
      ```

      It adds without overflow.";

/// An approval, as models answer.
pub(crate) const APPROVE: &str = r#"{"verdict": "approve", "summary": "Short and clear.", "scores": {"functionality": 9, "quality": 9, "testing": 9, "maintainability": 9, "security": 9}, "findings": [], "recommendations": []}"#;

/// A review that wants changes, as models answer.
pub(crate) const CHANGES: &str = r#"{"verdict": "request_changes", "summary": "It lacks a comment.", "scores": {"functionality": 5, "quality": 5, "testing": 5, "maintainability": 5, "security": 5}, "findings": [{"severity": "major", "line": 2, "message": "there is no comment", "suggestion": "say what it does"}], "recommendations": []}"#;

/// Tells a question to the reviewer from one to the generator.
pub(crate) const TO_REVIEWER: &str = "code reviewer";

/// A home that ends with its test.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

/// What a command left.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// A home without settings.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A home whose model answers from this script.
    pub(crate) fn scripted(answers: &str) -> Self {
        let home = Self::empty();
        home.write("playhouse.yaml", SETTINGS);
        home.write("answers.yaml", answers);
        home
    }

    /// A home whose model writes code and approves it.
    pub(crate) fn approving() -> Self {
        Self::scripted(&format!(
            "entries:\n  - match: {{ contains: {TO_REVIEWER} }}\n    answer: '{APPROVE}'\ndefault:\n  answer: |{CODE}\n"
        ))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// Every file in the home, hidden ones included.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The binary in this home, with no variable of the developer's own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_playhouse"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path())
            .env("PLAYHOUSE_MODELS_DIR", self.path().join("models"))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args).output().unwrap())
    }

    /// Runs the binary with this on its standard input.
    pub(crate) fn run_with_stdin(&self, args: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // It may end without reading all of it.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
        ended(child.wait_with_output().unwrap())
    }
}

fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    /// Passes the output on when the command ended with `code`.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}
