//! STIX relationship objects (section 5). One file a type.

use crate::{model::Record as _, schema::Type};

mod relationship;
mod sighting;

pub use relationship::Relationship;
pub use sighting::Sighting;

/// The table of a type of this class.
pub(crate) fn type_named(name: &str) -> Option<&'static Type> {
    Some(match name {
        "relationship" => Relationship::TABLE,
        "sighting" => Sighting::TABLE,
        _ => return None,
    })
}
