//! `playhouse riddles`: sets of one's own beside those that come along.

use crate::home::Home;

const LINE: &str = r#"{"id": "b", "difficulty": "hard", "question": "b?", "match": "any", "answers": ["x"]}"#;

fn add<'a>(id: &'a str, question: &'a str) -> [&'a str; 9] {
    ["riddles", "add", "mine", "--id", id, "--question", question, "--answer", "9"]
}

#[test]
fn the_sets_that_come_along_are_listed_and_shown() {
    let home = Home::empty();
    let listed = home.run(&["riddles", "list"]).with_code(0);
    assert_eq!(
        listed.stdout,
        "set        language  riddles  easy  medium  hard  forms
classic    en             60    18      24    18  arithmetic, counting, lateral, logic, ordering, wordplay
documents  en             16     4       8     4  beginning, end, middle
"
    );
    assert!(listed.stderr.ends_with("/.local/share/playhouse/riddles\n"), "{}", listed.stderr);
    let shown =
        home.run(&["riddles", "show", "classic", "--difficulty", "hard", "--form", "logic"]).with_code(0);
    assert_eq!(shown.stdout.lines().count(), 4, "{}", shown.stdout);
    let one = home.run(&["riddles", "show", "classic", "trap-03"]).with_code(0).stdout;
    assert!(one.contains("answers     9\n") && one.contains("units       sheep\n"), "{one}");
    let json = home.run(&["riddles", "show", "classic", "--format", "json"]).with_code(0).json();
    assert_eq!((&json["kind"], json["riddles"].as_array().unwrap().len()), (&"riddles".into(), 60));
}

#[test]
fn riddles_are_added_and_imported_to_a_set_of_ones_own() {
    let home = Home::empty();
    let ended = home.run(&add("a", "How many?")).with_code(0);
    assert_eq!(ended.stdout, "made the set mine: 1 riddle\n");
    home.write("more.jsonl", format!("{LINE}\n"));
    let ended = home.run(&["riddles", "import", "mine", "more.jsonl"]).with_code(0);
    assert_eq!(ended.stdout, "added to the set mine: 1 riddle, 2 in all\n");
    home.write("text.txt", "A farm.");
    let flags = ["--context", "text.txt", "--unit", "sheep", "--tolerance", "0.5", "--form", "counting"];
    home.run(&[add("c", "How many?").as_slice(), &flags].concat()).with_code(0);
    let json = home.run(&["riddles", "list", "--format", "json"]).with_code(0).json();
    let mine = &json["sets"][2];
    assert_eq!(
        (&mine["name"], &mine["riddles"], &mine["by_difficulty"]["hard"]),
        (&"mine".into(), &3.into(), &1.into())
    );
    let shown = home.run(&["riddles", "show", "mine", "c"]).with_code(0).stdout;
    assert!(shown.contains("match       number ± 0.5\n") && shown.contains("about       7 bytes"), "{shown}");
    let checked = home.run(&["riddles", "validate", "mine", "more.jsonl"]).with_code(0);
    assert_eq!(checked.stdout, "ok: mine: 3 riddles (2 medium, 1 hard)\nok: more.jsonl: 1 riddle (1 hard)\n");
}

#[test]
fn what_is_wrong_is_told_all_at_once_and_nothing_is_written() {
    let home = Home::empty();
    home.run(&add("a", "How many?")).with_code(0);
    let file = ".local/share/playhouse/riddles/mine.yaml";
    let before = home.read(file);
    for (args, word) in [
        (add("a", "new?").to_vec(), "the id \"a\" is taken"),
        (add("b", "How many?").to_vec(), "asks what \"a\" asks"),
        (add("no good", "new?").to_vec(), "not an id"),
        ([add("b", "b?").as_slice(), &["--match", "any", "--unit", "km"]].concat(), "only numbers"),
        (
            vec!["riddles", "add", "classic", "--id", "a", "--question", "b?", "--answer", "x"],
            "does not change",
        ),
        (vec!["riddles", "show", "mien"], "did you mean `mine`?"),
        (vec!["riddles", "show", "mine", "zzz"], "none of this id"),
        (vec!["riddles", "import", "mine", "gone.jsonl"], "there is no such file"),
    ] {
        let ended = home.run(&args).with_code(2);
        assert!(ended.stderr.contains(word) && ended.stdout.is_empty(), "{args:?}: {}", ended.stderr);
    }
    home.write("bad.jsonl", format!("{{\n{LINE}\n{LINE}\n"));
    home.write("bad.yaml", "version: 1\nname: x\nriddles: [{id: a}]\n");
    let ended = home.run(&["riddles", "validate", "classic", "bad.jsonl", "bad.yaml"]).with_code(2);
    assert_eq!(ended.stdout, "ok: classic: 60 riddles (18 easy, 24 medium, 18 hard)\n");
    for word in ["6 faults", "bad.jsonl: line 1", "line-3.id", "bad.yaml:3:11: riddles.0.question"] {
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
    home.run(&["riddles", "import", "mine", "bad.jsonl"]).with_code(2);
    assert_eq!(home.read(file), before);
    home.write(".local/share/playhouse/riddles/broken.yaml", "riddles: 7\n");
    let listed = home.run(&["riddles", "list"]).with_code(0);
    assert!(
        listed.stdout.contains("mine") && listed.stderr.contains("the set broken cannot be used"),
        "{}",
        listed.stderr
    );
}
