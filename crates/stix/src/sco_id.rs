//! Deterministic identifiers of cyber-observables (S-044 to S-051).
//!
//! The name is the RFC 8785 form of the contributing properties that are present (S-045). Timestamps contribute as they are spelled (SD-09).
//! An SCO is never refused because its identifier does not recompute, and equal identifiers prove no equal content (S-051).

use crate::{
    AnyId, canonical,
    json::{self, Node},
};
use serde_json::{Map, Value};
use uuid::{Uuid, uuid};

/// The name space of deterministic SCO identifiers (S-044); never used for anything else (S-016, S-049).
pub const SCO_NAMESPACE: Uuid = uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");

/// Of several hashes the first of these counts (S-047).
const HASHES_PREFERRED: [&str; 4] = ["MD5", "SHA-1", "SHA-256", "SHA-512"];

/// Contributing properties of one type, at most.
const CONTRIBUTING_MAX: usize = 8;

/// The contributing properties of each SCO type (S-044, S-046); empty: always a random identifier.
pub(crate) fn contributing(type_name: &str) -> Option<&'static [&'static str]> {
    Some(match type_name {
        "artifact" => &["hashes", "payload_bin"],
        "autonomous-system" => &["number"],
        "directory" => &["path"],
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => &["value"],
        "email-message" => &["from_ref", "subject", "body"],
        "file" => &["hashes", "name", "extensions", "parent_directory_ref"],
        "mutex" => &["name"],
        "network-traffic" => &["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"],
        "process" => &[],
        "software" => &["name", "cpe", "swid", "vendor", "version"],
        "user-account" => &["account_type", "user_id", "account_login"],
        "windows-registry-key" => &["key", "values"],
        "x509-certificate" => &["hashes", "serial_number"],
        _ => return None,
    })
}

/// The UUIDv5 identifier that the standard's rule gives for this SCO, or `None` where it asks for a random one (S-046) or the type is no SCO.
pub fn deterministic_id(object: &Map<String, Value>) -> Option<AnyId> {
    let type_name = object.get("type")?.as_str()?;
    let mut name = Map::new();
    for property in contributing(type_name)? {
        let value = object.get(*property).filter(|value| !value.is_null());
        let value = match value {
            Some(Value::Object(hashes)) if *property == "hashes" => one_hash(hashes),
            other => other.cloned(),
        };
        if let Some(value) = value {
            name.insert((*property).to_owned(), value);
        }
    }
    if name.is_empty() {
        return None;
    }
    let name = canonical::canonicalise_value(&Value::Object(name));
    AnyId::new(type_name, Uuid::new_v5(&SCO_NAMESPACE, &name)).ok()
}

/// The same for an object of which only the tree is at hand.
pub(crate) fn deterministic_id_of(object: &json::Map<'_>, type_name: &str) -> Option<AnyId> {
    let mut name = vec![b'{'];
    let mut properties = [""; CONTRIBUTING_MAX];
    let contributing = contributing(type_name)?;
    let sorted = properties.get_mut(..contributing.len())?;
    sorted.copy_from_slice(contributing);
    // All ASCII: this is the order of RFC 8785.
    sorted.sort_unstable();
    for property in sorted {
        let Some(value) = object.get(property).filter(|value| !matches!(value, Node::Null)) else { continue };
        let start = name.len();
        if start > 1 {
            name.push(b',');
        }
        canonical::write_escaped(&mut name, property);
        name.push(b':');
        match value {
            Node::Map(hashes) if *property == "hashes" => {
                let preferred = HASHES_PREFERRED.into_iter().find_map(|name| Some((name, hashes.get(name)?)));
                match preferred.or_else(|| hashes.iter().min_by_key(|(name, _)| *name)) {
                    None => name.truncate(start),
                    Some((algorithm, hash)) => {
                        name.push(b'{');
                        canonical::write_escaped(&mut name, algorithm);
                        name.push(b':');
                        canonical::write_node(&mut name, hash);
                        name.push(b'}');
                    }
                }
            }
            other => canonical::write_node(&mut name, other),
        }
    }
    if name.len() == 1 {
        return None;
    }
    name.push(b'}');
    AnyId::new(type_name, Uuid::new_v5(&SCO_NAMESPACE, &name)).ok()
}

/// Exactly one hash contributes: the first preferred one (S-047), else the one with the smallest name, so that the order of members does not matter.
fn one_hash(hashes: &Map<String, Value>) -> Option<Value> {
    let preferred = HASHES_PREFERRED.into_iter().find_map(|name| hashes.get_key_value(name));
    let (name, value) = preferred.or_else(|| hashes.iter().min_by_key(|(name, _)| name.as_str()))?;
    Some(Value::Object(Map::from_iter([(name.clone(), value.clone())])))
}
