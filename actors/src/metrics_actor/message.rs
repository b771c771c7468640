//! What the metrics actor is told.

use ractor::RpcReplyPort;

/// The mailbox of a [`MetricsActor`](super::MetricsActor).
#[derive(Debug)]
pub enum MetricsMessage {
    /// From the actor's own timer: move what histograms have gathered into their buckets.
    Upkeep,
    /// From the admin port and the embedder. The reply is the text in Prometheus' exposition format 0.0.4.
    /// When the actor is gone, the question fails.
    GetText(RpcReplyPort<String>),
}
