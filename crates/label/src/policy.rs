//! Compiled policies: validity of a label (L-054, L-055) and the decision for one policy (section 6).
//! (SPIF reading: `spif.rs`; marking text: `marking_text.rs`.)
use crate::equivalence::{Besides, EquivalentClass, EquivalentTag};
use crate::marking_text::{Phrase, Qualifier};
use crate::membership::Roll;
use crate::name::{Wanted, cmp_oid};
use crate::stanag4774::extension_namespace;
use crate::{Clearance, Label, Reason, TagType, Trust};
use std::collections::BTreeSet;
use std::sync::Arc;
use stix::Timestamp;

/// Whether a label is checked as new (nothing obsolete, nothing outside its dates, no empty permissive category) or as read (L-054, L-055).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// For making.
    New,
    /// For reading.
    Old,
}

/// One compiled SPIF. Made by [`Policy::load`].
#[derive(Debug)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) oid: String,
    pub(crate) digest: [u8; 48],
    pub(crate) version: String,
    pub(crate) window: (Option<Timestamp>, Option<Timestamp>),
    pub(crate) default_id: Option<(String, String)>,
    pub(crate) classifications: Vec<Classification>,
    pub(crate) tag_sets: Vec<TagSet>,
    pub(crate) phrases: Vec<Phrase>,
    pub(crate) qualifiers: Vec<Qualifier>,
    /// Oldest first.
    pub(crate) rolls: Vec<Roll>,
    pub(crate) harmless: BTreeSet<String>,
    /// What equivalent policies require besides (L-102).
    pub(crate) equivalent_policies: Vec<Besides>,
    pub(crate) thresholds: Vec<Threshold>,
}

/// From how many of something on a product is held (L-096).
#[derive(Debug)]
pub struct Threshold {
    /// Of what, e.g. `indicator`.
    pub what: String,
    /// How many are not held yet.
    pub most: u64,
    /// The classification below which a person may not go, by place.
    pub floor: usize,
}

/// One `securityClassification`.
#[derive(Debug)]
pub struct Classification {
    /// As the file writes it.
    pub name: String,
    /// The name folded, as are all `key`s here.
    pub key: String,
    /// What stands for it in other files.
    pub lacv: String,
    /// Its rank: a higher one is stricter.
    pub hierarchy: i64,
    /// No longer for new labels (L-055).
    pub obsolete: bool,
    /// What a label of it must have besides.
    pub required: Vec<Requirement>,
    /// Its markings.
    pub phrases: Vec<Phrase>,
    /// What it is in other policies.
    pub equivalents: Vec<EquivalentClass>,
}

/// What a tag set is for in the policy (L-059, L-094).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagSetRole {
    /// The context that owns the data.
    Owns,
    /// Those beyond the context.
    Expands,
    /// Those of the audience who are left.
    Narrows,
    /// The whole audience.
    Audience,
}

/// One `securityCategoryTagSet`.
#[derive(Debug)]
pub struct TagSet {
    /// As the file writes it.
    pub name: String,
    /// The name once more, for reasons: these are made for every reader who is refused.
    pub(crate) shown: Arc<str>,
    /// The name folded.
    pub key: String,
    /// Object identifier.
    pub oid: String,
    /// Other names (L-010), folded.
    pub aliases: Vec<String>,
    /// What it is for, if the file says so.
    pub role: Option<TagSetRole>,
    /// The value that stands for the owner's own audience, folded.
    pub home: Option<String>,
    /// One for each type.
    pub lanes: Vec<Lane>,
    pub(crate) equivalents: Vec<Besides>,
}

/// All tags of one type in one tag set, merged for look-up (L-053).
#[derive(Debug)]
pub struct Lane {
    /// The type.
    pub kind: TagType,
    /// In the order of the file.
    pub values: Vec<Value>,
    /// In the order of the file.
    pub tags: Vec<Tag>,
}

/// One `securityCategoryTag`: a run of the lane's values.
#[derive(Debug)]
pub struct Tag {
    pub(crate) values: std::ops::Range<usize>,
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// What stands around and between its values in a marking.
    pub qualifiers: Vec<Qualifier>,
}

/// One `tagCategory`.
#[derive(Debug)]
pub struct Value {
    /// As the file writes it.
    pub name: String,
    /// The name folded.
    pub key: String,
    /// Other names (L-010), folded.
    pub aliases: Vec<String>,
    /// What stands for it in rules and in other files.
    pub lacv: String,
    /// No longer for new labels (L-055).
    pub obsolete: bool,
    /// From when until when it is for new labels; both ends belong to it.
    pub window: (Option<Timestamp>, Option<Timestamp>),
    /// The one classification at which it may stand, by place.
    pub required_class: Option<usize>,
    /// Classifications at which it may not stand, by place.
    pub excluded_classes: Vec<usize>,
    /// What a label with it must have besides.
    pub required: Vec<Requirement>,
    /// What a label with it may not have.
    pub excluded: Vec<Group>,
    /// Its markings.
    pub phrases: Vec<Phrase>,
    /// What it is in other policies.
    pub equivalents: Vec<EquivalentTag>,
}

/// `requiredCategory/@operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Exactly one of the groups.
    OnlyOne,
    /// At least one of them.
    OneOrMore,
    /// Every one.
    All,
}

/// One `requiredCategory`.
#[derive(Debug)]
pub struct Requirement {
    /// How many of the groups.
    pub operation: Operation,
    /// What is counted.
    pub groups: Vec<Group>,
}

/// One `categoryGroup` or `excludedCategory`: a value of a lane, or any value of it; all by place.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Which tag set.
    pub set: usize,
    /// Which lane of it.
    pub lane: usize,
    /// Which value of that, or any.
    pub value: Option<usize>,
}

/// Every fault of a policy file at once (L-052).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} fault(s) in the policy file, first: {}", faults.len(), faults.first().map_or("", |f| f.as_str()))]
pub struct PolicyError {
    /// One sentence each, with line.
    pub faults: Vec<String>,
}

/// A label found in a policy: indices instead of names.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) class: usize,
    pub(crate) chosen: Vec<Chosen>,
    /// The membership list in force when the label was made (L-028).
    pub(crate) roll: Option<usize>,
}

/// The values of one lane that a label names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) set: usize,
    pub(crate) lane: usize,
    pub(crate) values: BTreeSet<usize>,
}

/// Adds values to those of the same lane.
pub(crate) fn choose(chosen: &mut Vec<Chosen>, more: Chosen) {
    match chosen.iter_mut().find(|c| c.set == more.set && c.lane == more.lane) {
        Some(c) => c.values.extend(more.values),
        None => chosen.push(more),
    }
}

impl Value {
    /// Whether it may stand on a label of this classification.
    pub(crate) fn stands_at(&self, class: usize) -> bool {
        !self.excluded_classes.contains(&class) && self.required_class.is_none_or(|c| c == class)
    }

    /// The same for a new label, whatever the value's dates.
    pub fn is_usable_at(&self, class: usize) -> bool {
        !self.obsolete && self.stands_at(class)
    }
}

impl TagSet {
    /// The value that stands for the owner's own audience.
    pub(crate) fn home_value(&self) -> Option<&Value> {
        let home = self.home.as_ref()?;
        self.lanes.iter().flat_map(|l| &l.values).find(|v| v.key == *home)
    }
}

impl Lane {
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.index(name).and_then(|i| self.values.get(i))
    }

    fn index(&self, name: &str) -> Option<usize> {
        let wanted = Wanted::new(name);
        self.values.iter().position(|v| wanted.is(&v.key) || wanted.is_in(&v.aliases))
    }
}

impl Policy {
    /// Policy name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Policy OID.
    pub fn oid(&self) -> &str {
        &self.oid
    }

    /// Whether it is the policy of public material (L-006), which restricts nobody.
    pub fn is_public(&self) -> bool {
        self.oid == crate::decide::PUBLIC_OID
    }

    /// SHA-384 of the file (L-056).
    pub fn digest(&self) -> &[u8; 48] {
        &self.digest
    }

    /// `SPIF/@version`, as written (L-056); empty if not stated.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Start and end of validity of the file, if stated; both belong to it.
    pub fn window(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        self.window.clone()
    }

    /// `defaultSecurityPolicyId` (name, OID): shown, never followed (L-058, L-005).
    pub fn default_policy(&self) -> Option<(&str, &str)> {
        self.default_id.as_ref().map(|(n, o)| (n.as_str(), o.as_str()))
    }

    /// Whether the file's dates cover `at`.
    pub(crate) fn in_window(&self, at: &Timestamp) -> bool {
        within(&self.window, at)
    }

    /// Its classifications, in the order of the file.
    pub fn classifications(&self) -> &[Classification] {
        &self.classifications
    }

    /// Its tag sets, in the order of the file.
    pub fn tag_sets(&self) -> &[TagSet] {
        &self.tag_sets
    }

    /// Markings of the policy itself.
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// What stands around and between the parts of a marking.
    pub fn qualifiers(&self) -> &[Qualifier] {
        &self.qualifiers
    }

    /// From how many of something on a product is held (L-096).
    pub fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    /// Name spaces of extensions that restrict nobody (L-014).
    pub fn harmless(&self) -> &BTreeSet<String> {
        &self.harmless
    }

    /// Whether every extension that a label carries stands in a name space that this file calls harmless (L-014).
    pub(crate) fn knows_extensions(&self, label: &Label) -> bool {
        let harmless = |e: &String| extension_namespace(e).is_some_and(|ns| self.harmless.contains(&ns));
        label.parts().ext.iter().all(harmless)
    }

    pub(crate) fn classification(&self, name: &str) -> Option<&Classification> {
        self.class_index(name).and_then(|i| self.classifications.get(i))
    }

    /// The place of a classification among [`Self::classifications`], by its name.
    pub fn class_index(&self, name: &str) -> Option<usize> {
        let wanted = Wanted::new(name);
        self.classifications.iter().position(|c| wanted.is(&c.key))
    }

    /// By OID when given, else by name; both given must agree (L-009, L-010).
    pub(crate) fn tag_set(&self, name: &str, oid: Option<&str>) -> Result<&TagSet, &'static str> {
        self.set_index(name, oid).and_then(|i| self.tag_sets.get(i).ok_or("unknown-tag-set"))
    }

    fn set_index(&self, name: &str, oid: Option<&str>) -> Result<usize, &'static str> {
        let wanted = Wanted::new(name);
        let named = |s: &TagSet| wanted.is(&s.key) || wanted.is_in(&s.aliases);
        match oid {
            Some(oid) => {
                let i = self.tag_sets.iter().position(|s| s.oid == oid).ok_or("unknown-tag-set")?;
                if self.tag_sets.get(i).is_some_and(named) { Ok(i) } else { Err("tag-set-name") }
            }
            None => self.tag_sets.iter().position(named).ok_or("unknown-tag-set"),
        }
    }

    /// Whether the label names this policy, and by which fault not (L-009).
    fn names_me(&self, label: &Label) -> Result<(), &'static str> {
        let same_name = Wanted::new(label.policy_name()).is(&self.key);
        match label.policy_oid() {
            Some(oid) if oid == self.oid => {
                if same_name {
                    Ok(())
                } else {
                    Err("policy-name")
                }
            }
            None if same_name => Ok(()),
            _ => Err("policy"),
        }
    }

    /// L-054 / L-055. The error is the `<why>` of `label:<why>`: `policy`, `policy-name`, `unknown-classification`, `unknown-tag-set`,
    /// `tag-set-name`, `tag-type`, `unknown-value`, `obsolete-value`, `value-dates`, `empty-category`, `excluded-class`, `required-class`,
    /// `required-category`, `excluded-category`, `selection`, `successor` (its successor is invalid).
    ///
    /// `at` matters for new labels only: a value with dates cannot be put on a new label without it.
    ///
    /// # Errors
    /// The first rule broken, in the order above.
    pub fn check(&self, label: &Label, mode: Validity, at: Option<&Timestamp>) -> Result<(), &'static str> {
        self.resolve(label, mode, at)?;
        match label.succession() {
            // A successor in another policy is that policy's business.
            Some((_, next)) if self.names_me(next) != Err("policy") => {
                self.check(next, mode, at).map_err(|_| "successor")
            }
            _ => Ok(()),
        }
    }

    /// [`Self::check`] without the successor, keeping what was found.
    pub(crate) fn resolve(
        &self,
        label: &Label,
        mode: Validity,
        at: Option<&Timestamp>,
    ) -> Result<Resolved, &'static str> {
        self.names_me(label)?;
        let class = self.class_index(label.classification()).ok_or("unknown-classification")?;
        let mut chosen: Vec<Chosen> = Vec::new();
        for category in &label.parts().categories {
            let set = self.set_index(&category.tag, category.oid.as_deref())?;
            let lanes = &self.tag_sets[set].lanes;
            let lane = lanes.iter().position(|l| l.kind == category.kind).ok_or("tag-type")?;
            let values: BTreeSet<usize> = category
                .values
                .iter()
                .map(|v| lanes[lane].index(v).ok_or("unknown-value"))
                .collect::<Result<_, _>>()?;
            // Two types of one tag set on one label: L-043, here also where one category came by name and the other by OID.
            if chosen.iter().any(|c| c.set == set && c.lane != lane) {
                return Err("tag-type");
            }
            choose(&mut chosen, Chosen { set, lane, values });
        }
        // The order of L-071, whatever the label left out: the first failing tag is the reason told, and that must not depend on spelling.
        chosen.sort_by(|a, b| cmp_oid(Some(&self.tag_sets[a.set].oid), Some(&self.tag_sets[b.set].oid)));
        let resolved = Resolved { class, chosen, roll: self.roll_at(label.created()) };
        if mode == Validity::New {
            self.check_new(&resolved, at)?;
        }
        self.check_rules(&resolved)?;
        Ok(resolved)
    }

    fn check_new(&self, label: &Resolved, at: Option<&Timestamp>) -> Result<(), &'static str> {
        if self.classifications[label.class].obsolete || self.values(label).any(|v| v.obsolete) {
            return Err("obsolete-value");
        }
        let dated = |v: &Value| v.window != (None, None) && !at.is_some_and(|at| within(&v.window, at));
        if self.values(label).any(dated) {
            return Err("value-dates");
        }
        if label.chosen.iter().any(|c| c.values.is_empty() && self.lane(c).kind == TagType::Permissive) {
            return Err("empty-category"); // L-095
        }
        Ok(())
    }

    fn check_rules(&self, label: &Resolved) -> Result<(), &'static str> {
        if self.values(label).any(|v| v.excluded_classes.contains(&label.class)) {
            return Err("excluded-class");
        }
        if self.values(label).any(|v| v.required_class.is_some_and(|c| c != label.class)) {
            return Err("required-class");
        }
        if self.unmet(label).is_some() {
            return Err("required-category");
        }
        if self.values(label).flat_map(|v| &v.excluded).any(|g| g.present(label) > 0) {
            return Err("excluded-category");
        }
        // Limits count for a tag that the label uses; that a tag must be used is said by a required category.
        let selected = |c: &Chosen, t: &Tag| c.values.range(t.values.clone()).count();
        let broken = label.chosen.iter().filter(|c| !c.values.is_empty()).any(|c| {
            self.lane(c).tags.iter().map(|t| (selected(c, t), t)).any(|(n, t)| n > t.max || (n > 0 && n < t.min))
        });
        if broken { Err("selection") } else { Ok(()) }
    }

    /// The first required category, of the classification or of a value, that is not met.
    pub(crate) fn unmet<'a>(&'a self, label: &'a Resolved) -> Option<&'a Requirement> {
        let class = self.classifications[label.class].required.iter();
        class.chain(self.values(label).flat_map(|v| &v.required)).find(|r| !r.met(label))
    }

    pub(crate) fn lane(&self, c: &Chosen) -> &Lane {
        &self.tag_sets[c.set].lanes[c.lane]
    }

    pub(crate) fn values<'a>(&'a self, label: &'a Resolved) -> impl Iterator<Item = &'a Value> {
        label.chosen.iter().flat_map(|c| self.values_of(c))
    }

    /// The whole function of labels.md section 6 for one policy, in reading mode and without regard to dates. The error is a reason of L-083.
    ///
    /// # Errors
    /// The first condition that fails, e.g. `permissive:Releasable To`.
    pub fn decide(&self, label: &Label, clearance: &Clearance) -> Result<(), String> {
        let resolved = self.resolve(label, Validity::Old, None).map_err(|why| Reason::invalid(why).to_string())?;
        self.compare(&resolved, clearance).map_err(|r| r.to_string())
    }

    /// Steps 1 (second half) to 6 of section 6: the clearance is for this policy; the classification is listed; every restrictive value is
    /// held; of every permissive tag set at least one value is held (L-080); nothing else counts.
    pub(crate) fn compare(&self, label: &Resolved, clearance: &Clearance) -> Result<(), Reason> {
        if clearance.policy_oid() != self.oid {
            return Err(Reason::Policy);
        }
        let places = clearance.places_in(&self.digest);
        let classified = match places {
            Some(places) => places.has_classification(label.class),
            None => clearance.has_classification(&self.classifications[label.class].key),
        };
        if !classified {
            return Err(Reason::Classification);
        }
        let held = |c: &Chosen, v: &usize| match places {
            Some(places) => places.holds(c.set, c.lane, *v),
            None => clearance
                .values(&self.tag_sets[c.set].oid, self.lane(c).kind)
                .is_some_and(|h| h.contains(&self.lane(c).values[*v].key)),
        };
        let newcomer = |c: &Chosen, v: &usize| {
            self.rolls.len() > 1 && self.joined_later(&self.lane(c).values[*v].key, label.roll, clearance)
        };
        let tag = |c: &Chosen| Arc::clone(&self.tag_sets[c.set].shown);
        let of = |kind: TagType| label.chosen.iter().filter(move |c| self.lane(c).kind == kind);
        if let Some(c) = of(TagType::Restrictive).find(|c| !c.values.iter().all(|v| held(c, v))) {
            return Err(Reason::Restrictive(tag(c)));
        }
        // A permissive category without values has no value that anybody could hold: nobody (L-044).
        if let Some(c) = of(TagType::Permissive).find(|c| !c.values.iter().any(|v| held(c, v) && !newcomer(c, v))) {
            return Err(Reason::Permissive(tag(c)));
        }
        Ok(())
    }

    /// The same label in this policy's spelling, with every OID written (L-042, L-071): what a catalogue holds.
    ///
    /// # Errors
    /// As [`Self::check`] in reading mode.
    pub fn spelled(&self, label: &Label) -> Result<Label, String> {
        let resolved = self.resolve(label, Validity::Old, None)?;
        let mut parts = label.parts().clone();
        if let Some((at, next)) = label.succession() {
            let next = if self.names_me(next).is_ok() { self.spelled(next)? } else { next.clone() };
            parts.succession = Some((at.clone(), Box::new(next)));
        }
        self.label_of(resolved.class, &resolved.chosen, parts)
    }

    /// Where a value stands in the SPIF, for writing in SPIF order (L-042).
    pub(crate) fn position(&self, tag: &str, oid: Option<&str>, kind: TagType, value: &str) -> Option<(usize, usize)> {
        let set = self.set_index(tag, oid).ok()?;
        let lane = self.tag_sets[set].lanes.iter().find(|l| l.kind == kind)?;
        Some((set, lane.index(value)?))
    }
}

impl Requirement {
    /// L-054: a group without a value means any value of its tag, also under `all`.
    fn met(&self, label: &Resolved) -> bool {
        let mut counts = self.groups.iter().map(|g| g.present(label));
        match self.operation {
            Operation::OnlyOne => counts.sum::<usize>() == 1,
            Operation::OneOrMore => counts.any(|n| n > 0),
            Operation::All => counts.all(|n| n > 0),
        }
    }
}

impl Group {
    /// How many of the categories meant are in the label.
    pub(crate) fn present(&self, label: &Resolved) -> usize {
        label
            .chosen
            .iter()
            .filter(|c| c.set == self.set && c.lane == self.lane)
            .map(|c| self.value.map_or(c.values.len(), |v| usize::from(c.values.contains(&v))))
            .sum()
    }
}

/// Whether an instant is in a window, to which both ends belong.
pub fn within(window: &(Option<Timestamp>, Option<Timestamp>), at: &Timestamp) -> bool {
    window.0.as_ref().is_none_or(|from| from <= at) && window.1.as_ref().is_none_or(|until| at <= until)
}

/// The policies a node uses; looked up by OID, else by name (L-009). PUBLIC (OID 1.3.6.1.4.1.31778.12.2.1) is loaded like any other file.
#[derive(Debug, Default)]
pub struct Policies {
    list: Vec<Policy>,
    /// By object identifiers and folded names.
    pub(crate) trust: Trust,
}

impl Policies {
    /// Refuses two of one name or OID, and equivalences that lower (L-106).
    ///
    /// # Errors
    /// Every name or OID that occurs twice, every row that lowers.
    pub fn new(list: Vec<Policy>) -> Result<Self, PolicyError> {
        let mut faults = Vec::new();
        for (i, p) in list.iter().enumerate() {
            if list.iter().take(i).any(|q| q.key == p.key || q.oid == p.oid) {
                faults.push(format!("two policy files are named `{}` or have the object identifier {}", p.name, p.oid));
            }
        }
        for p in &list {
            faults.extend(list.iter().filter(|q| q.oid != p.oid).flat_map(|q| p.lowering_rows(q)));
        }
        if faults.is_empty() { Ok(Self { list, trust: Trust::default() }) } else { Err(PolicyError { faults }) }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.list.iter()
    }

    /// The one a label or clearance names: by OID if given, else by name. That a name given beside the OID disagrees is found by
    /// [`Policy::check`] (`policy-name`).
    pub fn find(&self, name: &str, oid: Option<&str>) -> Option<&Policy> {
        if let Some(oid) = oid {
            return self.list.iter().find(|p| p.oid == oid);
        }
        let wanted = Wanted::new(name);
        self.list.iter().find(|p| wanted.is(&p.key))
    }
}
