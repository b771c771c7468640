//! One line of a supervisor's list.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, Message};

use crate::policy::RestartKind;

use super::{Address, MailboxGauge, Slot, StartContext, StartError};

/// How long a child may take to stop before it is killed, unless its spec says otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// How long a child may take to start before the start counts as failed, unless its spec says otherwise.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The start of a child, boxed: one allocation for each start.
pub(crate) type Starting = Pin<Box<dyn Future<Output = Result<ActorCell, StartError>> + Send>>;

/// Starts a child, again and again.
pub(crate) type Factory = Arc<dyn Fn(StartContext) -> Starting + Send + Sync>;

/// Tells how many messages wait for a child.
pub(crate) type MailboxProbe = Arc<dyn Fn() -> u64 + Send + Sync>;

/// One child of a supervisor: its name, when it comes back, how it starts and how it stops.
///
/// The name is the supervisor's own: it is not registered anywhere, and only siblings must differ.
pub struct ChildSpec {
    pub(crate) name: String,
    pub(crate) kind: RestartKind,
    pub(crate) factory: Factory,
    pub(crate) grace: Duration,
    pub(crate) start_limit: Duration,
    pub(crate) mailbox_probe: Option<MailboxProbe>,
    pub(crate) slot: Slot,
}

impl ChildSpec {
    /// A child that `start` starts, on the first start and on each restart.
    ///
    /// `start` must link the actor to [`StartContext::supervisor`] and return only when it runs;
    /// [`StartContext::spawn`] does both. It is dropped when it takes longer than the start limit or is
    /// overtaken by another decision; an actor that was spawned through the context is then stopped.
    pub fn new<F, S>(name: impl Into<String>, kind: RestartKind, start: F) -> Self
    where
        F: Fn(StartContext) -> S + Send + Sync + 'static,
        S: Future<Output = Result<ActorCell, StartError>> + Send + 'static,
    {
        Self {
            name: name.into(),
            kind,
            factory: Arc::new(move |context| Box::pin(start(context))),
            grace: GRACE,
            start_limit: START_LIMIT,
            mailbox_probe: None,
            slot: Slot::new(),
        }
    }

    /// A child that is one actor; `make` gives a fresh actor and its arguments for each start.
    pub fn actor<A, F>(name: impl Into<String>, kind: RestartKind, make: F) -> Self
    where
        A: Actor,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        Self::new(name, kind, move |context: StartContext| {
            let (actor, args) = make();
            async move { context.spawn(actor, args).await.map(|actor| actor.get_cell()) }
        })
    }

    /// The same child with another time to stop before it is killed; zero kills it at once,
    /// more than 30 days are taken as 30 days.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = crate::bounded(grace);
        self
    }

    /// The same child with another time to start; more than 30 days are taken as 30 days.
    #[must_use]
    pub fn with_start_limit(mut self, start_limit: Duration) -> Self {
        self.start_limit = crate::bounded(start_limit);
        self
    }

    /// The same child with a way to tell how many messages wait for it, for the tree.
    ///
    /// ractor does not count them, so whoever bounds the child's queue does. `probe` must not block.
    #[must_use]
    pub fn with_mailbox_probe(mut self, probe: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.mailbox_probe = Some(Arc::new(probe));
        self
    }

    /// The same child with its mailbox counted by `mailbox`, which its actor counts messages out of: for the tree.
    /// Addresses that were taken before do not count.
    #[must_use]
    pub fn with_mailbox(mut self, mailbox: &MailboxGauge) -> Self {
        self.slot = self.slot.with_mailbox(mailbox.clone());
        let shown = mailbox.clone();
        self.with_mailbox_probe(move || shown.len())
    }

    /// The child's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An address that always leads to the actor that is this child at the moment, over its restarts and
    /// those of its supervisor. Nobody answers to it before the first start.
    pub fn address<M: Message>(&self) -> Address<M> {
        self.slot.address()
    }

    /// The same child once more, for the restart of its supervisor. It shares the address.
    pub(crate) fn again(&self) -> Self {
        Self {
            name: self.name.clone(),
            kind: self.kind,
            factory: Arc::clone(&self.factory),
            grace: self.grace,
            start_limit: self.start_limit,
            mailbox_probe: self.mailbox_probe.clone(),
            slot: self.slot.clone(),
        }
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("grace", &self.grace)
            .field("start_limit", &self.start_limit)
            .finish_non_exhaustive()
    }
}
