//! A streamed call of which there may be two until one gives text.

use std::pin::Pin;

use futures::StreamExt;
use playhouse_protocol::completion::CompletionRequest;
use tokio::time::{Instant, Sleep, sleep};

use super::policy::Measured;
use super::{Hedged, SENT, both_failed};
use crate::client::{CompletionEvent, CompletionStream};
use crate::error::ModelError;
use crate::layers::relay::ended_early;

/// A streamed call between two of its events.
pub(super) struct Race {
    hedged: Hedged,
    request: CompletionRequest,
    begun: Instant,
    phase: Phase,
}

enum Phase {
    /// Not polled yet.
    NotBegun,
    /// One call, without text, and when a second one is sent.
    Alone { first: CompletionStream, second_at: Pin<Box<Sleep>> },
    /// Two calls, both without text.
    Two { first: CompletionStream, second: CompletionStream },
    /// One call that counts. The other one, if there was one, is over.
    Decided { events: CompletionStream, is_second: bool, others: u32, text_given: bool },
    /// The last event was given.
    Ended,
}

impl Race {
    pub(super) fn new(hedged: Hedged, request: CompletionRequest) -> Self {
        Self { hedged, request, begun: Instant::now(), phase: Phase::NotBegun }
    }

    pub(super) async fn next(&mut self) -> Result<CompletionEvent, ModelError> {
        loop {
            match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::NotBegun => self.begin(),
                Phase::Alone { mut first, mut second_at } => {
                    let event = tokio::select! {
                        biased;
                        event = first.next() => Some(event),
                        () = second_at.as_mut() => None,
                    };
                    match event {
                        Some(event) => {
                            self.decide(first, false, 0);
                            return self.give(event);
                        }
                        None if self.hedged.sends_another() => {
                            let second = self.hedged.inner.stream(self.request.clone());
                            self.phase = Phase::Two { first, second };
                        }
                        None => self.decide(first, false, 0),
                    }
                }
                Phase::Two { mut first, mut second } => {
                    let (event, is_second) = tokio::select! {
                        biased;
                        event = first.next() => (event, false),
                        event = second.next() => (event, true),
                    };
                    let (winner, other) = if is_second { (second, first) } else { (first, second) };
                    match event {
                        // The other may still answer.
                        Some(Err(error)) => self.decide(other, !is_second, error.attempts),
                        None => self.decide(other, !is_second, SENT),
                        event => {
                            drop(other);
                            self.decide(winner, is_second, SENT);
                            return self.give(event);
                        }
                    }
                }
                Phase::Decided { mut events, is_second, others, text_given } => {
                    let event = events.next().await;
                    self.phase = Phase::Decided { events, is_second, others, text_given };
                    return self.give(event);
                }
                Phase::Ended => return Err(ended_early(self.hedged.inner.info())),
            }
        }
    }

    fn begin(&mut self) {
        self.begun = Instant::now();
        let after = self.hedged.begin(Measured::FirstToken);
        let first = self.hedged.inner.stream(self.request.clone());
        match after {
            Some(after) => self.phase = Phase::Alone { first, second_at: Box::pin(sleep(after)) },
            None => self.decide(first, false, 0),
        }
    }

    fn decide(&mut self, events: CompletionStream, is_second: bool, others: u32) {
        self.phase = Phase::Decided { events, is_second, others, text_given: false };
    }

    /// An event of the call that counts.
    fn give(
        &mut self,
        event: Option<Result<CompletionEvent, ModelError>>,
    ) -> Result<CompletionEvent, ModelError> {
        let event = event.unwrap_or_else(|| Err(ended_early(self.hedged.inner.info())));
        let Phase::Decided { is_second, others, text_given, .. } = &mut self.phase else { return event };
        let (is_second, others) = (*is_second, *others);
        let is_first_sign = event.is_ok() && !std::mem::replace(text_given, true);
        if is_first_sign {
            self.hedged.note(Measured::FirstToken, self.begun.elapsed());
        }
        match event {
            Ok(CompletionEvent::Finished(completion)) if others > 0 || is_second => {
                Ok(CompletionEvent::Finished(self.hedged.answered(completion, is_second, others)))
            }
            Err(error) => Err(both_failed(error, others)),
            event => event,
        }
    }
}
