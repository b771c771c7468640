//! A packed matrix times one vector.

use pulp::{Arch, Simd, WithSimd};

use super::activation::Activations;
use super::format::Matrix;
use super::math::dot;
use super::pool::Threads;

/// Rows per piece of work: enough to be worth a hand-over to another thread.
const ROWS_PER_CHUNK: usize = 64;

/// `out[r] = sum over c of matrix[r][c] * vector[c]`. `out` has one place per row.
pub(in crate::local) fn matvec(threads: &Threads, matrix: &Matrix, vector: &Activations, out: &mut [f32]) {
    let chunk = if threads.count() > 1 { ROWS_PER_CHUNK } else { out.len() };
    threads.for_each_chunk(out, chunk, |index, out| rows(matrix, index * chunk, vector, out));
}

/// The products of the rows from `first_row` on.
fn rows(matrix: &Matrix, first_row: usize, vector: &Activations, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = avx2() {
        simd.vectorize(RowsAvx2 { simd, matrix, first_row, vector, out });
        return;
    }
    Arch::new().dispatch(Rows { matrix, first_row, vector, out });
}

#[cfg(target_arch = "x86_64")]
fn avx2() -> Option<pulp::x86::V3> {
    pulp::x86::V3::try_new()
}

#[cfg(target_arch = "x86_64")]
struct RowsAvx2<'a> {
    simd: pulp::x86::V3,
    matrix: &'a Matrix,
    first_row: usize,
    vector: &'a Activations,
    out: &'a mut [f32],
}

#[cfg(target_arch = "x86_64")]
impl pulp::NullaryFnOnce for RowsAvx2<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { simd, matrix, first_row, vector, out } = self;
        for (index, out) in out.iter_mut().enumerate() {
            *out = super::dot_avx2::dot(simd, matrix.format(), matrix.row(first_row + index), vector);
        }
    }
}

/// For every other processor: unpack a row, then multiply.
struct Rows<'a> {
    matrix: &'a Matrix,
    first_row: usize,
    vector: &'a Activations,
    out: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut row = vec![0.0; self.matrix.columns()];
        for (index, out) in self.out.iter_mut().enumerate() {
            self.matrix.unpack_row(self.first_row + index, &mut row);
            *out = dot(simd, &row, &self.vector.values);
        }
    }
}
