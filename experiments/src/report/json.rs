//! The form of a report that is compared byte for byte.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::analysis::Report;

/// The digits of a number that are written, after the first one: what mathematical libraries of different systems disagree
/// about comes behind them.
const DECIMALS: usize = 11;

/// The report as JSON with a line break at its end: the same bytes for the same run. Numbers have 12 significant digits.
///
/// # Errors
/// Never: everything in a report can be written.
pub fn json(report: &Report) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    report.serialize(&mut Serializer::with_formatter(&mut bytes, Rounding(PrettyFormatter::new())))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// The usual form with rounded numbers.
struct Rounding(PrettyFormatter<'static>);

impl Formatter for Rounding {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let rounded = format!("{value:.DECIMALS$e}").parse().unwrap_or(value);
        // A zero has no sign: whether a difference of nothing is one of +0 or -0 says nothing.
        self.0.write_f64(writer, if rounded == 0.0 { 0.0 } else { rounded })
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, is_first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, is_first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        value
            .serialize(&mut Serializer::with_formatter(&mut bytes, Rounding(PrettyFormatter::new())))
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_that_differ_in_their_last_bits_are_written_alike() {
        let value = 2.0_f64.ln();
        assert_eq!(written(&value), "0.69314718056");
        assert_eq!(written(&f64::from_bits(value.to_bits() + 1)), written(&value));
        assert_eq!(
            (written(&0.1), written(&-0.0), written(&1e-9)),
            ("0.1".into(), "0.0".into(), "1e-9".into())
        );
    }

    #[test]
    fn all_else_is_as_usual() {
        let value = serde_json::json!({"a": [1, [], {}, "x"], "b": {"c": null, "d": true}});
        assert_eq!(written(&value), serde_json::to_string_pretty(&value).unwrap());
    }
}
