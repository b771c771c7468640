//! The books of the day, shared by all tasks of a runtime.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use playhouse_config::settings::BudgetsConfig;
use playhouse_protocol::{Budget, TenantId, Usage, WallClock};

use super::error::BudgetExceeded;
use super::rules::{Account, Books};

/// What was used today, and what is left of it.
pub struct BudgetLedger {
    books: Mutex<Books>,
    clock: Arc<dyn WallClock>,
}

impl BudgetLedger {
    /// Opens the books of today, empty.
    pub fn new(limits: BudgetsConfig, clock: Arc<dyn WallClock>) -> Arc<Self> {
        let books = Mutex::new(Books::new(limits, clock.unix_ms()));
        Arc::new(Self { books, clock })
    }

    /// When today began, in milliseconds since 1970.
    pub fn day_began_unix_ms(&self) -> u64 {
        self.today().day_began_unix_ms()
    }

    /// Counts what a tenant used today before this ledger was made.
    pub fn add_used(&self, tenant: &TenantId, used: Usage) {
        self.today().add_used(tenant, used);
    }

    /// What a task may use: what its submitter says, and where that is nothing, what the settings say.
    pub fn task_budget(&self, asked: Budget) -> Budget {
        let default = self.today().limits().task;
        Budget {
            tokens_max: asked.tokens_max.or(default.tokens_max),
            cost_nano_usd_max: asked.cost_nano_usd_max.or(default.cost_nano_usd_max),
            model_calls_max: asked.model_calls_max,
        }
    }

    /// Whether calls of a tenant can be refused. Where not, they are counted all the same, and need no plan.
    pub fn is_limited(&self, tenant: &TenantId) -> bool {
        self.today().is_limited(tenant)
    }

    /// Sets `planned` aside before a call of `tenant`.
    ///
    /// # Errors
    /// When it does not fit with what was used and set aside today, by the tenant or by all together.
    pub fn reserve(
        self: &Arc<Self>,
        tenant: &TenantId,
        planned: Usage,
    ) -> Result<DayReservation, BudgetExceeded> {
        let now = self.clock.unix_ms();
        let day = self.books().reserve(now, tenant, planned)?;
        Ok(DayReservation {
            ledger: Arc::clone(self),
            day,
            tenant: tenant.clone(),
            planned,
            used: Usage::default(),
        })
    }

    /// What all tenants together used today.
    pub fn day(&self) -> Account {
        self.today().all()
    }

    /// What a tenant used today.
    pub fn tenant(&self, tenant: &TenantId) -> Account {
        self.today().tenant(tenant)
    }

    /// Every tenant that used something today or has a limit of its own, by name.
    pub fn tenants(&self) -> Vec<(TenantId, Account)> {
        self.today().tenants()
    }

    /// The tenants with a limit of their own: a set that the settings bound.
    pub fn named_tenants(&self) -> Vec<(TenantId, Account)> {
        let today = self.today();
        let names = today.limits().tenants.keys().filter_map(|name| TenantId::try_from(name.clone()).ok());
        names.map(|name| (name.clone(), today.tenant(&name))).collect()
    }

    /// The books of the day that it is now.
    fn today(&self) -> MutexGuard<'_, Books> {
        let now = self.clock.unix_ms();
        let mut books = self.books();
        books.turn_to(now);
        books
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for BudgetLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BudgetLedger").finish_non_exhaustive()
    }
}

/// A part of a day's budget that is set aside for one call; given back when dropped.
#[derive(Debug)]
#[must_use = "what is set aside is given back when this is dropped"]
pub struct DayReservation {
    ledger: Arc<BudgetLedger>,
    day: u64,
    tenant: TenantId,
    planned: Usage,
    used: Usage,
}

impl DayReservation {
    /// Replaces what was set aside by what was used.
    pub fn settle(mut self, used: Usage) {
        self.used = used;
    }
}

impl Drop for DayReservation {
    fn drop(&mut self) {
        self.ledger.books().settle(self.day, &self.tenant, &self.planned, self.used);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use playhouse_config::settings::UsageLimits;

    use super::*;

    #[derive(Debug, Default)]
    struct Hand(AtomicU64);

    impl WallClock for Hand {
        fn unix_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn tokens(prompt_tokens: u64) -> Usage {
        Usage { model_calls: 1, prompt_tokens, ..Usage::default() }
    }

    fn ledger() -> (Arc<BudgetLedger>, Arc<Hand>) {
        let limits = BudgetsConfig {
            task: UsageLimits { tokens_max: Some(7), cost_nano_usd_max: Some(9) },
            tenant_day: UsageLimits { tokens_max: Some(100), cost_nano_usd_max: None },
            ..BudgetsConfig::default()
        };
        let clock = Arc::new(Hand::default());
        (BudgetLedger::new(limits, Arc::clone(&clock) as _), clock)
    }

    #[test]
    fn what_is_set_aside_counts_until_it_is_settled_or_given_back() {
        let (ledger, _) = ledger();
        let tenant = TenantId::default();
        let first = ledger.reserve(&tenant, tokens(60)).unwrap();
        assert_eq!(ledger.tenant(&tenant).tokens_left(), Some(40));
        assert!(ledger.reserve(&tenant, tokens(41)).is_err());
        drop(first);
        ledger.reserve(&tenant, tokens(60)).unwrap().settle(tokens(10));
        let account = ledger.tenant(&tenant);
        assert_eq!(
            (account.used, account.reserved, account.tokens_left()),
            (tokens(10), Usage::default(), Some(90))
        );
        assert_eq!(ledger.day().used, tokens(10));
    }

    #[test]
    fn a_new_day_has_a_whole_budget_and_knows_nobody() {
        let (ledger, clock) = ledger();
        let tenant = TenantId::default();
        ledger.add_used(&tenant, tokens(100));
        assert!(ledger.reserve(&tenant, tokens(1)).is_err());
        clock.0.store(86_400_000, Ordering::Relaxed);
        assert!(ledger.tenants().is_empty());
        assert!(ledger.reserve(&tenant, tokens(100)).is_ok());
        assert_eq!(ledger.day_began_unix_ms(), 86_400_000);
    }

    #[test]
    fn the_settings_say_what_a_task_may_use_where_its_submitter_does_not() {
        let (ledger, _) = ledger();
        let asked = Budget { tokens_max: Some(1_000), model_calls_max: Some(2), ..Budget::default() };
        let expected =
            Budget { tokens_max: Some(1_000), cost_nano_usd_max: Some(9), model_calls_max: Some(2) };
        assert_eq!(ledger.task_budget(asked), expected);
    }
}
