//! One STIX object: received bytes and typed view.
//!
//! [`Object::parse`] refuses what leaves identity, version, creator, markings or references in doubt, since these decide release. Everything else is kept as it
//! came, valid or not (I3); complete validation is another step's work.

use crate::{
    AnyId, Digest, Id, IdError, Kind, Limits, ObjectError, Reference, Timestamp, canonical,
    error::{TOKEN_CHARS_MAX, cut},
    id,
    json::{self, Map, Node, Path},
    reference,
    selector::Selector,
};
use std::str::FromStr;

/// The class of a type (S-154 for custom types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Domain object.
    Sdo,
    /// Relationship object.
    Sro,
    /// Cyber-observable.
    Sco,
    /// `marking-definition`.
    MarkingDefinition,
    /// `language-content`.
    LanguageContent,
    /// `extension-definition`.
    ExtensionDefinition,
    /// A type outside the standard.
    Custom,
}

impl Class {
    /// The class that a type name has in STIX 2.1; [`Class::Custom`] for every name outside the standard.
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "attack-pattern" | "campaign" | "course-of-action" | "grouping" | "identity" | "incident" | "indicator"
            | "infrastructure" | "intrusion-set" | "location" | "malware" | "malware-analysis" | "note"
            | "observed-data" | "opinion" | "report" | "threat-actor" | "tool" | "vulnerability" => Self::Sdo,
            "relationship" | "sighting" => Self::Sro,
            "artifact"
            | "autonomous-system"
            | "directory"
            | "domain-name"
            | "email-addr"
            | "email-message"
            | "file"
            | "ipv4-addr"
            | "ipv6-addr"
            | "mac-addr"
            | "mutex"
            | "network-traffic"
            | "process"
            | "software"
            | "url"
            | "user-account"
            | "windows-registry-key"
            | "x509-certificate" => Self::Sco,
            "marking-definition" => Self::MarkingDefinition,
            "language-content" => Self::LanguageContent,
            "extension-definition" => Self::ExtensionDefinition,
            _ => Self::Custom,
        }
    }
}

/// A granular marking (S-133).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GranularMarking {
    /// Selectors as written; each is well formed and points to content that is present (S-134, S-135).
    pub selectors: Vec<String>,
    /// The marking, or `None` for a `lang` marking.
    pub marking_ref: Option<Id<id::MarkingDefinition>>,
    /// The language.
    pub lang: Option<String>,
}

/// What of an object decides: identity, version, creator, markings, references.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct View {
    /// `id`; its type equals `type`.
    pub id: AnyId,
    /// Class of the type.
    pub class: Class,
    /// `2.1`, or `2.0` where absent on a non-SCO (S-028).
    pub spec_version: &'static str,
    /// `created`; always `None` for an SCO, which has no versions (SD-01).
    pub created: Option<Timestamp>,
    /// `modified`; always `None` for an SCO and for a marking definition, which have no versions (S-061, SD-01).
    pub modified: Option<Timestamp>,
    /// `created_by_ref`.
    pub created_by: Option<Id<id::Identity>>,
    /// `revoked`; always false for an SCO and for a marking definition (S-061).
    pub revoked: bool,
    /// `name`, or `value`, if it is a string; for operators' eyes.
    pub name: Option<String>,
    /// `object_marking_refs`.
    pub markings: Vec<Id<id::MarkingDefinition>>,
    /// `granular_markings`.
    pub granular: Vec<GranularMarking>,
    /// Every identifier the object refers to, markings and creator included, in order of first appearance, no duplicates.
    pub references: Vec<Reference>,
}

impl View {
    /// The STIX version of the object: `modified`, else `created`, else none (T-096).
    pub fn version(&self) -> Option<&Timestamp> {
        self.modified.as_ref().or(self.created.as_ref())
    }

    /// The type name.
    pub fn type_name(&self) -> &str {
        self.id.type_name()
    }
}

/// A STIX object that passed [`Object::parse`]. `raw` is exactly what was received (I3).
#[derive(Debug, Clone)]
pub struct Object {
    raw: Box<str>,
    view: View,
    digest: Digest,
}

impl Object {
    /// Checks and reads one object.
    ///
    /// 1. Size, then I-JSON within the depth limit (S-001, S-017).
    /// 2. `type` and `id`, which must agree (S-013, S-026); a bundle is no object (T-068).
    /// 3. `spec_version` (S-028), `created`, `modified` and `revoked` as the class demands (S-024, S-025, S-030, S-154).
    /// 4. `created_by_ref` and the markings (S-035, S-038, S-133 to S-135).
    /// 5. All references (L-127).
    ///
    /// # Errors
    /// The first fault found; the path is a JSON pointer inside the object.
    pub fn parse(raw: &str, limits: &Limits) -> Result<Self, ObjectError> {
        if raw.len() > limits.object_bytes_max {
            return Err(ObjectError::new("", format!("it has more than {} bytes", limits.object_bytes_max), ""));
        }
        let node = json::read(raw, limits.depth_max)?;
        let Node::Map(object) = &node else {
            return Err(ObjectError::new("", "it must be a JSON object", "S-001"));
        };
        let view = view(object, limits)?;
        let mut form = Vec::with_capacity(raw.len());
        canonical::write_node(&mut form, &node);
        Ok(Self { digest: canonical::digest(&form), raw: raw.into(), view })
    }

    /// The bytes received.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The typed view.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The content digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The identifier.
    pub fn id(&self) -> &AnyId {
        &self.view.id
    }
}

fn view(object: &Map<'_>, limits: &Limits) -> Result<View, ObjectError> {
    let id = identity(object)?;
    let class = Class::of(id.type_name());
    let (created, modified) = times(object, class)?;
    let spec_version = match text(object, "spec_version")? {
        Some("2.1") => "2.1",
        Some("2.0") => "2.0",
        Some(other) => {
            return Err(fault(
                "spec_version",
                format!("`{}` is no version of STIX that is known here", cut(other, TOKEN_CHARS_MAX)),
                "S-028",
            ));
        }
        None if class == Class::Sco || class == Class::Custom && (created.is_none() || modified.is_none()) => "2.1",
        None => "2.0",
    };
    let versioned = !matches!(class, Class::Sco | Class::MarkingDefinition);
    let revoked = match object.get("revoked") {
        None => false,
        Some(Node::Bool(revoked)) => *revoked && versioned,
        Some(_) => return Err(fault("revoked", "it must be `true` or `false`", "S-003")),
    };
    let created_by = text(object, "created_by_ref")?
        .map(|value| typed::<id::Identity>(value).map_err(|e| fault("created_by_ref", e.to_string(), "S-038")))
        .transpose()?;
    let markings = markings(object)?;
    let granular = granular(object)?;
    let own = Id::<id::MarkingDefinition>::try_from(&id).ok();
    if let Some(own) = own
        && (markings.contains(&own) || granular.iter().any(|g| g.marking_ref == Some(own)))
    {
        return Err(ObjectError::new("", "a marking definition must not mark itself", "S-035"));
    }
    let name = ["name", "value"].into_iter().find_map(|property| match object.get(property) {
        Some(Node::Text(name)) => Some(name.to_string()),
        _ => None,
    });
    let references = reference::collect(id.type_name(), object, limits)?;
    Ok(View { id, class, spec_version, created, modified, created_by, revoked, name, markings, granular, references })
}

fn identity(object: &Map<'_>) -> Result<AnyId, ObjectError> {
    let type_name = text(object, "type")?.ok_or_else(|| fault("type", "it is missing", "S-025"))?;
    if type_name == "bundle" {
        return Err(fault("type", "a bundle is not a STIX object", "T-068"));
    }
    if !id::is_type_name(type_name) {
        return Err(fault("type", format!("`{}` is no type name", cut(type_name, TOKEN_CHARS_MAX)), "S-026"));
    }
    let id = text(object, "id")?.ok_or_else(|| fault("id", "it is missing", "S-025"))?;
    let id: AnyId = id.parse().map_err(|e: IdError| fault("id", e.to_string(), "S-013"))?;
    if id.type_name() != type_name {
        let cause = format!(
            "the id is of type `{}`, the object of type `{}`",
            cut(id.type_name(), TOKEN_CHARS_MAX / 2),
            cut(type_name, TOKEN_CHARS_MAX / 2)
        );
        return Err(fault("id", cause, "S-013"));
    }
    Ok(id)
}

/// `created` and `modified`, where the class has them.
fn times(object: &Map<'_>, class: Class) -> Result<(Option<Timestamp>, Option<Timestamp>), ObjectError> {
    let time = |name: &str, demanded: bool| match text(object, name)? {
        Some(value) => Timestamp::parse(value).map(Some).map_err(|e| fault(name, e.to_string(), "S-024")),
        None if demanded => Err(fault(name, "it is missing", "S-025")),
        None => Ok(None),
    };
    let (created, modified) = match class {
        // Not versioned: what stands there is kept in the bytes and means nothing (SD-01, S-061).
        Class::Sco => (None, None),
        Class::MarkingDefinition => (time("created", true)?, None),
        Class::Custom => (time("created", false)?, time("modified", false)?),
        Class::Sdo | Class::Sro | Class::LanguageContent | Class::ExtensionDefinition => {
            (time("created", true)?, time("modified", true)?)
        }
    };
    if let (Some(created), Some(modified)) = (&created, &modified)
        && modified < created
    {
        return Err(fault("modified", "it is earlier than `created`", "S-030"));
    }
    Ok((created, modified))
}

fn markings(object: &Map<'_>) -> Result<Vec<Id<id::MarkingDefinition>>, ObjectError> {
    const NAME: &str = "object_marking_refs";
    let Some(node) = object.get(NAME) else { return Ok(Vec::new()) };
    let Node::List(list) = node else { return Err(fault(NAME, "it must be a list of identifiers", "S-038")) };
    let marking = |(i, item): (usize, &Node<'_>)| {
        let at = |cause: String| ObjectError::new(format!("/{NAME}/{i}"), cause, "S-038");
        let Node::Text(value) = item else { return Err(at("it must be an identifier".to_owned())) };
        typed(value).map_err(|e| at(e.to_string()))
    };
    list.iter().enumerate().map(marking).collect()
}

fn granular(object: &Map<'_>) -> Result<Vec<GranularMarking>, ObjectError> {
    const NAME: &str = "granular_markings";
    let Some(node) = object.get(NAME) else { return Ok(Vec::new()) };
    let Node::List(list) = node else { return Err(fault(NAME, "it must be a list", "S-133")) };
    let top = Path::Name(&Path::Root, NAME);
    list.iter().enumerate().map(|(i, item)| granular_marking(object, item, &Path::Index(&top, i))).collect()
}

fn granular_marking(object: &Map<'_>, node: &Node<'_>, path: &Path<'_>) -> Result<GranularMarking, ObjectError> {
    let Node::Map(marking) = node else {
        return Err(ObjectError::new(path.pointer(), "it must be a JSON object", "S-133"));
    };
    let at =
        |name: &str, cause: String, requirement| ObjectError::new(Path::Name(path, name).pointer(), cause, requirement);
    let member = |name: &'static str| match marking.get(name) {
        None => Ok(None),
        Some(Node::Text(value)) => Ok(Some(value)),
        Some(_) => Err(at(name, "it must be a string".to_owned(), "S-133")),
    };
    let lang = member("lang")?.map(ToString::to_string);
    let marking_ref = member("marking_ref")?
        .map(|value| typed(value).map_err(|e| at("marking_ref", e.to_string(), "S-038")))
        .transpose()?;
    if lang.is_some() == marking_ref.is_some() {
        return Err(ObjectError::new(path.pointer(), "it must have exactly one of `lang` and `marking_ref`", "S-133"));
    }
    let Some(Node::List(list)) = marking.get("selectors") else {
        return Err(at("selectors", "it must be a list of selectors".to_owned(), "S-133"));
    };
    if list.is_empty() {
        return Err(at("selectors", "it must not be empty".to_owned(), "S-133"));
    }
    let selector = |(i, item): (usize, &Node<'_>)| {
        let at = |cause: String, requirement| {
            ObjectError::new(Path::Index(&Path::Name(path, "selectors"), i).pointer(), cause, requirement)
        };
        let Node::Text(value) = item else { return Err(at("it must be a string".to_owned(), "S-133")) };
        let selector: Selector<'_> = Selector::parse(value)
            .ok_or_else(|| at(format!("`{}` is no selector", cut(value, TOKEN_CHARS_MAX)), "S-134"))?;
        if !selector.is_present_in(object) {
            return Err(at(
                format!("the selector `{}` points to nothing in the object", cut(value, TOKEN_CHARS_MAX)),
                "S-135",
            ));
        }
        Ok(value.to_string())
    };
    let selectors = list.iter().enumerate().map(selector).collect::<Result<_, _>>()?;
    Ok(GranularMarking { selectors, marking_ref, lang })
}

/// A member that must be a string where it is present.
fn text<'m>(object: &'m Map<'_>, name: &str) -> Result<Option<&'m str>, ObjectError> {
    match object.get(name) {
        None => Ok(None),
        Some(Node::Text(value)) => Ok(Some(value)),
        Some(_) => Err(fault(name, "it must be a string", "S-025")),
    }
}

fn typed<K: Kind>(value: &str) -> Result<Id<K>, IdError> {
    Id::from_str(value)
}

fn fault(name: &str, cause: impl Into<String>, requirement: &'static str) -> ObjectError {
    ObjectError::new(format!("/{name}"), cause, requirement)
}
