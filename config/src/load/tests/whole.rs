use std::time::Duration;

use insta::assert_snapshot;
use playhouse_protocol::completion::Sampling;

use super::*;
use crate::secret::SecretRef;
use crate::settings::{
    HttpConfig, LocalConfig, LocalSource, ModelConfig, PriceConfig, RetriesConfig, TimeoutsConfig,
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
    assert_eq!(config.models.len(), 4);
    assert_eq!(config.selection.by_task["review"], "ollama");
    let ProviderConfig::OpenAi(http) = &config.models["ollama"].provider else { panic!("{config:?}") };
    assert_eq!((http.timeouts, http.retries), (TimeoutsConfig::default(), RetriesConfig::default()));
    assert_eq!(http.api_key, Some(SecretRef::Env("OPENAI_API_KEY".into())));
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
          total_ms: 300000
        retries:
          attempts_max: 3
          backoff_initial_ms: 500
          backoff_max_ms: 10000
        structured_output: false
        completion_tokens_default: 1024
        price:
          prompt_usd_per_million_tokens: 0.0
          completion_usd_per_million_tokens: 0.0
        queue_len_max: 256
      qwen2.5-coder-0.5b:
        provider: local
        known: qwen2.5-coder-0.5b
        completion_tokens_default: 1024
        price:
          prompt_usd_per_million_tokens: 0.0
          completion_usd_per_million_tokens: 0.0
        queue_len_max: 64
      smollm2-135m:
        provider: local
        known: smollm2-135m
        completion_tokens_default: 1024
        price:
          prompt_usd_per_million_tokens: 0.0
          completion_usd_per_million_tokens: 0.0
        queue_len_max: 64
    selection:
      default: qwen2.5-coder-0.5b
      by_task: {}
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
selection:
  by_task: {reviw: gpt, translate: gpt}
",
    );
    assert_snapshot!(warnings, @"
    playhouse.yaml:4:15: models.gpt.base_url: the key would be sent in the clear
    hint: use https, or an endpoint on this machine
    playhouse.yaml:7:44: models.gpt.price.prompt_usd_per_million_tokens: 0.0375 is counted as 0.038
    hint: prices are counted in steps of 0.001
    playhouse.yaml:9:20: selection.by_task.reviw: no shipped agent has this task type
    hint: did you mean `review`?
    ");
}
