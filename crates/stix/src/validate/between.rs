//! What only shows between the objects of one document: versions, circles of markings, translations, families and samples, extensions with a schema.
//!
//! One pass notes a few numbers of each object: two hashes under which it is found again, and its position where it needs another look; about eighty octets,
//! whatever the object's length. The few objects that need another look are read again at the end, a few at a time.

use super::{Check, Code, Finding, Level, Options, extension_schema, text};
use crate::{
    Class, Limits, Timestamp,
    canonical::{self, Digest},
    json::{Map, Node, Path},
    sco_id,
};
use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// A name by its hash: what falls together by chance, one pair in 2^64, is told apart when it is read again.
type Name = u64;

fn name(text: &str) -> Name {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Notes about the objects of a document, by position.
#[derive(Default)]
pub(super) struct Between {
    /// First object of each id.
    first: HashMap<Name, u32>,
    /// Objects whose id occurred before, behind the first of that id.
    repeats: Vec<(u32, u32)>,
    /// First type name of each UUID (S-014), and the objects of another type.
    uuids: HashMap<Name, Name>,
    reused: Vec<u32>,
    translations: Vec<u32>,
    /// Markings that are marked themselves.
    marked_markings: Vec<(Name, u32)>,
    variants: Vec<u32>,
    /// Malware that is no family and has several samples.
    samples: Vec<u32>,
    definitions: Vec<u32>,
    extended: Vec<u32>,
}

/// Reads objects of the document again.
pub(super) struct Again<'r> {
    /// The text of the object at a position.
    pub(super) text: &'r dyn Fn(usize) -> Option<Cow<'r, str>>,
    pub(super) limits: &'r Limits,
}

impl Again<'_> {
    fn read<T>(&self, index: u32, look: impl FnOnce(&Map<'_>) -> T) -> Option<T> {
        self.node(index, |node| if let Node::Map(map) = node { Some(look(map)) } else { None })?
    }

    fn node<T>(&self, index: u32, look: impl FnOnce(&Node<'_>) -> T) -> Option<T> {
        let text = (self.text)(index as usize)?;
        super::tree(&text, self.limits).ok().map(|node| look(&node))
    }
}

/// Takes a finding about an object.
type Put<'p> = &'p mut dyn FnMut(usize, Finding);

impl Between {
    /// Notes one object.
    pub(super) fn take(&mut self, node: &Node<'_>, index: usize) {
        let Node::Map(map) = node else { return };
        // More than this no document may have.
        let Ok(index) = u32::try_from(index) else { return };
        // An identifier with escapes is none that others use.
        let (Some(id), Some(type_name)) = (borrowed(map, "id"), borrowed(map, "type")) else { return };
        let own = name(id);
        let first = *self.first.entry(own).or_insert(index);
        if first != index {
            self.repeats.push((first, index));
        }
        if let Some((_, uuid)) = id.split_once("--") {
            let type_name = name(type_name);
            if *self.uuids.entry(name(uuid)).or_insert(type_name) != type_name {
                self.reused.push(index);
            }
        }
        match type_name {
            "language-content" => self.translations.push(index),
            "extension-definition" => self.definitions.push(index),
            "marking-definition"
                if map.get("object_marking_refs").is_some() || map.get("granular_markings").is_some() =>
            {
                self.marked_markings.push((own, index));
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
    pub(super) fn finish(mut self, again: &Again<'_>, options: &Options<'_>, put: Put<'_>) {
        self.repeats.sort_unstable();
        self.uuids = HashMap::new();
        for index in &self.reused {
            let message = "the UUID names an object of another type too; give each its own";
            put(*index as usize, warning(Code::IdForm, "S-014", "/id", message));
        }
        for group in self.repeats.chunk_by(|a, b| a.0 == b.0) {
            versions(group, again, put);
        }
        self.circles(again, put);
        for index in &self.translations {
            again.read(*index, |content| self.translation(*index, content, again, put));
        }
        for index in &self.variants {
            let ends = again.read(*index, |r| {
                ["source_ref", "target_ref"].map(|end| again.read(self.find(text(r, end)?)?, is_family)?)
            });
            if ends == Some([Some(true), Some(false)]) {
                let message = "a family is no variant of an instance; turn the relationship round";
                put(*index as usize, error(Code::RelationshipType, "S-092", "/relationship_type", message));
            }
        }
        for index in &self.samples {
            if again.read(*index, |malware| self.differ(malware, again)) == Some(true) {
                let message = "an instance is one binary; describe other binaries as malware of their own";
                put(*index as usize, warning(Code::Combination, "S-075", "/sample_refs", message));
            }
        }
        self.schemas(again, options, put);
    }

    fn find(&self, id: &str) -> Option<u32> {
        self.first.get(&name(id)).copied()
    }

    /// Whether two samples have different values of one hash algorithm (S-075).
    fn differ(&self, malware: &Map<'_>, again: &Again<'_>) -> bool {
        let Some(Node::List(samples)) = malware.get("sample_refs") else { return false };
        let mut known: HashMap<String, String> = HashMap::new();
        let positions = samples.iter().filter_map(|n| if let Node::Text(id) = n { self.find(id) } else { None });
        for sample in positions {
            let differs = again.read(sample, |sample| {
                let Some(Node::Map(hashes)) = sample.get("hashes") else { return false };
                hashes.iter().any(|(algorithm, value)| {
                    let Node::Text(value) = value else { return false };
                    let value = value.to_ascii_lowercase();
                    known.entry(algorithm.to_owned()).or_insert_with(|| value.clone()) != &value
                })
            });
            if differs == Some(true) {
                return true;
            }
        }
        false
    }

    /// S-035: circles of two or more markings. Each marking is read once.
    fn circles(&self, again: &Again<'_>, put: Put<'_>) {
        // Of several versions the last counts.
        let known: HashMap<Name, u32> = self.marked_markings.iter().copied().collect();
        let marks: HashMap<Name, Vec<Name>> = known
            .iter()
            .filter_map(|(own, index)| {
                let marks = again.read(*index, |map| {
                    marks_of(map).iter().map(|m| name(m)).filter(|m| known.contains_key(m)).collect()
                })?;
                Some((*own, marks))
            })
            .collect();
        let mut order: Vec<(u32, Name)> = known.iter().map(|(own, index)| (*index, *own)).collect();
        order.sort_unstable();
        for (index, own) in order {
            let mut open: Vec<Name> = marks.get(&own).into_iter().flatten().copied().filter(|m| *m != own).collect();
            let mut seen = HashSet::new();
            while let Some(id) = open.pop() {
                if id == own {
                    let message = "markings must not mark each other in a circle";
                    put(index as usize, error(Code::Marking, "S-035", "", message));
                    break;
                }
                if seen.insert(id) {
                    open.extend(marks.get(&id).into_iter().flatten());
                }
            }
        }
    }

    /// S-138, S-139: a translation against the version that it names, or the only one there is.
    fn translation(&self, index: u32, content: &Map<'_>, again: &Again<'_>, put: Put<'_>) {
        let Some(first) = text(content, "object_ref").and_then(|id| self.find(id)) else { return };
        let Some(modified) = text(content, "object_modified") else {
            again.read(first, |target| mirror(index, content, target, put));
            return;
        };
        let later = self.repeats.partition_point(|repeat| repeat.0 < first);
        let later = self.repeats.iter().skip(later).take_while(|repeat| repeat.0 == first).map(|repeat| repeat.1);
        for version in std::iter::once(first).chain(later) {
            let found = again.read(version, |target| {
                let same =
                    text(target, "modified").and_then(|m| Timestamp::order(m, modified)) == Some(Ordering::Equal);
                if same {
                    mirror(index, content, target, put);
                }
                same
            });
            if found == Some(true) {
                return;
            }
        }
        let message = "no version of the object here was modified at this time; the translation may be stale";
        put(index as usize, warning(Code::Language, "S-138", "/object_modified", message));
    }

    /// Content of extensions against the schemas that their definitions in this document carry.
    fn schemas(&self, again: &Again<'_>, options: &Options<'_>, put: Put<'_>) {
        let mut schemas = super::Schemas::default();
        for index in &self.definitions {
            if let Some(Some(finding)) = again.read(*index, |definition| schemas.take(definition)) {
                put(*index as usize, finding);
            }
        }
        if schemas.is_empty() {
            return;
        }
        for index in &self.extended {
            again.read(*index, |object| {
                let Some(Node::Map(extensions)) = object.get("extensions") else { return };
                let mut check = Check::new(options);
                extension_schema::check(&mut check, &schemas, extensions, &Path::Name(&Path::Root, "extensions"));
                check.finish().into_iter().for_each(|finding| put(*index as usize, finding));
            });
        }
    }
}

/// S-139: the contents of a translation against the version that they translate.
fn mirror(index: u32, content: &Map<'_>, target: &Map<'_>, put: Put<'_>) {
    let Some(Node::Map(contents)) = content.get("contents") else { return };
    let top = Path::Name(&Path::Root, "contents");
    for (language, translations) in contents.iter() {
        let Node::Map(translations) = translations else { continue };
        let at = Path::Name(&top, language);
        for (name, translated) in translations.iter() {
            // S-140: what the object does not have is ignored.
            if let Some(original) = target.get(name) {
                mirrors(original, translated, &Path::Name(&at, name), &mut |path, message| {
                    put(index as usize, error(Code::Language, "S-139", path, message));
                });
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
    id: String,
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
    fn of(index: u32, node: &Node<'_>) -> Option<Self> {
        let Node::Map(map) = node else { return None };
        let type_name = text(map, "type")?;
        let mut form = Vec::new();
        canonical::write_node(&mut form, node);
        Some(Self {
            index: index as usize,
            id: text(map, "id")?.to_owned(),
            created: text(map, "created").map(str::to_owned),
            modified: modified_of(map),
            created_by: text(map, "created_by_ref").map(str::to_owned),
            revoked: matches!(map.get("revoked"), Some(Node::Bool(true))),
            digest: canonical::digest(&form),
            class: Class::of(type_name),
            computed: sco_id::deterministic_id_of(map, type_name).map(|id| id.to_string()),
        })
    }
}

fn modified_of(map: &Map<'_>) -> Option<Timestamp> {
    text(map, "modified").and_then(|m| Timestamp::parse(m).ok())
}

/// S-051, S-054, S-055, S-057, S-059, S-128: the versions of one id, of which two are held at a time. In each pair the first object of the id, and a further one.
fn versions(group: &[(u32, u32)], again: &Again<'_>, put: Put<'_>) {
    let all = group.first().map(|pair| pair.0).into_iter().chain(group.iter().map(|pair| pair.1));
    let mut all: Vec<(Option<Timestamp>, u32)> =
        all.filter_map(|index| again.read(index, |map| (modified_of(map), index))).collect();
    all.sort();
    let mut all = all.into_iter().filter_map(|(_, index)| again.node(index, |node| Version::of(index, node))?);
    let Some(mut previous) = all.next() else { return };
    for after in all {
        let before = std::mem::replace(&mut previous, after);
        let after = &previous;
        if before.id != after.id {
            continue;
        }
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
