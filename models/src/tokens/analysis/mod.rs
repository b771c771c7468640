//! What a text or a conversation means for a model: how many tokens by role and by part, how much of the window they
//! take, how much room is left for more, and what a call costs. Asks nobody: it is arithmetic over [`ModelFacts`].

mod parts;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use playhouse_config::settings::PriceConfig;
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{ChatMessage, Role};
use serde::Serialize;

use super::{Accuracy, TokenCounter, count_many};
use crate::price::cost_nano_usd;

pub use parts::PartKind;

/// What an analysis has to know of a model.
#[derive(Debug, Clone)]
pub struct ModelFacts {
    /// The catalog entry.
    pub name: String,
    /// Tokens of prompt and answer together; `None` where nobody knows.
    pub context_tokens: Option<u32>,
    /// The longest answer, in tokens, when a request does not say.
    pub completion_tokens_default: u32,
    /// What it costs.
    pub price: PriceConfig,
    /// What counts for it.
    pub counter: Arc<dyn TokenCounter>,
}

/// What a prompt means for one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenAnalysis {
    /// The catalog entry.
    pub model: String,
    /// What was counted by.
    pub encoding: String,
    /// How close the counts are to the model's own.
    #[serde(flatten)]
    pub accuracy: Accuracy,
    /// Tokens of the whole: of a text as it stands, of a conversation with the framing of its messages.
    pub prompt_tokens: u64,
    /// Tokens by part, most first. Each part is counted by itself, so a token that reaches across a border counts in
    /// both: the sum may be a little above the whole.
    pub parts: Vec<PartTokens>,
    /// Tokens by role, in the order system, user, assistant; empty for a text.
    pub roles: Vec<RoleTokens>,
    /// The share of the window; `None` where its size is not known.
    pub window: Option<WindowUse>,
    /// What one call with this prompt costs by the configured prices.
    pub cost: CostEstimate,
}

/// Tokens of all parts of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartTokens {
    /// The kind.
    pub part: PartKind,
    /// How many there are.
    pub parts: u64,
    /// Their tokens.
    pub tokens: u64,
}

/// Tokens of all messages of one role, without their framing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleTokens {
    /// The role.
    pub role: Role,
    /// How many messages there are.
    pub messages: u64,
    /// Their tokens.
    pub tokens: u64,
}

/// How a prompt stands to a model's window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WindowUse {
    /// Tokens of prompt and answer together.
    pub context_tokens: u64,
    /// The prompt's share of it; above 1 where it is too long.
    pub share: f64,
    /// Tokens that are kept free for the answer.
    pub completion_tokens: u64,
    /// Tokens that are left beside prompt and answer.
    pub room_tokens: u64,
    /// Tokens by which prompt and answer are too long together.
    pub excess_tokens: u64,
    /// Whether both fit.
    pub fits: bool,
}

/// What a call costs, in billionths of a US dollar; 0 where no price is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CostEstimate {
    /// The prompt.
    pub prompt_nano_usd: u64,
    /// The longest answer that the settings allow.
    pub completion_nano_usd_max: u64,
}

impl CostEstimate {
    /// The prompt and the longest answer.
    pub const fn total_nano_usd_max(self) -> u64 {
        self.prompt_nano_usd.saturating_add(self.completion_nano_usd_max)
    }
}

/// A text, or a file of code.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// What stands in it.
    pub text: &'a str,
    /// The language of a file of code, which is one part as a whole; `None` for a text, whose fenced blocks, lists and
    /// tables are told apart.
    pub language: Option<&'a str>,
}

/// Tokens of documents by part, most first, counted on all cores. Blocks: call it off the async threads.
pub fn parts_of(documents: &[Document<'_>], counter: &dyn TokenCounter) -> Vec<PartTokens> {
    let split = documents.iter().flat_map(|document| match document.language {
        Some(language) => vec![(PartKind::code(language), document.text)],
        None => parts::split(document.text),
    });
    let (kinds, texts): (Vec<PartKind>, Vec<&str>) = split.unzip();
    let mut sums: BTreeMap<PartKind, PartTokens> = BTreeMap::new();
    for (part, tokens) in kinds.into_iter().zip(count_many(counter, &texts)) {
        let sum = sums.entry(part.clone()).or_insert(PartTokens { part, parts: 0, tokens: 0 });
        sum.parts += 1;
        sum.tokens += tokens;
    }
    sorted(sums)
}

impl TokenAnalysis {
    /// Of a text or a file.
    pub fn of_document(document: Document<'_>, facts: &ModelFacts) -> Self {
        let parts = parts_of(&[document], &*facts.counter);
        Self { parts, ..Self::of_tokens(facts.counter.count(document.text), facts) }
    }

    /// Of a conversation.
    pub fn of_conversation(messages: &[ChatMessage], facts: &ModelFacts) -> Self {
        let mut analysis = Self::of_tokens(facts.counter.count_chat(messages), facts);
        let documents: Vec<_> =
            messages.iter().map(|message| Document { text: &message.content, language: None }).collect();
        analysis.parts = parts_of(&documents, &*facts.counter);
        for role in [Role::System, Role::User, Role::Assistant] {
            let mut of_role = RoleTokens { role, messages: 0, tokens: 0 };
            for message in messages.iter().filter(|message| message.role == role) {
                of_role.messages += 1;
                of_role.tokens += facts.counter.count(&message.content);
            }
            if of_role.messages > 0 {
                analysis.roles.push(of_role);
            }
        }
        analysis
    }

    /// Of a prompt of which only its length is known.
    pub fn of_tokens(prompt_tokens: u64, facts: &ModelFacts) -> Self {
        let completion_tokens = u64::from(facts.completion_tokens_default);
        let usage = Usage { prompt_tokens, completion_tokens, ..Usage::default() };
        let prompt = Usage { completion_tokens: 0, ..usage };
        let prompt_nano_usd = cost_nano_usd(facts.price, &prompt);
        Self {
            model: facts.name.clone(),
            encoding: facts.counter.encoding().to_owned(),
            accuracy: facts.counter.accuracy(),
            prompt_tokens,
            parts: Vec::new(),
            roles: Vec::new(),
            window: facts.context_tokens.map(|context_tokens| {
                WindowUse::new(u64::from(context_tokens), prompt_tokens, completion_tokens)
            }),
            cost: CostEstimate {
                prompt_nano_usd,
                completion_nano_usd_max: cost_nano_usd(facts.price, &usage).saturating_sub(prompt_nano_usd),
            },
        }
    }

    /// Adds the parts of another analysis to these.
    pub fn add_parts(&mut self, parts: &[PartTokens]) {
        let mut all: BTreeMap<PartKind, PartTokens> = BTreeMap::new();
        for part in self.parts.drain(..).chain(parts.iter().cloned()) {
            let sum =
                all.entry(part.part.clone()).or_insert(PartTokens { parts: 0, tokens: 0, ..part.clone() });
            sum.parts += part.parts;
            sum.tokens += part.tokens;
        }
        self.parts = sorted(all);
    }
}

impl WindowUse {
    fn new(context_tokens: u64, prompt_tokens: u64, completion_tokens: u64) -> Self {
        let used = prompt_tokens.saturating_add(completion_tokens);
        Self {
            context_tokens,
            share: prompt_tokens as f64 / context_tokens.max(1) as f64,
            completion_tokens,
            room_tokens: context_tokens.saturating_sub(used),
            excess_tokens: used.saturating_sub(context_tokens),
            fits: used <= context_tokens,
        }
    }
}

/// Most tokens first; the order of kinds decides between equals.
fn sorted(parts: BTreeMap<PartKind, PartTokens>) -> Vec<PartTokens> {
    let mut parts: Vec<_> = parts.into_values().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.tokens));
    parts
}
