//! The commands that ask no model.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::home::Home;

#[test]
fn the_tree_is_shown_for_people_and_for_programs() {
    let home = Home::approving();
    let text = home.run(&["tree"]).with_code(0).stdout;
    for part in ["runtime ", "├─ metrics", "│  ├─ demo ", "└─ orchestration"] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let json = home.run(&["tree", "--format", "json"]).with_code(0).json();
    assert_eq!(json["kind"], "tree");
    assert_eq!(
        (&json["tree"]["kind"]["type"], &json["tree"]["name"]),
        (&"supervisor".into(), &"runtime".into())
    );
}

#[test]
fn models_are_listed_with_where_they_are_and_what_they_are_used_for() {
    let home = Home::approving();
    let text = home.run(&["models", "list"]).with_code(0).stdout;
    let demo = text.lines().find(|line| line.starts_with("demo ")).unwrap();
    assert!(demo.contains("scripted") && demo.contains("default"), "{text}");
    let known = text.lines().find(|line| line.starts_with("smollm2-135m ")).unwrap();
    assert!(known.contains("file missing") && known.ends_with("smollm2-135m.gguf"), "{text}");
    let json = home.run(&["models", "list", "--format", "json"]).with_code(0).json();
    assert_eq!(json["models"][0]["name"], "demo");
}

#[test]
fn a_key_in_the_environment_is_offered_and_not_shown() {
    let home = Home::empty();
    let mut command = home.command(&["models", "list"]);
    let output = command.env("OPENAI_API_KEY", "sk-secret").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("OPENAI_API_KEY is set. To use it, add this to playhouse.yaml"), "{text}");
    assert!(text.contains("api_key: env:OPENAI_API_KEY") && !text.contains("sk-secret"));
}

#[test]
fn a_model_is_shown_with_its_sources_and_its_hash() {
    let text = Home::empty().run(&["models", "show", "smollm2-135m"]).with_code(0).stdout;
    for part in ["sha256", "source hub", "source carrier", "Apache-2.0"] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn a_scripted_model_answers_a_ping() {
    let ended = Home::approving().run(&["models", "ping", "demo"]).with_code(0);
    assert!(ended.stdout.starts_with("demo: ok, "), "{}", ended.stdout);
}

#[test]
fn tokens_are_counted_in_files_and_folders_and_binary_files_are_passed_over() {
    let home = Home::approving();
    home.write("src/a.txt", "2 + 2 = 4");
    home.write("src/deep/b.txt", "antidisestablishmentarianism\n");
    home.write("src/c.bin", [0, 1, 2]);
    home.write("src/.hidden", "not counted");
    let ended = home.run(&["tokens", "src", "--encoding", "cl100k_base"]).with_code(0);
    // Source of the counts: OpenAI Cookbook, "How to count tokens with tiktoken"; the line break is one more.
    assert_eq!(
        ended.stdout,
        "tokens  lines  bytes  file
     7      1      9  src/a.txt
     7      1     29  src/deep/b.txt
    14      2     38  total
encoding: cl100k_base
"
    );
    assert_eq!(ended.stderr, "skipped src/c.bin: it is a binary file\n");
    let json = home.run_with_stdin(&["tokens", "-", "--format", "json"], "hello").with_code(0).json();
    assert_eq!((&json["files"][0]["path"], &json["total_tokens"]), (&"-".into(), &1.into()));
}

#[test]
fn the_default_settings_are_accepted_as_they_are_printed() {
    let home = Home::empty();
    let default = home.run(&["config", "default"]).with_code(0).stdout;
    home.write("playhouse.yaml", &default);
    let ended = home.run(&["config", "check"]).with_code(0);
    assert_eq!(ended.stdout, "ok: playhouse.yaml: 2 models, default qwen2.5-coder-0.5b\n");
    let shown = home.run(&["config", "show"]).with_code(0).stdout;
    home.write("shown.yaml", &shown);
    home.run(&["config", "check", "shown.yaml"]).with_code(0);
    let schema = home.run(&["config", "schema"]).with_code(0).json();
    assert_eq!(schema["title"], "playhouse.yaml");
}

#[test]
fn every_shell_gets_a_completion_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = Home::empty().run(&["completions", shell]).with_code(0);
        assert!(ended.stdout.contains("playhouse"), "{shell}");
    }
}

#[test]
fn the_exit_codes_are_explained() {
    for args in [["help", "exit-codes"].as_slice(), &["exit-codes"]] {
        let ended = Home::empty().run(args).with_code(0);
        assert!(ended.stdout.contains("  130  cancelled by Ctrl-C\n"), "{}", ended.stdout);
    }
}

#[cfg(unix)]
#[test]
fn metrics_are_served_while_a_command_runs() {
    let home = Home::approving();
    let mut child = home.command(&["tree", "--metrics", "127.0.0.1:0"]).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("metrics: http://").and_then(|url| url.strip_suffix("/metrics"));
    let mut connection = TcpStream::connect(address.unwrap_or_else(|| panic!("{line}"))).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("playhouse_"), "{answer}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
