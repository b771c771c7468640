//! The panic hook belongs to the process, so this is a process of its own with a single test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use playhouse_supervisors::catch_panic;

#[tokio::test]
async fn a_caught_panic_is_kept_from_the_previous_hook_and_any_other_reaches_it() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    std::panic::set_hook(Box::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    }));

    let caught = catch_panic(async { panic!("caught") }).await.unwrap_err();
    assert_eq!(caught.message, "caught");
    assert!(caught.location.is_some_and(|location| location.contains("panic_hook.rs")));
    assert_eq!(seen.load(Ordering::SeqCst), 0);

    let _ = std::panic::catch_unwind(|| panic!("not caught by us"));
    assert_eq!(seen.load(Ordering::SeqCst), 1);

    // Another thread is not covered, even while this one is inside a catch.
    let _ = catch_panic(async { std::thread::spawn(|| panic!("elsewhere")).join() }).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}
