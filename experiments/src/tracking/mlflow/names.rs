//! How our keys and values are written on the server.

use crate::digest::sha256_hex;

/// The longest key, in characters. Source: MLflow, `mlflow/utils/validation.py`.
const KEY_CHARS_MAX: usize = 250;

/// The longest value of a parameter, in characters. Source: as above.
pub(super) const PARAM_CHARS_MAX: usize = 6_000;

/// The longest value of a tag, in characters. Servers before 2.15 take no more.
pub(super) const TAG_CHARS_MAX: usize = 5_000;

/// Hexadecimal digits of a hash that tell cut or changed texts apart.
const HASH_CHARS: usize = 12;

/// A key as the server takes it. Letters, digits, `_`, `-`, `.`, blanks, `:` and `/` stay; any other character becomes `_`,
/// as does a part between slashes that is empty or only dots; a key that was changed or is too long ends with `-` and the
/// beginning of its SHA-256, so that two keys never become one.
pub(super) fn key(key: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '/');
    let plain: String = key.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    let parts = plain.split('/').map(|part| match part {
        "" | "." | ".." => "_",
        part => part,
    });
    let plain = parts.collect::<Vec<_>>().join("/");
    if plain == key && key.len() <= KEY_CHARS_MAX {
        return plain;
    }
    let kept: String = plain.chars().take(KEY_CHARS_MAX - HASH_CHARS - 1).collect();
    format!("{kept}-{}", hash(key))
}

/// A value as the server takes it: one that is too long is cut, and ends with its length and the beginning of its SHA-256.
pub(super) fn value(value: &str, chars_max: usize) -> String {
    if value.chars().count() <= chars_max {
        return value.to_owned();
    }
    let end = format!(" … ({} bytes, sha256 {})", value.len(), hash(value));
    let kept: String = value.chars().take(chars_max - end.chars().count()).collect();
    format!("{kept}{end}")
}

/// A part of a path in a URL.
pub(super) fn path_part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect::<Vec<_>>()
        .concat()
}

fn hash(text: &str) -> String {
    sha256_hex(text).chars().take(HASH_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_that_the_server_takes_stay_as_they_are() {
        for plain in ["a", "review/pass@1".replace('@', ":").as_str(), "p95 ms", "A-b_c.d"] {
            assert_eq!(key(plain), plain);
        }
    }

    #[test]
    fn other_keys_are_changed_and_told_apart() {
        assert_snapshot!(key("pass@1"), @"pass_1-dec17d2cd488");
        assert_snapshot!(key("größe (ms)"), @"gr__e _ms_-478333c21bba");
        assert_snapshot!(key("/a/../b"), @"_/a/_/b-9209cb621123");
        assert_ne!(key("pass@1"), key("pass#1"));
    }

    #[test]
    fn a_long_value_is_cut_and_says_so() {
        let cut = value(&"ö".repeat(7_000), PARAM_CHARS_MAX);
        assert_eq!(cut.chars().count(), PARAM_CHARS_MAX);
        assert!(cut.contains("ö … (14000 bytes, sha256 "), "{cut}");
        assert_eq!(value("short", PARAM_CHARS_MAX), "short");
    }

    proptest! {
        #[test]
        fn every_key_becomes_one_that_the_server_takes(text in "\\PC{1,300}") {
            let key = key(&text);
            prop_assert!(key.chars().count() <= KEY_CHARS_MAX);
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-. :/".contains(c);
            prop_assert!(key.chars().all(plain), "{key}");
            prop_assert!(key.split('/').all(|part| !matches!(part, "" | "." | "..")), "{key}");
        }
    }
}
