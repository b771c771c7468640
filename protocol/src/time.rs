//! The wall clock, as something that is handed in.

use std::fmt;

/// Tells the time of day. Only the runtime's edge has a real one; simulations hand in their own.
pub trait WallClock: Send + Sync + fmt::Debug {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    fn unix_ms(&self) -> u64;
}
