//! Rotation of queries and keys by their position.

use super::super::kernels::PANEL;
use super::super::shape::{Pairing, Shape};

/// How far each pair of a head's features turns from one position to the next.
#[derive(Debug)]
pub(super) struct Rotation {
    frequencies: Vec<f32>,
    pairing: Pairing,
}

/// Cosine and sine of each pair's angle, for one position or a panel of them.
#[derive(Debug, Default)]
pub(super) struct Angles<T> {
    pairs: Vec<(T, T)>,
}

impl Rotation {
    pub(super) fn new(shape: &Shape, divisors: Option<&[f32]>) -> Self {
        let base = f64::from(shape.rope_base);
        let frequency = |pair: usize| {
            let exponent = 2.0 * pair as f64 / shape.head_len as f64;
            let divisor =
                divisors.and_then(|divisors| divisors.get(pair)).map_or(1.0, |divisor| f64::from(*divisor));
            narrow(base.powf(-exponent) / divisor)
        };
        Self { frequencies: (0..shape.head_len / 2).map(frequency).collect(), pairing: shape.pairing }
    }

    /// The angles at a position.
    pub(super) fn at(&self, position: usize, angles: &mut Angles<f32>) {
        angles.pairs.clear();
        angles.pairs.extend(self.frequencies.iter().map(|frequency| turn(position, *frequency)));
    }

    /// The angles at 32 positions from `first` on.
    pub(super) fn at_panel(&self, first: usize, angles: &mut Angles<[f32; PANEL]>) {
        angles.pairs.clear();
        angles.pairs.extend(self.frequencies.iter().map(|frequency| {
            let turns: [(f32, f32); PANEL] = std::array::from_fn(|lane| turn(first + lane, *frequency));
            (turns.map(|(cosine, _)| cosine), turns.map(|(_, sine)| sine))
        }));
    }

    /// Turns one head's vector.
    pub(super) fn rotate(&self, angles: &Angles<f32>, head: &mut [f32]) {
        for (pair, &(cosine, sine)) in angles.pairs.iter().enumerate() {
            let (first, second) = self.members(pair);
            let (a, b) = (head[first], head[second]);
            head[first] = a * cosine - b * sine;
            head[second] = a * sine + b * cosine;
        }
    }

    /// Turns one head's vectors in a panel.
    pub(super) fn rotate_panel(&self, angles: &Angles<[f32; PANEL]>, head: &mut [[f32; PANEL]]) {
        for (pair, (cosines, sines)) in angles.pairs.iter().enumerate() {
            let (first, second) = self.members(pair);
            for lane in 0..PANEL {
                let (a, b) = (head[first][lane], head[second][lane]);
                head[first][lane] = a * cosines[lane] - b * sines[lane];
                head[second][lane] = a * sines[lane] + b * cosines[lane];
            }
        }
    }

    /// The two features of a pair.
    fn members(&self, pair: usize) -> (usize, usize) {
        match self.pairing {
            Pairing::Neighbours => (2 * pair, 2 * pair + 1),
            Pairing::Halves => (pair, pair + self.frequencies.len()),
        }
    }
}

fn turn(position: usize, frequency: f32) -> (f32, f32) {
    let (sine, cosine) = (position as f64 * f64::from(frequency)).sin_cos();
    (narrow(cosine), narrow(sine))
}

#[expect(clippy::cast_possible_truncation, reason = "single precision is what the network computes with")]
fn narrow(value: f64) -> f32 {
    value as f32
}
