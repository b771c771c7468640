//! A load report as one page that needs nothing else.

use std::fmt::Write as _;

use super::Report;
use super::rows::rows;

/// The picture's size; it is scaled to the page.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 200.0;

const STYLE: &str = "body{font:15px system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
    th{text-align:left;vertical-align:top;padding-right:1em;white-space:nowrap}td{padding-bottom:.4em}\
    svg{width:100%;height:auto}rect{fill:#4878a8}text{font:12px system-ui,sans-serif}";

/// The report as HTML.
pub(crate) fn page(report: &Report) -> String {
    let rows = rows(report).iter().fold(String::new(), |mut rows, (name, value)| {
        // Writing to a string does not fail.
        let _ = writeln!(rows, "<tr><th>{name}</th><td>{}</td></tr>", escaped(value));
        rows
    });
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>playhouse load</title>\n\
         <style>{STYLE}</style></head>\n<body><h1>playhouse load</h1>\n<table>\n{rows}</table>\n\
         <h2>Time from submission to end</h2>\n{}\n</body></html>\n",
        picture(&report.distribution)
    )
}

fn picture(distribution: &[(f64, u64)]) -> String {
    let Some((last, _)) = distribution.last() else {
        return "<p>No task ended in this run.</p>".to_owned();
    };
    let tallest = distribution.iter().map(|(_, len)| *len).max().unwrap_or_default().max(1);
    let width = WIDTH / distribution.len() as f64;
    let bars = distribution.iter().enumerate().fold(String::new(), |mut bars, (at, (upper, len))| {
        let height = HEIGHT * *len as f64 / tallest as f64;
        let (x, y, wide) = (at as f64 * width, HEIGHT - height, width * 0.9);
        let _ = write!(
            bars,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{height:.1}\">\
             <title>up to {upper:.1} ms: {len}</title></rect>"
        );
        bars
    });
    format!(
        "<svg viewBox=\"0 0 800 220\" role=\"img\" aria-label=\"how many tasks took how long\">{bars}\
         <text x=\"0\" y=\"216\">0 ms</text><text x=\"800\" y=\"216\" text-anchor=\"end\">{last:.1} ms</text></svg>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::load::sample;

    #[test]
    fn the_page_holds_every_row_and_its_own_picture_and_asks_for_nothing_else() {
        let report = sample::report();
        let page = page(&report);
        for (_, value) in rows(&report) {
            assert!(page.contains(&escaped(&value)), "{value} is missing");
        }
        assert!(page.contains("a&lt;b&gt;.db") && !page.contains("a<b>"), "paths are text, not markup");
        assert!(!page.contains("<script") && !page.contains("http") && !page.contains("url("));
        assert!(page.contains("<title>up to 56.0 ms: 8</title>"));
    }

    #[test]
    fn bars_fill_the_picture_and_none_stands_out_of_it() {
        let picture = picture(&[(1.0, 5), (2.0, 10)]);
        let expected = "<rect x=\"0.0\" y=\"100.0\" width=\"360.0\" height=\"100.0\">\
            <title>up to 1.0 ms: 5</title></rect>\
            <rect x=\"400.0\" y=\"0.0\" width=\"360.0\" height=\"200.0\"><title>up to 2.0 ms: 10</title></rect>";
        assert!(picture.contains(expected), "{picture}");
        assert!(super::picture(&[]).contains("No task ended"));
    }
}
