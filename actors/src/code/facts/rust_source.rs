//! Parses Rust so that no text can exhaust the stack. The one door to syn's parser.
//!
//! syn recurses: each open bracket, prefix operator or chained `else if` may take stack. What it can take is
//! bounded before it is called (see `depth.rs`), and it runs on a thread whose stack is large enough for that
//! bound. The tokenizer before it does not recurse.

use playhouse_protocol::code::{Diagnostic, Language};
use proc_macro2::{Delimiter, Group, LineColumn, TokenStream, TokenTree};

use super::depth;
use crate::code::scan::code_only;

/// The largest source that is parsed, in bytes: code and tests at the protocol's limits together.
pub const RUST_BYTES_MAX: usize = 512 * 1024;

/// The most tokens between the file's level and any place, those in closed brackets and before the last `;`
/// or `,` left out. It bounds the depth of syn's recursion. Long chains of methods or of `else if` in code
/// written by people have some hundred.
pub const PATH_TOKENS_MAX: u32 = 2_000;

/// The stack of the parsing thread: a build without optimisation takes up to 25 KiB for a level of nested
/// parentheses, the dearest form found. Only pages that are used take memory.
const STACK_BYTES: usize = PATH_TOKENS_MAX as usize * 64 * 1024;

/// The most diagnostics of one source: past the first few the rest are consequences.
const DIAGNOSTICS_MAX: usize = 20;

/// What came of parsing.
pub(crate) enum ParseOutcome<T> {
    /// It is Rust. There may be something to say all the same.
    Parsed {
        /// What was made of the syntax tree.
        value: T,
        /// That there is no item, or that statements stand outside of functions.
        diagnostics: Vec<Diagnostic>,
    },
    /// It is not Rust.
    Broken(Vec<Diagnostic>),
    /// The parser could not be run.
    Unknown(Diagnostic),
}

/// Parses `source` and gives the tree to `read`, both on a thread of their own with a large stack.
///
/// Statements without a function around them are parsed too, as the body of one: a snippet is worth
/// measuring. A diagnostic says so.
pub(crate) fn with_parsed<T: Send>(
    source: &str,
    read: impl FnOnce(&syn::File) -> T + Send,
) -> ParseOutcome<T> {
    if source.len() > RUST_BYTES_MAX {
        let message = format!("{} bytes are too many to parse; the limit is {RUST_BYTES_MAX}", source.len());
        return ParseOutcome::Unknown(Diagnostic { message, line: None, column: None });
    }
    let joined = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("parse-rust".to_owned()).stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, || parse(source, read)).map(std::thread::ScopedJoinHandle::join)
    });
    match joined {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => unknown("the parser panicked: this is a fault in Playhouse, not in the code"),
        Err(error) => unknown(&format!("the parser's thread could not be started: {error}")),
    }
}

fn unknown<T>(message: &str) -> ParseOutcome<T> {
    ParseOutcome::Unknown(Diagnostic { message: message.to_owned(), line: None, column: None })
}

fn parse<T>(source: &str, read: impl FnOnce(&syn::File) -> T) -> ParseOutcome<T> {
    let tokens = match tokens(source) {
        Ok(tokens) => tokens,
        Err(diagnostics) => return ParseOutcome::Broken(diagnostics),
    };
    let deepest = depth::deepest(tokens.clone());
    if deepest.tokens > PATH_TOKENS_MAX {
        let message = format!("nested too deep to parse; the limit is {PATH_TOKENS_MAX} tokens");
        let line = u32::try_from(deepest.line).ok();
        return ParseOutcome::Broken(vec![Diagnostic { message, line, column: None }]);
    }
    match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(file) => {
            let diagnostics = if file.items.is_empty() {
                let message = "there is no item in it: no function, no type, nothing".to_owned();
                vec![Diagnostic { message, line: None, column: None }]
            } else {
                Vec::new()
            };
            ParseOutcome::Parsed { value: read(&file), diagnostics }
        }
        Err(error) => match as_function_body(tokens) {
            Some(file) => {
                let mut diagnostics = diagnostics(&error);
                diagnostics.truncate(1);
                for diagnostic in &mut diagnostics {
                    SNIPPET.clone_into(&mut diagnostic.message);
                }
                ParseOutcome::Parsed { value: read(&file), diagnostics }
            }
            None => ParseOutcome::Broken(diagnostics(&error)),
        },
    }
}

const SNIPPET: &str = "statements stand outside of any function: this is a snippet, not a file";

/// The tokens of `source`; a byte order mark and a `#!` line are passed over.
fn tokens(source: &str) -> Result<TokenStream, Vec<Diagnostic>> {
    let mark = if source.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let rest = &source[mark..];
    let shebang = rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[');
    let skipped = mark + if shebang { rest.find('\n').unwrap_or(rest.len()) } else { 0 };
    // Blanks instead, so that places stay right.
    let code = &format!("{}{}", " ".repeat(skipped), &source[skipped..]);
    code.parse::<TokenStream>().map_err(|error| {
        // What is wrong is not said, and often not where; most often it is a bracket.
        vec![unbalanced_bracket(code).unwrap_or_else(|| {
            let start = error.span().start();
            diagnostic("this is no sequence of Rust tokens", start)
        })]
    })
}

/// The source as a file with one function whose body it is; places stay as they are.
fn as_function_body(tokens: TokenStream) -> Option<syn::File> {
    let body = TokenTree::from(Group::new(Delimiter::Brace, tokens));
    let head: TokenStream = "fn snippet()".parse().ok()?;
    syn::parse2(head.into_iter().chain([body]).collect()).ok()
}

fn diagnostic(message: &str, start: LineColumn) -> Diagnostic {
    let place = |value: usize| u32::try_from(value).ok();
    // Line 0 stands for "somewhere".
    let (line, column) =
        if start.line == 0 { (None, None) } else { (place(start.line), place(start.column + 1)) };
    Diagnostic { message: message.to_owned(), line, column }
}

fn diagnostics(error: &syn::Error) -> Vec<Diagnostic> {
    let errors = error.into_iter().take(DIAGNOSTICS_MAX);
    errors.map(|error| diagnostic(&error.to_string(), error.span().start())).collect()
}

/// The first bracket that closes another one, closes none, or is never closed.
fn unbalanced_bracket(source: &str) -> Option<Diagnostic> {
    let mut open: Vec<(char, u32, u32)> = Vec::new();
    for (line, text) in (1_u32..).zip(code_only(Language::Rust, source).lines()) {
        for (column, char) in (1_u32..).zip(text.chars()) {
            let opener = match char {
                '(' | '[' | '{' => {
                    open.push((char, line, column));
                    continue;
                }
                ')' => '(',
                ']' => '[',
                '}' => '{',
                _ => continue,
            };
            let message = match open.pop() {
                Some((found, ..)) if found == opener => continue,
                Some((found, at_line, _)) => format!("`{char}` closes `{found}` of line {at_line}"),
                None => format!("`{char}` closes nothing"),
            };
            return Some(Diagnostic { message, line: Some(line), column: Some(column) });
        }
    }
    // Of all that stay open the outermost is named: it began the part that is cut or wrong.
    let (char, line, column) = open.first()?;
    Some(Diagnostic {
        message: format!("`{char}` is never closed"),
        line: Some(*line),
        column: Some(*column),
    })
}
