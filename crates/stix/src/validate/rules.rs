//! Rules that several types share.

use super::{Check, Code, text};
use crate::{
    Timestamp,
    json::{Map, Node, Path},
};
use std::cmp::Ordering;

/// `names.1` is not before `names.0`, or comes after it unless they may be equal. Times that are none are another finding.
pub(crate) fn later(
    check: &mut Check<'_>,
    object: &Map<'_>,
    path: &Path<'_>,
    names: (&str, &str),
    may_be_equal: bool,
    requirement: &'static str,
) {
    let (Some(first), Some(second)) = (text(object, names.0), text(object, names.1)) else { return };
    let Some(order) = Timestamp::order(first, second) else { return };
    if order == Ordering::Greater || order == Ordering::Equal && !may_be_equal {
        let message = if may_be_equal {
            format!("it must not be earlier than `{}`", names.0)
        } else {
            format!("it must be later than `{}`", names.0)
        };
        check.error(&Path::Name(path, names.1), Code::TimeOrder, requirement, message);
    }
}

/// S-064, S-095: last seen is not before first seen.
pub(crate) fn seen(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let requirement = if check.table.is_some_and(|t| t.name == "sighting") { "S-095" } else { "S-064" };
    later(check, object, path, ("first_seen", "last_seen"), true, requirement);
}

/// S-070: people need a name and a description.
pub(crate) fn name_and_description(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    for (name, message) in
        [("name", "an indicator should have a `name`"), ("description", "an indicator should have a `description`")]
    {
        if object.get(name).is_none() {
            check.warning(path, Code::Recommended, "S-070", message);
        }
    }
}

/// At least one property of its own. For a process an extension counts too (S-114).
pub(crate) fn some_property(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let Some(table) = check.table else { return };
    let own = object.iter().any(|(name, _)| table.properties.iter().any(|p| p.name == name));
    if !(own || table.name == "process" && object.get("extensions").is_some()) {
        check.error(path, Code::Combination, table.requirement, "give at least one of its properties");
    }
}

/// S-007, S-008: a reference leads somewhere, and one to a URL says what is there.
pub(crate) fn external_reference(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let has = |name: &str| object.get(name).is_some();
    if !has("description") && !has("url") && !has("external_id") {
        check.error(path, Code::Combination, "S-007", "give `description`, `url` or `external_id`");
    }
    if has("url") && !has("hashes") {
        check.warning(path, Code::Recommended, "S-008", "give `hashes`, best SHA-256, of what the `url` holds");
    }
}

/// S-018: names of kill chains and phases.
pub(crate) fn kill_chain_phase(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    for name in ["kill_chain_name", "phase_name"] {
        if text(object, name).is_some_and(|value| !is_lower_hyphen(value)) {
            check.warning(&Path::Name(path, name), Code::ValueForm, "S-018", "write it in lower case with hyphens");
        }
    }
}

/// S-103: a part has a body, and only text has one here.
pub(crate) fn mime_part(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.get("body").is_none() && object.get("body_raw_ref").is_none() {
        check.error(path, Code::Combination, "S-103", "give `body` or `body_raw_ref`");
    }
    if object.get("body").is_some() && text(object, "content_type").is_some_and(|kind| !kind.starts_with("text/")) {
        let message = "only text has a `body`; refer to an artifact or file with `body_raw_ref`";
        check.error(&Path::Name(path, "body"), Code::Combination, "S-103", message);
    }
}

/// S-042, S-027: an encoding belongs to a name.
pub(crate) fn encoded_path(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.get("path_enc").is_some() && object.get("path").is_none() {
        check.error(&Path::Name(path, "path_enc"), Code::Combination, "S-027", "an encoding needs `path`");
    }
}

/// S-063: CAPEC identifiers.
pub(crate) fn capec(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let is_capec =
        |id: &str| id.strip_prefix("CAPEC-").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    catalogue(check, object, path, "capec", is_capec, "S-063", "write it as `CAPEC-163`");
}

/// S-084: CVE identifiers.
pub(crate) fn cve(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let is_cve = |id: &str| {
        id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
            year.len() == 4 && number.len() >= 4 && year.bytes().chain(number.bytes()).all(|b| b.is_ascii_digit())
        })
    };
    catalogue(check, object, path, "cve", is_cve, "S-084", "write it as `CVE-2016-1234`");
}

fn catalogue(
    check: &mut Check<'_>,
    object: &Map<'_>,
    path: &Path<'_>,
    source: &str,
    valid: impl Fn(&str) -> bool,
    requirement: &'static str,
    instead: &'static str,
) {
    let Some(Node::List(references)) = object.get("external_references") else { return };
    let list = Path::Name(path, "external_references");
    for (i, reference) in references.iter().enumerate() {
        let Node::Map(reference) = reference else { continue };
        if text(reference, "source_name") != Some(source) {
            continue;
        }
        let at = Path::Index(&list, i);
        match text(reference, "external_id") {
            Some(id) if valid(id) => {}
            Some(_) => check.error(&Path::Name(&at, "external_id"), Code::ValueForm, requirement, instead),
            None => check.error(&at, Code::PropertyMissing, requirement, "it needs `external_id`"),
        }
    }
}

/// Lower-case letters, digits, single hyphens between words (S-021).
pub(crate) fn is_lower_hyphen(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
