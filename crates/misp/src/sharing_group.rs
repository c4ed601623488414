//! Sharing groups as MISP writes them (labels.md section 11, distribution 4).
use crate::tags::shown;
use label::ADDRESSEES_MAX;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use uuid::Uuid;

/// Most bytes of a sharing group: room for every organisation that one marking may name.
pub const SHARING_GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A sharing group as it was seen. Who extends it later extends another list: its version pins this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharingGroup {
    pub(crate) uuid: Uuid,
    pub(crate) orgs: BTreeSet<Uuid>,
    pub(crate) notes: Vec<String>,
}

#[derive(Deserialize)]
struct Group {
    uuid: Uuid,
    #[serde(default)]
    active: Option<Value>,
    #[serde(default)]
    roaming: Value,
    #[serde(default)]
    releasability: String,
    #[serde(default, rename = "SharingGroupOrg")]
    orgs: Vec<Member>,
    #[serde(default, rename = "SharingGroupServer")]
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    extend: Value,
    #[serde(rename = "Organisation")]
    organisation: Organisation,
}

#[derive(Deserialize)]
struct Organisation {
    uuid: Uuid,
}

#[derive(Deserialize)]
struct Server {
    #[serde(default)]
    all_orgs: Value,
}

impl SharingGroup {
    /// Reads a group as MISP gives it: by itself, as the member `SharingGroup` of an event, or as the view of a group, whose lists stand beside it.
    ///
    /// # Errors
    /// No sharing group; one that is switched off; one that lists nobody, or more organisations than a marking may name.
    pub fn from_json(text: &str) -> Result<Self, String> {
        if text.len() > SHARING_GROUP_BYTES_MAX {
            return Err(format!("the sharing group is longer than {SHARING_GROUP_BYTES_MAX} bytes"));
        }
        let mut outer: Map<String, Value> =
            serde_json::from_str(text).map_err(|e| format!("the sharing group is no JSON object: {e}"))?;
        let mut body = match outer.remove("SharingGroup") {
            Some(Value::Object(inner)) => inner,
            Some(_) => return Err("`SharingGroup` is no object".to_owned()),
            None => std::mem::take(&mut outer),
        };
        for list in ["SharingGroupOrg", "SharingGroupServer"] {
            if let Some(beside) = outer.remove(list) {
                body.entry(list).or_insert(beside);
            }
        }
        let group: Group =
            serde_json::from_value(Value::Object(body)).map_err(|e| format!("this is no sharing group: {e}"))?;
        if group.active.as_ref().is_some_and(|a| !is_set(a)) {
            return Err("the sharing group is not active".to_owned());
        }
        if group.orgs.len() > ADDRESSEES_MAX {
            return Err(format!("the sharing group lists more than {ADDRESSEES_MAX} organisations"));
        }
        let orgs: BTreeSet<Uuid> = group.orgs.iter().map(|m| m.organisation.uuid).collect();
        if orgs.is_empty() {
            return Err("the sharing group lists no organisation, and so nobody".to_owned());
        }
        Ok(Self { uuid: group.uuid, orgs, notes: notes(&group) })
    }

    /// The organisations that it lists, by the identifiers that MISP gives them.
    pub fn orgs(&self) -> &BTreeSet<Uuid> {
        &self.orgs
    }

    /// SHA-256 of the list as it was seen, in hexadecimal: the identifiers in order, each on a line.
    fn version(&self) -> String {
        let hash = self.orgs.iter().fold(Sha256::new(), |hash, org| hash.chain_update(format!("{org}\n")));
        hash.finalize().iter().fold(String::new(), |mut hex, b| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{b:02x}");
            hex
        })
    }

    /// The member `sharing_group` of a dissemination marking (L-132).
    pub(crate) fn member(&self) -> Value {
        json!({"uuid": self.uuid, "version": self.version(), "orgs": self.orgs})
    }
}

/// What of the group has no place in a marking. Each of it let more in than the list, or bound the transport.
fn notes(group: &Group) -> Vec<String> {
    let mut notes = Vec::new();
    let extenders = group.orgs.iter().filter(|m| is_set(&m.extend)).count();
    if extenders > 0 {
        notes.push(format!("{extenders} of the organisations may extend the group: the list as it was seen counts"));
    }
    if group.servers.iter().any(|s| is_set(&s.all_orgs)) {
        notes.push("a server is listed with all its organisations, which nobody outside knows: only listed organisations count".to_owned());
    }
    if !is_set(&group.roaming) {
        notes.push(format!(
            "the group is bound to {}, which no marking says: recipients may not give it on",
            if group.servers.is_empty() {
                "its own instance".to_owned()
            } else {
                format!("{} instances", group.servers.len())
            }
        ));
    }
    if !group.releasability.trim().is_empty() {
        notes.push(format!("\"{}\" is information only", shown(group.releasability.trim())));
    }
    notes
}

/// MISP writes flags as `true`, `1` or `"1"`.
fn is_set(flag: &Value) -> bool {
    match flag {
        Value::Bool(set) => *set,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !matches!(s.trim().to_ascii_lowercase().as_str(), "" | "0" | "false"),
        _ => false,
    }
}
