//! Resources (taxii-2.1.md section 14). Every property of each is here (T-142); unknown ones are ignored (T-129, T-130).
use crate::{date_added, media};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use stix::Timestamp;

/// Items of a list in a resource that a server sent: API roots, versions, collections, details. Bounds what a partner can make us hold.
pub const RESOURCE_ITEMS_MAX: usize = 100_000;
/// Largest integer of TAXII: 2^53 - 1 (T-004).
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A resource that parses but breaks a rule of the standard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{property}` {why}")]
pub struct Invalid {
    /// Which property.
    pub property: &'static str,
    /// Which rule.
    pub why: &'static str,
}

/// `discovery` (T-074).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Name of the server.
    pub title: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The root to use first; an item of `api_roots` (T-075).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// API root URLs, absolute or relative (T-078).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_roots: Vec<String>,
}

/// `api-root` (T-083).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiRoot {
    /// Name.
    pub title: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Media types with version (T-084).
    pub versions: Vec<String>,
    /// Octets a request body may have (T-085).
    pub max_content_length: u64,
}

/// `collection`; we write id, title, `can_read`, `can_write` and `media_types` always (rule 7 of the client contract).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// `UUIDv4` (T-003).
    pub id: uuid::Uuid,
    /// Name.
    pub title: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Stands for the id in URLs (T-102).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// This caller may read (T-103).
    pub can_read: bool,
    /// This caller may add (T-103).
    pub can_write: bool,
    /// What it can hold (T-104).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_types: Vec<String>,
    /// [`WITHDRAWALS`] for the collection of what was taken back; absent from all others (T-128).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_entente_kind: Option<String>,
    /// Of a saved filter: the collection through which it gives, as notices of withdrawals name it (T-128). Whoever reads the one reads the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_entente_of: Option<uuid::Uuid>,
}

/// STIX type of a notice in the collection of withdrawals.
pub const NOTICE_TYPE: &str = "x-entente-withdrawal";
/// The extension that defines the type: UUID version 5 of `entente:extension:withdrawal:1` in the name space of derived ids (L-120), the same everywhere.
pub const NOTICE_EXTENSION: &str = "extension-definition--74c6c34c-0ea0-5dd7-8259-d568a95aef6e";

/// `x_entente_kind` of the collection that tells an account what it was given and may not have any more (rule 19 of the client contract).
pub const WITHDRAWALS: &str = "withdrawals";

/// `collections` (T-099).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Collections {
    /// In one fixed order (T-029); left out when empty (T-005).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collections: Vec<Collection>,
}

/// `status-details` (T-096).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDetails {
    /// Object id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `status` (T-092).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `UUIDv4` (T-003).
    pub id: uuid::Uuid,
    /// `complete` or `pending` (T-093).
    pub status: String,
    /// When the request came (T-006).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timestamp: Option<String>,
    /// Objects posted (T-095).
    pub total_count: u64,
    /// Objects taken.
    pub success_count: u64,
    /// Which; as many as the count says, or left out (T-097).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successes: Vec<StatusDetails>,
    /// Objects refused.
    pub failure_count: u64,
    /// Which; as many as the count says, or left out (T-097).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<StatusDetails>,
    /// Objects not processed yet.
    pub pending_count: u64,
    /// Which; as many as the count says, or left out (T-097).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pendings: Vec<StatusDetails>,
}

impl Discovery {
    /// T-075. API root URLs are judged where they are resolved (T-078, T-079).
    pub fn validate(&self) -> Result<(), Invalid> {
        bounded("api_roots", self.api_roots.len())?;
        // Servers in the field name a default outside the list; it then counts for nothing, as with the reference client. Only we ourselves must not.
        Ok(())
    }

    /// The default, if it is an item of `api_roots` (T-075); else the first root.
    pub fn first_root(&self) -> Option<&str> {
        self.default.as_ref().filter(|d| self.api_roots.contains(d)).or(self.api_roots.first()).map(String::as_str)
    }
}

impl ApiRoot {
    /// T-084, T-085, T-004.
    pub fn validate(&self) -> Result<(), Invalid> {
        bounded("versions", self.versions.len())?;
        if !self.versions.iter().any(|v| media::is_taxii_2_1(v)) {
            return Err(Invalid { property: "versions", why: "does not name TAXII 2.1" });
        }
        if self.max_content_length == 0 || self.max_content_length > INTEGER_MAX {
            return Err(Invalid { property: "max_content_length", why: "is not between 1 and 2^53 - 1" });
        }
        Ok(())
    }
}

impl Collections {
    /// Ids are unique and the list is bounded. Versions of UUID are not judged: servers in the field have others than 4 (T-003 binds our own).
    pub fn validate(&self) -> Result<(), Invalid> {
        bounded("collections", self.collections.len())?;
        let ids: BTreeSet<_> = self.collections.iter().map(|c| c.id).collect();
        if ids.len() != self.collections.len() {
            return Err(Invalid { property: "id", why: "occurs in two collections" });
        }
        Ok(())
    }
}

impl Status {
    /// T-004, T-006, T-093, T-095. Lists that differ from their counts are left to the caller: the standard does not forbid them.
    pub fn validate(&self) -> Result<(), Invalid> {
        for (property, list) in
            [("successes", &self.successes), ("failures", &self.failures), ("pendings", &self.pendings)]
        {
            bounded(property, list.len())?;
        }
        if !matches!(self.status.as_str(), "complete" | "pending") {
            return Err(Invalid { property: "status", why: "is neither `complete` nor `pending`" });
        }
        if self.request_timestamp.as_ref().is_some_and(|t| date_added::parse(t).is_none()) {
            return Err(Invalid { property: "request_timestamp", why: "is no timestamp" });
        }
        let counts = [self.success_count, self.failure_count, self.pending_count];
        if self.total_count > INTEGER_MAX || counts.iter().any(|c| *c > INTEGER_MAX) {
            return Err(Invalid { property: "total_count", why: "or another count is above 2^53 - 1" });
        }
        if self.total_count != 0 && counts.iter().sum::<u64>() != self.total_count {
            return Err(Invalid { property: "total_count", why: "is not the sum of the other counts" });
        }
        Ok(())
    }

    /// Whether it will not change again (T-094).
    pub fn is_complete(&self) -> bool {
        self.status == "complete"
    }
}

fn bounded(property: &'static str, items: usize) -> Result<(), Invalid> {
    if items > RESOURCE_ITEMS_MAX {
        return Err(Invalid { property, why: "has too many items" });
    }
    Ok(())
}

/// One object on its way out, before the gate; the encoders take `Released<Item>`.
#[derive(Debug, Clone)]
pub struct Item {
    /// `date_added` in microseconds, of this reader's line.
    pub date_added: i64,
    /// STIX id.
    pub id: stix::SharedText,
    /// `modified`, else `created`, as spelled; `None`: `date_added` stands in (C-013).
    pub version: Option<stix::SharedText>,
    /// `2.1` or `2.0`.
    pub spec_version: &'static str,
    /// Content digest, for label assignments to peers.
    pub digest: [u8; 32],
    /// The bytes; empty for manifest and versions.
    pub raw: stix::SharedText,
}

impl From<&label::Notice> for Item {
    /// The notice as a STIX object.
    fn from(said: &label::Notice) -> Self {
        let at = Timestamp::from_micros(said.at);
        let id = format!("{NOTICE_TYPE}--{}", said.uuid);
        let mut notice = serde_json::json!({
            "type": NOTICE_TYPE, "spec_version": "2.1", "id": id, "created_by_ref": said.by,
            "created": at.as_str(), "modified": at.as_str(), "extensions": {NOTICE_EXTENSION: {"extension_type": "new-sdo"}},
            "withdrawn_ref": said.object, "withdrawn_digest": said.digest.to_string(), "collection": said.collection, "reason": said.reason,
        });
        if let (Some(version), Some(members)) = (&said.version, notice.as_object_mut()) {
            members.insert("withdrawn_version".to_owned(), version.as_str().into());
        }
        let raw = notice.to_string();
        Self {
            date_added: said.at,
            id: id.as_str().into(),
            version: Some(at.as_str().into()),
            spec_version: "2.1",
            digest: Sha256::digest(raw.as_bytes()).into(),
            raw: raw.as_str().into(),
        }
    }
}
