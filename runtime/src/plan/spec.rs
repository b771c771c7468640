//! A plan as it is stored: what it asks, and what it answers.

use std::collections::BTreeMap;

use playhouse_protocol::envelope::{self, EnvelopeError};
use playhouse_protocol::journal::{Part, Payload};
use playhouse_protocol::plan::PlanShape;
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass};
use serde::{Deserialize, Serialize};

use super::part::{Leaf, PlanPart};

/// The version of the stored form.
const VERSION: u8 = 1;

/// The tag of a piece that is no request: the task takes the reply of the one before.
const ON_REPLY: u8 = 1;

/// A plan, ready to be run.
#[derive(Debug, Clone)]
pub(crate) struct PlanSpec {
    pub(crate) shape: PlanShape,
    pub(crate) leaves: Vec<Leaf>,
    /// Options of each task; keys are the plan's own.
    pub(crate) options: TaskOptions,
}

/// The first piece of a stored plan; the requests follow, a piece each.
#[derive(Serialize, Deserialize)]
struct Head {
    shape: PlanShape,
    options: TaskOptions,
    /// Kinds of agents, each named once.
    kinds: Vec<String>,
    /// The kind of each task, as a number of `kinds`; all are of the only kind when this is empty.
    kind_of: Vec<u32>,
}

impl PlanSpec {
    pub(crate) fn new(plan: PlanPart, options: TaskOptions) -> Result<Self, Failure> {
        let PlanPart { shape, leaves } = plan;
        shape.check(leaves.len())?;
        check_replies(&shape, &leaves)?;
        Ok(Self { shape, leaves, options })
    }

    pub(crate) fn to_payload(&self) -> Result<Payload, EnvelopeError> {
        let mut kinds: Vec<String> = Vec::new();
        let mut kind_of = Vec::with_capacity(self.leaves.len());
        for leaf in &self.leaves {
            let at = kinds.iter().position(|kind| *kind == leaf.kind).unwrap_or_else(|| {
                kinds.push(leaf.kind.clone());
                kinds.len() - 1
            });
            kind_of.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        if kinds.len() == 1 {
            kind_of.clear();
        }
        let head = Head { shape: self.shape.clone(), options: self.options.clone(), kinds, kind_of };
        let mut parts = vec![Part::new(envelope::encode_agent_value(VERSION, &head)?)];
        parts.extend(self.leaves.iter().map(|leaf| match &leaf.request {
            Some(request) => Part::new(request.as_slice()),
            None => Part::tagged(ON_REPLY, []),
        }));
        Ok(Payload { parts })
    }

    pub(crate) fn from_payload(payload: &Payload) -> Result<Self, Failure> {
        let Some((head, requests)) = payload.parts.split_first() else {
            return Err(Failure::internal("read a plan: it has no pieces"));
        };
        let Head { shape, options, kinds, kind_of } =
            envelope::decode_agent_value(VERSION, &head.bytes).map_err(Failure::from)?;
        let leaf = |(at, part): (usize, &Part)| {
            let kind = kind_of.get(at).copied().unwrap_or_default();
            let kind = kinds.get(kind as usize).cloned().unwrap_or_default();
            Leaf { kind, request: (part.tag != ON_REPLY).then(|| part.bytes.to_vec()) }
        };
        let leaves: Vec<_> = requests.iter().enumerate().map(leaf).collect();
        shape.check(leaves.len())?;
        Ok(Self { shape, leaves, options })
    }
}

/// Checks that each task that takes a reply has a task directly before it in a sequence.
fn check_replies(shape: &PlanShape, leaves: &[Leaf]) -> Result<(), Failure> {
    match first_without_reply(shape, leaves, &mut 0, false) {
        None => Ok(()),
        Some(number) => Err(Failure::invalid(format!(
            "run a plan: task {number} takes the reply of a task directly before it, and there is none"
        ))
        .with_hint("A task that takes a reply stands behind a task in a sequence.")),
    }
}

/// The first task that takes a reply nobody gives. `number` is that of the next task, `has_reply` whether a task is
/// directly before it.
fn first_without_reply(
    shape: &PlanShape,
    leaves: &[Leaf],
    number: &mut usize,
    mut has_reply: bool,
) -> Option<usize> {
    let task = |number: &mut usize, has_reply: bool| {
        let at = std::mem::replace(number, *number + 1);
        leaves.get(at).is_some_and(|leaf| leaf.request.is_none() && !has_reply).then_some(at)
    };
    match shape {
        PlanShape::Task => task(number, has_reply),
        PlanShape::Items { count, .. } => (0..*count).find_map(|_| task(number, false)),
        PlanShape::Parallel { branches, .. } => {
            branches.iter().find_map(|part| first_without_reply(part, leaves, number, false))
        }
        PlanShape::Sequence(parts) => parts.iter().find_map(|part| {
            let found = first_without_reply(part, leaves, number, has_reply);
            has_reply = matches!(part, PlanShape::Task);
            found
        }),
    }
}

/// What a plan answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanReply {
    pub(crate) failure: Option<Failure>,
    /// The reply of each task as it was stored, or why there is none.
    pub(crate) items: Vec<Result<Payload, Failure>>,
}

/// The version of the stored answer. The first one had all failures in its head, which a large plan outgrew; it is still
/// read.
const REPLY_VERSION: u8 = 2;

/// Bytes of failures in one piece, about: far below what one piece can hold, and with hardly any overhead.
const FAILURES_PIECE_BYTES: usize = 256 * 1024;

/// The first piece of a stored answer. Pieces of failures follow, then those of replies.
#[derive(Serialize, Deserialize)]
struct ReplyHead {
    failure: Option<Failure>,
    /// For each task the number of pieces of its reply, or the number of its failure.
    items: Vec<Result<u32, u32>>,
    /// Pieces of failures, each a list. Equal failures are there once.
    failure_pieces: u32,
}

/// What the first version had in the place of a [`ReplyHead`].
#[derive(Serialize, Deserialize)]
struct FirstReplyHead {
    failure: Option<Failure>,
    items: Vec<Result<u32, Failure>>,
}

/// All fields of a failure, in a form that can be looked up.
type FailureKey<'a> = (FailureClass, &'a str, Option<&'a str>, Option<u64>);

/// Failures of a plan, each once, in the order in which they came.
#[derive(Default)]
struct Failures<'a> {
    numbers: BTreeMap<FailureKey<'a>, u32>,
    pieces: Vec<Vec<&'a Failure>>,
    piece_bytes: usize,
}

impl<'a> Failures<'a> {
    fn number_of(&mut self, failure: &'a Failure) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let hint = failure.hint.as_deref();
        let key = (failure.class, failure.message.as_str(), hint, failure.retry_after_ms);
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.push(failure);
        }
        number
    }

    fn push(&mut self, failure: &'a Failure) {
        let bytes = failure.message.len() + failure.hint.as_deref().map_or(0, str::len);
        match self.pieces.last_mut() {
            Some(piece) if self.piece_bytes + bytes <= FAILURES_PIECE_BYTES => {
                piece.push(failure);
                self.piece_bytes += bytes;
            }
            Some(_) | None => {
                self.pieces.push(vec![failure]);
                self.piece_bytes = bytes;
            }
        }
    }
}

impl PlanReply {
    /// The replies are the same pieces as in the tasks' own ends, and stored once.
    pub(crate) fn to_payload(&self) -> Result<Payload, EnvelopeError> {
        let len = |reply: &Payload| u32::try_from(reply.parts.len()).unwrap_or(u32::MAX);
        let mut failures = Failures::default();
        let mut items = Vec::with_capacity(self.items.len());
        for item in &self.items {
            items.push(item.as_ref().map(len).map_err(|failure| failures.number_of(failure)));
        }
        let failure_pieces = u32::try_from(failures.pieces.len()).unwrap_or(u32::MAX);
        let head = ReplyHead { failure: self.failure.clone(), items, failure_pieces };
        let mut parts = vec![Part::new(envelope::encode_agent_value(REPLY_VERSION, &head)?)];
        for piece in &failures.pieces {
            parts.push(Part::new(envelope::encode_agent_value(REPLY_VERSION, piece)?));
        }
        parts.extend(self.items.iter().flatten().flat_map(|reply| reply.parts.iter().cloned()));
        Ok(Payload { parts })
    }

    pub(crate) fn from_payload(payload: &Payload) -> Result<Self, Failure> {
        let Some((head, pieces)) = payload.parts.split_first() else {
            return Err(Failure::internal("read the answer of a plan: it has no pieces"));
        };
        let read = envelope::decode_agent_value::<ReplyHead>(REPLY_VERSION, &head.bytes);
        if let Err(EnvelopeError::Version { found: VERSION, .. }) = read {
            return Self::from_first_version(&head.bytes, pieces);
        }
        let ReplyHead { failure, items, failure_pieces } = read?;
        let missing = || Failure::internal("read the answer of a plan: pieces are missing");
        let (of_failures, of_replies) =
            pieces.split_at_checked(failure_pieces as usize).ok_or_else(missing)?;
        let mut failures: Vec<Failure> = Vec::new();
        for piece in of_failures {
            let mut read: Vec<Failure> = envelope::decode_agent_value(REPLY_VERSION, &piece.bytes)?;
            failures.append(&mut read);
        }
        let failure_of = |number: u32| failures.get(number as usize).cloned().ok_or_else(missing);
        let items = items.into_iter().map(|item| match item {
            Ok(len) => Ok(Ok(len)),
            Err(number) => failure_of(number).map(Err),
        });
        Ok(Self { failure, items: with_pieces(items.collect::<Result<_, _>>()?, of_replies) })
    }

    fn from_first_version(head: &[u8], pieces: &[Part]) -> Result<Self, Failure> {
        let FirstReplyHead { failure, items } = envelope::decode_agent_value(VERSION, head)?;
        Ok(Self { failure, items: with_pieces(items, pieces) })
    }
}

/// Gives each reply its pieces.
fn with_pieces(items: Vec<Result<u32, Failure>>, pieces: &[Part]) -> Vec<Result<Payload, Failure>> {
    let mut pieces = pieces.iter().cloned();
    let item = |item: Result<u32, Failure>| {
        item.map(|len| Payload { parts: pieces.by_ref().take(len as usize).collect() })
    };
    items.into_iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::plan::Policy;

    use super::*;

    #[test]
    fn a_plan_and_its_answer_come_back_as_they_were() {
        let leaf = |kind: &str, request: Option<&[u8]>| Leaf {
            kind: kind.to_owned(),
            request: request.map(<[u8]>::to_vec),
        };
        for leaves in
            [vec![leaf("a", Some(b"1")), leaf("b", None)], vec![leaf("a", Some(b"1")), leaf("a", Some(b""))]]
        {
            let shape = PlanShape::Sequence(vec![PlanShape::Task, PlanShape::Task]);
            let spec = PlanSpec { shape, leaves, options: TaskOptions::default() };
            let again = PlanSpec::from_payload(&spec.to_payload().unwrap()).unwrap();
            assert_eq!(
                (&again.shape, &again.leaves, &again.options),
                (&spec.shape, &spec.leaves, &spec.options)
            );
        }
        let failure = Failure::new(FailureClass::Denied, "say no");
        let two = Payload { parts: vec![Part::new(*b"x"), Part::tagged(3, *b"y")] };
        let reply = PlanReply {
            failure: Some(failure.clone()),
            items: vec![Ok(Payload::single(*b"a")), Err(failure), Ok(Payload::default()), Ok(two)],
        };
        assert_eq!(PlanReply::from_payload(&reply.to_payload().unwrap()).unwrap(), reply);
        assert!(PlanReply::from_payload(&Payload::default()).is_err());
        assert!(PlanSpec::from_payload(&Payload::single(*b"no")).is_err());
        let wrong = PlanPart {
            shape: PlanShape::Items { count: 2, width: 1, policy: Policy::All },
            leaves: vec![leaf("a", None)],
        };
        assert!(PlanSpec::new(wrong, TaskOptions::default()).is_err());
    }

    #[test]
    fn an_answer_of_the_first_version_is_still_read() {
        let failure = Failure::new(FailureClass::Denied, "say no");
        let head = FirstReplyHead { failure: None, items: vec![Ok(1), Err(failure.clone()), Ok(0), Ok(2)] };
        let head = Part::new(envelope::encode_agent_value(VERSION, &head).unwrap());
        let pieces = [*b"a", *b"b", *b"c"].map(Part::new);
        let payload = Payload { parts: [&[head][..], &pieces[..]].concat() };
        let [a, b, c] = pieces;
        let items = vec![
            Ok(Payload { parts: vec![a] }),
            Err(failure),
            Ok(Payload::default()),
            Ok(Payload { parts: vec![b, c] }),
        ];
        assert_eq!(PlanReply::from_payload(&payload).unwrap(), PlanReply { failure: None, items });
    }

    #[test]
    fn an_answer_with_many_long_failures_is_written_and_equal_ones_are_there_once() {
        let text = "x".repeat(2_000);
        let other = |number: usize| Failure::new(FailureClass::Retryable, format!("{text} {number}"));
        let items = (0..10_000).map(|number| Err(other(number))).collect();
        let reply = PlanReply { failure: None, items };
        let payload = reply.to_payload().unwrap();
        assert!(payload.bytes_len() > envelope::PAYLOAD_BYTES_MAX);
        assert_eq!(PlanReply::from_payload(&payload).unwrap(), reply);
        let cut = Payload { parts: payload.parts[..2].to_vec() };
        assert!(PlanReply::from_payload(&cut).unwrap_err().message.ends_with("pieces are missing"));

        let same = PlanReply { failure: None, items: vec![Err(other(0)); 10_000] };
        let payload = same.to_payload().unwrap();
        assert!(payload.bytes_len() < 100_000, "{}", payload.bytes_len());
        assert_eq!(PlanReply::from_payload(&payload).unwrap(), same);
    }
}
