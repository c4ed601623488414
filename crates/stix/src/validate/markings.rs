//! Markings: what marks an object, and where (section 7.2).

use super::{Check, Code, text};
use crate::{
    error::{TOKEN_CHARS_MAX, cut},
    id,
    json::{Map, Node, Path},
    meta::{self, Tlp},
    selector::Selector,
    syntax::{Form, LanguageTag, Verdict},
};

/// Whether the identifier is one of the fixed TLP markings, whose UUIDs are what they are.
pub(super) fn is_well_known(id: &str) -> bool {
    Tlp::of_id(id).is_some()
}

/// S-035, S-133 to S-135 for one object.
pub(super) fn of_object(check: &mut Check<'_>, object: &Map<'_>, type_name: &str) {
    if let Some(Node::List(list)) = object.get("granular_markings") {
        let path = Path::Name(&Path::Root, "granular_markings");
        for (i, node) in list.iter().enumerate() {
            if let Node::Map(marking) = node {
                granular(check, object, marking, &Path::Index(&path, i));
            }
        }
    }
    if type_name == meta::MARKING_DEFINITION {
        itself(check, object);
    }
}

fn granular(check: &mut Check<'_>, object: &Map<'_>, marking: &Map<'_>, path: &Path<'_>) {
    match (marking.get("marking_ref"), marking.get("lang")) {
        (_, Some(_)) if check.twenty => {
            let message = "granular markings of STIX 2.0 mark with `marking_ref` only";
            check.error(&Path::Name(path, "lang"), Code::Combination, "S-133", message);
        }
        (Some(node), None) => {
            let at = Path::Name(path, "marking_ref");
            match node {
                Node::Text(text) => match id::parts(text) {
                    None => check.error(
                        &at,
                        Code::Reference,
                        "S-013",
                        "it must be an identifier `marking-definition--UUID`",
                    ),
                    Some(parts) if parts.type_name != meta::MARKING_DEFINITION => {
                        check.error(&at, Code::ReferenceType, "S-038", "it must refer to a marking-definition");
                    }
                    Some(_) => {}
                },
                _ => check.error(&at, Code::ValueType, "S-013", "it must be an identifier"),
            }
        }
        (None, Some(Node::Text(tag))) => {
            if let Verdict::Wrong(instead) = (LanguageTag::TABLE.check)(tag) {
                check.error(&Path::Name(path, "lang"), Code::ValueForm, "S-033", instead);
            }
        }
        (None, Some(_)) => {
            check.error(&Path::Name(path, "lang"), Code::ValueType, "S-033", "it must be a language tag");
        }
        _ => check.error(path, Code::Combination, "S-133", "give exactly one of `marking_ref` and `lang`"),
    }
    for (name, _) in marking.iter().filter(|(name, _)| !matches!(*name, "marking_ref" | "lang" | "selectors")) {
        let at = Path::Name(path, name);
        if check.property_name(name, &at) {
            let message = "a granular marking has `selectors` and one of `marking_ref` and `lang`";
            check.warning(&at, Code::PropertyCustom, "S-133", message);
        }
    }
    let at = Path::Name(path, "selectors");
    match marking.get("selectors") {
        Some(Node::List(list)) if list.is_empty() => {
            check.error(&at, Code::ValueEmpty, "S-133", "give at least one selector");
        }
        Some(Node::List(list)) => {
            for (i, node) in list.iter().enumerate() {
                selector(check, object, node, &Path::Index(&at, i));
            }
        }
        Some(_) => check.error(&at, Code::ValueType, "S-133", "it must be a list of selectors"),
        None => check.error(path, Code::PropertyMissing, "S-133", "give `selectors`"),
    }
}

fn selector(check: &mut Check<'_>, object: &Map<'_>, node: &Node<'_>, path: &Path<'_>) {
    let Node::Text(text) = node else {
        return check.error(path, Code::ValueType, "S-134", "a selector must be a string");
    };
    match Selector::parse(text) {
        None => {
            let message = format!(
                "`{}` is no selector; write e.g. `external_references.[0].source_name`",
                cut(text, TOKEN_CHARS_MAX)
            );
            check.error(path, Code::Selector, "S-134", message);
        }
        Some(selector) if !selector.is_present_in(object) => {
            let message = format!("`{}` points to nothing in the object", cut(text, TOKEN_CHARS_MAX));
            check.error(path, Code::Selector, "S-135", message);
        }
        Some(_) => {}
    }
}

/// S-035: no marking marks itself. Circles of several are found in [`super::document`].
fn itself(check: &mut Check<'_>, object: &Map<'_>) {
    let Some(own) = text(object, "id") else { return };
    let is_own = |node: &Node<'_>| matches!(node, Node::Text(id) if id.eq_ignore_ascii_case(own));
    let marks = |name: &str, member: Option<&str>| {
        matches!(object.get(name), Some(Node::List(list)) if list.iter().any(|node| match (node, member) {
            (node, None) => is_own(node),
            (Node::Map(map), Some(member)) => map.get(member).is_some_and(is_own),
            _ => false,
        }))
    };
    if marks("object_marking_refs", None) || marks("granular_markings", Some("marking_ref")) {
        check.error(&Path::Root, Code::Marking, "S-035", "a marking definition must not mark itself");
    }
}
