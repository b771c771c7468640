//! Payloads as chains of pieces: equal pieces are kept once, and so is the head that two payloads share.

use std::collections::HashMap;
use std::sync::Arc;

use playhouse_protocol::journal::{Part, Payload};

/// The last link of a payload; 0 is the empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Chain(u64);

/// All payloads of a store. No order of these maps is ever seen.
#[derive(Debug, Default)]
pub(super) struct Payloads {
    links: HashMap<Chain, Link>,
    ends: HashMap<(Chain, Part), Chain>,
    /// How many links hold each piece.
    pieces: HashMap<Arc<[u8]>, usize>,
    last: u64,
    bytes_len: u64,
}

#[derive(Debug)]
struct Link {
    parent: Chain,
    part: Part,
    /// How many rows and links name it.
    refs: usize,
}

impl Payloads {
    /// Takes a payload in and names it once.
    pub(super) fn hold(&mut self, payload: Payload) -> Chain {
        let chain =
            payload.parts.into_iter().fold(Chain::default(), |parent, part| self.extend(parent, part));
        self.name(chain);
        chain
    }

    fn extend(&mut self, parent: Chain, part: Part) -> Chain {
        let part = Part { tag: part.tag, bytes: self.shared(part.bytes) };
        if let Some(chain) = self.ends.get(&(parent, part.clone())) {
            return *chain;
        }
        self.last += 1;
        let chain = Chain(self.last);
        *self.pieces.entry(Arc::clone(&part.bytes)).or_insert_with(|| {
            self.bytes_len += part.bytes.len() as u64;
            0
        }) += 1;
        self.name(parent);
        self.ends.insert((parent, part.clone()), chain);
        self.links.insert(chain, Link { parent, part, refs: 0 });
        chain
    }

    /// The copy that is there already, if there is one.
    fn shared(&self, bytes: Arc<[u8]>) -> Arc<[u8]> {
        self.pieces.get_key_value(&bytes).map_or(bytes, |(kept, _)| Arc::clone(kept))
    }

    fn name(&mut self, chain: Chain) {
        if let Some(link) = self.links.get_mut(&chain) {
            link.refs += 1;
        }
    }

    /// Counts one row less that names a chain, and drops what nobody names any more.
    pub(super) fn release(&mut self, mut chain: Chain) {
        while let Some(link) = self.links.get_mut(&chain) {
            link.refs = link.refs.saturating_sub(1);
            if link.refs > 0 {
                return;
            }
            let Some(Link { parent, part, .. }) = self.links.remove(&chain) else { return };
            if let Some(refs) = self.pieces.get_mut(&part.bytes) {
                *refs -= 1;
                if *refs == 0 {
                    self.pieces.remove(&part.bytes);
                    self.bytes_len -= part.bytes.len() as u64;
                }
            }
            self.ends.remove(&(parent, part));
            chain = parent;
        }
    }

    pub(super) fn read(&self, mut chain: Chain) -> Payload {
        let mut parts = Vec::new();
        while let Some(link) = self.links.get(&chain) {
            parts.push(link.part.clone());
            chain = link.parent;
        }
        parts.reverse();
        Payload { parts }
    }

    pub(super) const fn bytes_len(&self) -> u64 {
        self.bytes_len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(texts: &[&str]) -> Payload {
        Payload { parts: texts.iter().map(|text| Part::new(text.as_bytes())).collect() }
    }

    #[test]
    fn shared_heads_and_equal_pieces_are_kept_once_and_go_with_the_last_that_names_them() {
        let mut payloads = Payloads::default();
        let short = payloads.hold(payload(&["hello", "you"]));
        let long = payloads.hold(payload(&["hello", "you", "hello"]));
        assert_eq!((payloads.links.len(), payloads.pieces.len(), payloads.bytes_len), (3, 2, 8));
        assert_eq!(payloads.read(long), payload(&["hello", "you", "hello"]));
        payloads.release(short);
        assert_eq!(payloads.read(long), payload(&["hello", "you", "hello"]));
        payloads.release(long);
        assert_eq!((payloads.links.len(), payloads.ends.len(), payloads.pieces.len()), (0, 0, 0));
        assert_eq!((payloads.bytes_len, payloads.read(Chain::default())), (0, Payload::default()));
    }
}
