use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use playhouse_protocol::plan::{PlanShape, Policy};
use playhouse_protocol::{Failure, FailureClass};
use playhouse_supervisors::MailboxGauge;
use ractor::Actor;
use tokio::sync::oneshot;

use super::{ItemOutcome, OrchestratorActor, OrchestratorMessage, Plan, PlanId, PlanOutcome};

fn items(count: usize, width: usize) -> PlanShape {
    PlanShape::Items { count, width, policy: Policy::Collect }
}

fn answers(outcome: PlanOutcome) -> Vec<Result<usize, FailureClass>> {
    let read = |outcome: ItemOutcome| match outcome {
        Ok(reply) => Ok(*reply.downcast::<usize>().unwrap()),
        Err(failure) => Err(failure.class),
    };
    outcome.items.into_iter().map(read).collect()
}

#[tokio::test]
async fn an_item_that_panics_is_one_failure_and_the_others_answer() {
    let (actor, join) = Actor::spawn(None, OrchestratorActor, MailboxGauge::default()).await.unwrap();
    let plan = Plan::new(PlanId(1), "test", items(3, 2), 3, |index, _| {
        Box::pin(async move {
            assert_ne!(index, 1, "told to");
            Ok(Box::new(index) as Box<dyn std::any::Any + Send>)
        })
    });
    let (reply, outcomes) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan: plan.unwrap(), reply }).unwrap();
    assert_eq!(answers(outcomes.await.unwrap()), [Ok(0), Err(FailureClass::Internal), Ok(2)]);
    actor.stop(None);
    join.await.unwrap();
}

#[tokio::test]
async fn a_cancelled_plan_drops_what_runs_and_marks_what_is_left() {
    let (actor, join) = Actor::spawn(None, OrchestratorActor, MailboxGauge::default()).await.unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&begun);
    let plan = Plan::new(PlanId(1), "test", items(4, 2), 4, move |index, _| {
        seen.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if index > 0 {
                std::future::pending::<()>().await;
            }
            Ok(Box::new(index) as Box<dyn std::any::Any + Send>)
        })
    });
    let plan = plan.unwrap();
    let cancel = plan.cancel_token();
    let (reply, outcomes) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan, reply }).unwrap();
    while begun.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    let open = actor.call(OrchestratorMessage::GetPlans, None).await.unwrap().unwrap();
    assert_eq!((open.len(), open[0].ended_len, open[0].items_len), (1, 1, 4));
    cancel.cancel();
    let cancelled = Err(FailureClass::Cancelled);
    assert_eq!(answers(outcomes.await.unwrap()), [Ok(0), cancelled, cancelled, cancelled]);
    let open = actor.call(OrchestratorMessage::GetPlans, None).await.unwrap().unwrap();
    assert!(open.is_empty());
    assert_eq!(begun.load(Ordering::SeqCst), 3, "the fourth item was never begun");
    actor.stop(None);
    join.await.unwrap();
}

#[tokio::test]
async fn plans_end_with_their_actor_and_with_their_asker() {
    let (actor, join) = Actor::spawn(None, OrchestratorActor, MailboxGauge::default()).await.unwrap();
    let hang =
        || Plan::new(PlanId(1), "test", items(1, 1), 1, |_, _| Box::pin(std::future::pending())).unwrap();
    let (reply, gone) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan: hang(), reply }).unwrap();
    drop(gone);
    while !actor.call(OrchestratorMessage::GetPlans, None).await.unwrap().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let (reply, outcomes) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan: hang(), reply }).unwrap();
    actor.stop(None);
    join.await.unwrap();
    assert!(outcomes.await.is_err(), "the asker is told");
}

/// What an item does, after so many milliseconds.
#[derive(Debug, Clone, Copy)]
struct Cue {
    after_ms: u64,
    answers: bool,
}

/// When a part of a shape ends and how, and when each of its items ended, were it never cut off: the rules of the
/// policies once more, on times instead of futures. `None` for an item that has no outcome of its own.
fn expect(
    shape: &PlanShape,
    cues: &mut impl Iterator<Item = Cue>,
    begin: u64,
    seen: &mut Vec<Option<(u64, bool)>>,
) -> (u64, bool) {
    let parts: Vec<PlanShape> = match shape {
        PlanShape::Task => {
            let cue = cues.next().unwrap();
            seen.push(Some((begin + cue.after_ms, cue.answers)));
            return (begin + cue.after_ms, cue.answers);
        }
        PlanShape::Sequence(parts) => {
            let (mut now, mut holds) = (begin, true);
            for part in parts {
                let from = seen.len();
                let (end, ok) = expect(part, cues, now, seen);
                if holds {
                    (now, holds) = (end, ok);
                } else {
                    seen[from..].fill(None);
                }
            }
            return (now, holds);
        }
        PlanShape::Items { count, .. } => vec![PlanShape::Task; *count],
        PlanShape::Parallel { branches, .. } => branches.clone(),
    };
    let policy = match shape {
        PlanShape::Items { policy, .. } | PlanShape::Parallel { policy, .. } => *policy,
        PlanShape::Task | PlanShape::Sequence(_) => unreachable!(),
    };
    // Wide enough for all: they begin together.
    let from = seen.len();
    let mut ends: Vec<_> = parts.iter().map(|part| expect(part, cues, begin, seen)).collect();
    ends.sort_unstable();
    let (mut answered, mut failed) = (0, 0);
    for (end, ok) in &ends {
        if *ok {
            answered += 1;
        } else {
            failed += 1;
        }
        let decided = match policy {
            Policy::Collect => None,
            Policy::All => (!ok).then_some(false),
            Policy::FirstN(n) if answered >= n => Some(true),
            Policy::FirstN(n) | Policy::Quorum(n) => (parts.len() - failed < n).then_some(false),
        };
        if let Some(holds) = decided {
            for item in &mut seen[from..] {
                *item = item.filter(|(at, _)| at <= end);
            }
            return (*end, holds);
        }
    }
    let last = ends.last().map_or(begin, |(end, _)| *end);
    (last, matches!(policy, Policy::Collect | Policy::FirstN(_) | Policy::Quorum(_)) || failed == 0)
}

mod shapes {
    use proptest::prelude::*;

    use super::*;

    fn policy(parts_len: usize) -> impl Strategy<Value = Policy> {
        prop_oneof![
            Just(Policy::Collect),
            Just(Policy::All),
            (1..=parts_len).prop_map(Policy::FirstN),
            (1..=parts_len).prop_map(Policy::Quorum),
        ]
    }

    fn shape() -> impl Strategy<Value = PlanShape> {
        let leaf = prop_oneof![
            Just(PlanShape::Task),
            (1..5_usize).prop_flat_map(|count| {
                policy(count).prop_map(move |policy| PlanShape::Items { count, width: 64, policy })
            }),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(PlanShape::Sequence),
                prop::collection::vec(inner, 1..4).prop_flat_map(|branches| {
                    policy(branches.len()).prop_map(move |policy| PlanShape::Parallel {
                        branches: branches.clone(),
                        width: 64,
                        policy,
                    })
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_of_any_shape_end_as_the_rules_say(shape in shape(), seed: u64) {
            let items_len = shape.tasks_len();
            // Times that differ, so that no two ends are at once.
            let mut order: Vec<u64> = (1..=items_len as u64).collect();
            let mut draw = seed;
            for at in (1..order.len()).rev() {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                order.swap(at, (draw >> 33) as usize % (at + 1));
            }
            let cues: Vec<Cue> = order
                .iter()
                .enumerate()
                .map(|(at, nth)| Cue { after_ms: 1 << nth.min(&40), answers: (seed >> (at % 64)) & 1 == 0 })
                .collect();
            let mut expected = Vec::new();
            let (_, holds) = expect(&shape, &mut cues.iter().copied(), 0, &mut expected);

            let threads = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
            let outcome = threads.unwrap().block_on(async {
                let plan = Plan::new(PlanId(1), "test", shape.clone(), items_len, move |index, previous| {
                    let cue = cues[index];
                    assert!(previous.is_none_or(|previous| previous + 1 == index));
                    Box::pin(async move {
                        tokio::time::sleep(std::time::Duration::from_millis(cue.after_ms)).await;
                        if cue.answers {
                            Ok(Box::new(index) as Box<dyn std::any::Any + Send>)
                        } else {
                            Err(Failure::new(FailureClass::Denied, "say no"))
                        }
                    })
                })
                .unwrap();
                let progress = plan.progress();
                plan.run(progress).await
            });
            prop_assert_eq!(outcome.failure.is_none(), holds, "{:?} of {:?}", outcome.failure, shape);
            prop_assert_eq!(outcome.items.len(), items_len);
            for (at, (item, expected)) in outcome.items.iter().zip(&expected).enumerate() {
                match (item, expected) {
                    (Ok(reply), Some((_, true))) => prop_assert_eq!(reply.downcast_ref(), Some(&at)),
                    (Err(failure), Some((_, false))) => prop_assert_eq!(failure.class, FailureClass::Denied),
                    (Err(failure), None) => prop_assert_eq!(failure.class, FailureClass::Cancelled),
                    (item, expected) => prop_assert!(false, "item {at} is {item:?}, expected {expected:?}"),
                }
            }
        }
    }
}
