//! Redaction by derivation (L-107, L-123 to L-127): a new object, with an id and a label of its own, that holds what one reader may have of another.
//!
//! Nothing here releases: a copy is own material of the node like any other and leaves through the gate alone. It says nothing of the original:
//! neither its id, nor what was cut, nor that anything was.
use crate::combine::{Combined, Product};
use crate::{
    Assigned, Authority, Chain, Clearance, Decision, Label, LabelState, Meaning, Origin, Pap, Policy, Reader, Reason,
    Role, Tlp, Way,
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use stix::granular_marking::{self, Effective};
use stix::{AnyId, Class, Id, Limits, Object, Step, Timestamp, id};
use uuid::Uuid;

/// What names an object or its version, and what the copy gets anew: no marking cuts it; of all of it only the creator may go, with [`ATTRIBUTION`].
const FRAME: [&str; 9] = [
    "type",
    "spec_version",
    "id",
    "created",
    "modified",
    "revoked",
    "created_by_ref",
    "object_marking_refs",
    "granular_markings",
];
/// What tells where an object comes from (L-143).
const ATTRIBUTION: [&str; 2] = ["created_by_ref", "external_references"];

/// The properties that STIX 2.1 requires of each type beyond [`FRAME`]. Of a type that is not here nothing may be cut.
const REQUIRED: [(&str, &[&str]); 21] = [
    ("attack-pattern", &["name"]),
    ("campaign", &["name"]),
    ("course-of-action", &["name"]),
    ("grouping", &["context", "object_refs"]),
    ("identity", &["name"]),
    ("incident", &["name"]),
    ("indicator", &["pattern", "pattern_type", "valid_from"]),
    ("infrastructure", &["name"]),
    ("intrusion-set", &["name"]),
    ("malware", &["is_family"]),
    ("malware-analysis", &["product"]),
    ("note", &["content", "object_refs"]),
    ("observed-data", &["first_observed", "last_observed", "number_observed", "object_refs"]),
    ("opinion", &["opinion", "object_refs"]),
    ("relationship", &["relationship_type", "source_ref", "target_ref"]),
    ("report", &["name", "published", "object_refs"]),
    ("sighting", &["sighting_of_ref"]),
    ("threat-actor", &["name"]),
    ("tool", &["name"]),
    ("vulnerability", &["name"]),
    ("location", &[]),
];

/// How a copy is to be made.
#[derive(Clone, Copy)]
pub struct Redaction<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// The releasing organisation: the copy's creator (L-124), unless the object asks not to be attributed (L-143).
    pub creator: &'a Id<id::Identity>,
    /// A secret of the node: without it nobody can tell from a copy's id, and the original's, that they belong together.
    pub secret: &'a [u8; 32],
    /// Whether the reader may know of an object.
    pub visible: &'a dyn Fn(&AnyId) -> bool,
    /// Review date of a label made for the copy, if no part says an earlier one.
    pub review: &'a Timestamp,
    /// Every known actor: a label made for the copy lets in nobody whom a part refuses (L-093).
    pub actors: &'a [&'a [Clearance]],
}

impl fmt::Debug for Redaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").field("reader", &self.reader.no).finish_non_exhaustive()
    }
}

/// A redacted copy, not yet stored and not released.
#[derive(Debug, Clone)]
pub struct Redacted {
    object: Object,
    labels: Vec<Label>,
    cut: Vec<String>,
}

impl Redacted {
    /// The copy.
    pub fn object(&self) -> &Object {
        &self.object
    }
    /// The labels made for it, if none of the object's own says it all: their marking definitions must be held before the copy is.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }
    /// What was cut, as selectors into the original. For the owner alone.
    pub fn cut(&self) -> &[String] {
        &self.cut
    }
}

/// Why there is no copy: the object is withheld whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotRedacted {
    /// The agreement with the reader does not say that redaction is allowed (L-123).
    NotAllowed,
    /// Not the own organisation's, quarantined, relabelled, a copy itself, or of a kind without versions: only its owner redacts.
    NotOwn,
    /// The reader may have it whole.
    Whole,
    /// A required property may not be had, or the type is not known (L-125).
    Required(String),
    /// What remains has no label of its own: a person decides (L-093).
    Held(Vec<String>),
    /// A reference that the object needs is invisible, or its own id stands somewhere in it.
    Reference,
    /// The reader does not pass the copy either.
    Refused(Reason),
}

impl fmt::Display for NotRedacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => f.write_str("the agreement does not allow redaction"),
            Self::NotOwn => f.write_str("only own objects with versions are redacted"),
            Self::Whole => f.write_str("the reader may have it whole"),
            Self::Required(what) => write!(f, "`{what}` may not be cut"),
            Self::Held(why) => write!(f, "what remains has no label: {}", why.join("; ")),
            Self::Reference => f.write_str("what remains refers to what the reader may not know of"),
            Self::Refused(reason) => write!(f, "the reader does not pass the copy either ({reason})"),
        }
    }
}

impl Authority<'_> {
    /// The copy of an own object for a reader who may not have it whole, or why there is none. The same object, labels and rights always give the same
    /// copy, byte for byte, whatever the parts that were cut said.
    ///
    /// # Errors
    /// The object is withheld whole.
    pub fn redact(&self, object: &Object, chain: &Chain, how: &Redaction<'_>) -> Result<Redacted, NotRedacted> {
        if !how.reader.redaction {
            return Err(NotRedacted::NotAllowed);
        }
        // After a relabel nothing that the object carries counts, its granular markings neither.
        let relabelled = matches!(chain.assigned, Assigned::Relabelled { .. });
        let own = matches!(chain.origin, Origin::Own { .. }) && chain.unresolved.is_none() && chain.made_for.is_none();
        if !own || relabelled || !matches!(object.view().class, Class::Sdo | Class::Sro) {
            return Err(NotRedacted::NotOwn);
        }
        let Ok(Value::Object(body)) = serde_json::from_str(object.raw()) else { return Err(NotRedacted::NotOwn) };
        let marks = granular_marking::effective(object);
        let mut cutting = Cutting {
            authority: self,
            chain,
            how,
            type_name: object.view().type_name(),
            marks: &marks,
            whole: whole(object, chain),
            unattributed: chain.unattributed && !how.reader.owns(&chain.origin),
            kept: BTreeSet::new(),
            shown: BTreeMap::new(),
            unknown: false,
            cut: Vec::new(),
        };
        let mut copy = cutting.properties(&body)?;
        if cutting.cut.is_empty() && !cutting.unattributed && !self.tells_too_much(chain, how.reader) {
            return Err(NotRedacted::Whole);
        }
        let required = REQUIRED.iter().find(|(t, _)| *t == cutting.type_name);
        let Some((_, required)) = required else { return Err(NotRedacted::Required(cutting.type_name.to_owned())) };
        if let Some(lost) = required.iter().find(|p| !copy.contains_key(**p)) {
            return Err(NotRedacted::Required((*lost).to_owned()));
        }
        let (labels, markings) = cutting.label(object)?;
        copy.insert("id".into(), Value::String(cutting.derived_id(object, &copy)));
        if !cutting.unattributed {
            copy.insert("created_by_ref".into(), Value::String(how.creator.to_string()));
        }
        let cut = cutting.cut;
        copy.insert("object_marking_refs".into(), markings.iter().map(ToString::to_string).collect());
        let raw = Value::Object(copy).to_string();
        if raw.to_ascii_lowercase().contains(&object.id().to_string()) {
            return Err(NotRedacted::Reference);
        }
        let copy = Object::parse(&raw, &Limits::default()).map_err(|e| NotRedacted::Required(e.to_string()))?;
        if copy.view().references.iter().any(|r| r.need == stix::Need::Required && !(how.visible)(&r.target)) {
            return Err(NotRedacted::Reference);
        }
        Ok(Redacted { object: copy, labels, cut })
    }
}

fn held(why: &str) -> NotRedacted {
    NotRedacted::Held(vec![why.to_owned()])
}

/// The markings on the object as a whole: what it carries and was given, less what only parts of it carry.
fn whole(object: &Object, chain: &Chain) -> Vec<Id<id::MarkingDefinition>> {
    let all: BTreeSet<_> = object.view().markings.iter().chain(chain.assigned.markings()).copied().collect();
    all.into_iter().collect()
}

struct Cutting<'a> {
    authority: &'a Authority<'a>,
    chain: &'a Chain,
    how: &'a Redaction<'a>,
    type_name: &'a str,
    marks: &'a Effective<'a>,
    /// Markings on the whole object.
    whole: Vec<Id<id::MarkingDefinition>>,
    /// Whether nothing may tell where it comes from (L-143).
    unattributed: bool,
    /// The markings of each place kept.
    kept: BTreeSet<BTreeSet<Id<id::MarkingDefinition>>>,
    /// What stands in the copy for a label of which the reader may not know all.
    shown: BTreeMap<Id<id::MarkingDefinition>, Vec<Id<id::MarkingDefinition>>>,
    /// Whether anything was cut because of whom it refers to.
    unknown: bool,
    cut: Vec<String>,
}

impl Cutting<'_> {
    fn properties(&mut self, body: &Map<String, Value>) -> Result<Map<String, Value>, NotRedacted> {
        let mut copy = Map::new();
        // In order of name: what is cut, and so the id, must not depend on how somebody wrote the object.
        let sorted: BTreeMap<&String, &Value> = body.iter().collect();
        for (name, value) in sorted {
            let place = [Step::Name(name.as_str())];
            if self.unattributed && ATTRIBUTION.contains(&name.as_str()) {
                self.cut.push(name.clone());
                continue;
            }
            if FRAME.contains(&name.as_str()) {
                if !self.marks.needed_for(&place).is_empty() {
                    return Err(NotRedacted::Required(name.clone()));
                }
                copy.insert(name.clone(), value.clone());
                continue;
            }
            match value {
                Value::Array(items) => {
                    let mut left = Vec::with_capacity(items.len());
                    for (i, item) in items.iter().enumerate() {
                        let place = [Step::Name(name.as_str()), Step::Index(i)];
                        if self.knows(name, item) && self.keeps(&place) {
                            left.push(item.clone());
                        } else {
                            self.cut.push(format!("{name}.[{i}]"));
                        }
                    }
                    if !left.is_empty() {
                        copy.insert(name.clone(), Value::Array(left));
                    }
                }
                _ if self.knows(name, value) && self.keeps(&place) => {
                    copy.insert(name.clone(), value.clone());
                }
                _ => self.cut.push(name.clone()),
            }
        }
        copy.remove("granular_markings");
        Ok(copy)
    }

    fn knows(&mut self, name: &str, value: &Value) -> bool {
        let knows = self.may_know(name, value);
        self.unknown |= !knows;
        knows
    }

    /// Whether no identifier in a value is of something the reader may not know of (L-127).
    fn may_know(&self, name: &str, value: &Value) -> bool {
        match value {
            Value::String(text) => match text.parse::<AnyId>() {
                Ok(id) => (self.how.visible)(&id),
                Err(_) => !(name.ends_with("_ref") || name.ends_with("_refs")),
            },
            Value::Array(items) => items.iter().all(|item| self.may_know(name, item)),
            Value::Object(members) => members.iter().all(|(name, value)| self.may_know(name, value)),
            _ => true,
        }
    }

    /// Whether the reader may have the value at `place`. A label on it, or around it, counts instead of the object's; labels inside it and all other
    /// markings count besides (L-123).
    fn keeps(&mut self, place: &[Step<'_>]) -> bool {
        let covering: BTreeSet<_> = self.marks.at(place).markings().collect();
        let needed = self.marks.needed_for(place);
        let own_label = covering.iter().any(|m| self.is_label(m));
        let mut all: BTreeSet<_> = needed;
        all.extend(self.whole.iter().filter(|m| !own_label || !self.is_label(m)).copied());
        // A label that tells too much is replaced; everything else passed before that was asked.
        let may = |d| matches!(d, Decision::Release { .. } | Decision::Withhold(Reason::ForeignLabel));
        let passes = self.kept.contains(&all) || may(self.decide(all.iter().copied().collect()));
        if passes {
            self.kept.insert(all);
        }
        passes
    }

    fn decide(&self, carried: Vec<Id<id::MarkingDefinition>>) -> Decision {
        let chain = self.as_own(carried);
        self.authority.decide_in(chain.collection, &LabelState::new(vec![chain]), self.type_name, self.how.reader)
    }

    /// The original's road with these markings alone, attribution taken out.
    fn as_own(&self, carried: Vec<Id<id::MarkingDefinition>>) -> Chain {
        let origin = Origin::Own { account: None };
        // An override is of the whole: it opens no part of what it does not open (L-157).
        let overrides = Vec::new();
        Chain { carried, assigned: Assigned::None, origin, unattributed: false, overrides, ..self.chain.clone() }
    }

    /// UUID version 5 of the original's id and of what the copy shows (L-124): the markings of the places kept and, if anything was cut because of whom it
    /// refers to, whom the rest refers to. So two cuts of one version never share an id, all versions of one cut do, and the id tells nothing of what
    /// was cut, not even to whom knows the original's id.
    fn derived_id(&self, object: &Object, copy: &Map<String, Value>) -> String {
        let mut name = self.how.secret.to_vec();
        name.extend(object.id().to_string().bytes());
        let shown: BTreeSet<_> = self.kept.iter().map(|ids| self.shown(ids)).collect();
        for markings in shown {
            name.push(b'\n');
            for id in markings {
                name.extend(id.to_string().bytes());
            }
        }
        if self.unknown {
            // Said even where nothing that names anything is left: somebody else may have lost nothing for that reason.
            name.extend(b"\nknown");
            let mut known = BTreeSet::new();
            for (_, value) in copy.iter().filter(|(n, _)| !FRAME.contains(&n.as_str())) {
                ids_in(value, &mut known);
            }
            for id in known {
                name.push(b'\n');
                name.extend(id.bytes());
            }
        }
        let uuid = Uuid::new_v5(&crate::confidentiality_label::DERIVED_IDS, &name);
        format!("{}--{uuid}", object.view().type_name())
    }

    /// What the copy shows of the markings of a place. An alternative that it does not bear shows only where it was all that had to be passed.
    fn shown(&self, ids: &BTreeSet<Id<id::MarkingDefinition>>) -> BTreeSet<Id<id::MarkingDefinition>> {
        let originated = ids.iter().any(|id| self.label_of(id).is_some_and(|l| l.role() == Role::Originator));
        let shown = |id| self.shown.get(id).filter(|shown| originated || !shown.is_empty());
        ids.iter().flat_map(|id| shown(id).map_or_else(|| vec![*id], Vec::clone)).collect()
    }

    fn meaning(&self, id: &Id<id::MarkingDefinition>) -> Option<&Meaning> {
        self.authority.markings.meaning_in(id, &self.chain.origin, self.chain.collection)
    }

    fn label_of(&self, id: &Id<id::MarkingDefinition>) -> Option<&Label> {
        match self.meaning(id) {
            Some(Meaning::Label(label)) => Some(label),
            _ => None,
        }
    }

    fn is_label(&self, id: &Id<id::MarkingDefinition>) -> bool {
        self.label_of(id).is_some()
    }

    /// The copy's markings: one label for what is kept, or the reader's alternatives in its place, the strictest TLP and PAP (L-099), and everything else
    /// that is no label. First the labels among them that nobody holds yet.
    fn label(&mut self, object: &Object) -> Result<(Vec<Label>, Vec<Id<id::MarkingDefinition>>), NotRedacted> {
        let kept: BTreeSet<_> = self.kept.iter().flatten().copied().collect();
        let labels: Vec<Label> = kept.iter().filter_map(|id| self.label_of(id)).cloned().collect();
        let mut markings: BTreeSet<_> = kept.iter().filter(|id| !self.is_label(id)).copied().collect();
        let level = |id: &Id<id::MarkingDefinition>| match self.meaning(id) {
            Some(Meaning::Tlp(level)) => Some(*level),
            _ => None,
        };
        let pap = |id: &Id<id::MarkingDefinition>| match self.meaning(id) {
            Some(Meaning::Obligation(level)) => Some(*level),
            _ => None,
        };
        let strictest: Option<Tlp> = markings.iter().filter_map(level).max();
        let highest: Option<Pap> = markings.iter().filter_map(pap).max();
        markings.retain(|id| level(id).is_none() && pap(id).is_none());
        markings.extend(strictest.map(Tlp::marking_id).into_iter().chain(highest.map(Pap::marking_id)));
        let originated = labels.iter().any(|l| l.role() == Role::Originator);
        let stands = |l: &&Label| !originated || l.role() == Role::Alternative;
        let (beside, own): (Vec<&Label>, Vec<&Label>) = labels.iter().partition(stands);
        let mut borne = self.borne(&own, &beside)?;
        markings.extend(borne.iter().map(Label::marking_id));
        borne.retain(|label| !kept.contains(&label.marking_id()));
        self.check(&markings, &borne, object)?;
        Ok((borne, markings.into_iter().collect()))
    }

    /// The labels that the copy bears for those of the places kept: originators' labels `own`, alternatives `beside`.
    fn borne(&mut self, own: &[&Label], beside: &[&Label]) -> Result<Vec<Label>, NotRedacted> {
        let (policies, reader) = (self.authority.policies, self.how.reader);
        let cleared = |l: &Label| !reader.link.no_foreign_labels || reader.is_cleared_in(policies, l);
        // In an order that nothing hidden decides.
        let mut parts = BTreeMap::new();
        for label in own {
            let shown = match own {
                _ if cleared(label) => vec![label.with_alternatives(&cleared)],
                [_] => self.alternatives(label, beside)?,
                _ => return Err(held("a part's label is of a policy that the reader may not know of")),
            };
            self.shown.insert(label.marking_id(), shown.iter().map(Label::marking_id).collect());
            parts.extend(shown.into_iter().map(|label| (label.marking_id(), label)));
        }
        // Alternatives stand for an originator's label; where there is none, they are all there is. One reader may need several of them.
        let parts: Vec<&Label> = parts.values().collect();
        let borne: Vec<Label> = match (own, policies.conjunction(&parts).as_slice()) {
            ([], _) => beside.iter().copied().cloned().collect(),
            ([_], all) | (_, all @ [_]) => all.iter().copied().cloned().collect(),
            (_, several) => vec![self.combined(several)?],
        };
        let left_out = beside.iter().filter(|l| !borne.contains(l));
        self.shown.extend(left_out.map(|l| (l.marking_id(), Vec::new())));
        Ok(borne)
    }

    /// What stands for a label of a policy that the reader may not know of: its alternatives in the reader's own, written or as the operator's rows map it,
    /// all of which the reader passed (L-104, L-126).
    fn alternatives(&self, label: &Label, beside: &[&Label]) -> Result<Vec<Label>, NotRedacted> {
        let (policies, reader) = (self.authority.policies, self.how.reader);
        if label.succession().is_some() || beside.iter().any(|l| !self.whole.contains(&l.marking_id())) {
            return Err(held("an alternative cannot say what follows its label, nor what a part bears"));
        }
        let maker = (!self.unattributed).then(|| format!("urn:uuid:{}", self.how.creator.uuid()));
        let mapped = |c: &Clearance| {
            let to = policies.find(c.policy(), Some(c.policy_oid()))?;
            Some(policies.alternative(label, to, Way::Leaving, maker.as_deref(), label.created()).ok()?.0)
        };
        let mapped: Vec<Label> = reader.clearances.iter().filter_map(mapped).collect();
        let written = label.parts().alternatives.iter().chain(beside.iter().copied());
        let all: Vec<&Label> = written.filter(|l| reader.is_cleared_in(policies, l)).chain(&mapped).collect();
        let left = policies.conjunction(&all);
        let policy = |l: &&Label| policies.find(l.policy_name(), l.policy_oid()).map(Policy::oid);
        if left.iter().map(policy).collect::<BTreeSet<_>>().len() < left.len() {
            return Err(held("it has two alternatives in one policy"));
        }
        Ok(left.into_iter().cloned().collect())
    }

    fn combined(&self, parts: &[&Label]) -> Result<Label, NotRedacted> {
        let first = parts.first().ok_or_else(|| held("there is no label"))?;
        let policy = self.authority.policies.find(first.policy_name(), first.policy_oid());
        let policy = policy.ok_or_else(|| held("its policy is not held"))?;
        // Dates follow from the parts, so that the same parts always give the same label and id.
        let created = parts.iter().map(|l| l.created()).max().unwrap_or(first.created());
        let review = parts.iter().filter_map(|l| l.review()).chain([self.how.review]).min().unwrap_or(self.how.review);
        let product =
            Product { parts, contents: &BTreeMap::new(), raised: None, created, review, actors: self.how.actors };
        match self.authority.policies.combine(&product, policy) {
            Combined::Label { label, .. } => Ok(*label),
            Combined::Held(held) => Err(NotRedacted::Held(held.reasons.iter().map(ToString::to_string).collect())),
        }
    }

    /// The copy as a whole must pass for the reader, as it will be asked at the gate.
    fn check(
        &self,
        markings: &BTreeSet<Id<id::MarkingDefinition>>,
        made: &[Label],
        object: &Object,
    ) -> Result<(), NotRedacted> {
        let mut known = self.authority.markings.clone();
        for label in made {
            let definition = crate::marking_definition(label, "", None);
            let parsed = Object::parse(&definition, &Limits::default()).ok();
            if parsed.is_none_or(|o| known.add(&o, &self.chain.origin).is_err()) {
                return Err(held("its label cannot be carried"));
            }
        }
        let authority = Authority { policies: self.authority.policies, markings: &known, at: self.authority.at };
        let state = LabelState::new(vec![self.as_own(markings.iter().copied().collect())]);
        match authority.decide_in(self.chain.collection, &state, object.view().type_name(), self.how.reader) {
            Decision::Release { .. } => Ok(()),
            Decision::Withhold(reason) => Err(NotRedacted::Refused(reason)),
        }
    }
}

/// Every text in a value that is an identifier.
fn ids_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.parse::<AnyId>().is_ok() => {
            found.insert(text.clone());
        }
        Value::Array(items) => {
            for item in items {
                ids_in(item, found);
            }
        }
        Value::Object(members) => {
            for value in members.values() {
                ids_in(value, found);
            }
        }
        _ => {}
    }
}
