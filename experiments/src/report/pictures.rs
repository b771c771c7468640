//! Which pictures a page has.

use playhouse_config::experiments::Metric;

use super::numbers;
use super::plot::{Plot, Point, round_up};
use crate::analysis::{Comparison, NumberSummary, Report, ShareSummary, Summary};
use crate::statistics::Interval;

const SHARES: Interval = Interval { low: 0.0, high: 1.0 };

/// Every picture of a report that has something to show.
pub(super) fn pictures(report: &Report) -> String {
    let mut pictures = shares(report);
    report.metrics.iter().for_each(|metric| pictures.push_str(&differences(report, *metric)));
    pictures.push_str(&difficulties(report));
    for metric in [Metric::LatencyMs, Metric::CostUsd] {
        pictures.push_str(&amounts(report, metric));
    }
    pictures
}

fn how_to_read(report: &Report) -> String {
    format!("Points are what was seen, bars the {} intervals.", numbers::confidence(report.confidence))
}

fn share_point(label: String, share: ShareSummary) -> Point {
    let text = format!("{} ({})", numbers::percent(share.share), numbers::percents(share.interval));
    Point { label, value: share.share, interval: share.interval, text }
}

fn shares(report: &Report) -> String {
    let points = report.cells.iter().filter_map(|cell| Some(share_point(cell.variant.clone(), cell.right?)));
    figure(&Plot {
        id: "shares".to_owned(),
        title: "Right answers by variant".to_owned(),
        description: how_to_read(report),
        points: points.collect(),
        axis: SHARES,
        line: None,
        number: &numbers::percent,
    })
}

fn difficulties(report: &Report) -> String {
    let mut names: Vec<_> = Vec::new();
    for part in report.cells.iter().flat_map(|cell| &cell.difficulties) {
        if !names.contains(&part.name) {
            names.push(part.name.clone());
        }
    }
    let points = names.iter().flat_map(|name| {
        report.cells.iter().filter_map(move |cell| {
            let part = cell.difficulties.iter().find(|part| part.name == *name)?;
            Some(share_point(format!("{name}: {}", cell.variant), part.right?))
        })
    });
    figure(&Plot {
        id: "difficulties".to_owned(),
        title: "Right answers by difficulty".to_owned(),
        description: how_to_read(report),
        points: points.collect(),
        axis: SHARES,
        line: None,
        number: &numbers::percent,
    })
}

fn differences(report: &Report, metric: Metric) -> String {
    let of_metric = report.comparisons.iter().filter(|one| one.metric == metric);
    let point = |one: &Comparison| {
        let difference = one.difference?;
        let text = format!(
            "{} ({})",
            numbers::difference(metric, difference.estimate),
            numbers::differences(metric, difference.interval)
        );
        let (value, interval) = (difference.estimate, difference.interval);
        Some(Point { label: one.variant.clone(), value, interval, text })
    };
    let points: Vec<_> = of_metric.filter_map(point).collect();
    let reach = points.iter().map(|point| point.interval.low.abs().max(point.interval.high.abs()));
    let reach = reach.fold(0.0, f64::max);
    let reach = if reach > 0.0 { round_up(reach) } else { 1.0 };
    figure(&Plot {
        id: format!("difference-{metric}"),
        title: format!("Difference from {} by {metric}", report.baseline),
        description: format!("{} The dashed line is no difference.", how_to_read(report)),
        points,
        // Both sides alike, so that nothing looks larger than it is; some width also where all are the same.
        axis: if reach > 0.0 {
            Interval { low: -reach, high: reach }
        } else {
            Interval { low: -1.0, high: 1.0 }
        },
        line: Some(0.0),
        number: &|value| numbers::difference(metric, value),
    })
}

fn amounts(report: &Report, metric: Metric) -> String {
    let point = |label: &str, number: &NumberSummary| Point {
        label: label.to_owned(),
        value: number.mean,
        interval: number.interval,
        text: format!(
            "{} ({})",
            numbers::value(metric, number.mean),
            numbers::values(metric, number.interval)
        ),
    };
    let points = report.cells.iter().filter_map(|cell| {
        let found = cell.metrics.iter().find(|one| one.metric == metric)?;
        let Summary::Number(number) = &found.summary else { return None };
        Some(point(&cell.variant, number))
    });
    let points: Vec<_> = points.collect();
    let high = points.iter().map(|point| point.interval.high).fold(0.0, f64::max);
    if high <= 0.0 {
        return String::new();
    }
    figure(&Plot {
        id: metric.to_string(),
        title: format!("Mean {metric} of an answer by variant"),
        description: how_to_read(report),
        points,
        axis: Interval { low: 0.0, high: round_up(high) },
        line: None,
        number: &|value| numbers::value(metric, value),
    })
}

fn figure(plot: &Plot<'_>) -> String {
    if plot.points.is_empty() { String::new() } else { plot.figure() }
}
