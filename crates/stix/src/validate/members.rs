//! The members of an object, a sub-object or an extension, along its table.

use super::{Check, Code, extensions, text};
use crate::{
    Class,
    error::{TOKEN_CHARS_MAX, cut},
    json::{Map, Node, Path},
    schema::Type,
    syntax::{Base64, Form, Hex, Verdict},
};

/// What kind of thing has the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A whole object.
    Object(Class),
    /// A sub-type or a predefined extension.
    Part,
    /// An entry of the deprecated observable container.
    Contained,
}

/// Longest property name, in bytes (S-026).
const NAME_BYTES_MAX: usize = 250;

/// Names that the standard reserves for later; the text and its schemas differ in one (SK-09).
const RESERVED: [&str; 5] = ["severity", "username", "phone_number", "phone_numbers", "action"];
/// Common properties, of which each class has some (S-025).
const COMMON: [&str; 15] = [
    "type",
    "spec_version",
    "id",
    "created_by_ref",
    "created",
    "modified",
    "revoked",
    "labels",
    "confidence",
    "lang",
    "external_references",
    "object_marking_refs",
    "granular_markings",
    "defanged",
    "extensions",
];

impl Check<'_> {
    /// Checks every member, what is missing, and the rules of the table.
    pub(super) fn members_of(&mut self, object: &Map<'_>, table: &'static Type, path: &Path<'_>, place: Place) {
        let outer = self.table.replace(table);
        let mut required = 0;
        let mut declared = None;
        for (name, node) in object.iter() {
            let at = Path::Name(path, name);
            if let Some(property) = table.property(name) {
                required += usize::from(property.required);
                self.value(&property.kind, node, &at);
            } else {
                let adds = || place != Place::Part && extensions::adds_properties(object);
                self.unknown(name, node, &at, place, *declared.get_or_insert_with(adds));
            }
        }
        let all = table.properties.iter().chain(table.common).filter(|p| p.required);
        if all.clone().count() != required {
            for property in all {
                let optional_here = place == Place::Contained && property.name == "id";
                if object.get(property.name).is_none() && !optional_here {
                    let requirement = if COMMON.contains(&property.name) { "S-025" } else { table.requirement };
                    self.error(path, Code::PropertyMissing, requirement, format!("give `{}`", property.name));
                }
            }
        }
        self.table = Some(table);
        for rule in table.rules {
            rule(self, object, path);
        }
        self.table = outer;
    }

    /// A member that the table does not list.
    fn unknown(&mut self, name: &str, node: &Node<'_>, path: &Path<'_>, place: Place, declared: bool) {
        if RESERVED.contains(&name) {
            return self.error(path, Code::PropertyReserved, "S-041", "the standard reserves this name; use another");
        }
        if let Place::Object(class) = place
            && COMMON.contains(&name)
        {
            return self.not_applicable(name, path, class);
        }
        if !self.property_name(name, path) {
            return;
        }
        self.custom_value(name, node, path);
        if declared {
            return;
        }
        if name.starts_with("x_") {
            self.advice(path, Code::Deprecated, "S-152", "declare it with an extension definition");
        } else {
            let message = format!(
                "`{}` is not of the standard; declare it with an extension definition, or name it `x_<source>_<name>`",
                cut(name, TOKEN_CHARS_MAX)
            );
            self.warning(path, Code::PropertyCustom, "S-153", message);
        }
    }

    /// S-153: whether a property outside the standard has a name that it may have; tells if not.
    pub(super) fn property_name(&mut self, name: &str, path: &Path<'_>) -> bool {
        let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
            && (3..=NAME_BYTES_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !valid {
            let message = "a property name has 3 to 250 of a-z, 0-9 and `_`, a letter first";
            self.error(path, Code::PropertyName, "S-153", message);
        }
        valid
    }

    /// S-025, and where a class has a rule of its own, that.
    fn not_applicable(&mut self, name: &str, path: &Path<'_>, class: Class) {
        const INSTEAD: &str = "objects of this class have no such property; leave it out";
        match class {
            _ if name == "defanged" => {
                self.error(
                    path,
                    Code::PropertyNotApplicable,
                    "S-036",
                    "only cyber-observables are defanged; leave it out",
                );
            }
            Class::MarkingDefinition => self.error(path, Code::PropertyNotApplicable, "S-128", INSTEAD),
            Class::LanguageContent => self.error(path, Code::PropertyNotApplicable, "S-138", INSTEAD),
            Class::ExtensionDefinition => self.error(path, Code::PropertyNotApplicable, "S-141", INSTEAD),
            // SD-01: kept from those who version observables.
            _ => self.warning(path, Code::PropertyNotApplicable, "S-061", INSTEAD),
        }
    }

    /// S-005, S-019, S-027, S-153: what holds for values of any property.
    fn custom_value(&mut self, name: &str, node: &Node<'_>, path: &Path<'_>) {
        let form = match name.rsplit_once('_') {
            Some((_, "hex")) => Hex::TABLE,
            Some((_, "bin")) => Base64::TABLE,
            _ => return self.any(node, path),
        };
        match node {
            Node::Text(value) => {
                if let Verdict::Wrong(instead) = (form.check)(value) {
                    self.error(path, Code::ValueForm, "S-153", instead);
                }
            }
            _ => self.error(path, Code::ValueType, "S-153", "what its name ends in makes it a string"),
        }
    }

    /// A value of which only is known that it is one: no null, nothing empty (S-005, S-019). What is inside custom values is kept with a warning: real releases
    /// (ATT&CK for ICS) hold empty lists there.
    pub(super) fn any(&mut self, node: &Node<'_>, path: &Path<'_>) {
        match node {
            Node::Null => self.warning(path, Code::ValueType, "S-005", "leave the property out instead of `null`"),
            Node::List(list) if list.is_empty() => {
                self.warning(path, Code::ValueEmpty, "S-019", "leave the property out instead of an empty list");
            }
            Node::List(list) => {
                for (i, item) in list.iter().enumerate() {
                    self.any(item, &Path::Index(path, i));
                }
            }
            Node::Map(map) => {
                for (name, item) in map.iter() {
                    self.any(item, &Path::Name(path, name));
                }
            }
            Node::Bool(_) | Node::Number(_) | Node::Text(_) => {}
        }
    }

    /// The deprecated observable container (S-020): objects under keys, which refer to each other by key.
    pub(super) fn container(&mut self, node: &Node<'_>, path: &Path<'_>) {
        let Node::Map(container) = node else {
            return self.error(path, Code::ValueType, "S-020", "it must be a dictionary of cyber-observables");
        };
        if container.iter().next().is_none() {
            self.error(path, Code::ValueEmpty, "S-005", "it must hold at least one cyber-observable");
        }
        let outer = std::mem::replace(&mut self.local, true);
        for (key, entry) in container.iter() {
            let at = Path::Name(path, key);
            let Node::Map(object) = entry else {
                self.error(&at, Code::ValueType, "S-020", "it must be a cyber-observable");
                continue;
            };
            let Some(type_name) = text(object, "type") else {
                self.error(&at, Code::Type, "S-025", "give `type`");
                continue;
            };
            let table = if self.twenty {
                super::twenty::observable_named(type_name)
            } else {
                crate::sco::type_named(type_name)
            };
            if let Some(table) = table {
                self.members_of(object, table, &at, Place::Contained);
            }
            self.local_references(container, object, &at);
        }
        self.local = outer;
    }

    /// References inside a container resolve in it (S-020).
    fn local_references(&mut self, container: &Map<'_>, object: &Map<'_>, path: &Path<'_>) {
        for (name, node) in object.iter() {
            let at = Path::Name(path, name);
            let keys: &[Node<'_>] = match node {
                Node::List(list) if name.ends_with("_refs") => list,
                Node::Text(_) if name.ends_with("_ref") => std::slice::from_ref(node),
                _ => continue,
            };
            for (i, key) in keys.iter().enumerate() {
                if let Node::Text(key) = key
                    && container.get(key).is_none()
                    && !container.iter().any(|(_, o)| matches!(o, Node::Map(o) if text(o, "id") == Some(key)))
                {
                    let at = if keys.len() == 1 && matches!(node, Node::Text(_)) { at } else { Path::Index(&at, i) };
                    let message = "it must be the key of an object in the same `objects`";
                    self.error(&at, Code::Reference, "S-020", message);
                }
            }
        }
    }
}
