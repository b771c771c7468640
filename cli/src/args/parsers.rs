//! Values of flags that are named lists: errors in our own form, names for completions.

use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use playhouse_models::tokens::Encoding;
use playhouse_protocol::Failure;
use playhouse_protocol::code::Language;
use playhouse_protocol::compress::{PinRule, Strategy};
use playhouse_protocol::review::Aspect;

/// Reads a language: its name, a short form or a file ending.
#[derive(Debug, Clone)]
pub(crate) struct LanguageParser;

/// Reads an aspect of a review.
#[derive(Debug, Clone)]
pub(crate) struct AspectParser;

/// Reads an encoding of tokens.
#[derive(Debug, Clone)]
pub(crate) struct EncodingParser;

/// Reads a way to shorten a text.
#[derive(Debug, Clone)]
pub(crate) struct StrategyParser;

/// Reads a kind of spans to pin.
#[derive(Debug, Clone)]
pub(crate) struct PinRuleParser;

impl TypedValueParser for StrategyParser {
    type Value = Strategy;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Strategy, clap::Error> {
        parse(value, Strategy::from_str)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Strategy::ALL.into_iter().map(|strategy| PossibleValue::new(strategy.as_str()))))
    }
}

impl TypedValueParser for PinRuleParser {
    type Value = PinRule;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<PinRule, clap::Error> {
        parse(value, PinRule::from_str)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(PinRule::ALL.into_iter().map(|rule| PossibleValue::new(rule.as_str()))))
    }
}

impl TypedValueParser for LanguageParser {
    type Value = Language;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Language, clap::Error> {
        parse(value, Language::from_str)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Language::ALL.into_iter().map(|language| PossibleValue::new(language.as_str()))))
    }
}

impl TypedValueParser for AspectParser {
    type Value = Aspect;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Aspect, clap::Error> {
        parse(value, Aspect::from_str)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Aspect::ALL.into_iter().map(|aspect| PossibleValue::new(aspect.as_str()))))
    }
}

impl TypedValueParser for EncodingParser {
    type Value = Encoding;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Encoding, clap::Error> {
        parse(value, |name| {
            Encoding::from_str(name)
                .map_err(|error| Failure::invalid(error.to_string()).with_hint(error.hint()))
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Encoding::ALL.into_iter().map(|encoding| PossibleValue::new(encoding.as_str()))))
    }
}

fn parse<T>(value: &OsStr, read: impl FnOnce(&str) -> Result<T, Failure>) -> Result<T, clap::Error> {
    read(&value.to_string_lossy()).map_err(|failure| {
        let hint = failure.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        clap::Error::raw(ErrorKind::InvalidValue, format!("failed to {}{hint}\n", failure.message))
    })
}
