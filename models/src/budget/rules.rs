//! The books of a day: who used what, and whether a call still fits. Pure: the time is handed in.

use std::collections::BTreeMap;
use std::time::Duration;

use playhouse_config::settings::{BudgetsConfig, UsageLimits};
use playhouse_protocol::usage::BudgetLimit;
use playhouse_protocol::{Budget, TenantId, Usage};

use super::error::{BudgetExceeded, BudgetScope};

/// Tenants whose use is kept apart in a day. The names come from whoever submits tasks, so they are bounded: further
/// tenants share one account, which holds them together to what one may use. An account takes about 200 bytes.
pub const TENANTS_MAX: usize = 10_000;

/// A day in milliseconds; UTC as computers count it has no others.
const DAY_MS: u64 = 86_400_000;

/// What was used of a budget today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// What may be used.
    pub limits: UsageLimits,
    /// What was used.
    pub used: Usage,
    /// What is set aside for calls that have not ended.
    pub reserved: Usage,
}

impl Account {
    /// Tokens that a further call may use; `None` without a limit.
    pub fn tokens_left(&self) -> Option<u64> {
        Some(self.limits.tokens_max?.saturating_sub(self.open().total_tokens()))
    }

    /// Money that a further call may use, in billionths of a US dollar; `None` without a limit.
    pub fn cost_nano_usd_left(&self) -> Option<u64> {
        Some(self.limits.cost_nano_usd_max?.saturating_sub(self.open().cost_nano_usd))
    }

    /// What was used and what is set aside.
    fn open(&self) -> Usage {
        let mut open = self.used;
        open += self.reserved;
        open
    }
}

/// What is set aside or settled in the books of one day.
#[derive(Debug, Default)]
struct Spent {
    used: Usage,
    reserved: Usage,
}

/// The books of the day that runs.
#[derive(Debug)]
pub(super) struct Books {
    limits: BudgetsConfig,
    /// Days since 1970.
    day: u64,
    all: Spent,
    tenants: BTreeMap<TenantId, Spent>,
    /// Of those for whom there was no place.
    others: Spent,
}

impl Books {
    pub(super) fn new(limits: BudgetsConfig, now_unix_ms: u64) -> Self {
        let day = now_unix_ms / DAY_MS;
        Self { limits, day, all: Spent::default(), tenants: BTreeMap::new(), others: Spent::default() }
    }

    /// When the day that runs began, in milliseconds since 1970.
    pub(super) const fn day_began_unix_ms(&self) -> u64 {
        self.day * DAY_MS
    }

    /// Whether a tenant's calls can be refused at all: where not, nobody needs to count their prompts.
    pub(super) fn is_limited(&self, tenant: &TenantId) -> bool {
        let none = UsageLimits::default();
        self.limits.day != none || *self.tenant_limits(tenant) != none
    }

    /// Counts what was used today before these books were opened.
    pub(super) fn add_used(&mut self, tenant: &TenantId, used: Usage) {
        self.all.used += used;
        self.of(tenant).used += used;
    }

    /// Sets `planned` aside. Returns the day that it counts to.
    pub(super) fn reserve(
        &mut self,
        now_unix_ms: u64,
        tenant: &TenantId,
        planned: Usage,
    ) -> Result<u64, BudgetExceeded> {
        self.turn_to(now_unix_ms);
        let ends_in = Duration::from_millis((self.day_began_unix_ms() + DAY_MS).saturating_sub(now_unix_ms));
        for (scope, account) in
            [(BudgetScope::Tenant(tenant.clone()), self.tenant(tenant)), (BudgetScope::Day, self.all())]
        {
            check(&account, &planned, scope, ends_in)?;
        }
        self.all.reserved += planned;
        self.of(tenant).reserved += planned;
        Ok(self.day)
    }

    /// Replaces what was set aside on `day` by what was used. A day that is over has no books any more.
    pub(super) fn settle(&mut self, day: u64, tenant: &TenantId, planned: &Usage, used: Usage) {
        if day != self.day {
            return;
        }
        let settle = |spent: &mut Spent| {
            spent.reserved = spent.reserved.since(planned);
            spent.used += used;
        };
        settle(&mut self.all);
        settle(self.of(tenant));
    }

    /// Opens new books when another day has come. A clock that is set back by up to a day does not open the old books
    /// again, which would be empty; one that is set back further was wrong before.
    pub(super) fn turn_to(&mut self, now_unix_ms: u64) {
        let today = now_unix_ms / DAY_MS;
        if today > self.day || today + 1 < self.day {
            *self = Self::new(std::mem::take(&mut self.limits), now_unix_ms);
        }
    }

    /// The account of all tenants together.
    pub(super) const fn all(&self) -> Account {
        Account { limits: self.limits.day, used: self.all.used, reserved: self.all.reserved }
    }

    /// The account of a tenant.
    pub(super) fn tenant(&self, tenant: &TenantId) -> Account {
        let none = Spent::default();
        let spent = match self.tenants.get(tenant) {
            Some(spent) => spent,
            None if self.has_place(tenant) => &none,
            None => &self.others,
        };
        Account { limits: *self.tenant_limits(tenant), used: spent.used, reserved: spent.reserved }
    }

    /// Every tenant that used something today or has a limit of its own, by name.
    pub(super) fn tenants(&self) -> Vec<(TenantId, Account)> {
        let named = self.limits.tenants.keys().filter_map(|name| TenantId::try_from(name.clone()).ok());
        let mut names: Vec<_> = named.chain(self.tenants.keys().cloned()).collect();
        names.sort();
        names.dedup();
        names.into_iter().map(|name| (name.clone(), self.tenant(&name))).collect()
    }

    pub(super) const fn limits(&self) -> &BudgetsConfig {
        &self.limits
    }

    fn tenant_limits(&self, tenant: &TenantId) -> &UsageLimits {
        self.limits.tenants.get(tenant.as_str()).unwrap_or(&self.limits.tenant_day)
    }

    /// Those with a limit of their own always have one.
    fn has_place(&self, tenant: &TenantId) -> bool {
        self.tenants.len() < TENANTS_MAX || self.limits.tenants.contains_key(tenant.as_str())
    }

    fn of(&mut self, tenant: &TenantId) -> &mut Spent {
        if !self.tenants.contains_key(tenant) && !self.has_place(tenant) {
            return &mut self.others;
        }
        self.tenants.entry(tenant.clone()).or_default()
    }
}

fn check(
    account: &Account,
    planned: &Usage,
    scope: BudgetScope,
    ends_in: Duration,
) -> Result<(), BudgetExceeded> {
    let UsageLimits { tokens_max, cost_nano_usd_max } = account.limits;
    let budget = Budget { tokens_max, cost_nano_usd_max, model_calls_max: None };
    let open = account.open();
    let Some(which) = budget.exceeded_by(&open, planned) else { return Ok(()) };
    let (used, planned, limit) = match which {
        BudgetLimit::Cost => (open.cost_nano_usd, planned.cost_nano_usd, cost_nano_usd_max),
        BudgetLimit::Tokens | BudgetLimit::ModelCalls => {
            (open.total_tokens(), planned.total_tokens(), tokens_max)
        }
    };
    let limit = limit.unwrap_or_default();
    Err(BudgetExceeded { scope, which, used, planned, limit, ends_in: Some(ends_in) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::try_from(name.to_owned()).unwrap()
    }

    fn usage(tokens: u64, cost_nano_usd: u64) -> Usage {
        Usage { model_calls: 1, prompt_tokens: tokens, cost_nano_usd, ..Usage::default() }
    }

    fn tokens_max(tokens: u64) -> UsageLimits {
        UsageLimits { tokens_max: Some(tokens), cost_nano_usd_max: None }
    }

    fn limits() -> BudgetsConfig {
        BudgetsConfig {
            day: UsageLimits { tokens_max: Some(100), cost_nano_usd_max: Some(50) },
            tenant_day: tokens_max(40),
            tenants: [("big".to_owned(), tokens_max(90))].into(),
            ..BudgetsConfig::default()
        }
    }

    #[test]
    fn a_spent_budget_tells_whose_it_is_what_is_left_and_when_the_day_ends() {
        let mut books = Books::new(limits(), 0);
        let acme = tenant("acme");
        books.reserve(1_000, &acme, usage(30, 0)).unwrap();
        let error = books.reserve(DAY_MS - 5, &acme, usage(11, 0)).unwrap_err();
        assert_eq!((error.scope.clone(), error.left()), (BudgetScope::Tenant(acme), 10));
        assert_eq!(error.ends_in, Some(Duration::from_millis(5)));
        assert_eq!(
            error.to_string(),
            "stay within the day's budget of tenant acme: the number of tokens would be exceeded (30 used, 11 planned, 40 allowed)"
        );
        let error = books.reserve(2_000, &tenant("big"), usage(71, 0)).unwrap_err();
        assert_eq!((error.left(), error.scope), (70, BudgetScope::Day));
        let error = books.reserve(2_000, &tenant("big"), usage(1, 51)).unwrap_err();
        assert_eq!((error.which, error.limit), (BudgetLimit::Cost, 50));
    }

    #[test]
    fn an_answer_after_midnight_counts_to_the_day_of_its_question() {
        let mut books = Books::new(limits(), 0);
        let acme = tenant("acme");
        let day = books.reserve(DAY_MS - 1, &acme, usage(40, 0)).unwrap();
        books.reserve(DAY_MS, &acme, usage(40, 0)).unwrap();
        books.settle(day, &acme, &usage(40, 0), usage(40, 0));
        let today = books.tenant(&acme);
        assert_eq!((today.used, today.reserved.total_tokens()), (Usage::default(), 40));
    }

    #[test]
    fn a_clock_that_is_set_back_over_midnight_opens_no_fresh_budget() {
        let mut books = Books::new(limits(), DAY_MS);
        let acme = tenant("acme");
        books.reserve(DAY_MS, &acme, usage(40, 0)).unwrap();
        assert!(books.reserve(DAY_MS - 1, &acme, usage(1, 0)).is_err());
        assert!(books.reserve(DAY_MS + 1, &acme, usage(1, 0)).is_err());
        // A clock that was a month ahead.
        let mut books = Books::new(limits(), 30 * DAY_MS);
        books.reserve(30 * DAY_MS, &acme, usage(40, 0)).unwrap();
        assert!(books.reserve(DAY_MS, &acme, usage(1, 0)).is_ok());
    }

    #[test]
    fn tenants_past_the_bound_share_an_account_and_go_at_midnight() {
        let mut books = Books::new(BudgetsConfig { day: UsageLimits::default(), ..limits() }, 0);
        for number in 0..TENANTS_MAX {
            books.reserve(0, &tenant(&format!("t{number}")), usage(40, 0)).unwrap();
        }
        books.reserve(0, &tenant("late"), usage(30, 0)).unwrap();
        assert!(books.reserve(0, &tenant("later"), usage(11, 0)).is_err(), "they share one budget");
        assert!(books.reserve(0, &tenant("big"), usage(90, 0)).is_ok(), "a limit of its own is kept apart");
        assert_eq!(books.tenants().len(), TENANTS_MAX + 1);
        books.turn_to(DAY_MS);
        assert_eq!(books.tenants().len(), 1);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Reserve { tenant: usize, tokens: u64, cost: u64 },
        Settle { which: usize, tokens: u64, cost: u64 },
        GiveBack { which: usize },
        Wait { ms: u64 },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let amounts = || (0..60_u64, 0..30_u64);
        let step = prop_oneof![
            4 => (0..4_usize, amounts())
                .prop_map(|(tenant, (tokens, cost))| Step::Reserve { tenant, tokens, cost }),
            3 => (any::<usize>(), amounts())
                .prop_map(|(which, (tokens, cost))| Step::Settle { which, tokens, cost }),
            2 => any::<usize>().prop_map(|which| Step::GiveBack { which }),
            1 => (0..DAY_MS).prop_map(|ms| Step::Wait { ms }),
        ];
        prop::collection::vec(step, 0..80)
    }

    /// A call as the model of the books remembers it: everything, for ever.
    struct Call {
        day: u64,
        tenant: usize,
        planned: Usage,
        /// What counts of it: what was planned while it is open, then what it used.
        counts: Usage,
        open: bool,
    }

    proptest! {
        #[test]
        fn the_books_say_what_adding_up_all_calls_says(steps in steps()) {
            let names = ["acme", "big", "c", "d"].map(tenant);
            let config = limits();
            let mut books = Books::new(config.clone(), 0);
            let mut calls: Vec<Call> = Vec::new();
            let mut now = 0_u64;
            for step in steps {
                let day = now / DAY_MS;
                let sum = |of: Option<usize>, calls: &[Call]| {
                    let mut sum = Usage::default();
                    calls.iter().filter(|call| call.day == day && of.is_none_or(|of| call.tenant == of))
                        .for_each(|call| sum += call.counts);
                    sum
                };
                match step {
                    Step::Reserve { tenant, tokens, cost } => {
                        let planned = usage(tokens, cost);
                        let own = if tenant == 1 { 90 } else { 40 };
                        let (mut mine, mut all) = (sum(Some(tenant), &calls), sum(None, &calls));
                        mine += planned;
                        all += planned;
                        let fits = mine.total_tokens() <= own
                            && all.total_tokens() <= 100
                            && all.cost_nano_usd <= 50;
                        let reserved = books.reserve(now, &names[tenant], planned);
                        prop_assert_eq!(reserved.is_ok(), fits, "{:?}", reserved);
                        if fits {
                            calls.push(Call { day, tenant, planned, counts: planned, open: true });
                        }
                    }
                    Step::Settle { which, .. } | Step::GiveBack { which } => {
                        let mut open: Vec<_> = calls.iter_mut().filter(|call| call.open).collect();
                        if open.is_empty() {
                            continue;
                        }
                        let at = which % open.len();
                        let call = &mut open[at];
                        let used = match step {
                            Step::Settle { tokens, cost, .. } => usage(tokens, cost),
                            _ => Usage::default(),
                        };
                        books.settle(call.day, &names[call.tenant], &call.planned, used);
                        (call.counts, call.open) = (used, false);
                    }
                    Step::Wait { ms } => {
                        now += ms;
                        books.turn_to(now);
                    }
                }
                let day = now / DAY_MS;
                let sum = |open: bool| {
                    let mut sum = Usage::default();
                    calls.iter().filter(|call| call.day == day && call.open == open)
                        .for_each(|call| sum += call.counts);
                    sum
                };
                let all = books.all();
                prop_assert_eq!((all.used, all.reserved), (sum(false), sum(true)));
            }
        }
    }
}
