//! A prompt, 32 positions side by side.

use pulp::{Arch, Simd, WithSimd};

use super::cache::{Head, KvCache};
use super::rotation::Angles;
use super::{Cancelled, PREFILL_CHUNK, Panels, Shape, Threads, Transformer};
use crate::local::kernels::PANEL;
use crate::local::kernels::math::{exp, silu};
use crate::local::kernels::panel::{multiply, multiply_panel};
use crate::local::weights::Linear;

/// Vectors of one chunk of a prompt. They are kept, for the next prompt needs as many.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    hidden: Panels,
    normed: Panels,
    query: Panels,
    key: Panels,
    value: Panels,
    attended: Panels,
    gate: Panels,
    up: Panels,
    out: Panels,
    unpacked: Vec<f32>,
    angles: Vec<Angles<[f32; PANEL]>>,
    /// One asked head's values, feature by feature.
    by_feature: Vec<f32>,
}

impl Transformer {
    /// Puts tokens behind the sequence and computes the scores of the next. `cancelled` is asked before every
    /// layer of every chunk.
    ///
    /// # Errors
    /// When `cancelled` said so; then the sequence is as before.
    pub(in crate::local) fn prefill(
        &mut self,
        tokens: &[u32],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Cancelled> {
        let before = self.cache.len();
        for chunk in tokens.chunks(PREFILL_CHUNK) {
            if self.prefill_chunk(chunk, cancelled).is_err() {
                self.cache.truncate(before);
                return Err(Cancelled);
            }
        }
        if let Some(last) = tokens.len().checked_sub(1) {
            self.step.hidden.resize(self.shape.hidden, 0.0);
            self.prefill.hidden.get(last % PREFILL_CHUNK, 0, &mut self.step.hidden);
            self.score();
        }
        Ok(())
    }

    fn prefill_chunk(&mut self, tokens: &[u32], cancelled: &dyn Fn() -> bool) -> Result<(), Cancelled> {
        let before = self.cache.len();
        let count = tokens.len();
        self.cache.extend(count);
        self.embed(tokens);
        let Self { shape, weights, threads, rotation, cache, prefill: buffers, .. } = self;
        buffers.angles.resize_with(count.div_ceil(PANEL), Angles::default);
        for (panel, angles) in buffers.angles.iter_mut().enumerate() {
            rotation.at_panel(before + panel * PANEL, angles);
        }
        for (index, layer) in weights.layers.iter().enumerate() {
            if cancelled() {
                return Err(Cancelled);
            }
            let Buffers { hidden, normed, query, key, value, attended, gate, up, out, unpacked, angles, by_feature } =
                &mut *buffers;
            let mut linear = |linear: &Linear, vectors: &Panels, out: &mut Panels| {
                out.resize(count, linear.matrix.rows());
                multiply(threads, &linear.matrix, vectors, out, unpacked);
                if let Some(bias) = &linear.bias {
                    add_bias(out, bias);
                }
            };
            norm(hidden, &layer.attention_norm, shape.norm_epsilon, normed, count);
            linear(&layer.query, normed, query);
            linear(&layer.key, normed, key);
            linear(&layer.value, normed, value);
            for panels in [&mut *query, &mut *key] {
                let panel_len = panels.panel_len();
                for (panel, angles) in panels.data_mut().chunks_exact_mut(panel_len).zip(&*angles) {
                    let heads = panel.as_chunks_mut::<PANEL>().0.chunks_exact_mut(shape.head_len);
                    heads.for_each(|head| rotation.rotate_panel(angles, head));
                }
            }
            store(cache, shape, index, before, (key, value), count);
            attended.resize(count, shape.query_len());
            for kv_head in 0..shape.kv_heads {
                let head = cache.head(index * shape.kv_heads + kv_head);
                transpose(&head.values, shape.head_len, by_feature);
                attend(threads, shape, kv_head, before, head, by_feature, query, attended);
            }
            linear(&layer.attention_output, attended, out);
            add(hidden, out);

            norm(hidden, &layer.feed_forward_norm, shape.norm_epsilon, normed, count);
            linear(&layer.gate, normed, gate);
            linear(&layer.up, normed, up);
            Arch::new().dispatch(Gate { gate: gate.data_mut(), up: up.data_mut() });
            linear(&layer.down, gate, out);
            add(hidden, out);
        }
        Ok(())
    }

    /// Looks up the tokens' vectors.
    fn embed(&mut self, tokens: &[u32]) {
        let Self { shape, weights, step, prefill, .. } = self;
        prefill.hidden.resize(tokens.len(), shape.hidden);
        prefill.hidden.data_mut().fill(0.0);
        step.hidden.resize(shape.hidden, 0.0);
        for (position, &token) in tokens.iter().enumerate() {
            weights.embedding.unpack_row(token as usize, &mut step.hidden);
            prefill.hidden.set(position, &step.hidden);
        }
    }
}

/// Copies a chunk's keys and values into the cache.
fn store(
    cache: &mut KvCache,
    shape: &Shape,
    layer: usize,
    before: usize,
    (keys, values): (&Panels, &Panels),
    count: usize,
) {
    for kv_head in 0..shape.kv_heads {
        let head = cache.head_mut(layer * shape.kv_heads + kv_head);
        let first_feature = kv_head * shape.head_len;
        for position in 0..count {
            let at = (before + position) * shape.head_len;
            keys.get(position, first_feature, &mut head.keys[at..at + shape.head_len]);
            values.get(position, first_feature, &mut head.values[at..at + shape.head_len]);
        }
    }
}

/// Attention of all heads that one asked head serves.
#[expect(clippy::too_many_arguments, reason = "an inner function of one caller; a struct would only rename them")]
fn attend(
    threads: &Threads,
    shape: &Shape,
    kv_head: usize,
    before: usize,
    head: &Head,
    values_by_feature: &[f32],
    queries: &Panels,
    attended: &mut Panels,
) {
    let head_len = shape.head_len;
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

/// As `step::rms_norm`, for every position.
fn norm(vectors: &Panels, scales: &[f32], epsilon: f32, out: &mut Panels, count: usize) {
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

fn add_bias(vectors: &mut Panels, bias: &[f32]) {
    for (feature, bias) in vectors.data_mut().as_chunks_mut::<PANEL>().0.iter_mut().zip(bias.iter().cycle()) {
        feature.iter_mut().for_each(|value| *value += bias);
    }
}

fn add(to: &mut Panels, from: &mut Panels) {
    for (to, from) in to.data_mut().iter_mut().zip(from.data_mut()) {
        *to += *from;
    }
}
