//! A stable way to an actor that is replaced when it fails.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::FailureClass;
use ractor::{ActorCell, ActorId, ActorRef, ActorStatus, Message};
use tokio::sync::watch;

use super::MailboxGauge;

/// Where a child's present actor stands. Written by whoever starts the child and by its supervisor, read
/// by addresses; lives as long as any of them.
#[derive(Clone)]
pub(crate) struct Slot(Arc<watch::Sender<Option<ActorCell>>>, Option<MailboxGauge>);

impl Slot {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)), None)
    }

    /// The same slot, whose addresses count what they send.
    pub(crate) fn with_mailbox(mut self, mailbox: MailboxGauge) -> Self {
        self.1 = Some(mailbox);
        self
    }

    /// The present actor, which may have ended a moment ago.
    pub(crate) fn get(&self) -> Option<ActorCell> {
        self.0.borrow().clone()
    }

    /// Whether this actor is the present one.
    pub(crate) fn holds(&self, id: ActorId) -> bool {
        self.0.borrow().as_ref().is_some_and(|cell| cell.get_id() == id)
    }

    pub(crate) fn set(&self, cell: ActorCell) {
        self.0.send_replace(Some(cell));
    }

    /// Empties the slot, if this actor is in it.
    pub(crate) fn clear(&self, id: ActorId) {
        self.0.send_if_modified(|present| {
            let is_present = present.as_ref().is_some_and(|cell| cell.get_id() == id);
            if is_present {
                *present = None;
            }
            is_present
        });
    }

    pub(crate) fn address<M: Message>(&self) -> Address<M> {
        Address { present: self.0.subscribe(), mailbox: self.1.clone(), message: PhantomData }
    }
}

/// Leads to the actor that is a certain child at the moment.
///
/// Cheap to clone. A reference taken from it leads to one actor only and is dead after that actor's end,
/// so take one for each message.
pub struct Address<M> {
    present: watch::Receiver<Option<ActorCell>>,
    mailbox: Option<MailboxGauge>,
    message: PhantomData<fn(M)>,
}

impl<M: Message> Address<M> {
    /// The present actor; none while the child is down, or if it takes messages of another type.
    pub fn get(&self) -> Option<ActorRef<M>> {
        typed(self.present.borrow().as_ref())
    }

    /// Sends a message to the present actor, counted where the child counts its mailbox.
    ///
    /// # Errors
    /// [`AddressError::Down`] when the child is down; the message is dropped.
    pub fn send(&self, message: M) -> Result<(), AddressError> {
        let down = AddressError::Down { limit_ms: 0 };
        let actor = self.get().ok_or(down)?;
        if let Some(mailbox) = &self.mailbox {
            mailbox.sent();
        }
        actor.cast(message).map_err(|_| {
            if let Some(mailbox) = &self.mailbox {
                mailbox.taken();
            }
            down
        })
    }

    /// The present actor, waiting up to `limit` for one.
    ///
    /// # Errors
    /// [`AddressError::Down`] when the child was not up within `limit`.
    pub async fn wait(&self, limit: Duration) -> Result<ActorRef<M>, AddressError> {
        let down = AddressError::Down { limit_ms: crate::millis(limit) };
        let mut present = self.present.clone();
        let up = tokio::time::timeout(limit, present.wait_for(|cell| typed::<M>(cell.as_ref()).is_some()));
        match up.await {
            Ok(Ok(cell)) => typed(cell.as_ref()).ok_or(down),
            // The supervisor and its spec are gone: there will never be one.
            Ok(Err(_closed)) => Err(down),
            Err(_elapsed) => Err(down),
        }
    }
}

/// The reference, if the actor takes these messages and takes messages at all.
fn typed<M: Message>(cell: Option<&ActorCell>) -> Option<ActorRef<M>> {
    cell.filter(|cell| cell.get_status() < ActorStatus::Draining)
        .filter(|cell| cell.is_message_type_of::<M>() == Some(true))
        .cloned()
        .map(ActorRef::from)
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { present: self.present.clone(), mailbox: self.mailbox.clone(), message: PhantomData }
    }
}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&*self.present.borrow()).finish()
    }
}

/// Why an [`Address`] leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The child is being restarted, was given up, or was never started.
    #[error("reach the actor within {limit_ms} ms: it is down")]
    Down {
        /// How long it was waited for, in milliseconds.
        limit_ms: u64,
    },
}

impl AddressError {
    /// What to decide on.
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Down { .. } => FailureClass::Retryable,
        }
    }
}
