//! Time limits. The clock is stopped once the server has come to its stall, and then leaps to the next limit.

use futures::StreamExt;
use tokio::time::{Instant, pause};

use super::*;
use crate::client::CompletionEvent;
use crate::error::Awaited;

const DELTA: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const ROLE: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

fn stalling(parts: &[&str]) -> Vec<Act> {
    let mut answer = sse(parts.iter().copied());
    answer.push(Act::Stall);
    answer
}

async fn stop_clock(server: &Server) {
    server.stalled().await;
    pause();
}

fn assert_timed_out(error: &ModelError, what: Awaited, limit: Duration) {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap();
    assert_eq!(*error.kind, ModelErrorKind::TimedOut { what, limit_ms });
    assert_clean(error);
}

#[tokio::test]
async fn a_first_token_that_does_not_come_is_not_waited_for() {
    // Comments and a chunk that only says who speaks are no tokens.
    for answer in [vec![Act::Stall], stalling(&[]), stalling(&[": wait\n\n", ROLE])] {
        let server = Server::start(vec![answer]).await;
        let model = model(&server);
        let begin = Instant::now();
        let ask = async { model.stream(hello()).next().await.unwrap().unwrap_err() };
        let (error, ()) = tokio::join!(ask, stop_clock(&server));
        assert_timed_out(&error, Awaited::FirstToken, TIMEOUTS.first_token);
        assert!(error.class().is_retryable());
        assert!(begin.elapsed() >= TIMEOUTS.first_token && begin.elapsed() < TIMEOUTS.first_token * 2);
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_stall_between_tokens_ends_the_answer() {
    let server = Server::start(vec![stalling(&[DELTA])]).await;
    let mut events = model(&server).stream(hello());
    assert_eq!(events.next().await.unwrap().unwrap(), CompletionEvent::Delta("a".to_owned()));
    stop_clock(&server).await;
    let error = events.next().await.unwrap().unwrap_err();
    assert_timed_out(&error, Awaited::NextToken, TIMEOUTS.between_tokens);
    assert_eq!(error.request_id.as_deref(), Some("req-7"));
}

#[tokio::test]
async fn a_complete_text_does_not_wait_long_for_its_usage() {
    let server = Server::start(vec![stalling(&[DELTA, FINISH])]).await;
    let mut events = model(&server).stream(hello());
    assert!(events.next().await.unwrap().is_ok());
    stop_clock(&server).await;
    let begin = Instant::now();
    assert!(matches!(events.next().await, Some(Ok(CompletionEvent::Finished(_)))));
    assert!(begin.elapsed() < TIMEOUTS.between_tokens);
}

#[tokio::test]
async fn a_plain_answer_that_does_not_come_ends_with_the_attempts_time() {
    let server = Server::start(vec![vec![Act::Stall]]).await;
    let model = model(&server);
    let ask = async { model.complete(hello()).await.unwrap_err() };
    let (error, ()) = tokio::join!(ask, stop_clock(&server));
    assert_timed_out(&error, Awaited::Attempt, TIMEOUTS.attempt);
    assert!(error.class().is_retryable());
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_attempts_time() {
    let mut answer = sse([]);
    answer.extend(vec![Act::Send(DELTA.as_bytes().to_vec()); 5]);
    answer.push(Act::Stall);
    let server = Server::start(vec![answer]).await;
    let mut events = model(&server).stream(hello());
    for _ in 0..5 {
        assert!(events.next().await.unwrap().is_ok());
        pause();
        tokio::time::advance(Duration::from_secs(9)).await;
        tokio::time::resume();
    }
    pause();
    let error = events.next().await.unwrap().unwrap_err();
    assert_timed_out(&error, Awaited::Attempt, TIMEOUTS.attempt);
}
