//! What both kinds of diagram are made of: nodes of three 32-bit words, each there once, and a bounded memory of results.

/// A decision: which variable, and what follows if it is true and if it is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) var: u32,
    pub(super) hi: u32,
    pub(super) lo: u32,
}

/// The variable of a terminal: below all others.
pub(super) const NO_VAR: u32 = u32::MAX;

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Spreads three words over 32 bits.
fn mix(a: u32, b: u32, c: u32) -> usize {
    let mut x = (u64::from(a) << 32 | u64::from(b)).wrapping_mul(MULTIPLIER);
    x = (x ^ (x >> 29) ^ u64::from(c)).wrapping_mul(MULTIPLIER);
    (x >> 32) as usize
}

/// Nodes, each there once. A node has a larger number than those it leads to.
#[derive(Debug, Clone)]
pub(super) struct Arena {
    nodes: Vec<Decision>,
    /// Open addressing; 0 is an empty place, as terminals are never looked up.
    places: Vec<u32>,
    terminals: usize,
}

impl Arena {
    pub(super) fn new(terminals: usize) -> Self {
        let terminal = Decision { var: NO_VAR, hi: 0, lo: 0 };
        Self { nodes: vec![terminal; terminals], places: vec![0; 1 << 8], terminals }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn get(&self, node: u32) -> Decision {
        self.nodes[node as usize]
    }

    pub(super) fn add(&mut self, decision: Decision) -> u32 {
        let mask = self.places.len() - 1;
        let mut place = mix(decision.var, decision.hi, decision.lo) & mask;
        loop {
            match self.places[place] {
                0 => break,
                node if self.nodes[node as usize] == decision => return node,
                _ => place = (place + 1) & mask,
            }
        }
        // The node budget keeps arenas far below 2^31.
        let node = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(decision);
        self.places[place] = node;
        if self.nodes.len() * 4 > self.places.len() * 3 {
            self.rehash(self.places.len() * 2);
        }
        node
    }

    fn rehash(&mut self, places: usize) {
        self.places.clear();
        self.places.resize(places, 0);
        let mask = places - 1;
        for (node, d) in (0_u32..).zip(&self.nodes).skip(self.terminals) {
            let mut place = mix(d.var, d.hi, d.lo) & mask;
            while self.places[place] != 0 {
                place = (place + 1) & mask;
            }
            self.places[place] = node;
        }
    }

    /// Drops what `roots` do not need, and answers the new number of each node that is left. A link is a node's number shifted left by `shift`.
    pub(super) fn keep(&mut self, roots: impl Iterator<Item = u32>, shift: u32) -> Vec<u32> {
        let mut kept = vec![false; self.nodes.len()];
        kept[..self.terminals].fill(true);
        roots.for_each(|r| kept[r as usize] = true);
        for node in (self.terminals..self.nodes.len()).rev() {
            if kept[node] {
                let Decision { hi, lo, .. } = self.nodes[node];
                kept[(hi >> shift) as usize] = true;
                kept[(lo >> shift) as usize] = true;
            }
        }
        let mut map = vec![0; self.nodes.len()];
        let mut next = 0;
        let low = (1 << shift) - 1;
        for node in 0..self.nodes.len() {
            if kept[node] {
                let Decision { var, hi, lo } = self.nodes[node];
                let to = |link: u32| map[(link >> shift) as usize] << shift | (link & low);
                self.nodes[next as usize] = Decision { var, hi: to(hi), lo: to(lo) };
                map[node] = next;
                next += 1;
            }
        }
        self.nodes.truncate(next as usize);
        self.nodes.shrink_to_fit();
        self.rehash((self.nodes.len() * 2).next_power_of_two().max(1 << 8));
        map
    }
}

/// A bounded memory of results: a newer one takes the place of an older one.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    entries: Vec<[u32; 4]>,
    filled: usize,
}

/// Entries, at most: 16 bytes each.
const COMPUTED_MAX: usize = 1 << 22;
/// No operation has this as its first operand.
const EMPTY: u32 = u32::MAX;

impl Computed {
    pub(super) fn new() -> Self {
        Self { entries: vec![[EMPTY; 4]; 1 << 10], filled: 0 }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    pub(super) fn get(&self, key: [u32; 3]) -> Option<u32> {
        let [a, b, c, result] = self.entries[mix(key[0], key[1], key[2]) & (self.entries.len() - 1)];
        ([a, b, c] == key).then_some(result)
    }

    pub(super) fn set(&mut self, key: [u32; 3], result: u32) {
        if self.filled * 2 > self.entries.len() && self.entries.len() < COMPUTED_MAX {
            let grown = vec![[EMPTY; 4]; self.entries.len() * 4];
            let old = std::mem::replace(&mut self.entries, grown);
            self.filled = 0;
            for [a, b, c, result] in old {
                if a != EMPTY {
                    self.put([a, b, c], result);
                }
            }
        }
        self.put(key, result);
    }

    fn put(&mut self, [a, b, c]: [u32; 3], result: u32) {
        let at = mix(a, b, c) & (self.entries.len() - 1);
        self.filled += usize::from(self.entries[at][0] == EMPTY);
        self.entries[at] = [a, b, c, result];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_there_once_and_unneeded_ones_go() {
        let mut arena = Arena::new(1);
        let made: Vec<u32> = (0..1000).map(|var| arena.add(Decision { var, hi: 0, lo: 1 })).collect();
        let again: Vec<u32> = (0..1000).map(|var| arena.add(Decision { var, hi: 0, lo: 1 })).collect();
        assert_eq!(made, again);
        let top = arena.add(Decision { var: 7, hi: made[9] << 1, lo: made[500] << 1 | 1 });
        let map = arena.keep([top].into_iter(), 1);
        assert_eq!(arena.len(), 4);
        let top = arena.get(map[top as usize]);
        assert_eq!((top.hi, top.lo), (map[made[9] as usize] << 1, map[made[500] as usize] << 1 | 1));
        assert_eq!(arena.get(top.lo >> 1).var, 500);
        assert_eq!(arena.add(Decision { var: 500, hi: 0, lo: 1 }), top.lo >> 1);
    }

    #[test]
    fn what_is_remembered_is_what_was_set() {
        let mut computed = Computed::new();
        for i in 0..10_000 {
            computed.set([i, i + 1, 0], i * 2);
        }
        let hits = (0..10_000).filter_map(|i| computed.get([i, i + 1, 0]).map(|r| assert_eq!(r, i * 2))).count();
        assert!(hits > 5_000, "{hits}");
        computed.clear();
        assert_eq!(computed.get([9_999, 10_000, 0]), None);
    }
}
