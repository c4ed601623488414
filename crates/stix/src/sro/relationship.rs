//! `relationship` (section 5.1).

use crate::{
    Timestamp,
    error::{TOKEN_CHARS_MAX, cut},
    json::{Map, Node, Path},
    model::{Ref, Token, stix_type, target},
    relationship::{self, Listed},
    syntax,
    validate::{Check, Code, rules},
};

stix_type! {
    /// Links two objects: source, kind, target.
    Relationship = "relationship", section "5.1", requirement "S-087", common Common, rules [type_and_ends, times];
    required {
        relationship_type: Token<syntax::RelationshipType>,
        source_ref: Ref<target::RelationshipEnd>,
        target_ref: Ref<target::RelationshipEnd>,
    }
    optional { description: String, start_time: Timestamp, stop_time: Timestamp, }
}

/// S-088 to S-091: which relationships the standard lists for a pair of types.
fn type_and_ends(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let (Some(Node::Text(kind)), Some(Node::Text(source)), Some(Node::Text(target))) =
        (object.get("relationship_type"), object.get("source_ref"), object.get("target_ref"))
    else {
        return;
    };
    let type_name = |id: &'_ str| id.split_once("--").map_or(String::new(), |(type_name, _)| type_name.to_owned());
    let listed = relationship::listed(
        source.split_once("--").map_or("", |(source, _)| source),
        kind,
        target.split_once("--").map_or("", |(target, _)| target),
    );
    match listed {
        Listed::Yes => {}
        Listed::OtherType => {
            let message =
                format!("`{kind}` joins objects of one type, not `{}` and `{}`", type_name(source), type_name(target));
            check.warning(&Path::Name(path, "relationship_type"), Code::RelationshipType, "S-091", message);
        }
        Listed::No => {
            let message = format!(
                "the standard lists no `{}` from `{}` to `{}`; `related-to` fits any pair",
                cut(kind, TOKEN_CHARS_MAX),
                cut(&type_name(source), TOKEN_CHARS_MAX),
                cut(&type_name(target), TOKEN_CHARS_MAX)
            );
            check.warning(&Path::Name(path, "relationship_type"), Code::RelationshipType, "S-088", message);
        }
    }
}

/// S-090: it ends after it began.
fn times(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    rules::later(check, object, path, ("start_time", "stop_time"), false, "S-090");
}
