//! Columns of text.

use crate::style::Style;

/// Rows under a header, each column as wide as its widest cell. Cells are single lines without colours.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; a name that begins with `>` makes a column of numbers.
    pub(crate) fn new(columns: &[&'static str]) -> Self {
        Self {
            header: columns.iter().map(|name| name.trim_start_matches('>').to_owned()).collect(),
            right: columns.iter().map(|name| name.starts_with('>')).collect(),
            rows: Vec::new(),
        }
    }

    /// A table of these rows; columns of numbers stand right.
    pub(crate) fn of(header: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        let is_number = |cell: &String| {
            cell.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '–' | '$'))
        };
        let right = (0..header.len())
            .map(|column| column > 0 && rows.iter().filter_map(|row| row.get(column)).all(is_number));
        let right = right.collect();
        let mut table = Self { header, right, rows: Vec::new() };
        rows.into_iter().for_each(|row| table.push(row));
        table
    }

    /// Adds a column of numbers in front of the first one, whose name is only known now, with a cell for each row.
    pub(crate) fn numbers_in_front(&mut self, name: String, cells: impl IntoIterator<Item = String>) {
        self.header.insert(0, name);
        self.right.insert(0, true);
        for (row, cell) in self.rows.iter_mut().zip(cells) {
            row.insert(0, cell);
        }
    }

    /// Adds a row; it has a cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.push(cells.into());
    }

    fn push(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| cell.replace(['\n', '\r', '\t'], " ")).collect());
    }

    /// The table, a line a row.
    pub(crate) fn render(&self, style: Style) -> String {
        let width = |column: usize, name: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).chain([name.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> =
            self.header.iter().enumerate().map(|(column, name)| width(column, name)).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells
                .zip(self.right.iter().zip(&widths))
                .map(|(cell, (right, width))| match right {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:<width$}"),
                })
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut text = style.bold(&line(&mut self.header.iter().map(String::as_str)));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&line(&mut row.iter().map(String::as_str)));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() {
        let mut table = Table::new(&["name", ">tokens", "file"]);
        table.row(["a".into(), "5".into(), "x\ny".into()]);
        table.row(["longer".into(), "12,345".into(), String::new()]);
        assert_eq!(table.render(Style::PLAIN), "name    tokens  file\na            5  x y\nlonger  12,345\n");
    }
}
