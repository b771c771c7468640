use futures::StreamExt;
use futures::future::join_all;
use playhouse_config::settings::ConcurrencyConfig;
use tokio::time::{Instant, timeout};

use super::*;
use crate::error::ModelErrorKind;
use crate::testing::{FakeModel, Noted, Step, ask_streamed, hello};

const SECOND: Duration = Duration::from_secs(1);

fn limited(model: &Arc<FakeModel>, max: u32) -> (Limited, Arc<Noted>) {
    let noted = Arc::<Noted>::default();
    let concurrency = Concurrency::new(ConcurrencyConfig { max, adaptive: true });
    (Limited::new(model.clone(), concurrency, noted.clone()), noted)
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_run_than_may_and_the_others_wait_in_order() {
    let model = FakeModel::always(Step::Answer("a").after(SECOND));
    let (client, noted) = limited(&model, 2);
    let begin = Instant::now();
    let calls = (0..6).map(|number| {
        let client = &client;
        async move {
            let streamed = number % 2 == 0;
            let answer = if streamed { ask_streamed(client).await } else { client.complete(hello()).await };
            (number, begin.elapsed().as_secs(), answer.is_ok())
        }
    });
    let ended = join_all(calls).await;
    let wanted = [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)];
    assert_eq!(ended, wanted.map(|(number, second)| (number, second, true)));
    assert_eq!(model.running_most(), 2);
    let waited = |seconds| CallEvent::Waited { what: WaitedFor::Concurrency, wait: seconds * SECOND };
    assert_eq!(noted.take(), [waited(1), waited(1), waited(2), waited(2)]);
    assert_eq!((client.concurrency.in_use(), client.concurrency.limit()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_place_back_whether_it_waits_or_runs() {
    let model = FakeModel::always(Step::Hang);
    let (client, noted) = limited(&model, 1);
    let mut running = client.stream(hello());
    assert!(timeout(SECOND, running.next()).await.is_err());
    assert!(timeout(SECOND, client.complete(hello())).await.is_err());
    assert_eq!((client.concurrency.in_use(), model.running()), (1, 1));
    drop(running);
    assert_eq!(client.concurrency.in_use(), 0);
    assert!(timeout(SECOND, client.complete(hello())).await.is_err());
    assert_eq!((client.concurrency.in_use(), model.asked_ms().len()), (0, 2));
    assert_eq!(noted.take(), []);
}

#[tokio::test(start_paused = true)]
async fn an_overload_takes_places_away_and_answers_bring_them_back() {
    let busy = ModelErrorKind::RateLimited { message: String::new() };
    let overloads = vec![Step::Status(429, busy).after(SECOND); 10];
    let model = FakeModel::new(overloads.into_iter().chain(vec![Step::Answer("a").after(SECOND); 500]));
    let (client, noted) = limited(&model, 10);
    let ask = |count| join_all((0..count).map(|_| client.complete(hello())));
    assert!(ask(10).await.iter().all(Result::is_err));
    assert_eq!(client.concurrency.limit(), 7);
    let begin = Instant::now();
    assert!(ask(21).await.iter().all(Result::is_ok));
    // Seven at a time at first.
    assert_eq!(begin.elapsed(), 3 * SECOND);
    ask(479).await;
    assert_eq!((client.concurrency.limit(), client.concurrency.in_use()), (10, 0));
    let changes = noted.take().into_iter().filter_map(|event| match event {
        CallEvent::ConcurrencyChanged { limit } => Some(limit),
        _ => None,
    });
    assert_eq!(changes.collect::<Vec<_>>(), [7, 8, 9, 10]);
}

#[tokio::test(start_paused = true)]
async fn the_places_are_always_as_many_as_the_limit_says() {
    let busy = Step::Status(529, ModelErrorKind::ServerError { message: String::new() });
    let answer = Step::Answer("a");
    // A mix in which the limit goes up and down while calls run and wait.
    let steps = (0..2_000_u32).map(|number| {
        let step = if number % 37 == 5 { &busy } else { &answer };
        step.clone().after(Duration::from_millis(u64::from(number % 7) * 100))
    });
    let model = FakeModel::new(steps);
    let (client, _) = limited(&model, 12);
    for _ in 0..20 {
        join_all((0..100).map(|_| client.complete(hello()))).await;
        let limit = client.concurrency.limit();
        assert_eq!(client.concurrency.free(), limit as usize);
        assert_eq!(client.concurrency.in_use(), 0);
    }
    assert!(model.running_most() <= 12);
}
