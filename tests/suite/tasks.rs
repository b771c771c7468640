//! What a caller of the embed API can rely on.

use std::sync::atomic::Ordering;
use std::time::Duration;

use playhouse_runtime::protocol::event::TaskEventKind;
use playhouse_runtime::protocol::task::{TaskOptions, TaskStatus};
use playhouse_runtime::protocol::{Budget, FailureClass};
use playhouse_runtime::{Runtime, StartError};

use crate::agents::{Act, Obedient, agent_counts, builder, with_runtime};

fn within(timeout_ms: u64) -> TaskOptions {
    TaskOptions { timeout_ms: Some(timeout_ms), ..TaskOptions::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_agent_harms_no_other_task() {
    with_runtime(
        |_| {},
        |runtime, _| async move {
            let act = |n: u64| match n % 10 {
                0 => Act::Panic(format!("task {n} blew up")),
                _ => Act::Answer(n),
            };
            let outcomes = runtime.map::<Obedient>((0..1_000).map(act).collect()).width(100).run().await;
            let outcomes = outcomes.unwrap();
            assert_eq!(outcomes.len(), 1_000);
            for (n, outcome) in (0..).zip(&outcomes) {
                match outcome {
                    Ok(answer) => assert_eq!((*answer, n % 10 != 0), (n, true)),
                    Err(failure) => {
                        assert_eq!(n % 10, 0, "{failure}");
                        assert_eq!(failure.class, FailureClass::Retryable);
                        let text = format!("task {n} blew up");
                        assert!(failure.message.contains(&text), "{failure}");
                        assert!(failure.message.contains("agents.rs:"), "no place: {failure}");
                    }
                }
            }
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 900);

            let text = runtime.metrics_text().await.unwrap();
            assert!(text.contains("playhouse_tasks_ended_total{status=\"completed\"} 901"), "{text}");
            assert!(text.contains("playhouse_tasks_ended_total{status=\"dead_lettered\"} 100"), "{text}");
            assert!(text.contains("playhouse_tasks_open 0"), "{text}");
        },
    )
    .await;
}

#[tokio::test]
async fn an_agents_own_error_arrives_with_its_class_and_is_no_crash() {
    with_runtime(
        |_| {},
        |runtime, _| async move {
            let failure = runtime.run::<Obedient>(Act::Fail("not you".to_owned())).await.unwrap_err();
            assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Denied, "not you"));
            let tree = runtime.tree().await.unwrap();
            assert_eq!(agent_counts(&tree).2, 0);
        },
    )
    .await;
}

#[tokio::test]
async fn a_request_that_fails_its_check_is_refused_before_anything_starts() {
    with_runtime(
        |_| {},
        |runtime, _| async move {
            let refused = runtime.submit::<Obedient>(Act::Fail(String::new()), TaskOptions::default()).await;
            assert_eq!(refused.unwrap_err().class, FailureClass::InvalidInput);
            let tree = runtime.tree().await.unwrap();
            assert_eq!(agent_counts(&tree).0, 0);
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hanging_agent_is_stopped_at_its_deadline() {
    with_runtime(
        |_| {},
        |runtime, watch| async move {
            let failure = runtime.run_with::<Obedient>(Act::Hang, within(60_000)).await.unwrap_err();
            assert_eq!(failure.class, FailureClass::Deadline);
            assert_eq!(failure.message, "finish within 60000 ms");
            // The killed actor drops what it held at its next turn.
            while watch.live.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_cancelled_task_ends_as_cancelled_and_its_agent_is_dropped() {
    with_runtime(
        |_| {},
        |runtime, watch| async move {
            let task = runtime.submit::<Obedient>(Act::Hang, TaskOptions::default()).await.unwrap();
            watch.begun.notified().await;
            let open = runtime.open_tasks();
            assert_eq!((open.len(), open[0].id, open[0].status), (1, task.id(), TaskStatus::Running));
            let mut events = task.watch();
            assert!(runtime.cancel(task.id()).await.unwrap());
            let mut last = None;
            while let Some(event) = events.next().await {
                last = Some(event.kind);
            }
            assert!(
                matches!(last, Some(TaskEventKind::Finished { status: TaskStatus::Cancelled, .. })),
                "{last:?}"
            );
            assert_eq!(task.result().await.unwrap_err().class, FailureClass::Cancelled);

            while watch.live.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        },
    )
    .await;
}

#[tokio::test]
async fn dropping_the_future_of_a_request_stops_its_agent() {
    with_runtime(
        |_| {},
        |runtime, watch| async move {
            let mut asked = Box::pin(runtime.run::<Obedient>(Act::Hang));
            tokio::select! {
                _ = &mut asked => panic!("it cannot answer"),
                () = watch.begun.notified() => {}
            }
            drop(asked);
            while watch.live.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
            let text = runtime.metrics_text().await.unwrap();
            assert!(text.contains("playhouse_tasks_ended_total{status=\"cancelled\"} 1"), "{text}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_task_past_the_bound_of_open_tasks_is_refused_with_a_hint() {
    with_runtime(
        |config| config.limits.tasks_open_max = 2,
        |runtime, watch| async move {
            let submit = |n| runtime.submit::<Obedient>(Act::WaitAndAnswer(n), TaskOptions::default());
            let (first, second) = (submit(1).await.unwrap(), submit(2).await.unwrap());
            let refused = submit(3).await.unwrap_err();
            assert_eq!(refused.class, FailureClass::Overloaded);
            assert_eq!(refused.retry_after_ms, Some(1_000));
            for task in [first, second] {
                let mut result = Box::pin(task.result());
                // A permit is stored for one waiter only, so each agent is let go until its answer is there.
                let answer = loop {
                    tokio::select! {
                        answer = &mut result => break answer,
                        () = tokio::task::yield_now() => watch.go.notify_waiters(),
                    }
                };
                assert!(answer.is_ok());
            }
            assert_eq!(runtime.run::<Obedient>(Act::Answer(4)).await.unwrap(), 4);
        },
    )
    .await;
}

#[tokio::test]
async fn no_more_agents_live_at_once_than_allowed_and_results_keep_their_order() {
    with_runtime(
        |config| config.limits.agents_live_max = 3,
        |runtime, watch| async move {
            let acts: Vec<_> = (0..200).map(Act::Answer).collect();
            let outcomes = runtime.map::<Obedient>(acts).width(50).run().await.unwrap();
            let answers: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
            assert_eq!(answers, (0..200).collect::<Vec<_>>());
            assert!(watch.live_max.load(Ordering::SeqCst) <= 3);
        },
    )
    .await;
}

#[tokio::test]
async fn a_fast_item_does_not_wait_for_a_slow_one() {
    with_runtime(
        |_| {},
        |runtime, watch| async move {
            let ended = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let seen = std::sync::Arc::clone(&ended);
            let slow = std::sync::Arc::clone(&watch);
            let acts = vec![Act::WaitAndAnswer(0), Act::Answer(1), Act::Answer(2), Act::Answer(3)];
            let outcomes = runtime
                .map::<Obedient>(acts)
                .width(2)
                .observe(move |index, _| {
                    let mut seen = seen.lock().unwrap();
                    seen.push(index);
                    if seen.len() == 3 {
                        slow.go.notify_one();
                    }
                })
                .run()
                .await
                .unwrap();
            assert_eq!(outcomes.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2, 3]);
            assert_eq!(ended.lock().unwrap().last(), Some(&0));
        },
    )
    .await;
}

#[tokio::test]
async fn an_empty_map_and_a_width_of_zero_are_refused_by_name() {
    with_runtime(
        |_| {},
        |runtime, _| async move {
            let empty = runtime.map::<Obedient>(Vec::new()).run().await.unwrap_err();
            assert_eq!(empty.message, "run a plan: plan has no items");
            let zero = runtime.map::<Obedient>(vec![Act::Answer(1)]).width(0).run().await.unwrap_err();
            assert_eq!(
                (zero.class, zero.message.as_str()),
                (FailureClass::InvalidInput, "run a plan: plan.width is 0")
            );
        },
    )
    .await;
}

#[tokio::test]
async fn absurd_times_and_empty_budgets_are_refused_by_name() {
    with_runtime(
        |_| {},
        |runtime, _| async move {
            let budget = |budget| TaskOptions { budget, ..TaskOptions::default() };
            let tokens = Budget { tokens_max: Some(0), ..Budget::default() };
            let calls = Budget { model_calls_max: Some(0), ..Budget::default() };
            for (options, field) in [
                (within(0), "timeout_ms"),
                (within(u64::MAX), "timeout_ms"),
                (budget(tokens), "budget.tokens_max"),
                (budget(calls), "budget.model_calls_max"),
            ] {
                let failure = runtime.run_with::<Obedient>(Act::Answer(1), options).await.unwrap_err();
                assert_eq!(failure.class, FailureClass::InvalidInput);
                assert!(failure.message.contains(field), "{failure}");
                assert!(failure.hint.is_some());
            }
        },
    )
    .await;
}

#[tokio::test]
async fn agents_may_ask_agents_but_not_without_end() {
    with_runtime(
        |_| {},
        |runtime, _| async move {
            assert_eq!(runtime.run::<Obedient>(Act::AskDeeper(7)).await.unwrap(), 7);
            let failure = runtime.run::<Obedient>(Act::AskDeeper(8)).await.unwrap_err();
            assert_eq!(failure.message, "ask agent obedient: agents already ask each other 8 deep");
        },
    )
    .await;
}

#[tokio::test]
async fn two_runtimes_in_one_process_do_not_meet() {
    let (one, _) = builder(|_| {});
    let (two, _) = builder(|_| {});
    let (one, two) = (one.start().await.unwrap(), two.start().await.unwrap());
    assert_eq!(one.run::<Obedient>(Act::Answer(1)).await.unwrap(), 1);
    assert_eq!(agent_counts(&two.tree().await.unwrap()).0, 0);
    let ended = "playhouse_tasks_ended_total{status=\"completed\"}";
    assert!(one.metrics_text().await.unwrap().contains(&format!("{ended} 1")));
    assert!(two.metrics_text().await.unwrap().contains(&format!("{ended} 0")));
    one.shutdown_gracefully().await;
    assert_eq!(two.run::<Obedient>(Act::Answer(2)).await.unwrap(), 2);
    two.shutdown_gracefully().await;
}

#[tokio::test]
async fn after_a_shutdown_nothing_is_accepted_and_what_was_open_is_cancelled() {
    let (builder, watch) = builder(|_| {});
    let runtime = builder.start().await.unwrap();
    let task = runtime.submit::<Obedient>(Act::Hang, TaskOptions::default()).await.unwrap();
    watch.begun.notified().await;
    let ended = runtime.shutdown(Duration::ZERO).await;
    assert_eq!(ended.cancelled_len, 1);
    assert_eq!(task.result().await.unwrap_err().class, FailureClass::Cancelled);
    let refused = runtime.run::<Obedient>(Act::Answer(1)).await.unwrap_err();
    assert_eq!(refused.message, "accept a task: the runtime is shutting down");
}

#[tokio::test]
async fn two_agents_of_one_kind_are_refused_at_the_start() {
    let (builder, _) = builder(|_| {});
    let refused = builder.agent(Obedient::default()).start().await;
    assert!(matches!(refused, Err(StartError::DuplicateAgent(_))), "{refused:?}");
}

#[tokio::test]
async fn the_same_seed_and_clock_give_the_same_ids() {
    #[derive(Debug)]
    struct Noon;
    impl playhouse_runtime::protocol::WallClock for Noon {
        fn unix_ms(&self) -> u64 {
            1_795_000_000_000
        }
    }
    let mut ids = Vec::new();
    for _ in 0..2 {
        let runtime = Runtime::builder()
            .seed(7)
            .clock(std::sync::Arc::new(Noon))
            .agent(Obedient::default())
            .start()
            .await
            .unwrap();
        let task = runtime.submit::<Obedient>(Act::Answer(1), TaskOptions::default()).await.unwrap();
        ids.push(task.id());
        assert_eq!(task.result().await.unwrap(), 1);
        runtime.shutdown_gracefully().await;
    }
    assert_eq!(ids[0], ids[1]);
}
