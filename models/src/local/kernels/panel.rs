//! Many positions at once: 32 of them side by side in the lanes of vector registers.

use pulp::{Arch, Simd, WithSimd};

use super::format::Matrix;
use super::pool::Threads;

/// Positions in a panel.
pub(in crate::local) const PANEL: usize = 32;
/// Unpacked weights that are in use at a time: 1 MiB of them, so that they stay in the second-level cache.
const UNPACKED_MAX: usize = 1 << 18;
/// Rows that one thread unpacks at a time.
const UNPACK_ROWS: usize = 12;

/// One vector for each of many positions. Panel by panel, feature by feature, the 32 positions' values.
#[derive(Debug, Default)]
pub(in crate::local) struct Panels {
    features: usize,
    data: Vec<f32>,
}

impl Panels {
    /// Makes room for `positions` vectors of `features` numbers; what stood there before is undefined.
    pub(in crate::local) fn resize(&mut self, positions: usize, features: usize) {
        self.features = features;
        self.data.resize(positions.div_ceil(PANEL) * features * PANEL, 0.0);
    }

    /// Numbers in one panel.
    pub(in crate::local) fn panel_len(&self) -> usize {
        self.features * PANEL
    }

    /// The panel's features, in order.
    pub(in crate::local) fn panel(&self, panel: usize) -> &[[f32; PANEL]] {
        let length = self.panel_len();
        self.data.get(panel * length..(panel + 1) * length).unwrap_or(&[]).as_chunks().0
    }

    /// All panels one after the other.
    pub(in crate::local) fn data(&self) -> &[f32] {
        &self.data
    }

    /// As [`data`](Self::data), to write into.
    pub(in crate::local) fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Puts a vector at a position.
    pub(in crate::local) fn set(&mut self, position: usize, vector: &[f32]) {
        let start = position / PANEL * self.panel_len();
        let features = self.data.get_mut(start..).unwrap_or_default().as_chunks_mut::<PANEL>().0;
        for (feature, value) in features.iter_mut().zip(vector) {
            feature[position % PANEL] = *value;
        }
    }

    /// Copies `out.len()` features of a position, from `first_feature` on.
    pub(in crate::local) fn get(&self, position: usize, first_feature: usize, out: &mut [f32]) {
        let features = self.panel(position / PANEL).get(first_feature..).unwrap_or_default();
        for (out, feature) in out.iter_mut().zip(features) {
            *out = feature[position % PANEL];
        }
    }
}

/// Multiplies the matrix with every position's vector. `unpacked` is working space.
pub(in crate::local) fn multiply(
    threads: &Threads,
    matrix: &Matrix,
    vectors: &Panels,
    out: &mut Panels,
    unpacked: &mut Vec<f32>,
) {
    let columns = matrix.columns();
    let block_rows = (UNPACKED_MAX / columns / UNPACK_ROWS).max(1) * UNPACK_ROWS;
    let out_panel_len = out.panel_len();
    for first_row in (0..matrix.rows()).step_by(block_rows) {
        let rows = block_rows.min(matrix.rows() - first_row);
        unpacked.resize(rows * columns, 0.0);
        threads.for_each_chunk(unpacked, UNPACK_ROWS * columns, |index, out| {
            Arch::new().dispatch(Unpack { matrix, first_row: first_row + index * UNPACK_ROWS, out });
        });
        let weights = &unpacked[..];
        threads.for_each_chunk(out.data_mut(), out_panel_len, |panel, out| {
            let out = &mut out[first_row * PANEL..(first_row + rows) * PANEL];
            multiply_panel(weights, columns, vectors.panel(panel), out);
        });
    }
}

/// Multiplies rows of plain weights with one panel. A row begins every `stride` numbers and is as long as the
/// panel has features; there are as many rows as `out` has room for, 32 numbers each.
pub(in crate::local) fn multiply_panel(
    weights: &[f32],
    stride: usize,
    panel: &[[f32; PANEL]],
    out: &mut [f32],
) {
    Arch::new().dispatch(Multiply { weights, stride, panel, out });
}

struct Unpack<'a> {
    matrix: &'a Matrix,
    first_row: usize,
    out: &'a mut [f32],
}

impl WithSimd for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (index, out) in self.out.chunks_exact_mut(self.matrix.columns()).enumerate() {
            self.matrix.unpack_row(self.first_row + index, out);
        }
    }
}

struct Multiply<'a> {
    weights: &'a [f32],
    stride: usize,
    panel: &'a [[f32; PANEL]],
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    /// Chooses how many rows are computed together: their sums shall just fit into the registers.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => tiles::<S, 12, 2>(simd, self),
            8 => tiles::<S, 3, 4>(simd, self),
            4 => tiles::<S, 3, 8>(simd, self),
            _ => tiles::<S, 1, PANEL>(simd, self),
        }
    }
}

/// `ROWS` rows at a time, then what is left one by one. `VECTORS` registers hold one feature of the panel.
#[inline(always)]
fn tiles<S: Simd, const ROWS: usize, const VECTORS: usize>(simd: S, work: Multiply<'_>) {
    let Multiply { weights, stride, panel, out } = work;
    let (panel, _) = S::as_simd_f32s(panel.as_flattened());
    let (panel, _) = panel.as_chunks::<VECTORS>();
    let mut tiles = out.chunks_exact_mut(ROWS * PANEL);
    let mut row = 0;
    for out in &mut tiles {
        tile::<S, ROWS, VECTORS>(simd, &weights[row * stride..], stride, panel, out);
        row += ROWS;
    }
    for out in tiles.into_remainder().chunks_exact_mut(PANEL) {
        tile::<S, 1, VECTORS>(simd, &weights[row * stride..], stride, panel, out);
        row += 1;
    }
}

#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    weights: &[f32],
    stride: usize,
    panel: &[[S::f32s; VECTORS]],
    out: &mut [f32],
) {
    let columns = panel.len();
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &weights[row * stride..][..columns]);
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (column, values) in panel.iter().enumerate() {
        for row in 0..ROWS {
            let weight = simd.splat_f32s(rows[row][column]);
            for vector in 0..VECTORS {
                sums[row][vector] = simd.mul_add_e_f32s(weight, values[vector], sums[row][vector]);
            }
        }
    }
    let (out, _) = S::as_mut_simd_f32s(out);
    let (out, _) = out.as_chunks_mut::<VECTORS>();
    out[..ROWS].copy_from_slice(&sums);
}
