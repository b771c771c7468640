//! What the benchmarks share: arguments, medians, memory, tables.

pub mod args;

use anyhow::{Context, Result};

/// The middle value; of an even number, the lower of the two. 0 for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Memory of this process that is resident now, in bytes. Source: proc(5), `/proc/self/statm`.
///
/// # Errors
/// Where there is no such file.
pub fn resident_bytes() -> Result<u64> {
    const PAGE_BYTES: u64 = 4_096;
    let text = std::fs::read_to_string("/proc/self/statm").context("read /proc/self/statm")?;
    let pages = text.split_whitespace().nth(1).context("read /proc/self/statm: too short")?;
    Ok(pages.parse::<u64>()? * PAGE_BYTES)
}

/// A table for a terminal: the first column to the left, numbers to the right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let head: Vec<_> = head.iter().map(|&text| text.to_owned()).collect();
    let lines: Vec<_> = std::iter::once(&head).chain(rows).collect();
    let width = |at| lines.iter().map(|row| cell(row, at).chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let cells = widths.iter().enumerate().map(|(at, width)| match at {
            0 => format!("{:<width$}", cell(row, at)),
            _ => format!("{:>width$}", cell(row, at)),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn tables_line_up() {
        let rows = vec![vec!["a".to_owned(), "10".to_owned()], vec!["bcd".to_owned(), "7".to_owned()]];
        assert_eq!(table(&["", "n"], &rows), "      n\na    10\nbcd   7");
    }
}
