//! Attention of a prompt's positions, 32 side by side.

use pulp::{Arch, Simd, WithSimd};

use super::cache::Head;
use super::{Panels, Shape, Threads};
use crate::local::kernels::PANEL;
use crate::local::kernels::math::exp;
use crate::local::kernels::panel::multiply_panel;

/// Attention of all heads that one asked head serves.
#[expect(
    clippy::too_many_arguments,
    reason = "an inner function of one caller; a struct would only rename them"
)]
pub(super) fn attend(
    threads: &Threads,
    shape: &Shape,
    kv_head: usize,
    before: usize,
    head: &Head,
    by_feature: &mut Vec<f32>,
    queries: &Panels,
    attended: &mut Panels,
) {
    let head_len = shape.head_len;
    transpose(&head.values, head_len, by_feature);
    let values_by_feature = &by_feature[..];
    let group = shape.heads / shape.kv_heads;
    let positions = head.keys.len() / head_len;
    let panel_len = attended.panel_len();
    let scale = 1.0 / (head_len as f32).sqrt();
    threads.for_each_chunk(attended.data_mut(), panel_len, |panel, attended| {
        let first = before + panel * PANEL;
        let seen = (first + PANEL).min(positions);
        let mut weights = vec![0.0; seen * PANEL];
        for index in kv_head * group..(kv_head + 1) * group {
            let features = index * head_len..(index + 1) * head_len;
            let query = &queries.panel(panel)[features.clone()];
            multiply_panel(&head.keys[..seen * head_len], head_len, query, &mut weights);
            let rows = weights.as_chunks_mut::<PANEL>().0;
            Arch::new().dispatch(Softmax { rows, scale, first });
            let out = &mut attended[features.start * PANEL..features.end * PANEL];
            multiply_panel(values_by_feature, positions, rows, out);
        }
    });
}

/// Scores to weights that sum to one, for each lane; lane `l` stands at position `first + l` and sees no later one.
struct Softmax<'a> {
    rows: &'a mut [[f32; PANEL]],
    scale: f32,
    first: usize,
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, scale, first } = self;
        let mut largest = [f32::NEG_INFINITY; PANEL];
        for (position, row) in rows.iter_mut().enumerate() {
            let hidden_lanes = position.saturating_sub(first).min(PANEL);
            row[..hidden_lanes].fill(f32::NEG_INFINITY);
            for (largest, score) in largest.iter_mut().zip(row) {
                *score *= scale;
                *largest = largest.max(*score);
            }
        }
        let mut totals = [0.0; PANEL];
        for row in rows.iter_mut() {
            for ((score, largest), total) in row.iter_mut().zip(&largest).zip(&mut totals) {
                *score = exp(*score - largest);
                *total += *score;
            }
        }
        let factors = totals.map(|total| 1.0 / total);
        for row in rows {
            for (weight, factor) in row.iter_mut().zip(&factors) {
                *weight *= factor;
            }
        }
    }
}

/// Position by position to feature by feature.
fn transpose(values: &[f32], head_len: usize, out: &mut Vec<f32>) {
    let positions = values.len() / head_len;
    out.resize(values.len(), 0.0);
    for (position, value) in values.chunks_exact(head_len).enumerate() {
        for (feature, value) in value.iter().enumerate() {
            out[feature * positions + position] = *value;
        }
    }
}
