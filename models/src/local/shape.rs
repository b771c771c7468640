//! The numbers that describe a network.

use super::error::LocalErrorReason;
use super::gguf::Gguf;

/// Larger values than these are taken for damage. They are far above those of any model that runs on a CPU.
const LAYERS_MAX: u64 = 512;
const FEATURES_MAX: u64 = 1 << 17;
const HEADS_MAX: u64 = 1024;
const CONTEXT_TOKENS_MAX: u64 = 1 << 24;

/// Which of the two ways a head's features are paired for rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairing {
    /// 0 with 1, 2 with 3: files of the llama architecture are ordered for this.
    Neighbours,
    /// The first half with the second: qwen2.
    Halves,
}

/// The numbers that describe a network. Read once from the file's head.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) layers: usize,
    /// Length of a position's vector.
    pub(super) hidden: usize,
    /// Length of the vector inside the feed-forward part.
    pub(super) feed_forward: usize,
    /// Heads that ask.
    pub(super) heads: usize,
    /// Heads that are asked; each serves `heads / kv_heads` of the others.
    pub(super) kv_heads: usize,
    /// Length of a head's vector.
    pub(super) head_len: usize,
    pub(super) norm_epsilon: f32,
    pub(super) rope_base: f32,
    pub(super) pairing: Pairing,
    /// Tokens of prompt and answer together.
    pub(super) context_tokens: u32,
}

impl Shape {
    /// # Errors
    /// When the architecture is not built in, or a number is missing or absurd.
    pub(super) fn read(gguf: &Gguf) -> Result<Self, LocalErrorReason> {
        let architecture = gguf
            .text("general.architecture")
            .ok_or_else(|| LocalErrorReason::NoMetadata("general.architecture".to_owned()))?;
        let pairing = match architecture {
            "llama" => Pairing::Neighbours,
            "qwen2" => Pairing::Halves,
            other => return Err(LocalErrorReason::UnsupportedArchitecture(printable(other))),
        };
        let number = |key: &str, max: u64| number(gguf, &format!("{architecture}.{key}"), max);
        let fraction = |key: &str| gguf.fraction(&format!("{architecture}.{key}"));
        if gguf.number(&format!("{architecture}.expert_count")).is_some_and(|count| count > 0) {
            return Err(LocalErrorReason::Unsupported("a mixture of experts".to_owned()));
        }
        match gguf.text(&format!("{architecture}.rope.scaling.type")) {
            None | Some("none") => {}
            Some(other) => {
                return Err(LocalErrorReason::Unsupported(format!("rope scaling {}", printable(other))));
            }
        }
        let hidden = number("embedding_length", FEATURES_MAX)?;
        let heads = number("attention.head_count", HEADS_MAX)?;
        let kv_heads = number("attention.head_count_kv", HEADS_MAX).unwrap_or(heads);
        let head_len = number("attention.key_length", FEATURES_MAX).unwrap_or(hidden / heads);
        let rope_len = number("rope.dimension_count", FEATURES_MAX).unwrap_or(head_len);
        if !heads.is_multiple_of(kv_heads) || head_len == 0 || !head_len.is_multiple_of(2) {
            return Err(LocalErrorReason::Damaged("its numbers of heads do not fit together".to_owned()));
        }
        if rope_len != head_len {
            return Err(LocalErrorReason::Unsupported("rotation of a part of a head".to_owned()));
        }
        let context_tokens = number("context_length", CONTEXT_TOKENS_MAX)?;
        Ok(Self {
            layers: number("block_count", LAYERS_MAX)?,
            hidden,
            feed_forward: number("feed_forward_length", FEATURES_MAX)?,
            heads,
            kv_heads,
            head_len,
            norm_epsilon: fraction("attention.layer_norm_rms_epsilon").unwrap_or(1e-5),
            rope_base: fraction("rope.freq_base").unwrap_or(10_000.0),
            pairing,
            context_tokens: u32::try_from(context_tokens).unwrap_or(u32::MAX),
        })
    }

    /// Length of the heads' vectors together.
    pub(super) fn query_len(&self) -> usize {
        self.heads * self.head_len
    }

    /// Length of the asked heads' vectors together.
    pub(super) fn key_len(&self) -> usize {
        self.kv_heads * self.head_len
    }
}

/// A number between 1 and `max`.
fn number(gguf: &Gguf, key: &str, max: u64) -> Result<usize, LocalErrorReason> {
    let value = gguf.number(key).ok_or_else(|| LocalErrorReason::NoMetadata(key.to_owned()))?;
    usize::try_from(value)
        .ok()
        .filter(|_| (1..=max).contains(&value))
        .ok_or_else(|| LocalErrorReason::Damaged(format!("{key} is {value}")))
}

/// A name out of a file that is not trusted, fit for one line of an error.
fn printable(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(40).collect()
}
