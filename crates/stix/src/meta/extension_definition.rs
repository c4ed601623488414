//! `extension-definition` (section 7.3.1).

use crate::{
    json::{Map, Node, Path},
    model::{Closed, stix_type},
    validate::{Check, Code},
    vocabulary,
};

stix_type! {
    /// Says what an extension means and where its schema is.
    ExtensionDefinition = "extension-definition", section "7.3.1", requirement "S-141", common Definition, rules [properties, described];
    required { name: String, schema: String, version: String, extension_types: Vec<Closed<vocabulary::ExtensionType>>, }
    optional { description: String, extension_properties: Vec<String>, }
}

/// S-142, S-147: which properties an extension adds at the top of an object, and what they are named.
fn properties(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    const TOP_LEVEL: &str = "toplevel-property-extension";
    let is_top_level = matches!(object.get("extension_types"), Some(Node::List(types)) if types.iter().any(|t| matches!(t, Node::Text(t) if t == TOP_LEVEL)));
    let at = Path::Name(path, "extension_properties");
    match object.get("extension_properties") {
        Some(_) if !is_top_level => {
            let message = "only a toplevel-property-extension names its properties";
            check.error(&at, Code::Combination, "S-142", message);
        }
        None if is_top_level => {
            check.warning(path, Code::Recommended, "S-142", "name the properties in `extension_properties`");
        }
        Some(Node::List(names)) => {
            for (i, name) in names.iter().enumerate() {
                if let Node::Text(name) = name
                    && !is_property_name(name)
                {
                    let message = "a property name has 3 to 250 of a-z, 0-9 and `_`";
                    check.error(&Path::Index(&at, i), Code::PropertyName, "S-147", message);
                }
            }
        }
        _ => {}
    }
}

pub(crate) fn is_property_name(name: &str) -> bool {
    (3..=250).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// S-141: a definition tells people what it is for.
fn described(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.get("description").is_none() {
        check.warning(path, Code::Recommended, "S-141", "give a `description`");
    }
}
