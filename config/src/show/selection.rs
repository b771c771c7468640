//! Which model answers what.

use std::collections::BTreeMap;

use super::{NANO, ms};
use crate::raw::{
    RawAb, RawConstraints, RawDemotion, RawHarmful, RawPreference, RawSelection, RawWeight, RawWeights,
};
use crate::settings::{AbConfig, ConstraintsConfig, HarmfulArm, Preference, SelectionConfig};

pub(super) fn selection(selection: &SelectionConfig) -> RawSelection {
    let by_task = selection.by_task.iter().map(|(task, name)| (task.clone(), Some(name.clone())));
    let split = selection.split.iter().map(|(task, shares)| (task.clone(), Some(weights(shares))));
    let tests = selection.ab.iter().map(|(task, test)| (task.clone(), Some(ab(test))));
    let fit = selection.constraints.iter().map(|(task, fit)| (task.clone(), Some(constraints(fit))));
    let demotion = selection.demotion;
    RawSelection {
        default: Some(selection.default.clone()),
        by_task: Some(by_task.collect()),
        split: (!selection.split.is_empty()).then(|| split.collect()),
        ab: (!selection.ab.is_empty()).then(|| tests.collect()),
        constraints: (!selection.constraints.is_empty()).then(|| fit.collect()),
        demotion: Some(RawDemotion {
            error_ratio_max: Some(demotion.error_ratio_max),
            latency_factor_max: Some(demotion.latency_factor_max),
            calls: Some(demotion.calls),
            duration_ms: Some(ms(demotion.duration)),
        }),
    }
}

fn weights(shares: &BTreeMap<String, u32>) -> RawWeights {
    shares.iter().map(|(name, weight)| (name.clone(), Some(RawWeight(*weight)))).collect()
}

fn ab(test: &AbConfig) -> RawAb {
    RawAb {
        baseline: Some(test.baseline.clone()),
        false_winners: Some(test.false_winners),
        harmful: Some(match test.harmful {
            HarmfulArm::Stop => RawHarmful::Stop,
            HarmfulArm::Tell => RawHarmful::Tell,
        }),
        outcomes_min: Some(test.outcomes_min),
    }
}

fn constraints(fit: &ConstraintsConfig) -> RawConstraints {
    RawConstraints {
        among: (!fit.among.is_empty()).then(|| fit.among.clone()),
        context_tokens_min: fit.context_tokens_min,
        latency_max_ms: fit.latency_max.map(ms),
        cost_usd_max: fit.cost_nano_usd_max.map(|nano| nano as f64 / NANO),
        quality_min: fit.quality_min,
        prefer: Some(match fit.prefer {
            Preference::Quality => RawPreference::Quality,
            Preference::Cost => RawPreference::Cost,
            Preference::Latency => RawPreference::Latency,
        }),
    }
}
