//! The time of day at the runtime's edge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use playhouse_protocol::WallClock;
use tokio::time::Instant;

/// The system's clock, read once; from there on time runs as tokio's clock does, so that it never jumps and
/// can be paused in tests.
#[derive(Debug, Clone, Copy)]
pub struct SystemWallClock {
    unix: Duration,
    at: Instant,
}

impl SystemWallClock {
    /// A clock that is right now.
    pub fn now() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place where the system's clock is read")]
        let now = SystemTime::now();
        // A clock set before 1970 is taken as 1970.
        Self { unix: now.duration_since(UNIX_EPOCH).unwrap_or_default(), at: Instant::now() }
    }
}

impl WallClock for SystemWallClock {
    fn unix_ms(&self) -> u64 {
        u64::try_from((self.unix + self.at.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }
}
