//! `playhouse load` and what it leaves in a journal.

use crate::home::{Ended, Home};

fn load(home: &Home, args: &[&str]) -> Ended {
    let mut all = vec!["load", "--latency-ms", "0", "--quiet"];
    all.extend(args);
    home.run(&all)
}

#[test]
fn every_task_is_accounted_for_when_calls_fail_and_attempts_panic() {
    let home = Home::empty();
    let run = load(&home, &["-n", "400", "--fail", "0.2", "--panic", "0.2", "--format", "json"]).with_code(0);
    let report = run.json();
    assert_eq!((&report["kind"], &report["adds_up"]), (&"load".into(), &true.into()));
    assert!(report["notice"].as_str().unwrap().contains("scripted"));
    let count = |name: &str| report["accounting"][name].as_u64().unwrap();
    assert_eq!(count("accepted"), 400);
    assert_eq!(count("completed") + count("dead_lettered"), 400);
    assert!(count("dead_lettered") > 0, "a fifth of a fifth fails twice alike: {report}");
    assert!(report["outcomes"]["attempts"].as_u64().unwrap() > 400);
    assert!(report["total"]["p99_ms"].as_f64().unwrap() >= report["total"]["p50_ms"].as_f64().unwrap());
}

#[test]
fn the_same_seed_draws_the_same_faults() {
    let home = Home::empty();
    let outcomes = |seed: &str| {
        let args = ["-n", "200", "--fail", "0.3", "--panic", "0.1", "--format", "json", "--seed", seed];
        load(&home, &args).with_code(0).json()["outcomes"].clone()
    };
    assert_eq!(outcomes("5"), outcomes("5"));
    assert_ne!(outcomes("5"), outcomes("6"));
}

#[test]
fn a_missed_goal_ends_with_its_own_code_and_a_held_one_does_not() {
    let home = Home::empty();
    let missed = load(&home, &["-n", "10", "--slo", "throughput_min=1e12"]).with_code(9);
    assert!(missed.stdout.contains("throughput_min 1000000000000") && missed.stdout.contains("MISSED"));
    let held = load(&home, &["-n", "10", "--slo", "max_ms=60000", "--slo", "failed_max=0"]).with_code(0);
    assert_eq!(held.stdout.matches("held").count(), 2, "{}", held.stdout);
}

#[test]
fn a_page_is_one_file_that_needs_nothing_else() {
    let home = Home::empty();
    load(&home, &["-n", "50", "--format", "html", "--output", "load.html"]).with_code(0);
    let page = home.read("load.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg") && page.contains("adds up"));
    assert!(!page.contains("http") && !page.contains("<script"));
}

#[test]
fn the_same_command_on_the_same_journal_submits_nothing_anew() {
    let home = Home::empty();
    let args = ["-n", "60", "--journal", "load.db", "--acks", "acks", "--calls", "2", "--format", "json"];
    let first = load(&home, &args).with_code(0).json();
    assert_eq!((&first["accounting"]["accepted"], &first["journal"]["completed"]), (&60.into(), &60.into()));
    let again = load(&home, &args).with_code(0).json();
    assert_eq!((&again["accounting"]["accepted"], &again["journal"]["completed"]), (&0.into(), &60.into()));
    assert_eq!((&again["adds_up"], &again["outcomes"]["completed"]), (&true.into(), &60.into()));
    // What the first run did is not measured as this one's.
    assert_eq!((&again["outcomes"]["ended_before"], &again["outcomes"]["attempts"]), (&60.into(), &0.into()));
    assert_eq!((&again["throughput_per_s"], &again["distribution"]), (&0.0.into(), &serde_json::json!([])));
    let goals = ["--slo", "throughput_min=1000000", "--slo", "p50_ms=0"];
    let again = ["-n", "60", "--journal", "load.db", "--calls", "2"];
    let judged = load(&home, &[&again[..], &goals].concat()).with_code(0);
    assert_eq!(judged.stdout.matches("not judged").count(), 2, "{}", judged.stdout);
    let other = load(&home, &["-n", "60", "--journal", "load.db", "--calls", "1"]).with_code(2);
    assert!(other.stderr.contains("another --seed"), "{}", other.stderr);
    let acks = home.read("acks");
    let (one, two): (Vec<_>, Vec<_>) = acks.lines().enumerate().partition(|(at, _)| *at < 60);
    let sorted = |lines: Vec<(usize, &str)>| {
        let mut lines: Vec<_> = lines.into_iter().map(|(_, line)| line.to_owned()).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(one), sorted(two), "a key gives the same task");
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    let home = Home::empty();
    for (args, text) in [
        (&["-n", "0"][..], "--tasks"),
        (&["-n", "5", "--width", "0"], "--width"),
        (&["-n", "5", "--fail", "1.5"], "--fail"),
        (&["-n", "5", "--panic", "x"], "--panic"),
        (&["-n", "5", "--latency-ms", "86400001"], "--latency-ms"),
        (&["-n", "5", "--slo", "p42_ms=1"], "p95_ms"),
        (&["-n", "5", "--output", "no/such/folder"], "no/such/folder"),
        (&["-n", "5", "--journal", "."], "it is a folder"),
    ] {
        let refused = load(&home, args).with_code(2);
        assert!(refused.stderr.contains(text), "{args:?}: {}", refused.stderr);
    }
    for (args, text) in [
        (&["load", "-n", "5", "--model", "nobody"][..], "nobody"),
        // The catalog's models have neither.
        (&["load", "-n", "5", "--model", "local", "--fail", "0.1"], "--fail"),
        (&["load", "-n", "5", "--model", "local", "--latency-ms", "1"], "--latency-ms"),
        (&["load", "-n", "5", "--durability", "none", "--journal", "none.db"], "--journal none.db"),
    ] {
        let refused = home.run(args).with_code(2);
        assert!(refused.stderr.contains(text), "{args:?}: {}", refused.stderr);
    }
    assert!(!home.exists("none.db"), "a refused run makes no file");
}

#[test]
fn what_is_allowed_but_cannot_be_meant_is_told() {
    let home = Home::empty();
    for (args, text) in [
        (&["--panic", "1"][..], "no task can succeed"),
        (&["--fail", "1"], "no task can succeed"),
        (&["--durability", "full"], "in this process's memory"),
    ] {
        let mut all = vec!["load", "-n", "3", "--latency-ms", "0", "--format", "json"];
        all.extend(args);
        let run = home.run(&all).with_code(0);
        assert!(run.stderr.contains(text), "{args:?}: {}", run.stderr);
        assert_eq!(run.json()["adds_up"], true);
    }
    // Without calls no call fails.
    let run = home.run(&["load", "-n", "3", "--calls", "0", "--fail", "1"]).with_code(0);
    assert!(!run.stderr.contains("no task can succeed"), "{}", run.stderr);
}

#[test]
fn a_model_of_the_catalog_that_is_a_script_is_told_as_one() {
    let home = Home::scripted("default: { answer: hi }");
    let args = ["load", "-n", "3", "--model", "demo", "--quiet"];
    let text = home.run(&args).with_code(0).stdout;
    assert!(text.contains("scripted answers: no model was asked (demo)"), "{text}");
    let json = home.run(&[&args[..], &["--format", "json"]].concat()).with_code(0).json();
    assert_eq!(json["notice"], "scripted answers: no model was asked");
    assert_eq!((&json["settings"]["latency_ms"], &json["settings"]["fail"]), (&().into(), &().into()));
}

fn ids(text: &str) -> Vec<String> {
    text.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn dead_letters_are_listed_shown_replayed_and_discarded() {
    let home = Home::scripted("default: { error: { status: 503, message: down } }");
    // Three develop tasks that fail: their kind is known to every playhouse.
    home.write(
        "playhouse.yaml",
        format!(
            "{}\nattempts: {{ backoff_initial_ms: 1 }}\njournal: {{ path: j.db }}\n",
            crate::home::SETTINGS
        ),
    );
    for name in ["none", "missing.db"] {
        let args = if name == "none" { &[][..] } else { &["--journal", name] };
        let mut list = vec!["dead-letters", "list"];
        list.extend(args);
        let refused = home.run(&list);
        assert_ne!(refused.code, Some(0), "no journal is there yet");
    }
    make_letters(&home, 2);
    let listed = home.run(&["dead-letters", "list"]).with_code(0);
    let letters = ids(&listed.stdout);
    assert_eq!(letters.len(), 2, "{}", listed.stdout);
    assert!(listed.stdout.contains("generate") && listed.stdout.contains("dead_lettered"));

    let shown = home.run(&["dead-letters", "show", &letters[0]]).with_code(0);
    assert!(
        shown.stdout.contains("attempts that failed") && shown.stdout.contains("retryable"),
        "{}",
        shown.stdout
    );
    let json = home.run(&["dead-letters", "show", &letters[0], "--format", "json"]).with_code(0).json();
    assert_eq!(json["task"]["status"], "dead_lettered");
    assert!(!json["failed_attempts"].as_array().unwrap().is_empty());

    let still = home.run(&["dead-letters", "replay", &letters[0]]).with_code(3);
    assert!(still.stdout.contains("is dead_lettered"), "{}", still.stdout);
    home.write("answers.yaml", format!("default:\n  answer: |{}\n", crate::home::CODE));
    let replayed = home.run(&["dead-letters", "replay", &letters[0]]).with_code(0);
    assert!(replayed.stdout.contains("is completed"), "{}", replayed.stdout);
    home.run(&["dead-letters", "discard", &letters[1]]).with_code(0);
    assert!(home.run(&["dead-letters", "list"]).with_code(0).stdout.contains("no such task"));

    let unknown = home.run(&["dead-letters", "show", &letters[1]]).with_code(2);
    assert!(unknown.stderr.contains(&letters[1]), "{}", unknown.stderr);
    home.run(&["dead-letters", "show", "fish"]).with_code(2);
    let no_letter = home.run(&["dead-letters", "replay", &letters[0]]).with_code(2);
    assert!(no_letter.stderr.contains("the task is completed"), "{}", no_letter.stderr);
    let done = home.run(&["tasks", "list", "--status", "completed", "--format", "json"]).with_code(0).json();
    assert_eq!(done["tasks"].as_array().unwrap().len(), 1);
    let wrong = home.run(&["tasks", "list", "--status", "fish"]).with_code(2);
    assert!(wrong.stderr.contains("dead_lettered"), "{}", wrong.stderr);
}

/// Leaves so many dead letters of the generator in the home's journal.
fn make_letters(home: &Home, count: usize) {
    use playhouse_protocol::generate::GenerateCode;
    use playhouse_protocol::task::TaskOptions;
    use playhouse_runtime::Runtime;
    use playhouse_runtime::actors::generator::CodeGenerator;

    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let environment = playhouse_config::Environment::of([("HOME", home.path().to_str().unwrap())])
            .with_working_folder(home.path());
        let loaded = playhouse_config::load(&playhouse_config::LoadArgs { path: None, environment }).unwrap();
        let runtime = Runtime::builder().config(loaded.config).start().await.unwrap();
        for number in 0..count {
            let request = GenerateCode { spec: format!("spec {number}"), ..GenerateCode::default() };
            let task = runtime.submit::<CodeGenerator>(request, TaskOptions::default()).await.unwrap();
            assert!(task.result().await.is_err());
        }
        let busy = home.run(&["dead-letters", "replay", "01976e3c-5f6a-7c3e-9b7a-0c8f5d2e4b1a"]).with_code(4);
        assert!(busy.stderr.contains("another process uses it"), "{}", busy.stderr);
        assert_eq!(ids(&home.run(&["dead-letters", "list"]).with_code(0).stdout).len(), count);
        runtime.shutdown_gracefully().await;
    });
}
