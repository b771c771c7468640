//! How a pool of dynamic supervisors is written down.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::supervisor::Observer;

/// How many shards a core has, unless the configuration says otherwise.
///
/// tokio lets a task take about 128 messages before the others have their turn. With 1,000 short-lived
/// children at once, a shard a core fell behind by up to 50,000 events; eight fell behind by about 1,000 and
/// cost no throughput.
const SHARDS_PER_CORE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// How a pool of dynamic supervisors is written down.
#[derive(Clone)]
pub struct PoolConfig {
    /// The name in the tree.
    pub name: String,
    /// Over how many supervisors children are spread: eight for each core unless set.
    pub shards: NonZeroUsize,
    /// How many children may be admitted at once, over all shards. Each live one costs about 8 kB.
    pub children_max: usize,
    /// How many failures each shard remembers with their causes.
    pub failures_kept: usize,
    /// How long the children may take to stop, all together, before they are killed.
    pub grace: Duration,
    /// Told of each failed child.
    pub observer: Option<Arc<dyn Observer>>,
}

impl PoolConfig {
    /// Eight shards for each core, at most 1,000 children, 32 failures kept a shard, 5 s to stop.
    ///
    /// A thousand at once keep two cores busy; with many more, time goes into memory.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            shards: std::thread::available_parallelism()
                .unwrap_or(NonZeroUsize::MIN)
                .saturating_mul(SHARDS_PER_CORE),
            children_max: 1_000,
            failures_kept: 32,
            grace: Duration::from_secs(5),
            observer: None,
        }
    }
}

impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("name", &self.name)
            .field("shards", &self.shards)
            .field("children_max", &self.children_max)
            .field("failures_kept", &self.failures_kept)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
