//! Labels inside STIX marking definitions (L-120 to L-122).
use crate::dissemination::{DISSEMINATION_EXTENSION, Dissemination};
use crate::{CollectionNo, Label, Origin, Pap, Party, Tlp, Unresolved, tlp};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use stix::{Id, Object, id::Identity, id::MarkingDefinition};

/// The label extension (L-120).
pub const LABEL_EXTENSION: &str = "extension-definition--fe858765-1796-4260-aa7f-f54827703167";
const TLP2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
const PAP_EXTENSION: &str = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b";

/// What one marking definition means.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Meaning {
    /// The label extension; the id is derived from it (checked).
    Label(Box<Label>),
    /// TLP 1 or 2, by well-known id alone: the id is trusted, never the body.
    Tlp(Tlp),
    /// A statement: no effect on release.
    Statement,
    /// PAP: travels, does not permit or forbid.
    Obligation(Pap),
    /// Who was addressed, and what they may do next (L-132): never a label (L-133).
    Dissemination(Box<Dissemination>),
    /// Anything else: withhold.
    Unknown,
}

/// A marking definition as held, with who brought it.
#[derive(Debug, Clone, PartialEq)]
pub struct Marking {
    /// Its id.
    pub id: Id<MarkingDefinition>,
    /// Its meaning.
    pub meaning: Meaning,
    /// Who may define it: a label vouches for itself; other kinds count for own origin, or for objects of the same origin.
    pub origins: Vec<Origin>,
}

/// One entry for each meaning that somebody gave an id; more than one is possible only for what is not derived.
type ById = HashMap<Id<MarkingDefinition>, Vec<Marking>>;

/// All markings a node knows, realm by realm: what an exercise defines means nothing elsewhere (I8). The well-known TLP and PAP ids, and what the
/// node's own catalogue defines, are known in every realm.
#[derive(Debug, Clone, Default)]
pub struct Markings {
    everywhere: ById,
    realms: BTreeMap<String, ById>,
    realm_of: HashMap<CollectionNo, String>,
    /// Policy by OID and value of the community that a collection names (L-147).
    communities: BTreeMap<CollectionNo, (String, String)>,
    /// Identities of the node's own organisation (L-140).
    home: BTreeSet<Id<Identity>>,
}

impl Markings {
    /// Only the well-known ids.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells in which realm a collection is. What is defined in realms means nothing in a collection of which nothing was told.
    pub fn place(&mut self, collection: CollectionNo, realm: &str) {
        self.realm_of.insert(collection, realm.to_owned());
    }

    /// Tells which community a collection names: a group or nation of a policy, by the policy's OID and any of its spellings. What is for all of it
    /// is TLP:GREEN for tools that know TLP alone (L-147).
    pub fn community(&mut self, collection: CollectionNo, policy_oid: &str, value: &str) {
        self.communities.insert(collection, (policy_oid.to_owned(), value.to_owned()));
    }

    /// Tells an identity of the node's own organisation: what is addressed to it, it may give on as far as the sender says (L-140).
    pub fn home(&mut self, identity: Id<Identity>) {
        self.home.insert(identity);
    }

    pub(crate) fn own_identities(&self) -> &BTreeSet<Id<Identity>> {
        &self.home
    }

    /// The community that a collection names, as policy and value.
    pub(crate) fn community_of(&self, collection: CollectionNo) -> Option<(&str, &str)> {
        self.communities.get(&collection).map(|(policy, value)| (policy.as_str(), value.as_str()))
    }

    /// Reads a marking-definition object that came into a collection and adds it (or one more origin to it) in the realm of that collection.
    ///
    /// # Errors
    /// As [`Self::add`]; also for a collection that was not placed: what it holds defines nothing.
    pub fn add_in(&mut self, collection: CollectionNo, object: &Object, origin: &Origin) -> Result<(), Unresolved> {
        let nowhere = || Unresolved::Contradictory { why: "marking:collection".into() };
        let realm = self.realm_of.get(&collection).ok_or_else(nowhere)?;
        add(self.realms.entry(realm.clone()).or_default(), object, origin)
    }

    /// Reads a marking-definition object and adds it (or one more origin to it) in every realm.
    ///
    /// # Errors
    /// Quarantine the object: its id is not derived from its label, or it is a well-known id with another body (`ForgedMarking`, L-121),
    /// or it carries a label that cannot be read (`Contradictory`). A well-known id keeps its meaning whatever its body.
    pub fn add(&mut self, object: &Object, origin: &Origin) -> Result<(), Unresolved> {
        add(&mut self.everywhere, object, origin)
    }

    /// What `id` means on an object brought by `origin`. A label means the same for everybody. What is not derived counts as the party that brought
    /// the object defined it, and only if it did not, as the node's own organisation did: so what a party's objects mean by its own definitions
    /// does not tell it whether the node holds another under that id (I1). If one party gave an id two meanings, it is [`Meaning::Unknown`].
    pub fn meaning_in(
        &self,
        id: &Id<MarkingDefinition>,
        origin: &Origin,
        collection: CollectionNo,
    ) -> Option<&Meaning> {
        self.meaning_among(id, origin, self.realm_of.get(&collection).and_then(|realm| self.realms.get(realm)))
    }

    /// The same for what is known in every realm alone.
    pub fn meaning(&self, id: &Id<MarkingDefinition>, origin: &Origin) -> Option<&Meaning> {
        self.meaning_among(id, origin, None)
    }

    fn meaning_among<'m>(
        &'m self,
        id: &Id<MarkingDefinition>,
        origin: &Origin,
        realm: Option<&'m ById>,
    ) -> Option<&'m Meaning> {
        if let Some(known) = tlp::well_known(id) {
            return Some(known);
        }
        let (everywhere, here) = (self.everywhere.get(id), realm.and_then(|realm| realm.get(id)));
        let held = || everywhere.into_iter().chain(here).flatten();
        let is_label = |m: &Marking| matches!(m.meaning, Meaning::Label(_));
        let by_party = |m: &Marking| m.origins.iter().any(|o| o.party() == origin.party());
        let by_own = |m: &Marking| m.origins.iter().any(|o| o.party() == Party::Own);
        let party_did = held().any(by_party);
        let mut defined = held().filter(|m| is_label(m) || if party_did { by_party(m) } else { by_own(m) });
        let first = defined.next()?;
        Some(if defined.all(|m| m.meaning == first.meaning) { &first.meaning } else { &Meaning::Unknown })
    }

    /// Names the ids that were given more than one meaning, with who gave which: while it stays the same, no marking that was understood comes to
    /// mean something else. Whoever remembers decisions asks again when it changes.
    pub fn fingerprint(&self) -> [u8; 32] {
        let all = std::iter::once(("", &self.everywhere));
        let all = all.chain(self.realms.iter().map(|(realm, by_id)| (realm.as_str(), by_id)));
        let mut lines = Vec::new();
        for (realm, by_id) in all {
            let several = |(id, held): &(&Id<MarkingDefinition>, &Vec<Marking>)| {
                let mut others = held.iter().chain(self.everywhere.get(*id).into_iter().flatten());
                held.first().is_some_and(|first| others.any(|other| other.meaning != first.meaning))
            };
            for m in by_id.iter().filter(several).flat_map(|(_, held)| held) {
                let mut origins: Vec<String> = m.origins.iter().map(|o| format!("{o:?}")).collect();
                origins.sort();
                lines.push(format!("{realm:?} {} {:?} {origins:?}\n", m.id, m.meaning));
            }
        }
        lines.sort();
        lines.iter().fold(Sha256::new(), |hash, line| hash.chain_update(line.as_bytes())).finalize().into()
    }

    /// What is held under `id` in any realm, whoever brought it; for display. The well-known ids are not held but built in.
    pub fn get(&self, id: &Id<MarkingDefinition>) -> Option<&Marking> {
        std::iter::once(&self.everywhere).chain(self.realms.values()).find_map(|by_id| by_id.get(id)?.first())
    }
}

/// Reads a marking definition and adds it, or one more origin to it.
fn add(by_id: &mut ById, object: &Object, origin: &Origin) -> Result<(), Unresolved> {
    let forged = Err(Unresolved::ForgedMarking);
    let Ok(id) = Id::<MarkingDefinition>::try_from(object.id()) else { return forged };
    let Ok(Value::Object(body)) = serde_json::from_str(object.raw()) else { return forged };
    if tlp::well_known(&id).is_some() {
        return if tlp::is_genuine(&id, &body) { Ok(()) } else { forged };
    }
    let meaning = read(&id, &body)?;
    let known = by_id.entry(id).or_default();
    match known.iter_mut().find(|m| m.meaning == meaning) {
        Some(m) => {
            if !m.origins.contains(origin) {
                m.origins.push(origin.clone());
            }
        }
        None => known.push(Marking { id, meaning, origins: vec![origin.clone()] }),
    }
    Ok(())
}

/// Whether `object` is a marking definition that is labelled by itself: a genuine label or a well-known TLP.
pub(crate) fn labels_itself(object: &Object) -> Result<Option<Id<MarkingDefinition>>, Unresolved> {
    let Ok(id) = Id::<MarkingDefinition>::try_from(object.id()) else { return Ok(None) };
    let Ok(Value::Object(body)) = serde_json::from_str(object.raw()) else { return Err(Unresolved::ForgedMarking) };
    if tlp::well_known(&id).is_some() {
        return if tlp::is_genuine(&id, &body) {
            Ok(matches!(tlp::well_known(&id), Some(Meaning::Tlp(_))).then_some(id))
        } else {
            Err(Unresolved::ForgedMarking)
        };
    }
    Ok(matches!(read(&id, &body)?, Meaning::Label(_)).then_some(id))
}

/// The meaning of a marking definition that [`labels_itself`], read from its own body.
pub(crate) fn label_of(object: &Object, id: &Id<MarkingDefinition>) -> Option<Meaning> {
    let Ok(Value::Object(body)) = serde_json::from_str(object.raw()) else { return None };
    read(id, &body).ok().filter(|m| matches!(m, Meaning::Label(_)))
}

/// What the body of a marking definition says.
pub(crate) fn read(id: &Id<MarkingDefinition>, body: &Map<String, Value>) -> Result<Meaning, Unresolved> {
    let definition_type = body.get("definition_type");
    let Some(extensions) = body.get("extensions") else {
        let statement = definition_type.and_then(Value::as_str) == Some("statement");
        return Ok(if statement { Meaning::Statement } else { Meaning::Unknown });
    };
    let Some(extensions) = extensions.as_object() else { return Ok(Meaning::Unknown) };
    if let Some(extension) = extensions.get(LABEL_EXTENSION) {
        // Nothing else may hide beside a label: its id would not vouch for it.
        if definition_type.is_some() || extensions.len() != 1 {
            return Err(Unresolved::ForgedMarking);
        }
        let label = carried_label(extension).map_err(|why| Unresolved::Contradictory { why })?;
        return if label.marking_id() == *id {
            Ok(Meaning::Label(Box::new(label)))
        } else {
            Err(Unresolved::ForgedMarking)
        };
    }
    let only =
        |name: &str| (extensions.len() == 1 && definition_type.is_none()).then(|| extensions.get(name)).flatten();
    if let Some(extension) = only(DISSEMINATION_EXTENSION) {
        let read = extension.as_object().and_then(Dissemination::read);
        return Ok(read.map_or(Meaning::Unknown, |d| Meaning::Dissemination(Box::new(d))));
    }
    let pap = only(PAP_EXTENSION).and_then(|e| Pap::from_name(e["pap"].as_str()?));
    Ok(pap.map_or(Meaning::Unknown, Meaning::Obligation))
}

/// The label in the extension; members beside it that are not ours are refused, because they might restrict.
fn carried_label(extension: &Value) -> Result<Label, String> {
    let members = extension.as_object().ok_or("label:extension")?;
    let known = ["extension_type", "label", "spif", "membership_version"];
    if members.keys().any(|k| !known.contains(&k.as_str())) {
        return Err("label:unknown-member".into());
    }
    let label = members.get("label").ok_or("label:missing")?;
    Label::from_json(&label.to_string()).map_err(|_| "label:unreadable".into())
}

/// The STIX object that carries `label` (L-120, L-121); `name` is usually the marking text.
pub fn marking_definition(label: &Label, name: &str, created_by: Option<&Id<Identity>>) -> String {
    let label_json: Value = serde_json::from_slice(label.canonical()).unwrap_or_default();
    let created = label.created().as_str().trim_end_matches('Z');
    let mut object = json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": label.marking_id(),
        "created": format!("{created}.000Z"),
        "name": name,
        "extensions": { LABEL_EXTENSION: { "extension_type": "property-extension", "label": label_json } },
    });
    if name.is_empty() {
        object.as_object_mut().map(|o| o.remove("name"));
    }
    if let Some(identity) = created_by {
        object["created_by_ref"] = json!(identity);
    }
    object.to_string()
}

impl Tlp {
    /// The fixed TLP 2.0 marking definition (`tlp.json`), to be sent with what it marks.
    pub fn marking_definition(self) -> String {
        tlp::genuine(&self.marking_id()).map(|o| Value::Object(o).to_string()).unwrap_or_default()
    }
}

pub(crate) fn tlp2_body(level: Tlp) -> Map<String, Value> {
    object(json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": level.marking_id(),
        "created": "2022-10-01T00:00:00.000Z",
        "name": level.to_string(),
        "extensions": { TLP2_EXTENSION: { "extension_type": "property-extension", "tlp_2_0": level.name().to_lowercase() } },
    }))
}

pub(crate) fn tlp1_body(id: &Id<MarkingDefinition>, word: &str) -> Map<String, Value> {
    object(json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": id,
        "created": "2017-01-20T00:00:00.000Z",
        "name": format!("TLP:{}", word.to_uppercase()),
        "definition_type": "tlp",
        "definition": { "tlp": word },
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
