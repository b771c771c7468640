//! Writing a plan down.

use playhouse_actors::agent::Agent;
use playhouse_protocol::plan::{PlanShape, Policy};
use playhouse_protocol::{Failure, envelope};

use crate::admission::unwritable_request;

/// A task of a plan: the kind of its agent, and its request, or none when that is the reply of the task before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) kind: String,
    pub(crate) request: Option<Vec<u8>>,
}

/// A plan, or a part of one, that is being written down.
///
/// ```
/// # use playhouse_runtime::{Agent, AgentContext, AgentError, PlanPart};
/// # use playhouse_runtime::protocol::plan::Policy;
/// # struct Draft; struct Check;
/// # impl Agent for Draft { const KIND: &'static str = "draft"; type Request = String; type Reply = String;
/// #   async fn run(&self, _: &mut AgentContext, r: String) -> Result<String, AgentError> { Ok(r) } }
/// # impl Agent for Check { const KIND: &'static str = "check"; type Request = String; type Reply = bool;
/// #   async fn run(&self, _: &mut AgentContext, r: String) -> Result<bool, AgentError> { Ok(r.is_empty()) } }
/// # fn main() -> Result<(), playhouse_runtime::protocol::Failure> {
/// // Two drafts side by side, each checked as soon as it is there; one that passes is enough.
/// let branch = |text: &str| {
///     Ok::<_, playhouse_runtime::protocol::Failure>(PlanPart::sequence(vec![
///         PlanPart::task::<Draft>(&text.to_owned())?,
///         PlanPart::on_reply::<Check>(),
///     ]))
/// };
/// let plan = PlanPart::parallel(vec![branch("one")?, branch("two")?], 2, Policy::FirstN(1));
/// assert_eq!(plan.tasks_len(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a plan does nothing until it is submitted"]
pub struct PlanPart {
    pub(crate) shape: PlanShape,
    pub(crate) leaves: Vec<Leaf>,
}

impl PlanPart {
    /// A request to an agent.
    ///
    /// # Errors
    /// When the request is too large, or has a form that cannot be written down.
    pub fn task<A: Agent>(request: &A::Request) -> Result<Self, Failure> {
        let request = envelope::encode_agent_value(A::VERSION, request)
            .map_err(|error| unwritable_request::<A>(&error))?;
        Ok(Self::leaf(Leaf { kind: A::KIND.to_owned(), request: Some(request) }))
    }

    /// A request to an agent that is the reply of the task directly before it in its sequence, which must be of the
    /// same type and version.
    pub fn on_reply<A: Agent>() -> Self {
        Self::leaf(Leaf { kind: A::KIND.to_owned(), request: None })
    }

    fn leaf(leaf: Leaf) -> Self {
        Self { shape: PlanShape::Task, leaves: vec![leaf] }
    }

    /// Parts one after the other. The first failure ends it.
    pub fn sequence(parts: Vec<Self>) -> Self {
        let (shapes, leaves) = split(parts);
        Self { shape: PlanShape::Sequence(shapes), leaves }
    }

    /// Parts side by side, at most `width` at once.
    pub fn parallel(parts: Vec<Self>, width: usize, policy: Policy) -> Self {
        let (branches, leaves) = split(parts);
        Self { shape: PlanShape::Parallel { branches, width, policy }, leaves }
    }

    /// How many tasks it has. They are numbered from 0 in the order in which they were written.
    pub fn tasks_len(&self) -> usize {
        self.leaves.len()
    }
}

fn split(parts: Vec<PlanPart>) -> (Vec<PlanShape>, Vec<Leaf>) {
    let mut leaves = Vec::new();
    let shapes = parts
        .into_iter()
        .map(|part| {
            leaves.extend(part.leaves);
            part.shape
        })
        .collect();
    (shapes, leaves)
}
