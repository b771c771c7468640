//! Everything that users get wrong: one line that names it, a hint, and the right exit code.

use crate::home::{Ended, Home};

/// An error is one line `error: failed to …`, perhaps after lines of progress, and then hints alone.
#[track_caller]
fn check(ended: Ended, code: i32, error: &str, hint: &str) {
    let ended = ended.with_code(code);
    let told: Vec<_> = ended.stderr.lines().skip_while(|line| !line.starts_with("error: ")).collect();
    assert!(told.len() >= 2, "an error and a hint:\n{}", ended.stderr);
    assert!(told[0].starts_with("error: failed to ") && told[0].contains(error), "{}", ended.stderr);
    assert!(told[1..].iter().all(|line| line.starts_with("hint: ")), "{}", ended.stderr);
    assert!(told[1..].iter().any(|line| line.contains(hint)), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn wrong_specs_flags_and_files_are_told_in_one_line_with_a_hint() {
    let home = Home::approving();
    home.write("binary.rs", [0xff, 0xfe, 0x00]);
    home.write("nul.txt", [b'a', 0, b'b']);
    home.write("empty.rs", "\n");
    home.write("big.txt", "a".repeat(70_000));
    let cases: &[(&[&str], &str, &str)] = &[
        (&["develop", ""], "read the spec: it is empty", "for example"),
        (&["develop", "  \n "], "read the spec: it is empty", "for example"),
        (&["generate", ""], "read the spec: it is empty", "for example"),
        (&["develop", "x", "--language", "klingon"], "\"klingon\"", "Known languages: rust"),
        (&["develop", "x", "--model", "gpt-9"], "find model \"gpt-9\"", "playhouse models list"),
        (&["develop", "x", "--model", "dem"], "find model \"dem\"", "Did you mean demo?"),
        (&["develop", "x", "--reviewer-model", "gpt-9"], "find model \"gpt-9\"", "playhouse models list"),
        (&["develop", "x", "--budget-calls", "0"], "model_calls_max is 0", "Leave it out"),
        (&["develop", "x", "--budget-tokens", "0"], "tokens_max is 0", "Leave it out"),
        (&["develop", "x", "--timeout", "0"], "timeout_ms is 0", "Use 1 to"),
        (&["develop", "x", "--rounds", "0"], "rounds", "20"),
        (&["develop", "x", "--temperature", "7"], "temperature", ""),
        (&["develop", "x", "--context", "no.rs"], "read the context from no.rs", "text file"),
        (&["develop", "x", "--context", "big.txt"], "larger than 65536 bytes", "smaller"),
        (&["develop", "x", "--output", "."], "it is a folder", "Name a file in it."),
        (&["develop", "--from", "no.yaml"], "read the specs from no.yaml", "text file"),
        (&["review", "no.rs"], "read the code from no.rs", "text file"),
        (&["review", "."], "it is a folder", "Name a file in it."),
        (&["review", "binary.rs"], "it is not UTF-8 text", "text file"),
        (&["review", "empty.rs"], "empty", ""),
        (&["review", "answers.yaml", "--focus", "beauty"], "\"beauty\"", "Known aspects"),
        (&["tokens", "no.txt"], "read no.txt", "Name a file"),
        (&["tokens", "binary.rs"], "no text file", "Name text files"),
        (
            &["tokens", "empty.rs", "--encoding", "cl200k_base"],
            "\"cl200k_base\"",
            "Did you mean cl100k_base?",
        ),
        (&["tokens", "empty.rs", "--encoding", "klingon"], "\"klingon\"", "Known encodings: r50k_base"),
        (&["tokens", "empty.rs", "--model", "dem"], "find model \"dem\"", "Did you mean demo?"),
        (
            &["tokens", "empty.rs", "--model", "demo", "--model", "gpt-9"],
            "find model \"gpt-9\"",
            "playhouse models list",
        ),
        (
            &["tokens", "empty.rs", "--chat"],
            "read the conversation from empty.rs: it is not JSON",
            "JSON list",
        ),
        (&["tokens", "empty.rs", "big.txt", "--chat"], "2 files are named", "one file with --chat"),
        (&["tokens", "binary.rs", "--chat"], "not UTF-8", "text file"),
        (&["compress", "no.txt", "--limit", "9"], "read the text from no.txt", "text file"),
        (&["compress", "binary.rs", "--limit", "9"], "it is not UTF-8 text", "text file"),
        (&["compress", "nul.txt", "--limit", "9"], "it is a binary file", "text file"),
        (&["compress", "big.txt", "--limit", "0"], "the smallest limit that works is 8", "at least 8 tokens"),
        (&["compress", "big.txt", "--limit", "9", "--strategy", "magic"], "\"magic\"", "Known strategies"),
        (&["compress", "big.txt", "--limit", "9", "--encoding", "cl200k"], "\"cl200k\"", "Known encodings"),
        (&["compress", "big.txt", "--limit", "9", "--model", "gpt-9"], "find model \"gpt-9\"", "models list"),
        (&["compress", "big.txt", "--limit", "9", "--pin", "zzz"], "--pin number 1", "letter by letter"),
        (&["models", "show", "dem"], "find model \"dem\"", "Did you mean demo?"),
        (&["models", "pull", "demo"], "pull model \"demo\"", "qwen2.5-coder-0.5b"),
        (&["models", "ping", "gpt-9"], "find model \"gpt-9\"", "playhouse models list"),
        (&["tree", "--config", "no.yaml"], "no.yaml: there is no such file", "playhouse config default"),
        (&["tree", "--metrics", "0.0.0.0:0"], "no authentication", "127.0.0.1"),
    ];
    for (args, error, hint) in cases {
        check(home.run(args), 2, error, hint);
    }
}

#[test]
fn an_oversized_spec_is_refused() {
    let ended = Home::approving().run_with_stdin(&["generate", "-"], "x ".repeat(40_000));
    check(ended, 2, "larger than 65536 bytes", "smaller");
}

#[test]
fn an_unknown_key_in_the_settings_is_told_with_its_place() {
    let home = Home::empty();
    home.write("playhouse.yaml", "modles: {}\n");
    check(home.run(&["tree"]), 2, "playhouse.yaml:1:1: modles", "`models`");
}

#[test]
fn a_model_file_that_is_damaged_or_something_else_is_refused() {
    let home = Home::empty();
    home.write("page.gguf", "<html>");
    home.write("cut.gguf", b"GGUF\x03\x00\x00\x00\x10\x00\x00\x00");
    home.write(
        "playhouse.yaml",
        "models:
  page: { provider: local, file: page.gguf }
  cut: { provider: local, file: cut.gguf }
  gone: { provider: local, file: gone.gguf }
",
    );
    check(home.run(&["generate", "x", "--model", "page"]), 2, "page.gguf", "");
    check(home.run(&["generate", "x", "--model", "cut"]), 2, "cut.gguf", "");
    check(home.run(&["generate", "x", "--model", "gone"]), 2, "gone.gguf is not there", "");
}

#[test]
fn a_model_that_is_not_fetched_is_told_with_what_to_do() {
    let home = Home::empty();
    let no_pull = home.run(&["develop", "x", "--no-pull"]);
    check(no_pull, 3, "its file is not there, and --no-pull was given", "smollm2-135m");
    let wrong = home.write("wrong.gguf", "not a model");
    let pulled = home.run(&["models", "pull", "smollm2-135m", "--source", wrong.to_str().unwrap()]);
    check(pulled, 4, "wrong.gguf", "--source");
    assert!(!home.exists("models/smollm2-135m.gguf"));
}

#[test]
fn an_endpoint_that_is_down_and_a_key_that_is_missing_have_their_own_codes() {
    let home = Home::empty();
    home.write(
        "playhouse.yaml",
        "models:
  down:
    provider: open_ai
    base_url: http://127.0.0.1:9/v1
    model: m
    retries: { attempts_max: 1 }
  locked: { provider: open_ai, base_url: http://127.0.0.1:9/v1, model: m, api_key: env:NO_SUCH_KEY }
",
    );
    check(
        home.run(&["generate", "x", "--model", "down"]),
        3,
        "cannot be reached",
        "playhouse models ping down",
    );
    check(home.run(&["generate", "x", "--model", "locked"]), 4, "NO_SUCH_KEY", "export NO_SUCH_KEY");
    check(home.run(&["models", "ping", "down"]), 3, "cannot be reached", "127.0.0.1:9");
}

#[test]
fn every_class_of_failure_of_a_model_has_its_exit_code() {
    for (class, code) in [
        ("retryable", 3),
        ("overloaded", 6),
        ("invalid_input", 2),
        ("denied", 4),
        ("deadline", 5),
        ("internal", 1),
    ] {
        let home = Home::scripted(&format!("default: {{ error: {{ class: {class}, message: as played }} }}"));
        // A full queue is waited for up to the task's time.
        let ended = home.run(&["generate", "Add.", "--timeout", "2"]).with_code(code);
        assert!(ended.stderr.contains("error: failed to "), "{class}: {}", ended.stderr);
    }
}

#[test]
fn a_budget_and_a_deadline_end_the_task_with_their_codes() {
    let home = Home::approving();
    check(home.run(&["develop", "Add.", "--budget-tokens", "10"]), 4, "the number of tokens", "Allow more");
    let slow = Home::scripted("default: { answer: late, delay_ms: 60000 }");
    check(slow.run(&["generate", "Add.", "--timeout", "1"]), 5, "finish within 1000 ms", "Allow more time");
}

#[test]
fn wrong_usage_ends_with_code_two() {
    let home = Home::empty();
    home.run(&["develop"]).with_code(2);
    home.run(&["develop", "x", "--from", "specs.yaml"]).with_code(2);
    home.run(&["fly"]).with_code(2);
    home.run(&["develop", "x", "--format", "xml"]).with_code(2);
}

/// Answers one request with 401 and repeats the key, as careless servers do. Gives the address.
fn server_that_denies() -> (std::net::SocketAddr, std::thread::JoinHandle<String>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut part = [0_u8; 4096];
        while !String::from_utf8_lossy(&request).contains("\r\n\r\n") {
            let read = peer.read(&mut part).unwrap();
            assert!(read > 0, "the request ended early");
            request.extend_from_slice(&part[..read]);
        }
        let body = r#"{"error": {"message": "Incorrect API key provided: sk-very-secret", "code": "invalid_api_key"}}"#;
        let head = format!(
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        peer.write_all(format!("{head}{body}").as_bytes()).unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    (address, serving)
}

#[test]
fn a_wrong_key_is_denied_and_shown_nowhere() {
    let home = Home::empty();
    home.write("key.txt", "sk-very-secret\n");
    let (address, serving) = server_that_denies();
    home.write(
        "playhouse.yaml",
        format!(
            "models:\n  far: {{ provider: open_ai, base_url: 'http://{address}/v1', model: m, api_key: 'file:key.txt' }}\n"
        ),
    );
    let ended = home.run(&["generate", "x", "--model", "far", "-vv"]).with_code(4);
    assert!(ended.stderr.contains("access was denied"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: Check the key of model far"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("sk-very-secret"), "{}", ended.stderr);
    let request = serving.join().unwrap();
    assert!(request.to_lowercase().contains("authorization: bearer sk-very-secret"), "{request}");
}
