//! Payloads as chains of pieces: equal pieces are kept once, and so is the head that two payloads share.

use std::sync::Arc;

use playhouse_protocol::journal::{Part, Payload};
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use super::faults::Fault;

/// The chain without links.
const EMPTY: i64 = 0;

/// Writes a payload, names it once, and returns its last link.
pub(super) fn hold(connection: &Connection, payload: &Payload) -> Result<i64, Fault> {
    let mut link = EMPTY;
    for part in &payload.parts {
        link = extend(connection, link, part)?;
    }
    name(connection, link)?;
    Ok(link)
}

/// Whether a payload is the one that ends with `link`, without writing anything.
pub(super) fn is_same(connection: &Connection, link: i64, payload: &Payload) -> Result<bool, Fault> {
    Ok(read(connection, link)? == *payload)
}

/// The link that adds `part` to the chain that ends with `parent`.
fn extend(connection: &Connection, parent: i64, part: &Part) -> Result<i64, Fault> {
    let hash: [u8; 32] = Sha256::digest(&part.bytes).into();
    let piece: Option<i64> = connection
        .prepare_cached("SELECT id FROM pieces WHERE hash = ?1")?
        .query_row([&hash[..]], |row| row.get(0))
        .optional()?;
    let piece = match piece {
        Some(piece) => piece,
        None => connection
            .prepare_cached("INSERT INTO pieces (hash, refs, bytes) VALUES (?1, 0, ?2)")?
            .insert((&hash[..], &part.bytes[..]))?,
    };
    let link: Option<i64> = connection
        .prepare_cached("SELECT id FROM chains WHERE parent = ?1 AND piece = ?2 AND tag = ?3")?
        .query_row((parent, piece, part.tag), |row| row.get(0))
        .optional()?;
    if let Some(link) = link {
        return Ok(link);
    }
    let link = connection
        .prepare_cached("INSERT INTO chains (parent, tag, piece, refs) VALUES (?1, ?2, ?3, 0)")?
        .insert((parent, part.tag, piece))?;
    connection.prepare_cached("UPDATE pieces SET refs = refs + 1 WHERE id = ?1")?.execute([piece])?;
    name(connection, parent)?;
    Ok(link)
}

/// Counts one more row that names a link.
fn name(connection: &Connection, link: i64) -> Result<(), Fault> {
    if link != EMPTY {
        connection.prepare_cached("UPDATE chains SET refs = refs + 1 WHERE id = ?1")?.execute([link])?;
    }
    Ok(())
}

/// Counts one row less that names a link, and removes what nobody names any more.
pub(super) fn release(connection: &Connection, mut link: i64) -> Result<(), Fault> {
    while link != EMPTY {
        let left: i64 = connection
            .prepare_cached("UPDATE chains SET refs = refs - 1 WHERE id = ?1 RETURNING refs")?
            .query_row([link], |row| row.get(0))?;
        if left > 0 {
            return Ok(());
        }
        let (parent, piece): (i64, i64) = connection
            .prepare_cached("DELETE FROM chains WHERE id = ?1 RETURNING parent, piece")?
            .query_row([link], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let used: i64 = connection
            .prepare_cached("UPDATE pieces SET refs = refs - 1 WHERE id = ?1 RETURNING refs")?
            .query_row([piece], |row| row.get(0))?;
        if used == 0 {
            connection.prepare_cached("DELETE FROM pieces WHERE id = ?1")?.execute([piece])?;
        }
        link = parent;
    }
    Ok(())
}

/// The payload that ends with `link`.
pub(super) fn read(connection: &Connection, mut link: i64) -> Result<Payload, Fault> {
    let mut parts = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT chains.parent, chains.tag, pieces.bytes FROM chains JOIN pieces ON pieces.id = chains.piece \
         WHERE chains.id = ?1",
    )?;
    while link != EMPTY {
        let (parent, tag, bytes): (i64, u8, Vec<u8>) =
            statement.query_row([link], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        parts.push(Part { tag, bytes: Arc::from(bytes) });
        // Links are made after those that they extend: damage cannot lead in a circle.
        if parent >= link {
            return Err(Fault::Unreadable(format!("link {link} of a payload follows link {parent}")));
        }
        link = parent;
    }
    parts.reverse();
    Ok(Payload { parts })
}
