//! STIX 2.0 to 2.1 and back, with an account of what did not fit.
//!
//! Rules that hold in both directions:
//! - What both versions have stays as it is written, byte for byte.
//! - What only the other version has a name for stays under its own name: a custom property, or an object of a custom type ([`Kind::Custom`]). So the way back
//!   finds it. [`Strictness::Strict`] leaves it out instead ([`Kind::Lost`]).
//! - What the other version demands and nobody said is put in ([`Kind::Assumed`]); what it implies is left out ([`Kind::Implied`]).
//! - A marking never gets weaker: observables carry the markings of the observed data that held them, and a selector that finds no place makes its marking one of
//!   the whole object.
//!
//! [`lift`] needs one object at a time. Going down, observables move into observed data: [`Survey`] sees every object of the bundle once, then [`Lowering`] converts
//! them one by one.

mod granular;
mod lift;
mod lower;
mod members;
mod observable;
mod pattern;

pub use lift::lift;
pub use lower::{Lowering, Survey};

use crate::{Class, Limits, Object};
use std::{collections::HashSet, fmt};
use uuid::{Uuid, uuid};

/// Name space of the identifiers that conversion makes for observables without a deterministic one (S-016, S-049): same input, same identifier.
const NAMESPACE: Uuid = uuid!("6e1c6a1c-8d0f-4f5e-9a54-2f1f4bd0c6f3");
/// The identifier that an observable had in 2.1, where 2.0 could not tell it.
const ID_KEPT: &str = "x_stix21_id";
/// Before the name of a reference of an observable whose target is not among the objects of the same observed data.
const REFERENCE_KEPT: &str = "x_stix21_";
/// Language markings, which 2.0 does not have.
const LANG_KEPT: &str = "x_stix21_granular_lang";
/// The `labels` that an object had in 2.1 beside its types.
const LABELS_KEPT: &str = "x_stix21_labels";

/// What happens to what the target version has no name for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// It stays as custom content.
    #[default]
    Keep,
    /// It is left out.
    Strict,
}

/// Objects that one object became, and what is to be said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Converted {
    /// JSON texts; the object itself first, unless it was left out.
    pub objects: Vec<String>,
    /// One entry for each thing that is not simply the same.
    pub notes: Vec<Note>,
}

/// One thing that is not simply the same after conversion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Of what sort.
    pub kind: Kind,
    /// A stable name: the type, a dot and the property, or the type alone.
    pub what: String,
    /// The object.
    pub id: String,
}

/// The sort of a [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The target version demands it and nothing said it: a value was put in.
    Assumed,
    /// The target version has no name for it: kept as custom content.
    Custom,
    /// The target version implies it: left out.
    Implied,
    /// Left out, or shortened, for good.
    Lost,
    /// A marking of a part became one of the whole.
    Stricter,
    /// It breaks the rules of its own version, so that it was left as it is.
    Unread,
}

impl Kind {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::Custom => "custom",
            Self::Implied => "implied",
            Self::Lost => "lost",
            Self::Stricter => "stricter",
            Self::Unread => "unread",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Collects what is to be said of one object.
struct Notes<'a> {
    id: &'a str,
    type_name: &'a str,
    list: Vec<Note>,
    told: HashSet<(Kind, String)>,
}

impl<'a> Notes<'a> {
    fn new(id: &'a str) -> Self {
        let type_name = id.split_once("--").map_or(id, |(type_name, _)| type_name);
        Self { id, type_name, list: Vec::new(), told: HashSet::new() }
    }

    fn add(&mut self, kind: Kind, property: &str) {
        self.about(kind, format!("{}.{property}", self.type_name));
    }

    /// Nothing but that the object as a whole is so.
    fn only(mut self, kind: Kind) -> Vec<Note> {
        self.about(kind, self.type_name.to_owned());
        self.list
    }

    fn about(&mut self, kind: Kind, what: String) {
        if self.told.insert((kind, what.clone())) {
            self.list.push(Note { kind, what, id: self.id.to_owned() });
        }
    }
}

/// Whether all texts are objects that [`Object::parse`] accepts.
fn are_objects(texts: &[String]) -> bool {
    // What is put in may make an object a little longer than one may be that comes from outside.
    let limits = Limits { object_bytes_max: usize::MAX, depth_max: 127, ..Limits::default() };
    texts.iter().all(|text| Object::parse(text, &limits).is_ok())
}

/// The property that took the place of `labels` in 2.1 (S-034).
fn types_property(type_name: &str) -> Option<&'static str> {
    Some(match type_name {
        "indicator" => "indicator_types",
        "malware" => "malware_types",
        "report" => "report_types",
        "threat-actor" => "threat_actor_types",
        "tool" => "tool_types",
        _ => return None,
    })
}

/// Whether 2.0 has objects of this type at the top of a bundle.
fn is_type_of_20(type_name: &str) -> bool {
    match Class::of(type_name) {
        Class::Sdo => !matches!(
            type_name,
            "grouping" | "incident" | "infrastructure" | "location" | "malware-analysis" | "note" | "opinion"
        ),
        Class::Sro | Class::MarkingDefinition | Class::Custom => true,
        Class::Sco | Class::LanguageContent | Class::ExtensionDefinition => false,
    }
}

/// Properties of objects that 2.0 has which came with 2.1; those of observables stand in `observable.rs`.
fn came_with_21(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "attack-pattern" | "tool" => &["confidence", "lang", "extensions", "aliases"],
        "identity" => &["confidence", "lang", "extensions", "roles"],
        "indicator" => &["confidence", "lang", "extensions", "pattern_type", "pattern_version"],
        "malware" => &[
            "confidence",
            "lang",
            "extensions",
            "is_family",
            "aliases",
            "first_seen",
            "last_seen",
            "operating_system_refs",
            "architecture_execution_envs",
            "implementation_languages",
            "capabilities",
            "sample_refs",
        ],
        "marking-definition" => &["name", "extensions"],
        "observed-data" => &["confidence", "lang", "extensions", "object_refs"],
        "relationship" => &["confidence", "lang", "extensions", "start_time", "stop_time"],
        "sighting" => &["confidence", "lang", "extensions", "description"],
        "threat-actor" => &["confidence", "lang", "extensions", "first_seen", "last_seen"],
        _ => &["confidence", "lang", "extensions"],
    }
}

/// The four TLP markings that both versions have, with the name that 2.1 gives them (S-130).
fn tlp_name(id: &str) -> Option<&'static str> {
    Some(match id {
        "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9" => "TLP:WHITE",
        "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da" => "TLP:GREEN",
        "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82" => "TLP:AMBER",
        "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed" => "TLP:RED",
        _ => return None,
    })
}
