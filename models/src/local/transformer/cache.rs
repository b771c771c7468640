//! Keys and values of the sequence so far.

/// Keys and values of one sequence, for every layer and asked head. Grows as positions come.
#[derive(Debug)]
pub(in crate::local) struct KvCache {
    heads: Vec<Head>,
    head_len: usize,
    positions: usize,
}

/// Position after position, a vector each.
#[derive(Debug, Default, Clone)]
pub(super) struct Head {
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
}

impl KvCache {
    /// `heads` counts those of all layers together.
    pub(super) fn new(heads: usize, head_len: usize) -> Self {
        Self { heads: vec![Head::default(); heads], head_len, positions: 0 }
    }

    /// Positions that are complete in all layers.
    pub(super) fn len(&self) -> usize {
        self.positions
    }

    /// Makes room for `added` further positions, as zeros, in all layers.
    pub(super) fn extend(&mut self, added: usize) {
        self.resize(self.positions + added);
    }

    /// A copy of the first `positions`.
    pub(super) fn prefix(&self, positions: usize) -> Self {
        let kept = positions.min(self.positions) * self.head_len;
        let copy =
            |head: &Head| Head { keys: head.keys[..kept].to_vec(), values: head.values[..kept].to_vec() };
        Self {
            heads: self.heads.iter().map(copy).collect(),
            head_len: self.head_len,
            positions: positions.min(self.positions),
        }
    }

    /// Forgets all positions from `positions` on.
    pub(super) fn truncate(&mut self, positions: usize) {
        if positions < self.positions {
            self.resize(positions);
        }
    }

    /// The head with this number among those of all layers.
    pub(super) fn head(&self, head: usize) -> &Head {
        &self.heads[head]
    }

    /// As [`head`](Self::head), to write into.
    pub(super) fn head_mut(&mut self, head: usize) -> &mut Head {
        &mut self.heads[head]
    }

    fn resize(&mut self, positions: usize) {
        self.positions = positions;
        for head in &mut self.heads {
            head.keys.resize(positions * self.head_len, 0.0);
            head.values.resize(positions * self.head_len, 0.0);
        }
    }
}
