//! What a tracker is told of a run.

use std::collections::BTreeMap;
use std::fs;

use playhouse_config::experiments::{Item, Metric};
use playhouse_runtime::actors::riddles::scoring::score;

use super::{
    ARTIFACT_BYTES_MAX, ExperimentTracker, MetricPoint, RunStart, RunStatus, TrackingError, VALUE_BYTES_MAX,
};
use crate::analysis::{Report, Summary, measure_item};
use crate::run::StoredRun;
use crate::verify::{REPORT_HTML, REPORT_JSON, REPORT_MARKDOWN};

/// The most points of one curve: more are no finer on any screen. Of a longer run every so many answers have one.
const POINTS_MAX: usize = 500;

/// Files that go along, as far as they are there and not too large.
const FILES: [&str; 5] = ["manifest.json", REPORT_JSON, REPORT_MARKDOWN, REPORT_HTML, "records.jsonl"];

/// Tells that a run has begun: what it is made with, as parameters and tags.
///
/// # Errors
/// As the tracker says.
pub async fn track_begin(tracker: &dyn ExperimentTracker, run: &StoredRun) -> Result<(), TrackingError> {
    let manifest = &run.manifest;
    let design = &manifest.design;
    let name = &manifest.run;
    let start = RunStart {
        experiment: design.name.clone(),
        run: name.clone(),
        started_unix_ms: manifest.created_unix_ms,
    };
    tracker.begin(&start).await?;
    let own = |key: &str, value: String| (key.to_owned(), shortened(value));
    let mut params = vec![
        own("task", design.task.as_str().to_owned()),
        own("dataset", design.dataset.clone()),
        own("items", design.items.len().to_string()),
        own("repeats", design.repeats.to_string()),
        own("width", design.width.to_string()),
        own("seed", design.seed.to_string()),
        own("confidence", design.confidence.to_string()),
        own("metrics", design.metrics.iter().map(|metric| metric.as_str()).collect::<Vec<_>>().join(",")),
    ];
    params
        .extend(design.variants.get(design.baseline).map(|baseline| own("baseline", baseline.name.clone())));
    for variant in &design.variants {
        let of = |what: &str| format!("{}/{what}", variant.name);
        params.push(own(&of("model"), variant.model.clone().unwrap_or_default()));
        params.push(own(&of("mode"), variant.mode.name.clone()));
        if let Some(hash) = manifest.prompts_sha256.get(&variant.name) {
            params.push(own(&of("prompt_sha256"), hash.clone()));
        }
        if let Some(temperature) = variant.sampling.temperature {
            params.push(own(&of("temperature"), temperature.to_string()));
        }
        if let Some(compression) = &variant.compression {
            let text = format!("{} to {} tokens", compression.strategy.as_str(), compression.limit_tokens);
            params.push(own(&of("compression"), text));
        }
    }
    for (model, version) in &manifest.models {
        params.push(own(&format!("model/{model}/from"), format!("{} {}", version.provider, version.model)));
        params.push(own(&format!("model/{model}/config_sha256"), version.config_sha256.clone()));
    }
    tracker.params(name, &params).await?;
    let machine = &manifest.machine;
    let tags = [
        own("about", design.description.clone()),
        own("playhouse_version", manifest.code.playhouse.clone()),
        own("machine", format!("{} {}, {} threads", machine.os, machine.arch, machine.threads)),
    ];
    tracker.tags(name, &tags).await
}

/// Tells what came of a run: every number of its report, and the way of the first metric from answer to answer.
///
/// # Errors
/// As the tracker says.
pub async fn track_end(
    tracker: &dyn ExperimentTracker,
    run: &StoredRun,
    report: &Report,
) -> Result<(), TrackingError> {
    let name = &run.manifest.run;
    let ended_unix_ms =
        run.records.iter().map(|record| record.ended_unix_ms).max().unwrap_or(run.manifest.created_unix_ms);
    let point = |key: String, value: f64| MetricPoint { key, value, step: 0, unix_ms: ended_unix_ms };
    let mut points = Vec::new();
    for cell in &report.cells {
        for metric in &cell.metrics {
            let key = |what: &str| format!("{}/{}{what}", cell.variant, metric.metric);
            match &metric.summary {
                Summary::Share(share) => {
                    points.push(point(key(""), share.share));
                    points.push(point(key("/low"), share.interval.low));
                    points.push(point(key("/high"), share.interval.high));
                }
                Summary::Number(number) => {
                    points.push(point(key(""), number.mean));
                    points.push(point(key("/median"), number.median));
                    points.push(point(key("/p95"), number.p95));
                }
                Summary::Nothing => {}
            }
        }
    }
    for comparison in &report.comparisons {
        let key = |what: &str| format!("{}/{}/{what}", comparison.variant, comparison.metric);
        points.push(point(key("p_corrected"), comparison.p_corrected));
        points.extend(comparison.difference.as_ref().map(|found| point(key("difference"), found.estimate)));
    }
    points.extend(curves(run));
    tracker.metrics(name, &points).await?;
    let ending = run.ending.map(|ending| format!("{ending:?}")).unwrap_or_default();
    tracker.tags(name, &[("ending".to_owned(), ending)]).await?;
    tracker.finish(name, RunStatus::Finished, ended_unix_ms).await
}

/// Hands the files of a run over: for trackers that are elsewhere.
///
/// # Errors
/// As the tracker says; when a file of the run cannot be read.
pub async fn track_files(tracker: &dyn ExperimentTracker, run: &StoredRun) -> Result<(), TrackingError> {
    let name = &run.manifest.run;
    for file in FILES {
        let path = run.folder.join(file);
        let Ok(found) = path.metadata() else { continue };
        if found.len() > ARTIFACT_BYTES_MAX {
            tracing::warn!(run = name, file, bytes = found.len(), "a file is too large to be tracked");
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| TrackingError::file("read", &path, error))?;
        tracker.artifact(name, file, &bytes).await?;
    }
    Ok(())
}

/// The mean of the first metric over the answers so far, for each variant, in the order of the records.
fn curves(run: &StoredRun) -> Vec<MetricPoint> {
    let design = &run.manifest.design;
    let Some(metric) = design.metrics.first().copied() else { return Vec::new() };
    let items: BTreeMap<_, _> = design.items.iter().map(|item| (item.id.as_str(), item)).collect();
    let curve = |variant: &str| curve(run, &items, metric, variant);
    design.variants.iter().flat_map(|variant| curve(&variant.name)).collect()
}

fn curve(run: &StoredRun, items: &BTreeMap<&str, &Item>, metric: Metric, variant: &str) -> Vec<MetricPoint> {
    let of_variant = run.records.iter().filter(|record| record.variant == variant);
    let values: Vec<_> = of_variant
        .filter_map(|record| {
            // What cannot be measured kept the run from being analysed before it came here.
            let item = items.get(record.item.as_str())?;
            let measured = measure_item(&run.manifest.design, item, record, &score).ok()?;
            Some((*measured.values.get(&metric)?, record.ended_unix_ms))
        })
        .collect();
    let every = values.len().div_ceil(POINTS_MAX).max(1);
    let mut sum = 0.0;
    let mut points = Vec::new();
    for (index, (value, unix_ms)) in values.iter().enumerate() {
        sum += value;
        let count = index + 1;
        if count.is_multiple_of(every) || count == values.len() {
            points.push(MetricPoint {
                key: format!("{variant}/{metric}/so_far"),
                value: sum / count as f64,
                step: i64::try_from(count).unwrap_or(i64::MAX),
                unix_ms: *unix_ms,
            });
        }
    }
    points
}

fn shortened(mut value: String) -> String {
    value.truncate(value.floor_char_boundary(VALUE_BYTES_MAX));
    value
}
