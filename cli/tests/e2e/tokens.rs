//! `playhouse tokens`: models side by side, parts, conversations.

use crate::home::Home;

const SETTINGS: &str = "
models:
  gpt:
    provider: open_ai
    base_url: http://127.0.0.1:1/v1
    model: gpt-4o
    api_key: env:NOT_SET_ANYWHERE
    context_tokens: 256
    completion_tokens_default: 56
    price: {prompt_usd_per_million_tokens: 2.5, completion_usd_per_million_tokens: 10}
  other:
    provider: open_ai
    base_url: http://127.0.0.1:1/v1
    model: mystery-7b
    tokens_factor: 1.5
selection: { default: gpt }
";

fn home() -> Home {
    let home = Home::empty();
    home.write("playhouse.yaml", SETTINGS);
    home
}

#[test]
fn models_are_compared_side_by_side_without_a_key_and_without_asking() {
    let home = home();
    home.write("a.txt", "2 + 2 = 4");
    home.write("b.txt", "hello");
    let ended = home.run(&["tokens", "a.txt", "b.txt", "--model", "gpt", "--model", "other"]).with_code(0);
    // 7 and 1 by o200k_base; the other model takes half as many more, rounded up for each text.
    assert_eq!(
        ended.stdout,
        "gpt  other  lines  bytes  file
  7     11      1      9  a.txt
  1      2      1      5  b.txt
  8     13      2     14  total

model  encoding    counts              tokens  window  share  answer   room  prompt costs    at most
gpt    o200k_base  exact                    8     256  3.1 %      56    192     $0.000020  $0.000580
other  o200k_base  calibrated, × 1.50      13   8,192  0.2 %   1,024  7,155             -          -
"
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_prompt_that_does_not_fit_is_told_with_what_is_too_many() {
    let home = home();
    home.write("a.txt", "hello ".repeat(300));
    let ended = home.run(&["tokens", "a.txt"]).with_code(0);
    assert!(ended.stdout.contains(" too many"), "{}", ended.stdout);
    let json = home.run(&["tokens", "a.txt", "--format", "json"]).with_code(0).json();
    let window = &json["models"][0]["window"];
    assert_eq!((&window["fits"], &window["context_tokens"]), (&false.into(), &256.into()));
    assert_eq!((&json["exact"], &json["models"][0]["accuracy"]), (&true.into(), &"exact".into()));
    assert_eq!(json["total_tokens"], json["models"][0]["prompt_tokens"]);
}

#[test]
fn parts_are_told_apart_by_language() {
    let home = home();
    home.write("a.md", "Some words.\n\n```python\nprint(1)\n```\n\n- one\n");
    home.write("b.rs", "fn main() {}\n");
    let json = home.run(&["tokens", "a.md", "b.rs", "--parts", "--format", "json"]).with_code(0).json();
    let parts = json["models"][0]["parts"].as_array().unwrap();
    let mut names: Vec<_> = parts.iter().map(|part| part["part"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["code:python", "code:rust", "list", "prose"]);
    let text = home.run(&["tokens", "a.md", "--parts", "--encoding", "cl100k_base"]).with_code(0).stdout;
    assert!(text.contains("code:python") && text.ends_with("encoding: cl100k_base\n"), "{text}");
}

#[test]
fn a_conversation_is_counted_by_role_with_its_framing() {
    let home = home();
    let messages = r#"[{"role": "system", "content": "hello world"}, {"role": "user", "content": "hello"}]"#;
    home.write("chat.json", messages);
    let ended = home.run(&["tokens", "chat.json", "--chat"]).with_code(0);
    // Source of the framing: as in the tests of the counter.
    let roles = "tokens  messages  role
     2         1  system
     1         1  user
    11            (framing)
    14         2  total
";
    assert!(ended.stdout.starts_with(roles), "{}", ended.stdout);
    let object = format!("{{\"messages\": {messages}}}");
    let json =
        home.run_with_stdin(&["tokens", "-", "--chat", "--format", "json"], &object).with_code(0).json();
    assert_eq!((&json["kind"], &json["messages"]), (&"tokens_chat".into(), &2.into()));
    assert_eq!(json["models"][0]["roles"][0]["role"], "system");
    assert_eq!(json["models"][0]["prompt_tokens"], 14);
}

#[test]
fn invalid_files_are_passed_over_beside_others_and_an_error_alone() {
    let home = home();
    home.write("a.txt", "hello");
    home.write("b.bin", [b'a', 0xff, 0xfe]);
    let ended = home.run(&["tokens", "a.txt", "b.bin"]).with_code(0);
    assert_eq!(ended.stderr, "skipped b.bin: it is a binary file (not UTF-8)\n");
    let ended = home.run(&["tokens", "b.bin"]).with_code(2);
    assert!(ended.stderr.contains("there is no text file among what was named"), "{}", ended.stderr);
}
