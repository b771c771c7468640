//! The network: tokens in, a score for every possible next token out.
//!
//! A decoder of the llama family: RMS norm, rotated grouped-query attention, gated feed-forward, residuals. Qwen2
//! differs by biases and by how features are paired for rotation. [`prefill`] takes a prompt, 32 positions side
//! by side; [`step`] takes one generated token. Source: Touvron et al., "LLaMA" (2023), section 2.2; Su et al.,
//! "RoFormer" (2021), section 3.4.

mod attention;
mod cache;
mod elementwise;
mod prefill;
mod rotation;
mod step;

use super::kernels::{Activations, Panels, Threads};
use super::shape::Shape;
use super::weights::Weights;
pub(super) use cache::KvCache;
use rotation::Rotation;

/// Positions of a prompt that are computed together: more make no better use of unpacked weights.
pub(super) const PREFILL_CHUNK: usize = 256;

/// A network with the keys and values of one sequence. Owned by its engine.
#[derive(Debug)]
pub(super) struct Transformer {
    shape: Shape,
    weights: Weights,
    threads: Threads,
    rotation: Rotation,
    cache: KvCache,
    step: step::Buffers,
    prefill: prefill::Buffers,
    scores: Vec<f32>,
}

/// Whoever asked is gone; the sequence is as it was before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cancelled;

impl Transformer {
    pub(super) fn new(shape: Shape, weights: Weights, threads: Threads) -> Self {
        let scores = vec![0.0; weights.head().rows()];
        Self {
            rotation: Rotation::new(&shape, weights.rope_divisors.as_deref()),
            cache: KvCache::new(shape.layers * shape.kv_heads, shape.head_len),
            step: step::Buffers::default(),
            prefill: prefill::Buffers::default(),
            shape,
            weights,
            threads,
            scores,
        }
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Forgets all positions from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.cache.truncate(len);
    }

    /// Puts another sequence in place of the present one, which it gives.
    pub(super) fn replace_sequence(&mut self, sequence: KvCache) -> KvCache {
        std::mem::replace(&mut self.cache, sequence)
    }

    /// A copy of the first `len` positions of the sequence.
    pub(super) fn copy_prefix(&self, len: usize) -> KvCache {
        self.cache.prefix(len)
    }

    /// Scores after the sequence so far: of the last token that was put in.
    pub(super) fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Normalises the last position's vector and gives every token its score.
    fn score(&mut self) {
        let step::Buffers { hidden, normed, packed, .. } = &mut self.step;
        step::rms_norm(hidden, &self.weights.output_norm, self.shape.norm_epsilon, normed);
        packed.pack(normed);
        super::kernels::matvec::matvec(&self.threads, self.weights.head(), packed, &mut self.scores);
    }
}
