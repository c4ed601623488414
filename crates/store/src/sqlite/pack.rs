//! How sets and lists of numbers are written into columns.
use super::error::damaged;
use crate::StoreError;
use roaring::RoaringBitmap;

/// Serialises a set (portable roaring format, run-compressed).
pub(super) fn bitmap_bytes(bitmap: &RoaringBitmap) -> Vec<u8> {
    let mut copy = bitmap.clone();
    copy.optimize();
    let mut bytes = Vec::with_capacity(copy.serialized_size());
    // Writing to a vector does not fail; were it to, the short text would be refused on reading.
    if copy.serialize_into(&mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}

/// Reads a set back.
pub(super) fn bitmap_from(bytes: &[u8]) -> Result<RoaringBitmap, StoreError> {
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|e| damaged(format!("a stored set of numbers does not read back: {e}")))
}

/// Appends a number, seven bits an octet, low bits first.
pub(super) fn put(bytes: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        bytes.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    bytes.push(n.to_le_bytes()[0]);
}

/// Takes a number off the front.
pub(super) fn take(bytes: &mut &[u8]) -> Result<u64, StoreError> {
    let (mut n, mut shift) = (0_u64, 0_u32);
    loop {
        let (&byte, rest) = bytes.split_first().ok_or_else(|| damaged("a stored list of numbers ends early"))?;
        *bytes = rest;
        if shift > 63 {
            return Err(damaged("a stored number is too long"));
        }
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(n);
        }
        shift += 7;
    }
}

/// Takes a length-prefixed part off the front.
pub(super) fn take_part<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], StoreError> {
    let length = usize::try_from(take(bytes)?).map_err(|_| damaged("a stored part is too long"))?;
    let (part, rest) = bytes.split_at_checked(length).ok_or_else(|| damaged("a stored part ends early"))?;
    *bytes = rest;
    Ok(part)
}

/// A reference that decides: key of the target and need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ref {
    /// Key of the target.
    pub(super) key: u32,
    /// Why it is there.
    pub(super) need: stix::Need,
}

/// Number of a need in the database.
pub(super) fn need_no(need: stix::Need) -> u32 {
    match need {
        stix::Need::Required => 0,
        stix::Need::Optional => 1,
        stix::Need::Marking => 2,
    }
}

/// Writes references.
pub(super) fn refs_bytes(refs: &[Ref]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(refs.len() * 4);
    for r in refs {
        put(&mut bytes, (u64::from(r.key) << 2) | u64::from(need_no(r.need)));
    }
    bytes
}

/// Reads references back, appending to `out`.
pub(super) fn refs_from(mut bytes: &[u8], out: &mut Vec<Ref>) -> Result<(), StoreError> {
    while !bytes.is_empty() {
        let n = take(&mut bytes)?;
        let key = u32::try_from(n >> 2).map_err(|_| damaged("a stored reference has too large a key"))?;
        let need = match n & 3 {
            0 => stix::Need::Required,
            1 => stix::Need::Optional,
            2 => stix::Need::Marking,
            _ => return Err(damaged("a stored reference has an unknown need")),
        };
        out.push(Ref { key, need });
    }
    Ok(())
}
