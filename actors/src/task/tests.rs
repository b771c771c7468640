use std::sync::Arc;
use std::time::Duration;

use playhouse_models::{BudgetExceeded, BudgetScope};
use playhouse_protocol::event::{TaskEvent, TaskEventKind};
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::usage::BudgetLimit;
use playhouse_protocol::{Budget, SeededSource, TaskId, TenantId, Usage, WallClock};
use tokio_util::sync::CancellationToken;

use super::{EventLog, TOKEN_EVENTS_MAX, TaskScope, TaskScopeArgs};

#[derive(Debug)]
struct Noon;

impl WallClock for Noon {
    fn unix_ms(&self) -> u64 {
        1_795_000_000_000
    }
}

fn id() -> TaskId {
    TaskId::new(0, &SeededSource::from_seed(1))
}

fn tokens(text: &str) -> TaskEventKind {
    TaskEventKind::Tokens { step: 1, text: text.to_owned() }
}

fn finished() -> TaskEventKind {
    TaskEventKind::Finished { status: TaskStatus::Completed, usage: Usage::default(), failure: None }
}

async fn all(log: &Arc<EventLog>, after: u64) -> Vec<TaskEvent> {
    let mut stream = log.watch(after);
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event);
    }
    events
}

#[tokio::test]
async fn every_watcher_sees_all_events_in_order_whenever_it_comes() {
    let log = EventLog::new(id());
    log.push(0, TaskEventKind::Started { attempt: 1 });
    let early = {
        let log = Arc::clone(&log);
        async move { all(&log, 0).await }
    };
    let writer = async {
        for n in 0..100 {
            log.push(0, tokens(&n.to_string()));
            tokio::task::yield_now().await;
        }
        log.push(0, finished());
    };
    let (early, ()) = tokio::join!(early, writer);
    let late = all(&log, 0).await;
    assert_eq!(early, late);
    assert_eq!(late.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=102).collect::<Vec<_>>());
    assert_eq!(all(&log, 100).await.len(), 2, "a watcher resumes from a sequence number");
}

#[tokio::test]
async fn only_token_events_are_dropped_and_the_gap_is_marked() {
    let log = EventLog::new(id());
    log.push(0, TaskEventKind::Started { attempt: 1 });
    let extra = 10;
    for _ in 0..TOKEN_EVENTS_MAX + extra {
        log.push(0, tokens("x"));
    }
    log.push(0, finished());
    let events = all(&log, 0).await;
    assert_eq!(events[0].kind, TaskEventKind::Started { attempt: 1 });
    assert_eq!(events[1].kind, TaskEventKind::TokensSkipped { count: extra as u64 });
    assert_eq!(events.len(), 1 + 1 + TOKEN_EVENTS_MAX + 1);
    let gapless = events.windows(2).skip(1).all(|pair| pair[1].sequence == pair[0].sequence + 1);
    assert!(gapless);
}

#[tokio::test]
async fn nothing_follows_the_end() {
    let log = EventLog::new(id());
    log.push(0, finished());
    log.push(0, tokens("late"));
    assert_eq!(all(&log, 0).await.len(), 1);
}

fn scope(budget: Budget, timeout: Duration) -> Arc<TaskScope> {
    TaskScope::new(TaskScopeArgs {
        elapsed: Duration::ZERO,
        journal: None,
        id: id(),
        tenant: TenantId::default(),
        budget,
        timeout,
        cancel: CancellationToken::new(),
        events: None,
        clock: Arc::new(Noon),
    })
}

fn calls_of(prompt_tokens: u64) -> Usage {
    Usage { model_calls: 1, prompt_tokens, ..Usage::default() }
}

#[tokio::test]
async fn what_is_set_aside_counts_until_it_is_settled_or_given_back() {
    let scope = scope(Budget { tokens_max: Some(100), ..Budget::default() }, Duration::from_secs(1));
    let first = scope.reserve(calls_of(60)).unwrap();
    assert_eq!(
        scope.reserve(calls_of(60)).unwrap_err(),
        BudgetExceeded {
            scope: BudgetScope::Task,
            which: BudgetLimit::Tokens,
            used: 60,
            planned: 60,
            limit: 100,
            ends_in: None
        }
    );
    drop(first);
    let second = scope.reserve(calls_of(60)).unwrap();
    second.settle(calls_of(10));
    assert_eq!(scope.usage().prompt_tokens, 10);
    assert!(scope.reserve(calls_of(90)).is_ok());
    assert!(scope.reserve(calls_of(91)).is_err());
}

#[tokio::test]
async fn a_time_limit_past_what_the_clock_holds_is_no_overflow() {
    let scope = scope(Budget::default(), Duration::MAX);
    assert!(scope.deadline() > tokio::time::Instant::now() + Duration::from_secs(1_000_000));
}
