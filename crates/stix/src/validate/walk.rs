//! One object: what it is, its identifier, and then its members along its table.

use super::{Check, Code, Finding, Options, members, text, twenty};
use crate::{
    Class, Timestamp,
    error::{TOKEN_CHARS_MAX, cut},
    id::{self, IdParts},
    json::{Map, Node, Path},
    model::{Common, Observable},
    schema::{self, Type},
    sco_id,
};
use std::cmp::Ordering;

/// What is checked of a type outside the standard that has versions, as SDOs and SROs have (S-154).
static CUSTOM_VERSIONED: Type =
    Type { name: "", section: "11.2", requirement: "S-154", common: Common::PROPERTIES, properties: &[], rules: &[] };
/// What is checked of a type outside the standard without versions, as SCOs are (S-154).
static CUSTOM_OBSERVABLE: Type = Type {
    name: "",
    section: "11.2",
    requirement: "S-154",
    common: Observable::PROPERTIES,
    properties: &[],
    rules: &[],
};

/// Checks one object.
pub(super) fn object(node: &Node<'_>, options: &Options<'_>) -> Vec<Finding> {
    let mut check = Check::new(options);
    match node {
        Node::Map(object) => check.object(object),
        _ => check.error(&Path::Root, Code::ValueType, "S-001", "it must be a JSON object"),
    }
    check.finish()
}

/// A type name and what it stands for.
struct Kindred<'m> {
    type_name: &'m str,
    class: Class,
}

impl Check<'_> {
    fn object(&mut self, object: &Map<'_>) {
        let root = Path::Root;
        let at_type = Path::Name(&root, "type");
        let type_name = match object.get("type") {
            Some(Node::Text(type_name)) => type_name.as_ref(),
            Some(_) => return self.error(&at_type, Code::Type, "S-025", "it must be a string"),
            None => return self.error(&root, Code::Type, "S-025", "give `type`"),
        };
        if type_name == "bundle" {
            return self.error(&at_type, Code::Type, "S-150", "a bundle is no object and cannot be inside another");
        }
        if !id::is_type_name(type_name) {
            let message = "a type name has 3 to 250 of a-z, 0-9 and single hyphens, a letter first";
            return self.error(&at_type, Code::Type, "S-026", message);
        }
        match self.spec_version(object, type_name) {
            None => {}
            Some(true) => twenty::object(self, object, type_name),
            Some(false) => self.object_of_21(object, type_name),
        }
    }

    /// Whether the object is of STIX 2.0 (S-028). `None`: it is of no version known here.
    fn spec_version(&mut self, object: &Map<'_>, type_name: &str) -> Option<bool> {
        let path = Path::Name(&Path::Root, "spec_version");
        match object.get("spec_version") {
            Some(Node::Text(version)) if version == "2.1" => Some(false),
            // A 2.0 object has no such property; some producers write it all the same.
            Some(Node::Text(version)) if version == "2.0" => Some(true),
            Some(Node::Text(version)) => {
                let message = format!(
                    "`{}` is no version of STIX that is known here; write `2.1`",
                    cut(version, TOKEN_CHARS_MAX)
                );
                self.error(&path, Code::SpecVersion, "S-028", message);
                None
            }
            Some(_) => {
                self.error(&path, Code::SpecVersion, "S-028", "it must be the string `2.1`");
                None
            }
            None => {
                let versioned = object.get("created").is_some() && object.get("modified").is_some();
                Some(match Class::of(type_name) {
                    Class::Sco => false,
                    Class::Custom => versioned,
                    _ => true,
                })
            }
        }
    }

    fn object_of_21(&mut self, object: &Map<'_>, type_name: &str) {
        let class = Class::of(type_name);
        let table = match schema::type_named(type_name) {
            Some(table) => table,
            None => self.custom_table(object, type_name),
        };
        let kindred = Kindred { type_name, class };
        self.identifier(object, &kindred);
        self.members_of(object, table, &Path::Root, members::Place::Object(class));
        self.times(object, class);
        super::markings::of_object(self, object, type_name);
        if class == Class::Sdo || class == Class::Sro {
            self.producer_advice(object);
        }
    }

    /// S-144, S-154: what a custom type must have follows from the extension that declares it, or from what it has.
    fn custom_table(&mut self, object: &Map<'_>, type_name: &str) -> &'static Type {
        let declared = super::extensions::new_type(object);
        if declared.is_none() && !type_name.starts_with("x-") {
            let message = "name it `x-<source>-<name>`, or declare it with an extension definition";
            self.warning(&Path::Name(&Path::Root, "type"), Code::TypeCustom, "S-154", message);
        } else if declared.is_none() {
            let message = "types outside the standard are deprecated; declare them with an extension definition";
            self.advice(&Path::Name(&Path::Root, "type"), Code::Deprecated, "S-152", message);
        }
        let versioned = object.get("created").is_some() || object.get("modified").is_some();
        match declared {
            Some("new-sco") => &CUSTOM_OBSERVABLE,
            Some(_) => &CUSTOM_VERSIONED,
            None if versioned => &CUSTOM_VERSIONED,
            None => &CUSTOM_OBSERVABLE,
        }
    }

    /// S-013, S-015, S-044 to S-051.
    fn identifier(&mut self, object: &Map<'_>, kindred: &Kindred<'_>) {
        let path = Path::Name(&Path::Root, "id");
        let id = match object.get("id") {
            Some(Node::Text(id)) => id.as_ref(),
            Some(_) => return self.error(&path, Code::IdForm, "S-013", "it must be a string `type--UUID`"),
            // Told as a missing property.
            None => return,
        };
        let Some(IdParts { type_name, version }) = id::parts(id) else {
            let message = "it must have the form `type--UUID`, the UUID as RFC 4122 has it";
            return self.error(&path, Code::IdForm, "S-013", message);
        };
        if type_name != kindred.type_name {
            let message = format!("it must begin with `{}--`, the type of the object", kindred.type_name);
            return self.error(&path, Code::IdForm, "S-013", message);
        }
        if kindred.class == Class::Sco {
            self.sco_identifier(object, id, version, kindred, &path);
        } else if version != 4 && kindred.class != Class::Custom && !super::markings::is_well_known(id) {
            self.warning(&path, Code::IdVersion, "S-015", "use a random UUID (version 4)");
        }
    }

    fn sco_identifier(&mut self, object: &Map<'_>, id: &str, version: u8, kindred: &Kindred<'_>, path: &Path<'_>) {
        match sco_id::deterministic_id_of(object, kindred.type_name) {
            None if version != 4 => {
                let message = "nothing contributes to the identifier, so that it must be random (version 4)";
                self.error(path, Code::IdVersion, "S-046", message);
            }
            Some(_) if version == 4 => {
                self.advice(path, Code::IdVersion, "S-044", "use the identifier that the contributing properties give");
            }
            Some(computed) if !computed.as_str().eq_ignore_ascii_case(id) => {
                let message =
                    format!("by the standard's rule it would be `{computed}`; another rule needs another name space");
                self.warning(path, Code::IdDeterministic, "S-051", message);
            }
            None | Some(_) => {}
        }
    }

    /// S-029, S-030.
    fn times(&mut self, object: &Map<'_>, class: Class) {
        if matches!(class, Class::Sco) {
            return;
        }
        for name in ["created", "modified"] {
            if let Some(time) = text(object, name)
                && Timestamp::check(time).is_ok()
                && Timestamp::fraction_digits(time) < 3
            {
                let message = "give at least milliseconds, e.g. `.000Z`";
                self.warning(&Path::Name(&Path::Root, name), Code::TimePrecision, "S-029", message);
            }
        }
        if let (Some(created), Some(modified)) = (text(object, "created"), text(object, "modified"))
            && Timestamp::order(created, modified) == Some(Ordering::Greater)
        {
            let message = "it must not be earlier than `created`";
            self.error(&Path::Name(&Path::Root, "modified"), Code::TimeOrder, "S-030", message);
        }
    }

    /// S-040 and S-033: what helps everybody and that nobody must give.
    fn producer_advice(&mut self, object: &Map<'_>) {
        if object.get("created_by_ref").is_none() {
            self.advice(
                &Path::Root,
                Code::Recommended,
                "S-040",
                "name the creator in `created_by_ref`, unless it must stay unknown",
            );
        }
        let texts = object.get("name").is_some() || object.get("description").is_some();
        if texts && object.get("lang").is_none() {
            self.advice(&Path::Root, Code::Recommended, "S-033", "name the language of the texts in `lang`");
        }
    }
}
