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

/// Histograms are in seconds. From half a millisecond (an agent without a model) to ten minutes (a slow model's
/// long answer), about three to a decade.
pub(super) const SECONDS_BUCKETS: [f64; 18] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0,
    600.0,
];
