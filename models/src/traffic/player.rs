//! Plays exchanges back.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::fs;

use super::exchange::{Asked, Exchange, VERSION, to_header_map};
use super::redact::Redactor;
use super::{file_name, unusable};
use crate::error::ModelErrorKind;

/// Answers from a folder. Remembers how often each request was made: equal ones are answered in recorded order.
#[derive(Debug)]
pub(crate) struct Player {
    folder: PathBuf,
    /// The next number of each request that was made.
    next: Mutex<BTreeMap<String, u32>>,
}

/// A recorded answer.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) parts: Vec<Vec<u8>>,
    /// Whether the connection broke behind the last part.
    pub(crate) is_broken: bool,
}

impl Player {
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), next: Mutex::default() }
    }

    /// The recorded answer to a request.
    ///
    /// # Errors
    /// When none is recorded, or all have been given; and when a file cannot be used.
    pub(crate) async fn play(&self, method: &str, path: &str, body: &[u8]) -> Result<Played, ModelErrorKind> {
        let asked = Asked::new(method, path, body, &Redactor::default());
        let file = self.folder.join(file_name(&asked.name, self.number_of(&asked.name)));
        let text = match fs::read(&file).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return Err(ModelErrorKind::NotRecorded { folder: self.folder.display().to_string(), name });
            }
            Err(error) => return Err(unusable(&file, error)),
        };
        read(&file, &text)
    }

    /// Whether there is a folder to play from.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn ping(&self) -> Result<(), ModelErrorKind> {
        fs::read_dir(&self.folder).await.map(drop).map_err(|error| unusable(&self.folder, error))
    }

    fn number_of(&self, name: &str) -> u32 {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next.entry(name.to_owned()).or_default();
        let number = *next;
        *next = next.saturating_add(1);
        number
    }
}

fn read(file: &Path, text: &[u8]) -> Result<Played, ModelErrorKind> {
    let exchange: Exchange = serde_json::from_slice(text).map_err(|error| unusable(file, error))?;
    if exchange.version != VERSION {
        return Err(unusable(file, format!("it is of version {}, not {VERSION}", exchange.version)));
    }
    let answer = exchange.answer;
    let status = StatusCode::from_u16(answer.status)
        .map_err(|_| unusable(file, format!("{} is no HTTP status", answer.status)))?;
    let parts: Option<Vec<_>> = answer.parts.iter().map(|part| part.bytes.decode()).collect();
    let parts = parts.ok_or_else(|| unusable(file, "a part is not of pairs of hexadecimal digits"))?;
    Ok(Played { status, headers: to_header_map(&answer.headers), parts, is_broken: answer.broke })
}
