//! What can be left out of a file of Rust, and in which order.

use std::ops::Range;

use playhouse_protocol::code::Language;
use playhouse_protocol::compress::FactKind;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::code::scan::{Class, classes};
use crate::compression::strategy::Work;

/// How gentle leaving something out is: the first steps are taken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// What is in modules of tests.
    Tests,
    /// Bodies of functions.
    Bodies,
    /// Values of constants, and what is in macros.
    Values,
    /// Comments that are no docs.
    Comments,
    /// Docs of what is private.
    PrivateDocs,
    /// Private items.
    PrivateItems,
    /// Docs of what is public.
    Docs,
    /// Implementations of traits, and macros.
    Implementations,
    /// Attributes of the whole file.
    Attributes,
    /// All other items.
    Items,
}

/// Something that can be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) step: Step,
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// What stands there instead.
    pub(super) mark: &'static str,
}

/// What stands for a body.
pub(super) const BODY: &str = "{ /* … */ }";

/// What [`BODY`] begins and ends with where notes stand in it.
pub(super) const BODY_BEGIN: &str = "{ /* … */";
pub(super) const BODY_END: &str = "}";

/// The shortest body that is left out, in bytes: a shorter one takes no more room than its mark.
const BODY_BYTES_MIN: usize = 24;

/// How deep items within items are looked into; deeper ones go with what they are in.
const ITEMS_DEPTH_MAX: u32 = 16;

/// What can be left out of a file.
pub(super) fn candidates(source: &str, file: &syn::File) -> Vec<Candidate> {
    let mut finder = Finder { source, found: Vec::new(), is_public: true, depth: 0 };
    finder.docs(&file.attrs, true);
    finder.attributes(&file.attrs);
    finder.visit_file(file);
    let Finder { mut found, .. } = finder;
    comments(source, &mut found);
    found.retain(|candidate| source.get(candidate.range.clone()).is_some_and(|part| !part.is_empty()));
    found
}

struct Finder<'a> {
    source: &'a str,
    found: Vec<Candidate>,
    /// Whether what is looked at can be seen from outside.
    is_public: bool,
    depth: u32,
}

fn range_of(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn is_test_module(module: &syn::ItemMod) -> bool {
    module.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl Finder<'_> {
    fn push(&mut self, step: Step, range: Range<usize>, mark: &'static str) {
        if !range.is_empty() {
            self.found.push(Candidate { step, range, mark });
        }
    }

    fn value(&mut self, value: &syn::Expr) {
        let range = range_of(value);
        if range.len() >= BODY_BYTES_MIN {
            self.push(Step::Values, range, BODY);
        }
    }

    fn body(&mut self, block: &syn::Block) {
        let range = range_of(&block.brace_token.span.join());
        if range.len() >= BODY_BYTES_MIN {
            self.push(Step::Bodies, range, BODY);
        }
    }

    /// Docs of an item; those that are attributes of their own kind only.
    fn docs(&mut self, attributes: &[syn::Attribute], is_public: bool) {
        let step = if is_public { Step::Docs } else { Step::PrivateDocs };
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
            let range = range_of(attribute);
            let starts =
                |mark: &str| self.source.get(range.clone()).is_some_and(|part| part.starts_with(mark));
            if starts("//") || starts("/*") {
                let range = with_line_end(self.source, range);
                self.push(step, range, "");
            }
        }
    }

    /// Attributes of the file that are no comments.
    fn attributes(&mut self, attributes: &[syn::Attribute]) {
        for attribute in attributes {
            let range = range_of(attribute);
            if self.source.get(range.clone()).is_some_and(|part| part.starts_with('#')) {
                self.push(Step::Attributes, with_line_end(self.source, range), "");
            }
        }
    }

    /// An item that can be left out as a whole, and what is in it.
    fn item(&mut self, item: &(impl Spanned + ?Sized), attributes: &[syn::Attribute], step: Step) {
        let mut range = item.span().byte_range();
        for attribute in attributes {
            range.start = range.start.min(range_of(attribute).start);
        }
        let range = with_line_end(self.source, range);
        self.push(step, range, "");
    }
}

/// The range with the indentation before it and the line end behind it, where nothing else is on these lines.
fn with_line_end(source: &str, range: Range<usize>) -> Range<usize> {
    let Some(before) = source.get(..range.start) else { return range };
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    if !before[line..].bytes().all(|byte| matches!(byte, b' ' | b'\t')) {
        return range;
    }
    let rest = source.get(range.end..).unwrap_or_default();
    match rest.find('\n') {
        Some(at) if rest[..at].trim().is_empty() => line..range.end + at + 1,
        None if rest.trim().is_empty() => line..source.len(),
        Some(_) | None => range,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        use syn::Item;
        let (attributes, is_public, other): (&[syn::Attribute], bool, Option<Step>) = match item {
            Item::Fn(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Struct(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Enum(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Union(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Trait(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Type(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Const(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Static(item) => (&item.attrs, is_public(&item.vis), None),
            // Which modules there are says more than it takes, private or not.
            Item::Mod(item) if item.content.is_none() => (&item.attrs, true, Some(Step::Items)),
            Item::Mod(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Use(item) => (&item.attrs, is_public(&item.vis), None),
            Item::ExternCrate(item) => (&item.attrs, is_public(&item.vis), None),
            Item::Impl(item) if item.trait_.is_some() => (&item.attrs, true, Some(Step::Implementations)),
            Item::Impl(item) => (&item.attrs, true, None),
            Item::Macro(item) => (&item.attrs, true, Some(Step::Implementations)),
            _ => (&[], true, None),
        };
        let is_seen = self.is_public && is_public;
        let step = other.unwrap_or(if is_seen { Step::Items } else { Step::PrivateItems });
        self.item(item, attributes, step);
        self.docs(attributes, is_seen);
        if self.depth >= ITEMS_DEPTH_MAX {
            return;
        }
        let outer = std::mem::replace(&mut self.is_public, is_seen);
        self.depth += 1;
        visit::visit_item(self, item);
        self.depth -= 1;
        self.is_public = outer;
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if let Some((brace, _)) = module.content.as_ref().filter(|_| is_test_module(module)) {
            self.push(Step::Tests, range_of(&brace.span.join()), BODY);
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.value(&item.expr);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.value(&item.expr);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let (span, mark) = match &item.mac.delimiter {
            syn::MacroDelimiter::Paren(paren) => (paren.span, "(/* … */)"),
            syn::MacroDelimiter::Brace(brace) => (brace.span, BODY),
            syn::MacroDelimiter::Bracket(bracket) => (bracket.span, "[/* … */]"),
        };
        let range = span.join().byte_range();
        if range.len() >= BODY_BYTES_MIN {
            self.push(Step::Values, range, mark);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.body(&function.block);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let (attributes, is_public): (&[syn::Attribute], bool) = match item {
            syn::ImplItem::Fn(item) => (&item.attrs, is_public(&item.vis)),
            syn::ImplItem::Const(item) => (&item.attrs, is_public(&item.vis)),
            syn::ImplItem::Type(item) => (&item.attrs, is_public(&item.vis)),
            _ => (&[], true),
        };
        self.item(item, attributes, if is_public { Step::Items } else { Step::PrivateItems });
        self.docs(attributes, is_public);
        if let syn::ImplItem::Fn(function) = item {
            self.body(&function.block);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        let attributes: &[syn::Attribute] = match item {
            syn::TraitItem::Fn(item) => &item.attrs,
            syn::TraitItem::Const(item) => &item.attrs,
            syn::TraitItem::Type(item) => &item.attrs,
            _ => &[],
        };
        self.item(item, attributes, Step::Items);
        self.docs(attributes, self.is_public);
        if let syn::TraitItem::Fn(function) = item
            && let Some(block) = &function.default
        {
            self.body(block);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.docs(&field.attrs, is_public(&field.vis));
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.docs(&variant.attrs, self.is_public);
        visit::visit_fields(self, &variant.fields);
    }

    // Nothing within expressions is left out on its own.
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

/// Comments that tell a fact, until they take `tokens_max`.
pub(super) fn notes(work: &Work<'_>, tokens_max: u64) -> Vec<Range<usize>> {
    let mut facts = work.facts().iter().peekable();
    let mut left = tokens_max;
    let mut notes = comment_ranges(work.text);
    notes.retain(|range| {
        while facts.next_if(|fact| fact.range.start < range.start).is_some() {}
        let mut tells = false;
        while let Some(fact) = facts.next_if(|fact| fact.range.end <= range.end) {
            tells |= fact.kind != FactKind::Negation;
        }
        if !tells {
            return false;
        }
        // The mark's line ends included.
        let tokens = work.counter.count(&work.text[range.clone()]) + 2;
        let fits = tokens <= left;
        left -= if fits { tokens } else { 0 };
        fits
    });
    notes
}

/// Comments that are no docs, each run of bytes on its own.
fn comments(source: &str, found: &mut Vec<Candidate>) {
    for range in comment_ranges(source) {
        let begin = range.start;
        let range = with_line_end(source, range);
        // Not the line end behind code: what follows must not come onto this line's end.
        let mark = if range.start == begin { " " } else { "" };
        found.push(Candidate { step: Step::Comments, range, mark });
    }
}

fn comment_ranges(source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let classes = classes(Language::Rust, source);
    let mut at = 0;
    while at < classes.len() {
        if classes[at] != Class::Comment {
            at += 1;
            continue;
        }
        let begin = at;
        while at < classes.len() && classes[at] == Class::Comment {
            at += 1;
        }
        let Some(comment) = source.get(begin..at) else { continue };
        let is_doc = ["///", "//!", "/**", "/*!"].iter().any(|mark| comment.starts_with(mark));
        if !is_doc {
            found.push(begin..begin + comment.trim_end().len());
        }
    }
    found
}
