//! Budgets of tasks, tenants and days.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use playhouse_runtime::Runtime;
use playhouse_runtime::config::Config;
use playhouse_runtime::config::settings::UsageLimits;
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{Budget, Failure, FailureClass, TenantId, Usage};
use playhouse_runtime::store::{MemoryStore, TaskStore};

use super::telling::{ANSWER_TOKENS, Listener, Tale, USED, open};

const DAY_MS: u64 = 86_400_000;

fn tokens(tokens: u64) -> UsageLimits {
    UsageLimits { tokens_max: Some(tokens), cost_nano_usd_max: None }
}

fn of(tenant: &str) -> TaskOptions {
    TaskOptions { tenant: TenantId::try_from(tenant.to_owned()).unwrap(), ..TaskOptions::default() }
}

/// A runtime at noon of the day `day`.
async fn at_noon(
    day: u64,
    tale: &Arc<Tale>,
    store: &Arc<dyn TaskStore>,
    change: impl FnOnce(&mut Config),
) -> Runtime {
    tale.unix_ms.store(day * DAY_MS + DAY_MS / 2, Ordering::SeqCst);
    open(tale, Arc::clone(store), change).await
}

async fn ask(runtime: &Runtime, options: TaskOptions) -> Result<Vec<String>, Failure> {
    runtime.run_with::<Listener>(1, options).await
}

fn used(runtime: &Runtime, options: &TaskOptions) -> Usage {
    runtime.budgets().tenant(&options.tenant).used
}

fn times(usage: Usage, count: u64) -> Usage {
    let mut sum = Usage::default();
    (0..count).for_each(|_| sum += usage);
    sum
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_day_is_spent_is_refused_until_midnight_and_others_are_not() {
    let tale = Tale::new();
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::default());
    // Room for one answer at its longest, behind one that was as long as it was.
    let limit = ANSWER_TOKENS + 2 * USED.total_tokens();
    let runtime = at_noon(7, &tale, &store, |config| {
        config.budgets.tenant_day = tokens(limit);
        config.budgets.tenants.insert("big".to_owned(), UsageLimits::default());
    })
    .await;
    let acme = of("acme");
    ask(&runtime, acme.clone()).await.unwrap();
    let refused = loop {
        if let Err(failure) = ask(&runtime, acme.clone()).await {
            break failure;
        }
    };
    assert_eq!(refused.class, FailureClass::Denied);
    assert!(refused.message.starts_with("stay within the day's budget of tenant acme: "), "{refused}");
    assert_eq!(refused.retry_after_ms, Some(DAY_MS / 2));
    assert!(refused.hint.unwrap().contains("budgets.tenants.acme"));
    let asked = tale.asked.load(Ordering::SeqCst) as u64;
    assert_eq!(used(&runtime, &acme), times(USED, asked), "what was refused was not asked");

    ask(&runtime, of("big")).await.unwrap();
    assert_eq!(runtime.budgets().day().used, times(USED, asked + 1));
    let text = runtime.metrics_text().await.unwrap();
    for line in [
        "playhouse_budget_refused_total{scope=\"tenant\"} 1".to_owned(),
        format!("playhouse_budget_tokens_used{{scope=\"day\",tenant=\"\"}} {}", 15 * (asked + 1)),
        "playhouse_budget_cost_nano_usd_used{scope=\"tenant\",tenant=\"big\"} 7".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("tenant=\"acme\""), "only tenants of the settings are labels");

    tale.unix_ms.store(8 * DAY_MS, Ordering::SeqCst);
    ask(&runtime, acme.clone()).await.unwrap();
    assert_eq!(used(&runtime, &acme), USED);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn all_tenants_together_stay_within_the_budget_of_the_day() {
    let tale = Tale::new();
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::default());
    let runtime = at_noon(7, &tale, &store, |config| config.budgets.day = tokens(ANSWER_TOKENS + 15)).await;
    ask(&runtime, of("a")).await.unwrap();
    let failure = ask(&runtime, of("b")).await.unwrap_err();
    assert!(failure.message.starts_with("stay within the day's budget: "), "{failure}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_used_today_is_known_to_the_next_process_and_yesterday_is_not() {
    let tale = Tale::new();
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::default());
    let acme = of("acme");
    let runtime = at_noon(6, &tale, &store, |_| {}).await;
    let yesterday = runtime.submit::<Listener>(1, acme.clone()).await.unwrap();
    yesterday.result().await.unwrap();
    runtime.shutdown_gracefully().await;

    let runtime = at_noon(7, &tale, &store, |_| {}).await;
    assert_eq!(used(&runtime, &acme), Usage::default());
    // An answered task of two questions, and one that is open with its first answered.
    runtime.submit::<Listener>(2, acme.clone()).await.unwrap().result().await.unwrap();
    tale.answers_max.store(4, Ordering::SeqCst);
    let open = runtime.submit::<Listener>(2, acme.clone()).await.unwrap();
    while runtime.store().steps(open.id()).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(used(&runtime, &acme), times(USED, 3));
    runtime.shutdown(std::time::Duration::ZERO).await;

    let runtime = at_noon(7, &tale, &store, |config| config.budgets.tenant_day = tokens(100)).await;
    assert_eq!(used(&runtime, &acme), times(USED, 3));
    assert_eq!(runtime.budgets().day().used, times(USED, 3));
    let refused = ask(&runtime, acme).await.unwrap_err();
    assert!(refused.message.starts_with("stay within the day's budget of tenant acme: "), "{refused}");
    runtime.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_says_nothing_has_the_budget_of_the_settings() {
    let tale = Tale::new();
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::default());
    let runtime = at_noon(7, &tale, &store, |config| config.budgets.task = tokens(ANSWER_TOKENS + 15)).await;
    let failure = runtime.run::<Listener>(2).await.unwrap_err();
    assert!(failure.message.starts_with("stay within the task's budget: "), "{failure}");
    assert_eq!(failure.retry_after_ms, None);
    let own = Budget { tokens_max: Some(1_000), ..Budget::default() };
    let options = TaskOptions { budget: own, ..TaskOptions::default() };
    assert!(runtime.run_with::<Listener>(2, options).await.is_ok());
    assert!(runtime.metrics_text().await.unwrap().contains("budget_refused_total{scope=\"task\"} 1"));
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_or_is_cancelled_gives_back_what_was_set_aside() {
    let tale = Tale::new();
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::default());
    let runtime = at_noon(7, &tale, &store, |config| config.budgets.day = tokens(1_000)).await;
    tale.is_broken.store(true, Ordering::SeqCst);
    assert!(ask(&runtime, of("acme")).await.is_err());
    let day = runtime.budgets().day();
    assert_eq!((day.used, day.reserved), (Usage::default(), Usage::default()));

    tale.is_broken.store(false, Ordering::SeqCst);
    tale.answers_max.store(0, Ordering::SeqCst);
    let task = runtime.submit::<Listener>(1, of("acme")).await.unwrap();
    while runtime.budgets().day().reserved == Usage::default() {
        tokio::task::yield_now().await;
    }
    assert_eq!(runtime.budgets().day().reserved.completion_tokens, ANSWER_TOKENS);
    assert!(runtime.cancel(task.id()).await.unwrap());
    let day = runtime.budgets().day();
    assert_eq!((day.used, day.reserved), (Usage::default(), Usage::default()));
    runtime.shutdown_gracefully().await;
}
