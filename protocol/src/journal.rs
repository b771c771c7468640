//! What is written down of a task, so that it can go on after its process died.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::usage::Usage;

/// A piece of a [`Payload`]: a byte string that is stored once, however often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    /// What the owner of the payload means by this piece: a role, or 0 where there is nothing to tell.
    pub tag: u8,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl Part {
    /// A piece without a meaning of its own.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { tag: 0, bytes: bytes.into() }
    }

    /// A piece that means something to its owner.
    pub fn tagged(tag: u8, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { tag, bytes: bytes.into() }
    }
}

/// The bytes of a request, an answer or a conversation, in pieces.
///
/// Pieces are the unit of sharing: a store keeps equal pieces once, and a payload that begins with all pieces
/// of another one costs its further pieces only. So a conversation that is sent again with each call, longer
/// each time, is stored once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Payload {
    /// The pieces, in order.
    pub parts: Vec<Part>,
}

impl Payload {
    /// A payload of one piece.
    pub fn single(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { parts: vec![Part::new(bytes)] }
    }

    /// The bytes of all pieces together.
    pub fn bytes_len(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// The bytes of a payload that has one piece.
    pub fn as_single(&self) -> Option<&Arc<[u8]>> {
        match self.parts.as_slice() {
            [part] => Some(&part.bytes),
            _ => None,
        }
    }
}

/// The place of a step within its task: the number of the step, counted from 1 within the agent that makes it,
/// behind the place of the question that this agent answers. `2.3` is the third step of the agent that the
/// task's second step asked.
///
/// Places depend on the order in which an agent asks and on nothing else, so an agent that runs again comes
/// by the same places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepPath(Vec<u32>);

impl StepPath {
    /// The place of the task itself, above all steps.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The place of the `number`th step below this one.
    #[must_use]
    pub fn child(&self, number: u32) -> Self {
        let mut path = self.0.clone();
        path.push(number);
        Self(path)
    }

    /// Whether this place is below another one: a step of the agent that answers it, or of one that this agent asked.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    /// Whether this is the task itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for StepPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{number}")?;
        }
        Ok(())
    }
}

impl FromStr for StepPath {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let numbers = text.split('.').map(str::parse).collect::<Result<_, _>>();
        numbers.map(Self).map_err(|_| {
            Failure::invalid(format!("read the step {text:?}: it is not numbers with dots between them"))
        })
    }
}

/// A hash of everything that a step was asked. The same question has the same fingerprint in every process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    /// The first 8 bytes in hexadecimal, which is enough to tell two apart by eye.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What a step was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A question to a model.
    ModelCall {
        /// The catalog entry that answered.
        model: String,
    },
    /// A question to another agent.
    AgentCall {
        /// The agent's kind.
        agent: String,
    },
    /// Anything else that an agent does once.
    Effect,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// With an answer, which never changes from here on.
    Answered {
        /// The answer.
        output: Payload,
        /// What it used.
        usage: Usage,
    },
    /// With a failure that the agent was told.
    Failed(Failure),
}

impl StepOutcome {
    /// Whether there is an answer.
    pub const fn is_answered(&self) -> bool {
        matches!(self, Self::Answered { .. })
    }
}

/// A step that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedStep {
    /// Its place within the task.
    pub path: StepPath,
    /// The attempt that made it, counted from 1.
    pub attempt: u32,
    /// What it was.
    pub kind: StepKind,
    /// What was done, for people. No prompt text.
    pub label: String,
    /// A hash of what was asked.
    pub fingerprint: Fingerprint,
    /// How it ended.
    pub outcome: StepOutcome,
    /// When it ended, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// An attempt that failed and was followed by another one, or by the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Counted from 1.
    pub attempt: u32,
    /// Why it failed.
    pub failure: Failure,
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_with_dots_and_read_back() {
        let path = StepPath::root().child(2).child(13);
        assert_eq!(path.to_string(), "2.13");
        assert_eq!("2.13".parse::<StepPath>().unwrap(), path);
        assert_eq!("".parse::<StepPath>().unwrap(), StepPath::root());
        for wrong in [".", "1.", "a", "1.-2", "4294967296"] {
            assert!(wrong.parse::<StepPath>().unwrap_err().message.contains(wrong));
        }
    }

    #[test]
    fn a_place_is_below_those_it_begins_with() {
        let asked = StepPath::root().child(2);
        assert!(asked.child(1).is_below(&asked) && asked.child(1).child(3).is_below(&asked));
        assert!(asked.is_below(&StepPath::root()));
        for other in [asked.clone(), StepPath::root().child(3), StepPath::root(), StepPath::root().child(21)]
        {
            assert!(!other.is_below(&asked), "{other}");
        }
    }

    #[test]
    fn places_sort_by_number_and_not_by_digits() {
        let root = StepPath::root();
        assert!(root.child(2) < root.child(10));
        assert!(root.child(2) < root.child(2).child(1));
        assert!(root.child(2).child(9) < root.child(3));
    }
}
