//! Extensions (section 7.3): predefined ones, those of extension definitions, and the deprecated custom ones (section 11.3).

use super::{Check, Code, members::Place, text};
use crate::{
    id,
    json::{Map, Node, Path},
    meta, schema,
    vocabulary::{ExtensionType, Vocab},
};
/// The entries of `extensions` with their `extension_type`.
fn types<'m>(object: &'m Map<'_>) -> impl Iterator<Item = &'m str> {
    let entries = match object.get("extensions") {
        Some(Node::Map(extensions)) => Some(extensions.iter()),
        _ => None,
    };
    entries.into_iter().flatten().filter_map(|(_, content)| {
        if let Node::Map(content) = content { text(content, "extension_type") } else { None }
    })
}

/// Whether an extension adds properties beside the standard's (S-146), or declares the whole type (S-144).
pub(super) fn adds_properties(object: &Map<'_>) -> bool {
    types(object).any(|kind| matches!(kind, "toplevel-property-extension" | "new-sdo" | "new-sco" | "new-sro"))
}

/// The `new-…` of the extension that declares the object's type, if one does (S-144).
pub(super) fn new_type<'m>(object: &'m Map<'_>) -> Option<&'m str> {
    types(object).find(|kind| kind.starts_with("new-"))
}

/// S-037, S-043, S-145 to S-147, S-155.
pub(super) fn check(check: &mut Check<'_>, extensions: &Map<'_>, path: &Path<'_>) {
    if extensions.iter().next().is_none() {
        check.error(path, Code::ValueEmpty, "S-005", "leave the property out instead of an empty dictionary");
    }
    let owner = check.table.map_or("", |table| table.name);
    if let Some(schemas) = check.options.schemas {
        super::extension_schema::check(check, schemas, extensions, path);
    }
    for (key, node) in extensions.iter() {
        let at = Path::Name(path, key);
        let Node::Map(content) = node else {
            check.error(&at, Code::ValueType, "S-037", "the content of an extension must be an object");
            continue;
        };
        let known = if check.twenty { super::twenty::extension_named(key) } else { schema::extension_named(key) };
        if let Some((table, of)) = known {
            predefined(check, content, table, (of, owner), &at);
        } else if key.starts_with("extension-definition--") {
            defined(check, key, content, &at);
        } else {
            custom(check, key, content, &at);
        }
    }
}

fn predefined(
    check: &mut Check<'_>,
    content: &Map<'_>,
    table: &'static schema::Type,
    (of, owner): (&str, &str),
    path: &Path<'_>,
) {
    if owner != of {
        check.error(path, Code::Extension, "S-043", format!("this extension belongs to objects of type `{of}`"));
    }
    if content.get("extension_type").is_some() {
        let message = "a predefined extension has no `extension_type`";
        check.error(&Path::Name(path, "extension_type"), Code::Extension, "S-037", message);
    }
    check.members_of(content, table, path, Place::Part);
}

/// The content under the id of an extension definition.
fn defined(check: &mut Check<'_>, key: &str, content: &Map<'_>, path: &Path<'_>) {
    if id::parts(key).is_none_or(|parts| parts.type_name != meta::EXTENSION_DEFINITION) {
        check.error(path, Code::Extension, "S-037", "the key must be the identifier of an extension definition");
    }
    let at = Path::Name(path, "extension_type");
    match content.get("extension_type") {
        Some(Node::Text(kind)) if ExtensionType::TABLE.contains(kind) => {}
        Some(Node::Text(_)) => check.error(&at, Code::Enumeration, "S-037", "use a value of extension-type-enum"),
        Some(_) => check.error(&at, Code::ValueType, "S-037", "it must be a string"),
        None => check.error(path, Code::Extension, "S-037", "give `extension_type`"),
    }
    for (name, node) in content.iter() {
        let at = Path::Name(path, name);
        if !meta::is_property_name(name) && name != "id" {
            check.warning(&at, Code::PropertyName, "S-147", "a property name has 3 to 250 of a-z, 0-9 and `_`");
        }
        check.any(node, &at);
    }
}

/// An extension of section 11.3, under a name of its own.
fn custom(check: &mut Check<'_>, key: &str, content: &Map<'_>, path: &Path<'_>) {
    let valid = (3..=250).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if content.iter().next().is_none() {
        check.error(path, Code::ValueEmpty, "S-155", "an extension has at least one property");
    }
    if !valid {
        let message =
            "use the identifier of an extension definition, or a name of a-z, 0-9 and hyphens that ends in `-ext`";
        check.error(path, Code::Extension, "S-155", message);
    } else if !key.ends_with("-ext") || !key.starts_with("x-") {
        let message = "use the identifier of an extension definition; a custom name would be `x-<source>-<name>-ext`";
        check.warning(path, Code::Extension, "S-155", message);
    } else {
        check.advice(path, Code::Deprecated, "S-152", "use the identifier of an extension definition");
    }
    for (name, node) in content.iter() {
        check.any(node, &Path::Name(path, name));
    }
}
