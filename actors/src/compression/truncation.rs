//! Beginning, end, or both: at borders of sentences, at words where not even one sentence fits.

use super::draft::Draft;
use super::select::{Fill, Side, fill};
use super::strategy::{Compression, Work};

/// Stands where the middle was.
const OMISSION: &str = "\n[…]\n";

/// Which part of a text is kept.
pub(super) enum Truncation {
    /// The beginning.
    Head,
    /// The end.
    Tail,
    /// Beginning and end.
    Middle,
}

impl Compression for Truncation {
    fn draft(&self, work: &Work<'_>) -> Result<Draft, String> {
        let len = work.units().len();
        let order = match self {
            Self::Head => (0..len).collect(),
            Self::Tail => (0..len).rev().collect(),
            // From both ends in turns, the beginning first.
            Self::Middle => {
                (0..len).map(|turn| if turn % 2 == 0 { turn / 2 } else { len - 1 - turn / 2 }).collect()
            }
        };
        fill(
            work,
            &Fill {
                order,
                passes_misfits: false,
                gap: if matches!(self, Self::Middle) { Some(OMISSION) } else { None },
                side: if matches!(self, Self::Tail) { Side::End } else { Side::Beginning },
            },
        )
    }
}
