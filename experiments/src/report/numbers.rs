//! How numbers are written.

use playhouse_config::experiments::Metric;

use crate::statistics::Interval;

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", fixed(100.0 * share, 1))
}

/// An interval of a share in percent.
pub(super) fn percents(interval: Interval) -> String {
    format!("{} to {}", fixed(100.0 * interval.low, 1), percent(interval.high))
}

/// A value of a metric, with its unit.
pub(super) fn value(metric: Metric, value: f64) -> String {
    if metric.is_share() { percent(value) } else { with_unit(metric, plain(metric, value)) }
}

/// An interval of values.
pub(super) fn values(metric: Metric, interval: Interval) -> String {
    if metric.is_share() {
        percents(interval)
    } else {
        format!("{} to {}", plain(metric, interval.low), value(metric, interval.high))
    }
}

/// A difference of values, with its sign; of shares in percentage points.
pub(super) fn difference(metric: Metric, difference: f64) -> String {
    if metric.is_share() {
        format!("{} points", signed(&fixed(100.0 * difference, 1)))
    } else {
        with_unit(metric, signed(&plain(metric, difference)))
    }
}

/// An interval of differences.
pub(super) fn differences(metric: Metric, interval: Interval) -> String {
    let low = if metric.is_share() { fixed(100.0 * interval.low, 1) } else { plain(metric, interval.low) };
    format!("{} to {}", signed(&low), difference(metric, interval.high))
}

/// A p-value.
pub(super) fn p(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { format!("= {}", fixed(value, 3)) }
}

/// A confidence in percent.
pub(super) fn confidence(confidence: f64) -> String {
    let text = fixed(100.0 * confidence, 2);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// An amount of money in billionths of a US dollar.
pub(super) fn nano_usd(amount: u64) -> String {
    with_unit(Metric::CostUsd, plain(Metric::CostUsd, amount as f64 / 1e9))
}

/// A number with so many decimals, and never "-0".
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_zero = text.chars().all(|char| matches!(char, '-' | '0' | '.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text }
}

fn plain(metric: Metric, value: f64) -> String {
    let decimals = match metric {
        Metric::CostUsd => 6,
        Metric::CompressionRatio | Metric::FactsKept => 3,
        Metric::LatencyMs => 0,
        Metric::ReviewScore | Metric::Rounds | Metric::ModelCalls => 2,
        _ => 1,
    };
    fixed(value, decimals)
}

fn with_unit(metric: Metric, text: String) -> String {
    match metric {
        Metric::LatencyMs => format!("{text} ms"),
        Metric::CostUsd => format!("{text} USD"),
        _ => text,
    }
}

fn signed(text: &str) -> String {
    if text.starts_with('-') { text.to_owned() } else { format!("+{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_units_and_signs() {
        let interval = Interval { low: -0.051, high: 0.2 };
        assert_eq!((percent(0.4166), percents(interval)), ("41.7 %".to_owned(), "-5.1 to 20.0 %".to_owned()));
        assert_eq!(differences(Metric::Accuracy, interval), "-5.1 to +20.0 points");
        assert_eq!(difference(Metric::LatencyMs, -12.4), "-12 ms");
        assert_eq!(value(Metric::CostUsd, 0.000_147), "0.000147 USD");
        assert_eq!(values(Metric::TotalTokens, Interval { low: 1.0, high: 2.55 }), "1.0 to 2.5");
        assert_eq!(difference(Metric::Accuracy, -0.000_01), "+0.0 points");
        assert_eq!((p(0.0004), p(0.25)), ("< 0.001".to_owned(), "= 0.250".to_owned()));
        assert_eq!((confidence(0.95), confidence(0.999)), ("95 %".to_owned(), "99.9 %".to_owned()));
    }
}
