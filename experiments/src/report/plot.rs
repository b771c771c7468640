//! Points with intervals on an axis, as SVG.

use std::fmt::Write as _;

use super::escape::html as escaped;
use crate::statistics::Interval;

/// The picture's measures, in its own units; it is scaled to the page.
const WIDTH: f64 = 960.0;
const LABEL_WIDTH: f64 = 240.0;
const TEXT_WIDTH: f64 = 330.0;
const ROW_HEIGHT: f64 = 28.0;
const AXIS_HEIGHT: f64 = 30.0;

/// Parts of the axis, with a number at each end of each.
const TICKS: u32 = 4;

/// The longest label, in characters: what its width has room for.
const LABEL_CHARS_MAX: usize = 34;

/// A picture.
pub(super) struct Plot<'a> {
    /// A name that no other picture of the page has: letters.
    pub(super) id: String,
    /// What it shows.
    pub(super) title: String,
    /// How to read it.
    pub(super) description: String,
    pub(super) points: Vec<Point>,
    /// Where the axis begins and ends.
    pub(super) axis: Interval,
    /// Where a line stands that points are held against.
    pub(super) line: Option<f64>,
    /// How a number at the axis is written.
    pub(super) number: &'a dyn Fn(f64) -> String,
}

/// A point of a picture, in a row of its own.
pub(super) struct Point {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) interval: Interval,
    /// The same in words, at the end of the row.
    pub(super) text: String,
}

impl Plot<'_> {
    /// The picture with its title as a figure.
    pub(super) fn figure(&self) -> String {
        let height = self.points.len() as f64 * ROW_HEIGHT + AXIS_HEIGHT;
        let (id, title, description) = (&self.id, escaped(&self.title), escaped(&self.description));
        let rows: String = self.points.iter().enumerate().map(|(row, point)| self.row(row, point)).collect();
        format!(
            "<figure><figcaption>{title}</figcaption>\
             <svg viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{description}</desc>{}{rows}</svg></figure>\n",
            self.axis()
        )
    }

    fn axis(&self) -> String {
        let bottom = self.points.len() as f64 * ROW_HEIGHT;
        let mut axis = String::new();
        for tick in 0..=TICKS {
            let share = f64::from(tick) / f64::from(TICKS);
            let value = self.axis.low + (self.axis.high - self.axis.low) * share;
            let (x, y, number) = (self.x(value), bottom + 18.0, escaped(&(self.number)(value)));
            // Writing to a string does not fail.
            let _ = write!(
                axis,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"0\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"></line>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{number}</text>"
            );
        }
        if let Some(line) = self.line {
            let x = self.x(line);
            let _ = write!(
                axis,
                "<line class=\"zero\" x1=\"{x:.1}\" y1=\"0\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"></line>"
            );
        }
        axis
    }

    fn row(&self, row: usize, point: &Point) -> String {
        let y = (row as f64 + 0.5) * ROW_HEIGHT;
        let (low, at, high) = (self.x(point.interval.low), self.x(point.value), self.x(point.interval.high));
        let (label, text) = (escaped(&shortened(&point.label)), escaped(&point.text));
        let (baseline, end) = (y + 4.5, WIDTH - TEXT_WIDTH + 20.0);
        format!(
            "<text x=\"0\" y=\"{baseline:.1}\">{label}</text>\
             <line class=\"bar\" x1=\"{low:.1}\" y1=\"{y:.1}\" x2=\"{high:.1}\" y2=\"{y:.1}\"></line>\
             <circle class=\"point\" cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"5\"></circle>\
             <text x=\"{end:.1}\" y=\"{baseline:.1}\">{text}</text>"
        )
    }

    /// Where a value stands; what lies outside of the axis stands at its end.
    fn x(&self, value: f64) -> f64 {
        let length = self.axis.high - self.axis.low;
        let share = if length > 0.0 { ((value - self.axis.low) / length).clamp(0.0, 1.0) } else { 0.5 };
        LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - TEXT_WIDTH)
    }
}

/// The next number from here on that an axis may well end with: 1, 2 or 5 with zeros. It is above 0.
pub(super) fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= value).unwrap_or(value)
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL_CHARS_MAX {
        return label.to_owned();
    }
    label.chars().take(LABEL_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_their_values_are_and_none_outside() {
        let interval = Interval { low: 0.25, high: 3.0 };
        let point = Point { label: "a<b".to_owned(), value: 0.5, interval, text: "half".to_owned() };
        let plot = Plot {
            id: "p".to_owned(),
            title: "Title".to_owned(),
            description: "How to read it.".to_owned(),
            points: vec![point],
            axis: Interval { low: 0.0, high: 1.0 },
            line: None,
            number: &|value| format!("{value:.2}"),
        };
        let figure = plot.figure();
        // The axis runs from 240 to 630: a quarter is at 337.5, a half at 435.
        assert!(figure.contains("x1=\"337.5\" y1=\"14.0\" x2=\"630.0\""), "{figure}");
        assert!(figure.contains("cx=\"435.0\"") && figure.contains(">a&lt;b</text>"));
        assert!(figure.contains("aria-labelledby=\"p-title p-desc\"") && figure.contains(">0.75</text>"));
        let ends = [0.83, 1.0, 1_200.0, 0.000_04, 5.1].map(round_up);
        for (end, wanted) in ends.into_iter().zip([1.0, 1.0, 2_000.0, 0.000_05, 10.0]) {
            assert!((end / wanted - 1.0).abs() < 1e-9, "{end}");
        }
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), LABEL_CHARS_MAX);
    }
}
