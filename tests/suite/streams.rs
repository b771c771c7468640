//! Agents that hear answers as they arrive.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::store::MemoryStore;

use super::telling::{Listener, Tale, open};

const REASON: &str = "the embedder's own";

#[tokio::test(start_paused = true)]
async fn an_agent_hears_each_part_before_the_next_one_is_told() {
    let tale = Tale::new();
    *tale.parts.lock().unwrap() = vec!["the ", "…", "middle", "…", "!", "…", "the ", "…", "end"];
    let runtime = open(&tale, Arc::new(MemoryStore::default()), |_| {}).await;
    let heard = runtime.run::<Listener>(1).await.unwrap();
    assert_eq!(heard, ["the ", "middle", "! it was cut", "the ", "end", REASON]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_parts_is_heard_as_one() {
    let tale = Tale::new();
    let runtime = open(&tale, Arc::new(MemoryStore::default()), |_| {}).await;
    assert_eq!(runtime.run::<Listener>(1).await.unwrap(), ["the end", REASON]);
    // What was cut is void, also when nothing comes behind it.
    *tale.parts.lock().unwrap() = vec!["the ", "!"];
    assert_eq!(runtime.run::<Listener>(1).await.unwrap()[1..], ["the end", REASON]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_recorded_answer_is_heard_as_one_part_without_asking() {
    let tale = Tale::new();
    *tale.parts.lock().unwrap() = vec!["the ", "…", "end"];
    tale.panics.store(1, Ordering::SeqCst);
    let runtime = open(&tale, Arc::new(MemoryStore::default()), |_| {}).await;
    let task = runtime.submit::<Listener>(2, TaskOptions::default()).await.unwrap();
    assert_eq!(task.result().await.unwrap(), ["the end", REASON, "the ", "end", REASON]);
    assert_eq!(tale.asked.load(Ordering::SeqCst), 2);
    runtime.shutdown_gracefully().await;
}
