use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use insta::assert_snapshot;
use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
use playhouse_config::{AliasTarget, Config};
use playhouse_protocol::WallClock;
use proptest::prelude::*;
use sha2::Digest as _;
use tempfile::TempDir;

use super::*;
use crate::tracking::spool::Operation;

/// A clock that goes on by a second with each look.
#[derive(Debug, Default)]
struct Ticking(AtomicU64);

impl WallClock for Ticking {
    fn unix_ms(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed) + 1_000
    }
}

fn entry(model: &str) -> ModelConfig {
    ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://127.0.0.1:1/v1", model)))
}

fn why(reason: &str) -> Why {
    Why { who: Some("me".to_owned()), reason: reason.to_owned() }
}

fn registry() -> (TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(folder.path(), Arc::new(Ticking::default()));
    (folder, registry)
}

/// Three versions of one model.
fn three() -> (TempDir, Registry) {
    let (folder, registry) = registry();
    for model in ["a", "b", "c"] {
        assert!(registry.register("coder", &entry(model), &why("new")).unwrap().is_new);
    }
    (folder, registry)
}

fn told(registry: &Registry) -> String {
    let stages = Stages::of(&registry.model("coder").unwrap());
    let told = stages.stages.iter().map(|(version, stage)| format!("{version} {}", stage.as_str()));
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn equal_settings_are_one_version() {
    let (_folder, registry) = three();
    let again = registry.register("coder", &entry("b"), &why("again")).unwrap();
    assert_eq!(again, Registered { version: 2, is_new: false });
    assert_eq!(registry.history("coder").unwrap().len(), 3);
    assert_snapshot!(told(&registry), @"1 candidate, 2 candidate, 3 candidate");
}

#[test]
fn promoting_archives_what_was_there_and_a_step_back_brings_it_back() {
    let (_folder, registry) = three();
    for version in 1..=3 {
        registry.promote("coder", version, &why("better")).unwrap();
    }
    assert_snapshot!(told(&registry), @"1 archived, 2 archived, 3 production");
    registry.promote("coder", 3, &why("again")).unwrap();
    assert_eq!(registry.rollback("coder", &why("worse")).unwrap(), 2);
    assert_snapshot!(told(&registry), @"1 archived, 2 production, 3 archived");
    assert_eq!(registry.rollback("coder", &why("worse still")).unwrap(), 1);
    let error = registry.rollback("coder", &why("and more")).unwrap_err();
    assert_snapshot!(error, @"roll back registered model coder: no version was in production before");
    assert!(error.hint().unwrap().contains("models promote coder"));
    let history = registry.history("coder").unwrap();
    let history: Vec<_> = history
        .iter()
        .map(|event| {
            format!("{} {} {} ({})", event.unix_ms, event.kind.as_str(), event.version, event.why.reason)
        })
        .collect();
    assert_snapshot!(history.join("\n"), @"
    1000 registered 1 (new)
    2000 registered 2 (new)
    3000 registered 3 (new)
    4000 promoted 1 (better)
    5000 promoted 2 (better)
    6000 promoted 3 (better)
    8000 rolled back 2 (worse)
    9000 rolled back 1 (worse still)
    ");
}

#[test]
fn a_version_that_was_put_away_is_not_gone_back_to() {
    let (_folder, registry) = three();
    for version in 1..=3 {
        registry.promote("coder", version, &why("better")).unwrap();
    }
    registry.archive("coder", 2, &why("broken")).unwrap();
    assert!(matches!(registry.archive("coder", 3, &why("x")), Err(RegistryError::InProduction { .. })));
    assert_eq!(registry.rollback("coder", &why("worse")).unwrap(), 1);
}

#[test]
fn what_does_not_exist_is_told_with_what_does() {
    let (_folder, registry) = three();
    let error = registry.promote("codr", 1, &why("x")).unwrap_err();
    assert_snapshot!(error, @r#"find registered model "codr": there are coder"#);
    assert_eq!(error.hint().unwrap(), "Did you mean coder?");
    let error = registry.promote("coder", 7, &why("x")).unwrap_err();
    assert_snapshot!(error, @"find version 7 of registered model coder: it has versions 1 to 3");
    assert!(matches!(registry.promote("coder", 1, &why(" ")), Err(RegistryError::NoReason { .. })));
    assert!(matches!(registry.register("a b", &entry("x"), &why("x")), Err(RegistryError::Name { .. })));
}

#[test]
fn a_step_back_brings_the_old_settings_back() {
    let (_folder, registry) = three();
    registry.promote("coder", 1, &why("first")).unwrap();
    registry.promote("coder", 3, &why("better")).unwrap();
    registry.rollback("coder", &why("worse")).unwrap();
    let mut config = Config::default();
    assert_eq!(registry.merge_into(&mut config).unwrap(), []);
    let coder = &config.registered["coder"];
    let at = |unix_ms| coder.version(AliasTarget::Production, Some(unix_ms));
    assert_eq!([at(4_500), at(5_500), at(6_500)], [Some(1), Some(3), Some(1)]);
    assert_eq!(coder.version(AliasTarget::Candidate, None), Some(2));
    assert_eq!(config.models[&coder.versions[&1]], entry("a"));
    assert_eq!(config.models["coder@3"], entry("c"));
}

#[test]
fn damage_is_told_and_never_written_over() {
    let (folder, registry) = three();
    let path = folder.path().join("registry.json");
    let whole = fs::read_to_string(&path).unwrap();
    let cut = whole[..whole.len() / 2].to_owned();
    let changed = whole.replacen("model: b", "model: x", 1);
    assert_ne!(changed, whole);
    for damaged in [cut, changed, "{}".to_owned()] {
        fs::write(&path, &damaged).unwrap();
        let error = registry.promote("coder", 1, &why("x")).unwrap_err();
        assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
    fs::write(&path, whole.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
    assert!(matches!(registry.list(), Err(RegistryError::Version { found: 2, .. })));
}

#[test]
fn a_version_that_cannot_be_read_any_more_is_left_out_alone() {
    let (folder, registry) = three();
    let path = folder.path().join("registry.json");
    let mut saved: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let version = &mut saved["models"]["coder"]["versions"][1];
    version["entry_yaml"] = "provider: oracle\n".into();
    version["sha256"] = "3ba2cd0f7a8fa1ee5b5b7dc0bb5e5b64cd36ba3c3d9c2dba2d1b2c3b5b4a0e11".into();
    fs::write(&path, saved.to_string()).unwrap();
    let error = registry.list().unwrap_err();
    assert!(error.to_string().contains("do not have its hash"), "{error}");
    let hash = sha2::Sha256::digest("provider: oracle\n");
    saved["models"]["coder"]["versions"][1]["sha256"] =
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat().into();
    fs::write(&path, saved.to_string()).unwrap();
    let mut config = Config::default();
    let left_out = registry.merge_into(&mut config).unwrap();
    assert_eq!((left_out.len(), left_out[0].entry.as_str()), (1, "coder@2"));
    assert!(!config.registered["coder"].versions.contains_key(&2) && config.models.contains_key("coder@3"));
}

#[test]
fn what_was_measured_is_attached_and_replaced_by_the_same_run() {
    let (_folder, registry) = three();
    for value in [0.5, 0.75] {
        registry.evaluated("coder", 2, "r-1", [("pass".to_owned(), value)].into()).unwrap();
    }
    let evaluations = registry.model("coder").unwrap().versions[1].evaluations.clone();
    assert_eq!((evaluations.len(), evaluations[0].metrics["pass"]), (1, 0.75));
    assert!(registry.evaluated("coder", 9, "r-1", std::collections::BTreeMap::new()).is_err());
}

#[test]
fn a_server_is_told_of_every_version_and_of_where_aliases_lead() {
    let (_folder, registry) = three();
    registry.promote("coder", 2, &why("better")).unwrap();
    let operations = registry.mirror("coder").unwrap();
    assert_eq!(operations, registry.mirror("coder").unwrap());
    let aliases: Vec<_> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::Alias(change) => Some((change.alias.as_str(), change.version)),
            _ => None,
        })
        .collect();
    assert_eq!((operations.len(), aliases), (5, vec![("production", Some(2)), ("candidate", Some(3))]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is done: at most one version is in production, and it is the one that the alias leads to.
    #[test]
    fn at_most_one_version_is_in_production(steps in prop::collection::vec((0_u8..4, 1_u32..5), 1..16)) {
        let (_folder, registry) = registry();
        for (kind, version) in steps {
            // What cannot be done changes nothing.
            match kind {
                0 => drop(registry.register("coder", &entry(&version.to_string()), &why("x"))),
                1 => drop(registry.promote("coder", version, &why("x"))),
                2 => drop(registry.rollback("coder", &why("x"))),
                _ => drop(registry.archive("coder", version, &why("x"))),
            }
        }
        for (name, model) in registry.list().unwrap() {
            let stages = Stages::of(&model);
            let production: Vec<_> =
                stages.stages.iter().filter(|(_, stage)| **stage == Stage::Production).map(|(version, _)| *version).collect();
            prop_assert_eq!(&production, &stages.production.into_iter().collect::<Vec<_>>());
            let aliases = registry.aliases().unwrap();
            prop_assert_eq!(aliases[&name].version(AliasTarget::Production, None), stages.production);
            prop_assert_eq!(aliases[&name].version(AliasTarget::Candidate, None), stages.newest_candidate());
        }
    }
}
