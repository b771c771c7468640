//! A plan as it is stored: what it asks, and what it answers.

use playhouse_protocol::Failure;
use playhouse_protocol::envelope::{self, EnvelopeError};
use playhouse_protocol::journal::{Part, Payload};
use playhouse_protocol::plan::PlanShape;
use playhouse_protocol::task::TaskOptions;
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

/// What a plan answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanReply {
    pub(crate) failure: Option<Failure>,
    /// The reply of each task as it was stored, or why there is none.
    pub(crate) items: Vec<Result<Payload, Failure>>,
}

#[derive(Serialize, Deserialize)]
struct ReplyHead {
    failure: Option<Failure>,
    /// For each task the number of pieces of its reply, or its failure.
    items: Vec<Result<u32, Failure>>,
}

impl PlanReply {
    /// The replies are the same pieces as in the tasks' own ends, and stored once.
    pub(crate) fn to_payload(&self) -> Result<Payload, EnvelopeError> {
        let len = |reply: &Payload| u32::try_from(reply.parts.len()).unwrap_or(u32::MAX);
        let items = self.items.iter().map(|item| item.as_ref().map(len).map_err(Clone::clone)).collect();
        let head = ReplyHead { failure: self.failure.clone(), items };
        let mut parts = vec![Part::new(envelope::encode_agent_value(VERSION, &head)?)];
        parts.extend(self.items.iter().flatten().flat_map(|reply| reply.parts.iter().cloned()));
        Ok(Payload { parts })
    }

    pub(crate) fn from_payload(payload: &Payload) -> Result<Self, Failure> {
        let Some((head, pieces)) = payload.parts.split_first() else {
            return Err(Failure::internal("read the answer of a plan: it has no pieces"));
        };
        let ReplyHead { failure, items } =
            envelope::decode_agent_value(VERSION, &head.bytes).map_err(Failure::from)?;
        let mut pieces = pieces.iter().cloned();
        let item = |item: Result<u32, Failure>| {
            item.map(|len| Payload { parts: pieces.by_ref().take(len as usize).collect() })
        };
        Ok(Self { failure, items: items.into_iter().map(item).collect() })
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::FailureClass;
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
}
