//! Randomness that is handed down from one seed, so that a run can be repeated.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Where identities, jitter and seeds of samplers come from.
pub trait RandomSource: Send + Sync + fmt::Debug {
    /// The next 64 bits.
    fn next_u64(&self) -> u64;
}

/// A [`RandomSource`] that gives the same sequence for the same seed.
///
/// Parts of a program that run side by side take a [`fork`](Self::fork) each, so that the order in which
/// they draw does not change what they draw.
pub struct SeededSource {
    seed: u64,
    generator: Mutex<ChaCha8Rng>,
}

impl SeededSource {
    /// A source that begins at `seed`.
    pub fn from_seed(seed: u64) -> Self {
        Self { seed, generator: Mutex::new(ChaCha8Rng::seed_from_u64(seed)) }
    }

    /// A source of its own for the part of the program called `label`; it depends on the seed and the label only.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        // FNV-1a, 64 bits. Source: RFC 9923, section 2 (offset basis and prime).
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in self.seed.to_le_bytes().iter().chain(label.as_bytes()) {
            hash ^= u64::from(*byte);
            hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self::from_seed(hash)
    }
}

impl RandomSource for SeededSource {
    fn next_u64(&self) -> u64 {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}

impl fmt::Debug for SeededSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededSource").field("seed", &self.seed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(source: &SeededSource) -> Vec<u64> {
        (0..4).map(|_| source.next_u64()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_sequence() {
        assert_eq!(draw(&SeededSource::from_seed(7)), draw(&SeededSource::from_seed(7)));
        assert_ne!(draw(&SeededSource::from_seed(7)), draw(&SeededSource::from_seed(8)));
    }

    #[test]
    fn a_fork_depends_on_seed_and_label_but_not_on_what_was_drawn() {
        let source = SeededSource::from_seed(7);
        let before = draw(&source.fork("ids"));
        let _ = draw(&source);
        assert_eq!(draw(&source.fork("ids")), before);
        assert_ne!(draw(&source.fork("jitter")), before);
        assert_ne!(draw(&SeededSource::from_seed(8).fork("ids")), before);
    }
}
