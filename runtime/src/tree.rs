//! The supervision tree of a runtime, in one place.
//!
//! ```text
//! runtime                 one_for_one
//! ├─ journal              permanent: the one writer
//! ├─ metrics              permanent
//! ├─ models               one_for_one: an actor for each catalog entry, permanent
//! ├─ agents               one_for_one: several dynamic supervisors, whose children are temporary
//! └─ orchestration        one_for_one
//!    └─ orchestrator      permanent
//! ```
//!
//! None of the parts rests on another one's being the same as before: they find each other by address, and entries wait in
//! the journal's list while its writer is restarted. Agents that wait for it must not be stopped for it first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::metrics_actor::{Meter, MetricsActor, MetricsArgs, MetricsMessage};
use playhouse_actors::model_actor::{ModelActor, ModelArgs, ModelMessage};
use playhouse_actors::orchestrator::{OrchestratorActor, OrchestratorMessage};
use playhouse_config::Config;
use playhouse_protocol::SeededSource;
use playhouse_supervisors::{
    Address, ChildSpec, MailboxGauge, PoolConfig, RestartKind, Strategy, SupervisorMessage, SupervisorPool,
    SupervisorSpec,
};
use ractor::ActorRef;

use crate::journal::{JournalActor, JournalArgs};

/// How long all agents together may take to end when their supervisors are stopped. Short, for a restart of the journal
/// waits for it, and no agent ends by itself in the middle of its work: its request is leased and tried again.
const AGENTS_GRACE: Duration = Duration::from_millis(200);

/// The root of a tree that runs. Dropping it kills the tree, so that none is left behind by a start that comes to
/// nothing.
#[derive(Debug)]
pub(crate) struct Root(pub(crate) ActorRef<SupervisorMessage>);

impl Drop for Root {
    fn drop(&mut self) {
        // Its children end with it.
        self.0.kill();
    }
}

/// A tree that is written down, and the addresses of those in it who are asked.
pub(crate) struct Tree {
    pub(crate) spec: SupervisorSpec,
    pub(crate) pool: SupervisorPool,
    pub(crate) models: BTreeMap<String, Address<ModelMessage>>,
    pub(crate) orchestrator: Address<OrchestratorMessage>,
    pub(crate) metrics: Address<MetricsMessage>,
}

impl Tree {
    /// The tree for these settings, with the embedder's `own_models` beside those of the catalog.
    pub(crate) fn new(
        config: &Config,
        own_models: &[&String],
        random: &SeededSource,
        meter: &Arc<Meter>,
        journal: JournalArgs,
    ) -> Self {
        let jitter = |label: &str| Arc::new(random.fork(label));

        let list = journal.journal.clone();
        let journal_child =
            ChildSpec::actor("journal", RestartKind::Permanent, move || (JournalActor, journal.clone()));
        let journal_child = journal_child.with_mailbox_probe(move || list.waiting_len());

        let mailbox = MailboxGauge::default();
        let args = MetricsArgs { meter: Arc::clone(meter), mailbox: mailbox.clone() };
        let metrics_child =
            ChildSpec::actor("metrics", RestartKind::Permanent, move || (MetricsActor, args.clone()))
                .with_mailbox(&mailbox);
        let metrics = metrics_child.address();

        let mut models = BTreeMap::new();
        let mut models_spec = SupervisorSpec::new("models", Strategy::OneForOne, jitter("supervisor models"));
        let mut queues: BTreeMap<&String, usize> =
            config.models.iter().map(|(name, model)| (name, model.queue_len_max)).collect();
        // An agent alive asks one model at a time.
        queues.extend(own_models.iter().map(|name| (*name, config.limits.agents_live_max)));
        for (name, calls_open_max) in queues {
            let mailbox = MailboxGauge::default();
            let args = ModelArgs {
                model: name.clone(),
                calls_open_max,
                meter: Arc::clone(meter),
                mailbox: mailbox.clone(),
            };
            let child =
                ChildSpec::actor(name.clone(), RestartKind::Permanent, move || (ModelActor, args.clone()))
                    .with_mailbox(&mailbox);
            models.insert(name.clone(), child.address());
            models_spec = models_spec.with_child(child);
        }

        let agents = PoolConfig { children_max: config.limits.agents_live_max, ..PoolConfig::new("agents") };
        // One shard is stopped after the other.
        let grace = AGENTS_GRACE / u32::try_from(agents.shards.get()).unwrap_or(u32::MAX);
        let (pool, agents_spec) =
            SupervisorPool::new(&PoolConfig { grace, ..agents }, jitter("supervisor agents"));

        let mailbox = MailboxGauge::default();
        let taken = mailbox.clone();
        let orchestrator_child = ChildSpec::actor("orchestrator", RestartKind::Permanent, move || {
            (OrchestratorActor, taken.clone())
        })
        .with_mailbox(&mailbox);
        let orchestrator = orchestrator_child.address();
        let orchestration_spec =
            SupervisorSpec::new("orchestration", Strategy::OneForOne, jitter("supervisor orchestration"))
                .with_child(orchestrator_child);

        let spec = SupervisorSpec::new("runtime", Strategy::OneForOne, jitter("supervisor runtime"))
            .with_child(journal_child)
            .with_child(metrics_child)
            .with_child(models_spec.into_child(RestartKind::Permanent))
            .with_child(agents_spec.into_child(RestartKind::Permanent))
            .with_child(orchestration_spec.into_child(RestartKind::Permanent));
        Self { spec, pool, models, orchestrator, metrics }
    }
}
