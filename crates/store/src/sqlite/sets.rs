//! Sets of readers as numbers, with their operations remembered: real traffic has few distinct ones.
use label::Bits;
use std::collections::HashMap;

/// A set in a [`Sets`].
pub(super) type SetNo = u32;
/// The empty set.
pub(super) const EMPTY: SetNo = 0;

/// Distinct sets of readers and the results of operations on them.
#[derive(Debug)]
pub(super) struct Sets {
    list: Vec<Bits>,
    index: HashMap<Bits, SetNo>,
    and: HashMap<(SetNo, SetNo), SetNo>,
    or: HashMap<(SetNo, SetNo), SetNo>,
    minus: HashMap<(SetNo, SetNo), SetNo>,
}

impl Sets {
    /// Only the empty set.
    pub(super) fn new() -> Self {
        let mut sets = Self {
            list: Vec::new(),
            index: HashMap::new(),
            and: HashMap::new(),
            or: HashMap::new(),
            minus: HashMap::new(),
        };
        sets.intern(&Bits::new());
        sets
    }

    /// The number of a set.
    pub(super) fn intern(&mut self, bits: &Bits) -> SetNo {
        if let Some(&no) = self.index.get(bits) {
            return no;
        }
        // Each set takes memory; 2^32 of them cannot be reached.
        let no = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(bits.clone());
        self.index.insert(bits.clone(), no);
        no
    }

    /// The set of a number.
    pub(super) fn bits(&self, no: SetNo) -> &Bits {
        &self.list[no as usize]
    }

    /// `a & b`.
    pub(super) fn and(&mut self, a: SetNo, b: SetNo) -> SetNo {
        if a == b || a == EMPTY {
            return a;
        }
        if b == EMPTY {
            return EMPTY;
        }
        let name = (a.min(b), a.max(b));
        if let Some(&no) = self.and.get(&name) {
            return no;
        }
        let mut bits = self.bits(a).clone();
        bits.intersect(&self.list[b as usize]);
        let no = self.intern(&bits);
        self.and.insert(name, no);
        no
    }

    /// `a | b`.
    pub(super) fn or(&mut self, a: SetNo, b: SetNo) -> SetNo {
        if a == b || b == EMPTY {
            return a;
        }
        if a == EMPTY {
            return b;
        }
        let name = (a.min(b), a.max(b));
        if let Some(&no) = self.or.get(&name) {
            return no;
        }
        let mut bits = self.bits(a).clone();
        bits.union(&self.list[b as usize]);
        let no = self.intern(&bits);
        self.or.insert(name, no);
        no
    }

    /// `a & !b`.
    pub(super) fn minus(&mut self, a: SetNo, b: SetNo) -> SetNo {
        if b == EMPTY || a == EMPTY {
            return a;
        }
        if a == b {
            return EMPTY;
        }
        if let Some(&no) = self.minus.get(&(a, b)) {
            return no;
        }
        let mut bits = self.bits(a).clone();
        bits.subtract(&self.list[b as usize]);
        let no = self.intern(&bits);
        self.minus.insert((a, b), no);
        no
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Numbers stand for sets: every operation on every pair of subsets of a small set, the empty one and equal ones among them, twice, so that what is remembered counts too.
    #[test]
    fn every_operation_is_that_of_the_sets() {
        let bits = |mask: u32| (0..4).filter(|bit| mask & (1 << bit) != 0).collect::<Bits>();
        let mut sets = Sets::new();
        let numbers: Vec<SetNo> = (0..16).map(|mask| sets.intern(&bits(mask))).collect();
        assert_eq!(numbers[0], EMPTY);
        for _ in 0..2 {
            for a in 0..16 {
                for b in 0..16 {
                    let (x, y) = (numbers[a as usize], numbers[b as usize]);
                    for (found, meant) in [(sets.and(x, y), a & b), (sets.or(x, y), a | b), (sets.minus(x, y), a & !b)]
                    {
                        assert_eq!(
                            (found, sets.bits(found)),
                            (numbers[meant as usize], &bits(meant)),
                            "{a:04b} {b:04b}"
                        );
                    }
                }
            }
        }
    }
}
