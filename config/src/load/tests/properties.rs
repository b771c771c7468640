use proptest::prelude::*;

use super::*;

/// Text that is nearly YAML: pieces of settings in any order.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "models:",
        "selection:",
        "agents:",
        "limits:",
        "provider:",
        " local",
        " open_ai",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "&a",
        "*a",
        "!x",
        "|",
        ">",
        "'",
        "\"",
        "\t",
        "#",
        "---",
        "...",
        "%",
        "@",
        "`",
        "?",
        "0",
        "-1",
        "1e999",
        ".nan",
        "~",
        "é",
        "\u{0}",
        "\u{85}",
        "\u{feff}",
        "<<",
        "base_url:",
        " http://[",
        "budgets:",
        "usd: 0.1",
        "split:",
        "constraints:",
        "cache: off",
        "hedging: {}",
        "fallbacks:",
        "default:",
        "env:A",
        "api_key:",
        "\r\n",
        "9999999999999999999999",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Either settings or errors with places in the text; never a panic. What is accepted can be shown.
fn try_to_read(text: &str) -> Result<(), TestCaseError> {
    match parse_str("p.yaml", text) {
        Ok(config) => prop_assert_eq!(parse_str("p.yaml", &crate::show(&config)), Ok(config)),
        Err(errors) => {
            let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            let lines = text.matches(breaks).count() + 2;
            for error in errors.iter() {
                prop_assert!(
                    error.place.position.is_none_or(|at| at.line >= 1 && at.line <= lines && at.column >= 1)
                );
                prop_assert!(!error.line().contains('\n'), "{}", error);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        try_to_read(&text)?;
    }

    #[test]
    fn text_that_is_nearly_yaml_is_read_or_refused(text in nearly_yaml()) {
        try_to_read(&text)?;
    }

    #[test]
    fn a_default_file_with_one_change_is_read_or_refused(at in 0_usize..9_000, with in "[ -~\n]{0,4}") {
        let text = default_yaml();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (before, after) = text.split_at(at);
        try_to_read(&format!("{before}{with}{after}"))?;
        try_to_read(before)?;
    }

    #[test]
    fn no_key_of_any_form_is_repeated(key in "sk-[a-z0-9]{20,40}") {
        let text = format!("models: {{a: {{provider: open_ai, base_url: 'http://a', model: m, api_key: {key}}}}}");
        let errors = parse_str("p.yaml", &text).unwrap_err();
        prop_assert!(!errors.to_string().contains(&key));
    }
}
