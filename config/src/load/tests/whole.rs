use std::time::Duration;

use insta::assert_snapshot;
use playhouse_protocol::completion::Sampling;

use super::*;
use crate::secret::SecretRef;
use crate::settings::{
    AbConfig, BreakerConfig, BudgetsConfig, CacheConfig, CacheMode, ConcurrencyConfig, ConstraintsConfig,
    DemotionConfig, HarmfulArm, HedgingConfig, HttpConfig, LocalConfig, LocalSource, ModelConfig,
    OverflowPolicy, PacingConfig, Preference, PriceConfig, RedisConfig, RetriesConfig, RetryBudgetConfig,
    TimeoutsConfig, TrafficConfig, UsageLimits,
};

/// The default file with its examples uncommented.
fn all_examples() -> String {
    let lines = default_yaml().lines().map(|line| match line.strip_prefix('#') {
        Some(example) if !example.starts_with('#') => example,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_default_file_says_exactly_what_holds_without_it() {
    assert_eq!(accepted(default_yaml()), (Config::default(), String::new()));
}

#[test]
fn nothing_at_all_means_the_defaults() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}", "{}", "null", "models:\nlimits:\n"] {
        assert_eq!(accepted(text).0, Config::default(), "{text:?}");
    }
}

#[test]
fn the_examples_of_the_default_file_are_right() {
    let (config, warnings) = accepted(&all_examples());
    assert_eq!(warnings, "");
    assert_eq!(config.models.len(), 6);
    assert_eq!(config.selection.by_task["develop"], "ollama");
    let ProviderConfig::OpenAi(http) = &config.models["served"].provider else { panic!("{config:?}") };
    let expected = HttpConfig {
        api_key: Some(SecretRef::Env("OPENAI_API_KEY".into())),
        structured_output: true,
        pacing: PacingConfig { requests_per_minute: Some(500), tokens_per_minute: Some(200_000) },
        hedging: Some(HedgingConfig::default()),
        ..HttpConfig::new("http://127.0.0.1:8000/v1", "Qwen/Qwen2.5-Coder-7B-Instruct")
    };
    assert_eq!(*http, expected, "what is written there holds without it too");
    assert_eq!(config.models["served"].fallbacks, ["claude", "qwen2.5-coder-0.5b"]);
    assert!(matches!(config.models["claude"].provider, ProviderConfig::Anthropic(_)));
    assert_eq!(config.cache.redis, Some(RedisConfig::new(SecretRef::Env("REDIS_URL".into()))));
    let tracking = &config.experiments;
    assert_eq!(tracking.tracking_uri.as_deref(), Some("http://127.0.0.1:5000"));
    assert_eq!(tracking.tracking_token, Some(SecretRef::Env("MLFLOW_TRACKING_TOKEN".into())));
    assert_eq!(config.budgets.tenants["acme"].cost_nano_usd_max, Some(50_000_000_000));
}

#[test]
fn what_is_shown_says_the_same_when_it_is_read_again() {
    for text in ["", &all_examples()] {
        let (config, _) = accepted(text);
        assert_eq!(accepted(&crate::show(&config)).0, config, "{}", crate::show(&config));
    }
}

#[test]
fn a_full_entry_is_read_field_by_field() {
    let text = "
models:
  gpt:
    provider: open_ai
    base_url: HTTPS://API.example.com/v1//
    model: gpt-x
    api_key: file:secrets/key
    structured_output: true
    context_tokens: 128000
    completion_tokens_default: 4096
    encoding: o200k_base
    tokens_factor: 1.25
    price: {prompt_usd_per_million_tokens: 0.15, completion_usd_per_million_tokens: 10}
    queue_len_max: 7
    timeouts: {total_ms: 20000}
    retries: {backoff_initial_ms: 20000}
  qwen2.5-coder-0.5b: {threads: 2}
agents: {review: {temperature: 0.7, seed: 18446744073709551615}}
";
    let (config, warnings) = accepted(text);
    assert_eq!(warnings, "");
    let seconds = Duration::from_secs;
    let http = HttpConfig {
        base_url: "https://api.example.com/v1".into(),
        model: "gpt-x".into(),
        api_key: Some(SecretRef::File("secrets/key".into())),
        timeouts: TimeoutsConfig {
            connect: seconds(5),
            first_token: seconds(20),
            between_tokens: seconds(20),
            attempt: seconds(20),
            total: seconds(20),
        },
        retries: RetriesConfig { attempts_max: 3, backoff_initial: seconds(20), backoff_max: seconds(20) },
        structured_output: true,
        ..HttpConfig::new("", "")
    };
    let entry = ModelConfig {
        provider: ProviderConfig::OpenAi(http),
        context_tokens: Some(128_000),
        completion_tokens_default: 4096,
        encoding: Some("o200k_base".into()),
        tokens_factor: Some(1.25),
        price: PriceConfig { prompt_nano_usd_per_token: 150, completion_nano_usd_per_token: 10_000 },
        queue_len_max: 7,
        ..ModelConfig::built_in("")
    };
    assert_eq!(config.models["gpt"], entry);
    let threads = LocalConfig { source: LocalSource::Known("qwen2.5-coder-0.5b".into()), threads: Some(2) };
    assert_eq!(config.models["qwen2.5-coder-0.5b"].provider, ProviderConfig::Local(threads));
    let sampling = Sampling { temperature: Some(0.7), seed: Some(u64::MAX), ..Sampling::default() };
    assert_eq!(config.agents.review.sampling, sampling);
    assert_eq!(accepted(&crate::show(&config)).0, config);
}

/// The endpoint of an entry.
fn http<'a>(config: &'a Config, name: &str) -> &'a HttpConfig {
    config.models[name].provider.http().unwrap()
}

#[test]
fn an_endpoint_is_read_key_by_key() {
    let text = "
models:
  a:
    provider: anthropic
    model: m
    api_key: env:A
    breaker: {failure_ratio: 0.25, calls_min: 7, window_ms: 1000, open_ms: 200, probes: 1}
    concurrency: {max: 8, adaptive: false}
    pacing: {tokens_per_minute: 1000}
    hedging: {}
    timeouts: {attempt_ms: 20000}
    fallbacks: [b, qwen2.5-coder-0.5b]
    cache: sampled
    overflow: refuse
    quality: 0.75
    traffic: {replay: tapes}
  b:
    provider: ollama
    model: m
    breaker: {enabled: false}
    hedging: {after_quantile: 0.5, after_min_ms: 0, extra_ratio_max: 1}
    cache: off
    traffic: {record: tapes}
  smollm2-135m: {cache: 'off', fallbacks: [a], quality: 0}
";
    let (config, warnings) = accepted(text);
    assert_eq!(warnings, "");
    let ms = Duration::from_millis;
    let expected = HttpConfig {
        api_key: Some(SecretRef::Env("A".into())),
        breaker: Some(BreakerConfig {
            failure_ratio: 0.25,
            calls_min: 7,
            window: ms(1_000),
            open: ms(200),
            probes: 1,
        }),
        concurrency: ConcurrencyConfig { max: 8, adaptive: false },
        pacing: PacingConfig { requests_per_minute: None, tokens_per_minute: Some(1_000) },
        hedging: Some(HedgingConfig::default()),
        timeouts: TimeoutsConfig {
            first_token: ms(20_000),
            between_tokens: ms(20_000),
            attempt: ms(20_000),
            ..TimeoutsConfig::default()
        },
        traffic: Some(TrafficConfig::Replay("tapes".into())),
        ..HttpConfig::new("https://api.anthropic.com/v1", "m")
    };
    assert_eq!(*http(&config, "a"), expected);
    let a = &config.models["a"];
    assert_eq!((a.fallbacks.len(), a.cache, a.quality), (2, CacheMode::Sampled, Some(0.75)));
    let expected = HttpConfig {
        breaker: None,
        hedging: Some(HedgingConfig { after_quantile: 0.5, after_min: ms(0), extra_ratio_max: 1.0 }),
        traffic: Some(TrafficConfig::Record("tapes".into())),
        ..HttpConfig::new("http://127.0.0.1:11434", "m")
    };
    assert_eq!(*http(&config, "b"), expected);
    assert_eq!(config.models["b"].cache, CacheMode::Off);
    assert_eq!((a.overflow, config.models["b"].overflow), (OverflowPolicy::Refuse, OverflowPolicy::Condense));
    assert_eq!(config.models["smollm2-135m"].cache, CacheMode::Off);
    assert_eq!(accepted(&crate::show(&config)).0, config);
}

#[test]
fn the_default_of_an_attempt_gives_way_to_what_is_written_beside_it() {
    let attempt = |timeouts: &str| {
        let text = format!("models: {{a: {{provider: ollama, model: m, timeouts: {timeouts}}}}}");
        let (config, _) = accepted(&text);
        (http(&config, "a").timeouts.attempt.as_secs(), http(&config, "a").timeouts.first_token.as_secs())
    };
    assert_eq!(attempt("{}"), (120, 60));
    assert_eq!(attempt("{first_token_ms: 200000}"), (200, 200));
    assert_eq!(attempt("{total_ms: 30000}"), (30, 30));
    assert_eq!(attempt("{attempt_ms: 10000}"), (10, 10));
}

#[test]
fn cache_budgets_and_selection_are_read_key_by_key() {
    let text = "
models:
  a: {provider: open_ai, base_url: 'http://a/v1', model: m, context_tokens: 100000, price: {prompt_usd_per_million_tokens: 3}}
  b: {provider: scripted, script: s}
cache:
  memory_bytes_max: 0
  age_max_ms: 5
  redis: {url: 'file:secrets/redis', timeout_ms: 7, key_prefix: 'p:'}
budgets:
  task: {tokens: 5}
  day: {tokens: 1000, usd: 0.1}
  tenant_day: {usd: 0}
  tenants: {acme: {usd: 0.000000001}, free: {}}
retry_budget: {ratio_max: 0.5, free: 0, window_ms: 100}
selection:
  split: {generate: {a: 9, b: 1}, chat: {a: 1, b: 1}}
  ab: {generate: {baseline: a}, chat: {baseline: b, false_winners: 0.01, harmful: tell, outcomes_min: 7}}
  constraints:
    review: {among: [b, a], context_tokens_min: 90000, latency_max_ms: 5, cost_usd_max: 0.003, quality_min: 0.5, prefer: latency}
    other: {}
  demotion: {error_ratio_max: 1, latency_factor_max: 1.5, calls: 3, duration_ms: 1000}
";
    let (config, warnings) = accepted(text);
    assert_eq!(warnings, "");
    let ms = Duration::from_millis;
    let redis = RedisConfig {
        url: SecretRef::File("secrets/redis".into()),
        timeout: ms(7),
        key_prefix: "p:".to_owned(),
    };
    assert_eq!(config.cache, CacheConfig { memory_bytes_max: 0, age_max: ms(5), redis: Some(redis) });
    let limits = |tokens_max, cost_nano_usd_max| UsageLimits { tokens_max, cost_nano_usd_max };
    let budgets = BudgetsConfig {
        task: limits(Some(5), None),
        day: limits(Some(1_000), Some(100_000_000)),
        tenant_day: limits(None, Some(0)),
        tenants: [("acme".to_owned(), limits(None, Some(1))), ("free".to_owned(), UsageLimits::default())]
            .into(),
    };
    assert_eq!(config.budgets, budgets);
    assert_eq!(config.retry_budget, RetryBudgetConfig { ratio_max: 0.5, free: 0, window: ms(100) });
    assert_eq!(config.selection.split["generate"], [("a".to_owned(), 9), ("b".to_owned(), 1)].into());
    let ab = AbConfig { baseline: "a".to_owned(), ..AbConfig::default() };
    assert_eq!(config.selection.ab["generate"], ab);
    let ab = AbConfig {
        baseline: "b".to_owned(),
        false_winners: 0.01,
        harmful: HarmfulArm::Tell,
        outcomes_min: 7,
    };
    assert_eq!(config.selection.ab["chat"], ab);
    let review = ConstraintsConfig {
        among: vec!["b".to_owned(), "a".to_owned()],
        context_tokens_min: Some(90_000),
        latency_max: Some(ms(5)),
        cost_nano_usd_max: Some(3_000_000),
        quality_min: Some(0.5),
        prefer: Preference::Latency,
    };
    assert_eq!(config.selection.constraints["review"], review);
    assert_eq!(config.selection.constraints["other"], ConstraintsConfig::default());
    let demotion =
        DemotionConfig { error_ratio_max: 1.0, latency_factor_max: 1.5, calls: 3, duration: ms(1_000) };
    assert_eq!(config.selection.demotion, demotion);
    assert_eq!(accepted(&crate::show(&config)).0, config);
}

#[test]
fn every_amount_of_money_comes_back_to_the_billionth() {
    for nano in [1, 7, 999_999_999, 1_000_000_001, 123_456_789_012_345, 999_999_999_999_999] {
        let mut config = Config::default();
        config.budgets.day.cost_nano_usd_max = Some(nano);
        let shown = crate::show(&config);
        assert_eq!(accepted(&shown), (config, String::new()), "{shown}");
    }
}

#[test]
fn settings_are_shown_with_keys_as_references_only() {
    let text = "models: {gpt: {provider: open_ai, base_url: \"http://localhost/v1\", model: m, api_key: \"env:KEY\"}}";
    assert_snapshot!(crate::show(&accepted(text).0), @"
    models:
      gpt:
        provider: open_ai
        base_url: http://localhost/v1
        model: m
        api_key: env:KEY
        timeouts:
          connect_ms: 5000
          first_token_ms: 60000
          between_tokens_ms: 30000
          attempt_ms: 120000
          total_ms: 300000
        retries:
          attempts_max: 3
          backoff_initial_ms: 500
          backoff_max_ms: 10000
        structured_output: false
        breaker:
          enabled: true
          failure_ratio: 0.5
          calls_min: 20
          window_ms: 30000
          open_ms: 5000
          probes: 3
        concurrency:
          max: 256
          adaptive: true
        completion_tokens_default: 1024
        price:
          prompt_usd_per_million_tokens: 0.0
          completion_usd_per_million_tokens: 0.0
        queue_len_max: 256
        cache: exact
        overflow: condense
      qwen2.5-coder-0.5b:
        provider: local
        known: qwen2.5-coder-0.5b
        completion_tokens_default: 1024
        price:
          prompt_usd_per_million_tokens: 0.0
          completion_usd_per_million_tokens: 0.0
        queue_len_max: 64
        cache: exact
        overflow: condense
      smollm2-135m:
        provider: local
        known: smollm2-135m
        completion_tokens_default: 1024
        price:
          prompt_usd_per_million_tokens: 0.0
          completion_usd_per_million_tokens: 0.0
        queue_len_max: 64
        cache: exact
        overflow: condense
    selection:
      default: qwen2.5-coder-0.5b
      by_task: {}
      demotion:
        error_ratio_max: 0.5
        latency_factor_max: 3.0
        calls: 50
        duration_ms: 60000
    agents:
      generate:
        completion_tokens_max: 1024
      review:
        completion_tokens_max: 700
      develop:
        rounds: 2
    limits:
      agents_live_max: 1000
      tasks_open_max: 5000
      task_timeout_ms: 1800000
      shutdown_grace_ms: 10000
    attempts:
      attempts_max: 3
      backoff_initial_ms: 200
      backoff_max_ms: 30000
    journal:
      ended_age_max_ms: 604800000
      ended_max: 100000
    cache:
      memory_bytes_max: 67108864
      age_max_ms: 86400000
    retry_budget:
      ratio_max: 0.1
      free: 10
      window_ms: 10000
    ");
}

#[test]
fn scalars_are_those_of_yaml_1_2() {
    let (config, _) = accepted("models: {no: {provider: scripted, script: off}}\nselection: {default: no}\n");
    assert_eq!(config.models["no"].provider, ProviderConfig::Scripted { script: "off".into() });
}

#[test]
fn aliases_are_followed_and_errors_behind_them_are_placed_at_the_alias() {
    let text = "agents:\n  generate: &both {completion_tokens_max: 9}\n  review: *both\n";
    assert_eq!(accepted(text).0.agents.review.completion_tokens_max, 9);
    let text = "agents:\n  generate: &both {top_k: 0}\n  review: *both\n";
    assert_snapshot!(errors(text), @"
    playhouse.yaml:2:27: agents.generate.top_k: 0 is out of range
    hint: allowed: 1 to 1000000 (vocabularies are smaller)
    playhouse.yaml:3:11: agents.review.top_k: 0 is out of range
    hint: allowed: 1 to 1000000 (vocabularies are smaller)
    ");
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let (_, warnings) = accepted(
        "models:
  gpt:
    provider: open_ai
    base_url: http://gpu.example.com/v1
    model: m
    api_key: env:KEY
    price: {prompt_usd_per_million_tokens: 0.0375}
    breaker: {enabled: false, probes: 2}
  claude: {provider: anthropic, base_url: 'https://api.anthropic.com', model: m}
selection:
  by_task: {reviw: gpt, translate: gpt}
  split: {review: {gpt: 1}}
  constraints: {review: {}}
budgets: {day: {usd: 1}, tenant_day: {usd: 0.00000000019}, tenants: {acme: {usd: 2}}}
",
    );
    assert_snapshot!(warnings, @"
    playhouse.yaml:9:43: models.claude.base_url: `/messages` would be asked for, and most servers have it behind `/v1`
    hint: add `/v1`, unless the server has it at the top
    playhouse.yaml:8:14: models.gpt.breaker: the other keys have no effect
    hint: take `enabled: false` out, or the other keys
    playhouse.yaml:4:15: models.gpt.base_url: the key would be sent in the clear
    hint: use https, or an endpoint on this machine
    playhouse.yaml:7:44: models.gpt.price.prompt_usd_per_million_tokens: 0.0375 is counted as 0.038
    hint: prices are counted in steps of 0.001
    playhouse.yaml:11:20: selection.by_task.reviw: no shipped agent has this task type
    hint: did you mean `review`?
    playhouse.yaml:13:25: selection.constraints.review: it has no effect: `selection.split.review` stands above it
    hint: keep one of the two
    playhouse.yaml:14:44: budgets.tenant_day.usd: 0.00000000019 is counted as 0
    hint: money is counted in billionths of a dollar
    playhouse.yaml:14:82: budgets.tenants.acme.usd: it is more than all tenants together have
    hint: raise `budgets.day`
    ");
}

#[test]
fn where_experiments_are_kept_and_tracked_is_read() {
    let text = "experiments: {dir: /e, tracking_uri: 'HTTP://A.example/mlflow//', tracking_token: file:t}";
    let (config, warnings) = accepted(text);
    assert_eq!(config.experiments.dir.as_deref(), Some(Path::new("/e")));
    assert_eq!(config.experiments.tracking_uri.as_deref(), Some("http://a.example/mlflow"));
    assert!(warnings.contains("in the clear"), "{warnings}");
    assert!(accepted("experiments: {tracking_token: 'env:T'}").1.contains("it has no effect"));
    let keys = crate::check_secrets(&config, &Environment::of([]));
    assert_eq!(keys.len(), 1, "{keys:?}");
}

#[test]
fn an_alias_may_stand_where_models_are_selected() {
    let text = "
selection:
  default: '@coder'
  by_task: {review: '@coder:2'}
  split: {generate: {'@coder:candidate': 1, smollm2-135m: 9}}
  constraints: {chat: {among: ['@coder']}}
";
    let (config, warnings) = accepted(text);
    assert_eq!((config.selection.default.as_str(), warnings.as_str()), ("@coder", ""));
    assert_eq!(accepted(&crate::show(&config)).0, config);
}
