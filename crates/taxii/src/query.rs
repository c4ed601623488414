//! Filters and paging of a listing, from the raw query string (T-030 to T-062, TD-05 to TD-08).
//!
//! The text is cut at `&`, percent-decoded (brackets come encoded or not; `+` stays `+`, so that an offset survives), and only the fields that count for
//! the listing are read (T-045); all others are ignored whatever they hold (T-048, TD-07). A field that counts and is malformed, empty or repeated is a 400
//! (T-030, T-032, T-046): nothing is ever widened silently.

use crate::{date_added, error::TaxiiError, server::Listing};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use stix::{AnyId, Timestamp};

/// Bytes of a query string; what an HTTP request target can hold at all. A longer one is a 400.
pub const QUERY_BYTES_MAX: usize = 65_535;
/// Parameters of one request, known or not; no client sends ten.
pub const PARAMETERS_MAX: usize = 64;
/// Ids in one `match[id]` (T-144); each costs a look-up.
pub const MATCH_IDS_MAX: usize = 1_000;
/// Types in one `match[type]`; the standard has 42.
pub const MATCH_TYPES_MAX: usize = 200;
/// Values in one `match[version]`; each costs a comparison per version.
pub const MATCH_VERSIONS_MAX: usize = 100;
/// Values in one `match[spec_version]`; two exist.
pub const MATCH_SPEC_VERSIONS_MAX: usize = 20;
/// Characters of a type name (STIX 2.1, 3.1).
const TYPE_CHARS_MAX: usize = 250;

/// What a listing was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What is wanted.
    pub filter: Filter,
    /// At most so many per page, never 0. The node lowers it to its own maximum and never refuses a high one (C-006); numbers beyond `usize` are clamped.
    pub limit: Option<usize>,
    /// The cursor of the page before, opaque here; see [`crate::cursor`]. An empty `next=` counts as none, since a client sends that.
    pub next: Option<String>,
}

/// Which objects are wanted. Fields are joined by AND, the values of a field by OR (T-046, T-047).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only what has a `date_added` strictly later, in microseconds since 1970 (T-033).
    pub added_after: Option<i64>,
    /// `match[id]`, sorted, no duplicates; empty: any (T-049).
    pub ids: Vec<AnyId>,
    /// `match[type]`, sorted, no duplicates; empty: any (T-050 to T-052).
    pub types: Vec<String>,
    /// `match[version]` as asked; use [`Filter::versions`] for its meaning.
    pub versions: Option<Versions>,
    /// `match[spec_version]`, sorted, no duplicates; empty: the latest per object (T-053, T-054).
    pub spec_versions: Vec<String>,
}

/// Which versions (T-055 to T-058).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// `all`; then nothing else is set (T-057).
    pub all: bool,
    /// `first`.
    pub first: bool,
    /// `last`.
    pub last: bool,
    /// Exact instants, sorted; compared as instants (T-058, TD-08).
    pub at: Vec<Timestamp>,
}

impl Default for Versions {
    /// `last` alone (T-055).
    fn default() -> Self {
        Self { all: false, first: false, last: true, at: Vec::new() }
    }
}

impl Query {
    /// Reads the query string of a listing, without its `?`.
    pub fn parse(raw: &str, listing: Listing) -> Result<Self, TaxiiError> {
        let mut query = Self::default();
        let mut seen = BTreeSet::new();
        for (field, value) in parameters(raw)? {
            if !field.counts(listing) {
                continue;
            }
            if !seen.insert(field) {
                return Err(bad(field, "occurs more than once"));
            }
            match field {
                Field::Limit => query.limit = Some(limit(&value)?),
                Field::Next => query.next = (!value.is_empty()).then_some(value),
                _ => query.filter.read(field, &value)?,
            }
        }
        Ok(query)
    }
}

impl Filter {
    /// Reads the query string of a DELETE, without its `?` (T-121). `added_after` would narrow elsewhere and cannot here: a 400 rather than deleting more than was meant.
    pub fn parse_delete(raw: &str) -> Result<Self, TaxiiError> {
        let mut filter = Self::default();
        let mut seen = BTreeSet::new();
        for (field, value) in parameters(raw)? {
            match field {
                Field::AddedAfter => return Err(bad(field, "has no meaning for DELETE")),
                Field::Version | Field::SpecVersion if !seen.insert(field) => {
                    return Err(bad(field, "occurs more than once"));
                }
                Field::Version | Field::SpecVersion => filter.read(field, &value)?,
                _ => {}
            }
        }
        Ok(filter)
    }

    /// Which versions are wanted: as asked, else the latest (T-055).
    pub fn versions(&self) -> Versions {
        self.versions.clone().unwrap_or_default()
    }

    /// Whether nothing was asked at all. `match[version]=last` is the default (T-055) and counts as nothing.
    pub fn is_empty(&self) -> bool {
        self.canonical().is_empty()
    }

    /// The filter as a query string in one fixed spelling: equal filters have equal texts, and [`Query::parse`] reads it back.
    pub fn canonical(&self) -> String {
        let mut parts = Vec::new();
        if let Some(us) = self.added_after {
            parts.push(format!("added_after={}", date_added::format(us)));
        }
        if !self.ids.is_empty() {
            parts.push(format!("match[id]={}", self.ids.iter().map(AnyId::as_str).collect::<Vec<_>>().join(",")));
        }
        if !self.types.is_empty() {
            parts.push(format!("match[type]={}", self.types.join(",")));
        }
        if let Some(versions) = self.versions.as_ref().filter(|v| **v != Versions::default()) {
            let words = [(versions.all, "all"), (versions.first, "first"), (versions.last, "last")];
            let mut values: Vec<String> = words.iter().filter(|w| w.0).map(|w| w.1.to_owned()).collect();
            values.extend(versions.at.iter().map(|t| format!("{}Z", t.key())));
            parts.push(format!("match[version]={}", values.join(",")));
        }
        if !self.spec_versions.is_empty() {
            parts.push(format!("match[spec_version]={}", self.spec_versions.join(",")));
        }
        parts.join("&")
    }

    /// SHA-256 of the canonical text; for receipts (L-155).
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.canonical())
    }

    /// This filter with what it leaves unsaid taken from `carried`; `None` if it says anything else than `carried` does (T-041, T-042, C-006).
    #[must_use]
    pub(crate) fn completed_from(&self, carried: Self) -> Option<Self> {
        let same = self.added_after.is_none_or(|a| carried.added_after == Some(a))
            && (self.ids.is_empty() || self.ids == carried.ids)
            && (self.types.is_empty() || self.types == carried.types)
            && self.versions.as_ref().is_none_or(|v| *v == carried.versions())
            && (self.spec_versions.is_empty() || self.spec_versions == carried.spec_versions);
        same.then_some(carried)
    }

    fn read(&mut self, field: Field, value: &str) -> Result<(), TaxiiError> {
        match field {
            Field::AddedAfter => {
                let us = date_added::parse(value).ok_or_else(|| bad(field, "is not one RFC 3339 timestamp"))?;
                self.added_after = Some(us);
            }
            Field::Id => {
                let ids = values(field, value, MATCH_IDS_MAX)?;
                let ids: Option<BTreeSet<AnyId>> = ids.into_iter().map(|v| v.parse().ok()).collect();
                self.ids =
                    ids.ok_or_else(|| bad(field, "holds something that is not a STIX id"))?.into_iter().collect();
            }
            Field::Type => {
                let types: BTreeSet<&str> = values(field, value, MATCH_TYPES_MAX)?.into_iter().collect();
                if !types.iter().all(|t| is_type_name(t)) {
                    return Err(bad(field, "holds something that is not a type name"));
                }
                self.types = types.into_iter().map(str::to_owned).collect();
            }
            Field::Version => self.versions = Some(versions(value)?),
            Field::SpecVersion => {
                let all: BTreeSet<&str> = values(field, value, MATCH_SPEC_VERSIONS_MAX)?.into_iter().collect();
                if !all.iter().all(|v| is_spec_version(v)) {
                    return Err(bad(field, "holds something that is not of the form `n.m`"));
                }
                self.spec_versions = all.into_iter().map(str::to_owned).collect();
            }
            Field::Limit | Field::Next => {}
        }
        Ok(())
    }
}

/// The digest of a canonical filter text.
pub(crate) fn digest(canonical: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"entente filter/1\0").chain_update(canonical.as_bytes()).finalize().into()
}

/// First 16 bytes of [`Filter::digest`]: what a cursor holds of the filter, without `limit` and `next`.
pub fn filter_hash(query: &Query) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&query.filter.digest()[..16]);
    hash
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    AddedAfter,
    Limit,
    Next,
    Id,
    Type,
    Version,
    SpecVersion,
}

impl Field {
    const ALL: [Self; 7] =
        [Self::AddedAfter, Self::Limit, Self::Next, Self::Id, Self::Type, Self::Version, Self::SpecVersion];

    fn name(self) -> &'static str {
        match self {
            Self::AddedAfter => "added_after",
            Self::Limit => "limit",
            Self::Next => "next",
            Self::Id => "match[id]",
            Self::Type => "match[type]",
            Self::Version => "match[version]",
            Self::SpecVersion => "match[spec_version]",
        }
    }

    /// The table of T-045 and section 13.
    fn counts(self, listing: Listing) -> bool {
        match self {
            Self::AddedAfter | Self::Limit | Self::Next | Self::SpecVersion => true,
            Self::Id | Self::Type => matches!(listing, Listing::Objects | Listing::Manifest),
            Self::Version => !matches!(listing, Listing::Versions),
        }
    }
}

/// The parameters whose names mean something, decoded, in order.
fn parameters(raw: &str) -> Result<Vec<(Field, String)>, TaxiiError> {
    if raw.len() > QUERY_BYTES_MAX {
        return Err(TaxiiError::BadRequest("the query string is too long".to_owned()));
    }
    let mut known = Vec::new();
    for (count, part) in raw.split('&').filter(|p| !p.is_empty()).enumerate() {
        if count >= PARAMETERS_MAX {
            return Err(TaxiiError::BadRequest(format!("the query has more than {PARAMETERS_MAX} parameters")));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = percent_encoding::percent_decode_str(name).collect::<Vec<u8>>();
        let Some(field) = Field::ALL.into_iter().find(|f| f.name().as_bytes() == name) else { continue };
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        known.push((field, value.map_err(|_| bad(field, "is not UTF-8"))?.into_owned()));
    }
    Ok(known)
}

fn values(field: Field, value: &str, max: usize) -> Result<Vec<&str>, TaxiiError> {
    let values: Vec<&str> = value.split(',').take(max + 1).collect();
    if values.len() > max {
        return Err(bad(field, &format!("holds more than {max} values")));
    }
    if values.iter().any(|v| v.is_empty()) {
        return Err(bad(field, "holds an empty value"));
    }
    Ok(values)
}

fn limit(value: &str) -> Result<usize, TaxiiError> {
    let wrong = || bad(Field::Limit, "is not an integer greater than zero");
    if value.is_empty() || !value.bytes().all(|c| c.is_ascii_digit()) {
        return Err(wrong());
    }
    match value.parse::<usize>() {
        Ok(0) => Err(wrong()),
        Ok(n) => Ok(n),
        Err(_) => Ok(usize::MAX),
    }
}

fn versions(value: &str) -> Result<Versions, TaxiiError> {
    let field = Field::Version;
    let mut versions = Versions { all: false, first: false, last: false, at: Vec::new() };
    for value in values(field, value, MATCH_VERSIONS_MAX)? {
        let repeated = match value {
            "all" => std::mem::replace(&mut versions.all, true),
            "first" => std::mem::replace(&mut versions.first, true),
            "last" => std::mem::replace(&mut versions.last, true),
            other => {
                let at = Timestamp::parse(other)
                    .map_err(|_| bad(field, "holds neither `all`, `first`, `last` nor a STIX timestamp"))?;
                let repeated = versions.at.contains(&at);
                versions.at.push(at);
                repeated
            }
        };
        if repeated {
            return Err(bad(field, "holds a value twice"));
        }
    }
    if versions.all && (versions.first || versions.last || !versions.at.is_empty()) {
        return Err(bad(field, "combines `all` with another value"));
    }
    versions.at.sort();
    Ok(versions)
}

fn is_type_name(text: &str) -> bool {
    text.len() <= TYPE_CHARS_MAX
        && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_')
}

fn is_spec_version(text: &str) -> bool {
    let digits = |t: &str| (1..=3).contains(&t.len()) && t.bytes().all(|c| c.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn bad(field: Field, what: &str) -> TaxiiError {
    TaxiiError::BadRequest(format!("`{}` {what}", field.name()))
}
