//! A prompt, 32 positions side by side.

use super::attention::attend;
use super::cache::KvCache;
use super::elementwise::{add, add_bias, gate as apply_gate, norm};
use super::rotation::Angles;
use super::{Cancelled, PREFILL_CHUNK, Panels, Shape, Transformer};
use crate::local::kernels::PANEL;
use crate::local::kernels::panel::multiply;
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
            let Buffers {
                hidden,
                normed,
                query,
                key,
                value,
                attended,
                gate,
                up,
                out,
                unpacked,
                angles,
                by_feature,
            } = &mut *buffers;
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
                attend(threads, shape, kv_head, before, head, by_feature, query, attended);
            }
            linear(&layer.attention_output, attended, out);
            add(hidden.data_mut(), out.data());

            norm(hidden, &layer.feed_forward_norm, shape.norm_epsilon, normed, count);
            linear(&layer.gate, normed, gate);
            linear(&layer.up, normed, up);
            apply_gate(gate.data_mut(), up.data());
            linear(&layer.down, gate, out);
            add(hidden.data_mut(), out.data());
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
