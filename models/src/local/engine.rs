//! From a prompt's tokens to an answer.

use std::path::Path;
use std::sync::Arc;

use playhouse_protocol::completion::StopReason;
use playhouse_protocol::usage::Usage;

use super::error::LocalErrorReason;
use super::gguf::Gguf;
use super::kept::{KeptSequences, Sequence, common_len};
use super::kernels::Threads;
use super::sampler::Sampler;
use super::shape::Shape;
use super::stop::{Filtered, StopFilter};
use super::transformer::{Cancelled, Transformer};
use super::utf8::Utf8Stream;
use super::vocabulary::Vocabulary;
use super::weights::Weights;

/// Models up to this size are computed by one thread: for more, handing work over costs as much as it saves.
const ONE_THREAD_PARAMETERS_MAX: u64 = 200_000_000;
/// More threads than these wait for memory, not for arithmetic.
const THREADS_DEFAULT_MAX: usize = 4;

/// A loaded model with the prompts that it saw last. Owned by one worker thread; a restart loses nothing but the
/// prompts' keys and values, which are computed again.
#[derive(Debug)]
pub(super) struct Engine {
    vocabulary: Arc<Vocabulary>,
    transformer: Transformer,
    /// The tokens of the last prompt; their keys and values are kept. Those of its answer are not reused: they
    /// were computed by other operations, and the next answer would depend on them in the last digits.
    prompt: Vec<u32>,
    /// Earlier prompts, so that a task whose rounds ask in turns (write, review, revise) finds each of them again.
    kept: KeptSequences,
}

/// What is asked of the engine.
#[derive(Debug)]
pub(super) struct Question {
    /// At least one token, and fewer than the context holds.
    pub(super) prompt: Vec<u32>,
    pub(super) sampler: Sampler,
    pub(super) stop: StopFilter,
    /// At least 1.
    pub(super) completion_tokens_max: usize,
}

/// What the engine says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) stop_reason: StopReason,
    pub(super) usage: Usage,
}

impl Engine {
    /// Reads the weights. `threads` of `None` chooses by the model's size and the machine.
    ///
    /// # Errors
    /// When the file cannot be used or no threads can be started.
    pub(super) fn load(
        path: &Path,
        vocabulary: Arc<Vocabulary>,
        threads: Option<usize>,
    ) -> Result<Self, LocalErrorReason> {
        let mut gguf = Gguf::open(path)?;
        let shape = Shape::read(&gguf)?;
        let weights = Weights::read(&mut gguf, &shape)?;
        if vocabulary.len() > weights.embedding.rows() {
            return Err(LocalErrorReason::Damaged("it has more tokens than embeddings".to_owned()));
        }
        let count = threads.unwrap_or_else(|| threads_default(gguf.parameters()));
        let threads = Threads::start(count, "playhouse-local")
            .map_err(|error| LocalErrorReason::Threads(error.to_string()))?;
        tracing::debug!(path = %path.display(), parameters = gguf.parameters(), threads = count, "model loaded");
        Ok(Self {
            vocabulary,
            transformer: Transformer::new(shape, weights, threads),
            prompt: Vec::new(),
            kept: KeptSequences::default(),
        })
    }

    /// The network alone, for tests.
    #[cfg(test)]
    pub(super) fn transformer_mut(&mut self) -> &mut Transformer {
        &mut self.transformer
    }

    /// Tokens of prompt and answer together that the model was made for.
    pub(super) fn context_tokens(&self) -> usize {
        self.transformer.shape().context_tokens as usize
    }

    /// Answers. `cancelled` is asked before every token and before every layer of the prompt; `on_text` gets
    /// the answer's text piece by piece.
    ///
    /// # Errors
    /// When `cancelled` said so.
    pub(super) fn answer(
        &mut self,
        question: Question,
        cancelled: &dyn Fn() -> bool,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Answer, Cancelled> {
        let Question { prompt, mut sampler, mut stop, completion_tokens_max } = question;
        let cached_tokens = self.read(&prompt, cancelled)?;
        let mut characters = Utf8Stream::default();
        let mut text = String::new();
        let mut say = |part: String| {
            if !part.is_empty() {
                on_text(&part);
                text.push_str(&part);
            }
        };
        let mut completion_tokens = 0;
        let stop_reason = loop {
            let token = sampler.choose(self.transformer.scores());
            completion_tokens += 1;
            if self.vocabulary.is_end(token) {
                break StopReason::Stop;
            }
            match stop.push(&characters.push(self.vocabulary.token_bytes(token))) {
                Filtered::Text(part) => say(part),
                Filtered::Stopped(part) => {
                    say(part);
                    // What the filters still hold lies behind the stop text.
                    (stop, characters) = (StopFilter::new(&[]), Utf8Stream::default());
                    break StopReason::Stop;
                }
            }
            if completion_tokens == completion_tokens_max {
                break StopReason::Length;
            }
            if cancelled() {
                return Err(Cancelled);
            }
            self.transformer.step(token);
        };
        match stop.push(&characters.finish()) {
            Filtered::Text(part) => {
                say(part);
                say(stop.finish());
            }
            Filtered::Stopped(part) => say(part),
        }
        let usage = Usage {
            model_calls: 1,
            prompt_tokens: self.prompt.len() as u64,
            cached_prompt_tokens: cached_tokens as u64,
            completion_tokens: completion_tokens as u64,
            cost_nano_usd: 0,
        };
        Ok(Answer { text, stop_reason, usage })
    }

    /// Puts the prompt into the network, but for the part that it has in common with one of the last ones. Gives the
    /// length of that part.
    fn read(&mut self, prompt: &[u32], cancelled: &dyn Fn() -> bool) -> Result<usize, Cancelled> {
        self.choose_sequence(prompt);
        // The scores after the last token are needed, so it is always computed.
        let common = common_len(prompt, &self.prompt).min(prompt.len().saturating_sub(1));
        self.transformer.truncate(common);
        self.prompt.truncate(common);
        self.transformer.prefill(&prompt[common..], cancelled)?;
        self.prompt.extend_from_slice(&prompt[common..]);
        Ok(common)
    }

    /// Takes up the sequence that has most in common with `prompt`. The present one is kept for later when it would
    /// lose more than half of itself.
    fn choose_sequence(&mut self, prompt: &[u32]) {
        let common = common_len(prompt, &self.prompt);
        // Behind the prompt lies its answer, which nobody asks for again.
        if let Some(better) = self.kept.take_better(prompt, common) {
            self.transformer.truncate(self.prompt.len());
            let cache = self.transformer.replace_sequence(better.cache);
            let prompt = std::mem::replace(&mut self.prompt, better.prompt);
            self.kept.keep(Sequence { prompt, cache });
        } else if common * 2 < self.prompt.len() {
            self.transformer.truncate(self.prompt.len());
            let prefix = self.transformer.copy_prefix(common);
            let cache = self.transformer.replace_sequence(prefix);
            let rest = self.prompt[..common].to_vec();
            let prompt = std::mem::replace(&mut self.prompt, rest);
            self.kept.keep(Sequence { prompt, cache });
        }
    }
}

fn threads_default(parameters: u64) -> usize {
    if parameters <= ONE_THREAD_PARAMETERS_MAX {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS_DEFAULT_MAX)
}
