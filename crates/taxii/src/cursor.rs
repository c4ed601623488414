//! The `next` of a listing: opaque, stateless, the same on every replica (T-040 to T-042, C-006, C-007; design: cursors).
//!
//! A cursor is one AES-256-SIV message, base64url without padding. Inside, in this order: version byte, slot, expiry, hash of the filter (33 bytes, always),
//! then the canonical text of the filter itself. What it must fit (reader line, listing, object) is associated data: it is not in the cursor, and a cursor of somebody else
//! fails as a forged one does. Every failure is one and the same error (T-042).
//!
//! *Why the filter travels.* Clients go on with `next` alone, or with a part of the filters they began with (C-006; rule 9 of the client contract). The node keeps nothing
//! per client, so what is not repeated must come back with the cursor; what is repeated must be equal. The length of a cursor is then a constant plus the length of
//! the reader's *own* filter: it tells nobody anything. A filter longer than [`CARRIED_FILTER_BYTES_MAX`] (hundreds of ids) would make a `next` that no request
//! line can hold beside the filters; there the cursor has the hash alone, and the filters must be repeated, as the standard demands anyway (T-041).
//!
//! *Why deterministic.* Equal questions get equal bytes, on any replica, with no random numbers: replies can be compared and cached, and nobody has to keep a nonce apart.
//! The expiry is rounded up to an hour, so that it does not tell when exactly the page was asked for.

use crate::{
    error::TaxiiError,
    query::{self, Filter, Query},
    server::Listing,
};
use aes_siv::{KeyInit as _, siv::Aes256Siv};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha512};

/// How long a cursor can be used, in microseconds: at least seven days, at most an hour more. A client that comes back after a long week-end goes on.
pub const CURSOR_LIFETIME_US: i64 = 7 * 24 * HOUR_US;
/// Bytes of filter text that travel in a cursor: as base64 still well inside the 8 KiB request line of common proxies.
pub const CARRIED_FILTER_BYTES_MAX: usize = 2_048;
/// Characters a `next` may have: what the longest of ours has, with room.
pub const NEXT_BYTES_MAX: usize = 4_096;

const HOUR_US: i64 = 3_600_000_000;
const DOMAIN: &[u8] = b"entente taxii cursor/1";
const VERSION: u8 = 1;
const FIXED_BYTES: usize = 1 + 8 + 8 + 16;

/// What a cursor belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The reader line, in the node's own spelling (reader and collection number).
    pub binding: [u8; 16],
    /// The listing.
    pub listing: Listing,
    /// The id in the path of `Object` and `Versions`.
    pub object: Option<&'a str>,
}

/// Where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The whole filter: as asked, or as the cursor has it.
    pub filter: Filter,
    /// Only what is strictly later than this: the later of `added_after` and the cursor's slot.
    pub after: Option<i64>,
    /// The cursor's slot: the reader has the line up to here (a receipt's `confirms`).
    pub confirms: Option<i64>,
}

/// Makes and reads cursors. The key stays inside.
#[derive(Clone)]
pub struct Cursors {
    key: [u8; 64],
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors")
    }
}

impl Cursors {
    /// From a secret of this node, which all its replicas share.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self { key: Sha512::new().chain_update(b"entente taxii cursor key/1\0").chain_update(secret).finalize().into() }
    }

    /// The `next` after the object with `slot`. `now` in microseconds since 1970.
    ///
    /// # Errors
    /// [`TaxiiError::Internal`] if the cipher refuses, which it does for no input of this shape.
    pub fn seal(&self, slot: i64, filter: &Filter, scope: &Scope<'_>, now: i64) -> Result<String, TaxiiError> {
        let canonical = filter.canonical();
        let mut plain = Vec::with_capacity(FIXED_BYTES + canonical.len());
        plain.push(VERSION);
        plain.extend(slot.to_be_bytes());
        plain.extend(expiry(now).to_be_bytes());
        plain.extend(&query::digest(&canonical)[..16]);
        if canonical.len() <= CARRIED_FILTER_BYTES_MAX {
            plain.extend(canonical.as_bytes());
        }
        let sealed = self.cipher().encrypt(headers(scope), &plain).map_err(|_| TaxiiError::Internal)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Where the listing goes on: from the cursor if the query brought one, else from `added_after`. `now` in microseconds since 1970.
    ///
    /// # Errors
    /// One and the same [`TaxiiError::BadRequest`] for a cursor that is forged, damaged, expired, somebody else's, or used with another filter (T-042).
    pub fn resume(&self, query: &Query, scope: &Scope<'_>, now: i64) -> Result<Resumed, TaxiiError> {
        let Some(next) = &query.next else {
            return Ok(Resumed { filter: query.filter.clone(), after: query.filter.added_after, confirms: None });
        };
        let refused =
            || TaxiiError::BadRequest("`next` is not valid for this request; start again without it".to_owned());
        let (slot, filter) = self.open(next, &query.filter, scope, now).ok_or_else(refused)?;
        let after = filter.added_after.map_or(slot, |a| a.max(slot));
        Ok(Resumed { filter, after: Some(after), confirms: Some(slot) })
    }

    fn open(&self, next: &str, given: &Filter, scope: &Scope<'_>, now: i64) -> Option<(i64, Filter)> {
        if next.len() > NEXT_BYTES_MAX {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(next).ok()?;
        let plain = self.cipher().decrypt(headers(scope), &sealed).ok()?;
        let (version, rest) = plain.split_first()?;
        let (slot, rest) = rest.split_first_chunk()?;
        let (expiry, rest) = rest.split_first_chunk()?;
        let (hash, text) = rest.split_first_chunk::<16>()?;
        if *version != VERSION || i64::from_be_bytes(*expiry) <= now {
            return None;
        }
        let fits = |canonical: &str| query::digest(canonical)[..16] == *hash;
        let given_canonical = given.canonical();
        let filter = if fits(&given_canonical) {
            given.clone()
        } else {
            let text = std::str::from_utf8(text).ok().filter(|t| fits(t))?;
            given.completed_from(Query::parse(text, scope.listing).ok()?.filter)?
        };
        Some((i64::from_be_bytes(*slot), filter))
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new(&self.key.into())
    }
}

fn expiry(now: i64) -> i64 {
    (now.div_euclid(HOUR_US) + 1).saturating_mul(HOUR_US).saturating_add(CURSOR_LIFETIME_US)
}

fn headers<'a>(scope: &'a Scope<'_>) -> [&'a [u8]; 4] {
    let listing: &[u8] = match scope.listing {
        Listing::Objects => b"objects",
        Listing::Manifest => b"manifest",
        Listing::Object => b"object",
        Listing::Versions => b"versions",
    };
    [DOMAIN, listing, &scope.binding, scope.object.unwrap_or_default().as_bytes()]
}
