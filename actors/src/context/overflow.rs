//! What becomes of a question that does not fit into the model's context.

use std::sync::Arc;

use playhouse_config::settings::OverflowPolicy;
use playhouse_models::tokens::prompt_tokens_at_most;
use playhouse_models::{ModelError, ModelErrorKind};
use playhouse_protocol::Failure;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, Condensed};

use super::SelectedModel;
use crate::agent::AgentError;
use crate::fitting::{FitError, Fitted, fit};

/// The part of the room for a prompt that is left free where tokens are estimated: estimates of related encodings are off by
/// some per cent.
const MARGIN_OF_ESTIMATES: u64 = 20;

/// The fewest tokens that an answer is given when the conversation leaves less than was wanted.
const ANSWER_TOKENS_MIN: u64 = 64;

/// A request that fits, and what was done for it.
pub(super) struct Prepared {
    pub(super) request: CompletionRequest,
    pub(super) condensed: Option<Condensed>,
}

impl SelectedModel {
    /// The request as the model can hold it, with room for the longest answer. A conversation that is too long is condensed,
    /// where the model's entry allows that; where what is never shortened leaves less room, the longest answer is what is
    /// left.
    ///
    /// # Errors
    /// `ContextExceeded` when it does not fit and may not be condensed, or cannot be.
    pub(super) async fn prepare(&self, mut request: CompletionRequest) -> Result<Prepared, AgentError> {
        let info = self.handle.info();
        let context_tokens = u64::from(info.context_tokens);
        let answer_tokens =
            u64::from(request.completion_tokens_max.unwrap_or(info.completion_tokens_default));
        let at_most = prompt_tokens_at_most(&request.messages);
        if context_tokens == 0 || at_most.saturating_add(answer_tokens) <= context_tokens {
            return Ok(Prepared { request, condensed: None });
        }
        let room = self.room(context_tokens.saturating_sub(answer_tokens));
        if self.overflow == OverflowPolicy::Refuse {
            let prompt_tokens = self.count_prompt(&request.messages).await?;
            if prompt_tokens > room {
                return Err(self.too_long(prompt_tokens));
            }
            return Ok(Prepared { request, condensed: None });
        }
        let mut condensed = None;
        let fitted = match self.fit(&request.messages, room).await? {
            Ok(fitted) => fitted,
            // The answer makes room for what is never shortened.
            Err(FitError { needed_tokens, .. })
                if needed_tokens + ANSWER_TOKENS_MIN <= self.room(context_tokens) =>
            {
                let answer = u32::try_from(self.room(context_tokens) - needed_tokens).unwrap_or(u32::MAX);
                request.completion_tokens_max = Some(answer);
                condensed = Some(Condensed {
                    tokens_before: needed_tokens,
                    tokens_after: needed_tokens,
                    answer_tokens_max: Some(answer),
                    ..Condensed::default()
                });
                let fitted = self.fit(&request.messages, needed_tokens).await?;
                fitted.map_err(|error| self.too_long(error.needed_tokens))?
            }
            Err(error) => return Err(self.too_long(error.needed_tokens)),
        };
        if let Some(made) = fitted.condensed {
            let answer_tokens_max = condensed.and_then(|condensed| condensed.answer_tokens_max);
            condensed = Some(Condensed { answer_tokens_max, ..made });
            request.messages = fitted.messages.into();
        }
        Ok(Prepared { request, condensed })
    }

    /// What of `tokens` may be counted full.
    fn room(&self, tokens: u64) -> u64 {
        if self.handle.tokens().is_exact() { tokens } else { tokens - tokens / MARGIN_OF_ESTIMATES }
    }

    async fn fit(
        &self,
        messages: &Arc<[ChatMessage]>,
        limit_tokens: u64,
    ) -> Result<Result<Fitted, FitError>, Failure> {
        let (tokens, messages) = (self.handle.tokens(), Arc::clone(messages));
        tokio::task::spawn_blocking(move || fit(&messages, limit_tokens, &*tokens))
            .await
            .map_err(|_| Failure::internal("fit a prompt into a context: the thread that does it is gone"))
    }

    fn too_long(&self, prompt_tokens: u64) -> AgentError {
        let info = self.handle.info();
        let context_tokens = u64::from(info.context_tokens);
        ModelError::new(info, ModelErrorKind::ContextExceeded { prompt_tokens, context_tokens }).into()
    }
}
