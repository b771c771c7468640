//! Downloads a file over HTTP, and continues a download that broke off.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{Response, StatusCode, Url, redirect};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::error::PullError;
use super::file;
use super::manifest::KnownModel;
use super::progress::{Phase, Reporter};
use crate::network::{USER_AGENT, is_loopback, root_cause};

/// How long to wait for a connection. Short, because another source stands ready.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long nothing may come, the head of the answer included.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Redirects that are followed: hubs send to a storage server, which may send on once more.
const REDIRECTS_MAX: usize = 5;

/// Downloads `model` from `url` into `part`, after what it holds already. Gives whether it was continued.
pub(super) async fn download(
    url: &str,
    model: &KnownModel,
    part: &Path,
    reporter: &Reporter,
) -> Result<bool, PullError> {
    let url = parse(url)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut begin = file::size(part);
    if begin == model.file_bytes {
        return Ok(true);
    }
    if begin > model.file_bytes {
        file::remove(part)?;
        begin = 0;
    }
    let mut response = request(&url, &host, begin).await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(response.headers(), begin) => {}
        // It does not continue, or somewhere else: from the start, then.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            begin = 0;
            response = request(&url, &host, 0).await?;
            if response.status() != StatusCode::OK {
                return Err(PullError::Status { host, status: response.status().as_u16() });
            }
        }
        StatusCode::OK => begin = 0,
        status => return Err(PullError::Status { host, status: status.as_u16() }),
    }
    if let Some(length) = response.content_length() {
        let found = begin + length;
        if found != model.file_bytes {
            return Err(PullError::WrongSize { from: host, expected: model.file_bytes, found });
        }
    }
    write(response, begin, &host, model, part, reporter).await?;
    Ok(begin > 0)
}

fn parse(url: &str) -> Result<Url, PullError> {
    let bad = |reason: String| PullError::BadUrl { url: url.to_owned(), reason };
    let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(bad("it is not of the form https://HOST/PATH".to_owned()));
    }
    Ok(parsed)
}

async fn request(url: &Url, host: &str, begin: u64) -> Result<Response, PullError> {
    let unreachable = |error: &reqwest::Error| {
        let is_slow = error.is_timeout();
        let reason = if is_slow { "no connection within 3 s".to_owned() } else { root_cause(error) };
        PullError::Unreachable { host: host.to_owned(), reason }
    };
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::limited(REDIRECTS_MAX))
        .https_only(url.scheme() == "https");
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|error| unreachable(&error))?;
    let mut request = client.get(url.clone());
    if begin > 0 {
        request = request.header(RANGE, format!("bytes={begin}-"));
    }
    match timeout(STALL_TIMEOUT, request.send()).await {
        Ok(response) => response.map_err(|error| unreachable(&error)),
        Err(_) => Err(stalled(host)),
    }
}

/// Whether a part of a file begins where it was asked to.
///
/// Source: RFC 9110, section 14.4.
fn starts_at(headers: &HeaderMap, begin: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = range.and_then(|range| range.trim().strip_prefix("bytes "));
    let first =
        first.and_then(|range| range.split('-').next()).and_then(|first| first.trim().parse::<u64>().ok());
    first == Some(begin)
}

async fn write(
    mut response: Response,
    begin: u64,
    host: &str,
    model: &KnownModel,
    part: &Path,
    reporter: &Reporter,
) -> Result<(), PullError> {
    let bytes_total = model.file_bytes;
    let failed = |source| PullError::io(part, source, bytes_total);
    let mut file = File::options()
        .create(true)
        .write(true)
        .truncate(begin == 0)
        .append(begin > 0)
        .open(part)
        .await
        .map_err(failed)?;
    let mut meter = reporter.phase(Phase::Downloading, bytes_total, Some(format!("from {host}")));
    let mut bytes_done = begin;
    meter.reach(bytes_done);
    let outcome = loop {
        let Ok(next) = timeout(STALL_TIMEOUT, response.chunk()).await else { break Err(stalled(host)) };
        let broken_off =
            |reason: String| PullError::BrokenOff { host: host.to_owned(), bytes_done, bytes_total, reason };
        let bytes = match next {
            Ok(Some(bytes)) => bytes,
            Ok(None) if bytes_done < bytes_total => break Err(broken_off("the connection ended".to_owned())),
            Ok(None) => break Ok(()),
            Err(error) => break Err(broken_off(error.without_url().to_string())),
        };
        bytes_done += bytes.len() as u64;
        if bytes_done > bytes_total {
            break Err(PullError::WrongSize {
                from: host.to_owned(),
                expected: bytes_total,
                found: bytes_done,
            });
        }
        if let Err(error) = file.write_all(&bytes).await {
            break Err(failed(error));
        }
        meter.reach(bytes_done);
    };
    // What has come is kept for the next try, so it must reach the disk whatever happened.
    file.flush().await.map_err(failed)?;
    outcome
}

fn stalled(host: &str) -> PullError {
    PullError::Stalled { from: host.to_owned(), seconds: STALL_TIMEOUT.as_secs() }
}
