//! Panics as values: what was said and where, instead of a trace on stderr and an empty hand.
//!
//! ractor catches the panic of an actor and keeps its text, but by then the place is lost. So the future is
//! caught here, one layer further in: [`catch_panic`] for any future, [`Supervised`] for all handlers of an
//! actor. The place comes from a panic hook, installed once for the process by the first call; it chains
//! to the hook that was there, so every panic that is not caught here is printed as before.

mod catch;
mod hook;
mod supervised;

#[cfg(test)]
mod tests;

pub use catch::{PanicCause, TEXT_BYTES_MAX, catch_panic};
pub(crate) use catch::{catch_panic_now, clip};
pub use supervised::{Ending, Supervised};
