use playhouse_runtime::protocol::task::{Durability, TaskOptions};
use playhouse_runtime::protocol::{FailureClass, IdempotencyKey, TenantId};

use super::acting::{Act, Acting, Theatre, call};

fn keyed(key: &str) -> TaskOptions {
    let idempotency_key = Some(IdempotencyKey::try_from(key.to_owned()).unwrap());
    TaskOptions { idempotency_key, ..TaskOptions::default() }
}

#[tokio::test]
async fn a_key_gives_the_first_task_while_it_runs_when_it_ended_and_after_a_restart() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let acts = || vec![Act::Wait, call("one")];
    let submit = || runtime.submit::<Acting>(acts(), keyed("order-1"));
    let (first, second) = tokio::join!(submit(), submit());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.id(), second.id());
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    assert_eq!(first.result().await.unwrap(), second.result().await.unwrap());
    let third = runtime.submit::<Acting>(acts(), keyed("order-1")).await.unwrap();
    assert_eq!((third.id(), third.result().await.unwrap()), (first.id(), vec!["went".into(), "ONE".into()]));
    assert_eq!(runtime.accounting().accepted, 1);
    let id = first.id();
    runtime.shutdown_gracefully().await;
    drop((first, second, third, runtime));

    let runtime = theatre.open().await;
    let again = runtime.submit::<Acting>(acts(), keyed("order-1")).await.unwrap();
    assert_eq!(again.id(), id);
    assert_eq!(theatre.stage.asked_in_all(), 1);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_key_of_another_request_is_refused_and_one_of_another_tenant_is_another_key() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let first = runtime.submit::<Acting>(vec![call("one")], keyed("k")).await.unwrap();
    let refused = runtime.submit::<Acting>(vec![call("two")], keyed("k")).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::InvalidInput);
    assert!(
        refused.message.contains("idempotency_key k") && refused.message.contains(&first.id().to_string())
    );
    let tenant = TenantId::try_from("other".to_owned()).unwrap();
    let other = TaskOptions { tenant, ..keyed("k") };
    let other = runtime.submit::<Acting>(vec![call("two")], other).await.unwrap();
    assert_ne!(other.id(), first.id());
    assert_eq!(other.result().await.unwrap(), ["TWO"]);
    first.result().await.unwrap();
    assert_eq!(runtime.accounting().refused, 1);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_key_without_a_journal_is_refused_by_name() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let options = TaskOptions { durability: Durability::None, ..keyed("k") };
    let refused = runtime.submit::<Acting>(vec![call("one")], options).await.unwrap_err();
    assert!(
        refused.message.contains("idempotency_key") && refused.message.contains("durability"),
        "{refused}"
    );
    runtime.shutdown_gracefully().await;
}
