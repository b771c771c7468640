//! The wire form: a short header, then the value in bincode. The one door to bincode.
//!
//! | bytes | field | form |
//! |---|---|---|
//! | 0–1 | magic | `PH` |
//! | 2 | version of this layout | 1 |
//! | 3 | version of the value's type | `Wire::VERSION` |
//! | 4–5 | kind of the value | `Wire::KIND`, little-endian |
//! | 6–9 | length of the payload in bytes | little-endian |
//! | 10–13 | CRC-32 (IEEE) of bytes 0–9 and the payload | little-endian |
//! | 14… | payload | bincode 2, standard configuration |
//!
//! bincode itself knows no versions, reads past its end in silence, and would allocate what a broken length
//! asks for: the header and the limit here close these holes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Failure, FailureClass};

/// The largest payload, in bytes. A spec has at most 64 KiB and a model's answer some 100 KiB; 16 MiB leaves
/// room for a report of 20 rounds and still bounds what a broken file can make us allocate.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;

const MAGIC: [u8; 2] = *b"PH";
const LAYOUT_VERSION: u8 = 1;
/// What requests and replies of agents are marked with: their types are the agents' own.
const AGENT_VALUE_KIND: u16 = 1_000;
const HEADER_BYTES: usize = 14;
const CHECKED_HEADER_BYTES: usize = 10;

/// A type with a wire form of its own.
///
/// A change of the type's fields takes a new `VERSION`; a golden-bytes test holds each version still.
pub trait Wire: Serialize + DeserializeOwned {
    /// The number of the type; never used again for another one.
    const KIND: u16;
    /// The version of its fields.
    const VERSION: u8;
}

/// Why bytes could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The value is too large.
    #[error("encode a value: it takes {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// What it takes.
        bytes: usize,
        /// [`PAYLOAD_BYTES_MAX`].
        limit: usize,
    },
    /// The value has a form that bincode cannot write.
    #[error("encode a value: {reason}")]
    Unencodable {
        /// What bincode said.
        reason: String,
    },
    /// These are not our bytes.
    #[error("decode an envelope: it does not begin with the magic bytes")]
    NotAnEnvelope,
    /// Written by another version.
    #[error("decode an envelope: {what} has version {found}, this program reads {expected}")]
    Version {
        /// "the layout" or "the value".
        what: &'static str,
        /// What was found.
        found: u8,
        /// What can be read.
        expected: u8,
    },
    /// Another type than the one asked for.
    #[error("decode an envelope: it holds kind {found}, kind {expected} was asked for")]
    Kind {
        /// What was found.
        found: u16,
        /// What was asked for.
        expected: u16,
    },
    /// Bytes are missing or there are too many.
    #[error("decode an envelope: {expected} bytes were announced, {found} are there")]
    Length {
        /// What the header says.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// The bytes were changed.
    #[error("decode an envelope: the checksum does not fit, the bytes are damaged")]
    Checksum,
    /// The payload is no value of the type.
    #[error("decode an envelope: {reason}")]
    Malformed {
        /// What bincode said.
        reason: String,
    },
}

impl EnvelopeError {
    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::TooLarge { .. }
            | Self::NotAnEnvelope
            | Self::Version { .. }
            | Self::Kind { .. }
            | Self::Length { .. }
            | Self::Checksum
            | Self::Malformed { .. } => FailureClass::InvalidInput,
            Self::Unencodable { .. } => FailureClass::Internal,
        }
    }
}

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        Self::new(error.class(), error.to_string())
    }
}

/// The bytes of a value.
///
/// # Errors
/// When the value is larger than [`PAYLOAD_BYTES_MAX`], or has a form that bincode cannot write.
pub fn encode<T: Wire>(value: &T) -> Result<Vec<u8>, EnvelopeError> {
    write(T::KIND, T::VERSION, value)
}

/// The bytes of a request or reply whose type belongs to an agent and not to this crate. `version` is the
/// agent's own.
///
/// # Errors
/// As [`encode`].
pub fn encode_agent_value<T: Serialize>(version: u8, value: &T) -> Result<Vec<u8>, EnvelopeError> {
    write(AGENT_VALUE_KIND, version, value)
}

fn write<T: Serialize>(kind: u16, version: u8, value: &T) -> Result<Vec<u8>, EnvelopeError> {
    let mut bytes = vec![0_u8; HEADER_BYTES];
    bincode::serde::encode_into_std_write(value, &mut bytes, bincode::config::standard())
        .map_err(|error| EnvelopeError::Unencodable { reason: error.to_string() })?;
    let payload_len = bytes.len() - HEADER_BYTES;
    let announced = u32::try_from(payload_len)
        .ok()
        .filter(|_| payload_len <= PAYLOAD_BYTES_MAX)
        .ok_or(EnvelopeError::TooLarge { bytes: payload_len, limit: PAYLOAD_BYTES_MAX })?;
    bytes[..2].copy_from_slice(&MAGIC);
    bytes[2] = LAYOUT_VERSION;
    bytes[3] = version;
    bytes[4..6].copy_from_slice(&kind.to_le_bytes());
    bytes[6..10].copy_from_slice(&announced.to_le_bytes());
    let checksum = checksum(&bytes[..CHECKED_HEADER_BYTES], &bytes[HEADER_BYTES..]);
    bytes[10..14].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The value of bytes that [`encode`] wrote.
///
/// # Errors
/// When the bytes are damaged, cut, too long, of another type or of another version.
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, EnvelopeError> {
    read(T::KIND, T::VERSION, bytes)
}

/// The value that [`encode_agent_value`] wrote.
///
/// # Errors
/// As [`decode`].
pub fn decode_agent_value<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, EnvelopeError> {
    read(AGENT_VALUE_KIND, version, bytes)
}

fn read<T: DeserializeOwned>(
    expected_kind: u16,
    expected_version: u8,
    bytes: &[u8],
) -> Result<T, EnvelopeError> {
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(if bytes.starts_with(&MAGIC) {
            EnvelopeError::Length { expected: HEADER_BYTES, found: bytes.len() }
        } else {
            EnvelopeError::NotAnEnvelope
        });
    };
    let [m0, m1, layout, version, k0, k1, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if [m0, m1] != MAGIC {
        return Err(EnvelopeError::NotAnEnvelope);
    }
    if layout != LAYOUT_VERSION {
        return Err(EnvelopeError::Version { what: "the layout", found: layout, expected: LAYOUT_VERSION });
    }
    let announced = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if announced != payload.len() || announced > PAYLOAD_BYTES_MAX {
        return Err(EnvelopeError::Length { expected: announced, found: payload.len() });
    }
    if checksum(&header[..CHECKED_HEADER_BYTES], payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(EnvelopeError::Checksum);
    }
    let kind = u16::from_le_bytes([k0, k1]);
    if kind != expected_kind {
        return Err(EnvelopeError::Kind { found: kind, expected: expected_kind });
    }
    if version != expected_version {
        return Err(EnvelopeError::Version { what: "the value", found: version, expected: expected_version });
    }
    let config = bincode::config::standard().with_limit::<PAYLOAD_BYTES_MAX>();
    let (value, read) = bincode::serde::decode_from_slice(payload, config)
        .map_err(|error| EnvelopeError::Malformed { reason: error.to_string() })?;
    if read != payload.len() {
        return Err(EnvelopeError::Length { expected: read, found: payload.len() });
    }
    Ok(value)
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

/// The numbers of our own types. One list, so that none is given twice. 30 is `playhouse_models::cache::KeptAnswer`.
macro_rules! wire_types {
    ($($number:literal version $version:literal $type:ty),* $(,)?) => {
        $(impl Wire for $type {
            const KIND: u16 = $number;
            const VERSION: u8 = $version;
        })*

        #[cfg(test)]
        const KINDS: &[u16] = &[$($number),*];
    };
}

wire_types! {
    1 version 1 crate::completion::CompletionRequest,
    2 version 3 crate::completion::Completion,
    10 version 1 crate::generate::GenerateCode,
    11 version 1 crate::generate::GeneratedCode,
    12 version 1 crate::review::ReviewCode,
    13 version 1 crate::review::Review,
    14 version 1 crate::develop::Develop,
    15 version 1 crate::develop::Developed,
    20 version 2 crate::task::TaskOptions,
    21 version 2 crate::task::TaskSummary,
    22 version 3 crate::event::TaskEvent,
    23 version 1 crate::failure::Failure,
    24 version 1 crate::journal::FailedAttempt,
    25 version 1 crate::journal::StepKind,
    26 version 1 crate::usage::Usage,
}

/// What journals hold from before version 2.
impl Wire for crate::completion::CompletionV1 {
    const KIND: u16 = crate::completion::Completion::KIND;
    const VERSION: u8 = 1;
}

/// What journals hold from before version 3.
impl Wire for crate::completion::CompletionV2 {
    const KIND: u16 = crate::completion::Completion::KIND;
    const VERSION: u8 = 2;
}

#[cfg(test)]
mod tests;
