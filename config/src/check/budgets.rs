//! Budgets, and the reading of money.

use std::collections::BTreeMap;

use playhouse_protocol::TenantId;

use super::ms_or;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::{RawBudgets, RawRetryBudget, RawUsageLimits};
use crate::report::Report;
use crate::settings::{BudgetsConfig, RetryBudgetConfig, UsageLimits};

/// Billionths in a dollar.
pub(super) const NANO: f64 = 1e9;

pub(super) fn budgets(raw: RawBudgets, report: &mut Report) -> BudgetsConfig {
    let top = KeyPath::of(["budgets"]);
    let mut of =
        |raw: Option<RawUsageLimits>, key: &str| limits(&raw.unwrap_or_default(), &top.child(key), report);
    let (task, day, tenant_day) =
        (of(raw.task, "task"), of(raw.day, "day"), of(raw.tenant_day, "tenant_day"));
    let mut tenants = BTreeMap::new();
    for (name, raw) in raw.tenants.unwrap_or_default() {
        let path = top.child("tenants").child(&name);
        if let Err(failure) = TenantId::try_from(name.clone()) {
            let error = ConfigError::new(ConfigErrorKind::Invalid, "not a name for a tenant");
            // The hint is a sentence there and a fragment here.
            let hint = failure.hint.unwrap_or_default().replacen('U', "u", 1);
            report.key(&path, error.with_hint(hint.trim_end_matches('.')));
        }
        tenants.insert(name, limits(&raw.unwrap_or_default(), &path, report));
    }
    let budgets = BudgetsConfig { task, day, tenant_day, tenants };
    warn_of_limits_without_effect(&budgets, &top, report);
    budgets
}

fn limits(raw: &RawUsageLimits, path: &KeyPath, report: &mut Report) -> UsageLimits {
    UsageLimits {
        tokens_max: raw.tokens,
        cost_nano_usd_max: raw.usd.map(|usd| nano_usd(usd, &path.child("usd"), report)),
    }
}

/// A tenant that may use more than all together never comes so far.
fn warn_of_limits_without_effect(budgets: &BudgetsConfig, top: &KeyPath, report: &mut Report) {
    let named = budgets.tenants.iter().map(|(name, limits)| (top.child("tenants").child(name), limits));
    for (path, limits) in named.chain([(top.child("tenant_day"), &budgets.tenant_day)]) {
        let above = |most: Option<u64>, all: Option<u64>| matches!((most, all), (Some(most), Some(all)) if most > all);
        if above(limits.tokens_max, budgets.day.tokens_max) {
            report.warn(
                &path.child("tokens"),
                "it is more than all tenants together have",
                "raise `budgets.day`",
            );
        }
        if above(limits.cost_nano_usd_max, budgets.day.cost_nano_usd_max) {
            report.warn(
                &path.child("usd"),
                "it is more than all tenants together have",
                "raise `budgets.day`",
            );
        }
    }
}

/// Dollars as billionths, parts of a billionth rounded down, so that a limit never grows.
pub(crate) fn nano_usd(usd: f64, path: &KeyPath, report: &mut Report) -> u64 {
    let exact = usd * NANO;
    let rounded = exact.round();
    // Up to a million dollars, what binary fractions add to a decimal amount is below a quarter of a billionth.
    let whole = (exact - rounded).abs() <= exact * 4.0 * f64::EPSILON;
    let nano = if whole { rounded } else { exact.floor() };
    if !whole {
        let message = format!("{usd} is counted as {}", nano / NANO);
        report.warn(path, message, "money is counted in billionths of a dollar");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the schema's limits: 0 to 10^6 dollars"
    )]
    let nano = nano as u64;
    nano
}

pub(super) fn retry_budget(raw: &RawRetryBudget) -> RetryBudgetConfig {
    let default = RetryBudgetConfig::default();
    RetryBudgetConfig {
        ratio_max: raw.ratio_max.unwrap_or(default.ratio_max),
        free: raw.free.unwrap_or(default.free),
        window: ms_or(raw.window_ms, default.window),
    }
}
