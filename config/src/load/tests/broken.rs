//! Every way to be wrong that we know of, and what is said about it.

use insta::assert_snapshot;

use super::errors;

/// A catalog entry for an HTTP endpoint, with more lines.
fn endpoint(lines: &str) -> String {
    format!(
        "models:\n  gpt:\n    provider: open_ai\n    base_url: https://api.example.com/v1\n    model: gpt\n{lines}\n"
    )
}

#[test]
fn an_unknown_key_is_reported_with_the_nearest_one() {
    assert_snapshot!(errors("agents:\n  generate:\n    temprature: 0.5\n"), @"
    playhouse.yaml:3:5: agents.generate.temprature: unknown key
    hint: did you mean `temperature`?
    ");
    assert_snapshot!(errors("limits:\n  task_timeout: 5\n"), @"
    playhouse.yaml:2:3: limits.task_timeout: unknown key
    hint: did you mean `task_timeout_ms`?
    ");
    assert_snapshot!(errors("model:\n  gpt: {}\n"), @"
    playhouse.yaml:1:1: model: unknown key
    hint: did you mean `models`?
    ");
}

#[test]
fn an_unknown_key_that_is_like_no_other_is_reported_with_all_of_them() {
    assert_snapshot!(errors("colour: red\n"), @"
    playhouse.yaml:1:1: colour: unknown key
    hint: the keys at the top of the file are: agents, attempts, budgets, cache, experiments, journal, limits, models, prompts, retry_budget, selection
    ");
    assert_snapshot!(errors("agents:\n  develop:\n    9lives: 1\n"), @"
    playhouse.yaml:3:5: agents.develop.9lives: unknown key
    hint: the keys in `agents.develop` are: rounds
    ");
}

#[test]
fn a_value_of_the_wrong_type_is_reported_with_what_is_expected() {
    assert_snapshot!(errors("agents:\n  develop:\n    rounds: many\n"), @"playhouse.yaml:3:13: agents.develop.rounds: expected a whole number, found text");
    assert_snapshot!(errors("agents:\n  develop:\n    rounds: \"3\"\n"), @"
    playhouse.yaml:3:13: agents.develop.rounds: expected a whole number, found text
    hint: write the number without quotes
    ");
    assert_snapshot!(errors("agents:\n  develop:\n    rounds: 2.5\n"), @"playhouse.yaml:3:13: agents.develop.rounds: expected a whole number, found a number with a fraction");
    assert_snapshot!(errors("models: [gpt]\n"), @"playhouse.yaml:1:9: models: expected a map of keys, found a list");
    assert_snapshot!(errors("selection:\n  default: 4\n"), @"
    playhouse.yaml:2:12: selection.default: expected text, found a whole number
    hint: put the value in quotes
    ");
    assert_snapshot!(errors(&endpoint("    structured_output: yes")), @"
    playhouse.yaml:6:24: models.gpt.structured_output: expected true or false, found text
    hint: write `true` or `false`
    ");
    assert_snapshot!(errors("just text"), @"playhouse.yaml:1:1: expected a map of keys, found text");
}

#[test]
fn a_time_with_a_unit_is_reported_with_its_milliseconds() {
    assert_snapshot!(errors(&endpoint("    timeouts:\n      connect_ms: 5s")), @"
    playhouse.yaml:7:19: models.gpt.timeouts.connect_ms: expected a whole number, found text
    hint: write the milliseconds as a number: 5000
    ");
}

#[test]
fn a_number_out_of_range_is_reported_with_the_range_and_its_reason() {
    assert_snapshot!(errors("agents:\n  develop:\n    rounds: 21\n"), @"
    playhouse.yaml:3:13: agents.develop.rounds: 21 is out of range
    hint: allowed: 1 to 20 (each round is at least two model calls)
    ");
    assert_snapshot!(errors("agents:\n  review:\n    top_p: 0\n    temperature: -0.1\n"), @"
    playhouse.yaml:3:12: agents.review.top_p: 0 is out of range
    hint: allowed: above 0 to 1 (it is a probability)
    playhouse.yaml:4:18: agents.review.temperature: -0.1 is out of range
    hint: allowed: 0 to 2 (above 2 answers are noise)
    ");
    assert_snapshot!(errors("agents:\n  review:\n    temperature: .nan\n"), @"
    playhouse.yaml:3:18: agents.review.temperature: not a number to count with
    hint: write a finite number
    ");
    assert_snapshot!(errors("agents:\n  review:\n    seed: 18446744073709551616\n"), @"
    playhouse.yaml:3:11: agents.review.seed: 1.8446744073709552e+19 is out of range
    hint: allowed: 0 to 18446744073709551615 (it has 64 bits)
    ");
    assert_snapshot!(errors(&endpoint("    retries:\n      attempts_max: 0")), @"
    playhouse.yaml:7:21: models.gpt.retries.attempts_max: 0 is out of range
    hint: allowed: 1 to 10 (more attempts only burden a server that is down)
    ");
}

#[test]
fn a_key_that_stands_twice_is_reported_with_both_lines() {
    assert_snapshot!(errors("limits:\n  agents_live_max: 5\nselection: {}\nlimits:\n  agents_live_max: 6\n"), @"
    playhouse.yaml:4:1: limits: the key stands twice; first in line 1
    hint: keep one of the two
    ");
    assert_snapshot!(errors("limits:\n  agents_live_max: 5\n  agents_live_max: 5\n"), @"
    playhouse.yaml:3:3: limits.agents_live_max: the key stands twice; first in line 2
    hint: keep one of the two
    ");
    assert_snapshot!(errors("limits: {}\u{85}limits: {}"), @"playhouse.yaml:1:11: while parsing a block mapping, did not find expected key");
    assert_snapshot!(errors("selection: {by_task: {review: a, \"review\": b}}\n"), @r#"
    playhouse.yaml:1:31: selection.by_task.review: "a" is not in the catalog
    hint: the catalog has: qwen2.5-coder-0.5b, smollm2-135m
    playhouse.yaml:1:34: selection.by_task.review: the key stands twice; first in line 1
    hint: keep one of the two
    "#);
}

#[test]
fn an_unknown_provider_is_reported_with_the_known_ones() {
    assert_snapshot!(errors("models:\n  gpt:\n    provider: openai\n"), @r#"
    playhouse.yaml:3:15: models.gpt.provider: "openai" is not known
    hint: did you mean `open_ai`? known: local, open_ai, anthropic, ollama, scripted
    "#);
    assert_snapshot!(errors("models:\n  gpt:\n    provider: Ollama\n"), @r#"
    playhouse.yaml:3:15: models.gpt.provider: "Ollama" is not known
    hint: did you mean `ollama`? known: local, open_ai, anthropic, ollama, scripted
    "#);
    assert_snapshot!(errors("models:\n  gpt:\n    provider: oracle\n"), @r#"
    playhouse.yaml:3:15: models.gpt.provider: "oracle" is not known
    hint: known: local, open_ai, anthropic, ollama, scripted
    "#);
    assert_snapshot!(errors("models:\n  gpt:\n    base_url: http://a\n"), @"
    playhouse.yaml:2:3: models.gpt.provider: the provider is missing
    hint: write `provider: local`, `open_ai`, `anthropic`, `ollama` or `scripted`
    ");
}

#[test]
fn a_selection_of_an_unknown_model_is_reported_with_the_nearest_one() {
    assert_snapshot!(errors("selection:\n  default: qwen2.5-coder\n"), @r#"
    playhouse.yaml:2:12: selection.default: "qwen2.5-coder" is not in the catalog
    hint: did you mean `qwen2.5-coder-0.5b`?
    "#);
    assert_snapshot!(errors("selection:\n  by_task:\n    review: gpt-4o\n"), @r#"
    playhouse.yaml:3:13: selection.by_task.review: "gpt-4o" is not in the catalog
    hint: the catalog has: qwen2.5-coder-0.5b, smollm2-135m
    "#);
}

#[test]
fn a_key_in_the_file_is_refused_and_not_repeated() {
    let literal = errors(&endpoint("    api_key: sk-proj-abc123"));
    assert!(!literal.contains("abc123"));
    assert_snapshot!(literal, @"
    playhouse.yaml:6:14: models.gpt.api_key: this is not a reference; a key itself must not stand in a file of settings
    hint: refer to the key, for example `env:OPENAI_API_KEY` or `file:secrets/openai.key`
    ");
    let number = errors(&endpoint("    api_key: 1234567"));
    assert!(!number.contains("1234567"));
    assert_snapshot!(number, @"
    playhouse.yaml:6:14: models.gpt.api_key: expected text, found a whole number
    hint: refer to the key, for example `env:OPENAI_API_KEY` or `file:secrets/openai.key`
    ");
    let behind_env = errors(&endpoint("    api_key: env:sk-proj-abc123"));
    assert!(!behind_env.contains("abc123"));
}

#[test]
fn a_url_that_cannot_be_used_is_reported_with_the_reason() {
    let check = |url: &str| {
        errors(&format!("models: {{gpt: {{provider: open_ai, model: gpt, base_url: \"{url}\"}}}}"))
    };
    assert_snapshot!(check("localhost:11434/v1"), @"
    playhouse.yaml:1:57: models.gpt.base_url: the URL begins with neither `http://` nor `https://`
    hint: write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`
    ");
    assert_snapshot!(check("127.0.0.1"), @"
    playhouse.yaml:1:57: models.gpt.base_url: not a URL
    hint: write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`
    ");
    assert_snapshot!(check("ftp://a/v1"), @"
    playhouse.yaml:1:57: models.gpt.base_url: the URL begins with neither `http://` nor `https://`
    hint: write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`
    ");
    assert_snapshot!(check("http://"), @"
    playhouse.yaml:1:57: models.gpt.base_url: not a URL
    hint: write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`
    ");
    assert_snapshot!(check("https://a/v1/chat/completions"), @"
    playhouse.yaml:1:57: models.gpt.base_url: the URL goes too far
    hint: leave `/chat/completions` out; it is added to each request
    ");
    assert_snapshot!(check("https://a/v1?key=hidden"), @"
    playhouse.yaml:1:57: models.gpt.base_url: the URL has a part behind `?` or `#`
    hint: keep only what stands before it
    ");
    let password = check("https://user:hidden@a/v1");
    assert!(!password.contains("hidden"));
    assert_snapshot!(password, @"
    playhouse.yaml:1:57: models.gpt.base_url: the URL holds a user name or password
    hint: take it out, and refer to the key with `api_key`
    ");
}

#[test]
fn keys_of_another_provider_and_missing_keys_are_reported() {
    assert_snapshot!(errors("models:\n  m:\n    provider: local\n    file: a.gguf\n    base_url: http://a\n"), @"
    playhouse.yaml:5:5: models.m.base_url: a model with `provider: local` does not have this key
    hint: take it out, or write `provider: open_ai` or `anthropic` or `ollama`
    ");
    assert_snapshot!(errors("models:\n  m:\n    provider: open_ai\n"), @"
    playhouse.yaml:2:3: models.m.base_url: a model with `provider: open_ai` needs this key
    playhouse.yaml:2:3: models.m.model: a model with `provider: open_ai` needs this key
    ");
    assert_snapshot!(errors("models:\n  m:\n    provider: scripted\n"), @"playhouse.yaml:2:3: models.m.script: a model with `provider: scripted` needs this key");
    assert_snapshot!(errors("models:\n  m:\n    provider: local\n"), @"
    playhouse.yaml:2:3: models.m.known: `known` or `file` is missing
    hint: write `known: qwen2.5-coder-0.5b` or `file: PATH.gguf`
    ");
    assert_snapshot!(errors("models:\n  m:\n    provider: local\n    known: smollm2\n"), @r#"
    playhouse.yaml:4:12: models.m.known: "smollm2" is not a model that Playhouse knows
    hint: did you mean `smollm2-135m`?
    "#);
    assert_snapshot!(errors("models:\n  m:\n    provider: local\n    known: smollm2-135m\n    file: a.gguf\n"), @"
    playhouse.yaml:5:5: models.m.file: `known` and `file` stand side by side
    hint: keep one of the two
    ");
}

#[test]
fn settings_that_contradict_each_other_are_reported() {
    assert_snapshot!(errors(&endpoint("    context_tokens: 1000\n    completion_tokens_default: 1000")), @"
    playhouse.yaml:7:32: models.gpt.completion_tokens_default: an answer of 1000 tokens leaves no room for a prompt
    hint: write less than the 1000 of `context_tokens`
    ");
    assert_snapshot!(errors(&endpoint("    timeouts:\n      total_ms: 1000\n      connect_ms: 2000")), @"
    playhouse.yaml:8:19: models.gpt.timeouts.connect_ms: it is longer than the 1000 ms of `total_ms`
    hint: write less, or raise `total_ms`
    ");
    assert_snapshot!(errors(&endpoint("    retries:\n      backoff_initial_ms: 20\n      backoff_max_ms: 10")), @"
    playhouse.yaml:7:27: models.gpt.retries.backoff_initial_ms: it is longer than the 10 ms of `backoff_max_ms`
    hint: write less, or raise `backoff_max_ms`
    ");
}

#[test]
fn an_address_is_checked_by_the_form_that_its_provider_speaks() {
    let check = |provider: &str, url: &str| {
        errors(&format!("models: {{m: {{provider: {provider}, model: m, base_url: \"{url}\"}}}}"))
    };
    assert_snapshot!(check("anthropic", "https://a/v1/messages/"), @"
    playhouse.yaml:1:55: models.m.base_url: the URL goes too far
    hint: leave `/messages` out; it is added to each request
    ");
    assert_snapshot!(check("anthropic", "https://a/v1/chat/completions"), @"
    playhouse.yaml:1:55: models.m.base_url: the URL goes too far
    hint: leave `/chat/completions` out; for a server that speaks it, write `provider: open_ai`
    ");
    assert_snapshot!(check("open_ai", "https://a/v1/messages"), @"
    playhouse.yaml:1:53: models.m.base_url: the URL goes too far
    hint: leave `/messages` out; for a server that speaks it, write `provider: anthropic`
    ");
    assert_snapshot!(check("ollama", "http://a:11434/v1/"), @"
    playhouse.yaml:1:52: models.m.base_url: the URL goes too far
    hint: leave `/v1` out; to ask Ollama in OpenAI's form, write `provider: open_ai`
    ");
    assert_snapshot!(check("ollama", "http://a:11434/api"), @"
    playhouse.yaml:1:52: models.m.base_url: the URL goes too far
    hint: leave `/api` out; it is added to each request
    ");
    assert_snapshot!(check("ollama", "http://a:11434/api/chat"), @"
    playhouse.yaml:1:52: models.m.base_url: the URL goes too far
    hint: leave `/api/chat` out; it is added to each request
    ");
    assert_snapshot!(check("ollama", "a:11434"), @"
    playhouse.yaml:1:52: models.m.base_url: the URL begins with neither `http://` nor `https://`
    hint: write, for example, `http://127.0.0.1:11434`
    ");
    assert_snapshot!(check("anthropic", "api.anthropic.com"), @"
    playhouse.yaml:1:55: models.m.base_url: not a URL
    hint: write, for example, `https://api.anthropic.com/v1`
    ");
}

#[test]
fn keys_of_endpoints_are_refused_for_other_providers() {
    let text = "models:\n  m:\n    provider: scripted\n    script: s\n    breaker: {enabled: false}\n    concurrency: {}\n    pacing: {}\n    hedging: {}\n    traffic: {record: f}\n";
    assert_snapshot!(errors(text), @"
    playhouse.yaml:5:5: models.m.breaker: a model with `provider: scripted` does not have this key
    hint: take it out, or write `provider: open_ai` or `anthropic` or `ollama`
    playhouse.yaml:6:5: models.m.concurrency: a model with `provider: scripted` does not have this key
    hint: take it out, or write `provider: open_ai` or `anthropic` or `ollama`
    playhouse.yaml:7:5: models.m.pacing: a model with `provider: scripted` does not have this key
    hint: take it out, or write `provider: open_ai` or `anthropic` or `ollama`
    playhouse.yaml:8:5: models.m.hedging: a model with `provider: scripted` does not have this key
    hint: take it out, or write `provider: open_ai` or `anthropic` or `ollama`
    playhouse.yaml:9:5: models.m.traffic: a model with `provider: scripted` does not have this key
    hint: take it out, or write `provider: open_ai` or `anthropic` or `ollama`
    ");
    assert_snapshot!(errors(&endpoint("    script: s\n    threads: 1")), @"
    playhouse.yaml:6:5: models.gpt.script: a model with `provider: open_ai` does not have this key
    hint: take it out, or write `provider: scripted`
    playhouse.yaml:7:5: models.gpt.threads: a model with `provider: open_ai` does not have this key
    hint: take it out, or write `provider: local`
    ");
}

#[test]
fn limits_of_an_endpoint_out_of_range_are_reported() {
    let text = endpoint(
        "    breaker: {failure_ratio: 0, calls_min: 0, probes: 0}
    concurrency: {max: 0}
    pacing: {requests_per_minute: 0}
    hedging: {after_quantile: 1, extra_ratio_max: 1.5}
    quality: 1.1
    timeouts: {attempt_ms: 300001}
    traffic: {}",
    );
    assert_snapshot!(errors(&text), @"
    playhouse.yaml:6:30: models.gpt.breaker.failure_ratio: 0 is out of range
    hint: allowed: above 0 to 1 (it is a share)
    playhouse.yaml:6:44: models.gpt.breaker.calls_min: 0 is out of range
    hint: allowed: 1 to 1000000 (each is remembered)
    playhouse.yaml:6:55: models.gpt.breaker.probes: 0 is out of range
    hint: allowed: 1 to 1000 (more are no trial)
    playhouse.yaml:7:24: models.gpt.concurrency.max: 0 is out of range
    hint: allowed: 1 to 100000 (each is a connection or a stream)
    playhouse.yaml:8:35: models.gpt.pacing.requests_per_minute: 0 is out of range
    hint: allowed: 1 to 1000000 (left out, there is no limit)
    playhouse.yaml:9:31: models.gpt.hedging.after_quantile: 1 is out of range
    hint: allowed: above 0 to 0.999 (hardly any call takes longer)
    playhouse.yaml:9:51: models.gpt.hedging.extra_ratio_max: 1.5 is out of range
    hint: allowed: 0 to 1 (it is a share)
    playhouse.yaml:10:14: models.gpt.quality: 1.1 is out of range
    hint: allowed: 0 to 1 (1 is the best that can be)
    playhouse.yaml:11:28: models.gpt.timeouts.attempt_ms: it is longer than the 300000 ms of `total_ms`
    hint: write less, or raise `total_ms`
    playhouse.yaml:12:5: models.gpt.traffic: `record` or `replay` is missing
    hint: write `record: FOLDER` or `replay: FOLDER`
    ");
    assert_snapshot!(errors(&endpoint("    timeouts: {attempt_ms: 1000, first_token_ms: 2000}")), @"
    playhouse.yaml:6:50: models.gpt.timeouts.first_token_ms: it is longer than the 1000 ms of `attempt_ms`
    hint: write less, or raise `attempt_ms`
    ");
    assert_snapshot!(errors(&endpoint("    traffic: {record: a, replay: b}")), @"
    playhouse.yaml:6:26: models.gpt.traffic.replay: `record` and `replay` stand side by side
    hint: keep one of the two
    ");
}

#[test]
fn fallbacks_are_other_models_and_none_stands_twice() {
    assert_snapshot!(errors(&endpoint("    fallbacks: [gpt, smollm2, smollm2-135m, smollm2-135m]")), @r#"
    playhouse.yaml:6:17: models.gpt.fallbacks.0: a model cannot stand in for itself
    hint: name another one, or take it out
    playhouse.yaml:6:22: models.gpt.fallbacks.1: "smollm2" is not in the catalog
    hint: did you mean `smollm2-135m`?
    playhouse.yaml:6:45: models.gpt.fallbacks.3: "smollm2-135m" stands twice
    hint: keep one of the two
    "#);
    assert_snapshot!(errors(&endpoint("    fallbacks: smollm2-135m")), @"playhouse.yaml:6:16: models.gpt.fallbacks: expected a list, found text");
    assert_snapshot!(errors(&endpoint("    fallbacks: [3]")), @"
    playhouse.yaml:6:17: models.gpt.fallbacks.0: expected text, found a whole number
    hint: put the value in quotes
    ");
}

#[test]
fn an_unknown_cache_mode_is_reported_with_the_known_ones() {
    assert_snapshot!(errors(&endpoint("    cache: none")), @r#"
    playhouse.yaml:6:12: models.gpt.cache: "none" is not known
    hint: known: off, exact, sampled
    "#);
    assert_snapshot!(errors(&endpoint("    cache: false")), @"
    playhouse.yaml:6:12: models.gpt.cache: expected text, found true or false
    hint: known: off, exact, sampled
    ");
}

#[test]
fn a_redis_server_is_named_by_reference_only() {
    let literal = errors("cache:\n  redis:\n    url: redis://:hidden@127.0.0.1:6379\n");
    assert!(!literal.contains("hidden"));
    assert_snapshot!(literal, @"
    playhouse.yaml:3:10: cache.redis.url: this is not a reference; an address that may hold a password must not stand in a file of settings
    hint: refer to the address, for example `env:REDIS_URL` or `file:secrets/redis.url`
    ");
    assert_snapshot!(errors("cache: {redis: {}}"), @"
    playhouse.yaml:1:9: cache.redis.url: a Redis server needs this key
    hint: refer to the address, for example `env:REDIS_URL` or `file:secrets/redis.url`
    ");
    assert_snapshot!(errors("cache: {redis: {url: 'env:R', key_prefix: 'a b', timeout_ms: 0}}"), @"
    playhouse.yaml:1:43: cache.redis.key_prefix: keys cannot begin with it
    hint: use 1 to 64 visible ASCII characters, without spaces
    playhouse.yaml:1:62: cache.redis.timeout_ms: 0 is out of range
    hint: allowed: 1 to 10000 (whoever waits longer had better ask the model)
    ");
    assert_snapshot!(errors("cache: {redis: {url: 6379}}"), @"
    playhouse.yaml:1:22: cache.redis.url: expected text, found a whole number
    hint: refer to the address, for example `env:REDIS_URL` or `file:secrets/redis.url`
    ");
}

#[test]
fn budgets_are_amounts_of_tenants_that_there_can_be() {
    assert_snapshot!(errors("budgets: {day: {usd: -1, tokens: 1.5}, task: {calls: 3}}"), @"
    playhouse.yaml:1:22: budgets.day.usd: -1 is out of range
    hint: allowed: 0 to 1000000 (at most a million dollars)
    playhouse.yaml:1:34: budgets.day.tokens: expected a whole number, found a number with a fraction
    playhouse.yaml:1:47: budgets.task.calls: unknown key
    hint: the keys in `budgets.task` are: tokens, usd
    ");
    assert_snapshot!(errors("budgets:\n  tenants:\n    Acme Inc: {usd: 1}\n    acme: {eur: 1}\n"), @r#"
    playhouse.yaml:3:5: budgets.tenants."Acme Inc": not a name for a tenant
    hint: use 1 to 64 of the characters a-z, 0-9, '-', '_' and '.'
    playhouse.yaml:4:12: budgets.tenants.acme.eur: unknown key
    hint: the keys in `budgets.tenants.acme` are: tokens, usd
    "#);
    assert_snapshot!(errors("budgets: {day: {usd: .inf}, tenant_day: 5}"), @"
    playhouse.yaml:1:22: budgets.day.usd: not a number to count with
    hint: write a finite number
    playhouse.yaml:1:41: budgets.tenant_day: expected a map of keys, found a whole number
    ");
    assert_snapshot!(errors("retry_budget: {ratio_max: 11, window_ms: 10s}"), @"
    playhouse.yaml:1:27: retry_budget.ratio_max: 11 is out of range
    hint: allowed: 0 to 10 (a call has at most 10 attempts)
    playhouse.yaml:1:42: retry_budget.window_ms: expected a whole number, found text
    hint: write the milliseconds as a number: 10000
    ");
}

#[test]
fn a_split_has_models_of_the_catalog_with_weights() {
    assert_snapshot!(errors("selection: {split: {review: {smollm2-135: 1, qwen2.5-coder-0.5b: 0}}}"), @r#"
    playhouse.yaml:1:30: selection.split.review.smollm2-135: "smollm2-135" is not in the catalog
    hint: did you mean `smollm2-135m`?
    playhouse.yaml:1:66: selection.split.review."qwen2.5-coder-0.5b": 0 is out of range
    hint: allowed: 1 to 1000000 (a model without a share is left out)
    "#);
    assert_snapshot!(errors("selection: {split: {review: {}}}"), @"
    playhouse.yaml:1:29: selection.split.review: no model has a weight
    hint: write `MODEL: WEIGHT`, for example `gpt: 9` and `claude: 1`
    ");
    assert_snapshot!(errors("selection: {demotion: {error_ratio_max: 0, latency_factor_max: 1, calls: 0}}"), @"
    playhouse.yaml:1:41: selection.demotion.error_ratio_max: 0 is out of range
    hint: allowed: above 0 to 1 (it is a share)
    playhouse.yaml:1:64: selection.demotion.latency_factor_max: 1 is out of range
    hint: allowed: above 1 to 1000 (more is out of service)
    playhouse.yaml:1:74: selection.demotion.calls: 0 is out of range
    hint: allowed: 1 to 512 (so many calls of a model are remembered)
    ");
}

#[test]
fn a_test_needs_a_split_with_its_baseline_and_another_model() {
    assert_snapshot!(errors("selection: {ab: {review: {baseline: smollm2-135m}}}"), @"
    playhouse.yaml:1:26: selection.ab.review: there is no `selection.split.review` whose models could be held against each other
    hint: give each model its weight there, or take this out
    ");
    let beside = |split: &str, ab: &str| {
        errors(&format!("selection:\n  split: {{review: {{{split}}}}}\n  ab: {{review: {{{ab}}}}}\n"))
    };
    assert_snapshot!(beside("smollm2-135m: 1", "baseline: smollm2-135m"), @"
    playhouse.yaml:3:16: selection.ab.review: `selection.split.review` has one model only
    hint: give a second model its weight there, or take this out
    ");
    let both = "smollm2-135m: 1, qwen2.5-coder-0.5b: 9";
    assert_snapshot!(beside(both, "harmful: tell"), @"
    playhouse.yaml:3:16: selection.ab.review: `baseline` is missing
    hint: models of the split: qwen2.5-coder-0.5b, smollm2-135m
    ");
    assert_snapshot!(beside(both, "baseline: smollm2-135"), @r#"
    playhouse.yaml:3:27: selection.ab.review.baseline: "smollm2-135" is not in `selection.split.review`
    hint: did you mean `smollm2-135m`?
    "#);
    assert_snapshot!(beside(both, "baseline: gpt, false_winners: 0, harmful: kill, outcomes_min: 0, p: 1"), @r#"
    playhouse.yaml:3:27: selection.ab.review.baseline: "gpt" is not in `selection.split.review`
    hint: models of the split: qwen2.5-coder-0.5b, smollm2-135m
    playhouse.yaml:3:47: selection.ab.review.false_winners: 0 is out of range
    hint: allowed: above 0 to 0.5 (a coin would do as well)
    playhouse.yaml:3:59: selection.ab.review.harmful: "kill" is not known
    hint: known: stop, tell
    playhouse.yaml:3:79: selection.ab.review.outcomes_min: 0 is out of range
    hint: allowed: 1 to 1000000 (a verdict needs outcomes, and must come one day)
    playhouse.yaml:3:82: selection.ab.review.p: unknown key
    hint: the keys in `selection.ab.review` are: baseline, false_winners, harmful, outcomes_min
    "#);
}

#[test]
fn constraints_that_no_model_can_fulfil_are_reported_with_the_nearest_model() {
    assert_snapshot!(errors("selection: {constraints: {review: {context_tokens_min: 32769}}}"), @"
    playhouse.yaml:1:35: selection.constraints.review: no model of the catalog can fulfil this
    hint: `qwen2.5-coder-0.5b` comes nearest: it holds 32768 tokens; write `context_tokens_min: 32768`, or add a model that fulfils it
    ");
    assert_snapshot!(errors("selection: {constraints: {review: {among: [smollm2-135m], context_tokens_min: 9000}}}"), @"
    playhouse.yaml:1:35: selection.constraints.review: no model of `among` can fulfil this
    hint: `smollm2-135m` comes nearest: it holds 8192 tokens; write `context_tokens_min: 8192`, or add a model that fulfils it
    ");
    let priced = |among: &str, rest: &str| {
        errors(&format!(
            "models:
  dear: {{provider: anthropic, model: m, context_tokens: 200000, price: {{prompt_usd_per_million_tokens: 3, completion_usd_per_million_tokens: 15}}}}
  cheap: {{provider: ollama, model: m, context_tokens: 16000, price: {{prompt_usd_per_million_tokens: 1}}}}
selection: {{constraints: {{review: {{among: [{among}], {rest}}}}}}}
"
        ))
    };
    assert_snapshot!(priced("dear", "cost_usd_max: 0.0179"), @"
    playhouse.yaml:4:35: selection.constraints.review: no model of `among` can fulfil this
    hint: `dear` comes nearest: it costs 0.018 US dollars for 1000 tokens of prompt and of answer; write `cost_usd_max: 0.018`, or add a model that fulfils it
    ");
    assert_snapshot!(priced("dear, cheap", "cost_usd_max: 0.002, context_tokens_min: 17000"), @"
    playhouse.yaml:4:35: selection.constraints.review: no model of `among` can fulfil this
    hint: `dear` comes nearest: it costs 0.018 US dollars for 1000 tokens of prompt and of answer; write `cost_usd_max: 0.018`, or add a model that fulfils it
    ");
    assert_snapshot!(priced("dear", "cost_usd_max: 0.002, context_tokens_min: 300000"), @"
    playhouse.yaml:4:35: selection.constraints.review: no model of `among` can fulfil this
    hint: `dear` comes nearest: it holds 200000 tokens and costs 0.018 US dollars for 1000 tokens of prompt and of answer; write `context_tokens_min: 200000` and `cost_usd_max: 0.018`, or add a model that fulfils it
    ");
    assert_snapshot!(priced("dear, clever", "prefer: speed, quality_min: 2"), @r#"
    playhouse.yaml:4:50: selection.constraints.review.among.1: "clever" is not in the catalog
    hint: the catalog has: cheap, dear, qwen2.5-coder-0.5b, smollm2-135m
    playhouse.yaml:4:67: selection.constraints.review.prefer: "speed" is not known
    hint: known: quality, cost, latency
    playhouse.yaml:4:87: selection.constraints.review.quality_min: 2 is out of range
    hint: allowed: 0 to 1 (1 is the best that can be)
    "#);
}

#[test]
fn what_a_model_may_turn_out_to_be_is_no_reason_to_refuse_a_constraint() {
    // A server's model without `context_tokens` may hold any number; time and quality are measured.
    let text = "models: {a: {provider: ollama, model: m}}\nselection: {constraints: {review: {context_tokens_min: 9000000, latency_max_ms: 1, quality_min: 1}}}";
    assert!(super::parse_str("p.yaml", text).is_ok());
}

#[test]
fn names_and_texts_that_cannot_be_used_are_reported() {
    assert_snapshot!(errors("models:\n  my model:\n    provider: local\n    file: a.gguf\n"), @r#"
    playhouse.yaml:2:3: models."my model": not a name for a model
    hint: use 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `-`, `_`, `:` and `/`
    "#);
    assert_snapshot!(errors(&endpoint("    encoding: cl100k")), @r#"
    playhouse.yaml:6:15: models.gpt.encoding: "cl100k" is not an encoding
    hint: did you mean `cl100k_base`?
    "#);
    assert_snapshot!(errors("prompts:\n  folder: \"\"\n"), @"
    playhouse.yaml:2:11: prompts.folder: it is empty
    hint: write a value, or leave the key out
    ");
    assert_snapshot!(errors("models:\n  1:\n    provider: local\n"), @"
    playhouse.yaml:2:3: models: a key here is no text
    hint: put the key in quotes
    ");
}

#[test]
fn text_that_is_not_yaml_is_reported_with_its_place() {
    assert_snapshot!(errors("limits:\n\tagents_live_max: 5\n"), @"playhouse.yaml:2:2: tabs disallowed within this context (block indentation)");
    assert_snapshot!(errors("limits: {agents_live_max: 5\n"), @"playhouse.yaml:2:1: while parsing a flow mapping, did not find expected ',' or '}'");
    assert_snapshot!(errors("limits:\n  agents_live_max: \"5\n"), @"playhouse.yaml:2:20: while scanning a quoted scalar, found unexpected end of stream");
    assert_snapshot!(errors("a: b: c\n"), @"playhouse.yaml:1:5: mapping values are not allowed in this context");
    assert_snapshot!(errors("selection:\n  default: *nowhere\n"), @"playhouse.yaml:2:12: while parsing node, found unknown anchor");
}

#[test]
fn yaml_that_settings_do_without_is_refused() {
    assert_snapshot!(errors("limits: {}\n---\nlimits: {}\n"), @"
    playhouse.yaml:2:1: a second document begins here
    hint: keep one document in the file: remove the line `---`
    ");
    assert_snapshot!(errors("limits: !secret\n  agents_live_max: 5\n"), @"
    playhouse.yaml:1:9: a tag stands here; settings have none
    hint: remove the word that begins with `!`
    ");
    assert_snapshot!(errors("? [a, b]\n: c\n"), @"playhouse.yaml:1:3: a key has to be a word");
    assert_snapshot!(errors(&format!("a: {}", "[".repeat(100_000))), @"playhouse.yaml:1:259: it nests deeper than 32 levels");
}

#[test]
fn aliases_that_multiply_each_other_are_refused() {
    let mut lines = vec!["a: &a [x, x, x, x, x, x, x, x, x]".to_owned()];
    for (name, before) in ('b'..='i').zip('a'..='h') {
        let aliases = vec![format!("*{before}"); 9].join(", ");
        lines.push(format!("{name}: &{name} [{aliases}]"));
    }
    assert_snapshot!(errors(&lines.join("\n")), @"
    playhouse.yaml: repetition limit exceeded
    hint: its aliases (`*name`) repeat each other without end; write the values out
    ");
}

#[test]
fn a_text_that_is_too_large_is_refused() {
    assert_snapshot!(errors(&"# pad\n".repeat(200_000)), @"playhouse.yaml: it is larger than 1048576 bytes");
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_in_the_order_of_the_file() {
    let text = "\
models:
  gpt:
    provider: opan_ai
    base_url: not a url
  gpt2:
    provider: open_ai
    base_url: http://a
    modle: x
selection:
  default: gpt3
agents:
  generate:
    temperature: hot
  generate:
    top_k: 0
";
    assert_snapshot!(errors(text), @r#"
    playhouse.yaml:3:15: models.gpt.provider: "opan_ai" is not known
    hint: did you mean `open_ai`? known: local, open_ai, anthropic, ollama, scripted
    playhouse.yaml:5:3: models.gpt2.model: a model with `provider: open_ai` needs this key
    playhouse.yaml:8:5: models.gpt2.modle: unknown key
    hint: did you mean `model`?
    playhouse.yaml:10:12: selection.default: "gpt3" is not in the catalog
    hint: did you mean `gpt`?
    playhouse.yaml:13:18: agents.generate.temperature: expected a number, found text
    playhouse.yaml:14:3: agents.generate: the key stands twice; first in line 12
    hint: keep one of the two
    "#);
}

#[test]
fn errors_become_one_failure_of_invalid_input() {
    use playhouse_protocol::{Failure, FailureClass};
    let one: Failure = super::parse_str("p.yaml", "colour: 1").unwrap_err().into();
    assert_eq!(one.class, FailureClass::InvalidInput);
    assert_eq!(one.message, "p.yaml:1:1: colour: unknown key");
    assert!(one.hint.unwrap().starts_with("the keys"));
    let two: Failure = super::parse_str("p.yaml", "colour: 1\nsize: 2").unwrap_err().into();
    assert!(two.message.starts_with("read the settings: 2 errors\np.yaml:1:1: colour"), "{two}");
}

#[test]
fn hostile_text_is_refused_in_time_that_grows_with_its_length() {
    let many_keys: Vec<_> = (0..100_000).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(super::parse_str("p", &many_keys.concat()).unwrap_err().len(), 100);
    let long_key = format!("{}: 1\n", "k".repeat(900_000));
    assert!(errors(&long_key).len() < 500);
    let flow = format!("[{}", "{a: [".repeat(100_000));
    assert!(errors(&flow).contains("deeper"));
    let many_models: Vec<_> = (0..20_000).map(|n| format!("  m{n}: {{provider: locl}}\n")).collect();
    assert_eq!(super::parse_str("p", &format!("models:\n{}", many_models.concat())).unwrap_err().len(), 100);
}

#[test]
fn the_address_of_a_tracking_server_holds_no_secret_and_no_path_of_the_interface() {
    let check = |uri: &str| errors(&format!("experiments:\n  tracking_uri: {uri}\n"));
    assert_snapshot!(check("127.0.0.1:5000"), @"
    playhouse.yaml:2:17: experiments.tracking_uri: not a URL
    hint: write, for example, `http://127.0.0.1:5000`
    ");
    assert_snapshot!(check("sqlite:///mlflow.db"), @"
    playhouse.yaml:2:17: experiments.tracking_uri: the URL begins with neither `http://` nor `https://`
    hint: write, for example, `http://127.0.0.1:5000`
    ");
    assert_snapshot!(check("https://a/mlflow/api/2.0/"), @"
    playhouse.yaml:2:17: experiments.tracking_uri: the URL goes too far
    hint: leave out what begins with `/api`; it is added to each request
    ");
    let password = check("https://me:hidden@a");
    assert!(!password.contains("hidden"));
    assert_snapshot!(password, @"
    playhouse.yaml:2:17: experiments.tracking_uri: the URL holds a user name or password
    hint: take it out, and refer to the key with `tracking_token`
    ");
    assert_snapshot!(errors("experiments: {tracking_token: hidden}"), @"
    playhouse.yaml:1:31: experiments.tracking_token: this is not a reference; a token must not stand in a file of settings
    hint: refer to the token, for example `env:MLFLOW_TRACKING_TOKEN` or `file:secrets/mlflow.token`
    ");
}

#[test]
fn an_alias_is_taken_where_models_are_selected_and_its_form_is_checked() {
    let text = "
selection:
  default: '@coder:0'
  by_task: {review: '@'}
  split: {generate: {'@a b': 1}}
  constraints: {chat: {among: ['@coder:new']}}
";
    assert_snapshot!(errors(text), @r#"
    playhouse.yaml:3:12: selection.default: not an alias of a registered model
    hint: write `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:2`
    playhouse.yaml:4:21: selection.by_task.review: not an alias of a registered model
    hint: write `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:2`
    playhouse.yaml:5:22: selection.split.generate."@a b": not an alias of a registered model
    hint: write `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:2`
    playhouse.yaml:6:32: selection.constraints.chat.among.0: not an alias of a registered model
    hint: write `@NAME`, `@NAME:production`, `@NAME:candidate` or `@NAME:2`
    "#);
}
