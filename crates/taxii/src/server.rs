//! The server as a trait: what a node answers, apart from HTTP.
use crate::{
    error::TaxiiError,
    resource::{ApiRoot, Collection, Collections, Discovery},
};
use std::net::IpAddr;
/// What a request brought to prove who it is.
#[derive(Clone)]
pub enum Credentials {
    /// HTTP Basic.
    Basic {
        /// User name.
        user: String,
        /// Password.
        password: String,
    },
    /// `Bearer`, `Token`, or an API-key header.
    Token(String),
    /// A client certificate that TLS verified: the SHA-256 of its DER form.
    Certificate([u8; 32]),
}
/// A signed-in caller; opaque to this crate and to HTTP. The node hands it out and takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Account name, for logs and metrics of the operator.
    pub account: String,
}
/// Which listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// `objects/`.
    Objects,
    /// `manifest/`.
    Manifest,
    /// `objects/{id}/`.
    Object,
    /// `objects/{id}/versions/`.
    Versions,
}
/// Octets of a [`Tag`]: two pages of one reader meet by chance once in 2^64.
pub const TAG_BYTES: usize = 16;
/// A digest of all that a page tells its reader: two pages with equal tags tell the same.
pub type Tag = [u8; TAG_BYTES];
/// A reply with the X-TAXII-Date-Added headers (T-026, C-002).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// JSON body.
    pub body: Vec<u8>,
    /// `X-TAXII-Date-Added-First`.
    pub first: Option<String>,
    /// `X-TAXII-Date-Added-Last`.
    pub last: Option<String>,
    /// For `ETag`.
    pub tag: Tag,
}
/// Everything the TAXII routes of `web` need. Blocking unless it says otherwise; called from a blocking pool. `root` and `collection` are path segments as received, `query` the raw query string.
pub trait Taxii: Send + Sync + 'static {
    /// Signs in. Limits failed attempts per address and account before hashing: `TooManyRequests`.
    fn authenticate(&self, credentials: Option<&Credentials>, from: IpAddr) -> Result<Caller, TaxiiError>;
    /// [`Self::authenticate`] as far as memory alone tells; does not block, so it may be called from anywhere. `None`: ask that.
    fn remembered(&self, _credentials: &Credentials, _from: IpAddr) -> Option<Caller> {
        None
    }
    /// Octets a request body may have (T-085), per API root; the same for absent roots.
    fn max_content_length(&self) -> u64;
    /// GET /taxii2/
    fn discovery(&self, who: &Caller, base_url: &str) -> Result<Discovery, TaxiiError>;
    /// GET {root}/
    fn api_root(&self, who: &Caller, root: &str) -> Result<ApiRoot, TaxiiError>;
    /// GET {root}/status/{id}/: the stored JSON body.
    fn status(&self, who: &Caller, root: &str, id: &str) -> Result<Vec<u8>, TaxiiError>;
    /// GET {root}/collections/
    fn collections(&self, who: &Caller, root: &str) -> Result<Collections, TaxiiError>;
    /// GET {root}/collections/{c}/
    fn collection(&self, who: &Caller, root: &str, collection: &str) -> Result<Collection, TaxiiError>;
    /// The four listings. `object` is the path segment for `Object` and `Versions`. `user_agent` only for C-001.
    #[allow(clippy::too_many_arguments)] // one call is one request, and these are its parts
    fn list(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        what: Listing,
        object: Option<&str>,
        query: &str,
        user_agent: &str,
    ) -> Result<Listed, TaxiiError>;
    /// What [`Self::list`] answers to `Listing::Objects` or `Listing::Manifest`, if memory alone tells that the reader has everything already; does not block. `None`: ask that.
    fn nothing_new(
        &self,
        _who: &Caller,
        _root: &str,
        _collection: &str,
        _what: Listing,
        _query: &str,
        _user_agent: &str,
    ) -> Option<Listed> {
        None
    }
    /// Whether a POST may be read at all: 403/404 before the body (fail early).
    fn may_add(&self, who: &Caller, root: &str, collection: &str) -> Result<(), TaxiiError>;
    /// POST objects/: 202 with the status resource.
    fn add(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError>;
    /// DELETE objects/{id}/
    fn delete(&self, who: &Caller, root: &str, collection: &str, object: &str, query: &str) -> Result<(), TaxiiError>;
}
