//! What was counted, for people and programs.

use playhouse_models::tokens::analysis::{PartTokens, RoleTokens, WindowUse};
use playhouse_models::tokens::{Accuracy, TokenAnalysis};
use serde::Serialize;

use super::Skipped;
use crate::app::App;
use crate::render::table::Table;
use crate::render::words;
use crate::style::{Style, printable};

/// What was counted.
#[derive(Debug, Serialize)]
pub(super) struct Counted {
    /// Of the first model.
    encoding: String,
    /// Whether the counts are the model's own, or those of the encoding that was asked for; otherwise they are an
    /// estimate by a related encoding.
    exact: bool,
    total_tokens: u64,
    total_bytes: u64,
    files: Vec<CountedFile>,
    skipped: Vec<Skipped>,
    /// What all of it together means for each model; empty where an encoding was asked for.
    models: Vec<TokenAnalysis>,
    /// The parts by the encoding that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartTokens>,
}

#[derive(Debug, Serialize)]
pub(super) struct CountedFile {
    pub(super) path: String,
    /// As the first model counts.
    tokens: u64,
    bytes: u64,
    lines: u64,
    /// As each model counts, in the order of the models.
    #[serde(rename = "tokens_by_model", skip_serializing_if = "is_single")]
    pub(super) by_model: Vec<u64>,
}

fn is_single(tokens: &[u64]) -> bool {
    tokens.len() < 2
}

impl CountedFile {
    /// A file that is not counted yet.
    pub(super) fn new(path: String, text: &str) -> Self {
        let (bytes, lines) = (text.len() as u64, text.lines().count() as u64);
        Self { path, tokens: 0, bytes, lines, by_model: Vec::new() }
    }
}

impl Counted {
    /// `analyses` are those of all models, at least one; `by_encoding` says that it is no model of the catalog.
    pub(super) fn new(
        mut analyses: Vec<TokenAnalysis>,
        mut files: Vec<CountedFile>,
        skipped: Vec<Skipped>,
        by_encoding: bool,
    ) -> Self {
        for file in &mut files {
            file.tokens = file.by_model.first().copied().unwrap_or_default();
        }
        let first = analyses.first_mut();
        let encoding = first.as_ref().map(|first| first.encoding.clone()).unwrap_or_default();
        let exact = by_encoding || first.as_ref().is_some_and(|first| first.accuracy == Accuracy::Exact);
        let mut parts = Vec::new();
        if by_encoding {
            parts = first.map(|first| std::mem::take(&mut first.parts)).unwrap_or_default();
            analyses.clear();
        }
        let total_tokens = files.iter().map(|file| file.tokens).sum();
        let total_bytes = files.iter().map(|file| file.bytes).sum();
        Self { encoding, exact, total_tokens, total_bytes, files, skipped, models: analyses, parts }
    }
}

pub(super) fn table(app: &App, counted: &Counted) -> String {
    let style = app.ui.stdout_style();
    let mut sections = vec![files(counted).render(style)];
    if counted.models.is_empty() {
        sections.extend(parts(&counted.parts, None, style));
    }
    for model in &counted.models {
        let title = (counted.models.len() > 1).then_some(model.model.as_str());
        sections.extend(parts(&model.parts, title, style));
    }
    match &counted.models[..] {
        [] => format!("{}encoding: {}\n", sections.join("\n"), counted.encoding),
        models => {
            sections.push(compare(models, style));
            sections.join("\n")
        }
    }
}

/// A row for each file; of several models a column for each.
fn files(counted: &Counted) -> Table {
    let mut table = Table::new(&[">lines", ">bytes", "file"]);
    for file in &counted.files {
        let path = printable(&file.path).into_owned();
        table.row([words::thousands(file.lines), words::thousands(file.bytes), path]);
    }
    let has_total = counted.files.len() > 1;
    if has_total {
        let lines = counted.files.iter().map(|file| file.lines).sum();
        let bytes = words::thousands(counted.total_bytes);
        table.row([words::thousands(lines), bytes, "total".to_owned()]);
    }
    let columns = counted.models.len().max(1);
    for at in (0..columns).rev() {
        let of = |file: &CountedFile| file.by_model.get(at).copied().unwrap_or_default();
        let mut tokens: Vec<u64> = counted.files.iter().map(of).collect();
        if has_total {
            tokens.push(tokens.iter().sum());
        }
        let name = match counted.models.get(at) {
            Some(model) if columns > 1 => printable(&model.model).into_owned(),
            _ => "tokens".to_owned(),
        };
        table.numbers_in_front(name, tokens.into_iter().map(words::thousands));
    }
    table
}

pub(super) fn parts(parts: &[PartTokens], title: Option<&str>, style: Style) -> Option<String> {
    if parts.is_empty() {
        return None;
    }
    let mut table = Table::new(&[">tokens", ">parts", "part"]);
    for part in parts {
        table.row([words::thousands(part.tokens), words::thousands(part.parts), part.part.name()]);
    }
    let title = title.map(|title| format!("{}:\n", printable(title))).unwrap_or_default();
    Some(title + &table.render(style))
}

/// Roles of a conversation, with what stands around the messages.
pub(super) fn roles(roles: &[RoleTokens], prompt_tokens: u64, style: Style) -> String {
    let mut table = Table::new(&[">tokens", ">messages", "role"]);
    for role in roles {
        let cells = [role.tokens, role.messages].map(words::thousands);
        let [tokens, messages] = cells;
        table.row([tokens, messages, role.role.as_str().to_owned()]);
    }
    let said: u64 = roles.iter().map(|role| role.tokens).sum();
    let messages: u64 = roles.iter().map(|role| role.messages).sum();
    let framing = words::thousands(prompt_tokens.saturating_sub(said));
    table.row([framing, String::new(), "(framing)".to_owned()]);
    table.row([words::thousands(prompt_tokens), words::thousands(messages), "total".to_owned()]);
    table.render(style)
}

/// What the whole means for each model.
pub(super) fn compare(models: &[TokenAnalysis], style: Style) -> String {
    let columns = [
        "model",
        "encoding",
        "counts",
        ">tokens",
        ">window",
        ">share",
        ">answer",
        ">room",
        ">prompt costs",
        ">at most",
    ];
    let mut table = Table::new(&columns);
    for model in models {
        let unknown = || "?".to_owned();
        let of_window = |cell: fn(&WindowUse) -> String| model.window.as_ref().map_or_else(unknown, cell);
        table.row([
            printable(&model.model).into_owned(),
            model.encoding.clone(),
            counts(model.accuracy),
            words::thousands(model.prompt_tokens),
            of_window(|window| words::thousands(window.context_tokens)),
            of_window(|window| format!("{:.1} %", window.share * 100.0)),
            of_window(|window| words::thousands(window.completion_tokens)),
            of_window(room),
            dollars(model.cost.prompt_nano_usd),
            dollars(model.cost.total_nano_usd_max()),
        ]);
    }
    table.render(style)
}

fn counts(accuracy: Accuracy) -> String {
    match accuracy {
        Accuracy::Exact => "exact".to_owned(),
        Accuracy::Calibrated { factor } => format!("calibrated, × {factor:.2}"),
        Accuracy::Estimated => "estimated".to_owned(),
    }
}

fn room(window: &WindowUse) -> String {
    if window.fits {
        words::thousands(window.room_tokens)
    } else {
        format!("{} too many", words::thousands(window.excess_tokens))
    }
}

/// Nothing where no price is configured.
fn dollars(nano_usd: u64) -> String {
    match nano_usd {
        0 => "-".to_owned(),
        nano_usd => format!("${:.6}", nano_usd as f64 / 1e9),
    }
}
