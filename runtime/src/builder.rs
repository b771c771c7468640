//! Writing a runtime down, and starting it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::Agent;
use playhouse_actors::chat::{Chat, ChatArgs, ConversationStore};
use playhouse_actors::compressor::Compressor;
use playhouse_actors::context::{AgentRegistry, AgentServices, AgentServicesArgs, DuplicateAgent};
use playhouse_actors::develop::Developer;
use playhouse_actors::generator::CodeGenerator;
use playhouse_actors::metrics_actor::Meter;
use playhouse_actors::reviewer::CodeReviewer;
use playhouse_actors::riddles::RiddleEvaluator;
use playhouse_config::Config;
use playhouse_config::prompts::PromptLibrary;
use playhouse_config::settings::JournalConfig;
use playhouse_models::{BudgetLedger, Catalog, CatalogParts, ModelClient, QualityObserver};
use playhouse_protocol::{SeededSource, WallClock};
use playhouse_supervisors::ready;
use tokio::task::JoinSet;

use crate::admission::{Places, Slots};
use crate::clock::SystemWallClock;
use crate::error::StartError;
use crate::journal::{Journal, JournalArgs};
use crate::performance;
use crate::router::{CatalogRouter, OwnModels};
use crate::runtime::{Runtime, RuntimeParts};
use crate::store::{MemoryStore, TaskStore};
use crate::tasks::{Engine, EngineParts, Ledger};
use crate::tree::{Root, Tree};

/// How long the tree may take to start. Nothing in it waits for a network or loads a model.
const START_LIMIT: Duration = Duration::from_secs(30);

type Register = Box<dyn FnOnce(&mut AgentRegistry) -> Result<(), DuplicateAgent> + Send>;

/// A runtime that is being written down. Made by [`Runtime::builder`].
#[derive(Default)]
#[must_use = "a runtime does nothing until it is started"]
pub struct RuntimeBuilder {
    config: Config,
    agents: Vec<Register>,
    seed: Option<u64>,
    clock: Option<Arc<dyn WallClock>>,
    models_dir: Option<PathBuf>,
    performance_file: Option<PathBuf>,
    store: Option<Arc<dyn TaskStore>>,
    conversations: Option<Arc<dyn ConversationStore>>,
    models: OwnModels,
    quality_observers: Vec<Arc<dyn QualityObserver>>,
    without_recovery: bool,
}

impl RuntimeBuilder {
    /// The settings; the built-in ones when this is not called.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The settings as they are so far.
    pub const fn settings(&self) -> &Config {
        &self.config
    }

    /// Adds an agent beside the shipped ones.
    pub fn agent<A: Agent>(mut self, agent: A) -> Self {
        self.agents.push(Box::new(move |registry| registry.insert(agent)));
        self
    }

    /// Where ids, jitter and the like are drawn from: the same seed draws the same. Taken from the operating
    /// system when this is not called.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The time of day; the system's clock when this is not called.
    pub fn clock(mut self, clock: Arc<dyn WallClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The folder of fetched models; the user's cache folder when this is not called.
    pub fn models_dir(mut self, models_dir: impl Into<PathBuf>) -> Self {
        self.models_dir = Some(models_dir.into());
        self
    }

    /// The file in which measured times, failures and quality of models survive the process: read at the start, written by
    /// [`Runtime::shutdown`]. They end with the process when this is not called. One that cannot be used is left out, with a
    /// warning.
    pub fn performance_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.performance_file = Some(path.into());
        self
    }

    /// Where tasks are written down. When this is not called, the file that the settings name, or the process's
    /// memory when they name none. A store serves one runtime at a time.
    pub fn store(mut self, store: Arc<dyn TaskStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Where conversations live: registers [`Chat`], which answers in them. There is no such agent when this is not called.
    pub fn conversations(mut self, store: Arc<dyn ConversationStore>) -> Self {
        self.conversations = Some(store);
        self
    }

    /// Adds a model of the embedder's own beside those of the settings; it stands above one of the same name.
    pub fn model(mut self, name: impl Into<String>, client: Arc<dyn ModelClient>) -> Self {
        self.models.clients.insert(name.into(), client);
        self
    }

    /// The model for every question that names none, whatever the settings select: one that was added with
    /// [`model`](Self::model).
    pub fn default_model(mut self, name: impl Into<String>) -> Self {
        self.models.default = Some(name.into());
        self
    }

    /// Adds somebody who is told how good answers are: those that `develop` has reviewed, those that agents judge
    /// ([`AgentContext::record_quality`](playhouse_actors::AgentContext::record_quality)), and those that
    /// [`Runtime::record_quality`] tells of.
    pub fn quality_observer(mut self, observer: Arc<dyn QualityObserver>) -> Self {
        self.quality_observers.push(observer);
        self
    }

    /// Leaves the tasks that an earlier process left open in the journal alone.
    pub fn without_recovery(mut self) -> Self {
        self.without_recovery = true;
        self
    }

    /// Starts the runtime: its supervision tree is up when this returns, and the tasks that an earlier process
    /// left open in the journal are in its table. No model is loaded or asked before that.
    ///
    /// # Errors
    /// [`StartError`] when the settings, the journal, the prompt templates or the agents cannot be used.
    pub async fn start(self) -> Result<Runtime, StartError> {
        let random = Arc::new(SeededSource::from_seed(self.seed.unwrap_or_else(operating_system_seed)));
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemWallClock::now()));
        let meter = Meter::new().map_err(|error| StartError::Metrics(error.to_string()))?;
        let mut registry = register(self.agents)?;
        if let Some(store) = self.conversations {
            registry.insert(Chat::new(ChatArgs { store, clock: Arc::clone(&clock) }))?;
        }
        let prompts = match &self.config.prompts_dir {
            None => PromptLibrary::built_in(),
            Some(dir) => PromptLibrary::with_overrides(dir),
        }
        .map_err(|error| StartError::Prompts(error.into()))?;
        let catalog = Arc::new(Catalog::new(
            &self.config,
            CatalogParts {
                random: Arc::new(random.fork("models")),
                wall_clock: Arc::clone(&clock),
                models_dir: self.models_dir.unwrap_or_else(default_models_dir),
                observer: Arc::clone(&meter) as _,
            },
        ));
        if let Some(path) = &self.performance_file {
            performance::load(&catalog, path).await;
        }
        catalog.tell_quality(self.quality_observers);
        let store = match self.store {
            Some(store) => store,
            None => open_store(&self.config.journal).await?,
        };
        let ledger = open_ledger(&self.config, &store, &clock).await?;
        meter.watch_budgets(Arc::clone(&ledger));
        let journal = Journal::new(store, Arc::clone(&meter));
        let journal_args = JournalArgs {
            journal: journal.clone(),
            ended_age_max: self.config.journal.ended_age_max,
            ended_max: self.config.journal.ended_max,
            clock: Arc::clone(&clock),
        };
        self.models.check()?;
        let own: Vec<&String> = self.models.clients.keys().collect();
        let tree = Tree::new(&self.config, &own, &random, &meter, journal_args);
        let actors: BTreeMap<_, _> = tree.models.clone();
        let router = Arc::new(CatalogRouter::new(Arc::clone(&catalog), actors, self.models));
        let services = AgentServices::new(AgentServicesArgs {
            registry,
            pool: tree.pool.clone(),
            models: Arc::clone(&router) as _,
            prompts,
            agents_config: self.config.agents.clone(),
            meter: Arc::clone(&meter),
            ledger,
        });
        let spawned = tree.spec.spawn().await?;
        let root = Root(spawned.actor.clone());
        ready(&root.0, START_LIMIT).await?;
        let engine = Engine::new(EngineParts {
            services,
            journal,
            places: Places::new(tree.pool),
            slots: Slots::new("task", &self.config.limits),
            plan_slots: Slots::new("plan", &self.config.limits),
            ledger: Ledger::new(meter),
            orchestrator: tree.orchestrator,
            limits: self.config.limits,
            attempts: self.config.attempts,
            ids: random.fork("ids"),
            jitter: random.fork("attempts"),
            clock,
        });
        let mut watch = JoinSet::new();
        let watched = Arc::clone(&engine);
        watch.spawn(async move {
            let cause = spawned.ended().await;
            watched.tree_ended(&cause);
        });
        let runtime = Runtime::from_parts(RuntimeParts {
            engine: Arc::clone(&engine),
            catalog,
            router,
            performance_file: self.performance_file,
            root,
            models: tree.models,
            metrics: tree.metrics,
            _watch: watch,
        });
        if !self.without_recovery {
            let resumed = engine.recover().await?;
            if resumed > 0 {
                tracing::info!(resumed, "going on with the tasks that an earlier process left open");
            }
        }
        Ok(runtime)
    }
}

/// The books of today, with what earlier processes used. Tasks that were not written down are not in it.
async fn open_ledger(
    config: &Config,
    store: &Arc<dyn TaskStore>,
    clock: &Arc<dyn WallClock>,
) -> Result<Arc<BudgetLedger>, StartError> {
    let ledger = BudgetLedger::new(config.budgets.clone(), Arc::clone(clock));
    for (tenant, used) in store.usage_since(ledger.day_began_unix_ms()).await? {
        ledger.add_used(&tenant, used);
    }
    Ok(ledger)
}

/// The journal that the settings name.
async fn open_store(journal: &JournalConfig) -> Result<Arc<dyn TaskStore>, StartError> {
    let Some(path) = journal.path.clone() else { return Ok(Arc::new(MemoryStore::default())) };
    open_file(path).await
}

#[cfg(feature = "sqlite")]
async fn open_file(path: PathBuf) -> Result<Arc<dyn TaskStore>, StartError> {
    // Opening reads the file and may write its tables.
    let opened = tokio::task::spawn_blocking(move || crate::store::SqliteStore::open(&path)).await;
    match opened {
        Ok(store) => Ok(Arc::new(store?)),
        Err(_) => {
            Err(StartError::JournalUnsupported { problem: "the thread that opens it ended".to_owned() })
        }
    }
}

#[cfg(not(feature = "sqlite"))]
async fn open_file(path: PathBuf) -> Result<Arc<dyn TaskStore>, StartError> {
    let problem = format!("`journal.path` is {}, and this program is built without `sqlite`", path.display());
    Err(StartError::JournalUnsupported { problem })
}

/// The shipped agents and the user's own.
fn register(agents: Vec<Register>) -> Result<AgentRegistry, DuplicateAgent> {
    let mut registry = AgentRegistry::default();
    registry.insert(CodeGenerator)?;
    registry.insert(CodeReviewer)?;
    registry.insert(Developer)?;
    registry.insert(Compressor)?;
    registry.insert(RiddleEvaluator)?;
    for insert in agents {
        insert(&mut registry)?;
    }
    Ok(registry)
}

impl std::fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("config", &self.config)
            .field("agents", &self.agents.len())
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// A seed that differs from process to process and from call to call.
fn operating_system_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // The standard library's hasher is keyed by the operating system's random source.
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The user's cache folder, or a folder beside the program where there is no such thing as a home.
fn default_models_dir() -> PathBuf {
    playhouse_config::environment::Environment::process()
        .models_dir()
        .unwrap_or_else(|| PathBuf::from("playhouse-models"))
}
