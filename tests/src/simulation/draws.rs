//! Draws that depend on a seed and a place, and on no order.

/// How often one action lets others go first at most. Two that are ready at once change places with one; more than a few
/// cost time and give no order that is not had with these.
const DAWDLES_MAX: u64 = 3;

/// Keeps what is drawn for the order apart from what is drawn under the same label.
const DAWDLING: u64 = 1 << 63;

/// A seed, from which everything is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Draws(pub u64);

impl Draws {
    /// The number at a place.
    pub fn number(self, label: &str, place: u64) -> u64 {
        // FNV-1a, 64 bits, then the finish of SplitMix64, which spreads what differs in the last bytes.
        // Source: RFC 9923, section 2; Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let bytes = self.0.to_le_bytes().into_iter().chain(place.to_le_bytes());
        for byte in bytes.chain(label.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }

    /// A number below `bound`, at a place.
    pub fn below(self, bound: u64, label: &str, place: u64) -> u64 {
        self.number(label, place) % bound.max(1)
    }

    /// Whether something that happens `per_mille` times of a thousand happens at a place.
    pub fn happens(self, per_mille: u64, label: &str, place: u64) -> bool {
        self.below(1_000, label, place) < per_mille
    }

    /// Lets others go first, up to three times: the scheduler takes who is ready in the order of becoming so,
    /// and each seed is to see another order.
    pub async fn dawdle(self, label: &str, place: u64) {
        for _ in 0..self.below(DAWDLES_MAX + 1, label, place ^ DAWDLING) {
            tokio::task::yield_now().await;
        }
    }
}

/// A place for a text.
pub fn place_of(text: &str) -> u64 {
    Draws(0).number(text, 0)
}
