use std::collections::BTreeMap;

use insta::assert_snapshot;
use playhouse_protocol::riddle::AnswerMatch;

use super::*;

#[test]
fn the_set_that_comes_along_has_ten_riddles_of_each_form_in_three_difficulties() {
    let set = classic().unwrap();
    let mut count = BTreeMap::<_, usize>::new();
    for riddle in &set.riddles {
        *count.entry((riddle.form.as_str(), riddle.difficulty)).or_default() += 1;
        assert!(!riddle.rationale.is_empty(), "{}", riddle.id);
    }
    for form in ["arithmetic", "counting", "lateral", "logic", "ordering", "wordplay"] {
        let of = |difficulty| count[&(form, difficulty)];
        assert_eq!((of(Difficulty::Easy), of(Difficulty::Medium), of(Difficulty::Hard)), (3, 4, 3), "{form}");
    }
    assert_eq!(set.riddles.len(), 60);
}

#[test]
fn every_answer_about_a_text_stands_in_it() {
    let set = documents().unwrap();
    assert_eq!(set.riddles.len(), 16);
    for riddle in &set.riddles {
        let text = riddle.context.as_deref().unwrap().replace(',', "");
        let is_there = |answer: &String| {
            let word = if answer == "7" { "seven" } else { answer.as_str() };
            text.contains(word)
        };
        assert!(riddle.key.answers.iter().all(is_there), "{}", riddle.id);
    }
}

const ONE: &str = "\
version: 1
name: mine
riddles:
  - id: a
    difficulty: easy
    question: How many?
    match: number
    tolerance: 0.5
    answers: ['9']
";

#[test]
fn a_set_is_read_key_by_key() {
    let set = parse_riddles("f.yaml", ONE).unwrap();
    assert_eq!((set.name.as_str(), set.language.as_str()), ("mine", "en"));
    assert_eq!(set.riddles[0].key.matching, AnswerMatch::Number { tolerance: 0.5 });
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let text = ONE.replace("answers: ['9']", "answers: ['nine', '?']\n    colour: red")
        + "  - {id: a, difficulty: easy, question: q, match: word, answers: [], units: [km]}\n  - {id: b}\n  - 7\n";
    assert_snapshot!(parse_riddles("f.yaml", &text).unwrap_err(), @r#"
    f.yaml:9:15: riddles.0.answers.0: "nine" is not a number
    hint: write digits, with a point where needed, or `match: word`
    f.yaml:9:23: riddles.0.answers.1: the answer has neither letters nor digits
    f.yaml:10:5: riddles.0.colour: unknown key
    hint: the keys in `riddles.0` are: answers, context, difficulty, form, id, match, question, rationale, tags, tolerance, units
    f.yaml:11:10: riddles.1.id: the id "a" stands twice; first in riddle 1
    hint: give each riddle its own id
    f.yaml:11:66: riddles.1.answers: no answer is accepted
    hint: write at least one
    f.yaml:11:70: riddles.1.units: only numbers have this key
    hint: take it out, or write `match: number`
    f.yaml:12:5: riddles.2.question: it is missing
    hint: write what is asked
    f.yaml:12:5: riddles.2.difficulty: it is missing
    hint: write `easy`, `medium` or `hard`
    f.yaml:12:5: riddles.2.match: it is missing
    hint: write `number`, `word` or `any`
    f.yaml:12:5: riddles.2.answers: no answer is accepted
    hint: write at least one
    f.yaml:13:5: riddles.3: expected a map of keys, found a whole number
    "#);
}

#[test]
fn lines_of_json_are_read_too() {
    let good = r#"{"id": "a", "difficulty": "hard", "question": "q", "match": "any", "answers": ["x"]}"#;
    assert_eq!(parse_jsonl("f.jsonl", &format!("{good}\n\n")).unwrap().len(), 1);
    assert_snapshot!(parse_jsonl("f.jsonl", &format!("{good}\n{{\n{good}\n")).unwrap_err(), @r#"
    f.jsonl: line 2: it is not a riddle: EOF while parsing an object at line 1 column 1
    f.jsonl: line-3.id: the id "a" stands twice; first in riddle 1
    hint: give each riddle its own id
    "#);
}
