//! What is done to every number alike, or to every position by itself.

use pulp::{Arch, Simd, WithSimd};

use super::Panels;
use crate::local::kernels::PANEL;
use crate::local::kernels::math::silu;

/// `gate = silu(gate) * up`.
pub(super) fn gate(gate: &mut [f32], up: &[f32]) {
    Arch::new().dispatch(Gate { gate, up });
}

struct Gate<'a> {
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl WithSimd for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (gate, up) in self.gate.iter_mut().zip(self.up) {
            *gate = silu(*gate) * up;
        }
    }
}

/// `to += from`.
pub(super) fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Adds each feature's bias at every position.
pub(super) fn add_bias(vectors: &mut Panels, bias: &[f32]) {
    let features = vectors.data_mut().as_chunks_mut::<PANEL>().0;
    for (feature, bias) in features.iter_mut().zip(bias.iter().cycle()) {
        feature.iter_mut().for_each(|value| *value += bias);
    }
}

/// As `step::rms_norm`, for every position.
pub(super) fn norm(vectors: &Panels, scales: &[f32], epsilon: f32, out: &mut Panels, count: usize) {
    out.resize(count, scales.len());
    for panel in 0..count.div_ceil(PANEL) {
        let panel_len = out.panel_len();
        let out = &mut out.data_mut()[panel * panel_len..(panel + 1) * panel_len];
        Arch::new().dispatch(Norm { vectors: vectors.panel(panel), scales, epsilon, out });
    }
}

struct Norm<'a> {
    vectors: &'a [[f32; PANEL]],
    scales: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl WithSimd for Norm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { vectors, scales, epsilon, out } = self;
        let mut squares = [0.0_f32; PANEL];
        for feature in vectors {
            for (square, value) in squares.iter_mut().zip(feature) {
                *square += value * value;
            }
        }
        let factors = squares.map(|square| 1.0 / (square / scales.len() as f32 + epsilon).sqrt());
        for ((out, feature), scale) in out.as_chunks_mut::<PANEL>().0.iter_mut().zip(vectors).zip(scales) {
            for ((out, value), factor) in out.iter_mut().zip(feature).zip(&factors) {
                *out = value * factor * scale;
            }
        }
    }
}
