//! The numbers that a network has learnt.

use candle_core::quantized::GgmlDType;

use super::error::LocalErrorReason;
use super::gguf::Gguf;
use super::kernels::{Format, Matrix};
use super::shape::Shape;

/// All weights of a network. Owned by its [`Transformer`](super::transformer::Transformer); never changes.
#[derive(Debug)]
pub(super) struct Weights {
    /// One row per token.
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) output_norm: Vec<f32>,
    /// One row per token; `None` where the embedding serves for it too.
    pub(super) output: Option<Matrix>,
    /// What the rotation's frequencies are divided by, where the file says so.
    pub(super) rope_divisors: Option<Vec<f32>>,
}

/// The weights of one layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) attention_output: Linear,
    pub(super) feed_forward_norm: Vec<f32>,
    pub(super) gate: Linear,
    pub(super) up: Linear,
    pub(super) down: Linear,
}

/// A matrix and what is added after it.
#[derive(Debug)]
pub(super) struct Linear {
    pub(super) matrix: Matrix,
    pub(super) bias: Option<Vec<f32>>,
}

impl Weights {
    /// Reads all weights and checks their sizes.
    ///
    /// # Errors
    /// When a tensor is missing, has the wrong size, or is of a type that cannot be unpacked.
    pub(super) fn read(gguf: &mut Gguf, shape: &Shape) -> Result<Self, LocalErrorReason> {
        let embedding = matrix(gguf, "token_embd.weight", None, shape.hidden)?;
        let tokens = embedding.rows();
        let layers =
            (0..shape.layers).map(|index| Layer::read(gguf, shape, index)).collect::<Result<_, _>>()?;
        let output = gguf
            .has_tensor("output.weight")
            .then(|| matrix(gguf, "output.weight", Some(tokens), shape.hidden))
            .transpose()?;
        let rope_divisors = gguf
            .has_tensor("rope_freqs.weight")
            .then(|| vector(gguf, "rope_freqs.weight", shape.head_len / 2))
            .transpose()?;
        let output_norm = vector(gguf, "output_norm.weight", shape.hidden)?;
        Ok(Self { embedding, layers, output_norm, output, rope_divisors })
    }

    /// The matrix that gives each token its score.
    pub(super) fn head(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.embedding)
    }
}

impl Layer {
    fn read(gguf: &mut Gguf, shape: &Shape, index: usize) -> Result<Self, LocalErrorReason> {
        let Shape { hidden, feed_forward, .. } = *shape;
        let (query_len, key_len) = (shape.query_len(), shape.key_len());
        let mut linear =
            |name: &str, rows, columns| Linear::read(gguf, &format!("blk.{index}.{name}"), rows, columns);
        let query = linear("attn_q", query_len, hidden)?;
        let key = linear("attn_k", key_len, hidden)?;
        let value = linear("attn_v", key_len, hidden)?;
        let attention_output = linear("attn_output", hidden, query_len)?;
        let gate = linear("ffn_gate", feed_forward, hidden)?;
        let up = linear("ffn_up", feed_forward, hidden)?;
        let down = linear("ffn_down", hidden, feed_forward)?;
        Ok(Self {
            attention_norm: vector(gguf, &format!("blk.{index}.attn_norm.weight"), hidden)?,
            feed_forward_norm: vector(gguf, &format!("blk.{index}.ffn_norm.weight"), hidden)?,
            query,
            key,
            value,
            attention_output,
            gate,
            up,
            down,
        })
    }
}

impl Linear {
    fn read(gguf: &mut Gguf, name: &str, rows: usize, columns: usize) -> Result<Self, LocalErrorReason> {
        let bias_name = format!("{name}.bias");
        let matrix = matrix(gguf, &format!("{name}.weight"), Some(rows), columns)?;
        let bias = gguf.has_tensor(&bias_name).then(|| vector(gguf, &bias_name, rows)).transpose()?;
        Ok(Self { matrix, bias })
    }
}

fn vector(gguf: &mut Gguf, name: &str, length: usize) -> Result<Vec<f32>, LocalErrorReason> {
    let tensor = gguf.tensor(name)?;
    if (tensor.rows, tensor.columns) != (1, length) {
        return Err(wrong_size(name));
    }
    tensor.unpack()
}

/// Reads a matrix; one whose packing the kernels do not know is repacked.
fn matrix(
    gguf: &mut Gguf,
    name: &str,
    rows: Option<usize>,
    columns: usize,
) -> Result<Matrix, LocalErrorReason> {
    let tensor = gguf.tensor(name)?;
    if tensor.columns != columns || rows.is_some_and(|rows| rows != tensor.rows) {
        return Err(wrong_size(name));
    }
    let format = match tensor.dtype {
        GgmlDType::Q4_0 => Some(Format::Q4_0),
        GgmlDType::Q4_1 => Some(Format::Q4_1),
        GgmlDType::Q5_0 => Some(Format::Q5_0),
        GgmlDType::Q5_1 => Some(Format::Q5_1),
        GgmlDType::Q8_0 => Some(Format::Q8_0),
        GgmlDType::Q4K => Some(Format::Q4K),
        GgmlDType::Q6K => Some(Format::Q6K),
        _ => None,
    };
    let matrix = match format {
        Some(format) => Matrix::new(format, tensor.rows, columns, tensor.bytes),
        None => Matrix::pack(columns, &tensor.unpack()?),
    };
    matrix
        .ok_or_else(|| LocalErrorReason::Unsupported(format!("tensor {name} with rows of {columns} numbers")))
}

fn wrong_size(name: &str) -> LocalErrorReason {
    LocalErrorReason::Damaged(format!("tensor {name} has a wrong size"))
}
