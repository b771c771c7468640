//! What every [`TaskStore`](super::TaskStore) must do, as checks that panic where it does not.
//!
//! A store outside this crate runs them with the feature `conformance`:
//! `for (rule, check) in conformance::RULES { check(make_an_empty_store()).await }`.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a check fails by panicking")]

mod ends;
mod payloads;
mod reading;
pub mod samples;
mod steps;
mod usage;

use std::sync::Arc;

use futures::future::BoxFuture;

use super::TaskStore;

/// A check of one rule, on a store that is empty.
pub type Check = fn(Arc<dyn TaskStore>) -> BoxFuture<'static, ()>;

/// Every rule with its check.
pub const RULES: &[(&str, Check)] = &[
    ("what was accepted is read back as it was", |store| Box::pin(reading::accepted(store))),
    ("open tasks come in pages in the order of their ids", |store| Box::pin(reading::pages(store))),
    ("a list is filtered and the latest come first", |store| Box::pin(reading::filters(store))),
    ("what is unknown is nothing", |store| Box::pin(reading::unknown(store))),
    ("a key gives the first task of its tenant", |store| Box::pin(ends::keys(store))),
    ("an end never changes", |store| Box::pin(ends::immutable(store))),
    ("a dead letter is reopened without what may rest on a failure", |store| Box::pin(ends::reopened(store))),
    ("an ended task is discarded with its key, an open one is not", |store| Box::pin(ends::discarded(store))),
    ("ended tasks go by age and by number, and no others", |store| Box::pin(ends::pruned(store))),
    ("steps are read in the order of their writing", |store| Box::pin(steps::order(store))),
    ("an answered step never changes and a failed one is replaced", |store| Box::pin(steps::replaced(store))),
    ("entries that do not apply hinder no others", |store| Box::pin(steps::groups(store))),
    ("what was used lately is told by tenant", |store| Box::pin(usage::since(store))),
    ("payloads of any shape come back", |store| Box::pin(payloads::round_trip(store))),
    ("equal pieces and shared heads are kept once and go with their last user", |store| {
        Box::pin(payloads::shared(store))
    }),
];
