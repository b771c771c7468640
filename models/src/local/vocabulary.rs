//! Text to tokens and back. The one door to the tokenizers library.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use candle_core::quantized::gguf_file::Value;
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

use super::error::LocalErrorReason;
use super::gguf::{Gguf, first_line, whole};
use super::template::Template;

/// Texts of tokens that end an answer, in the model families that there are.
const END_TEXTS: [&str; 7] =
    ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|end|>", "<end_of_turn>", "</s>"];
/// Numbers of token types in the file. Source: the GGUF specification, `tokenizer.ggml.token_type`.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// A model's tokens and how its conversations are framed. Read from the file's head alone; shared by whoever
/// counts and the engine.
#[derive(Debug)]
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    template: Template,
    /// The bytes that each token stands for; none for control tokens.
    bytes: Vec<Vec<u8>>,
    ends: HashSet<u32>,
    /// The token that every prompt begins with, where there is one.
    start: Option<u32>,
}

impl Vocabulary {
    /// Opens a model file and reads its vocabulary.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub(super) fn open(path: &Path) -> Result<Self, LocalErrorReason> {
        Self::read(&Gguf::open(path)?)
    }

    /// Reads the vocabulary of an open file.
    ///
    /// # Errors
    /// When the tokenizer or the chat template is missing or of an unknown kind.
    pub(super) fn read(gguf: &Gguf) -> Result<Self, LocalErrorReason> {
        let texts: Vec<&str> = gguf
            .list("tokenizer.ggml.tokens")
            .ok_or_else(|| LocalErrorReason::NoMetadata("tokenizer.ggml.tokens".to_owned()))?
            .iter()
            .map(|value| value.to_string().map_or("", String::as_str))
            .collect();
        let text_of = |key: &str| {
            let id = usize::try_from(gguf.number(key)?).ok()?;
            texts.get(id).map(|text| (*text).to_owned())
        };
        let template = Template::new(
            gguf.text("tokenizer.chat_template").ok_or(LocalErrorReason::NoTemplate)?,
            text_of("tokenizer.ggml.bos_token_id").unwrap_or_default(),
            text_of("tokenizer.ggml.eos_token_id").unwrap_or_default(),
        )?;
        let types = gguf.list("tokenizer.ggml.token_type").unwrap_or_default();
        let kind = |id: usize| types.get(id).and_then(whole);
        let id_of = |key: &str| gguf.number(key).and_then(|id| u32::try_from(id).ok());
        let mut ends: HashSet<u32> = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"]
            .into_iter()
            .filter_map(id_of)
            .collect();
        ends.extend((0_u32..).zip(&texts).enumerate().filter_map(|(index, (id, text))| {
            (kind(index) == Some(CONTROL) && END_TEXTS.contains(text)).then_some(id)
        }));
        let start = id_of("tokenizer.ggml.bos_token_id")
            .filter(|_| gguf.flag("tokenizer.ggml.add_bos_token") == Some(true));
        Ok(Self { tokenizer: tokenizer(gguf)?, template, bytes: token_bytes(&texts, types), ends, start })
    }

    /// How conversations are framed.
    pub(super) fn template(&self) -> &Template {
        &self.template
    }

    /// Tokens in the vocabulary.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The tokens of a framed conversation. Texts of control tokens in it become those tokens.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub(super) fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, LocalErrorReason> {
        let mut tokens = self.encode(text)?;
        if let Some(start) = self.start.filter(|start| tokens.first() != Some(start)) {
            tokens.insert(0, start);
        }
        Ok(tokens)
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, LocalErrorReason> {
        let encoding = self.tokenizer.encode_fast(text, false);
        Ok(encoding.map_err(|error| LocalErrorReason::Tokenizer(error.to_string()))?.get_ids().to_vec())
    }

    /// The bytes that a token adds to an answer; they may end inside a character.
    pub(super) fn token_bytes(&self, token: u32) -> &[u8] {
        self.bytes.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether an answer ends at this token.
    pub(super) fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }
}

fn tokenizer(gguf: &Gguf) -> Result<Tokenizer, LocalErrorReason> {
    let mut tokenizer = Tokenizer::from_gguf(gguf.content())
        .map_err(|error| LocalErrorReason::Tokenizer(first_line(&error)))?;
    // Candle does not know this name and would put a space before every text that follows a control token.
    // Source: llama.cpp `src/llama-vocab.cpp`, the split of LLAMA_VOCAB_PRE_TYPE_SMOLLM.
    if gguf.text("tokenizer.ggml.pre") == Some("smollm") {
        let split = Sequence::new(vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()]);
        tokenizer.with_pre_tokenizer(Some(split));
    }
    Ok(tokenizer)
}

/// What each token stands for. Vocabularies write every byte as one printable character.
fn token_bytes(texts: &[&str], types: &[Value]) -> Vec<Vec<u8>> {
    let bytes_of: HashMap<char, u8> = byte_characters().into_iter().zip(0..=u8::MAX).collect();
    let bytes = texts.iter().enumerate().map(|(id, text)| match types.get(id).and_then(whole) {
        Some(CONTROL) => Vec::new(),
        Some(USER_DEFINED) => text.as_bytes().to_vec(),
        _ => text.chars().filter_map(|character| bytes_of.get(&character).copied()).collect(),
    });
    bytes.collect()
}

/// The character that stands for each byte: itself where it is printable, else the next one from U+0100 on.
/// Source: `bytes_to_unicode` of OpenAI's GPT-2 encoder.
pub(super) fn byte_characters() -> [char; 256] {
    let mut replacements = ('\u{100}'..).take(256);
    std::array::from_fn(|byte| {
        let character = char::from(u8::try_from(byte).unwrap_or(u8::MAX));
        match character {
            '!'..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{ff}' => character,
            _ => replacements.next().unwrap_or(character),
        }
    })
}
