//! A folder with sets of riddles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use playhouse_protocol::riddle::Difficulty;

use super::{Riddle, RiddleSet, SHIPPED_NAMES, parse_jsonl, parse_riddles, shipped, write};
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::nearest::nearest;
use crate::report::{Report, check_name, invalid};

/// The largest file of riddles, in bytes: as many riddles as a set may have, with room for texts that they are about.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The name of the file that keeps two programs from writing at the same time.
const LOCK_NAME: &str = ".lock";

/// The sets of a folder, `<name>.yaml` each, and those that come with Playhouse.
///
/// Nothing is kept in memory: each question reads the files. One program writes at a time.
#[derive(Debug, Clone)]
pub struct RiddleRepository {
    folder: PathBuf,
}

/// A set in short.
#[derive(Debug, Clone, PartialEq)]
pub struct SetSummary {
    /// Its name.
    pub name: String,
    /// Its file; `None` for one that comes with Playhouse.
    pub path: Option<PathBuf>,
    /// What is in it, or what is wrong with it.
    pub contents: Result<SetContents, ConfigErrors>,
}

/// What is in a set, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetContents {
    /// The language of its questions.
    pub language: String,
    /// How many riddles it has.
    pub riddles_len: usize,
    /// How many of each difficulty, where there are any.
    pub by_difficulty: BTreeMap<Difficulty, usize>,
    /// How many of each form.
    pub by_form: BTreeMap<String, usize>,
}

/// What was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The file.
    pub path: PathBuf,
    /// How many riddles were added.
    pub added_len: usize,
    /// How many it has now.
    pub riddles_len: usize,
    /// Whether the file is new.
    pub is_new: bool,
}

impl From<&RiddleSet> for SetContents {
    fn from(set: &RiddleSet) -> Self {
        let mut contents =
            Self { language: set.language.clone(), riddles_len: set.riddles.len(), ..Self::default() };
        for riddle in &set.riddles {
            *contents.by_difficulty.entry(riddle.difficulty).or_default() += 1;
            *contents.by_form.entry(riddle.form.clone()).or_default() += 1;
        }
        contents
    }
}

impl RiddleRepository {
    /// The sets of this folder, which need not be there.
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every set by name, those that come with Playhouse first. One that cannot be read hides no other one.
    ///
    /// # Errors
    /// When the folder itself cannot be read.
    pub fn list(&self) -> Result<Vec<SetSummary>, ConfigErrors> {
        let mut sets = Vec::new();
        for name in SHIPPED_NAMES {
            let contents = self.load(name).as_ref().map(SetContents::from).map_err(Clone::clone);
            sets.push(SetSummary { name: name.to_owned(), path: None, contents });
        }
        for name in self.names()? {
            let path = self.path_of(&name);
            let contents = self.load_own(&name).as_ref().map(SetContents::from).map_err(Clone::clone);
            sets.push(SetSummary { name, path: Some(path), contents });
        }
        Ok(sets)
    }

    /// The set of this name.
    ///
    /// # Errors
    /// When there is none, with the names there are; everything that is wrong with it.
    pub fn load(&self, name: &str) -> Result<RiddleSet, ConfigErrors> {
        if let Some(set) = shipped(name) {
            return set;
        }
        let names = self.names()?;
        if names.iter().any(|known| known == name) {
            return self.load_own(name);
        }
        let known: Vec<_> = SHIPPED_NAMES.into_iter().chain(names.iter().map(String::as_str)).collect();
        let listed = format!("known: {}", known.join(", "));
        let hint = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`? {listed}"),
            None => listed,
        };
        let message = format!("find the set of riddles {name:?}: it is not known");
        Err(ConfigError::new(ConfigErrorKind::UnknownName, message).with_hint(hint).into())
    }

    /// Checks a set by its name, or a file: one that ends with `.jsonl` has a riddle on each line, any other one is a set.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn validate(&self, name_or_path: &str) -> Result<SetContents, ConfigErrors> {
        let path = Path::new(name_or_path);
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !matches!(ending, "yaml" | "yml" | "jsonl") && path.components().count() == 1 {
            return self.load(name_or_path).as_ref().map(SetContents::from).map_err(Clone::clone);
        }
        let text = read(path)?;
        let set = if ending == "jsonl" {
            let riddles = parse_jsonl(name_or_path, &text)?;
            RiddleSet { name: String::new(), language: String::new(), riddles }
        } else {
            parse_riddles(name_or_path, &text)?
        };
        Ok(SetContents::from(&set))
    }

    /// Adds riddles at the end of a set, all or none; makes the set where it is not there. What its file held stays byte for byte.
    ///
    /// # Errors
    /// Everything that is wrong: riddles whose id or question the set has already, a set that is broken or is not a plain list at
    /// its end, a folder that cannot be written, another program that writes.
    pub fn add(&self, name: &str, riddles: &[Riddle]) -> Result<Added, ConfigErrors> {
        check_set_name(name)?;
        if riddles.is_empty() {
            return Err(invalid("there is no riddle to add").into());
        }
        let path = self.path_of(name);
        let failed = |error: io::Error| ConfigErrors::from(file_error(&path, &error.to_string()));
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let _lock = self.lock()?;
        let is_new = !path.exists();
        let (old_text, old) =
            if is_new { (String::new(), Vec::new()) } else { (read(&path)?, self.load_own(name)?.riddles) };
        check_new(&path, &old, riddles)?;
        let text = if is_new { write::file(name, riddles) } else { write::appended(&old_text, riddles) };
        // Read back before anything is written: a file can hold its list in a form that nothing can be appended to.
        let shown = path.display().to_string();
        let read_back = parse_riddles(&shown, &text);
        let is_whole = read_back.as_ref().is_ok_and(|set| {
            set.riddles.len() == old.len() + riddles.len()
                && set.riddles.iter().zip(old.iter().chain(riddles)).all(|(read, wanted)| read == wanted)
        });
        if !is_whole {
            // What is wrong with the riddles themselves is told; else it is the form of the file.
            let alone = parse_riddles(&shown, &write::file(name, riddles));
            let form = invalid("nothing can be appended to it").with_hint(
                "write `riddles:` as its last key, one riddle below the other, each beginning with `- id:`",
            );
            return Err(alone.err().unwrap_or_else(|| form.in_file(shown).into()));
        }
        write_whole(&path, &text).map_err(failed)?;
        Ok(Added { added_len: riddles.len(), riddles_len: old.len() + riddles.len(), path, is_new })
    }

    /// Adds the riddles of a file with one on each line, as JSON, on the terms of [`add`](Self::add).
    ///
    /// # Errors
    /// As `add`; everything that is wrong with the file.
    pub fn import_jsonl(&self, name: &str, file: &Path) -> Result<Added, ConfigErrors> {
        check_set_name(name)?;
        let riddles = parse_jsonl(&file.display().to_string(), &read(file)?)?;
        self.add(name, &riddles)
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.yaml"))
    }

    /// The names of the files in the folder, in order.
    fn names(&self) -> Result<Vec<String>, ConfigErrors> {
        let failed = |error: io::Error| ConfigErrors::from(file_error(&self.folder, &error.to_string()));
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = BTreeSet::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_stem().and_then(|name| name.to_str());
            if let Some(name) = name.filter(|name| !name.starts_with('.'))
                && path.extension().is_some_and(|ending| ending == "yaml")
            {
                names.insert(name.to_owned());
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Reads a set of the folder. Its name is that of its file, so that each can be found by the one or the other.
    fn load_own(&self, name: &str) -> Result<RiddleSet, ConfigErrors> {
        let path = self.path_of(name);
        let shown = path.display().to_string();
        check_set_name(name).map_err(|_| {
            let hint = format!("call it otherwise; {} come with Playhouse", SHIPPED_NAMES.join(" and "));
            file_error(&path, "it is called as no set can be called").with_hint(hint)
        })?;
        let set = parse_riddles(&shown, &read(&path)?)?;
        if set.name != name {
            let error = invalid(format!("the set is called {:?} and its file {name:?}", set.name));
            return Err(error.in_file(shown).about("name").with_hint(format!("write `name: {name}`")).into());
        }
        Ok(set)
    }

    /// Keeps other programs from writing until it is dropped.
    fn lock(&self) -> Result<File, ConfigErrors> {
        let path = self.folder.join(LOCK_NAME);
        let failed = |error: io::Error| ConfigErrors::from(file_error(&path, &error.to_string()));
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        // Whoever holds it adds a few riddles: it is let go in a moment.
        file.lock().map_err(failed)?;
        Ok(file)
    }
}

fn check_set_name(name: &str) -> Result<(), ConfigErrors> {
    if SHIPPED_NAMES.contains(&name) {
        let error = invalid(format!("the set {name:?} comes with Playhouse and does not change"));
        return Err(error.with_hint("choose another name").into());
    }
    let mut report = Report::new(name);
    check_name(name, "the name of a set", &crate::key_path::KeyPath::default(), &mut report);
    if name.is_empty() || name.starts_with('.') {
        report.add(invalid("not the name of a set").with_hint("begin it with a letter or a digit"));
    }
    report.finish().map(drop)
}

/// Finds riddles that the set has already, or that come twice.
fn check_new(path: &Path, old: &[Riddle], new: &[Riddle]) -> Result<(), ConfigErrors> {
    let mut report = Report::new(&path.display().to_string());
    let mut ids: BTreeSet<&str> = old.iter().map(|riddle| riddle.id.as_str()).collect();
    let question = |riddle: &'_ Riddle| (riddle.question.clone(), riddle.context.clone());
    let mut questions: BTreeMap<_, &str> =
        old.iter().map(|riddle| (question(riddle), riddle.id.as_str())).collect();
    for riddle in new {
        if !ids.insert(&riddle.id) {
            let error = invalid(format!("the id {:?} is taken", riddle.id));
            report.add(error.with_hint("give each riddle its own id"));
        } else if let Some(same) = questions.insert(question(riddle), &riddle.id) {
            let message = format!("the riddle {:?} asks what {same:?} asks", riddle.id);
            report.add(invalid(message).with_hint("leave it out, or ask something else"));
        }
    }
    report.finish().map(drop)
}

fn read(path: &Path) -> Result<String, ConfigErrors> {
    let failed = |error: io::Error| {
        let message = match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        ConfigErrors::from(file_error(path, &message))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(file_error(path, &format!("it is larger than {FILE_BYTES_MAX} bytes")).into());
    }
    String::from_utf8(bytes).map_err(|_| file_error(path, "it is not UTF-8 text").into())
}

/// After this there is the old content or the new one, never a part.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        // On disk before the name points to it, so that a power cut leaves no empty file either.
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn file_error(path: &Path, message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::File, message).in_file(path.display().to_string())
}

#[cfg(test)]
mod tests;
