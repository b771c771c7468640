//! Checked settings: what the rest of Playhouse is given. Every value here has been validated.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use playhouse_protocol::completion::Sampling;

use crate::secret::SecretRef;

mod defaults;

pub use defaults::{BUILT_IN_MODELS, COMPLETION_TOKENS_DEFAULT};

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
    /// A folder with prompt templates that stand above the built-in ones of the same name.
    pub prompts_dir: Option<PathBuf>,
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
    /// What it costs; zero where nothing is configured.
    pub price: PriceConfig,
    /// Requests that may wait or run at once before a new one is refused.
    pub queue_len_max: usize,
}

/// Where answers come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderConfig {
    /// The embedded model.
    Local(LocalConfig),
    /// A server that speaks OpenAI's chat completions.
    OpenAi(HttpConfig),
    /// Answers from a YAML file.
    Scripted {
        /// The file.
        script: PathBuf,
    },
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
    /// Up to and without `/chat/completions`, for example `http://127.0.0.1:11434/v1`.
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
    /// Whether the server makes answers fit a JSON schema (`response_format`).
    pub structured_output: bool,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionConfig {
    /// For tasks that `by_task` does not name; always a name of the catalog.
    pub default: String,
    /// By task type (an agent's kind); always names of the catalog.
    pub by_task: BTreeMap<String, String>,
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
