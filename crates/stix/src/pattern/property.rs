//! What a property of a cyber-observable object holds, for STIX 2.0 and 2.1 together (P-030, PD-11), read from the tables of the types in [`crate::schema`] and those of
//! STIX 2.0: nothing about a type is said here.
//!
//! The matcher needs it for timestamps, which JSON writes as strings; the linter for names and constants that cannot fit.

use super::Step;
use crate::{
    extension,
    schema::{Kind, Type},
    sco,
    validate::twenty,
};

/// What the standard says about the end of a path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// A value of this kind.
    As(&'static Kind),
    /// The standard leaves it open: a custom type, a dictionary, an extension of others.
    Open,
    /// The type is the standard's and has no such property there.
    Absent,
}

type Named = fn(&str) -> Option<&'static Type>;

/// The observables and the extensions of each version, the newer first.
const VERSIONS: [(Named, Named); 2] = [
    (sco::type_named, |name| extension::extension_named(name).map(|(table, _)| table)),
    (twenty::observable_named, |name| twenty::extension_named(name).map(|(table, _)| table)),
];

/// Whether the standard defines `object_type`, in either version.
pub(super) fn is_standard(object_type: &str) -> bool {
    VERSIONS.iter().any(|(observable, _)| observable(object_type).is_some())
}

/// What `steps` lead to on an object of `object_type`, as far as they do not follow a reference: in the newest version that has it.
pub(super) fn known(object_type: &str, steps: &[Step]) -> Known {
    let mut best = None;
    for (observable, extension) in VERSIONS {
        let Some(table) = observable(object_type) else { continue };
        match members(table, extension, steps) {
            found @ Known::As(_) => return found,
            Known::Open => best = Some(Known::Open),
            Known::Absent => best = best.or(Some(Known::Absent)),
        }
    }
    best.unwrap_or(Known::Open)
}

/// Where `steps`, the first of them a name, lead inside an object of this table.
fn members(table: &'static Type, extension: Named, steps: &[Step]) -> Known {
    let [Step::Property(name), rest @ ..] = steps else { return Known::Absent };
    table.property(name).map_or(Known::Absent, |property| value(&property.kind, extension, rest))
}

fn value(kind: &'static Kind, extension: Named, steps: &[Step]) -> Known {
    let [step, rest @ ..] = steps else { return Known::As(kind) };
    match (kind, step) {
        (Kind::Record(table), _) => members(table, extension, steps),
        // An object in a list has no members before an index is given.
        (Kind::List(items), Step::Index(_) | Step::Any) => value(items, extension, rest),
        (Kind::Hashes(_), Step::Property(_)) => value(&Kind::Text, extension, rest),
        (Kind::Extensions, Step::Property(name)) => match extension(name) {
            None => Known::Open,
            Some(_) if rest.is_empty() => Known::As(kind),
            Some(table) => members(table, extension, rest),
        },
        (Kind::Dictionary(_) | Kind::GranularMarkings | Kind::Container | Kind::Any, _) => Known::Open,
        _ => Known::Absent,
    }
}
