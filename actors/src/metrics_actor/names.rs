//! The names of all metrics and what they mean, in one list.

/// A metric: its name and its help text.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

pub(super) const REQUESTS_STARTED: Metric = Metric {
    name: "playhouse_agent_requests_started_total",
    help: "Requests to agents that were given an actor, by agent kind.",
};
pub(super) const REQUESTS_ENDED: Metric = Metric {
    name: "playhouse_agent_requests_ended_total",
    help: "Requests to agents that ended, by agent kind and outcome (ok or the class of the failure).",
};
pub(super) const REQUESTS_RUNNING: Metric = Metric {
    name: "playhouse_agent_requests_running",
    help: "Requests to agents that run now, by agent kind.",
};
pub(super) const REQUEST_SECONDS: Metric = Metric {
    name: "playhouse_agent_request_duration_seconds",
    help: "Time from the spawn of an agent's actor to its answer, by agent kind.",
};
pub(super) const MODEL_CALLS: Metric = Metric {
    name: "playhouse_model_calls_total",
    help: "Model calls that ended, by model and outcome (ok or the class of the failure).",
};
pub(super) const MODEL_CALL_SECONDS: Metric = Metric {
    name: "playhouse_model_call_duration_seconds",
    help: "Time from a model call's start to its end, by model.",
};
pub(super) const MODEL_TOKENS: Metric = Metric {
    name: "playhouse_model_tokens_total",
    help: "Tokens of answered model calls, by model and kind (prompt, cached_prompt, completion).",
};
pub(super) const MODEL_COST: Metric = Metric {
    name: "playhouse_model_cost_nano_usd_total",
    help: "Cost of answered model calls in billionths of a US dollar, by model.",
};
pub(super) const MODEL_ATTEMPTS: Metric = Metric {
    name: "playhouse_model_attempts_total",
    help: "Requests to providers that ended, by model and outcome (ok or the class of the failure).",
};
pub(super) const MODEL_ATTEMPT_SECONDS: Metric = Metric {
    name: "playhouse_model_attempt_duration_seconds",
    help: "Time from a request to a provider to the end of its answer, by model.",
};
pub(super) const MODEL_RETRIES: Metric = Metric {
    name: "playhouse_model_retries_total",
    help: "Requests that failed and were tried again, by model.",
};
pub(super) const MODEL_RETRIES_WITHHELD: Metric = Metric {
    name: "playhouse_model_retries_withheld_total",
    help: "Requests that failed and were not tried again, by model and reason (budget_spent: too many of all calls \
           are retries; futile: the same failure came too often in a row).",
};
pub(super) const MODEL_RESTARTS: Metric = Metric {
    name: "playhouse_model_restarts_total",
    help: "Streamed answers that broke half way and were begun anew, by model.",
};
pub(super) const MODEL_BREAKER_STATE: Metric = Metric {
    name: "playhouse_model_breaker_state",
    help: "1 for the state that the circuit breaker is in, by model and state (closed, half_open, open).",
};
pub(super) const MODEL_BREAKER_CHANGES: Metric = Metric {
    name: "playhouse_model_breaker_changes_total",
    help: "Changes of the circuit breaker, by model and the state that it came into.",
};
pub(super) const MODEL_BREAKER_REFUSED: Metric = Metric {
    name: "playhouse_model_breaker_refused_total",
    help: "Calls that the circuit breaker refused, by model.",
};
pub(super) const MODEL_WAIT_SECONDS: Metric = Metric {
    name: "playhouse_model_wait_duration_seconds",
    help: "Time that calls waited for their turn, by model and what for (concurrency, pacing).",
};
pub(super) const MODEL_CONCURRENCY_LIMIT: Metric =
    Metric { name: "playhouse_model_concurrency_limit", help: "Calls that may run at once, by model." };
pub(super) const MODEL_HEDGES: Metric = Metric {
    name: "playhouse_model_hedges_total",
    help: "Second calls that were sent while the first took long, by model.",
};
pub(super) const MODEL_HEDGES_WON: Metric =
    Metric { name: "playhouse_model_hedges_won_total", help: "Second calls that answered first, by model." };
pub(super) const MODEL_PROMPT_TOKENS_RATIO: Metric = Metric {
    name: "playhouse_model_prompt_tokens_ratio",
    help: "A prompt's tokens as the provider reports them by our own count of them, by model; 1 where both agree. Some \
           short prompts are compared.",
};
pub(super) const MODEL_FALLBACKS: Metric = Metric {
    name: "playhouse_model_fallbacks_total",
    help: "Calls that another model was asked for after a failure, by the model that failed and the one asked next.",
};
pub(super) const MODEL_CACHE_HITS: Metric = Metric {
    name: "playhouse_model_cache_hits_total",
    help: "Answers out of the cache, by model and store (memory, redis).",
};
pub(super) const MODEL_CACHE_MISSES: Metric = Metric {
    name: "playhouse_model_cache_misses_total",
    help: "Questions whose answer was in no cache, by model.",
};
pub(super) const MODEL_CACHE_BYPASSED: Metric = Metric {
    name: "playhouse_model_cache_bypassed_total",
    help: "Times that a cache was down or slow and was passed by, by model and store (memory, redis).",
};
pub(super) const MODEL_DEMOTIONS: Metric = Metric {
    name: "playhouse_model_demotions_total",
    help: "Times that a model became worse and was passed over from then on, by model.",
};
pub(super) const MODEL_DEMOTED: Metric = Metric {
    name: "playhouse_model_demoted",
    help: "1 while a model is passed over because it has become worse, by model.",
};
pub(super) const MODEL_DRIFTS: Metric = Metric {
    name: "playhouse_model_drifts_total",
    help: "Times that a model was found to be no longer what it was at first, by model and kind (errors, latency, cost, quality).",
};
pub(super) const MODEL_DRIFTING: Metric = Metric {
    name: "playhouse_model_drifting",
    help: "1 while a model is not what it was at first, by model and kind (errors, latency, cost, quality).",
};
pub(super) const AB_OUTCOMES: Metric = Metric {
    name: "playhouse_ab_outcomes",
    help: "Judged answers of an arm in its A/B test, by task type and arm.",
};
pub(super) const AB_OUTCOME_MEAN: Metric = Metric {
    name: "playhouse_ab_outcome_mean",
    help: "Mean score of an arm's judged answers in its A/B test, 0 to 1, by task type and arm.",
};
pub(super) const AB_E_VALUE: Metric = Metric {
    name: "playhouse_ab_e_value",
    help: "Evidence that an arm is better or worse than the baseline of its A/B test, by task type and arm; absent for the baseline.",
};
pub(super) const AB_ARM_STOPPED: Metric = Metric {
    name: "playhouse_ab_arm_stopped",
    help: "1 while an arm is out of its split because it does worse than the baseline, by task type and arm.",
};
pub(super) const AB_ARM_STOPS: Metric = Metric {
    name: "playhouse_ab_arm_stops_total",
    help: "Times that an arm was taken out of its split, by task type and arm.",
};
pub(super) const PROMPTS_CONDENSED: Metric = Metric {
    name: "playhouse_model_prompts_condensed_total",
    help: "Conversations that did not fit into a model's context and were condensed before they were sent, by model.",
};
pub(super) const PROMPT_TOKENS_CONDENSED: Metric = Metric {
    name: "playhouse_model_prompt_tokens_condensed_total",
    help: "Tokens that were saved by condensing conversations, by model.",
};
pub(super) const BUDGET_REFUSED: Metric = Metric {
    name: "playhouse_budget_refused_total",
    help: "Model calls that a budget refused, by whose budget it is (task, day, tenant).",
};
pub(super) const BUDGET_TOKENS_USED: Metric = Metric {
    name: "playhouse_budget_tokens_used",
    help: "Tokens used today (UTC): by all tenants (scope day), and by each that the settings name (scope tenant).",
};
pub(super) const BUDGET_TOKENS_LIMIT: Metric = Metric {
    name: "playhouse_budget_tokens_limit",
    help: "Tokens that may be used today (UTC), by scope and tenant; absent without a limit.",
};
pub(super) const BUDGET_COST_USED: Metric = Metric {
    name: "playhouse_budget_cost_nano_usd_used",
    help: "Money used today (UTC) in billionths of a US dollar, by scope and tenant.",
};
pub(super) const BUDGET_COST_LIMIT: Metric = Metric {
    name: "playhouse_budget_cost_nano_usd_limit",
    help: "Money that may be used today (UTC) in billionths of a US dollar, by scope and tenant; absent without a limit.",
};
pub(super) const TASKS_ACCEPTED: Metric =
    Metric { name: "playhouse_tasks_accepted_total", help: "Tasks that were accepted." };
pub(super) const TASKS_REFUSED: Metric = Metric {
    name: "playhouse_tasks_refused_total",
    help: "Tasks that were refused before they were accepted, by the class of the failure.",
};
pub(super) const TASKS_RESUMED: Metric = Metric {
    name: "playhouse_tasks_resumed_total",
    help: "Open tasks of an earlier process that this one went on with.",
};
pub(super) const TASKS_REOPENED: Metric =
    Metric { name: "playhouse_tasks_reopened_total", help: "Dead letters that were opened again." };
/// With the ones above: accepted + resumed + reopened = ended of all statuses + kept + open.
pub(super) const TASKS_ENDED: Metric = Metric {
    name: "playhouse_tasks_ended_total",
    help: "Tasks that ended, by status (completed, failed, cancelled, dead_lettered).",
};
pub(super) const TASKS_KEPT: Metric = Metric {
    name: "playhouse_tasks_kept_total",
    help: "Tasks that a shutdown left open in the journal, for the next process.",
};
pub(super) const TASK_FAILURES: Metric = Metric {
    name: "playhouse_task_failures_total",
    help: "Tasks that ended without an answer, by the class of the last failure.",
};
pub(super) const TASK_ATTEMPTS_FAILED: Metric = Metric {
    name: "playhouse_task_attempts_failed_total",
    help: "Attempts that failed and were followed by another one, by the class of the failure.",
};
pub(super) const TASKS_OPEN: Metric =
    Metric { name: "playhouse_tasks_open", help: "Tasks that wait or run now." };
pub(super) const JOURNAL_COMMITS: Metric = Metric {
    name: "playhouse_journal_commits_total",
    help: "Commits to the journal, by outcome (ok or the class of the failure).",
};
pub(super) const JOURNAL_ENTRIES: Metric =
    Metric { name: "playhouse_journal_entries_total", help: "Entries that were committed to the journal." };
pub(super) const JOURNAL_COMMIT_SECONDS: Metric = Metric {
    name: "playhouse_journal_commit_duration_seconds",
    help: "Time from a commit's start until it is durable.",
};

pub(super) const COMPRESSION_RATIO: Metric = Metric {
    name: "playhouse_compression_ratio",
    help: "Tokens behind a compression for each token before it, by strategy (none: the text fitted as it was).",
};
pub(super) const COMPRESSION_SCORE: Metric = Metric {
    name: "playhouse_compression_verification_score",
    help: "Share of a text's facts that its compression kept, by strategy (none: the text fitted as it was).",
};

/// All counters.
pub(super) const COUNTERS: &[Metric] = &[
    REQUESTS_STARTED,
    REQUESTS_ENDED,
    MODEL_CALLS,
    MODEL_TOKENS,
    MODEL_COST,
    MODEL_ATTEMPTS,
    MODEL_RETRIES,
    MODEL_RETRIES_WITHHELD,
    MODEL_RESTARTS,
    MODEL_BREAKER_CHANGES,
    MODEL_BREAKER_REFUSED,
    MODEL_HEDGES,
    MODEL_HEDGES_WON,
    MODEL_FALLBACKS,
    MODEL_CACHE_HITS,
    MODEL_CACHE_MISSES,
    MODEL_CACHE_BYPASSED,
    MODEL_DEMOTIONS,
    MODEL_DRIFTS,
    AB_ARM_STOPS,
    BUDGET_REFUSED,
    TASKS_ACCEPTED,
    TASKS_REFUSED,
    TASKS_RESUMED,
    TASKS_REOPENED,
    TASKS_ENDED,
    TASKS_KEPT,
    TASK_FAILURES,
    TASK_ATTEMPTS_FAILED,
    JOURNAL_COMMITS,
    JOURNAL_ENTRIES,
];

/// All gauges.
pub(super) const GAUGES: &[Metric] = &[
    REQUESTS_RUNNING,
    MODEL_BREAKER_STATE,
    MODEL_CONCURRENCY_LIMIT,
    MODEL_DEMOTED,
    MODEL_DRIFTING,
    AB_OUTCOMES,
    AB_OUTCOME_MEAN,
    AB_E_VALUE,
    AB_ARM_STOPPED,
    TASKS_OPEN,
];

/// All histograms of ratios around 1.
pub(super) const RATIO_HISTOGRAMS: &[Metric] = &[MODEL_PROMPT_TOKENS_RATIO];

/// Around 1, closer where it matters: a count that is two percent off and one that is a tenth off are different news.
pub(super) const RATIO_BUCKETS: [f64; 14] =
    [0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0, 1.01, 1.02, 1.05, 1.1, 1.25, 1.5, 2.0];

/// All histograms of times.
pub(super) const HISTOGRAMS: &[Metric] =
    &[REQUEST_SECONDS, MODEL_CALL_SECONDS, MODEL_ATTEMPT_SECONDS, MODEL_WAIT_SECONDS, JOURNAL_COMMIT_SECONDS];

/// All histograms of shares, from 0 to 1.
pub(super) const SHARES: &[Metric] = &[COMPRESSION_RATIO, COMPRESSION_SCORE];

/// Shares by tenths, finer at the top where facts should be.
pub(super) const SHARE_BUCKETS: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];

/// From half a millisecond (an agent without a model) to ten minutes (a slow model's
/// long answer), about three to a decade.
pub(super) const SECONDS_BUCKETS: [f64; 18] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0,
    600.0,
];
