//! What was measured of a model, for people and for programs.

use std::time::Duration;

use playhouse_models::Catalog;
use playhouse_models::selection::{Measured, Measurements};
use serde::Serialize;

use crate::render::words;

/// What was measured, as programs are told.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) error_ratio: Option<f64>,
    pub(super) p50_ms: Option<f64>,
    pub(super) p95_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
}

impl From<&Measured> for Figures {
    fn from(measured: &Measured) -> Self {
        let ms = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        Self {
            calls: measured.calls,
            error_ratio: measured.error_ratio,
            p50_ms: ms(measured.p50),
            p95_ms: ms(measured.p95),
            p99_ms: ms(measured.p99),
        }
    }
}

impl Figures {
    /// What this command knows of a model from earlier ones.
    pub(super) fn of(catalog: &Catalog, model: &str) -> Self {
        // Quality is by type of task, and not among these.
        Self::from(&catalog.performance().measured(model, ""))
    }

    /// The cells of a table: calls, errors, p50, p95, p99.
    pub(super) fn cells(&self) -> [String; 5] {
        let calls = if self.calls == 0 { String::new() } else { words::thousands(self.calls) };
        [calls, percent(self.error_ratio), time(self.p50_ms), time(self.p95_ms), time(self.p99_ms)]
    }

    /// A line of text; `None` before the first call.
    pub(super) fn line(&self) -> Option<String> {
        let [_, errors, p50, p95, p99] = self.cells();
        let calls = words::counted(self.calls, "call");
        (self.calls > 0).then(|| format!("{calls}, {errors} failed, p50 {p50}, p95 {p95}, p99 {p99}"))
    }
}

fn percent(share: Option<f64>) -> String {
    share.map(|share| format!("{:.1} %", share * 100.0)).unwrap_or_default()
}

/// Milliseconds as people read them: whole ones below a second.
fn time(ms: Option<f64>) -> String {
    match ms {
        None => String::new(),
        Some(ms) if ms < 1_000.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.1} s", ms / 1e3),
    }
}

/// A price of a million tokens, in and out; nothing where none is configured.
pub(super) fn price(prompt_nano_usd_per_token: u64, completion_nano_usd_per_token: u64) -> String {
    // A billionth of a dollar a token is a thousandth of a dollar a million tokens.
    let usd = |nano: u64| nano as f64 / 1_000.0;
    match (prompt_nano_usd_per_token, completion_nano_usd_per_token) {
        (0, 0) => String::new(),
        (prompt, completion) => format!("${} in, ${} out", usd(prompt), usd(completion)),
    }
}
