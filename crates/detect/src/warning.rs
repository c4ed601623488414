//! Warning lists: values that say nothing about an intrusion, in the form that MISP publishes them.
//!
//! All lists are compiled into five lookups, whose cost does not grow with the number of lists: exact values in a hash table, hosts by their suffixes in
//! another, networks as sorted ranges, substrings in one Aho-Corasick automaton, regular expressions in one set.

use aho_corasick::AhoCorasick;
use regex::RegexSet;
use serde_json::{Map, Value as Json};
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// Bytes of one list's file; the largest published ones have some 30 MB.
pub const LIST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Lists in use at once; there are some 130 published.
pub const LISTS_MAX: usize = 1_000;
/// Entries of all lists together.
pub const ENTRIES_MAX: usize = 5_000_000;
/// Bytes of one entry.
pub const ENTRY_BYTES_MAX: usize = 4_096;
/// Bytes that the regular expressions of all lists may take when compiled.
const REGEX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a value is, as warning lists tell values apart (`matching_attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An address.
    Address,
    /// A name of a host or a domain.
    Domain,
    /// A URL.
    Url,
    /// A hash.
    Hash,
    /// A name of a file.
    FileName,
    /// An address of e-mail.
    Mail,
    /// A number of an autonomous system.
    As,
}

impl Kind {
    const ALL: [Self; 7] = [Self::Address, Self::Domain, Self::Url, Self::Hash, Self::FileName, Self::Mail, Self::As];

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The kinds that an attribute type of MISP stands for, as bits.
    fn of_attribute(attribute: &str) -> u8 {
        attribute.split('|').fold(0, |bits, part| {
            bits | match part {
                "ip-src" | "ip-dst" | "ip" => Self::Address.bit(),
                "domain" | "hostname" => Self::Domain.bit(),
                "url" | "uri" | "link" => Self::Url.bit(),
                "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "ssdeep" | "authentihash" => {
                    Self::Hash.bit()
                }
                "filename" => Self::FileName.bit(),
                "email" | "email-src" | "email-dst" | "eppn" => Self::Mail.bit(),
                "AS" => Self::As.bit(),
                fingerprint if fingerprint.starts_with("x509-fingerprint") => Self::Hash.bit(),
                _ => 0,
            }
        })
    }
}

/// A value that lists are asked about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// As it is written.
    pub text: String,
}

impl Value {
    /// The values of an observable, by its type (`ipv4-addr`, `domain-name`, `url`, `file`, …).
    pub fn of_object(object: &Map<String, Json>) -> Vec<Self> {
        let text = |name: &str| object.get(name).and_then(Json::as_str).map(str::to_owned);
        let one = |kind: Kind, name: &str| text(name).map(|text| Self { kind, text }).into_iter().collect();
        match object.get("type").and_then(Json::as_str).unwrap_or_default() {
            "ipv4-addr" | "ipv6-addr" => one(Kind::Address, "value"),
            "domain-name" => one(Kind::Domain, "value"),
            "url" => one(Kind::Url, "value"),
            "email-addr" => one(Kind::Mail, "value"),
            "autonomous-system" => {
                let number = object.get("number").and_then(Json::as_i64);
                number.map(|n| Self { kind: Kind::As, text: n.to_string() }).into_iter().collect()
            }
            "file" | "artifact" | "x509-certificate" => {
                let hashes = object.get("hashes").and_then(Json::as_object).into_iter().flatten();
                let hashes =
                    hashes.filter_map(|(_, hash)| Some(Self { kind: Kind::Hash, text: hash.as_str()?.into() }));
                let name: Vec<Self> = one(Kind::FileName, "name");
                hashes.chain(name).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The value that a constant of a pattern is, by the object path it is compared with (`domain-name:value`, `file:hashes.MD5`,
    /// `network-traffic:dst_ref.value`). `None` for properties that no list speaks of.
    pub fn of_comparison(object_type: &str, path: &str, constant: &str) -> Option<Self> {
        let kind = match (object_type, path) {
            ("ipv4-addr" | "ipv6-addr", "value") => Kind::Address,
            ("domain-name", "value") => Kind::Domain,
            ("url", "value") => Kind::Url,
            ("email-addr", "value") => Kind::Mail,
            ("file", "name") => Kind::FileName,
            ("autonomous-system", "number") => Kind::As,
            (_, path) if path.starts_with("hashes.") || path.contains(".hashes.") => Kind::Hash,
            (_, path) if path.ends_with("_ref.value") || path.ends_with("_refs[*].value") => {
                if host_part(constant).parse::<IpAddr>().is_ok() || network(constant).is_some() {
                    Kind::Address
                } else if constant.contains('@') {
                    Kind::Mail
                } else {
                    Kind::Domain
                }
            }
            _ => return None,
        };
        Some(Self { kind, text: constant.to_owned() })
    }
}

/// That a value stands on a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warning {
    /// The value.
    pub value: String,
    /// Name of the list.
    pub list: Arc<str>,
}

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("warning list `{list}`: {cause}")]
pub struct WarningListError {
    /// Its file or name.
    pub list: String,
    /// What is wrong, with the entry.
    pub cause: String,
}

type ListNo = u16;

/// Lists, compiled.
#[derive(Debug, Default)]
pub struct WarningLists {
    names: Vec<Arc<str>>,
    /// Kinds of values that each list speaks of, as bits.
    kinds: Vec<u8>,
    exact: HashMap<Box<str>, Vec<ListNo>>,
    hosts: HashMap<Box<str>, Vec<ListNo>>,
    networks: Vec<Network>,
    substrings: Option<(AhoCorasick, Vec<ListNo>)>,
    expressions: Option<(RegexSet, Vec<ListNo>)>,
    entries: usize,
}

/// A range of addresses, IPv4 mapped into IPv6.
#[derive(Debug, Clone, Copy)]
struct Network {
    first: u128,
    last: u128,
    /// The highest `last` of this and every range before it: where a search may stop.
    reach: u128,
    list: ListNo,
}

#[derive(serde::Deserialize)]
struct File {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    matching_attributes: Vec<String>,
    list: Vec<String>,
}

impl WarningLists {
    /// Compiles lists from the bytes of their files, each with a name for errors.
    ///
    /// # Errors
    /// The first list that is no warning list, has an entry that cannot be used, or exceeds a limit. A list that is half usable is not used: what it was to
    /// keep quiet would then be loud without a word.
    pub fn compile<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, WarningListError> {
        let mut lists = Self::default();
        let mut substrings: Vec<(String, ListNo)> = Vec::new();
        let mut expressions: Vec<(String, ListNo)> = Vec::new();
        for (source, bytes) in files {
            let fault = |cause: String| WarningListError { list: source.to_owned(), cause };
            if bytes.len() > LIST_BYTES_MAX {
                return Err(fault(format!("it has {} bytes, more than {LIST_BYTES_MAX}", bytes.len())));
            }
            let file: File = serde_json::from_slice(bytes)
                .map_err(|e| fault(format!("it is not in the form of MISP's warning lists: {e}")))?;
            if lists.names.len() >= LISTS_MAX {
                return Err(fault(format!("there are more than {LISTS_MAX} lists")));
            }
            lists.entries += file.list.len();
            if lists.entries > ENTRIES_MAX {
                return Err(fault(format!("the lists have more than {ENTRIES_MAX} entries together")));
            }
            let no = ListNo::try_from(lists.names.len()).unwrap_or(ListNo::MAX);
            lists.names.push(file.name.as_str().into());
            let kinds = file.matching_attributes.iter().fold(0, |bits, a| bits | Kind::of_attribute(a));
            // A list that names no attribute speaks of everything.
            let every = Kind::ALL.iter().fold(0, |bits, kind| bits | kind.bit());
            lists.kinds.push(if file.matching_attributes.is_empty() { every } else { kinds });
            for (at, entry) in file.list.iter().enumerate() {
                let entry = entry.trim();
                let wrong = |what: &str| fault(format!("entry {at} `{}` {what}", crate::read::cut(entry)));
                if entry.is_empty() {
                    continue;
                }
                if entry.len() > ENTRY_BYTES_MAX {
                    return Err(wrong(&format!("has more than {ENTRY_BYTES_MAX} bytes")));
                }
                match file.kind.as_str() {
                    "string" => add(&mut lists.exact, folded(entry), no),
                    "hostname" => add(&mut lists.hosts, folded(entry.trim_start_matches('.')), no),
                    "substring" => substrings.push((entry.to_lowercase(), no)),
                    "cidr" => {
                        let (first, last) = network(entry).ok_or_else(|| wrong("is no address and no network"))?;
                        lists.networks.push(Network { first, last, reach: last, list: no });
                    }
                    "regex" => expressions.push((expression(entry), no)),
                    other => return Err(fault(format!("its type `{other}` is not known here"))),
                }
            }
        }
        lists.networks.sort_unstable_by_key(|n| (n.first, n.last));
        let mut reach = 0;
        for network in &mut lists.networks {
            reach = network.last.max(reach);
            network.reach = reach;
        }
        let all = |cause: String| WarningListError { list: "all".to_owned(), cause };
        if !substrings.is_empty() {
            let (texts, owners): (Vec<String>, Vec<ListNo>) = substrings.into_iter().unzip();
            let automaton = AhoCorasick::new(texts).map_err(|e| all(e.to_string()))?;
            lists.substrings = Some((automaton, owners));
        }
        if !expressions.is_empty() {
            for (text, no) in &expressions {
                if let Err(error) = regex::Regex::new(text) {
                    let list = lists.names.get(usize::from(*no)).map(ToString::to_string).unwrap_or_default();
                    return Err(WarningListError { list, cause: format!("`{}`: {error}", crate::read::cut(text)) });
                }
            }
            let (texts, owners): (Vec<String>, Vec<ListNo>) = expressions.into_iter().unzip();
            let set = regex::RegexSetBuilder::new(texts).size_limit(REGEX_BYTES_MAX).build();
            lists.expressions = Some((set.map_err(|e| all(e.to_string()))?, owners));
        }
        Ok(lists)
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many entries all lists have together.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The lists on which a value stands, in their order.
    pub fn find(&self, value: &Value) -> Vec<Warning> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let text = folded(&value.text);
        let mut found: Vec<ListNo> = Vec::new();
        found.extend(self.exact.get(&*text).into_iter().flatten());
        let host = match value.kind {
            Kind::Url => crate::source::list::host_of(&text),
            Kind::Mail => text.rsplit_once('@').map(|(_, host)| host),
            Kind::Domain => Some(&*text),
            _ => None,
        };
        if let Some(host) = host {
            let mut rest = Some(host);
            while let Some(suffix) = rest {
                found.extend(self.hosts.get(suffix).into_iter().flatten());
                rest = suffix.split_once('.').map(|(_, parent)| parent);
            }
        }
        let range = match value.kind {
            Kind::Address => network(&text),
            Kind::Url => host.and_then(network),
            _ => None,
        };
        if let Some(range) = range {
            self.networks_over(range, &mut found);
        }
        if let Some((automaton, owners)) = &self.substrings {
            found.extend(automaton.find_overlapping_iter(&*text).filter_map(|m| owners.get(m.pattern().as_usize())));
        }
        if let Some((set, owners)) = &self.expressions {
            found.extend(set.matches(&value.text).iter().filter_map(|i| owners.get(i)));
        }
        found.retain(|no| self.kinds.get(usize::from(*no)).is_some_and(|kinds| kinds & value.kind.bit() != 0));
        found.sort_unstable();
        found.dedup();
        let names = found.iter().filter_map(|no| self.names.get(usize::from(*no)));
        names.map(|list| Warning { value: value.text.clone(), list: Arc::clone(list) }).collect()
    }

    /// The ranges that hold all of `first..=last`.
    fn networks_over(&self, (first, last): (u128, u128), found: &mut Vec<ListNo>) {
        let end = self.networks.partition_point(|n| n.first <= first);
        for network in self.networks.iter().take(end).rev() {
            if network.reach < last {
                break;
            }
            if network.last >= last {
                found.push(network.list);
            }
        }
    }
}

fn add(to: &mut HashMap<Box<str>, Vec<ListNo>>, entry: Box<str>, no: ListNo) {
    let lists = to.entry(entry).or_default();
    if lists.last() != Some(&no) {
        lists.push(no);
    }
}

/// Letters do not differ by case, names not by the root's dot.
fn folded(text: &str) -> Box<str> {
    let text = text.trim();
    text.strip_suffix('.').unwrap_or(text).to_lowercase().into()
}

fn host_part(text: &str) -> &str {
    text.split_once('/').map_or(text, |(address, _)| address)
}

/// The first and last address of a network or an address, IPv4 mapped into IPv6.
fn network(text: &str) -> Option<(u128, u128)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (bits, width) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) | 0xffff << 32, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let prefix = prefix.unwrap_or(width);
    let free = width.checked_sub(prefix)?;
    let mask = if free == 128 { u128::MAX } else { (1 << free) - 1 };
    Some((bits & !mask, bits | mask))
}

/// MISP writes expressions with or without delimiters: `/…/i`.
fn expression(entry: &str) -> String {
    let delimited = entry.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match delimited {
        Some((body, flags)) if flags.bytes().all(|b| b.is_ascii_lowercase()) => {
            let flags: String = flags.chars().filter(|c| matches!(c, 'i' | 'm' | 's' | 'x')).collect();
            let body = body.replace("\\/", "/");
            if flags.is_empty() { body } else { format!("(?{flags}){body}") }
        }
        _ => entry.to_owned(),
    }
}
