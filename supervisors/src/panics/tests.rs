//! What is kept of a panic.

use std::future::{Future, pending};
use std::panic::{panic_any, resume_unwind};
use std::time::Duration;

use super::{PanicCause, TEXT_BYTES_MAX, catch_panic, clip};

async fn caught<T: std::fmt::Debug>(future: impl Future<Output = T>) -> PanicCause {
    catch_panic(future).await.unwrap_err()
}

#[tokio::test]
async fn text_and_place_of_a_panic_are_kept() {
    let line = line!() + 1;
    let panic = caught(async { panic!("{} is wrong", "this") }).await;
    assert_eq!(panic.message, "this is wrong");
    let location = panic.location.unwrap();
    assert!(location.contains(&format!("panics/tests.rs:{line}:")), "{location}");
}

#[tokio::test(start_paused = true)]
async fn the_place_is_kept_when_the_panic_comes_after_waiting() {
    let panic = caught(async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let empty: Vec<u8> = Vec::new();
        let _ = empty[usize::from(empty.is_empty())];
    })
    .await;
    assert!(panic.message.contains("out of bounds"), "{}", panic.message);
    assert!(panic.location.unwrap().contains("panics/tests.rs"));
}

#[tokio::test]
async fn a_future_that_does_not_panic_passes() {
    assert_eq!(catch_panic(async { 7 }).await, Ok(7));
}

#[tokio::test]
async fn a_panic_inside_a_catch_inside_a_catch_belongs_to_the_inner_one() {
    let outer = caught(async {
        let inner = caught(async { panic!("inner") }).await;
        assert!(inner.location.is_some());
        resume_unwind(Box::new(inner.message));
    })
    .await;
    // Nobody was told of a place for the outer one, and the inner one's is not passed off as it.
    assert_eq!(outer, PanicCause { message: "inner".to_owned(), location: None });
}

#[tokio::test]
async fn a_panic_without_a_text_is_caught_too() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    assert_eq!(caught(async { panic_any(7_u8) }).await.message, "a panic without a text");
    assert_eq!(caught(async { panic_any(PanicsWhenDropped) }).await.message, "a panic without a text");
}

#[tokio::test]
async fn a_dropped_future_leaves_no_watch_behind() {
    {
        let mut waiting = Box::pin(catch_panic(pending::<()>()));
        assert!(futures_poll_once(waiting.as_mut()).await.is_none());
    }
    let panic = caught(async { panic!("later") }).await;
    assert!(panic.location.is_some());
}

/// Polls once and gives what is ready.
async fn futures_poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    tokio::time::timeout(Duration::ZERO, future).await.ok()
}

#[test]
fn long_texts_are_cut_at_a_characters_end() {
    assert_eq!(clip("short".to_owned()), "short");
    for filler in ["a", "é", "語", "🎭"] {
        let cut = clip(filler.repeat(2 * TEXT_BYTES_MAX));
        assert!(cut.len() <= TEXT_BYTES_MAX && cut.len() > TEXT_BYTES_MAX - 8 && cut.ends_with('…'));
    }
}
