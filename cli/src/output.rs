//! Result files: checked before any work is done, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use playhouse_protocol::Failure;

/// A file that a result will be written to. Made before the work, so that nobody waits for a model only to
/// learn that the folder does not exist.
#[derive(Debug)]
pub(crate) struct OutputFile {
    /// As the user named it, for messages.
    named: PathBuf,
    /// Behind links.
    target: PathBuf,
    /// Whether the target is a file, or may become one; devices and pipes are written to as they are.
    is_regular: bool,
}

impl OutputFile {
    /// Makes sure that a file can be written there, and leaves everything as it is.
    pub(crate) fn check(path: &Path) -> Result<Self, Failure> {
        let named = path.to_owned();
        let target = path.canonicalize().unwrap_or_else(|_| named.clone());
        let kind = fs::metadata(&target).map(|metadata| metadata.file_type());
        if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
            return Err(refused(path, "it is a folder").with_hint("Name a file in it."));
        }
        let is_regular = kind.as_ref().map_or(true, fs::FileType::is_file);
        let output = Self { named, target, is_regular };
        if is_regular {
            let folder = output.folder();
            if !folder.is_dir() {
                let reason = format!("the folder {} does not exist", folder.display());
                return Err(refused(path, reason).with_hint("Make the folder first, or name another file."));
            }
            let (probe, file) = output.temporary().map_err(|error| output.failed(&error))?;
            drop(file);
            fs::remove_file(probe).map_err(|error| output.failed(&error))?;
        }
        Ok(output)
    }

    /// As the user named it.
    pub(crate) fn path(&self) -> &Path {
        &self.named
    }

    /// Writes the file: after this there is the old content or the new one, never a part.
    pub(crate) fn write(&self, text: &str) -> Result<(), Failure> {
        self.try_write(text.as_bytes()).map_err(|error| self.failed(&error))
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_regular {
            return OpenOptions::new().write(true).open(&self.target)?.write_all(bytes);
        }
        let (temporary, mut file) = self.temporary()?;
        let written = (|| {
            file.write_all(bytes)?;
            if let Ok(old) = fs::metadata(&self.target) {
                file.set_permissions(old.permissions())?;
            }
            // On disk before the name points to it, so that a power cut leaves no empty file either.
            file.sync_all()?;
            fs::rename(&temporary, &self.target)
        })();
        if written.is_err() {
            // The first failure is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// A new file beside the target: renaming works only within one file system.
    fn temporary(&self) -> io::Result<(PathBuf, File)> {
        let name = self.target.file_name().unwrap_or_default().to_string_lossy();
        let path = self.folder().join(format!(".{name}.{}.tmp", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    fn folder(&self) -> &Path {
        match self.target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    fn failed(&self, error: &io::Error) -> Failure {
        refused(&self.named, error).with_hint("Choose a file that you may write: --output FILE")
    }
}

/// A folder that results will be written to, made if it is not there.
#[derive(Debug)]
pub(crate) struct OutputFolder {
    path: PathBuf,
}

impl OutputFolder {
    /// Makes the folder and makes sure that a file can be written in it.
    pub(crate) fn check(path: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(|error| {
            refused(path, error).with_hint("Choose a folder that you may write: --output DIR")
        })?;
        OutputFile::check(&path.join("report.json"))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes one file in it.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        OutputFile::check(&self.path.join(name))?.write(text)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn refused(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::invalid(format!("write {}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_check_leaves_nothing_and_a_write_leaves_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let output = OutputFile::check(&folder.path().join("a.rs")).unwrap();
        assert_eq!(names(folder.path()), [""; 0]);
        output.write("one\n").unwrap();
        output.write("two\n").unwrap();
        assert_eq!(names(folder.path()), ["a.rs"]);
        assert_eq!(fs::read_to_string(folder.path().join("a.rs")).unwrap(), "two\n");
    }

    #[test]
    fn a_missing_folder_and_a_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let missing = OutputFile::check(&folder.path().join("no/a.rs")).unwrap_err();
        assert!(missing.message.contains("does not exist"), "{missing}");
        let itself = OutputFile::check(folder.path()).unwrap_err();
        assert!(itself.message.contains("it is a folder"), "{itself}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_kept_and_its_target_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        OutputFile::check(&link).unwrap().write("new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }
}
