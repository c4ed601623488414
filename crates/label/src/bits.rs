//! Sets of readers as bits (L-092).

/// The largest number a set may hold. Readers are numbered densely from 0; a million accounts on one node is far beyond any use, and a
/// wild number must not ask for gigabytes.
pub const READER_NO_MAX: u32 = 1_048_575;
const WORD_BITS: u32 = u64::BITS;

/// A set of small numbers (reader numbers, at most [`READER_NO_MAX`]). Trailing zero words are never kept, so equal sets are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n`. A number above [`READER_NO_MAX`] is not added: such a reader is permitted nothing.
    pub fn insert(&mut self, n: u32) {
        if n > READER_NO_MAX {
            return;
        }
        let (word, mask) = place(n);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= mask;
    }

    /// Removes `n`.
    pub fn remove(&mut self, n: u32) {
        let (word, mask) = place(n);
        if let Some(w) = self.words.get_mut(word) {
            *w &= !mask;
            self.trim();
        }
    }

    /// Whether `n` is in.
    pub fn contains(&self, n: u32) -> bool {
        let (word, mask) = place(n);
        self.words.get(word).is_some_and(|w| w & mask != 0)
    }

    /// In place AND; `true` if it changed.
    pub fn intersect(&mut self, o: &Self) -> bool {
        let mut changed = self.words.len() > o.words.len();
        self.words.truncate(o.words.len());
        for (a, b) in self.words.iter_mut().zip(&o.words) {
            changed |= *a & !*b != 0;
            *a &= *b;
        }
        self.trim();
        changed
    }

    /// In place OR; `true` if it changed.
    pub fn union(&mut self, o: &Self) -> bool {
        let mut changed = o.words.len() > self.words.len();
        if changed {
            self.words.resize(o.words.len(), 0);
        }
        for (a, b) in self.words.iter_mut().zip(&o.words) {
            changed |= *b & !*a != 0;
            *a |= *b;
        }
        changed
    }

    /// In place AND NOT.
    pub fn subtract(&mut self, o: &Self) {
        for (a, b) in self.words.iter_mut().zip(&o.words) {
            *a &= !*b;
        }
        self.trim();
    }

    /// Whether all of `self` is in `o`.
    pub fn is_subset(&self, o: &Self) -> bool {
        self.words.len() <= o.words.len() && self.words.iter().zip(&o.words).all(|(a, b)| a & !b == 0)
    }

    /// Whether empty.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many numbers are in.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The numbers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.words).flat_map(|(i, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    i * WORD_BITS + bit
                })
            })
        })
    }

    /// Little-endian words, for storing.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    /// The reverse; trailing zero words are dropped. `None` for a length that is no multiple of 8 or a number above [`READER_NO_MAX`].
    pub fn from_bytes(b: &[u8]) -> Option<Self> {
        let (words, rest) = b.as_chunks::<8>();
        if !rest.is_empty() {
            return None;
        }
        let mut bits = Self { words: words.iter().map(|w| u64::from_le_bytes(*w)).collect() };
        bits.trim();
        (bits.words.len() <= (READER_NO_MAX / WORD_BITS) as usize + 1).then_some(bits)
    }

    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut bits = Self::new();
        for n in numbers {
            bits.insert(n);
        }
        bits
    }
}

fn place(n: u32) -> (usize, u64) {
    ((n / WORD_BITS) as usize, 1 << (n % WORD_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn bits(s: &BTreeSet<u32>) -> Bits {
        s.iter().copied().collect()
    }

    proptest::proptest! {
        /// L-092: the fast sets agree with plain sets.
        #[test]
        fn bits_behave_as_plain_sets(a in proptest::collection::btree_set(0u32..300, 0..12), b in proptest::collection::btree_set(0u32..300, 0..12), n in 0u32..300) {
            let (x, y) = (bits(&a), bits(&b));
            let mut and = x.clone();
            proptest::prop_assert_eq!(and.intersect(&y), !a.is_subset(&b));
            proptest::prop_assert_eq!(and, bits(&a.intersection(&b).copied().collect()));
            let mut or = x.clone();
            proptest::prop_assert_eq!(or.union(&y), !b.is_subset(&a));
            proptest::prop_assert_eq!(or, bits(&a.union(&b).copied().collect()));
            let mut not = x.clone();
            not.subtract(&y);
            proptest::prop_assert_eq!(not, bits(&a.difference(&b).copied().collect()));
            let mut without = x.clone();
            without.remove(n);
            proptest::prop_assert_eq!(without, bits(&a.iter().copied().filter(|m| *m != n).collect()));
            proptest::prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
            proptest::prop_assert_eq!(x.contains(n), a.contains(&n));
            proptest::prop_assert_eq!(x.len(), a.len());
            proptest::prop_assert_eq!(x.is_empty(), a.is_empty());
            proptest::prop_assert_eq!(x.iter().collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
            proptest::prop_assert_eq!(Bits::from_bytes(&x.to_bytes()), Some(x));
        }
    }

    #[test]
    fn stored_bits_with_trailing_zeros_are_the_same_set_and_odd_lengths_are_refused() {
        let mut bytes = bits(&BTreeSet::from([3])).to_bytes();
        bytes.extend([0; 16]);
        assert_eq!(Bits::from_bytes(&bytes), Some(bits(&BTreeSet::from([3]))));
        assert_eq!(Bits::from_bytes(&bytes[..9]), None);
        assert_eq!(Bits::from_bytes(&[]), Some(Bits::new()));
    }

    #[test]
    fn a_number_beyond_the_limit_is_never_in() {
        let mut b = Bits::new();
        b.insert(READER_NO_MAX);
        b.insert(READER_NO_MAX + 1);
        assert_eq!(b.iter().collect::<Vec<_>>(), [READER_NO_MAX]);
        assert_eq!(Bits::from_bytes(&b.to_bytes()), Some(b.clone()));
        let mut bytes = b.to_bytes();
        bytes.extend([1; 8]);
        assert_eq!(Bits::from_bytes(&bytes), None);
        b.remove(u32::MAX);
        assert!(!b.contains(u32::MAX));
    }
}
