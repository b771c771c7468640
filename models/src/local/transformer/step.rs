//! One generated token at a time.

use pulp::{Arch, Simd, WithSimd};

use super::elementwise::{add, gate as apply_gate};
use super::rotation::Angles;
use super::{Activations, Transformer};
use crate::local::kernels::math::{add_scaled, dot, exp};
use crate::local::kernels::matvec::matvec;
use crate::local::weights::Linear;

/// Vectors of one position, kept from token to token.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) hidden: Vec<f32>,
    pub(super) normed: Vec<f32>,
    pub(super) packed: Activations,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    attended: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    out: Vec<f32>,
    angles: Angles<f32>,
    attention: Vec<f32>,
}

impl Transformer {
    /// Puts one token behind the sequence and computes the scores of the next.
    pub(in crate::local) fn step(&mut self, token: u32) {
        let position = self.cache.len();
        let Self { shape, weights, threads, rotation, cache, step: buffers, .. } = self;
        buffers.hidden.resize(shape.hidden, 0.0);
        weights.embedding.unpack_row(token as usize, &mut buffers.hidden);
        rotation.at(position, &mut buffers.angles);
        cache.extend(1);
        for (index, layer) in weights.layers.iter().enumerate() {
            let Buffers {
                hidden,
                normed,
                packed,
                query,
                key,
                value,
                attended,
                gate,
                up,
                out,
                angles,
                attention,
            } = &mut *buffers;
            let linear = |linear: &Linear, packed: &Activations, out: &mut Vec<f32>| {
                out.resize(linear.matrix.rows(), 0.0);
                matvec(threads, &linear.matrix, packed, out);
                if let Some(bias) = &linear.bias {
                    add(out, bias);
                }
            };
            rms_norm(hidden, &layer.attention_norm, shape.norm_epsilon, normed);
            packed.pack(normed);
            linear(&layer.query, packed, query);
            linear(&layer.key, packed, key);
            linear(&layer.value, packed, value);
            query.chunks_exact_mut(shape.head_len).for_each(|head| rotation.rotate(angles, head));
            key.chunks_exact_mut(shape.head_len).for_each(|head| rotation.rotate(angles, head));

            attended.resize(query.len(), 0.0);
            let group_len = shape.heads / shape.kv_heads * shape.head_len;
            let groups = query.chunks_exact(group_len).zip(attended.chunks_exact_mut(group_len));
            for (kv_head, (queries, attended)) in groups.enumerate() {
                let head = cache.head_mut(index * shape.kv_heads + kv_head);
                let own = kv_head * shape.head_len..(kv_head + 1) * shape.head_len;
                let at = position * shape.head_len;
                head.keys[at..].copy_from_slice(&key[own.clone()]);
                head.values[at..].copy_from_slice(&value[own]);
                for (query, out) in
                    queries.chunks_exact(shape.head_len).zip(attended.chunks_exact_mut(shape.head_len))
                {
                    let (keys, values) = (&head.keys[..], &head.values[..]);
                    Arch::new().dispatch(Attend { query, keys, values, weights: attention, out });
                }
            }
            packed.pack(attended);
            linear(&layer.attention_output, packed, out);
            add(hidden, out);

            rms_norm(hidden, &layer.feed_forward_norm, shape.norm_epsilon, normed);
            packed.pack(normed);
            linear(&layer.gate, packed, gate);
            linear(&layer.up, packed, up);
            apply_gate(gate, up);
            packed.pack(gate);
            linear(&layer.down, packed, out);
            add(hidden, out);
        }
        self.score();
    }
}

/// One head's attention over all positions.
struct Attend<'a> {
    query: &'a [f32],
    keys: &'a [f32],
    values: &'a [f32],
    weights: &'a mut Vec<f32>,
    out: &'a mut [f32],
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { query, keys, values, weights, out } = self;
        let head_len = query.len();
        let scale = 1.0 / (head_len as f32).sqrt();
        weights.resize(keys.len() / head_len, 0.0);
        let mut largest = f32::NEG_INFINITY;
        // Loops, not iterator chains: a closure inside the library would be compiled for the oldest processor.
        for (weight, key) in weights.iter_mut().zip(keys.chunks_exact(head_len)) {
            *weight = dot(simd, query, key) * scale;
            largest = largest.max(*weight);
        }
        let mut total = 0.0;
        for weight in weights.iter_mut() {
            *weight = exp(*weight - largest);
            total += *weight;
        }
        out.fill(0.0);
        for (weight, value) in weights.iter().zip(values.chunks_exact(head_len)) {
            add_scaled(simd, out, *weight / total, value);
        }
    }
}

/// Scales a vector to a mean square of one, then feature by feature.
pub(super) fn rms_norm(vector: &[f32], scales: &[f32], epsilon: f32, out: &mut Vec<f32>) {
    let squares = vector.iter().map(|value| f64::from(value * value)).sum::<f64>();
    let mean = squares / vector.len() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "single precision is what the network computes with")]
    let factor = (1.0 / (mean + f64::from(epsilon)).sqrt()) as f32;
    out.clear();
    out.extend(vector.iter().zip(scales).map(|(value, scale)| value * factor * scale));
}
