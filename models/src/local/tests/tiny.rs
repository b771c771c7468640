//! A model file of a few hundred kilobytes with random weights, so that tests need no download.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use playhouse_protocol::completion::{ChatMessage, CompletionRequest};
use tempfile::TempDir;

use crate::local::engine::Engine;
use crate::local::vocabulary::Vocabulary;
use crate::local::{LocalModel, LocalOptions};

const HIDDEN: usize = 64;
const FEED_FORWARD: usize = 96;
const HEADS: u32 = 4;
const KV_HEADS: u32 = 2;
const LAYERS: usize = 2;
pub(super) const CONTEXT_TOKENS: u32 = 2048;
const TEMPLATE: &str = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n\
                        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// What a file shall say; changed by tests that want a wrong one.
#[derive(Debug, Clone)]
pub(super) struct Tiny {
    pub(super) architecture: &'static str,
    pub(super) template: Option<&'static str>,
    pub(super) dtype: GgmlDType,
}

impl Default for Tiny {
    fn default() -> Self {
        Self { architecture: "llama", template: Some(TEMPLATE), dtype: GgmlDType::Q8_0 }
    }
}

/// A folder with a model file in it, gone when it is dropped.
#[derive(Debug)]
pub(super) struct TinyFile {
    _folder: TempDir,
    pub(super) path: PathBuf,
}

impl Tiny {
    pub(super) fn write(&self) -> TinyFile {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.gguf");
        let metadata = self.metadata();
        let metadata: Vec<(&str, &Value)> =
            metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors = self.tensors();
        let tensors: Vec<(&str, &QTensor)> =
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let mut file = std::fs::File::create(&path).unwrap();
        gguf_file::write(&mut file, &metadata, &tensors).unwrap();
        TinyFile { _folder: folder, path }
    }

    fn metadata(&self) -> Vec<(String, Value)> {
        let text = |text: &str| Value::String(text.to_owned());
        let tokens = token_texts();
        let types =
            tokens.iter().map(|token| Value::I32(if token.starts_with("<|") { 3 } else { 1 })).collect();
        let mut metadata = vec![
            ("general.architecture".to_owned(), text(self.architecture)),
            ("tokenizer.ggml.model".to_owned(), text("gpt2")),
            ("tokenizer.ggml.pre".to_owned(), text("smollm")),
            (
                "tokenizer.ggml.tokens".to_owned(),
                Value::Array(tokens.iter().map(|token| text(token)).collect()),
            ),
            ("tokenizer.ggml.token_type".to_owned(), Value::Array(types)),
            ("tokenizer.ggml.merges".to_owned(), Value::Array(vec![text("t h"), text("th e")])),
            ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(257)),
        ];
        metadata.extend(self.template.map(|template| ("tokenizer.chat_template".to_owned(), text(template))));
        let numbers = [
            ("block_count", u32::try_from(LAYERS).unwrap()),
            ("embedding_length", u32::try_from(HIDDEN).unwrap()),
            ("feed_forward_length", u32::try_from(FEED_FORWARD).unwrap()),
            ("attention.head_count", HEADS),
            ("attention.head_count_kv", KV_HEADS),
            ("context_length", CONTEXT_TOKENS),
        ];
        metadata.extend(
            numbers.map(|(key, number)| (format!("{}.{key}", self.architecture), Value::U32(number))),
        );
        metadata
    }

    fn tensors(&self) -> Vec<(String, QTensor)> {
        let mut random = Random(1);
        let key_len = HIDDEN * KV_HEADS as usize / HEADS as usize;
        let mut tensors = vec![
            ("token_embd.weight".to_owned(), self.embedding(&mut random)),
            ("output_norm.weight".to_owned(), ones()),
        ];
        for layer in 0..LAYERS {
            let matrices = [
                ("attn_q", HIDDEN, HIDDEN),
                ("attn_k", key_len, HIDDEN),
                ("attn_v", key_len, HIDDEN),
                ("attn_output", HIDDEN, HIDDEN),
                ("ffn_gate", FEED_FORWARD, HIDDEN),
                ("ffn_up", FEED_FORWARD, HIDDEN),
                ("ffn_down", HIDDEN, FEED_FORWARD),
            ];
            for (name, rows, columns) in matrices {
                let values = random.numbers(rows * columns, 0.5);
                tensors.push((format!("blk.{layer}.{name}.weight"), pack(self.dtype, rows, columns, values)));
            }
            for name in ["attn_norm", "ffn_norm"] {
                tensors.push((format!("blk.{layer}.{name}.weight"), ones()));
            }
        }
        tensors
    }

    /// Only letters and spaces have a vector, so that answers consist of them and do not end by themselves.
    fn embedding(&self, random: &mut Random) -> QTensor {
        let rows = token_texts().into_iter().flat_map(|token| {
            let speakable = token.chars().all(|character| character.is_ascii_lowercase() || character == 'Ġ');
            random.numbers(HIDDEN, if speakable { 1.0 } else { 0.0 })
        });
        let rows: Vec<f32> = rows.collect();
        pack(self.dtype, rows.len() / HIDDEN, HIDDEN, rows)
    }
}

impl TinyFile {
    pub(super) fn options(&self) -> LocalOptions {
        options(&self.path)
    }

    pub(super) fn model(&self) -> LocalModel {
        LocalModel::new(self.options())
    }

    pub(super) fn engine(&self) -> Engine {
        let vocabulary = Arc::new(Vocabulary::open(&self.path).unwrap());
        Engine::load(&self.path, vocabulary, Some(1)).unwrap()
    }
}

pub(super) fn options(path: &Path) -> LocalOptions {
    LocalOptions {
        name: "tiny".to_owned(),
        path: path.to_owned(),
        threads: Some(1),
        context_tokens: CONTEXT_TOKENS,
        completion_tokens_default: 24,
        seed: 0,
    }
}

pub(super) fn ask(text: &str) -> CompletionRequest {
    CompletionRequest::new(vec![ChatMessage::user(text)])
}

/// 256 tokens of one byte each, two control tokens, two merged ones.
fn token_texts() -> Vec<String> {
    let mut texts: Vec<String> =
        crate::local::vocabulary::byte_characters().iter().map(char::to_string).collect();
    texts.extend(["<|im_start|>", "<|im_end|>", "th", "the"].map(str::to_owned));
    texts
}

fn ones() -> QTensor {
    let ones = Tensor::ones(HIDDEN, candle_core::DType::F32, &Device::Cpu).unwrap();
    QTensor::quantize(&ones, GgmlDType::F32).unwrap()
}

fn pack(dtype: GgmlDType, rows: usize, columns: usize, values: Vec<f32>) -> QTensor {
    let tensor = Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap();
    QTensor::quantize(&tensor, dtype).unwrap()
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Numbers between `-limit` and `limit`.
    pub(super) fn numbers(&mut self, count: usize, limit: f32) -> Vec<f32> {
        (0..count).map(|_| (self.next() as f32 / (1_u64 << 30) as f32 - 1.0) * limit).collect()
    }
}
