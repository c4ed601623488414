//! STIX 2.0 objects against STIX 2.0 (S-028): older, and still what NATO's published mission-network profile names.

mod objects;
mod observables;

use super::{Check, Code, markings, members::Place, text};
use crate::{
    Class, Timestamp, id,
    json::{Map, Node, Path},
    model::{
        ExternalReference, Record as _,
        target::{self, Target as _},
    },
    schema::{Kind, Property, Type},
    vocabulary::{HashAlgorithm, Vocab as _},
};
use std::cmp::Ordering;

const INTEGER: Kind = Kind::Integer { min: -9_007_199_254_740_991, max: 9_007_199_254_740_991 };
const WHOLE: Kind = Kind::Integer { min: 0, max: 9_007_199_254_740_991 };
const DICTIONARY: Kind = Kind::Dictionary(&Kind::Any);
const HASHES: Kind = Kind::Hashes(HashAlgorithm::TABLE);
/// The key of another object of the container.
const KEY: Kind = Kind::Reference(target::AnyObject::TABLE);
const REFERENCES: Kind = Kind::List(&Kind::Record(ExternalReference::TABLE));
const MARKING_REFS: Kind = Kind::List(&Kind::Reference(target::MarkingDefinition::TABLE));

const fn must(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: false }
}

const fn table(
    name: &'static str,
    common: &'static [Property],
    properties: &'static [Property],
    rules: &'static [crate::schema::Rule],
) -> Type {
    Type { name, section: "", requirement: "S-028", common, properties, rules }
}

/// Common properties of domain and relationship objects.
const COMMON: &[Property] = &[
    must("type", Kind::Text),
    must("id", Kind::Text),
    must("created", Kind::Timestamp),
    must("modified", Kind::Timestamp),
    may("spec_version", Kind::Text),
    may("created_by_ref", Kind::Reference(target::Identity::TABLE)),
    may("revoked", Kind::Boolean),
    may("labels", Kind::List(&Kind::Text)),
    may("external_references", REFERENCES),
    may("object_marking_refs", MARKING_REFS),
    may("granular_markings", Kind::List(&Kind::GranularMarkings)),
];
/// Common properties of marking definitions.
const MARKING: &[Property] = &[
    must("type", Kind::Text),
    must("id", Kind::Text),
    must("created", Kind::Timestamp),
    may("spec_version", Kind::Text),
    may("created_by_ref", Kind::Reference(target::Identity::TABLE)),
    may("external_references", REFERENCES),
    may("object_marking_refs", MARKING_REFS),
    may("granular_markings", Kind::List(&Kind::GranularMarkings)),
];
/// Common properties of cyber-observables in a container.
const CONTAINED: &[Property] = &[must("type", Kind::Text)];

static CUSTOM: Type = table("", COMMON, &[], &[]);

/// The table of a cyber-observable of STIX 2.0.
pub(crate) fn observable_named(name: &str) -> Option<&'static Type> {
    observables::type_named(name)
}

/// The table of a predefined extension of STIX 2.0, and the type that it extends.
pub(crate) fn extension_named(name: &str) -> Option<(&'static Type, &'static str)> {
    observables::extension_named(name)
}

/// Checks one object of STIX 2.0.
pub(super) fn object(check: &mut Check<'_>, object: &Map<'_>, type_name: &str) {
    check.twenty = true;
    let root = Path::Root;
    let table = objects::type_named(type_name).unwrap_or(&CUSTOM);
    if objects::type_named(type_name).is_none() && !type_name.starts_with("x-") {
        let message = "STIX 2.0 has no such type; name a custom one `x-<source>-<name>`, or give `spec_version` 2.1";
        let at = Path::Name(&root, "type");
        if Class::of(type_name) == Class::Custom {
            check.warning(&at, Code::TypeCustom, "S-028", message);
        } else {
            check.error(&Path::Root, Code::SpecVersion, "S-028", "give `spec_version`: STIX 2.0 has no such type");
        }
    }
    if let Some(Node::Text(id)) = object.get("id") {
        let at = Path::Name(&root, "id");
        match id::parts(id) {
            Some(parts) if parts.type_name == type_name => {
                if parts.version != 4 && !markings::is_well_known(id) {
                    check.warning(&at, Code::IdVersion, "S-015", "use a random UUID (version 4)");
                }
            }
            Some(_) => check.error(
                &at,
                Code::IdForm,
                "S-013",
                format!("it must begin with `{type_name}--`, the type of the object"),
            ),
            None => check.error(
                &at,
                Code::IdForm,
                "S-013",
                "it must have the form `type--UUID`, the UUID as RFC 4122 has it",
            ),
        }
    }
    check.members_of(object, table, &root, Place::Object(Class::of(type_name)));
    if let (Some(created), Some(modified)) = (text(object, "created"), text(object, "modified"))
        && Timestamp::order(created, modified) == Some(Ordering::Greater)
    {
        check.error(&Path::Name(&root, "modified"), Code::TimeOrder, "S-030", "it must not be earlier than `created`");
    }
    if type_name == "indicator"
        && let Some(pattern) = text(object, "pattern")
    {
        check.stix_pattern(pattern, &Path::Name(&root, "pattern"));
    }
    for name in ["created", "modified"] {
        if let Some(time) = text(object, name)
            && Timestamp::check(time).is_ok()
            && Timestamp::fraction_digits(time) != 3
        {
            let message = "STIX 2.0 has exactly milliseconds here, e.g. `.000Z`";
            check.warning(&Path::Name(&root, name), Code::TimePrecision, "S-029", message);
        }
    }
    markings::of_object(check, object, type_name);
}
