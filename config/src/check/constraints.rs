//! What a model must fulfil to be chosen, and whether any can.

use std::collections::BTreeMap;
use std::time::Duration;

use super::budgets::{NANO, nano_usd};
use super::check_names;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::{RawConstraints, RawPreference};
use crate::report::Report;
use crate::settings::{
    BUILT_IN_CONTEXT_TOKENS, BUILT_IN_MODELS, ConstraintsConfig, LocalSource, ModelConfig, Preference,
    ProviderConfig,
};

/// Tokens of prompt and of answer in the call whose price is bounded.
const PRICED_TOKENS: u64 = 1_000;

type Models = BTreeMap<String, ModelConfig>;

pub(super) fn check(
    raw: RawConstraints,
    models: &Models,
    path: &KeyPath,
    report: &mut Report,
) -> ConstraintsConfig {
    let among = raw.among.unwrap_or_default();
    check_names(&among, models, &path.child("among"), report);
    let constraints = ConstraintsConfig {
        among,
        context_tokens_min: raw.context_tokens_min,
        latency_max: raw.latency_max_ms.map(Duration::from_millis),
        cost_nano_usd_max: raw.cost_usd_max.map(|usd| nano_usd(usd, &path.child("cost_usd_max"), report)),
        quality_min: raw.quality_min,
        prefer: match raw.prefer {
            None | Some(RawPreference::Quality) => Preference::Quality,
            Some(RawPreference::Cost) => Preference::Cost,
            Some(RawPreference::Latency) => Preference::Latency,
        },
    };
    check_possible(&constraints, models, path, report);
    constraints
}

/// A model and what it lacks, as far as that is known without asking it. What it is measured at, its time and its
/// quality, may change; its context and its price do not.
struct Shortfall<'a> {
    name: &'a str,
    /// What it holds, where that is too little.
    context_tokens: Option<u32>,
    /// What the call costs, where that is too much.
    cost_nano_usd: Option<u64>,
}

impl<'a> Shortfall<'a> {
    fn of(name: &'a str, entry: &ModelConfig, wanted: &ConstraintsConfig) -> Self {
        let price = entry.price;
        let cost = price.prompt_nano_usd_per_token.saturating_add(price.completion_nano_usd_per_token);
        let cost = cost.saturating_mul(PRICED_TOKENS);
        Self {
            name,
            context_tokens: context_tokens(entry)
                .filter(|held| wanted.context_tokens_min.is_some_and(|least| *held < least)),
            cost_nano_usd: Some(cost)
                .filter(|cost| wanted.cost_nano_usd_max.is_some_and(|most| *cost > most)),
        }
    }

    const fn is_none(&self) -> bool {
        self.context_tokens.is_none() && self.cost_nano_usd.is_none()
    }

    /// The fewer constraints are missed the better, then by the larger context, then by the lower price.
    fn distance(&self) -> (usize, u32, u64) {
        let missed = usize::from(self.context_tokens.is_some()) + usize::from(self.cost_nano_usd.is_some());
        let context = self.context_tokens.map_or(0, |held| u32::MAX - held);
        (missed, context, self.cost_nano_usd.unwrap_or_default())
    }

    /// What it has, and what would have to be written for it.
    fn hint(&self) -> String {
        let mut has = Vec::new();
        let mut write = Vec::new();
        if let Some(held) = self.context_tokens {
            has.push(format!("holds {held} tokens"));
            write.push(format!("`context_tokens_min: {held}`"));
        }
        if let Some(cost) = self.cost_nano_usd {
            let usd = cost as f64 / NANO;
            has.push(format!("costs {usd} US dollars for {PRICED_TOKENS} tokens of prompt and of answer"));
            write.push(format!("`cost_usd_max: {usd}`"));
        }
        let (has, write) = (has.join(" and "), write.join(" and "));
        format!("`{}` comes nearest: it {has}; write {write}, or add a model that fulfils it", self.name)
    }
}

/// Constraints that no model of the catalog can ever fulfil are a mistake.
fn check_possible(wanted: &ConstraintsConfig, models: &Models, path: &KeyPath, report: &mut Report) {
    let considered = |name: &String| wanted.among.is_empty() || wanted.among.contains(name);
    let shortfalls = models.iter().filter(|(name, _)| considered(name));
    let shortfalls: Vec<_> = shortfalls.map(|(name, entry)| Shortfall::of(name, entry, wanted)).collect();
    if shortfalls.iter().any(Shortfall::is_none) {
        return;
    }
    let Some(nearest) = shortfalls.iter().min_by_key(|shortfall| shortfall.distance()) else { return };
    let of = if wanted.among.is_empty() { "the catalog" } else { "`among`" };
    let error = ConfigError::new(ConfigErrorKind::Conflict, format!("no model of {of} can fulfil this"));
    report.value(path, error.with_hint(nearest.hint()));
}

/// The context as far as the settings tell; `None` where only the model itself does.
fn context_tokens(entry: &ModelConfig) -> Option<u32> {
    entry.context_tokens.or_else(|| match &entry.provider {
        ProviderConfig::Local(local) => match &local.source {
            LocalSource::Known(known) => {
                let at = BUILT_IN_MODELS.iter().position(|name| name == known)?;
                BUILT_IN_CONTEXT_TOKENS.get(at).copied()
            }
            LocalSource::File(_) => None,
        },
        ProviderConfig::OpenAi(_)
        | ProviderConfig::Anthropic(_)
        | ProviderConfig::Ollama(_)
        | ProviderConfig::Scripted { .. } => None,
    })
}
