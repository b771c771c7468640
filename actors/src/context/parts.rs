//! The parts of an answer on their way from the model's actor to an agent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model_actor::AnswerPart;

/// Parts that wait for an agent to take them. Texts that wait are joined, and a restart makes those before it void, so
/// what waits is never longer than the answer.
#[derive(Debug, Default)]
pub(super) struct WaitingParts {
    parts: Mutex<Vec<AnswerPart>>,
    grown: Notify,
}

impl WaitingParts {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn push(&self, part: AnswerPart) {
        {
            let mut parts = self.lock();
            match (parts.last_mut(), part) {
                (Some(AnswerPart::Text(text)), AnswerPart::Text(more)) => text.push_str(&more),
                (_, part @ AnswerPart::Text(_)) => parts.push(part),
                (_, part @ AnswerPart::Restarted { .. }) => {
                    parts.clear();
                    parts.push(part);
                }
            }
        }
        self.grown.notify_one();
    }

    /// Waits until there are some, and takes them. May be dropped without losing any.
    pub(super) async fn next(&self) -> Vec<AnswerPart> {
        loop {
            let parts = self.take();
            if !parts.is_empty() {
                return parts;
            }
            // A part that comes in between leaves a permit behind.
            self.grown.notified().await;
        }
    }

    /// Takes those that there are.
    pub(super) fn take(&self) -> Vec<AnswerPart> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<AnswerPart>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AnswerPart {
        AnswerPart::Text(text.to_owned())
    }

    #[tokio::test]
    async fn what_waits_is_joined_and_never_longer_than_the_answer() {
        let waiting = WaitingParts::new();
        waiting.push(text("a"));
        waiting.push(text("b"));
        assert_eq!(waiting.next().await, [text("ab")]);
        let restarted = || AnswerPart::Restarted { reason: "cut".to_owned() };
        for part in [text("void"), restarted(), text("void too"), restarted(), text("c"), text("d")] {
            waiting.push(part);
        }
        assert_eq!(waiting.next().await, [restarted(), text("cd")]);
        assert!(waiting.take().is_empty());
    }
}
