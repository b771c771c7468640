//! How many messages wait for an actor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the messages that wait for an actor, which ractor does not tell.
///
/// [`Address::send`](super::Address::send) counts a message in; the actor counts it out when it takes it, and begins anew
/// when it starts. Only what goes through the address is counted, so an actor counts out no message of its own timers.
#[derive(Debug, Clone, Default)]
pub struct MailboxGauge(Arc<AtomicU64>);

impl MailboxGauge {
    /// One more message waits.
    pub fn sent(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// A message that was counted in was taken.
    pub fn taken(&self) {
        // Never below zero: a restart may have dropped what was counted.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |len| len.checked_sub(1));
    }

    /// The mailbox is a new one, without messages.
    pub fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// How many messages wait.
    pub fn len(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use playhouse_protocol::SeededSource;
    use ractor::{Actor, ActorProcessingErr, ActorRef};
    use tokio::sync::Notify;

    use super::*;
    use crate::{ChildSpec, RestartKind, Strategy, SupervisorSpec};

    const LIMIT: Duration = Duration::from_secs(5);

    struct Slow {
        mailbox: MailboxGauge,
        go: Arc<Notify>,
    }

    impl Actor for Slow {
        type Msg = bool;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<bool>, (): ()) -> Result<(), ActorProcessingErr> {
            self.mailbox.begin();
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<bool>,
            fails: bool,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            self.mailbox.taken();
            self.go.notified().await;
            if fails { Err("told to".into()) } else { Ok(()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_tree_tells_how_many_messages_wait_and_a_restart_begins_anew() {
        let (mailbox, go) = (MailboxGauge::default(), Arc::new(Notify::new()));
        let (of_actor, of_go) = (mailbox.clone(), Arc::clone(&go));
        let child = ChildSpec::actor("slow", RestartKind::Permanent, move || {
            (Slow { mailbox: of_actor.clone(), go: Arc::clone(&of_go) }, ())
        })
        .with_mailbox(&mailbox);
        let address = child.address::<bool>();
        assert!(address.send(false).is_err(), "nobody is there yet");
        let random = Arc::new(SeededSource::from_seed(1));
        let root = SupervisorSpec::new("root", Strategy::OneForOne, random).with_child(child);
        let root = root.spawn().await.unwrap();
        crate::ready(&root.actor, LIMIT).await.unwrap();
        let waiting = async || {
            let tree = crate::tree(&root.actor, LIMIT).await.unwrap();
            tree.child("slow").unwrap().mailbox_len
        };
        assert_eq!(waiting().await, Some(0));
        for fails in [true, false, false] {
            address.send(fails).unwrap();
        }
        while waiting().await == Some(3) {
            tokio::task::yield_now().await;
        }
        assert_eq!(waiting().await, Some(2), "one is being handled");
        go.notify_one();
        // The actor fails; what waited is dropped with its mailbox.
        let restarts = async || crate::tree(&root.actor, LIMIT).await.unwrap().children[0].restarts_total();
        while restarts().await == 0 || address.get().is_none() {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert_eq!(waiting().await, Some(0));
        mailbox.taken();
        assert!(mailbox.is_empty(), "never below zero");
        crate::shutdown(&root.actor, LIMIT).await.unwrap();
    }
}
