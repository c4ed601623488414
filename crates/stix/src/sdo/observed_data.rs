//! `observed-data` (section 4.14).

use crate::{
    Class, Timestamp,
    json::{Map, Node, Path},
    model::Container,
    model::{Int, Ref, stix_type, target},
    validate::{Check, Code, rules},
};

stix_type! {
    /// What was seen on systems and networks, raw.
    ObservedData = "observed-data", section "4.14", requirement "S-079", common Common, rules [objects_or_references, times];
    required { first_observed: Timestamp, last_observed: Timestamp, number_observed: Int<1, 999_999_999>, }
    optional { objects: Container, object_refs: Vec<Ref<target::Observed>>, }
}

/// S-079, S-080: either the deprecated container or references, at least one of them to an SCO.
fn objects_or_references(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    match (object.get("objects"), object.get("object_refs")) {
        (None, None) => {
            check.error(path, Code::Combination, "S-079", "give `object_refs` (or the deprecated `objects`)");
        }
        (Some(_), Some(_)) => {
            check.error(path, Code::Combination, "S-079", "give only one of `objects` and `object_refs`");
        }
        (Some(_), None) => {
            let message = "`objects` is deprecated; refer to SCOs with `object_refs`";
            check.warning(&Path::Name(path, "objects"), Code::Deprecated, "S-020", message);
        }
        (None, Some(Node::List(references))) => {
            let is_sco = |node: &Node<'_>| match node {
                Node::Text(id) => {
                    let type_name = id.split_once("--").map_or("", |(type_name, _)| type_name);
                    matches!(Class::of(type_name), Class::Sco | Class::Custom)
                }
                _ => true,
            };
            if !references.is_empty() && !references.iter().any(is_sco) {
                let message = "at least one reference must be to an SCO";
                check.error(&Path::Name(path, "object_refs"), Code::ReferenceType, "S-080", message);
            }
        }
        (None, Some(_)) => {}
    }
}

/// S-079: the last observation is not before the first.
fn times(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    rules::later(check, object, path, ("first_observed", "last_observed"), true, "S-079");
}
