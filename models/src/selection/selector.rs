//! The rules that choose a model.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use playhouse_config::RegisteredModels;
use playhouse_config::settings::{ConstraintsConfig, Preference, SelectionConfig};

use super::{
    AliasTable, Candidate, Check, Explanation, FollowedAlias, Measured, Measurements, ModelFacts, ModelWish,
    NoModelFits, PassedOver, Rule, Selection, SelectionError, SelectionReason, UnknownAlias, follow,
    is_alias, split,
};

/// Chooses models. Pure: it knows the settings, and is handed what was measured.
///
/// The first rule that applies chooses: the model that the request names; a share of a split; the best of those that fulfil
/// constraints; the one that the settings name for the type of task; the default. A demoted model, and one that holds
/// too few tokens, is passed over when the rule has another one (for the last two: a fallback of the named one).
#[derive(Debug, Clone)]
pub struct ModelSelector {
    config: SelectionConfig,
    models: BTreeMap<String, ModelFacts>,
    aliases: Arc<AliasTable>,
}

/// Where the names of one choice lead: for the task that it is made for.
struct Names<'a> {
    registered: Arc<RegisteredModels>,
    wish: &'a ModelWish<'a>,
}

impl Names<'_> {
    /// The entry that a name means, and the alias where it is one.
    fn follow(&self, name: &str) -> Result<(String, Option<FollowedAlias>), UnknownAlias> {
        if !is_alias(name) {
            return Ok((name.to_owned(), None));
        }
        let model = follow(&self.registered, name, self.wish.task_id)?;
        Ok((model.clone(), Some(FollowedAlias { alias: name.to_owned(), model })))
    }

    /// The constraints with entries in the place of aliases, and the aliases. Versions of registered models are considered
    /// when they are named, and not because they are in the catalog.
    fn constraints(
        &self,
        constraints: &ConstraintsConfig,
        models: &BTreeMap<String, ModelFacts>,
    ) -> Result<(ConstraintsConfig, Vec<FollowedAlias>), UnknownAlias> {
        let mut followed = Vec::new();
        let mut among = Vec::new();
        for name in &constraints.among {
            let (model, alias) = self.follow(name)?;
            followed.extend(alias);
            among.push(model);
        }
        if among.is_empty() && !self.registered.is_empty() {
            let versions: BTreeSet<&String> =
                self.registered.values().flat_map(|model| model.versions.values()).collect();
            among = models.keys().filter(|name| !versions.contains(name)).cloned().collect();
        }
        Ok((ConstraintsConfig { among, ..constraints.clone() }, followed))
    }
}

/// A model that fulfils what is asked for.
struct Fit<'a> {
    model: &'a str,
    compared_nano_usd: u64,
    measured: Measured,
    /// Why it is passed over all the same, when others fit.
    health: Check,
}

impl ModelSelector {
    /// A selector for the models of a catalog.
    pub fn new(config: SelectionConfig, models: BTreeMap<String, ModelFacts>) -> Self {
        Self { config, models, aliases: Arc::default() }
    }

    /// The same with names of registered models.
    #[must_use]
    pub fn with_aliases(self, aliases: Arc<AliasTable>) -> Self {
        Self { aliases, ..self }
    }

    fn names<'a>(&self, wish: &'a ModelWish<'a>) -> Names<'a> {
        Names { registered: self.aliases.current(), wish }
    }

    /// The model for a task of this type that wishes nothing else.
    ///
    /// # Errors
    /// When no model fulfils the constraints that the settings name for the type, or an alias leads nowhere.
    pub fn select_by_task(
        &self,
        task_type: &str,
        measured: &dyn Measurements,
    ) -> Result<Selection, SelectionError> {
        self.select(&ModelWish::of(task_type), measured)
    }

    /// The best model that fulfils constraints, whatever the settings name for a type of task. `wish` tells the type of task
    /// that quality is judged for, and how long the prompt is.
    ///
    /// # Errors
    /// When none fulfils them: who comes nearest, and what would make it fit; or an alias leads nowhere.
    pub fn select_by_constraints(
        &self,
        constraints: &ConstraintsConfig,
        wish: &ModelWish<'_>,
        measured: &dyn Measurements,
    ) -> Result<Selection, SelectionError> {
        self.constrained(constraints, None, wish, measured)
    }

    /// The model for a wish. One that the wish names is taken as it is: whether it is in the catalog is for the caller to see.
    ///
    /// # Errors
    /// When no model fulfils the constraints that the settings name for the type of task, or an alias leads nowhere.
    pub fn select(
        &self,
        wish: &ModelWish<'_>,
        measured: &dyn Measurements,
    ) -> Result<Selection, SelectionError> {
        let task = wish.task_type;
        let names = self.names(wish);
        if let Some(model) = wish.model {
            let (model, alias) = names.follow(model)?;
            let reason = SelectionReason { rule: Rule::Requested, passed_over: Vec::new(), alias };
            return Ok(Selection { model, reason });
        }
        if let Some(arms) = self.config.split.get(task) {
            return Ok(self.share(arms, &names, measured)?);
        }
        if let Some(constraints) = self.config.constraints.get(task) {
            return self.constrained(constraints, Some(task), wish, measured);
        }
        let (named, rule) = match self.config.by_task.get(task) {
            Some(named) => (named, Rule::TaskType { task: task.to_owned() }),
            None => (&self.config.default, Rule::Default { task: task.to_owned() }),
        };
        let (named, alias) = names.follow(named)?;
        let fallbacks = self.models.get(&named).map_or(&[][..], |facts| &facts.fallbacks);
        let chain = std::iter::once(&named).chain(fallbacks).map(String::as_str);
        let (model, passed_over) = self.first_eligible(chain, wish, measured);
        let rule = if model == named { rule } else { Rule::Fallback { task: task.to_owned(), of: named } };
        Ok(Selection { model, reason: SelectionReason { rule, passed_over, alias } })
    }

    /// Why a wish leads where it does. `constraints`, where they are given, stand in the place of what the settings say.
    pub fn explain(
        &self,
        wish: &ModelWish<'_>,
        constraints: Option<&ConstraintsConfig>,
        measured: &dyn Measurements,
    ) -> Explanation {
        let outcome = match constraints {
            Some(constraints) if wish.model.is_none() => {
                self.select_by_constraints(constraints, wish, measured)
            }
            _ => self.select(wish, measured),
        };
        let chosen = outcome.as_ref().map(|selection| selection.model.as_str()).unwrap_or_default();
        let is_split = self.config.split.contains_key(wish.task_type);
        let of_task = || self.config.constraints.get(wish.task_type).filter(|_| !is_split);
        let constraints = constraints.or_else(of_task).cloned().unwrap_or_default();
        // One that leads nowhere is told by the outcome.
        let followed = self.names(wish).constraints(&constraints, &self.models);
        let constraints = followed.map_or(constraints, |(constraints, _)| constraints);
        let candidates = self.models.iter().map(|(name, facts)| {
            let seen = measured.measured(name, wish.task_type);
            let mut checks = checks(&constraints, facts, &seen);
            checks.extend(context_check(facts, wish));
            checks.extend(self.stopped_check(name, wish, measured));
            checks.push(Check::Health { demotion: measured.demotion(name) });
            Candidate {
                model: name.clone(),
                is_chosen: name == chosen,
                is_considered: is_considered(name, &constraints, &outcome),
                checks,
                measured: seen,
                compared_nano_usd: facts.compared_nano_usd(),
            }
        });
        Explanation { candidates: candidates.collect(), outcome }
    }

    /// What names of registered models lead to.
    pub fn aliases(&self) -> &AliasTable {
        &self.aliases
    }

    /// The settings that models are chosen by.
    pub fn config(&self) -> &SelectionConfig {
        &self.config
    }

    /// Every model that tasks of this type may lead to, by name. One for all but a split.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn reachable(
        &self,
        wish: &ModelWish<'_>,
        measured: &dyn Measurements,
    ) -> Result<Vec<String>, SelectionError> {
        match self.config.split.get(wish.task_type) {
            Some(arms) if wish.model.is_none() && wish.task_id.is_none() => {
                let names = self.names(wish);
                let mut models = Vec::new();
                let is_in = |arm: &&String| measured.stopped(wish.task_type, arm, None).is_none();
                let any = arms.keys().any(|arm| is_in(&arm));
                for arm in arms.keys().filter(|arm| !any || is_in(arm)) {
                    models.push(names.follow(arm)?.0);
                }
                Ok(models)
            }
            _ => Ok(vec![self.select(wish, measured)?.model]),
        }
    }

    /// That an entry is an arm of the split of its type of task and was taken out of it; `None` where it was not.
    fn stopped_check(&self, model: &str, wish: &ModelWish<'_>, measured: &dyn Measurements) -> Option<Check> {
        let arm = self.arm_of(wish, model).filter(|_| wish.model.is_none())?;
        let stopped = measured.stopped(wish.task_type, arm, wish.task_id);
        stopped.map(|reason| Check::Arm { stopped: Some(reason) })
    }

    /// The arm of the split of a type of task that an entry answers for, as the settings write it.
    pub(crate) fn arm_of(&self, wish: &ModelWish<'_>, model: &str) -> Option<&str> {
        let arms = self.config.split.get(wish.task_type)?;
        let names = self.names(wish);
        arms.keys().find(|arm| names.follow(arm).is_ok_and(|(entry, _)| entry == model)).map(String::as_str)
    }

    /// The arms of the split of a type of task, each with the entry that answers for it.
    pub(crate) fn arms(&self, wish: &ModelWish<'_>) -> Vec<(String, String)> {
        let names = self.names(wish);
        let arms = self.config.split.get(wish.task_type).into_iter().flat_map(BTreeMap::keys);
        arms.filter_map(|arm| Some((arm.clone(), names.follow(arm).ok()?.0))).collect()
    }

    /// A share of a split.
    fn share(
        &self,
        arms: &BTreeMap<String, u32>,
        names: &Names<'_>,
        measured: &dyn Measurements,
    ) -> Result<Selection, UnknownAlias> {
        let wish = names.wish;
        // Shares are drawn by the names of the settings, so that another version does not move the shares of others.
        let order = split::order(arms, wish.task_type, wish.task_id);
        let mut followed = Vec::with_capacity(order.len());
        for arm in order {
            let (model, alias) = names.follow(arm)?;
            followed.push((arm, model, alias));
        }
        let stopped = |arm: &str| measured.stopped(wish.task_type, arm, wish.task_id);
        let mut chain: Vec<_> = followed.iter().filter(|(arm, ..)| stopped(arm).is_none()).collect();
        if chain.is_empty() {
            // Somebody has to answer.
            chain = followed.iter().collect();
        }
        let chain = chain.into_iter().map(|(_, model, _)| model.as_str());
        let (model, lesser) = self.first_eligible(chain, wish, measured);
        let before = followed.iter().take_while(|(_, name, _)| *name != model);
        let passed_over = before.filter_map(|(arm, model, _)| {
            let unmet = vec![Check::Arm { stopped: Some(stopped(arm)?) }];
            Some(PassedOver { model: model.clone(), unmet })
        });
        let passed_over = passed_over.chain(lesser).collect();
        let arm = followed.into_iter().find(|(_, name, _)| *name == model);
        let (arm, alias) = arm.map(|(arm, _, alias)| (arm, alias)).unwrap_or_default();
        let rule = Rule::Split {
            task: wish.task_type.to_owned(),
            weight: arms.get(arm).copied().unwrap_or_default(),
            total: arms.values().map(|weight| u64::from(*weight)).sum(),
        };
        Ok(Selection { model, reason: SelectionReason { rule, passed_over, alias } })
    }

    /// The first of a chain that is not demoted and holds enough; the very first when there is none such.
    fn first_eligible<'a>(
        &self,
        chain: impl Iterator<Item = &'a str>,
        wish: &ModelWish<'_>,
        measured: &dyn Measurements,
    ) -> (String, Vec<PassedOver>) {
        let mut passed_over = Vec::new();
        for model in chain {
            let context = self.models.get(model).and_then(|facts| context_check(facts, wish));
            let health = Check::Health { demotion: measured.demotion(model) };
            let unmet: Vec<_> = context.into_iter().chain([health]).filter(|check| !check.passes()).collect();
            if unmet.is_empty() {
                return (model.to_owned(), passed_over);
            }
            passed_over.push(PassedOver { model: model.to_owned(), unmet });
        }
        let first =
            if passed_over.is_empty() { self.config.default.clone() } else { passed_over.remove(0).model };
        (first, passed_over)
    }

    /// The best of those that fulfil constraints.
    fn constrained(
        &self,
        constraints: &ConstraintsConfig,
        task: Option<&str>,
        wish: &ModelWish<'_>,
        measured: &dyn Measurements,
    ) -> Result<Selection, SelectionError> {
        let (constraints, followed) = self.names(wish).constraints(constraints, &self.models)?;
        let constraints = &constraints;
        let considered = || self.models.iter().filter(|(name, _)| is_among(constraints, name));
        let (mut fits, mut passed_over) = (Vec::new(), Vec::new());
        for (name, facts) in considered() {
            let seen = measured.measured(name, wish.task_type);
            let unmet: Vec<_> =
                checks(constraints, facts, &seen).into_iter().filter(|check| !check.passes()).collect();
            if unmet.is_empty() {
                let health = Check::Health { demotion: measured.demotion(name) };
                let compared_nano_usd = facts.compared_nano_usd();
                fits.push(Fit { model: name, compared_nano_usd, measured: seen, health });
            } else {
                passed_over.push(PassedOver { model: name.clone(), unmet });
            }
        }
        let considered = fits.len() + passed_over.len();
        if fits.is_empty() {
            let nearest = nearest(passed_over).map(|nearest| (nearest.model, nearest.unmet));
            return Err(NoModelFits { task: task.map(str::to_owned), considered, nearest }.into());
        }
        let fit = fits.len();
        // What is only estimated or passes with time decides among those that fit, and shuts nobody out.
        let too_small = |fit: &Fit<'_>| {
            self.models
                .get(fit.model)
                .and_then(|facts| context_check(facts, wish))
                .filter(|check| !check.passes())
        };
        fits.sort_by(|a, b| {
            let soft = |fit: &Fit<'_>| (too_small(fit).is_some(), !fit.health.passes());
            soft(a).cmp(&soft(b)).then_with(|| better(constraints.prefer, a, b))
        });
        let mut fits = fits.into_iter();
        let chosen = fits.next().map(|fit| fit.model.to_owned()).unwrap_or_default();
        let lesser = fits.map(|fit| {
            let unmet = too_small(&fit).into_iter().chain([fit.health]).filter(|check| !check.passes());
            PassedOver { model: fit.model.to_owned(), unmet: unmet.collect() }
        });
        let passed_over = lesser.chain(passed_over).collect();
        let rule =
            Rule::Constraints { task: task.map(str::to_owned), prefer: constraints.prefer, fit, considered };
        let alias = followed.into_iter().find(|followed| followed.model == chosen);
        Ok(Selection { model: chosen, reason: SelectionReason { rule, passed_over, alias } })
    }
}

fn is_among(constraints: &ConstraintsConfig, model: &str) -> bool {
    constraints.among.is_empty() || constraints.among.iter().any(|name| name == model)
}

/// Whether a choice looked at a model.
fn is_considered(
    model: &str,
    constraints: &ConstraintsConfig,
    outcome: &Result<Selection, SelectionError>,
) -> bool {
    match outcome {
        Err(_) => is_among(constraints, model),
        Ok(Selection { model: chosen, reason }) => {
            chosen == model || reason.passed_over.iter().any(|passed_over| passed_over.model == model)
        }
    }
}

/// What the constraints ask of a model.
fn checks(constraints: &ConstraintsConfig, facts: &ModelFacts, measured: &Measured) -> Vec<Check> {
    let context =
        constraints.context_tokens_min.map(|needed| Check::Context { holds: facts.context_tokens, needed });
    let latency = constraints.latency_max.map(|max| Check::Latency { p95: measured.p95, max });
    let cost = constraints
        .cost_nano_usd_max
        .map(|max_nano_usd| Check::Cost { nano_usd: facts.compared_nano_usd(), max_nano_usd });
    let quality = constraints.quality_min.map(|min| Check::Quality { quality: measured.quality, min });
    [context, latency, cost, quality].into_iter().flatten().collect()
}

/// What the wish itself asks of a model. One whose file has to be read for it is not passed over.
fn context_check(facts: &ModelFacts, wish: &ModelWish<'_>) -> Option<Check> {
    let (holds, needed) = (facts.context_tokens?, wish.context_tokens?);
    Some(Check::Context { holds: Some(holds), needed })
}

/// The model that lacks least: the fewest things, then the least of them.
fn nearest(unfit: Vec<PassedOver>) -> Option<PassedOver> {
    let lack = |model: &PassedOver| -> f64 { model.unmet.iter().map(Check::shortfall).sum() };
    unfit
        .into_iter()
        .min_by(|a, b| a.unmet.len().cmp(&b.unmet.len()).then_with(|| lack(a).total_cmp(&lack(b))))
}

/// Which of two models comes first. What is not known comes last.
fn better(prefer: Preference, a: &Fit<'_>, b: &Fit<'_>) -> Ordering {
    let quality = || {
        let known = |fit: &Fit<'_>| fit.measured.quality.unwrap_or(-1.0);
        known(b).total_cmp(&known(a))
    };
    let cost = || a.compared_nano_usd.cmp(&b.compared_nano_usd);
    let latency = || {
        let known = |fit: &Fit<'_>| (fit.measured.p95.is_none(), fit.measured.p95);
        known(a).cmp(&known(b))
    };
    let order = match prefer {
        Preference::Quality => quality().then_with(cost).then_with(latency),
        Preference::Cost => cost().then_with(quality).then_with(latency),
        Preference::Latency => latency().then_with(cost).then_with(quality),
    };
    order.then_with(|| a.model.cmp(b.model))
}

#[cfg(test)]
mod tests;
