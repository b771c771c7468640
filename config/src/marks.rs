//! Where each key of a YAML text stands: the one door to saphyr-parser.
//!
//! `serde_yaml` keeps no positions and lets the last of several equal keys win in silence. So the text is
//! scanned once before for the place of every key and value, for keys that stand twice, and for what settings do
//! without. The scan takes one event after the other and expands no alias: its cost grows with the text alone.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScanError, Span};

use crate::error::{ConfigError, ConfigErrorKind, Position};
use crate::key_path::KeyPath;

/// How deep settings may nest. The deepest there are have 4 levels; parsers pay for depth with their stack.
const DEPTH_MAX: usize = 32;

/// Keys that stand twice, by path.
pub(crate) type Duplicates = Vec<(KeyPath, ConfigError)>;

/// The places of keys and values.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    keys: BTreeMap<KeyPath, Position>,
    values: BTreeMap<KeyPath, Position>,
}

impl Marks {
    /// Whether the text says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The place of a key, or of the nearest one above it that is in the file.
    pub(crate) fn key(&self, path: &KeyPath) -> Option<Position> {
        nearest(&self.keys, path)
    }

    /// The place of a key's value, or of the nearest one above it that is in the file.
    pub(crate) fn value(&self, path: &KeyPath) -> Option<Position> {
        nearest(&self.values, path)
    }
}

fn nearest(places: &BTreeMap<KeyPath, Position>, path: &KeyPath) -> Option<Position> {
    let mut path = path.clone();
    loop {
        if let Some(position) = places.get(&path) {
            return Some(*position);
        }
        path = path.parent()?;
    }
}

/// Scans a text; the second part of the answer are the keys that stand twice.
///
/// # Errors
/// When the text is not one YAML document, or uses what settings do without.
pub(crate) fn scan(text: &str) -> Result<(Marks, Duplicates), ConfigError> {
    let mut scan = Scan::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_error(&error))?;
        scan.take(&event, span)?;
    }
    Ok((scan.marks, scan.duplicates))
}

#[derive(Default)]
struct Scan {
    marks: Marks,
    duplicates: Duplicates,
    path: KeyPath,
    open: Vec<Open>,
    documents: usize,
}

/// A map or list whose end has not come yet.
enum Open {
    /// The path of the map, its keys so far, and whether a key waits for its value.
    Map { path: KeyPath, keys: BTreeMap<String, Position>, has_key: bool },
    /// The path of the list and the index of its next item.
    List { path: KeyPath, next: usize },
}

impl Scan {
    fn take(&mut self, event: &Event<'_>, span: Span) -> Result<(), ConfigError> {
        let here = position(&span.start);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(syntax(here, "a second document begins here")
                        .with_hint("keep one document in the file: remove the line `---`"));
                }
            }
            Event::Scalar(text, _, _, tag) => {
                refuse_tag(tag.is_some(), here)?;
                if self.expects_key() {
                    self.take_key(text, here);
                } else {
                    self.begin_value(here);
                }
            }
            Event::MappingStart(_, tag) => {
                refuse_tag(tag.is_some(), here)?;
                let path = self.open_value(here)?;
                self.open.push(Open::Map { path, keys: BTreeMap::new(), has_key: false });
            }
            Event::SequenceStart(_, tag) => {
                refuse_tag(tag.is_some(), here)?;
                let path = self.open_value(here)?;
                self.open.push(Open::List { path, next: 0 });
            }
            Event::Alias(_) if self.expects_key() => return Err(not_a_key(here)),
            Event::Alias(_) => self.begin_value(here),
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { has_key: false, .. }))
    }

    fn take_key(&mut self, key: &str, here: Position) {
        let Some(Open::Map { path, keys, has_key }) = self.open.last_mut() else { return };
        *has_key = true;
        self.path = path.child(key);
        if let Some(first) = keys.get(key) {
            let message = format!("the key stands twice; first in line {}", first.line);
            let error = ConfigError::new(ConfigErrorKind::DuplicateKey, message).at(Some(here));
            let error = error.about(&self.path).with_hint("keep one of the two");
            self.duplicates.push((self.path.clone(), error));
        } else {
            keys.insert(key.to_owned(), here);
            self.marks.keys.insert(self.path.clone(), here);
        }
    }

    /// Notes where a value begins and which it is.
    fn begin_value(&mut self, here: Position) {
        match self.open.last_mut() {
            Some(Open::Map { has_key, .. }) => *has_key = false,
            Some(Open::List { path, next }) => {
                self.path = path.child(&next.to_string());
                *next += 1;
            }
            None => self.path = KeyPath::default(),
        }
        self.marks.values.entry(self.path.clone()).or_insert(here);
    }

    /// Begins a map or list and gives its path.
    fn open_value(&mut self, here: Position) -> Result<KeyPath, ConfigError> {
        if self.expects_key() {
            return Err(not_a_key(here));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(too_deep(here));
        }
        self.begin_value(here);
        Ok(self.path.clone())
    }
}

fn scan_error(error: &ScanError) -> ConfigError {
    let here = position(error.marker());
    // The scanner looks ahead, and has a limit of its own.
    if error.info().contains("recursion limit") { too_deep(here) } else { syntax(here, error.info()) }
}

fn too_deep(here: Position) -> ConfigError {
    syntax(here, &format!("it nests deeper than {DEPTH_MAX} levels"))
}

fn refuse_tag(tagged: bool, here: Position) -> Result<(), ConfigError> {
    if tagged {
        return Err(syntax(here, "a tag stands here; settings have none")
            .with_hint("remove the word that begins with `!`"));
    }
    Ok(())
}

fn not_a_key(here: Position) -> ConfigError {
    syntax(here, "a key has to be a word")
}

fn syntax(here: Position, message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Syntax, message).at(Some(here))
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}
