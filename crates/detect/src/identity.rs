//! Identifiers that follow from content, for what has no rule of its own in the standard.

use sha2::{Digest as _, Sha256};
use stix::AnyId;
use uuid::{Builder, Uuid};

/// Keeps these identifiers apart from every other use of the hash.
const DOMAIN: &[u8] = b"entente detect/1\0";

/// An identifier of version 4's form (S-015, S-046) whose bits come from SHA-256 over the parts instead of a die: the same parts, the same identifier. It never uses
/// the name space of SCO identifiers (S-016, S-049).
pub(crate) fn derived(type_name: &str, parts: &[&[u8]]) -> Option<AnyId> {
    AnyId::new(type_name, derived_uuid(type_name, parts)).ok()
}

fn derived_uuid(type_name: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    for part in std::iter::once(type_name.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// S-015, S-046, S-016.
    #[test]
    fn derived_identifiers_look_like_version_4_and_depend_on_every_part() {
        let id = derived("process", &[b"ab", b"c"]).unwrap();
        assert_eq!(id.uuid().get_version_num(), 4);
        assert_eq!(Some(&id), derived("process", &[b"ab", b"c"]).as_ref());
        assert_ne!(Some(&id), derived("process", &[b"a", b"bc"]).as_ref());
        assert_ne!(Some(id.uuid()), derived("sighting", &[b"ab", b"c"]).map(|id| id.uuid()));
    }
}
