//! Checked settings: what the rest of Playhouse is given. Every value here has been validated.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use playhouse_protocol::completion::Sampling;

use crate::aliases::RegisteredModels;
use crate::secret::SecretRef;

mod defaults;

pub use defaults::{BUILT_IN_CONTEXT_TOKENS, BUILT_IN_MODELS, COMPLETION_TOKENS_DEFAULT};

/// All settings of a runtime.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The catalog: every model by its name.
    pub models: BTreeMap<String, ModelConfig>,
    /// Which model answers what.
    pub selection: SelectionConfig,
    /// Settings of the shipped agents.
    pub agents: AgentsConfig,
    /// Bounds of the runtime.
    pub limits: LimitsConfig,
    /// Attempts at a task that fails.
    pub attempts: AttemptsConfig,
    /// Where tasks are written down.
    pub journal: JournalConfig,
    /// Where answers are kept to be given again.
    pub cache: CacheConfig,
    /// What may be used in a task and in a day.
    pub budgets: BudgetsConfig,
    /// How much of the calls of all models together may be retries.
    pub retry_budget: RetryBudgetConfig,
    /// A folder with prompt templates that stand above the built-in ones of the same name.
    pub prompts_dir: Option<PathBuf>,
    /// Where experiments and the registry of models are kept.
    pub experiments: ExperimentsConfig,
    /// The registered models that an alias may lead to. No setting: whoever reads a registry fills it in, beside an entry
    /// of [`models`](Self::models) for each version.
    pub registered: RegisteredModels,
}

/// Where experiments and the registry of models are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExperimentsConfig {
    /// The folder of runs and of the registry. `None` is the user's own
    /// ([`Environment::experiments_dir`](crate::Environment::experiments_dir)).
    pub dir: Option<PathBuf>,
    /// The address of an MLflow server without a slash at its end and without `/api`; http or https, and no credentials.
    pub tracking_uri: Option<String>,
    /// Where the bearer token for that server is.
    pub tracking_token: Option<SecretRef>,
}

/// One entry of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Where the answers come from.
    pub provider: ProviderConfig,
    /// Tokens of prompt and answer together; `None` takes what the file or the known model has.
    pub context_tokens: Option<u32>,
    /// The longest answer, in tokens, when a request does not say.
    pub completion_tokens_default: u32,
    /// The tiktoken encoding to count with; `None` chooses by the model's name.
    pub encoding: Option<String>,
    /// The model's tokens by those of the encoding, 0.25 to 4.0; `None` takes what was measured for its family.
    pub tokens_factor: Option<f64>,
    /// What it costs; zero where nothing is configured.
    pub price: PriceConfig,
    /// Requests that may wait or run at once before a new one is refused.
    pub queue_len_max: usize,
    /// Entries that are asked, in this order, when this one fails in a way that may pass. Names of the catalog; their own
    /// fallbacks are not followed.
    pub fallbacks: Vec<String>,
    /// Which of its answers are kept to be given again.
    pub cache: CacheMode,
    /// What becomes of a conversation that does not fit into its context.
    pub overflow: OverflowPolicy,
    /// How good its answers are, 0.0 to 1.0, until enough of them have been judged. `None` is not known.
    pub quality: Option<f64>,
}

/// What becomes of a conversation that does not fit into a model's context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OverflowPolicy {
    /// Older messages are condensed or left out, and the answer says so. The instructions and the latest message of the
    /// user stay as they are.
    #[default]
    Condense,
    /// The call is refused.
    Refuse,
}

/// Which answers of a model are kept to be given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMode {
    /// None.
    Off,
    /// Those to requests that are not sampled: a temperature of 0, or what is greedy anyway.
    Exact,
    /// All, also where another call would have given another answer.
    Sampled,
}

/// Where answers come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderConfig {
    /// The embedded model.
    Local(LocalConfig),
    /// A server that speaks OpenAI's chat completions.
    OpenAi(HttpConfig),
    /// A server that speaks Anthropic's messages.
    Anthropic(HttpConfig),
    /// A server that speaks Ollama's own chat.
    Ollama(HttpConfig),
    /// Answers from a YAML file.
    Scripted {
        /// The file.
        script: PathBuf,
    },
}

impl ProviderConfig {
    /// The endpoint, where there is one.
    pub const fn http(&self) -> Option<&HttpConfig> {
        match self {
            Self::OpenAi(http) | Self::Anthropic(http) | Self::Ollama(http) => Some(http),
            Self::Local(_) | Self::Scripted { .. } => None,
        }
    }
}

/// The embedded model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalConfig {
    /// What to run.
    pub source: LocalSource,
    /// Threads that compute; `None` chooses by model size and machine.
    pub threads: Option<usize>,
}

/// Which file the embedded model runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalSource {
    /// An entry of the manifest of known models, fetched into the cache folder by `playhouse models pull`.
    Known(String),
    /// A GGUF file of the user's own.
    File(PathBuf),
}

/// An HTTP endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpConfig {
    /// Up to and without the path of the protocol: `http://127.0.0.1:11434/v1` (`/chat/completions`),
    /// `https://api.anthropic.com/v1` (`/messages`), `http://127.0.0.1:11434` (`/api/chat`).
    pub base_url: String,
    /// The provider's name of the model.
    pub model: String,
    /// Where the key is, when one is needed; it is read when the model is first used
    /// ([`SecretRef::resolve`]), so that the missing key of an unused model harms nobody.
    pub api_key: Option<SecretRef>,
    /// Time limits.
    pub timeouts: TimeoutsConfig,
    /// Retries of a call that failed in a retryable way.
    pub retries: RetriesConfig,
    /// Whether the server makes answers fit a JSON schema.
    pub structured_output: bool,
    /// When calls are refused at once because others failed; `None` never.
    pub breaker: Option<BreakerConfig>,
    /// How many calls run at once.
    pub concurrency: ConcurrencyConfig,
    /// How fast calls are begun.
    pub pacing: PacingConfig,
    /// When a second call is sent after the first; `None` never.
    pub hedging: Option<HedgingConfig>,
    /// A folder in which answers of the server are recorded or from which they are taken.
    pub traffic: Option<TrafficConfig>,
}

/// A circuit breaker: after too many failures calls are refused for a while, then a few try whether it has passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerConfig {
    /// The share of failed calls in the window that opens it: above 0.0, at most 1.0.
    pub failure_ratio: f64,
    /// Calls that must have ended in the window before their share counts; at least 1.
    pub calls_min: u32,
    /// The window.
    pub window: Duration,
    /// How long it stays open; doubled each time its probes fail, up to eight times this.
    pub open: Duration,
    /// Probes that run at once when it is half open, and that must all succeed to close it; at least 1.
    pub probes: u32,
}

/// How many calls of a model run at once. Further ones wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyConfig {
    /// Never more than these; at least 1.
    pub max: u32,
    /// Whether the limit falls below `max` while the server refuses or slows down.
    pub adaptive: bool,
}

/// How fast calls of a model are begun; `None` is without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PacingConfig {
    /// Requests in a minute; at least 1.
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts, and of the longest answers that were allowed, in a minute; at least 1.
    pub tokens_per_minute: Option<u32>,
}

/// A second call that is sent when the first takes longer than most; the first answer counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgingConfig {
    /// The second call is sent after this quantile of the observed times to the first token: above 0.0, below 1.0.
    pub after_quantile: f64,
    /// Never sooner than this.
    pub after_min: Duration,
    /// The most of such calls as a share of all: 0.0 to 1.0.
    pub extra_ratio_max: f64,
}

/// Recorded traffic of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrafficConfig {
    /// Asks the server and writes down what it answers.
    Record(PathBuf),
    /// Answers from what was written down; the server is never asked.
    Replay(PathBuf),
}

/// Time limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutsConfig {
    /// To connect.
    pub connect: Duration,
    /// From the request to the first token of a streamed answer.
    pub first_token: Duration,
    /// Between two parts of a streamed answer.
    pub between_tokens: Duration,
    /// One attempt, from the request to the end of its answer.
    pub attempt: Duration,
    /// From the first attempt's start to the end, retries included.
    pub total: Duration,
}

/// Retries of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetriesConfig {
    /// Attempts in all, the first included: 1 to 10.
    pub attempts_max: u32,
    /// The wait before the second attempt is drawn from zero to this; it doubles with each attempt.
    pub backoff_initial: Duration,
    /// The wait is never drawn from more than this. A server's Retry-After stands above it.
    pub backoff_max: Duration,
}

/// Prices in billionths of a US dollar per token (one US dollar per million tokens is 1,000).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriceConfig {
    /// For a token of the prompt.
    pub prompt_nano_usd_per_token: u64,
    /// For a token of the answer.
    pub completion_nano_usd_per_token: u64,
}

/// Which model answers what.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionConfig {
    /// For tasks that `by_task` does not name; always a name of the catalog.
    pub default: String,
    /// By task type (an agent's kind); always names of the catalog.
    pub by_task: BTreeMap<String, String>,
    /// Weights by task type: of all tasks of the type each named model gets its share, the same task always the same
    /// model. Stands above `by_task`. Names of the catalog; weights of at least 1.
    pub split: BTreeMap<String, BTreeMap<String, u32>>,
    /// Tests, by task type, whether the arms of a split do better or worse than one of them. Each has a split of two arms
    /// or more beside it.
    pub ab: BTreeMap<String, AbConfig>,
    /// What a model must fulfil, by task type. Stands above `by_task`, below `split`.
    pub constraints: BTreeMap<String, ConstraintsConfig>,
    /// When a model is passed over because it has become worse.
    pub demotion: DemotionConfig,
}

/// A test of the arms of a split against one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct AbConfig {
    /// The arm that the others are held against: one of the split, as it is written there.
    pub baseline: String,
    /// The chance that any arm is called better or worse that is neither (α), over all comparisons of the type of task:
    /// above 0.0, at most 0.5.
    pub false_winners: f64,
    /// What becomes of an arm that does worse.
    pub harmful: HarmfulArm,
    /// Outcomes that both arms must have before there is a verdict.
    pub outcomes_min: u32,
}

/// What becomes of an arm that does worse than the baseline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HarmfulArm {
    /// It is taken out of the split.
    #[default]
    Stop,
    /// It is told of, and gets its share as before.
    Tell,
}

/// What a model must fulfil to be chosen; `None` asks for nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConstraintsConfig {
    /// The models that are considered, all when empty. Names of the catalog.
    pub among: Vec<String>,
    /// Tokens of prompt and answer that it must hold.
    pub context_tokens_min: Option<u32>,
    /// The longest measured time of a call (95th percentile).
    pub latency_max: Option<Duration>,
    /// The highest price of a call with 1,000 tokens of prompt and 1,000 of answer, in billionths of a US dollar.
    pub cost_nano_usd_max: Option<u64>,
    /// The lowest quality, 0.0 to 1.0.
    pub quality_min: Option<f64>,
    /// Which of those that fulfil the rest is best.
    pub prefer: Preference,
}

/// Which of several fit models is best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preference {
    /// The highest quality; of equals the cheapest.
    #[default]
    Quality,
    /// The lowest price; of equals the best.
    Cost,
    /// The shortest measured time; of equals the cheapest.
    Latency,
}

/// When a model is passed over because it has become worse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DemotionConfig {
    /// The share of failed calls among the last ones that demotes it: above 0.0, at most 1.0.
    pub error_ratio_max: f64,
    /// How many times its usual time the last calls (their median) may take: above 1.0.
    pub latency_factor_max: f64,
    /// The number of last calls that are looked at; fewer demote nobody.
    pub calls: u32,
    /// How long it stays demoted at least.
    pub duration: Duration,
}

/// Settings of the shipped agents.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentsConfig {
    /// The code generator.
    pub generate: AgentConfig,
    /// The code reviewer.
    pub review: AgentConfig,
    /// Rounds of `develop` when the request does not say: 1 to `ROUNDS_MAX`.
    pub develop_rounds: u32,
}

/// Settings of one agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgentConfig {
    /// The longest answer, in tokens.
    pub completion_tokens_max: u32,
    /// How tokens are chosen where a request does not say.
    pub sampling: Sampling,
}

/// Attempts at a task that fails in a way that another attempt may mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptsConfig {
    /// Attempts in all, the first included, when a task's submitter does not say: 1 to 100.
    pub attempts_max: u32,
    /// The wait before the second attempt is drawn from zero to this; it doubles with each attempt.
    pub backoff_initial: Duration,
    /// The wait is never drawn from more than this. A failure that says how long to wait stands above it.
    pub backoff_max: Duration,
}

/// Where tasks are written down, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// The file. `None` keeps tasks in memory: they end with the process.
    pub path: Option<PathBuf>,
    /// How long a task is kept after its end; `None` keeps it for ever. Dead letters are always kept.
    pub ended_age_max: Option<Duration>,
    /// How many ended tasks are kept, dead letters left aside; `None` keeps all.
    pub ended_max: Option<u64>,
}

/// Where answers are kept to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// The most that is kept in memory, in bytes; 0 keeps nothing there.
    pub memory_bytes_max: u64,
    /// How long an answer is kept.
    pub age_max: Duration,
    /// A Redis server that several processes share; `None` keeps answers in memory alone.
    pub redis: Option<RedisConfig>,
}

/// A Redis server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    /// Where its address is, `redis://…` or `rediss://…`: it may hold a password.
    pub url: SecretRef,
    /// How long it is waited for before it is passed by.
    pub timeout: Duration,
    /// What its keys begin with.
    pub key_prefix: String,
}

/// What may be used; days begin at midnight UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BudgetsConfig {
    /// By a task whose submitter does not say.
    pub task: UsageLimits,
    /// By all tenants together in a day.
    pub day: UsageLimits,
    /// By a tenant in a day, unless `tenants` names it.
    pub tenant_day: UsageLimits,
    /// By certain tenants in a day.
    pub tenants: BTreeMap<String, UsageLimits>,
}

/// The most that may be used; `None` is without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsageLimits {
    /// Tokens of prompts and answers together.
    pub tokens_max: Option<u64>,
    /// Money in billionths of a US dollar.
    pub cost_nano_usd_max: Option<u64>,
}

/// How much of the calls of all models together may be retries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudgetConfig {
    /// Retries as a share of first calls within the window: 0.0 to 10.0.
    pub ratio_max: f64,
    /// Retries within the window that are free, for runtimes that make few calls.
    pub free: u32,
    /// The window.
    pub window: Duration,
}

/// Bounds of the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Agents alive at once; more requests wait.
    pub agents_live_max: usize,
    /// Tasks that may wait or run at once; further ones are refused as overloaded.
    pub tasks_open_max: usize,
    /// Tasks of one tenant that may wait or run at once; `None` is as many as of all.
    pub tenant_tasks_open_max: Option<usize>,
    /// How long a task may take when its submitter does not say.
    pub task_timeout: Duration,
    /// How long a shutdown waits for running tasks before it stops them.
    pub shutdown_grace: Duration,
}
