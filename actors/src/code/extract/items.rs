//! Which top-level names a piece of code defines: what makes two blocks versions of each other.

use std::collections::BTreeSet;
use std::ops::Range;

use playhouse_protocol::code::Language;
use syn::spanned::Spanned;

use crate::code::facts::{ParseOutcome, with_parsed};
use crate::code::scan::code_only;

/// A top-level item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// What it defines, for example `fn add` or `impl Stack::push`.
    pub(super) keys: Vec<String>,
    /// Where it stands, in bytes; empty where that is not known.
    pub(super) place: Range<usize>,
    /// Whether it belongs to tests.
    pub(super) test: bool,
    /// Whether it only brings names into scope.
    pub(super) import: bool,
}

/// What is known of a piece of code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Items {
    /// The items, in order.
    pub(super) items: Vec<Item>,
    /// Whether they come from a syntax tree and have places.
    pub(super) parsed: bool,
}

impl Items {
    /// What `code` defines.
    pub(super) fn of(language: Language, code: &str) -> Self {
        if language == Language::Rust
            && let ParseOutcome::Parsed { value, diagnostics } =
                with_parsed(code, |file| rust_items(code, file))
            && diagnostics.is_empty()
        {
            return Self { items: value, parsed: true };
        }
        Self { items: guessed(language, code), parsed: false }
    }

    /// All names but imports.
    pub(super) fn keys(&self) -> BTreeSet<&str> {
        let defining = self.items.iter().filter(|item| !item.import);
        defining.flat_map(|item| item.keys.iter().map(String::as_str)).collect()
    }

    /// Whether there is a test, and nothing but tests and imports.
    pub(super) fn only_tests(&self) -> bool {
        self.items.iter().any(|item| item.test) && self.items.iter().all(|item| item.test || item.import)
    }

    /// Whether there is nothing but a `main`, variables and imports.
    pub(super) fn only_main(&self) -> bool {
        self.keys().into_iter().all(|key| key == "fn main" || key.starts_with("let "))
    }
}

fn rust_items(code: &str, file: &syn::File) -> Vec<Item> {
    file.items.iter().map(|item| rust_item(code, item)).collect()
}

fn rust_item(code: &str, item: &syn::Item) -> Item {
    let (keys, attrs): (Vec<String>, &[syn::Attribute]) = match item {
        syn::Item::Fn(item) => (vec![format!("fn {}", item.sig.ident)], &item.attrs),
        syn::Item::Const(item) => (vec![format!("value {}", item.ident)], &item.attrs),
        syn::Item::Static(item) => (vec![format!("value {}", item.ident)], &item.attrs),
        syn::Item::Enum(item) => (vec![format!("type {}", item.ident)], &item.attrs),
        syn::Item::Struct(item) => (vec![format!("type {}", item.ident)], &item.attrs),
        syn::Item::Trait(item) => (vec![format!("type {}", item.ident)], &item.attrs),
        syn::Item::Type(item) => (vec![format!("type {}", item.ident)], &item.attrs),
        syn::Item::Union(item) => (vec![format!("type {}", item.ident)], &item.attrs),
        syn::Item::Mod(item) => (vec![format!("mod {}", item.ident)], &item.attrs),
        syn::Item::Impl(item) => (impl_keys(code, item), &item.attrs),
        other => (vec![words(code, other)], &[]),
    };
    let test = attrs.iter().any(|attr| {
        attr.path().segments.last().is_some_and(|segment| segment.ident == "test")
            || (attr.path().is_ident("cfg")
                && attr.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
    });
    let import = matches!(item, syn::Item::Use(_) | syn::Item::ExternCrate(_));
    Item { keys, place: item.span().byte_range(), test, import }
}

/// A trait can be implemented once for a type; plain `impl` blocks may be many, so their members count.
fn impl_keys(code: &str, item: &syn::ItemImpl) -> Vec<String> {
    let target = words(code, &item.self_ty);
    let members = || {
        item.items.iter().map(|member| match member {
            syn::ImplItem::Fn(method) => method.sig.ident.to_string(),
            syn::ImplItem::Const(value) => value.ident.to_string(),
            other => words(code, other),
        })
    };
    match &item.trait_ {
        Some(implemented) => vec![format!("impl {} for {target}", words(code, &implemented.0))],
        None if item.items.is_empty() => vec![format!("impl {target}")],
        None => members().map(|member| format!("impl {target}::{member}")).collect(),
    }
}

/// The source of a part of the tree with single spaces.
fn words(code: &str, part: &impl Spanned) -> String {
    let text = code.get(part.span().byte_range()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Names found line by line: for languages without a parser, and for Rust that does not parse.
fn guessed(language: Language, code: &str) -> Vec<Item> {
    let plain = code_only(language, code);
    let lines = plain.lines().filter(|line| !line.starts_with([' ', '\t', '}', ')']));
    lines.filter_map(|line| guessed_item(language, line)).collect()
}

/// Words before the name of what a line defines.
const KEYWORDS: [&str; 14] = [
    "fn",
    "def",
    "function",
    "func",
    "class",
    "struct",
    "enum",
    "trait",
    "interface",
    "type",
    "const",
    "let",
    "var",
    "mod",
];

fn guessed_item(language: Language, line: &str) -> Option<Item> {
    let item = |keys: Vec<String>, test: bool, import: bool| Item { keys, place: 0..0, test, import };
    let words: Vec<&str> = line
        .split(|char: char| !(char.is_alphanumeric() || char == '_' || char == '#' || char == '@'))
        .filter(|word| !word.is_empty())
        .take(12)
        .collect();
    let first = *words.first()?;
    if matches!(first, "use" | "import" | "from" | "package" | "#include" | "using" | "require") {
        return Some(item(vec![line.trim().to_owned()], false, true));
    }
    if super::looks::holds_tests(language, line) {
        return Some(item(vec![line.trim().to_owned()], true, false));
    }
    let at = words.iter().position(|word| KEYWORDS.contains(word));
    let name = match at {
        Some(at) => *words.get(at + 1)?,
        // C and Java: the word before the parameters.
        None if matches!(language, Language::C | Language::Cpp | Language::Java) && line.contains('(') => {
            let head = line.split('(').next()?;
            head.rsplit(|char: char| !(char.is_alphanumeric() || char == '_'))
                .find(|word| !word.is_empty())?
        }
        None => return None,
    };
    // A variable that holds no function.
    let variable = matches!(at.map(|at| words[at]), Some("const" | "let" | "var"))
        && !["=>", "function", "{"].iter().any(|sign| line.contains(sign));
    Some(item(vec![format!("{} {name}", if variable { "let" } else { "fn" })], false, false))
}
