//! Keeps the key out of what is written down.

use playhouse_config::Secret;

/// What stands in place of the key.
const REDACTED: &[u8] = b"[key]";

/// Finds the key in each of the forms in which JSON and addresses may hold it.
#[derive(Default)]
pub(super) struct Redactor {
    /// The longest first.
    needles: Vec<Vec<u8>>,
}

impl Redactor {
    pub(super) fn new(key: Option<&Secret>) -> Self {
        let Some(key) = key.map(Secret::reveal).filter(|key| !key.is_empty()) else {
            return Self::default();
        };
        let quoted = serde_json::Value::from(key).to_string();
        let escaped = quoted[1..quoted.len() - 1].to_owned();
        let percent: String = key.bytes().map(percent_encoded).collect();
        let mut needles: Vec<_> = [key.to_owned(), escaped.replace('/', "\\/"), escaped, percent]
            .into_iter()
            .map(String::into_bytes)
            .collect();
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        needles.dedup();
        Self { needles }
    }

    pub(super) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    pub(super) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.parts(&[bytes]).into_iter().flatten().collect()
    }

    /// Cleans bytes that arrived in parts. The key may stand across the seams: it is then replaced in the part where
    /// it begins.
    pub(super) fn parts<B: AsRef<[u8]>>(&self, parts: &[B]) -> Vec<Vec<u8>> {
        let joined: Vec<u8> = parts.iter().flat_map(AsRef::as_ref).copied().collect();
        let mut cleaned = Vec::with_capacity(parts.len());
        let mut place = 0;
        let mut end = 0;
        for part in parts {
            end += part.as_ref().len();
            let mut clean = Vec::with_capacity(part.as_ref().len());
            while place < end {
                match self.needles.iter().find(|needle| joined[place..].starts_with(needle)) {
                    Some(needle) => {
                        clean.extend_from_slice(REDACTED);
                        place += needle.len();
                    }
                    None => {
                        clean.push(joined[place]);
                        place += 1;
                    }
                }
            }
            cleaned.push(clean);
        }
        cleaned
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor(key: &str) -> Redactor {
        Redactor::new(Some(&Secret::new(key, "env:KEY")))
    }

    #[test]
    fn the_key_is_found_in_every_form() {
        let redactor = redactor("a/b\"c+d");
        assert_eq!(redactor.text("x a/b\"c+d y"), "x [key] y");
        assert_eq!(redactor.text(r#"{"k":"a/b\"c+d"}"#), r#"{"k":"[key]"}"#);
        assert_eq!(redactor.text(r#"{"k":"a\/b\"c+d"}"#), r#"{"k":"[key]"}"#);
        assert_eq!(redactor.text("?k=a%2Fb%22c%2Bd"), "?k=[key]");
        assert_eq!(Redactor::new(None).text("x"), "x");
        assert!(!format!("{redactor:?}").contains("a/b"));
    }

    proptest! {
        #[test]
        fn the_key_is_found_however_the_bytes_are_cut(
            texts in prop::collection::vec("(s3cret|x|s3|é)", 0..12),
            part in 1_usize..9,
        ) {
            let text = texts.concat();
            let parts: Vec<_> = text.as_bytes().chunks(part).collect();
            let cleaned = redactor("s3cret").parts(&parts);
            prop_assert_eq!(cleaned.len(), parts.len());
            prop_assert_eq!(cleaned.concat(), text.replace("s3cret", "[key]").into_bytes());
        }
    }
}
