//! Query collections: a saved filter over another collection, read only.
//!
//! It gives nothing that its source does not give: who reads the source reads it, through the source's own line, slots included, and the filter looks at what
//! the reader gets of an object, after the gate, and at nothing else. So whatever holds of the source's line holds here: what becomes visible later comes later (I5),
//! what is taken back goes, and nothing tells of what is hidden (I1). Which version of an object is its latest is decided in the source: one whose latest version
//! does not match shows nothing by default.
//!
//! Age is an end like an agreement's: an object is in it before `modified` (else `created`, else `date_added`) plus the age, and from that instant on it is not. It has
//! left this collection then, not been taken back.

use crate::{config::QueryFile, service::reads, world::World};
use label::Reader;
use std::borrow::Cow;
use stix::{Id, Timestamp, id::MarkingDefinition};
use taxii::resource::Item;

/// A saved filter as it stands at one instant.
pub(crate) struct Saved<'w> {
    pub(crate) file: &'w QueryFile,
    /// Markings of its labels.
    labels: Vec<Id<MarkingDefinition>>,
    /// Only what is later; microseconds.
    after: Option<i64>,
}

/// What of an object the filter looks at.
#[derive(serde::Deserialize)]
struct Looked<'a> {
    #[serde(borrow, default)]
    created_by_ref: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pattern_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    modified: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    created: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    object_marking_refs: Vec<Cow<'a, str>>,
}

impl<'w> Saved<'w> {
    pub(crate) fn new(file: &'w QueryFile, world: &World, now: i64) -> Self {
        let labels = file.labels.iter().filter_map(|name| Some(world.config.catalogue.get(name)?.id)).collect();
        let age = file.max_age_s.map(|age| i64::try_from(age).unwrap_or(i64::MAX).saturating_mul(1_000_000));
        Self { file, labels, after: age.map(|age| now.saturating_sub(age)) }
    }

    /// Whether what the reader gets is in the collection. What cannot be read is not.
    pub(crate) fn takes(&self, item: &Item, assigned: &[Id<MarkingDefinition>]) -> bool {
        let Ok(looked) = serde_json::from_str::<Looked<'_>>(&item.raw) else { return false };
        let kind = item.id.split_once("--").map_or("", |(kind, _)| kind);
        let file = self.file;
        let any = |list: &[String], found: Option<&str>| {
            list.is_empty() || found.is_some_and(|found| list.iter().any(|wanted| wanted == found))
        };
        let time = looked.modified.as_deref().or(looked.created.as_deref());
        let time = time.map_or(Some(item.date_added), |text| Timestamp::parse(text).ok().map(|t| t.micros()));
        let marked = |label: &Id<MarkingDefinition>| {
            let carried = looked.object_marking_refs.iter().filter_map(|id| id.parse().ok());
            carried.chain(assigned.iter().copied()).any(|id: Id<MarkingDefinition>| id == *label)
        };
        any(&file.types, Some(kind))
            && any(&file.pattern_types, looked.pattern_type.as_deref())
            && (file.creators.is_empty()
                || looked
                    .created_by_ref
                    .as_deref()
                    .is_some_and(|by| file.creators.iter().any(|c| *c.to_string() == *by)))
            && (self.labels.len() == file.labels.len() && (file.labels.is_empty() || self.labels.iter().any(marked)))
            && self.after.is_none_or(|after| time.is_some_and(|time| time > after))
    }
}

impl World {
    /// The query collection that a URL names by id or alias in a realm.
    pub(crate) fn query_at(&self, realm: &str, segment: &str) -> Option<&QueryFile> {
        let id = uuid::Uuid::parse_str(segment).ok();
        let here = |query: &&QueryFile| self.collection(&query.of).is_some_and(|source| source.new.realm == realm);
        self.config.node.queries.iter().filter(here).find(|q| Some(q.id) == id || q.alias == segment)
    }

    /// The query collections of a realm that a reader reads: those whose source it reads.
    pub(crate) fn queries_of(&self, reader: &Reader, realm: &str, now: i64) -> Vec<&QueryFile> {
        let read = |query: &&QueryFile| {
            self.collection(&query.of).is_some_and(|source| source.new.realm == realm && reads(reader, source, now))
        };
        self.config.node.queries.iter().filter(read).collect()
    }
}
