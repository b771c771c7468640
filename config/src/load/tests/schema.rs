use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::{show, yaml};

/// Calls `visit` with the path and schema of every setting.
fn each_setting(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (key, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        each_setting(below, &format!("{path}.{key}"), visit);
    }
    if let Some(below) = schema.get("additionalProperties").filter(|any| any.is_object()) {
        each_setting(below, &format!("{path}.*"), visit);
    }
}

/// The paths of a value, with the names of models and tasks as `*`.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    for (key, below) in value.as_object().into_iter().flatten() {
        let named = [
            ".models",
            ".selection.by_task",
            ".selection.split",
            ".selection.split.*",
            ".selection.ab",
            ".selection.constraints",
            ".budgets.tenants",
        ];
        let named = named.contains(&path);
        paths(below, &format!("{path}.{}", if named { "*" } else { key }), found);
    }
}

#[test]
fn the_schema_has_exactly_the_keys_that_are_read_and_shown() {
    let mut in_schema = BTreeSet::new();
    each_setting(&SCHEMA, "", &mut |path, _| {
        in_schema.insert(path.to_owned());
    });
    let text = "
models:
  a:
    provider: open_ai
    base_url: http://a
    model: m
    api_key: env:A
    context_tokens: 5000
    encoding: o200k_base
    tokens_factor: 1
    pacing: {requests_per_minute: 1, tokens_per_minute: 1}
    hedging: {}
    traffic: {record: f}
    fallbacks: [b]
    quality: 1
  b: {provider: scripted, script: s}
  c: {provider: local, file: f, threads: 1}
  d: {provider: ollama, model: m, traffic: {replay: f}}
selection:
  by_task: {review: a}
  split: {review: {a: 1, b: 1}}
  ab: {review: {baseline: a}}
  constraints:
    generate: {among: [a], context_tokens_min: 1, latency_max_ms: 1, cost_usd_max: 1, quality_min: 1, prefer: cost}
cache: {redis: {url: 'env:R'}}
budgets: {task: &some {tokens: 1, usd: 1}, day: *some, tenant_day: *some, tenants: {a: *some}}
agents: {generate: &all {temperature: 1, top_p: 1, top_k: 1, seed: 1}, review: *all}
limits: {tenant_tasks_open_max: 5}
journal: {path: j.db}
prompts: {folder: f}
experiments: {dir: d, tracking_uri: 'http://127.0.0.1:5000', tracking_token: 'env:T'}
";
    let shown: Value = yaml::parse(&show(&accepted(text).0), &mut Vec::new()).unwrap();
    let mut in_shown = BTreeSet::new();
    paths(&shown, "", &mut in_shown);
    assert_eq!(in_schema, in_shown);
}

#[test]
fn every_setting_is_described_and_every_number_has_both_limits_and_a_reason() {
    each_setting(&SCHEMA, "", &mut |path, schema| {
        assert!(path.ends_with('*') || schema["description"].is_string(), "{path}");
        let kinds = schema["type"].to_string();
        if kinds.contains("integer") || kinds.contains("number") {
            assert!(schema.get("minimum").or(schema.get("exclusiveMinimum")).is_some(), "{path}");
            assert!(schema["maximum"].is_number() && schema["x-reason"].is_string(), "{path}");
        }
    });
}

#[test]
fn the_schema_accepts_the_default_file_and_refuses_what_we_refuse() {
    let schema: Value = serde_json::from_str(&crate::schema_json()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let valid = |text: &str| validator.is_valid(&yaml::parse(text, &mut Vec::new()).unwrap());
    assert!(valid(default_yaml()));
    assert!(valid(&show(&Config::default())));
    for text in [
        "colour: 1",
        "limits: {agents_live_max: 0}",
        "limits: {agents_live_max: many}",
        "models: {a: {provider: openai}}",
        "models: {a: {api_key: sk-abc}}",
        "models: {a: {price: {usd: 1}}}",
        "agents: {review: {top_p: 0}}",
        "prompts: {folder: ''}",
        "models: {a: {cache: on}}",
        "models: {a: {cache: false}}",
        "models: {a: {fallbacks: [1]}}",
        "models: {a: {hedging: {after_quantile: 1}}}",
        "selection: {split: {review: {a: 0}}}",
        "selection: {ab: {review: {baseline: a, false_winners: 0}}}",
        "cache: {redis: {url: 'redis://127.0.0.1'}}",
        "budgets: {day: {usd: -1}}",
        "experiments: {tracking_token: abc}",
    ] {
        assert!(!valid(text), "{text}");
        assert!(parse_str("p", text).is_err(), "{text}");
    }
}
