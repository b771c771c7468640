//! What texts were compressed to, and which of their facts that kept.

use playhouse_protocol::compress::{Compressed, Strategy};

use super::Meter;
use super::meter::histogram;
use super::names;

impl Meter {
    /// Counts a compression.
    pub fn compressed(&self, compressed: &Compressed) {
        let strategy = compressed.strategy.map_or("none", Strategy::as_str);
        let record = |metric, share| {
            histogram(&self.recorder, metric, &[("strategy", strategy)]).record(share);
        };
        record(&names::COMPRESSION_RATIO, compressed.ratio);
        record(&names::COMPRESSION_SCORE, compressed.verification.score);
    }
}
