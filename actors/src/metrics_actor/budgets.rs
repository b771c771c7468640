//! What was used of the budgets of the day.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusRecorder;
use playhouse_models::budget::Account;
use playhouse_models::{BudgetLedger, BudgetScope};

use super::Meter;
use super::meter::{counter, gauge};
use super::names;

impl Meter {
    /// Tells what is used of a ledger's budgets from now on. A second ledger is ignored: a meter serves one runtime.
    pub fn watch_budgets(&self, ledger: Arc<BudgetLedger>) {
        // Set once; whoever comes later has no place.
        let _ = self.ledger.set(ledger);
    }

    /// Counts a call that a budget refused.
    pub fn budget_refused(&self, scope: &BudgetScope) {
        counter(&self.recorder, &names::BUDGET_REFUSED, &[("scope", scope.as_str())]).increment(1);
    }

    /// Gauges are set when they are read, so that they are right behind midnight too. Tenants are told apart only
    /// where the settings name them.
    pub(super) fn set_budgets(&self) {
        let Some(ledger) = self.ledger.get() else { return };
        set(&self.recorder, &[("scope", "day"), ("tenant", "")], &ledger.day());
        for (tenant, account) in ledger.named_tenants() {
            set(&self.recorder, &[("scope", "tenant"), ("tenant", tenant.as_str())], &account);
        }
    }
}

fn set(recorder: &PrometheusRecorder, labels: &[(&'static str, &str)], account: &Account) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a double; it is exact up to 9 million dollars"
    )]
    let set = |metric, value: u64| gauge(recorder, metric, labels).set(value as f64);
    set(&names::BUDGET_TOKENS_USED, account.used.total_tokens());
    set(&names::BUDGET_COST_USED, account.used.cost_nano_usd);
    if let Some(limit) = account.limits.tokens_max {
        set(&names::BUDGET_TOKENS_LIMIT, limit);
    }
    if let Some(limit) = account.limits.cost_nano_usd_max {
        set(&names::BUDGET_COST_LIMIT, limit);
    }
}
