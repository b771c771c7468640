//! Writes exchanges down.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use playhouse_config::Secret;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::exchange::{Answer, Asked, Bytes, Exchange, Part, VERSION, harmless};
use super::redact::Redactor;
use super::{ANSWER_BYTES_MAX, EQUAL_REQUESTS_MAX, file_name, unusable};
use crate::error::ModelErrorKind;

/// Keeps apart the names of files that are being written. Only names: nothing else is shared.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Writes exchanges down in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    folder: PathBuf,
    redactor: Arc<Redactor>,
}

/// An exchange that is being written down.
#[derive(Debug)]
pub(crate) struct Recording {
    recorder: Recorder,
    asked: Asked,
    begun: Instant,
    head: Option<(StatusCode, HeaderMap)>,
    /// What arrived, and when, in milliseconds from the request.
    parts: Vec<(u64, Vec<u8>)>,
    bytes_len: usize,
    broke: bool,
}

impl Recorder {
    /// Writes into `folder`, which is made when it is not there. `key` is kept out of what is written.
    pub(crate) fn new(folder: impl Into<PathBuf>, key: Option<&Secret>) -> Self {
        Self { folder: folder.into(), redactor: Arc::new(Redactor::new(key)) }
    }

    /// An exchange begins.
    pub(crate) fn begin(&self, method: &str, path: &str, body: &[u8]) -> Recording {
        Recording {
            recorder: self.clone(),
            asked: Asked::new(method, path, body, &self.redactor),
            begun: Instant::now(),
            head: None,
            parts: Vec::new(),
            bytes_len: 0,
            broke: false,
        }
    }
}

impl Recording {
    /// The head of the answer has arrived.
    pub(crate) fn head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.head = Some((status, headers.clone()));
    }

    /// A part of the body has arrived.
    pub(crate) fn part(&mut self, bytes: &[u8]) {
        self.bytes_len += bytes.len();
        if self.bytes_len <= ANSWER_BYTES_MAX {
            let after_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.parts.push((after_ms, bytes.to_vec()));
        }
    }

    /// The connection has broken.
    pub(crate) fn broke(&mut self) {
        self.broke = true;
    }

    /// Writes the exchange into a file of its own: whole, or not at all.
    ///
    /// # Errors
    /// When the folder cannot be written, or the answer is longer than is written down.
    pub(crate) async fn write(self) -> Result<(), ModelErrorKind> {
        let folder = self.recorder.folder.clone();
        let name = self.asked.name.clone();
        if self.bytes_len > ANSWER_BYTES_MAX {
            return Err(unusable(&folder, format!("an answer is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        let Some(exchange) = self.into_exchange() else { return Ok(()) };
        let mut text = serde_json::to_vec_pretty(&exchange).map_err(|error| unusable(&folder, error))?;
        text.push(b'\n');
        write_new(&folder, &name, &text).await.map_err(|error| unusable(&folder, error))
    }

    /// `None` when no head has arrived.
    fn into_exchange(self) -> Option<Exchange> {
        let (status, headers) = self.head?;
        let redactor = &self.recorder.redactor;
        let (times, bytes): (Vec<_>, Vec<_>) = self.parts.into_iter().unzip();
        let part = |(after_ms, bytes): (u64, Vec<u8>)| Part { after_ms, bytes: Bytes::from(&*bytes) };
        let parts = times.into_iter().zip(redactor.parts(&bytes)).filter(|(_, bytes)| !bytes.is_empty());
        Some(Exchange {
            version: VERSION,
            request: self.asked.request,
            answer: Answer {
                status: status.as_u16(),
                headers: harmless(&headers, redactor),
                parts: parts.map(part).collect(),
                broke: self.broke,
            },
        })
    }
}

/// Writes a file under the first number that is free. A link is made to the finished file, since that fails where a
/// name is taken, also by another process.
async fn write_new(folder: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder).await?;
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!(".{name}-{}-{number}.tmp", std::process::id()));
    let written = async {
        let mut file = fs::File::create(&unfinished).await?;
        file.write_all(text).await?;
        file.sync_all().await?;
        for number in 0..EQUAL_REQUESTS_MAX {
            match fs::hard_link(&unfinished, folder.join(file_name(name, number))).await {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                linked => return linked,
            }
        }
        Err(io::Error::other(format!("it holds {EQUAL_REQUESTS_MAX} answers to one request")))
    };
    let written = written.await;
    let removed = fs::remove_file(&unfinished).await;
    written.and(removed)
}
