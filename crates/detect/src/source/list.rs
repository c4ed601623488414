//! Plain lists: one address, domain, URL or hash a line. Blank lines and comments (`#`, `;`) hold nothing, text after the first blank or comma is
//! taken for a comment, and `hxxp`, `[.]` and their like are read as what they stand for.

use super::Event;
use crate::{
    read::{address, hash, is_domain, is_url},
    table::{Read, Row, Table, row},
};
use serde_json::Map;

const ADDRESS: &[Row] = &[row("value", Read::Address, "ipv4-addr:value")];
const DOMAIN: &[Row] = &[row("value", Read::Host, "domain-name:value")];
const URL: &[Row] = &[row("value", Read::Url, "url:value"), row("host", Read::HostIfAny, "domain-name:value")];
const MD5: &[Row] = &[row("value", Read::Hash("MD5"), "file:hashes.MD5")];
const SHA1: &[Row] = &[row("value", Read::Hash("SHA-1"), "file:hashes.'SHA-1'")];
const SHA256: &[Row] = &[row("value", Read::Hash("SHA-256"), "file:hashes.'SHA-256'")];
const SHA512: &[Row] = &[row("value", Read::Hash("SHA-512"), "file:hashes.'SHA-512'")];

/// Lists of addresses.
pub const ADDRESSES: Table = Table { name: "list of addresses", groups: &[ADDRESS] };
/// Lists of domains.
pub const DOMAINS: Table = Table { name: "list of domains", groups: &[DOMAIN] };
/// Lists of URLs.
pub const URLS: Table = Table { name: "list of URLs", groups: &[URL] };
/// Lists of MD5 hashes.
pub const MD5S: Table = Table { name: "list of MD5", groups: &[MD5] };
/// Lists of SHA-1 hashes.
pub const SHA1S: Table = Table { name: "list of SHA-1", groups: &[SHA1] };
/// Lists of SHA-256 hashes.
pub const SHA256S: Table = Table { name: "list of SHA-256", groups: &[SHA256] };
/// Lists of SHA-512 hashes.
pub const SHA512S: Table = Table { name: "list of SHA-512", groups: &[SHA512] };
/// All of them.
pub const TABLES: &[&Table] = &[&ADDRESSES, &DOMAINS, &URLS, &MD5S, &SHA1S, &SHA256S, &SHA512S];

/// The event that a line stands for.
pub(crate) fn event(line: &str) -> Result<Option<Event>, String> {
    let text = line.trim();
    if text.is_empty() || text.starts_with(['#', ';']) {
        return Ok(None);
    }
    let value = text.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default().trim_matches('"');
    let value = refanged(value);
    let mut event = Map::new();
    event.insert("value".to_owned(), value.as_str().into());
    let of_hash = |name: &str| hash(name, &value).is_some();
    let table = if address(&value).is_some() {
        &ADDRESSES
    } else if of_hash("MD5") {
        &MD5S
    } else if of_hash("SHA-1") {
        &SHA1S
    } else if of_hash("SHA-256") {
        &SHA256S
    } else if of_hash("SHA-512") {
        &SHA512S
    } else if is_url(&value) {
        if let Some(host) = host_of(&value) {
            event.insert("host".to_owned(), host.into());
        }
        &URLS
    } else if value.contains('.') && is_domain(value.strip_suffix('.').unwrap_or(&value)) {
        &DOMAINS
    } else {
        return Err(format!("list: `{}` is no address, domain, URL or hash", crate::read::cut(&value)));
    };
    Ok(Some((event, table)))
}

/// The host in a URL, without user and port.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.split_once(']').map(|(inside, _)| &inside[1..]);
    }
    Some(host.rsplit_once(':').map_or(host, |(host, _)| host))
}

fn refanged(text: &str) -> String {
    let mut text = text.to_owned();
    for (written, meant) in [("[.]", "."), ("(.)", "."), ("[dot]", "."), ("[:]", ":"), ("[://]", "://")] {
        if text.contains(written) {
            text = text.replace(written, meant);
        }
    }
    for (written, meant) in [("hxxps://", "https://"), ("hxxp://", "http://")] {
        if text.get(..written.len()).is_some_and(|head| head.eq_ignore_ascii_case(written)) {
            text = format!("{meant}{}", text.get(written.len()..).unwrap_or_default());
        }
    }
    text
}
