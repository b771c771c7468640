//! The process's panic hook: it notes the place of a panic that will be caught, and passes on any other.

use std::cell::{Cell, RefCell};
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// How many watches are open on this thread.
    static WATCHES: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic under a watch happened.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook, on the first call only.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    // `set_hook` itself panics on a thread that is panicking; a later call on another thread installs it.
    if std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !note(info) {
                previous(info);
            }
        }));
    });
}

/// Notes the place of a panic under a watch, and tells whether it was under one.
fn note(info: &PanicHookInfo<'_>) -> bool {
    // The hook must not panic, so it is content with nothing while the thread is being torn down.
    let watched = WATCHES.try_with(|watches| watches.get() > 0).unwrap_or(false);
    if watched {
        let place = info.location().map(ToString::to_string);
        let _ = LOCATION.try_with(|location| {
            if let Ok(mut location) = location.try_borrow_mut() {
                *location = place;
            }
        });
    }
    watched
}

/// As long as it lives, panics of this thread are noted and not printed. It never crosses an `await`.
pub(super) struct Watch {
    outer_location: Option<String>,
}

impl Watch {
    /// Begins to watch this thread.
    pub(super) fn begin() -> Self {
        WATCHES.with(|watches| watches.set(watches.get().saturating_add(1)));
        Self { outer_location: LOCATION.with(RefCell::take) }
    }

    /// Ends it and tells where the last panic since [`begin`](Self::begin) happened.
    pub(super) fn end(self) -> Option<String> {
        let location = LOCATION.with(RefCell::take);
        drop(self);
        location
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        LOCATION.with(|location| location.replace(self.outer_location.take()));
        WATCHES.with(|watches| watches.set(watches.get().saturating_sub(1)));
    }
}
