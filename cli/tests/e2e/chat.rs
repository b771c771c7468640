//! Conversations: a line a message, resumed, exported, deleted, compared.

use crate::home::{Ended, Home};

/// A model that knows two answers, and one that it falls asleep over.
const SCRIPT: &str = "
entries:
  - match: { contains: fly }
    answer: \"Crabs do not fly.\"
  - match: { contains: crab }
    answer: \"A crab has ten legs.\\nAnd two claws.\"
    usage: { prompt_tokens: 11, completion_tokens: 9 }
default: { answer: Hello there. }
";

fn home() -> Home {
    Home::scripted(SCRIPT)
}

/// The id that a command told on standard error.
fn told_id(ended: &Ended) -> String {
    let line = ended.stderr.lines().find_map(|line| line.strip_prefix("conversation: "));
    line.unwrap_or_else(|| panic!("no id in:\n{}", ended.stderr)).to_owned()
}

#[test]
fn a_question_is_answered_on_standard_output_and_its_conversation_goes_on() {
    let home = home();
    let first = home.run(&["chat", "What is a crab?"]).with_code(0);
    assert_eq!(first.stdout, "A crab has ten legs.\nAnd two claws.\n");
    assert!(first.stderr.contains("no model was asked"), "{}", first.stderr);
    let id = told_id(&first);
    let second = home.run(&["chat", "--conversation", &id, "Can it fly?"]).with_code(0);
    assert_eq!(second.stdout, "Crabs do not fly.\n");
    assert_eq!(told_id(&second), id);
    let listed = home.run(&["chat", "list", "--format", "json"]).with_code(0).json();
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 1);
    let one = &listed["conversations"][0];
    assert_eq!((&one["title"], &one["messages_len"]), (&"What is a crab?".into(), &4.into()));
    assert_eq!(one["id"], id.as_str());
}

#[test]
fn lines_are_messages_and_commands() {
    let home = home();
    let lines =
        "What is a crab?\n\n/tokens\n/rename On crabs\n//etc\nCan it fly?\n/undo\n/list\n/quit\nnever read\n";
    let ended = home.run_with_stdin(&["chat", "--system", "Be brief."], lines).with_code(0);
    assert!(ended.stdout.starts_with("A crab has ten legs.\nAnd two claws.\n"), "{}", ended.stdout);
    for part in ["\nsystem ", "\nall ", "Crabs do not fly.\n", "On crabs", "       4 "] {
        assert!(ended.stdout.contains(part), "{part:?} is not in:\n{}", ended.stdout);
    }
    let shown = home.run(&["chat", "show", "last"]).with_code(0).stdout;
    assert!(shown.starts_with("On crabs\n\nYou:\nWhat is a crab?\n\ndemo:\nA crab has"), "{shown}");
    assert!(shown.contains("You:\n/etc\n") && !shown.contains("fly"), "{shown}");
}

#[test]
fn a_retry_takes_the_place_of_the_answer_and_a_resumed_one_goes_on() {
    let home = home();
    let first = home.run_with_stdin(&["chat"], "a crab?\n/retry\n/new\nHello\n").with_code(0);
    assert_eq!(first.stdout.matches("ten legs").count(), 2);
    let listed = home.run(&["chat", "list", "--format", "json"]).with_code(0).json();
    let lens: Vec<_> =
        listed["conversations"].as_array().unwrap().iter().map(|one| one["messages_len"].as_u64()).collect();
    assert_eq!(lens, [Some(2), Some(2)]);
    let resumed = home.run_with_stdin(&["chat"], "/resume 2\nCan it fly?\n/export\n").with_code(0).stdout;
    assert!(resumed.contains("## You\n\na crab?\n"), "{resumed}");
    assert!(resumed.ends_with("## demo\n\nCrabs do not fly.\n"), "{resumed}");
}

#[test]
fn a_conversation_is_exported_as_json_and_markdown_and_deleted() {
    let home = home();
    let id = told_id(&home.run(&["chat", "--system", "Be brief.", "What is a crab?"]).with_code(0));
    let json = home.run(&["chat", "export", &id, "--format", "json"]).with_code(0).json();
    assert_eq!((&json["kind"], &json["schema_version"]), (&"conversation".into(), &1.into()));
    assert_eq!(json["messages"][1]["message"]["content"], "A crab has ten legs.\nAnd two claws.");
    assert_eq!(json["messages"][1]["origin"]["model"], "demo");
    assert_eq!(json["usage"]["prompt_tokens"], 11);
    home.run(&["chat", "export", "last", "--output", "crab.md"]).with_code(0);
    let markdown = home.read("crab.md");
    let begun = markdown.lines().find(|line| line.starts_with("- begun: ")).unwrap();
    let expected = format!(
        "# What is a crab?\n\n> scripted answers: no model was asked\n\n- conversation: {id}\n{begun}\n\
         - used: 20 tokens\n\n## System\n\nBe brief.\n\n## You\n\nWhat is a crab?\n\n## demo\n\n\
         A crab has ten legs.\nAnd two claws.\n"
    );
    assert_eq!(markdown, expected);
    let unsure = home.run(&["chat", "delete", &id]).with_code(2);
    assert!(unsure.stderr.contains("--yes"), "{}", unsure.stderr);
    home.run(&["chat", "delete", &id, "--yes"]).with_code(0);
    assert_eq!(home.run(&["chat", "list"]).with_code(0).stdout, "no conversations are kept\n");
}

#[test]
fn what_is_unknown_is_told_with_a_hint() {
    let home = home();
    let unknown = "01976e3c-5f6a-7c3e-9b7a-0c8f5d2e4b1a";
    for (args, told) in [
        (vec!["chat", "show", unknown], "there is no conversation 01976e3c"),
        (vec!["chat", "show", "last"], "0 are kept"),
        (vec!["chat", "export", "fish"], "it is not a UUID"),
        (vec!["chat", "--conversation", unknown, "hi"], "there is no conversation 01976e3c"),
        (vec!["chat", "--model", "nobody", "hi"], "nobody"),
        (vec!["chat", ""], "it is empty"),
        (vec!["chat", "--compare", "demo,demo", "hi"], "stands twice"),
    ] {
        let ended = home.run(&args).with_code(2);
        assert!(ended.stderr.contains(told) && ended.stderr.contains("hint:"), "{args:?}: {}", ended.stderr);
    }
    let ended = home.run_with_stdin(&["chat"], "/fish\n").with_code(2);
    assert!(ended.stderr.contains("there is no such command"), "{}", ended.stderr);
    assert_eq!(home.run(&["chat", "list"]).with_code(0).stdout, "no conversations are kept\n");
}

#[test]
fn an_ephemeral_conversation_leaves_nothing() {
    let home = home();
    let ended = home.run_with_stdin(&["chat", "--ephemeral"], "a crab?\nCan it fly?\n").with_code(0);
    assert!(ended.stdout.ends_with("Crabs do not fly.\n"), "{}", ended.stdout);
    assert!(!home.exists(".local/state/playhouse/conversations.db"));
}

#[test]
fn models_are_compared_and_a_failure_hides_no_answer() {
    let home = home();
    home.write(
        "playhouse.yaml",
        "
models:
  demo: { provider: scripted, script: answers.yaml }
  broken: { provider: scripted, script: broken.yaml }
selection: { default: demo }
",
    );
    home.write("broken.yaml", "default: { error: { status: 401, message: no key } }");
    let ended = home.run(&["chat", "--compare", "demo,broken", "a crab?"]).with_code(0);
    let answer = "== demo ==\nA crab has ten legs.\nAnd two claws.\n\n== broken ==\nfailed to ";
    assert!(ended.stdout.starts_with(answer), "{}", ended.stdout);
    let row = |name: &str| ended.stdout.lines().rfind(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("demo ").contains(" 11 ") && row("demo ").ends_with("answered"), "{}", ended.stdout);
    assert!(row("broken ").ends_with("denied"), "{}", ended.stdout);
    let json =
        home.run(&["chat", "--compare", "broken,demo", "--format", "json", "crab"]).with_code(0).json();
    assert_eq!(json["answers"][0]["failure"]["class"], "denied");
    assert_eq!(json["answers"][1]["reply"]["completion"]["usage"]["completion_tokens"], 9);
    home.run(&["chat", "--compare", "broken", "a crab?"]).with_code(4);
    assert!(!home.exists(".local/state/playhouse/conversations.db"), "a comparison keeps nothing");
}

#[test]
fn what_a_model_says_reaches_a_pipe_byte_for_byte() {
    let home = Home::scripted("default: { answer: \"a\\e[31mb\" }");
    assert_eq!(home.run(&["chat", "hi"]).with_code(0).stdout, "a\u{1b}[31mb\n");
}
