//! What only shows between the objects of one document: versions, circles of markings, translations, families and samples, extensions with a schema.
//!
//! One pass notes a few positions. The few objects that need another look are read again at the end.

use super::{Check, Code, Finding, Level, Options, extension_schema, text};
use crate::{
    Class, Timestamp,
    canonical::{self, Digest},
    json::{Map, Node, Path},
    sco_id,
};
use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
};

/// Notes about the objects of a document, by position.
#[derive(Default)]
pub(super) struct Between<'a> {
    /// First object of each id.
    first: HashMap<&'a str, usize>,
    /// An object whose id occurred before, under the first.
    repeats: BTreeMap<usize, Vec<usize>>,
    /// First type name of each UUID (S-014), and the objects of another type.
    uuids: HashMap<&'a str, &'a str>,
    reused: Vec<usize>,
    translations: Vec<usize>,
    /// Markings that are marked themselves.
    marked_markings: BTreeMap<&'a str, usize>,
    variants: Vec<usize>,
    /// Malware that is no family and has several samples.
    samples: Vec<usize>,
    definitions: Vec<usize>,
    extended: Vec<usize>,
}

/// Reads an object of the document again.
type Read<'r, 'a> = &'r dyn Fn(usize) -> Option<Node<'a>>;
/// Takes a finding about an object.
type Put<'p> = &'p mut dyn FnMut(usize, Finding);

impl<'a> Between<'a> {
    /// Notes one object.
    pub(super) fn take(&mut self, node: &Node<'a>, index: usize) {
        let Node::Map(map) = node else { return };
        // An identifier with escapes is none that others use.
        let (Some(id), Some(type_name)) = (borrowed(map, "id"), borrowed(map, "type")) else { return };
        match self.first.get(id) {
            None => {
                self.first.insert(id, index);
            }
            Some(first) => self.repeats.entry(*first).or_default().push(index),
        }
        if let Some((_, uuid)) = id.split_once("--")
            && *self.uuids.entry(uuid).or_insert(type_name) != type_name
        {
            self.reused.push(index);
        }
        match type_name {
            "language-content" => self.translations.push(index),
            "extension-definition" => self.definitions.push(index),
            "marking-definition"
                if map.get("object_marking_refs").is_some() || map.get("granular_markings").is_some() =>
            {
                self.marked_markings.insert(id, index);
            }
            "relationship" if text(map, "relationship_type") == Some("variant-of") => self.variants.push(index),
            "malware"
                if is_family(map) == Some(false)
                    && matches!(map.get("sample_refs"), Some(Node::List(l)) if l.len() > 1) =>
            {
                self.samples.push(index);
            }
            _ => {}
        }
        if let Some(Node::Map(extensions)) = map.get("extensions")
            && extensions.iter().any(|(key, _)| key.starts_with("extension-definition--"))
        {
            self.extended.push(index);
        }
    }

    /// Says what it found.
    pub(super) fn finish(self, read: Read<'_, 'a>, options: &Options<'_>, put: Put<'_>) {
        for index in &self.reused {
            let message = "the UUID names an object of another type too; give each its own";
            put(*index, warning(Code::IdForm, "S-014", "/id", message));
        }
        for (first, others) in &self.repeats {
            versions(*first, others, read, put);
        }
        self.circles(read, put);
        for index in &self.translations {
            if let Some(Node::Map(content)) = read(*index) {
                self.translation(*index, &content, read, put);
            }
        }
        for index in &self.variants {
            if let Some(Node::Map(relationship)) = read(*index)
                && self.family(&relationship, "source_ref", read) == Some(true)
                && self.family(&relationship, "target_ref", read) == Some(false)
            {
                let message = "a family is no variant of an instance; turn the relationship round";
                put(*index, error(Code::RelationshipType, "S-092", "/relationship_type", message));
            }
        }
        for index in &self.samples {
            if let Some(Node::Map(malware)) = read(*index)
                && self.differ(&malware, read)
            {
                let message = "an instance is one binary; describe other binaries as malware of their own";
                put(*index, warning(Code::Combination, "S-075", "/sample_refs", message));
            }
        }
        self.schemas(read, options, put);
    }

    fn find(&self, map: &Map<'_>, reference: &str, read: Read<'_, 'a>) -> Option<Node<'a>> {
        read(*self.first.get(text(map, reference)?)?)
    }

    fn family(&self, relationship: &Map<'_>, end: &str, read: Read<'_, 'a>) -> Option<bool> {
        let Node::Map(malware) = self.find(relationship, end, read)? else { return None };
        is_family(&malware)
    }

    /// Whether two samples have different values of one hash algorithm (S-075).
    fn differ(&self, malware: &Map<'_>, read: Read<'_, 'a>) -> bool {
        let Some(Node::List(samples)) = malware.get("sample_refs") else { return false };
        let mut known: HashMap<String, String> = HashMap::new();
        let positions =
            samples.iter().filter_map(|n| if let Node::Text(id) = n { self.first.get(id.as_ref()) } else { None });
        for sample in positions.filter_map(|i| read(*i)) {
            let Node::Map(sample) = sample else { continue };
            let Some(Node::Map(hashes)) = sample.get("hashes") else { continue };
            for (algorithm, value) in hashes.iter() {
                if let Node::Text(value) = value {
                    let value = value.to_ascii_lowercase();
                    if known.entry(algorithm.to_owned()).or_insert_with(|| value.clone()) != &value {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// S-035: circles of two or more markings. Each marking is read once.
    fn circles(&self, read: Read<'_, 'a>, put: Put<'_>) {
        let marks: BTreeMap<&str, Vec<&str>> = self
            .marked_markings
            .iter()
            .filter_map(|(id, index)| {
                let Node::Map(map) = read(*index)? else { return None };
                let known = |m: &str| self.marked_markings.get_key_value(m).map(|(known, _)| *known);
                Some((*id, marks_of(&map).iter().filter_map(|m| known(m)).collect()))
            })
            .collect();
        for (own, index) in &self.marked_markings {
            let mut open: Vec<&str> = marks.get(own).into_iter().flatten().copied().filter(|m| m != own).collect();
            let mut seen = HashSet::new();
            while let Some(id) = open.pop() {
                if id == *own {
                    put(*index, error(Code::Marking, "S-035", "", "markings must not mark each other in a circle"));
                    break;
                }
                if seen.insert(id) {
                    open.extend(marks.get(id).into_iter().flatten());
                }
            }
        }
    }

    /// S-138, S-139: a translation against the version that it names, or the only one there is.
    fn translation(&self, index: usize, content: &Map<'_>, read: Read<'_, 'a>, put: Put<'_>) {
        let Some(first) = text(content, "object_ref").and_then(|id| self.first.get(id)) else { return };
        let versions =
            std::iter::once(first).chain(self.repeats.get(first).into_iter().flatten()).filter_map(|i| read(*i));
        let mut versions = versions.filter_map(|node| if let Node::Map(map) = node { Some(map) } else { None });
        let target = match text(content, "object_modified") {
            None => versions.next(),
            Some(modified) => {
                let same = |map: &Map<'_>| {
                    text(map, "modified").and_then(|m| Timestamp::order(m, modified)) == Some(Ordering::Equal)
                };
                let found = versions.find(|map| same(map));
                if found.is_none() {
                    let message =
                        "no version of the object here was modified at this time; the translation may be stale";
                    put(index, warning(Code::Language, "S-138", "/object_modified", message));
                }
                found
            }
        };
        let (Some(target), Some(Node::Map(contents))) = (target, content.get("contents")) else { return };
        let top = Path::Name(&Path::Root, "contents");
        for (language, translations) in contents.iter() {
            let Node::Map(translations) = translations else { continue };
            let at = Path::Name(&top, language);
            for (name, translated) in translations.iter() {
                // S-140: what the object does not have is ignored.
                if let Some(original) = target.get(name) {
                    mirrors(original, translated, &Path::Name(&at, name), &mut |path, message| {
                        put(index, error(Code::Language, "S-139", path, message));
                    });
                }
            }
        }
    }

    /// Content of extensions against the schemas that their definitions in this document carry.
    fn schemas(&self, read: Read<'_, 'a>, options: &Options<'_>, put: Put<'_>) {
        let mut schemas = super::Schemas::default();
        for index in &self.definitions {
            if let Some(Node::Map(definition)) = read(*index)
                && let Some(finding) = schemas.take(&definition)
            {
                put(*index, finding);
            }
        }
        if schemas.is_empty() {
            return;
        }
        for index in &self.extended {
            if let Some(Node::Map(object)) = read(*index)
                && let Some(Node::Map(extensions)) = object.get("extensions")
            {
                let mut check = Check::new(options);
                extension_schema::check(&mut check, &schemas, extensions, &Path::Name(&Path::Root, "extensions"));
                check.finish().into_iter().for_each(|finding| put(*index, finding));
            }
        }
    }
}

fn is_family(map: &Map<'_>) -> Option<bool> {
    if let Some(Node::Bool(is_family)) = map.get("is_family") { Some(*is_family) } else { None }
}

fn borrowed<'a>(map: &Map<'a>, name: &str) -> Option<&'a str> {
    if let Some(Node::Text(Cow::Borrowed(text))) = map.get(name) { Some(text) } else { None }
}

fn marks_of(map: &Map<'_>) -> Vec<String> {
    let list = |name: &str| if let Some(Node::List(list)) = map.get(name) { list.as_slice() } else { &[] };
    let direct = list("object_marking_refs")
        .iter()
        .filter_map(|n| if let Node::Text(id) = n { Some(id.to_string()) } else { None });
    let granular = list("granular_markings")
        .iter()
        .filter_map(|n| if let Node::Map(m) = n { text(m, "marking_ref") } else { None });
    direct.chain(granular.map(str::to_owned)).collect()
}

/// S-139: a string for a string, a list as long for a list, an object for an object.
fn mirrors(original: &Node<'_>, translated: &Node<'_>, path: &Path<'_>, wrong: &mut dyn FnMut(&str, &'static str)) {
    match (original, translated) {
        (Node::List(original), Node::List(translated)) => {
            if original.len() != translated.len() {
                wrong(
                    &path.pointer(),
                    "a translated list is as long as the original; leave \"\" for what is not translated",
                );
            }
            for (i, (original, translated)) in original.iter().zip(translated).enumerate() {
                mirrors(original, translated, &Path::Index(path, i), wrong);
            }
        }
        (Node::Map(original), Node::Map(translated)) => {
            for (name, translated) in translated.iter() {
                if let Some(original) = original.get(name) {
                    mirrors(original, translated, &Path::Name(path, name), wrong);
                }
            }
        }
        // S-140: what cannot be translated is ignored.
        (Node::Text(_), Node::Text(_)) | (Node::Null | Node::Bool(_) | Node::Number(_), _) => {}
        (Node::Text(_), _) => wrong(&path.pointer(), "translate a string with a string"),
        (Node::List(_), _) => wrong(&path.pointer(), "translate a list with a list of the same length"),
        (Node::Map(_), _) => wrong(&path.pointer(), "translate an object with an object"),
    }
}

/// What of one version decides.
struct Version {
    index: usize,
    created: Option<String>,
    modified: Option<Timestamp>,
    created_by: Option<String>,
    revoked: bool,
    digest: Digest,
    class: Class,
    /// What the contributing properties of an SCO give.
    computed: Option<String>,
}

impl Version {
    fn of(index: usize, node: &Node<'_>) -> Option<Self> {
        let Node::Map(map) = node else { return None };
        let type_name = text(map, "type")?;
        let mut form = Vec::new();
        canonical::write_node(&mut form, node);
        Some(Self {
            index,
            created: text(map, "created").map(str::to_owned),
            modified: text(map, "modified").and_then(|m| Timestamp::parse(m).ok()),
            created_by: text(map, "created_by_ref").map(str::to_owned),
            revoked: matches!(map.get("revoked"), Some(Node::Bool(true))),
            digest: canonical::digest(&form),
            class: Class::of(type_name),
            computed: sco_id::deterministic_id_of(map, type_name).map(|id| id.to_string()),
        })
    }
}

/// S-051, S-054, S-055, S-057, S-059, S-128: the versions of one id.
fn versions(first: usize, others: &[usize], read: Read<'_, '_>, put: Put<'_>) {
    let all = std::iter::once(&first).chain(others);
    let mut all: Vec<Version> = all.filter_map(|i| Version::of(*i, &read(*i)?)).collect();
    all.sort_by(|a, b| a.modified.cmp(&b.modified).then(a.index.cmp(&b.index)));
    for pair in all.windows(2) {
        let [before, after] = pair else { continue };
        let at = after.index;
        if before.modified == after.modified {
            if before.digest == after.digest {
                continue;
            }
            match after.class {
                Class::Sco if before.computed == after.computed => {}
                Class::Sco => put(
                    at,
                    warning(Code::Version, "S-051", "/id", "two different observables have this id; both are kept"),
                ),
                Class::MarkingDefinition => {
                    put(
                        at,
                        error(
                            Code::Version,
                            "S-128",
                            "/id",
                            "two different markings have this id; give a changed marking an id of its own",
                        ),
                    );
                }
                _ => put(
                    at,
                    warning(
                        Code::Version,
                        "S-055",
                        "/modified",
                        "two different contents have this id and time; raise `modified` with every change",
                    ),
                ),
            }
            continue;
        }
        if let (Some(created), Some(first)) = (&after.created, &before.created)
            && Timestamp::order(created, first).is_some_and(|order| order != Ordering::Equal)
        {
            put(at, error(Code::Version, "S-054", "/created", "`created` must not change between versions"));
        }
        if before.created_by != after.created_by {
            put(
                at,
                warning(
                    Code::Version,
                    "S-057",
                    "/created_by_ref",
                    "only the creator makes new versions; others need an id of their own",
                ),
            );
        }
        if before.revoked {
            put(
                at,
                warning(Code::Version, "S-059", "/modified", "the object was revoked before; a revocation is for good"),
            );
        }
    }
}

fn warning(code: Code, requirement: &'static str, path: &str, message: &'static str) -> Finding {
    Finding { level: Level::Warning, code, requirement, path: path.to_owned(), message: message.into() }
}

fn error(code: Code, requirement: &'static str, path: &str, message: &'static str) -> Finding {
    Finding { level: Level::Error, ..warning(code, requirement, path, message) }
}
