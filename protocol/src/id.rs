//! Identities: who and what, as types that cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;
use crate::random::RandomSource;

/// The identity of a task: a UUID of version 7, so that ids sort by the time of submission.
///
/// Source: RFC 9562, section 5.7.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Uuid);

impl TaskId {
    /// A new id from the time in milliseconds since 1970 (48 bits are used) and 74 random bits.
    pub fn new(unix_ms: u64, random: &dyn RandomSource) -> Self {
        Self(version_7(unix_ms, random))
    }

    /// The time of submission in milliseconds since 1970, as written into the id.
    pub fn unix_ms(self) -> u64 {
        let bytes = self.0.as_bytes();
        bytes[..6].iter().fold(0, |ms, byte| (ms << 8) | u64::from(*byte))
    }

    /// The 16 bytes, most significant first.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these 16 bytes, as [`as_bytes`](Self::as_bytes) gave them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0.as_hyphenated())
    }
}

impl FromStr for TaskId {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_version_7("task", text).map(Self)
    }
}

/// The identity of a conversation: a UUID of version 7, so that ids sort by the time of the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(Uuid);

impl ConversationId {
    /// A new id from the time in milliseconds since 1970 (48 bits are used) and 74 random bits.
    pub fn new(unix_ms: u64, random: &dyn RandomSource) -> Self {
        Self(version_7(unix_ms, random))
    }

    /// The 16 bytes, most significant first.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these 16 bytes, as [`as_bytes`](Self::as_bytes) gave them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConversationId({})", self.0.as_hyphenated())
    }
}

impl FromStr for ConversationId {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_version_7("conversation", text).map(Self)
    }
}

/// A UUID of version 7. Source: RFC 9562, section 5.7.
fn version_7(unix_ms: u64, random: &dyn RandomSource) -> Uuid {
    let mut bytes = [0_u8; 16];
    bytes[..8].copy_from_slice(&((unix_ms << 16) | (random.next_u64() & 0x0fff)).to_be_bytes());
    bytes[8..].copy_from_slice(&random.next_u64().to_be_bytes());
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes)
}

/// Reads the id of a `what`.
fn parse_version_7(what: &str, text: &str) -> Result<Uuid, Failure> {
    let id = Uuid::try_parse(text).map_err(|_| {
        Failure::invalid(format!("read the {what} id {text:?}: it is not a UUID"))
            .with_hint(format!("A {what} id looks like 01976e3c-5f6a-7c3e-9b7a-0c8f5d2e4b1a."))
    })?;
    if id.get_version_num() != 7 {
        return Err(Failure::invalid(format!(
            "read the {what} id {text:?}: it is a UUID of another version than 7"
        )));
    }
    Ok(id)
}

/// Who submitted: 1 to 64 of the characters `a-z`, `0-9`, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// The longest name, in bytes. It becomes a metric label and a file-name part, so it stays short.
    pub const LEN_MAX: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    /// The tenant of a runtime that serves one user.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl TryFrom<String> for TenantId {
    type Error = Failure;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > Self::LEN_MAX || !name.chars().all(allowed) {
            return Err(Failure::invalid(format!("read the tenant name {name:?}")).with_hint(format!(
                "Use 1 to {} of the characters a-z, 0-9, '-', '_' and '.'.",
                Self::LEN_MAX
            )));
        }
        Ok(Self(name))
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> Self {
        tenant.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A submitter's own name for a task: 1 to 256 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in bytes: room for a URL or two UUIDs.
    pub const LEN_MAX: usize = 256;

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = Failure;

    fn try_from(key: String) -> Result<Self, Self::Error> {
        if key.is_empty() || key.len() > Self::LEN_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::invalid("read an idempotency key")
                .with_hint(format!("Use 1 to {} visible ASCII characters, without spaces.", Self::LEN_MAX)));
        }
        Ok(Self(key))
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededSource;

    #[test]
    fn an_id_is_a_uuid_of_version_7_that_keeps_its_time() {
        let random = SeededSource::from_seed(1);
        for unix_ms in [0, 1, 1_795_000_000_000, (1 << 48) - 1] {
            let id = TaskId::new(unix_ms, &random);
            assert_eq!(id.0.get_version_num(), 7);
            assert_eq!(id.0.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(id.unix_ms(), unix_ms);
            assert_eq!(id.to_string().parse::<TaskId>().unwrap(), id);
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let random = SeededSource::from_seed(1);
        assert!(TaskId::new(5, &random) < TaskId::new(6, &random));
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_its_text() {
        let wrong = "6ba7b810-9dad-11d1-80b4-00c04fd430c8".parse::<TaskId>().unwrap_err();
        assert!(wrong.message.contains("6ba7b810"), "{wrong}");
        assert!("fish".parse::<TaskId>().unwrap_err().message.contains("fish"));
        let conversation = "fish".parse::<ConversationId>().unwrap_err();
        assert_eq!(conversation.message, "read the conversation id \"fish\": it is not a UUID");
    }

    #[test]
    fn idempotency_keys_are_visible_and_short() {
        assert!(IdempotencyKey::try_from("order/17#a".to_owned()).is_ok());
        for bad in ["", "a b", "tab\t", "ä", &"x".repeat(257)] {
            assert!(IdempotencyKey::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tenant_names_are_checked_also_when_they_are_read() {
        assert!(serde_json::from_str::<TenantId>("\"acme-1\"").is_ok());
        for bad in ["\"\"", "\"Acme\"", "\"a b\"", "\"../x\""] {
            assert!(serde_json::from_str::<TenantId>(bad).is_err(), "{bad}");
        }
        assert!(TenantId::try_from("x".repeat(65)).is_err());
    }
}
