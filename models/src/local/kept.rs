//! Prompts that were read before the present one, with their keys and values.

use std::collections::VecDeque;

use super::transformer::KvCache;

/// Sequences that are kept: the parts of a task that take turns (write, review), and one of another task.
const SEQUENCES_MAX: usize = 3;

/// Tokens of all kept sequences together. Each takes 24 kB in the default model, so this is 200 MB at most.
const TOKENS_MAX: usize = 8_192;

/// A prompt and what the network computed for it.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) prompt: Vec<u32>,
    pub(super) cache: KvCache,
}

/// Sequences that may be asked for again, the one used last at the back. Owned by an engine.
#[derive(Debug, Default)]
pub(super) struct KeptSequences(VecDeque<Sequence>);

impl KeptSequences {
    /// Gives away the sequence that has most in common with `prompt`, if that is more than `common` tokens.
    pub(super) fn take_better(&mut self, prompt: &[u32], common: usize) -> Option<Sequence> {
        let shared = self.0.iter().map(|sequence| common_len(prompt, &sequence.prompt));
        let (at, best) = shared.enumerate().max_by_key(|(_, shared)| *shared)?;
        if best > common { self.0.remove(at) } else { None }
    }

    /// Keeps a sequence, and forgets the oldest ones past the bounds.
    pub(super) fn keep(&mut self, sequence: Sequence) {
        self.0.push_back(sequence);
        while self.0.len() > SEQUENCES_MAX || self.tokens() > TOKENS_MAX {
            self.0.pop_front();
        }
    }

    fn tokens(&self) -> usize {
        self.0.iter().map(|sequence| sequence.prompt.len()).sum()
    }
}

/// How many tokens two prompts have in common at their beginning.
pub(super) fn common_len(one: &[u32], other: &[u32]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
