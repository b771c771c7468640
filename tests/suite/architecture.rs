//! The direction of dependencies, as `docs/architecture.md` draws it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What each crate may use of the workspace, outside its tests. Arrows point down only.
const ALLOWED: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("config", &["protocol"]),
    ("models", &["config", "protocol"]),
    ("supervisors", &["protocol"]),
    ("actors", &["config", "models", "protocol", "supervisors"]),
    ("runtime", &["actors", "config", "models", "protocol", "supervisors"]),
    ("experiments", &["config", "protocol", "runtime"]),
    ("gateway", &["runtime"]),
    ("cli", &["config", "experiments", "gateway", "models", "protocol", "runtime"]),
];

/// Libraries with one door: the only crates that may depend on them.
const DOORS: &[(&str, &[&str])] = &[
    ("bincode", &["protocol"]),
    ("serde_yaml", &["config", "models"]),
    ("tiktoken-rs", &["models"]),
    ("bpe-openai", &["models"]),
    ("tokenizers", &["models"]),
    ("candle-core", &["models"]),
    ("reqwest", &["models", "experiments"]),
    ("quick_cache", &["models"]),
    ("redis", &["models"]),
    ("statrs", &["experiments"]),
    ("ractor", &["supervisors", "actors", "runtime"]),
    ("rusqlite", &["runtime"]),
    ("axum", &["gateway"]),
    ("syn", &["actors"]),
    ("clap", &["cli"]),
    ("mimalloc", &["cli"]),
];

/// What the bottom crate does without: no I/O, no clock, no actors.
const PROTOCOL_NEVER: &[&str] = &["tokio", "ractor", "reqwest", "tracing", "metrics"];

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    // Only what the members themselves say: nothing is resolved, so no package of another system need be at hand.
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

/// Dependencies outside tests, by crate without its prefix.
fn dependencies(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let members = metadata.workspace_packages();
    let normal = |package: &cargo_metadata::Package| {
        let kept = package.dependencies.iter().filter(|one| one.kind != DependencyKind::Development);
        kept.map(|one| one.name.clone()).collect()
    };
    members
        .iter()
        .map(|package| (package.name.trim_start_matches("playhouse-").to_owned(), normal(package)))
        .collect()
}

#[test]
fn dependencies_between_crates_point_down_only() {
    let found = dependencies(&metadata());
    for (name, allowed) in ALLOWED {
        let own: BTreeSet<_> = found[*name].iter().filter_map(|one| one.strip_prefix("playhouse-")).collect();
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        let forbidden: Vec<_> = own.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{name} must not depend on {forbidden:?}: see docs/architecture.md");
    }
}

#[test]
fn every_crate_has_its_place_in_the_picture() {
    let found = dependencies(&metadata());
    let placed: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| *name).chain(["benches", "tests"]).collect();
    let named: BTreeSet<_> = found.keys().map(String::as_str).collect();
    assert_eq!(named, placed);
}

#[test]
fn libraries_with_one_door_are_used_behind_it_only() {
    let found = dependencies(&metadata());
    for (library, doors) in DOORS {
        let users: Vec<_> = found
            .iter()
            .filter(|(name, uses)| uses.contains(*library) && !matches!(name.as_str(), "benches" | "tests"))
            .map(|(name, _)| name.as_str())
            .filter(|name| !doors.contains(name))
            .collect();
        assert!(users.is_empty(), "{library} is used by {users:?}, its doors are {doors:?}");
    }
}

#[test]
fn protocol_does_no_io_and_knows_no_actors() {
    let found = dependencies(&metadata());
    for library in PROTOCOL_NEVER {
        assert!(!found["protocol"].contains(*library), "protocol must not depend on {library}");
    }
}

#[test]
fn folders_are_named_as_their_crates() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().and_then(|folder| folder.file_name()).unwrap();
        assert_eq!(package.name.as_str(), format!("playhouse-{folder}"));
    }
}
