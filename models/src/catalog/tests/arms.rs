//! Who is told how good answers are, and arms that are taken out while the catalog lives.

use std::sync::Mutex;

use playhouse_protocol::{SeededSource, TaskId};

use super::*;
use crate::observer::{ArmStanding, CallEvent};
use crate::testing::Noted;

/// Notes what it is told, and stops an arm that is useless.
#[derive(Debug, Default)]
struct Judge(Mutex<Vec<String>>);

impl QualityObserver for Judge {
    fn attached(&self, catalog: &Catalog) {
        self.0.lock().unwrap().push(format!("{:?}", catalog.arms("review")));
    }

    fn judged(&self, catalog: &Catalog, model: &str, task_type: &str, score: f64) {
        self.0.lock().unwrap().push(format!("{model} {task_type} {score}"));
        catalog.tell_arm(task_type, model, ArmStanding { outcomes: 1, mean: Some(score), e_value: None });
        if score == 0.0 {
            catalog.stop_arm(task_type, model, "it is useless");
        }
    }
}

fn split() -> (Catalog, Arc<Judge>, Arc<Noted>) {
    let mut config = Config::default();
    for name in ["a", "b"] {
        config.models.insert(name.to_owned(), open_ai("http://127.0.0.1:1/v1", "x"));
    }
    config.selection.split.insert("review".to_owned(), [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
    let (judge, noted) = (Arc::<Judge>::default(), Arc::<Noted>::default());
    let parts = CatalogParts {
        random: Arc::new(Always(0)),
        wall_clock: Arc::new(StoppedClock),
        models_dir: "/nowhere".into(),
        observer: noted.clone(),
    };
    let catalog = Catalog::new(&config, parts);
    catalog.tell_quality(vec![judge.clone()]);
    (catalog, judge, noted)
}

#[test]
fn an_observer_is_told_of_every_score_of_a_known_model_within_its_bounds() {
    let (catalog, judge, _) = split();
    catalog.record_quality("a", "review", 7.0);
    catalog.record_quality("b", "other", 0.25);
    catalog.record_quality("a", "review", f64::NAN);
    catalog.record_quality("nobody", "review", 1.0);
    let told = judge.0.lock().unwrap().clone();
    assert_eq!(told, [r#"[("a", "a"), ("b", "b")]"#, "a review 1", "b other 0.25"]);
}

#[test]
fn a_task_keeps_the_arm_that_it_had_before_the_arm_was_stopped() {
    let (catalog, _, noted) = split();
    let ids: Vec<_> = (0..40).map(|number| TaskId::new(number, &SeededSource::from_seed(number))).collect();
    let model = |id: &TaskId| {
        let wish = ModelWish { task_id: Some(*id), ..ModelWish::of("review") };
        catalog.select(&wish).unwrap().model
    };
    let (old, new) = ids.split_at(20);
    let before: Vec<_> = old.iter().map(model).collect();
    assert!(before.contains(&"b".to_owned()));
    catalog.record_quality("b", "review", 0.0);
    assert_eq!(old.iter().map(model).collect::<Vec<_>>(), before);
    assert!(new.iter().all(|id| model(id) == "a"));
    catalog.resume_arm("review", "b");
    catalog.resume_arm("review", "b");
    let events: Vec<_> = noted.take();
    let task_type = || "review".to_owned();
    let standing = ArmStanding { outcomes: 1, mean: Some(0.0), e_value: None };
    assert_eq!(
        events,
        [
            CallEvent::ArmJudged { task_type: task_type(), standing },
            CallEvent::ArmStopped { task_type: task_type(), reason: "it is useless".to_owned() },
            CallEvent::ArmResumed { task_type: task_type() },
        ]
    );
}
