use insta::assert_snapshot;

use super::*;

fn parse(text: &str) -> Result<SecretRef, NotAReference> {
    SecretRef::parse(text, Path::new("/etc/playhouse"))
}

fn resolve_file(content: &[u8]) -> Result<Secret, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), content).unwrap();
    SecretRef::parse("file:key", folder.path()).unwrap().resolve_in(&Environment::of([])).map_err(
        |mut error| {
            error.message = error.message.replace(&folder.path().display().to_string(), "FOLDER");
            error
        },
    )
}

#[test]
fn references_are_read_and_printed_back() {
    assert_eq!(parse("env:OPENAI_API_KEY"), Ok(SecretRef::Env("OPENAI_API_KEY".into())));
    assert_eq!(parse("file:a.key"), Ok(SecretRef::File("/etc/playhouse/a.key".into())));
    assert_eq!(parse("file:/run/a.key").unwrap().to_string(), "file:/run/a.key");
}

#[test]
fn anything_else_is_not_a_reference() {
    for text in ["sk-abc", "", "env:", "file:", "env:sk-abc", "env:1A", "ENV:A", "vault:x"] {
        assert_eq!(parse(text), Err(NotAReference), "{text}");
    }
}

#[test]
fn a_variable_is_resolved_when_it_is_asked_for() {
    let environment = Environment::of([("KEY", "sk-abc")]);
    let secret = parse("env:KEY").unwrap().resolve_in(&environment).unwrap();
    assert_eq!(secret.reveal(), "sk-abc");
    assert_eq!(format!("{secret:?}"), "Secret(env:KEY)");
}

#[test]
fn the_trailing_newline_of_a_file_is_not_part_of_the_key() {
    assert_eq!(resolve_file(b"sk-abc\r\n").unwrap().reveal(), "sk-abc");
}

#[test]
fn a_secret_that_cannot_be_read_names_its_reference() {
    assert_snapshot!(parse("env:KEY").unwrap().resolve_in(&Environment::of([("KEY", "")])).unwrap_err(), @"
    read the secret env:KEY: the variable is not set or empty
    hint: set it with `export KEY=…`, or refer to a file with `file:PATH`
    ");
    assert_snapshot!(parse("file:/nowhere/key").unwrap().resolve().unwrap_err(), @"read the secret file:/nowhere/key: No such file or directory (os error 2)");
    assert_snapshot!(parse("file:/").unwrap().resolve().unwrap_err(), @"read the secret file:/: it is a folder");
    assert_snapshot!(resolve_file(b" \n").unwrap_err(), @"read the secret file:FOLDER/key: it is empty");
    assert_snapshot!(resolve_file(b"sk-abc\nsk-def\n").unwrap_err(), @"
    read the secret file:FOLDER/key: it holds a line break or another control character
    hint: keep only the key itself there
    ");
    assert_snapshot!(resolve_file(&[0xff]).unwrap_err(), @"read the secret file:FOLDER/key: it is not UTF-8");
    assert_snapshot!(resolve_file(&vec![b'x'; 70_000]).unwrap_err(), @"read the secret file:FOLDER/key: it is larger than 65536 bytes");
}
