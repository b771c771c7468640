//! Models for people and for programs.

use std::fmt::Write as _;

use playhouse_config::Config;
use playhouse_config::settings::{LocalSource, ProviderConfig};
use playhouse_models::BreakerState;
use playhouse_models::catalog::EntryState;
use playhouse_models::pull::known_model;
use playhouse_models::selection::Measurements as _;
use playhouse_models::{Catalog, CatalogEntry, DriftStanding};
use playhouse_protocol::Failure;
use playhouse_protocol::completion::ProviderKind;
use serde::Serialize;

use super::measured::{Figures, price};
use crate::args::TableFormat;
use crate::render::table::Table;
use crate::render::{json, words};
use crate::ui::Ui;

/// A model as programs are told of it.
#[derive(Debug, Serialize)]
struct Described {
    name: String,
    provider: &'static str,
    location: String,
    context_tokens: Option<u32>,
    state: &'static str,
    /// What stands in its way at the moment.
    troubles: Vec<&'static str>,
    /// Of its file, where it has one that is there.
    size_bytes: Option<u64>,
    is_default: bool,
    /// The task types that it is selected for.
    selected_for: Vec<String>,
    prompt_nano_usd_per_token: u64,
    completion_nano_usd_per_token: u64,
    measured: Figures,
    /// Why it is passed over when models are chosen, where it is.
    demoted: Option<String>,
    /// What of it is watched, against its own first calls.
    drift: Vec<Watched>,
}

/// What of a model is watched, as programs are told.
#[derive(Debug, Serialize)]
struct Watched {
    /// `errors`, `latency`, `cost` or `quality`.
    what: &'static str,
    /// The type of task, for quality.
    task: Option<String>,
    calls: u64,
    /// The running mean: a share of failures, seconds, billionths of a US dollar, or a score.
    rolling: f64,
    /// The share of bad ones among the first; nothing while they are learned from.
    usual: Option<f64>,
    /// The share of bad ones among the last.
    recent: Option<f64>,
    /// Why it is not what it was, where it is not.
    drifted: Option<String>,
}

impl From<DriftStanding> for Watched {
    fn from(standing: DriftStanding) -> Self {
        let DriftStanding { what, task_type, calls, rolling, usual, recent, drifted } = standing;
        Self { what: what.as_str(), task: task_type, calls, rolling, usual, recent, drifted }
    }
}

#[derive(Debug, Serialize)]
struct List<'a> {
    models: Vec<Described>,
    notes: &'a [String],
}

/// Every model, and what else could be used.
pub(super) fn all(
    ui: &Ui,
    config: &Config,
    catalog: &Catalog,
    notes: &[String],
    format: TableFormat,
) -> Result<String, Failure> {
    let models: Vec<_> =
        catalog.entries().into_iter().map(|entry| describe(config, catalog, entry)).collect();
    if format == TableFormat::Json {
        return json::envelope("models", false, &List { models, notes });
    }
    let mut table = Table::new(&[
        "name",
        "provider",
        ">context",
        "state",
        ">calls",
        ">errors",
        ">p50",
        ">p95",
        ">p99",
        "per million tokens",
        "used for",
        "where",
    ]);
    for model in models {
        let context = model.context_tokens.map(|tokens| words::thousands(u64::from(tokens)));
        let mut used_for = model.selected_for;
        if model.is_default {
            used_for.insert(0, "default".to_owned());
        }
        let size = model.size_bytes.map(|size| format!(", {}", words::bytes(size))).unwrap_or_default();
        let mut state = format!("{}{size}", model.state);
        for trouble in &model.troubles {
            let _ = write!(state, ", {trouble}");
        }
        let [calls, errors, p50, p95, p99] = model.measured.cells();
        table.row([
            model.name,
            model.provider.to_owned(),
            context.unwrap_or_default(),
            state,
            calls,
            errors,
            p50,
            p95,
            p99,
            price(model.prompt_nano_usd_per_token, model.completion_nano_usd_per_token),
            used_for.join(", "),
            model.location,
        ]);
    }
    let mut text = table.render(ui.stdout_style());
    for note in notes {
        let _ = write!(text, "\n{note}\n");
    }
    Ok(text)
}

/// One model with everything that is known of it.
pub(super) fn one(
    ui: &Ui,
    config: &Config,
    catalog: &Catalog,
    name: &str,
    format: TableFormat,
) -> Result<String, Failure> {
    // Gives the error with the nearest name where there is none such.
    catalog.config(name)?;
    let entry = catalog.entries().into_iter().find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| Failure::internal(format!("find model {name:?}")))?;
    let model = describe(config, catalog, entry);
    if format == TableFormat::Json {
        return json::envelope("model", false, &model);
    }
    let mut rows = vec![
        ("provider", model.provider.to_owned()),
        ("where", model.location.clone()),
        ("state", model.state.to_owned()),
    ];
    rows.extend(model.size_bytes.map(|size| ("size", words::bytes(size))));
    rows.extend(model.context_tokens.map(|tokens| ("context", words::counted(u64::from(tokens), "token"))));
    if model.is_default {
        rows.push(("used for", "what the settings name no other model for".to_owned()));
    }
    if !model.selected_for.is_empty() {
        rows.push(("selected for", model.selected_for.join(", ")));
    }
    let price = price(model.prompt_nano_usd_per_token, model.completion_nano_usd_per_token);
    if !price.is_empty() {
        rows.push(("price", format!("{price} per million tokens")));
    }
    rows.extend(model.measured.line().map(|line| ("measured", line)));
    rows.extend(model.demoted.clone().map(|reason| ("demoted", reason)));
    rows.extend(model.drift.iter().filter_map(|watched| Some(("drifting", watched.drifted.clone()?))));
    rows.extend(known_rows(config, name));
    let style = ui.stdout_style();
    let mut text = format!("{}\n", style.bold(name));
    for (key, value) in rows {
        let _ = writeln!(text, "  {key:<13} {value}");
    }
    Ok(text)
}

/// What the manifest says of an embedded model.
fn known_rows(config: &Config, name: &str) -> Vec<(&'static str, String)> {
    let Some(ProviderConfig::Local(local)) = config.models.get(name).map(|model| &model.provider) else {
        return Vec::new();
    };
    let LocalSource::Known(known) = &local.source else { return Vec::new() };
    let Some(known) = known_model(known) else { return Vec::new() };
    let mut rows = vec![
        ("model", format!("{} by {}, {} parameters", known.display_name, known.publisher, known.parameters)),
        ("licence", known.license.clone()),
        ("file", words::bytes(known.file_bytes)),
        ("sha256", known.sha256.clone()),
    ];
    rows.extend(known.hub.iter().map(|url| ("source hub", url.clone())));
    let carriers: Vec<_> =
        known.carriers.iter().map(|carrier| format!("{}=={}", carrier.package, carrier.version)).collect();
    if !carriers.is_empty() {
        rows.push(("source carrier", carriers.join(" + ")));
    }
    rows
}

fn describe(config: &Config, catalog: &Catalog, entry: CatalogEntry) -> Described {
    let is_it = |model: &str| catalog.entry_name(model).is_ok_and(|name| name == entry.name);
    let by_task = config.selection.by_task.iter().filter(|(_, model)| is_it(model));
    let selected_for = by_task.map(|(task, _)| task.clone()).collect();
    let state = match &entry.state {
        EntryState::Ready if entry.provider == ProviderKind::Local => "present",
        EntryState::Ready if entry.provider == ProviderKind::Scripted => "scripted",
        EntryState::Ready => "configured",
        EntryState::FileMissing { .. } => "file missing",
        EntryState::NotBuiltIn => "not in this build",
        EntryState::UnknownFile => "unknown file",
    };
    let has_file = entry.provider == ProviderKind::Local && entry.state == EntryState::Ready;
    let size_bytes =
        std::fs::metadata(&entry.location).ok().filter(|_| has_file).map(|metadata| metadata.len());
    let demoted = catalog.performance().demotion(&entry.name).map(|demotion| demotion.reason.to_string());
    let health = catalog.health(&entry.name).ok();
    let standing = catalog.stats(&entry.name).map(|stats| stats.drift().standing()).unwrap_or_default();
    let drift: Vec<_> = standing.into_iter().map(Watched::from).collect();
    let breaker = health.as_ref().and_then(|health| health.breaker);
    let is_paced = health.and_then(|health| health.pacing_wait).is_some_and(|wait| !wait.is_zero());
    let troubles = [
        (breaker == Some(BreakerState::Open), "breaker open"),
        (breaker == Some(BreakerState::HalfOpen), "breaker half open"),
        (is_paced, "paced"),
        (demoted.is_some(), "demoted"),
        (drift.iter().any(|watched| watched.drifted.is_some()), "drifting"),
    ];
    Described {
        troubles: troubles.into_iter().filter_map(|(is_so, trouble)| is_so.then_some(trouble)).collect(),
        demoted,
        drift,
        measured: Figures::of(catalog, &entry.name),
        name: entry.name,
        provider: entry.provider.as_str(),
        location: entry.location,
        context_tokens: entry.context_tokens,
        state,
        size_bytes,
        is_default: entry.is_default,
        selected_for,
        prompt_nano_usd_per_token: entry.price.prompt_nano_usd_per_token,
        completion_nano_usd_per_token: entry.price.completion_nano_usd_per_token,
    }
}
