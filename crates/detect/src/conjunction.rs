//! The markings of what is made from several objects: all of them (L-091).

use label::{Pap, Tlp};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use stix::{Id, id::MarkingDefinition};

/// Markings that all apply: a reader must pass every one. Of equal ones one remains (a TLP level has an id in either version of TLP), and TLP:CLEAR, which everybody
/// passes, goes when another level is there. Other levels stay side by side: an agreement may address one and not the other. Of PAP, which affects no release, the highest
/// remains (L-099).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conjunction {
    markings: BTreeSet<Id<MarkingDefinition>>,
}

impl Conjunction {
    /// Nothing yet. An object that bears this has no label and goes to nobody but its originator.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the markings of one more part.
    pub fn add(&mut self, markings: impl IntoIterator<Item = Id<MarkingDefinition>>) {
        for id in markings {
            self.markings.insert(Tlp::from_marking(&id).map_or(id, Tlp::marking_id));
        }
        let is_level = |id: &Id<MarkingDefinition>| Tlp::from_marking(id).is_some();
        if self.markings.iter().filter(|id| is_level(id)).count() > 1 {
            self.markings.remove(&Tlp::Clear.marking_id());
        }
        let highest = self.markings.iter().filter_map(Pap::from_marking).max().map(Pap::marking_id);
        self.markings.retain(|id| Pap::from_marking(id).is_none() || Some(*id) == highest);
        self.markings.extend(highest);
    }

    /// Adds the object markings and the granular markings of a STIX object (L-123: whoever does not pass all of them gets nothing).
    pub fn add_object(&mut self, object: &Map<String, Value>) {
        let refs = object.get("object_marking_refs").and_then(Value::as_array).into_iter().flatten();
        let granular = object.get("granular_markings").and_then(Value::as_array).into_iter().flatten();
        let all = refs.chain(granular.filter_map(|marking| marking.get("marking_ref")));
        let ids: Vec<Id<MarkingDefinition>> = all.filter_map(|id| id.as_str()?.parse().ok()).collect();
        self.add(ids);
    }

    /// The markings, sorted.
    pub fn markings(&self) -> impl Iterator<Item = Id<MarkingDefinition>> {
        self.markings.iter().copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.markings.is_empty()
    }

    /// Puts them on an object.
    pub(crate) fn mark(&self, object: &mut Map<String, Value>) {
        if !self.markings.is_empty() {
            let refs = self.markings.iter().map(|id| Value::from(id.to_string())).collect();
            object.insert("object_marking_refs".to_owned(), Value::Array(refs));
        }
    }

    /// Bytes that differ where the markings do.
    pub(crate) fn key(&self) -> Vec<u8> {
        self.markings.iter().flat_map(|id| *id.uuid().as_bytes()).collect()
    }
}

impl FromIterator<Id<MarkingDefinition>> for Conjunction {
    fn from_iter<I: IntoIterator<Item = Id<MarkingDefinition>>>(markings: I) -> Self {
        let mut all = Self::new();
        all.add(markings);
        all
    }
}
