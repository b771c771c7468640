//! The templates of a runtime.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::error::PromptError;
use super::files::TemplateFile;
use super::template::Template;

/// The prompts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PromptName {
    /// Write code, or revise it.
    Generate,
    /// Judge code.
    Review,
    /// Shorten a text.
    Compress,
    /// Judge an answer to a riddle.
    Judge,
}

impl PromptName {
    /// Every prompt.
    pub const ALL: [Self; 4] = [Self::Generate, Self::Review, Self::Compress, Self::Judge];

    /// The first part of the file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Review => "review",
            Self::Compress => "compress",
            Self::Judge => "judge",
        }
    }

    const fn built_in_source(self) -> &'static str {
        match self {
            Self::Generate => include_str!("../../prompts/generate.v1.j2"),
            Self::Review => include_str!("../../prompts/review.v1.j2"),
            Self::Compress => include_str!("../../prompts/compress.v1.j2"),
            Self::Judge => include_str!("../../prompts/judge.v1.j2"),
        }
    }
}

impl std::fmt::Display for PromptName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a model is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPrompt {
    /// The message of the system.
    pub system: String,
    /// The message of the user.
    pub user: String,
    /// Which prompt it is.
    pub name: PromptName,
    /// The version in the template's file name.
    pub version: u32,
    /// The SHA-256 of the template's text in hexadecimal: which words were used, whatever their version says.
    pub template_sha256: String,
}

/// A checked template for each prompt. Cheap to clone; shared by all agents of a runtime.
#[derive(Debug, Clone)]
pub struct PromptLibrary {
    templates: Arc<BTreeMap<PromptName, Template>>,
}

impl PromptLibrary {
    /// The templates that Playhouse ships.
    ///
    /// # Errors
    /// Never with the shipped files, as a test proves; the check itself can fail.
    pub fn built_in() -> Result<Self, PromptError> {
        let files = PromptName::ALL.into_iter().map(|name| TemplateFile {
            name,
            version: 1,
            path: format!("{name}.v1.j2"),
            source: name.built_in_source().to_owned(),
        });
        Self::from_files(files)
    }

    /// The shipped templates, but for those that `folder` has a file for; of several versions the highest.
    ///
    /// # Errors
    /// When the folder cannot be read, or a `.j2` file in it is not a template of a known prompt, is not
    /// well formed, or uses a variable that it is not given.
    pub fn with_overrides(folder: &Path) -> Result<Self, PromptError> {
        let built_in = Self::built_in()?;
        let mut templates = Arc::unwrap_or_clone(built_in.templates);
        templates
            .extend(Arc::unwrap_or_clone(Self::from_files(super::files::read_folder(folder)?)?.templates));
        Ok(Self { templates: Arc::new(templates) })
    }

    fn from_files(files: impl IntoIterator<Item = TemplateFile>) -> Result<Self, PromptError> {
        let mut templates: BTreeMap<PromptName, Template> = BTreeMap::new();
        for file in files {
            let (name, version) = (file.name, file.version);
            let template = Template::check(file)?;
            if templates.get(&name).is_none_or(|other| other.version() < version) {
                templates.insert(name, template);
            }
        }
        Ok(Self { templates: Arc::new(templates) })
    }

    /// Renders a prompt. What it is given: [`GenerateContext`](super::GenerateContext),
    /// [`ReviewContext`](super::ReviewContext), [`CompressContext`](super::CompressContext) or
    /// [`JudgeContext`](super::JudgeContext), or anything with the same fields.
    ///
    /// # Errors
    /// When the template uses a field that `context` does not have, or needs too many steps.
    pub fn render(&self, name: PromptName, context: &impl Serialize) -> Result<RenderedPrompt, PromptError> {
        match self.templates.get(&name) {
            Some(template) => template.render(context),
            None => Err(PromptError::UnknownTemplate { path: name.to_string(), known: String::new() }),
        }
    }
}
