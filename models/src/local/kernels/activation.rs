//! A vector packed for multiplication with packed weights.

use pulp::{Arch, Simd, WithSimd};

use super::format::{BLOCK, clamp_to_i8};

/// A vector as 8-bit whole numbers in blocks of 32 with one scale each. Reused from step to step.
#[derive(Debug, Default)]
pub(in crate::local) struct Activations {
    pub(super) quants: Vec<[i8; BLOCK]>,
    /// The value of a quant of 1, per block.
    pub(super) scales: Vec<f32>,
    /// The sum of a block's values: what an offset of the weights is multiplied with.
    pub(super) sums: Vec<f32>,
    /// The vector itself, for the portable kernel.
    pub(super) values: Vec<f32>,
}

impl Activations {
    /// Replaces the vector. Its length is a multiple of 32.
    pub(in crate::local) fn pack(&mut self, values: &[f32]) {
        let blocks = values.len() / BLOCK;
        self.quants.resize(blocks, [0; BLOCK]);
        self.scales.resize(blocks, 0.0);
        self.sums.resize(blocks, 0.0);
        self.values.clear();
        self.values.extend_from_slice(values);
        Arch::new().dispatch(Pack { into: self });
    }
}

struct Pack<'a> {
    into: &'a mut Activations,
}

impl WithSimd for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Activations { quants, scales, sums, values } = self.into;
        let blocks = values.as_chunks::<BLOCK>().0.iter().zip(quants).zip(scales).zip(sums);
        for (((values, quants), scale), sum) in blocks {
            let mut largest = [0.0_f32; 8];
            for values in values.as_chunks::<8>().0 {
                for (largest, value) in largest.iter_mut().zip(values) {
                    *largest = largest.max(value.abs());
                }
            }
            let largest = largest.into_iter().fold(0.0_f32, f32::max);
            *scale = largest / 127.0;
            let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            let mut total = 0_i32;
            for (quant, value) in quants.iter_mut().zip(values) {
                *quant = clamp_to_i8(value * inverse);
                total += i32::from(*quant);
            }
            *sum = *scale * total as f32;
        }
    }
}
