//! The append-only audit log as a hash chain: pure, no database, no clock, no knowledge of what a leaf means.
//!
//! The procedure, in order:
//! 1. A leaf is a byte text. Its hash is [`leaf_hash`]: `SHA-256(leaf)`.
//! 2. [`Head::append`] links it: `h_i = SHA-256(0x00 || h_{i-1} || SHA-256(leaf_i))`, where `h_{-1}` is [`GENESIS`].
//! 3. [`verify`] replays leaves with the hashes that were stored beside them and names the first that does not follow.
//!
//! Whoever holds one head can tell, from the leaves alone, whether anything before it was altered, left out, added or moved (L-155). The
//! leading zero byte keeps the chain apart from the interior nodes (`0x01`) of the Merkle tree that comes by forward migration: it is built
//! over the same leaf hashes.

use sha2::{Digest as _, Sha256};

/// Length of every hash here, in octets.
pub const HASH_BYTES: usize = 32;
/// The hash before the first leaf: 32 zero octets.
pub const GENESIS: [u8; HASH_BYTES] = [0; HASH_BYTES];
/// Domain octet of a chain link.
const LINK: u8 = 0x00;

/// A leaf hash or a chain hash.
pub type Hash = [u8; HASH_BYTES];

/// `SHA-256(leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::digest(leaf).into()
}

/// `SHA-256(0x00 || previous || leaf_hash)`.
pub fn link(previous: &Hash, leaf_hash: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([LINK]);
    hasher.update(previous);
    hasher.update(leaf_hash);
    hasher.finalize().into()
}

/// Where a log stands: how many leaves it has and the chain hash after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of leaves.
    pub count: u64,
    /// Chain hash after the last leaf; [`GENESIS`] if there is none.
    pub hash: Hash,
}

impl Default for Head {
    fn default() -> Self {
        Self { count: 0, hash: GENESIS }
    }
}

impl Head {
    /// The head after one more leaf.
    #[must_use = "a head is a value: the log stands where the new head says"]
    pub fn append(&self, leaf: &[u8]) -> Self {
        Self { count: self.count.saturating_add(1), hash: link(&self.hash, &leaf_hash(leaf)) }
    }
}

/// The first leaf at which a log contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The stored hash does not follow from the leaf and the hash before it.
    #[error("audit leaf {index} does not follow from the leaf before it: the log was altered at or before this leaf")]
    Hash {
        /// Index of the leaf, from 0.
        index: u64,
    },
    /// A leaf is missing, doubled or out of order.
    #[error("audit leaf {expected} is missing: leaf {found} stands in its place")]
    Index {
        /// Index that should stand here.
        expected: u64,
        /// Index that does.
        found: u64,
    },
}

/// Replays leaves `(index, leaf, stored chain hash)` on top of `from` and returns the head after the last.
///
/// # Errors
/// [`Broken`] names the first leaf whose index or hash does not follow.
pub fn verify<L: AsRef<[u8]>>(from: Head, leaves: impl IntoIterator<Item = (u64, L, Hash)>) -> Result<Head, Broken> {
    let mut head = from;
    for (index, leaf, stored) in leaves {
        if index != head.count {
            return Err(Broken::Index { expected: head.count, found: index });
        }
        let next = head.append(leaf.as_ref());
        if next.hash != stored {
            return Err(Broken::Hash { index });
        }
        head = next;
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn log(leaves: &[&str]) -> Vec<(u64, Vec<u8>, Hash)> {
        let mut head = Head::default();
        leaves
            .iter()
            .map(|leaf| {
                let index = head.count;
                head = head.append(leaf.as_bytes());
                (index, leaf.as_bytes().to_vec(), head.hash)
            })
            .collect()
    }

    fn hex(hash: &Hash) -> String {
        hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// L-155: the construction is fixed; these figures were computed with `sha256sum` alone.
    #[test]
    fn the_chain_is_the_documented_construction() {
        let leaf = leaf_hash(b"abc");
        assert_eq!(hex(&leaf), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(&Head::default().append(b"abc").hash), ABC_HEAD);
    }
    const ABC_HEAD: &str = "8df15496fa5fc0eb6268bcc4badac5ea59d207f3ab2f52b41630d46165599ccc";

    #[test]
    fn an_untouched_log_verifies_to_its_head_and_from_any_head_in_it() {
        let all = log(&["a", "b", "c", "d"]);
        let head = verify(Head::default(), all.clone()).unwrap();
        assert_eq!(head, Head { count: 4, hash: all[3].2 });
        let middle = Head { count: 2, hash: all[1].2 };
        assert_eq!(verify(middle, all[2..].to_vec()).unwrap(), head);
    }

    /// L-155: altering, dropping, adding or moving any leaf is noticed.
    #[test]
    fn every_tampering_is_noticed_where_it_happened() {
        let all = log(&["a", "b", "c"]);
        for i in 0..3_u64 {
            let at = usize::try_from(i).unwrap();
            let mut altered = all.clone();
            altered[at].1 = b"x".to_vec();
            assert_eq!(verify(Head::default(), altered), Err(Broken::Hash { index: i }));
            let mut rehashed = all.clone();
            rehashed[at].2[0] ^= 1;
            assert_eq!(verify(Head::default(), rehashed), Err(Broken::Hash { index: i }));
            if i < 2 {
                let mut dropped = all.clone();
                dropped.remove(at);
                assert_eq!(verify(Head::default(), dropped), Err(Broken::Index { expected: i, found: i + 1 }));
            }
        }
        let mut swapped = all.clone();
        let (a, b) = (swapped[0].1.clone(), swapped[1].1.clone());
        swapped[0].1 = b;
        swapped[1].1 = a;
        assert_eq!(verify(Head::default(), swapped), Err(Broken::Hash { index: 0 }));
        let mut cut = all.clone();
        cut.pop();
        assert_ne!(verify(Head::default(), cut).unwrap().hash, all[2].2, "a cut log does not reach the known head");
    }

    #[test]
    fn a_leaf_cannot_be_mistaken_for_a_link() {
        let head = Head::default().append(b"a");
        let mut forged = vec![LINK];
        forged.extend_from_slice(&head.hash);
        forged.extend_from_slice(&leaf_hash(b"b"));
        assert_ne!(Head::default().append(&forged).hash, head.append(b"b").hash);
    }
}
