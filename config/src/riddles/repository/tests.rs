use insta::assert_snapshot;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch};

fn riddle(id: &str, question: &str) -> Riddle {
    Riddle {
        id: id.to_owned(),
        form: "arithmetic".to_owned(),
        difficulty: Difficulty::Medium,
        tags: vec!["trap".to_owned()],
        question: question.to_owned(),
        context: None,
        key: AnswerKey {
            matching: AnswerMatch::Number { tolerance: 0.5 },
            answers: vec!["9".to_owned()],
            units: vec!["sheep".to_owned()],
        },
        rationale: "All but 9.".to_owned(),
    }
}

fn repository() -> (TempDir, RiddleRepository) {
    let folder = tempfile::tempdir().unwrap();
    let repository = RiddleRepository::open(folder.path().join("riddles"));
    (folder, repository)
}

/// Errors without the folder of the test.
fn told(folder: &TempDir, errors: &ConfigErrors) -> String {
    errors.to_string().replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn riddles_come_back_as_they_were_added() {
    let (_folder, repository) = repository();
    let first = repository.add("mine", &[riddle("a", "How many \"sheep\"?\nTell: me #1")]).unwrap();
    assert_eq!((first.added_len, first.riddles_len, first.is_new), (1, 1, true));
    let second = repository.add("mine", &[riddle("b", "b?"), riddle("c", "c?")]).unwrap();
    assert_eq!((second.added_len, second.riddles_len, second.is_new), (2, 3, false));
    let set = repository.load("mine").unwrap();
    assert_eq!(set.name, "mine");
    assert_eq!(
        set.riddles,
        [riddle("a", "How many \"sheep\"?\nTell: me #1"), riddle("b", "b?"), riddle("c", "c?")]
    );
    let names: Vec<_> =
        std::fs::read_dir(repository.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the set and its lock: {names:?}");
}

#[test]
fn what_a_file_held_stays_byte_for_byte() {
    let (_folder, repository) = repository();
    let old = "# mine, with care\nversion: 1\nname:   mine\nriddles:\n- id: a   # first\n  difficulty: easy\n  question: >-\n    How\n    many?\n  match: word\n  answers: [x]";
    std::fs::create_dir_all(repository.folder()).unwrap();
    let path = repository.folder().join("mine.yaml");
    std::fs::write(&path, old).unwrap();
    repository.add("mine", &[riddle("b", "b?")]).unwrap();
    let new = std::fs::read_to_string(&path).unwrap();
    assert!(new.starts_with(old), "{new}");
    assert_snapshot!(new[old.len()..].trim_start(), @r#"
    - id: "b"
      form: "arithmetic"
      difficulty: medium
      tags: ["trap"]
      question: "b?"
      match: number
      tolerance: 0.5
      answers: ["9"]
      units: ["sheep"]
      rationale: "All but 9."
    "#);
    assert_eq!(repository.load("mine").unwrap().riddles.len(), 2);
}

#[test]
fn riddles_that_a_set_has_already_are_refused_all_at_once_and_nothing_is_written() {
    let (folder, repository) = repository();
    repository.add("mine", &[riddle("a", "a?"), riddle("b", "b?")]).unwrap();
    let before = std::fs::read(repository.folder().join("mine.yaml")).unwrap();
    let more = [riddle("c", "c?"), riddle("a", "new?"), riddle("d", "b?"), riddle("e", "c?")];
    assert_snapshot!(told(&folder, &repository.add("mine", &more).unwrap_err()), @r#"
    FOLDER/riddles/mine.yaml: the id "a" is taken
    hint: give each riddle its own id
    FOLDER/riddles/mine.yaml: the riddle "d" asks what "b" asks
    hint: leave it out, or ask something else
    FOLDER/riddles/mine.yaml: the riddle "e" asks what "c" asks
    hint: leave it out, or ask something else
    "#);
    assert_eq!(std::fs::read(repository.folder().join("mine.yaml")).unwrap(), before);
    // With another text to be about it is another question.
    let about = Riddle { context: Some("A farm.".to_owned()), ..riddle("f", "a?") };
    assert_eq!(repository.add("mine", &[about]).unwrap().riddles_len, 3);
}

#[test]
fn what_cannot_be_added_is_told() {
    let (folder, repository) = repository();
    let wrong = Riddle { id: "no good".to_owned(), ..riddle("a", "a?") };
    assert_snapshot!(told(&folder, &repository.add("mine", &[wrong]).unwrap_err()), @r"
    FOLDER/riddles/mine.yaml:5:9: riddles.0.id: not an id
    hint: use at most 100 of the characters a-z, A-Z, 0-9, `-`, `_` and `.`, with a letter or digit first
    ");
    assert_snapshot!(told(&folder, &repository.add("classic", &[riddle("a", "a?")]).unwrap_err()), @r#"
    the set "classic" comes with Playhouse and does not change
    hint: choose another name
    "#);
    assert_snapshot!(told(&folder, &repository.add("../x", &[riddle("a", "a?")]).unwrap_err()), @r"
    ../x: not the name of a set
    hint: use at most 100 of the characters a-z, A-Z, 0-9, `-`, `_` and `.`, with a letter or digit first
    ../x: not the name of a set
    hint: begin it with a letter or a digit
    ");
    assert_snapshot!(told(&folder, &repository.add("mine", &[]).unwrap_err()), @"there is no riddle to add");
    let flow = "version: 1\nname: flow\nriddles: [{id: a, difficulty: easy, question: a, match: word, answers: [x]}]\n";
    std::fs::create_dir_all(repository.folder()).unwrap();
    std::fs::write(repository.folder().join("flow.yaml"), flow).unwrap();
    assert_snapshot!(told(&folder, &repository.add("flow", &[riddle("b", "b?")]).unwrap_err()), @r"
    FOLDER/riddles/flow.yaml: nothing can be appended to it
    hint: write `riddles:` as its last key, one riddle below the other, each beginning with `- id:`
    ");
    assert_eq!(std::fs::read_to_string(repository.folder().join("flow.yaml")).unwrap(), flow);
}

#[test]
fn of_riddles_that_are_added_at_once_none_is_lost() {
    let (_folder, repository) = repository();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let repository = &repository;
            scope.spawn(move || {
                let (id, question) = (format!("r{number}"), format!("{number}?"));
                repository.add("mine", &[riddle(&id, &question)]).unwrap();
            });
        }
    });
    assert_eq!(repository.load("mine").unwrap().riddles.len(), 8);
}

#[test]
fn every_set_is_listed_and_a_broken_one_hides_no_other() {
    let (folder, repository) = repository();
    assert_eq!(repository.list().unwrap().len(), 2, "a folder that is not there is empty");
    repository.add("mine", &[riddle("a", "a?")]).unwrap();
    for (name, text) in [
        ("broken.yaml", "riddles: 7\n"),
        (
            "other.yaml",
            "version: 1\nname: else\nriddles: [{id: a, difficulty: easy, question: a, match: word, answers: [x]}]\n",
        ),
        ("notes.txt", ""),
    ] {
        std::fs::write(repository.folder().join(name), text).unwrap();
    }
    let listed = repository.list().unwrap();
    let shown: Vec<_> = listed
        .iter()
        .map(|set| match &set.contents {
            Ok(contents) => format!("{}: {} {:?}", set.name, contents.riddles_len, contents.by_difficulty),
            Err(errors) => format!("{}: {}", set.name, told(&folder, errors)),
        })
        .collect();
    assert_snapshot!(shown.join("\n"), @r#"
    classic: 60 {Easy: 18, Medium: 24, Hard: 18}
    documents: 16 {Easy: 4, Medium: 8, Hard: 4}
    broken: FOLDER/riddles/broken.yaml:1:1: it is not a set of riddles
    FOLDER/riddles/broken.yaml:1:10: riddles: expected a list, found a whole number
    mine: 1 {Medium: 1}
    other: FOLDER/riddles/other.yaml: name: the set is called "else" and its file "other"
    hint: write `name: other`
    "#);
    assert_snapshot!(told(&folder, &repository.load("mien").unwrap_err()), @r#"
    find the set of riddles "mien": it is not known
    hint: did you mean `mine`? known: classic, documents, broken, mine, other
    "#);
}

#[test]
fn sets_and_files_are_checked_by_name_and_by_path() {
    let (folder, repository) = repository();
    repository.add("mine", &[riddle("a", "a?")]).unwrap();
    assert_eq!(repository.validate("mine").unwrap().riddles_len, 1);
    assert_eq!(repository.validate("classic").unwrap().riddles_len, 60);
    let path = repository.folder().join("mine.yaml").display().to_string();
    assert_eq!(repository.validate(&path).unwrap().language, "en");
    let jsonl = folder.path().join("more.jsonl");
    let line = |id: &str| {
        format!(
            "{{\"id\": \"{id}\", \"difficulty\": \"hard\", \"question\": \"{id}?\", \"match\": \"any\", \"answers\": [\"x\"]}}\n"
        )
    };
    std::fs::write(&jsonl, line("b") + &line("c")).unwrap();
    assert_eq!(repository.validate(&jsonl.display().to_string()).unwrap().riddles_len, 2);
    assert_eq!(repository.import_jsonl("mine", &jsonl).unwrap().riddles_len, 3);
    std::fs::write(&jsonl, line("") + "{\n" + &line("d")).unwrap();
    assert_snapshot!(told(&folder, &repository.import_jsonl("mine", &jsonl).unwrap_err()), @r"
    FOLDER/more.jsonl: line 2: it is not a riddle: EOF while parsing an object at line 1 column 1
    FOLDER/more.jsonl: line-1.id: it is missing
    hint: write an id, as in `sheep-1`
    ");
    assert_snapshot!(told(&folder, &repository.validate("gone.yaml").unwrap_err()), @"gone.yaml: there is no such file");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_a_riddle_says_is_kept(question in "\\PC{1,40}", context: Option<String>, answer in "[a-z]\\PC{0,10}", rationale: String) {
        let (_folder, repository) = repository();
        let wanted = Riddle {
            context,
            rationale,
            key: AnswerKey { matching: AnswerMatch::Any, answers: vec![answer], units: Vec::new() },
            ..riddle("a", &format!("q{question}"))
        };
        repository.add("mine", std::slice::from_ref(&wanted)).unwrap();
        let set = repository.load("mine").unwrap();
        prop_assert_eq!(&set.riddles[0], &wanted);
    }
}
