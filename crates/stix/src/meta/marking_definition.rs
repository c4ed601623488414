//! `marking-definition` (section 7.2.1).

use super::Tlp;
use crate::{
    json::{Map, Node, Path},
    model::{Any, Dictionary, stix_type},
    validate::{Check, Code, text},
};

stix_type! {
    /// Says how what it marks may be used or shared.
    MarkingDefinition = "marking-definition", section "7.2.1", requirement "S-126", common Marking, rules [form, statement, tlp];
    required {}
    optional { name: String, definition_type: String, definition: Dictionary<Any>, }
}

/// S-126, S-127: either an extension, or the deprecated pair of properties.
fn form(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let has = |name: &str| object.get(name).is_some();
    if has("definition_type") != has("definition") {
        check.error(path, Code::Combination, "S-126", "`definition_type` and `definition` need each other");
    } else if !has("extensions") && !has("definition") {
        check.error(
            path,
            Code::Combination,
            "S-126",
            "give `extensions`, or the deprecated `definition_type` and `definition`",
        );
    }
    if let Some(kind) = text(object, "definition_type")
        && !matches!(kind, "tlp" | "statement")
    {
        let message = "new kinds of markings use the extension mechanism";
        check.warning(&Path::Name(path, "definition_type"), Code::Deprecated, "S-127", message);
    }
}

/// S-129: a statement has a text.
pub(crate) fn statement(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if text(object, "definition_type") != Some("statement") {
        return;
    }
    if let Some(Node::Map(definition)) = object.get("definition")
        && !matches!(definition.get("statement"), Some(Node::Text(_)))
    {
        check.error(
            &Path::Name(path, "definition"),
            Code::Marking,
            "S-129",
            "a statement marking has a string `statement`",
        );
    }
}

/// S-130, S-131: TLP is said by fixed objects only.
pub(crate) fn tlp(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let fixed = text(object, "id").and_then(Tlp::of_id);
    let claimed = Tlp::claimed(object);
    match (fixed, claimed) {
        (None, None) => {}
        (Some(fixed), Some((version, level))) if (fixed.version, fixed.level) == (version, level) => {
            if let Some(wrong) = fixed.differs(object) {
                check.error(&Path::Name(path, wrong), Code::Marking, fixed.requirement(), fixed.as_published());
            }
        }
        (Some(fixed), _) => check.error(path, Code::Marking, fixed.requirement(), fixed.as_published()),
        (None, Some((version, _))) => {
            let requirement = if version == 1 { "S-130" } else { "S-131" };
            check.error(
                path,
                Code::Marking,
                requirement,
                "TLP is marked with the fixed objects of the standard; refer to their ids",
            );
        }
    }
}
