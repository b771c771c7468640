//! Names of registered models: `@coder` leads to the entry of a version.

use std::sync::{Arc, PoisonError, RwLock};

use playhouse_config::{AliasName, RegisteredModel, RegisteredModels};
use playhouse_protocol::TaskId;

/// How similar a name must be to be offered, from 0.0 to 1.0 (Jaro-Winkler).
const SIMILARITY_MIN: f64 = 0.75;

/// What aliases lead to. Owned by the catalog; replaced as a whole while the process lives, which takes effect with the next
/// task: a task goes by what held when it was accepted, in every attempt and every process.
#[derive(Debug, Default)]
pub struct AliasTable {
    models: RwLock<Arc<RegisteredModels>>,
}

/// An alias and where it led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedAlias {
    /// The alias, as it was written.
    pub alias: String,
    /// The catalog entry.
    pub model: String,
}

/// A name that leads to no version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("find model {alias:?}: {problem}")]
pub struct UnknownAlias {
    /// The name, cut short.
    pub alias: String,
    problem: String,
    hint: String,
}

impl UnknownAlias {
    /// What a person can do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl AliasTable {
    /// A table of these models.
    pub fn new(models: RegisteredModels) -> Self {
        Self { models: RwLock::new(Arc::new(models)) }
    }

    /// What holds now.
    pub fn current(&self) -> Arc<RegisteredModels> {
        Arc::clone(&self.models.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in its place.
    pub fn swap(&self, models: RegisteredModels) {
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(models);
    }
}

/// Whether a name is meant as an alias. No entry of a catalog has such a name.
pub(crate) fn is_alias(name: &str) -> bool {
    name.starts_with('@')
}

/// Where an alias leads for a task, or now where there is none.
pub(crate) fn follow(
    models: &RegisteredModels,
    alias: &str,
    task: Option<TaskId>,
) -> Result<String, UnknownAlias> {
    let unknown = |problem: String, hint: &str| {
        let alias = alias.chars().take(60).collect();
        UnknownAlias { alias, problem, hint: hint.to_owned() }
    };
    let Ok(name) = AliasName::parse(alias) else {
        let hint = "Write `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:2`.";
        return Err(unknown("this is no alias of a registered model".to_owned(), hint));
    };
    let Some(model) = models.get(&name.model) else {
        let known = models.keys().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", ");
        if known.is_empty() {
            let hint = "Register one: playhouse models register NAME --entry ENTRY";
            return Err(unknown("no model is registered".to_owned(), hint));
        }
        let similarity = |known: &&String| strsim::jaro_winkler(&name.model, known);
        let nearest = models.keys().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        let nearest = nearest.filter(|nearest| similarity(nearest) >= SIMILARITY_MIN);
        let hint = nearest.map_or_else(
            || "See them: playhouse models versions".to_owned(),
            |nearest| format!("Did you mean @{nearest}?"),
        );
        return Err(unknown(format!("the registered models are {known}"), &hint));
    };
    let version = model.version(name.target, task.map(TaskId::unix_ms));
    let entry = version.and_then(|version| model.versions.get(&version));
    entry.cloned().ok_or_else(|| {
        let hint = format!("See its versions: playhouse models versions {}", name.model);
        unknown(problem(model), &hint)
    })
}

fn problem(model: &RegisteredModel) -> String {
    let versions = model.versions.keys().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let of = |version: Option<u32>| version.map_or_else(|| "none".to_owned(), |version| version.to_string());
    let production = model.production.last().and_then(|(_, version)| *version);
    let candidate = model.candidate.last().and_then(|(_, version)| *version);
    format!(
        "the model has versions {versions}; in production {}, newest candidate {}",
        of(production),
        of(candidate)
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use playhouse_protocol::SeededSource;

    use super::*;

    fn models() -> RegisteredModels {
        let coder = RegisteredModel {
            versions: [(1, "coder@1".to_owned()), (2, "coder@2".to_owned())].into(),
            production: vec![(1_000, Some(1)), (2_000, Some(2))],
            candidate: Vec::new(),
        };
        RegisteredModels::from([("coder".to_owned(), coder)])
    }

    fn told(alias: &str) -> String {
        let error = follow(&models(), alias, None).unwrap_err();
        format!("{error}\n{}", error.hint())
    }

    #[test]
    fn a_task_goes_by_what_held_when_it_was_accepted() {
        let at = |unix_ms| {
            let task = TaskId::new(unix_ms, &SeededSource::from_seed(1));
            follow(&models(), "@coder", Some(task)).unwrap()
        };
        assert_eq!([at(1_999), at(2_000)], ["coder@1", "coder@2"]);
        assert_eq!(follow(&models(), "@coder", None).unwrap(), "coder@2");
        assert_eq!(follow(&models(), "@coder:1", None).unwrap(), "coder@1");
    }

    #[test]
    fn an_unknown_alias_is_told_with_the_known_ones() {
        assert_snapshot!(told("@codr"), @r#"
        find model "@codr": the registered models are @coder
        Did you mean @coder?
        "#);
        assert_snapshot!(told("@coder:9"), @r#"
        find model "@coder:9": the model has versions 1, 2; in production 2, newest candidate none
        See its versions: playhouse models versions coder
        "#);
        assert_snapshot!(told("@coder:best").lines().next().unwrap(), @r#"find model "@coder:best": this is no alias of a registered model"#);
        let none = follow(&RegisteredModels::new(), "@x", None).unwrap_err();
        assert_snapshot!(none, @r#"find model "@x": no model is registered"#);
    }
}
