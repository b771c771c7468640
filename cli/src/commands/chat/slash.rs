//! What can be said to the program instead of to a model: lines that begin with `/`.

use std::path::Path;

use playhouse_protocol::Failure;

/// What `/help` shows.
pub(super) const HELP: &str = "\
/model [NAME]           show or change the model
/system [TEXT]          show or change the instructions above the conversation; `-` takes them away
/tokens                 tokens by role, and the room that is left
/compress [TOKENS]      make what models are sent shorter; the original is kept
/retry                  ask the last question again
/undo                   take the last question and its answer back
/new                    begin a new conversation
/list                   the conversations, numbered
/resume ID              go on with another one: its id, its number in /list, or `last`
/rename TITLE           give the conversation another title
/export [json|md] [FILE]   write the conversation down
/quit                   leave, as Ctrl-D does
Ctrl-C stops an answer and keeps what has come. A line that ends with \\ goes on in the next one.
//text says /text to the model.
";

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Slash {
    Help,
    Model(Option<String>),
    System(Option<String>),
    Tokens,
    Compress(Option<u64>),
    Retry,
    Undo,
    New,
    List,
    Resume(String),
    Rename(String),
    Export { is_json: bool, file: Option<String> },
    Quit,
}

/// A line: a command, or what is said to the model.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Slash(Slash),
    Said(String),
}

/// Reads a line.
pub(super) fn parse(line: &str) -> Result<Line, Failure> {
    let Some(command) = line.trim_start().strip_prefix('/') else { return Ok(Line::Said(line.to_owned())) };
    if command.starts_with('/') {
        return Ok(Line::Said(command.to_owned()));
    }
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    let given = (!rest.is_empty()).then(|| rest.to_owned());
    let needed = |what: &str| {
        given.clone().ok_or_else(|| {
            Failure::invalid(format!("run /{name}: there is no {what}"))
                .with_hint(format!("Say which: /{name} {}", what.to_uppercase()))
        })
    };
    let slash = match name {
        "help" | "?" => Slash::Help,
        "model" => Slash::Model(given),
        "system" => Slash::System(given),
        "tokens" => Slash::Tokens,
        "compress" => Slash::Compress(given.map(|text| tokens(&text)).transpose()?),
        "retry" => Slash::Retry,
        "undo" => Slash::Undo,
        "new" => Slash::New,
        "list" => Slash::List,
        "resume" => Slash::Resume(needed("id")?),
        "rename" => Slash::Rename(needed("title")?),
        "export" => export(rest),
        "quit" | "exit" => Slash::Quit,
        _ => {
            return Err(Failure::invalid(format!("run /{name}: there is no such command"))
                .with_hint("/help shows them all; //text says /text to the model."));
        }
    };
    Ok(Line::Slash(slash))
}

fn tokens(text: &str) -> Result<u64, Failure> {
    text.replace([',', '_'], "").parse().map_err(|_| {
        Failure::invalid(format!("run /compress: {text:?} is no number of tokens"))
            .with_hint("Say how many tokens it may have: /compress 2000")
    })
}

fn export(rest: &str) -> Slash {
    let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let is_json = first == "json" || Path::new(rest).extension().is_some_and(|ending| ending == "json");
    let file = if matches!(first, "json" | "md" | "markdown") { behind.trim() } else { rest };
    Slash::Export { is_json, file: (!file.is_empty()).then(|| file.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Slash) {
        assert_eq!(parse(line).unwrap(), Line::Slash(expected), "{line}");
    }

    #[test]
    fn lines_that_begin_with_a_slash_are_commands() {
        check("/help", Slash::Help);
        check(" /model  gpt x ", Slash::Model(Some("gpt x".to_owned())));
        check("/compress 2,000", Slash::Compress(Some(2_000)));
        check("/resume last", Slash::Resume("last".to_owned()));
        check("/export", Slash::Export { is_json: false, file: None });
        check("/export json", Slash::Export { is_json: true, file: None });
        check("/export md my file.md", Slash::Export { is_json: false, file: Some("my file.md".to_owned()) });
        check("/export a.json", Slash::Export { is_json: true, file: Some("a.json".to_owned()) });
        assert_eq!(parse("a /help").unwrap(), Line::Said("a /help".to_owned()));
        assert_eq!(parse("//etc").unwrap(), Line::Said("/etc".to_owned()));
    }

    #[test]
    fn what_is_no_command_is_told_with_a_hint() {
        for line in ["/fish", "/resume", "/rename ", "/compress much"] {
            let failure = parse(line).unwrap_err();
            assert!(failure.hint.is_some(), "{failure}");
        }
    }
}
