use std::sync::Arc;
use std::time::Duration;

use playhouse_config::settings::{BudgetsConfig, UsageLimits};
use playhouse_models::observer::{ArmStanding, BreakerState, CacheStore, DriftKind, WaitedFor};
use playhouse_models::{BudgetLedger, BudgetScope, CallEvent, CallObserver as _};
use playhouse_protocol::{FailureClass, TenantId, Usage, WallClock};

use super::Meter;
use crate::model_actor::ModelCallEnded;

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_kind_and_outcome_with_their_time() {
    let meter = Meter::new().unwrap();
    meter.agent("review").begin().end(None);
    meter.agent("review").begin().end(Some(FailureClass::Deadline));
    let running = meter.agent("review").begin();
    tokio::time::advance(Duration::from_secs(3)).await;
    let text = meter.render();
    for line in [
        "playhouse_agent_requests_started_total{agent=\"review\"} 3",
        "playhouse_agent_requests_running{agent=\"review\"} 1",
        "playhouse_agent_requests_ended_total{agent=\"review\",outcome=\"ok\"} 1",
        "playhouse_agent_requests_ended_total{agent=\"review\",outcome=\"deadline\"} 1",
        "# TYPE playhouse_agent_request_duration_seconds histogram",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    drop(running);
    let text = meter.render();
    assert!(text.contains("outcome=\"cancelled\"} 1"), "a dropped request counts as cancelled\n{text}");
    assert!(text.contains("duration_seconds_bucket{agent=\"review\",le=\"5\"} 3"), "{text}");
    assert!(text.contains("duration_seconds_bucket{agent=\"review\",le=\"2.5\"} 2"), "{text}");
}

#[test]
fn every_metric_has_a_help_text_and_none_is_a_summary() {
    let meter = Meter::new().unwrap();
    meter.agent("review").begin().end(None);
    meter.run_upkeep();
    let text = meter.render();
    for line in text.lines().filter(|line| line.starts_with("# TYPE")) {
        let name = line.split_whitespace().nth(2).unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
        assert!(!line.ends_with("summary"), "{line}");
    }
}

/// One of every kind, with the lines that tell of it.
fn events() -> Vec<(CallEvent, &'static [&'static str])> {
    let half = Duration::from_millis(500);
    vec![
        (
            CallEvent::AttemptEnded { elapsed: half, failure: None },
            &[
                "attempts_total{model=\"m\",outcome=\"ok\"} 1",
                "attempt_duration_seconds_sum{model=\"m\"} 0.5",
            ],
        ),
        (
            CallEvent::AttemptEnded { elapsed: half, failure: Some(FailureClass::Retryable) },
            &["attempts_total{model=\"m\",outcome=\"retryable\"} 1"],
        ),
        (CallEvent::Retried { attempt: 1, wait: half }, &["retries_total{model=\"m\"} 1"]),
        (CallEvent::RetryBudgetSpent, &["retries_withheld_total{model=\"m\",reason=\"budget_spent\"} 1"]),
        (CallEvent::RetryFutile, &["retries_withheld_total{model=\"m\",reason=\"futile\"} 1"]),
        (CallEvent::Restarted, &["restarts_total{model=\"m\"} 1"]),
        (CallEvent::BreakerRefused, &["breaker_refused_total{model=\"m\"} 1"]),
        (
            CallEvent::Waited { what: WaitedFor::Concurrency, wait: half },
            &["wait_duration_seconds_count{model=\"m\",what=\"concurrency\"} 1"],
        ),
        (
            CallEvent::Waited { what: WaitedFor::Pacing, wait: half },
            &["wait_duration_seconds_sum{model=\"m\",what=\"pacing\"} 0.5"],
        ),
        (CallEvent::ConcurrencyChanged { limit: 17 }, &["concurrency_limit{model=\"m\"} 17"]),
        (
            CallEvent::TokensCompared { counted: 100, reported: 103 },
            &[
                "prompt_tokens_ratio_bucket{model=\"m\",le=\"1.02\"} 0",
                "prompt_tokens_ratio_bucket{model=\"m\",le=\"1.05\"} 1",
                "prompt_tokens_ratio_count{model=\"m\"} 1",
            ],
        ),
        (CallEvent::Hedged, &["hedges_total{model=\"m\"} 1"]),
        (CallEvent::HedgeWon, &["hedges_won_total{model=\"m\"} 1"]),
        (CallEvent::FellBack { to: "other".to_owned() }, &["fallbacks_total{model=\"m\",to=\"other\"} 1"]),
        (
            CallEvent::CacheHit { store: CacheStore::Redis },
            &[
                "cache_hits_total{model=\"m\",store=\"redis\"} 1",
                "cache_hits_total{model=\"m\",store=\"memory\"} 0",
            ],
        ),
        (CallEvent::CacheMiss, &["cache_misses_total{model=\"m\"} 1"]),
        (
            CallEvent::CacheBypassed { store: CacheStore::Memory },
            &["cache_bypassed_total{model=\"m\",store=\"memory\"} 1"],
        ),
        (
            CallEvent::Demoted { reason: "It fails.".to_owned() },
            &["demotions_total{model=\"m\"} 1", "demoted{model=\"m\"} 1"],
        ),
        (CallEvent::Restored, &["demoted{model=\"m\"} 0", "demotions_total{model=\"m\"} 1"]),
        (
            CallEvent::Drifted { what: DriftKind::Cost, task_type: None, reason: "It is dear.".to_owned() },
            &["drifts_total{model=\"m\",kind=\"cost\"} 1", "drifting{model=\"m\",kind=\"cost\"} 1"],
        ),
        (
            CallEvent::DriftEnded { what: DriftKind::Cost, task_type: None },
            &["drifts_total{model=\"m\",kind=\"cost\"} 1", "drifting{model=\"m\",kind=\"cost\"} 0"],
        ),
    ]
}

fn assert_lines(meter: &Meter, lines: &[&str]) {
    let text = meter.render();
    for line in lines {
        let line = format!("playhouse_model_{line}");
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn everything_that_happens_around_a_call_is_counted_by_model() {
    let meter = Meter::new().unwrap();
    for (event, lines) in events() {
        meter.observe("m", &event);
        assert_lines(&meter, lines);
    }
}

#[test]
fn a_breaker_is_in_one_state_and_its_changes_are_counted() {
    let meter = Meter::new().unwrap();
    meter.observe("m", &CallEvent::BreakerRefused);
    assert_lines(&meter, &["breaker_state{model=\"m\",state=\"closed\"} 1"]);
    for state in [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Open] {
        meter.observe("m", &CallEvent::BreakerChanged { state });
    }
    assert_lines(
        &meter,
        &[
            "breaker_state{model=\"m\",state=\"open\"} 1",
            "breaker_state{model=\"m\",state=\"half_open\"} 0",
            "breaker_state{model=\"m\",state=\"closed\"} 0",
            "breaker_changes_total{model=\"m\",state=\"open\"} 2",
            "breaker_changes_total{model=\"m\",state=\"half_open\"} 1",
        ],
    );
}

#[derive(Debug)]
struct Midnight;

impl WallClock for Midnight {
    fn unix_ms(&self) -> u64 {
        0
    }
}

fn ledger(day: UsageLimits) -> Arc<BudgetLedger> {
    let named = UsageLimits { tokens_max: Some(5), cost_nano_usd_max: None };
    let tenants = [("acme".to_owned(), named)].into();
    BudgetLedger::new(BudgetsConfig { day, tenants, ..BudgetsConfig::default() }, Arc::new(Midnight))
}

#[test]
fn budgets_are_told_when_they_are_read_and_by_tenant_only_where_the_settings_name_it() {
    let meter = Meter::new().unwrap();
    let ledger = ledger(UsageLimits::default());
    meter.watch_budgets(Arc::clone(&ledger));
    let used = Usage { prompt_tokens: 3, cost_nano_usd: 9, ..Usage::default() };
    for tenant in ["acme", "other"] {
        ledger.add_used(&TenantId::try_from(tenant.to_owned()).unwrap(), used);
    }
    let text = meter.render();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("playhouse_budget")).collect();
    let expected = [
        "playhouse_budget_cost_nano_usd_used{scope=\"day\",tenant=\"\"} 18",
        "playhouse_budget_cost_nano_usd_used{scope=\"tenant\",tenant=\"acme\"} 9",
        "playhouse_budget_tokens_limit{scope=\"tenant\",tenant=\"acme\"} 5",
        "playhouse_budget_tokens_used{scope=\"day\",tenant=\"\"} 6",
        "playhouse_budget_tokens_used{scope=\"tenant\",tenant=\"acme\"} 3",
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line} is not in {lines:?}");
    }
    assert_eq!(lines.len(), expected.len());
}

/// The names in a rule, each with the labels that stand behind it in braces.
fn metrics_of(rules: &str) -> Vec<(String, Vec<String>)> {
    let name_end = |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut found = Vec::new();
    for (at, _) in rules.match_indices("playhouse_") {
        let name = &rules[at..][..name_end(&rules[at..]).unwrap()];
        let behind = &rules[at + name.len()..];
        let labels = behind.strip_prefix('{').map_or("", |labels| labels.split('}').next().unwrap());
        let labels = labels.split(',').filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.split(['=', '!', '~']).next().unwrap().trim().to_owned());
        found.push((name.to_owned(), labels.collect()));
    }
    found
}

#[test]
fn alert_rules_name_metrics_and_labels_that_there_are() {
    let meter = Meter::new().unwrap();
    for (event, _) in events() {
        meter.observe("m", &event);
    }
    meter.model_call_ended(
        "m",
        &ModelCallEnded { elapsed: Duration::ZERO, usage: Usage::default(), failure: None },
    );
    let limits = UsageLimits { tokens_max: Some(10), cost_nano_usd_max: Some(10) };
    meter.watch_budgets(ledger(limits));
    meter.budget_refused(&BudgetScope::Day);
    let text = meter.render();
    let rules = metrics_of(include_str!("../../../deploy/alerts.yml"));
    assert!(!rules.is_empty());
    for (name, labels) in rules {
        let series = text
            .lines()
            .find(|line| line.strip_prefix(&name).is_some_and(|behind| behind.starts_with(['{', ' '])));
        let series = series.unwrap_or_else(|| panic!("there is no metric {name}"));
        for label in labels {
            assert!(series.contains(&format!("{label}=\"")), "{name} has no label {label}: {series}");
        }
    }
}

#[test]
fn arms_are_told_apart_by_task_type_and_are_no_models() {
    let meter = Meter::new().unwrap();
    let task_type = || "review".to_owned();
    let standing = ArmStanding { outcomes: 7, mean: Some(0.25), e_value: Some(30.5) };
    meter.observe("@coder", &CallEvent::ArmJudged { task_type: task_type(), standing });
    meter.observe(
        "@coder",
        &CallEvent::ArmStopped { task_type: task_type(), reason: "It is worse.".to_owned() },
    );
    let text = meter.render();
    for line in [
        "playhouse_ab_outcomes{task=\"review\",arm=\"@coder\"} 7",
        "playhouse_ab_outcome_mean{task=\"review\",arm=\"@coder\"} 0.25",
        "playhouse_ab_e_value{task=\"review\",arm=\"@coder\"} 30.5",
        "playhouse_ab_arm_stopped{task=\"review\",arm=\"@coder\"} 1",
        "playhouse_ab_arm_stops_total{task=\"review\",arm=\"@coder\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("model=\"@coder\""), "{text}");
    meter.observe("@coder", &CallEvent::ArmResumed { task_type: task_type() });
    assert!(meter.render().contains("playhouse_ab_arm_stopped{task=\"review\",arm=\"@coder\"} 0"));
}
