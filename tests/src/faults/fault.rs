//! What a fault is, and what a client is to make of it.

use std::time::Duration;

use playhouse_protocol::FailureClass;

/// One step of an answer.
#[derive(Debug, Clone)]
pub enum Act {
    /// Sends bytes, on their own.
    Send(Vec<u8>),
    /// Waits.
    Wait(Duration),
    /// Says nothing more, with the connection open.
    Stall,
    /// Ends the connection with a reset.
    Reset,
    /// Ends the connection as one does.
    Close,
}

/// A request, as far as answers depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Counted from 1 for each fault.
    pub number: u32,
    /// Whether a stream was asked for.
    pub streamed: bool,
}

/// One way in which a server misbehaves.
#[derive(Debug)]
pub struct Fault {
    /// Its name: the first part of the path below which it answers.
    pub name: &'static str,
    /// What the server does, as a sentence.
    pub what: &'static str,
    /// The answer to a request.
    pub acts: fn(Call) -> Vec<Act>,
    /// What comes of a plain call; `None` where the fault is one of streams only.
    pub plain: Option<Outcome>,
    /// What comes of a streamed call; `None` where the fault is one of plain answers only.
    pub streamed: Option<Outcome>,
    /// Short time limits, for faults that are noticed by them.
    pub impatient: bool,
    /// Whether the question asks for JSON of a schema.
    pub with_schema: bool,
    /// Where the client is sent.
    pub place: Place,
}

/// Where a client is sent to meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To the server.
    Server,
    /// To the server, which speaks no TLS, with `https`.
    ServerByTls,
    /// To a port where nobody listens.
    Nowhere,
}

/// What comes of a call.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// How it ends.
    pub end: End,
    /// Requests that the server sees.
    pub requests: usize,
    /// Time that passes at least between each request and the next, in milliseconds; missing ones are 0.
    pub gaps_min_ms: &'static [u64],
    /// How many times a streamed answer is begun anew after text was given.
    pub restarts: u32,
    /// The least time that the error asks to wait, in milliseconds.
    pub retry_after_min_ms: Option<u64>,
}

/// How a call ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// With this text.
    Answer(&'static str),
    /// With an error: the name of its kind, its class, its status.
    Error(&'static str, FailureClass, Option<u16>),
}

impl Outcome {
    /// An answer after so many requests.
    pub const fn answer(text: &'static str, requests: usize) -> Self {
        Self { end: End::Answer(text), requests, gaps_min_ms: &[], restarts: 0, retry_after_min_ms: None }
    }

    /// An error after so many requests.
    pub const fn error(
        kind: &'static str,
        class: FailureClass,
        status: Option<u16>,
        requests: usize,
    ) -> Self {
        let end = End::Error(kind, class, status);
        Self { end, requests, gaps_min_ms: &[], restarts: 0, retry_after_min_ms: None }
    }

    /// The same, with the least times between requests.
    #[must_use]
    pub const fn spaced(self, gaps_min_ms: &'static [u64]) -> Self {
        Self { gaps_min_ms, ..self }
    }

    /// The same, with so many restarts.
    #[must_use]
    pub const fn restarted(self, restarts: u32) -> Self {
        Self { restarts, ..self }
    }

    /// The same, with the least time that the error asks to wait.
    #[must_use]
    pub const fn hinting(self, retry_after_min_ms: u64) -> Self {
        Self { retry_after_min_ms: Some(retry_after_min_ms), ..self }
    }
}

impl Fault {
    /// A fault whose plain and streamed calls end alike.
    pub const fn new(
        name: &'static str,
        what: &'static str,
        acts: fn(Call) -> Vec<Act>,
        outcome: Outcome,
    ) -> Self {
        Self {
            name,
            what,
            acts,
            plain: Some(outcome),
            streamed: Some(outcome),
            impatient: false,
            with_schema: false,
            place: Place::Server,
        }
    }

    /// The same, where only streamed calls meet it.
    #[must_use]
    pub const fn of_streams(self) -> Self {
        Self { plain: None, ..self }
    }

    /// The same, where only plain calls meet it.
    #[must_use]
    pub const fn of_plain_answers(self) -> Self {
        Self { streamed: None, ..self }
    }

    /// The same, where streamed calls end otherwise.
    #[must_use]
    pub const fn streamed(self, outcome: Outcome) -> Self {
        Self { streamed: Some(outcome), ..self }
    }

    /// The same, noticed by short time limits.
    #[must_use]
    pub const fn impatient(self) -> Self {
        Self { impatient: true, ..self }
    }

    /// The same, met elsewhere.
    #[must_use]
    pub const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The same, for a question that asks for JSON of a schema.
    #[must_use]
    pub const fn with_schema(self) -> Self {
        Self { with_schema: true, ..self }
    }
}
