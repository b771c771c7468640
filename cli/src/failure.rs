//! Errors of other crates as failures that can be shown.

use std::fmt::Write as _;

use playhouse_config::ConfigErrors;
use playhouse_protocol::Failure;

/// Settings that are wrong: one line with a hint, or a list when there is more than one fault.
pub(crate) fn settings(errors: &ConfigErrors) -> Failure {
    input("read the settings", errors)
}

/// A file of YAML that is wrong.
pub(crate) fn input(what: &str, errors: &ConfigErrors) -> Failure {
    let len = errors.len();
    let mut errors = errors.iter();
    match (len, errors.next()) {
        (1, Some(error)) => {
            let failure = Failure::new(error.class(), format!("{what}: {}", error.line()));
            match &error.hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }
        (_, first) => {
            let mut message = format!("{what}: {len} faults");
            for error in first.into_iter().chain(errors) {
                // Writing to a string does not fail.
                let _ = write!(message, "\n  {}", error.line());
                if let Some(hint) = &error.hint {
                    let _ = write!(message, " ({hint})");
                }
            }
            Failure::invalid(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fault_is_one_line_with_a_hint_and_several_are_a_list() {
        let one = playhouse_config::parse_str("p.yaml", "modles: {}\n").unwrap_err();
        let failure = settings(&one);
        assert!(failure.message.starts_with("read the settings: p.yaml:1:1: modles: "), "{failure}");
        assert!(failure.hint.is_some());

        let two = playhouse_config::parse_str("p.yaml", "modles: {}\nlimit: 3\n").unwrap_err();
        assert_eq!(settings(&two).message.lines().count(), 3);
    }
}
