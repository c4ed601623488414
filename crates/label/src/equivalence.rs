//! Equivalence between policies (labels.md section 8, L-100 to L-109): what a label is in another policy.
//!
//! A mapping exists only if a policy file states it, is used only if the operator confirmed its row, starts from the originator label alone, and
//! never lets in anyone whom that label does not already name.
use crate::confidentiality_label::{Originator, Parts};
use crate::name::fold;
use crate::policy::{Chosen, Operation, Policy, Resolved, TagSet, TagSetRole, Validity, Value, choose};
use crate::{Label, Origin, Policies, PolicyError, Role, TagType};
use std::collections::BTreeSet;
use std::fmt;
use stix::Timestamp;

/// Most values that the target policy's own rules may add to a label.
const ADDED_MAX: usize = 16;

/// Which rows of a file count (L-101).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Data is labelled for, or leaves to, others: `encrypt` and `both` of the file of the label's own policy.
    Leaving,
    /// Data arrives: `decrypt` and `both` of the source's file if the operator trusts it, else the reverse of the own file's rows.
    Arriving,
}

/// `@applied`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// For data that leaves.
    Encrypt,
    /// For data that arrives.
    Decrypt,
    /// For both.
    Both,
}

impl Applied {
    fn counts(self, way: Way) -> bool {
        match way {
            Way::Leaving => self != Self::Decrypt,
            Way::Arriving => self != Self::Encrypt,
        }
    }
}

/// One `equivalentClassification`; policies are named by their folded names.
#[derive(Debug)]
pub struct EquivalentClass {
    /// Which policy.
    pub policy: String,
    /// Which of its classifications.
    pub lacv: String,
    /// In which direction.
    pub applied: Applied,
    pub(crate) required: Vec<ForeignRule>,
}

/// One `equivalentSecCategoryTag`.
#[derive(Debug)]
pub struct EquivalentTag {
    /// Which policy.
    pub policy: String,
    pub(crate) set_oid: String,
    pub(crate) kind: Option<TagType>,
    /// Which of the values of its tag set.
    pub lacv: String,
    /// In which direction.
    pub applied: Applied,
    /// It may be lost on the way (L-103).
    pub discard: bool,
}

/// What another policy's label must have besides: of an `equivalentPolicy` or an `equivalentSecurityCategoryTagSet`.
#[derive(Debug)]
pub(crate) struct Besides {
    pub(crate) policy: String,
    pub(crate) required: Vec<ForeignRule>,
}

/// A `requiredCategory` whose groups are values of the other policy (L-102).
#[derive(Debug)]
pub(crate) struct ForeignRule {
    pub(crate) operation: Operation,
    pub(crate) groups: Vec<ForeignGroup>,
}

/// One of its groups: tag set by folded name, type, value by lacv.
#[derive(Debug)]
pub(crate) struct ForeignGroup {
    pub(crate) set: String,
    pub(crate) kind: TagType,
    pub(crate) lacv: Option<String>,
}

/// Why a label has no counterpart in another policy: a person decides. `Display` is for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmapped {
    /// One of the policies is not held, or both are the same.
    Policy,
    /// The label is not valid in its own policy.
    Label(String),
    /// Only originator labels are mapped (L-105).
    NotOriginator,
    /// No row for this classification and direction.
    NoRow(String),
    /// Two rows for one classification or value: only the originator label can tell them apart.
    Ambiguous(String),
    /// The operator did not confirm the row (L-109).
    Unconfirmed(String),
    /// A value that has no counterpart and no `discard` (L-103).
    Value(String),
    /// A `discard` that the operator did not confirm by name (L-103).
    Discard(String),
    /// A choice among required categories that no file decides (L-102).
    Choice,
    /// The label does not already permit the owner of the other policy (L-102).
    Owner,
    /// It carries an extension that its policy does not call harmless (L-014), or a succession, which an alternative cannot.
    Extension,
    /// The result would not be valid in the other policy.
    Invalid(String),
    /// The result would be for more than the originator label names.
    Wider,
}

impl fmt::Display for Unmapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy => f.write_str("one of the two policies is not held here"),
            Self::Label(why) => write!(f, "the label is not valid in its own policy ({why})"),
            Self::NotOriginator => f.write_str("only an originator label is mapped"),
            Self::NoRow(what) => write!(f, "no policy file states what `{what}` is in the other policy"),
            Self::Ambiguous(what) => write!(f, "the policy files give more than one counterpart for `{what}`"),
            Self::Unconfirmed(what) => write!(f, "the row for `{what}` is not confirmed by the operator"),
            Self::Value(what) => write!(f, "`{what}` has no counterpart in the other policy"),
            Self::Discard(what) => write!(f, "that `{what}` may be discarded is not confirmed by the operator"),
            Self::Choice => f.write_str("the other policy requires a choice that no policy file makes"),
            Self::Owner => f.write_str("the label does not permit the owner of the other policy"),
            Self::Extension => f.write_str("the label carries what the other policy's label could not"),
            Self::Invalid(why) => write!(f, "the result would not be valid in the other policy ({why})"),
            Self::Wider => f.write_str("the result would be for more than the label names"),
        }
    }
}

/// What the operator confirmed about policies of others; nothing, unless it says so (L-103, L-104, L-109). Names as people write them; they are
/// looked up by [`Policies::trusting`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Trust {
    mappers: BTreeSet<String>,
    sources: BTreeSet<String>,
    rows: BTreeSet<[String; 3]>,
    discards: BTreeSet<[String; 4]>,
    officers: BTreeSet<String>,
}

impl Trust {
    /// Alternative labels that this partner or peer made or passed on count (L-104).
    pub fn mapper(&mut self, party: &str) {
        self.mappers.insert(party.to_owned());
    }
    /// What a policy's own file says about arriving data counts before the own file's rows (L-101).
    pub fn source(&mut self, policy: &str) {
        self.sources.insert(policy.to_owned());
    }
    /// The row for one classification of `from` in `to` (L-109).
    pub fn row(&mut self, from: &str, to: &str, classification: &str) {
        self.rows.insert([from, to, classification].map(ToOwned::to_owned));
    }
    /// One restrictive value of `from` may be lost on the way to `to` (L-103).
    pub fn discard(&mut self, from: &str, to: &str, tag: &str, value: &str) {
        self.discards.insert([from, to, tag, value].map(ToOwned::to_owned));
    }
    /// The key, by whatever names it and no other, of a person who may sign overrides with another (L-157).
    pub fn officer(&mut self, key: &str) {
        self.officers.insert(key.to_owned());
    }
    /// Whether these are the keys of two persons who may sign an override (L-157).
    pub(crate) fn are_two_officers(&self, [one, other]: &[String; 2]) -> bool {
        one != other && self.officers.contains(one) && self.officers.contains(other)
    }
    /// Nothing confirmed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    /// Whether alternative labels that `origin` brings count: the own ones, and those of a mapper (L-104).
    pub(crate) fn counts_alternatives_of(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Own { .. } => true,
            Origin::Partner { partner: party, .. } | Origin::Peer { peer: party } => self.mappers.contains(party),
        }
    }
    /// Whether any mapping at all could be made here.
    pub(crate) fn maps(&self) -> bool {
        !self.rows.is_empty()
    }
}

impl Policies {
    /// The same policies with what the operator confirmed about them.
    ///
    /// # Errors
    /// Every confirmation that is about nothing the files state.
    pub fn trusting(mut self, trust: &Trust) -> Result<Self, PolicyError> {
        let mut faults = Vec::new();
        let (mappers, officers) = (trust.mappers.clone(), trust.officers.clone());
        let mut known = Trust { mappers, officers, ..Trust::default() };
        let mut policy = |name: &str| {
            let found = self.find(name, None);
            if found.is_none() {
                faults.push(format!("no policy named `{name}` is loaded"));
            }
            found
        };
        for name in &trust.sources {
            known.sources.extend(policy(name).map(|p| p.oid().to_owned()));
        }
        let mut about = Vec::new();
        for [from, to, what] in &trust.rows {
            let (Some(from), Some(to)) = (policy(from), policy(to)) else { continue };
            match from.classification(what) {
                Some(class) if from.states(to) || to.states(from) => {
                    known.rows.insert([from.oid(), to.oid(), &class.key].map(ToOwned::to_owned));
                }
                _ => about.push(format!(
                    "no policy file states what `{what}` of `{}` is in `{}`",
                    from.name(),
                    to.name()
                )),
            }
        }
        for [from, to, tag, value] in &trust.discards {
            let (Some(from), Some(to)) = (policy(from), policy(to)) else { continue };
            let set = from.tag_set(tag, None).ok();
            let found = set.and_then(|s| s.lanes.iter().find_map(|l| l.value(value)).map(|v| (s, v)));
            match found {
                Some((set, v)) => {
                    known.discards.insert([from.oid(), to.oid(), &set.oid, &v.key].map(ToOwned::to_owned));
                }
                None => about.push(format!("policy `{}` has no value `{value}` in `{tag}`", from.name())),
            }
        }
        faults.extend(about);
        if !faults.is_empty() {
            return Err(PolicyError { faults });
        }
        self.trust = known;
        Ok(self)
    }

    /// The alternative label of `label` in policy `to` (L-100 to L-106), with a note for every informative value that is lost. `maker` is the
    /// mapper as a URI, written as originator (L-102).
    ///
    /// # Errors
    /// Why there is none; a person decides.
    pub fn alternative(
        &self,
        label: &Label,
        to: &Policy,
        way: Way,
        maker: Option<&str>,
        created: &Timestamp,
    ) -> Result<(Label, Vec<String>), Unmapped> {
        if label.role() != Role::Originator {
            return Err(Unmapped::NotOriginator);
        }
        let from = self.find(label.policy_name(), label.policy_oid()).ok_or(Unmapped::Policy)?;
        if from.oid() == to.oid() {
            return Err(Unmapped::Policy);
        }
        let found = from.resolve(label, Validity::Old, None).map_err(|why| Unmapped::Label(why.to_owned()))?;
        if label.succession().is_some() || !from.knows_extensions(label) {
            return Err(Unmapped::Extension);
        }
        let source_speaks = way == Way::Leaving || self.trust.sources.contains(from.oid());
        let mut mapping =
            Mapping { policies: self, from, to, way, source_speaks, chosen: Vec::new(), notes: Vec::new() };
        let class = mapping.classification(&found)?;
        mapping.values(&found)?;
        let named = mapping.named();
        mapping.check_owner()?;
        mapping.required(&found)?;
        mapping.complete(class)?;
        let parts = Parts {
            originator: maker.map(|m| Originator { kind: "uniformResourceIdentifier".into(), value: m.to_owned() }),
            review: label.review().cloned(),
            assumed: label.assumed(),
            ..Parts::empty(Role::Alternative, created)
        };
        let mapped = to.label_of(class, &mapping.chosen, parts).map_err(Unmapped::Invalid)?;
        to.check(&mapped, Validity::New, Some(created)).map_err(|why| Unmapped::Invalid(why.to_owned()))?;
        let reach = to.resolve(&mapped, Validity::Old, None).map(|r| to.reach(&r));
        match reach.ok().and_then(|r| r.base) {
            Some(base) if base.is_subset(&to.expand(named, to.roll_at(created))) => Ok((mapped, mapping.notes)),
            _ => Err(Unmapped::Wider),
        }
    }
}

struct Mapping<'a> {
    policies: &'a Policies,
    from: &'a Policy,
    to: &'a Policy,
    way: Way,
    /// The rows are those of the label's own policy file; else those of the other one, read backwards.
    source_speaks: bool,
    chosen: Vec<Chosen>,
    notes: Vec<String>,
}

/// What the files say of one value.
enum Counterpart {
    Is(Chosen),
    Discard,
    Nothing,
}

impl<'a> Mapping<'a> {
    fn classification(&self, label: &Resolved) -> Result<usize, Unmapped> {
        let class = &self.from.classifications[label.class];
        let targets = self.class_targets(label.class);
        let target = match targets.as_slice() {
            [] => return Err(Unmapped::NoRow(class.name.clone())),
            [one] => *one,
            _ => return Err(Unmapped::Ambiguous(class.name.clone())),
        };
        let row = [self.from.oid(), self.to.oid(), &class.key].map(ToOwned::to_owned);
        if self.policies.trust.rows.contains(&row) {
            Ok(target)
        } else {
            Err(Unmapped::Unconfirmed(class.name.clone()))
        }
    }

    fn class_targets(&self, class: usize) -> Vec<usize> {
        self.from.class_targets(class, self.to, self.way, self.source_speaks)
    }

    fn values(&mut self, label: &Resolved) -> Result<(), Unmapped> {
        for c in &label.chosen {
            let set = &self.from.tag_sets[c.set];
            let kind = self.from.kind(c);
            if c.values.is_empty() && kind == TagType::Permissive {
                return Err(Unmapped::Value(set.name.clone())); // for nobody, and so to remain
            }
            for value in self.from.values_of(c) {
                let shown = || format!("{} {}", set.name, value.name);
                match self.counterpart(set, kind, value)? {
                    Counterpart::Is(found) => choose(&mut self.chosen, found),
                    Counterpart::Discard if kind == TagType::Restrictive => {
                        let named = [self.from.oid(), self.to.oid(), &set.oid, &value.key].map(ToOwned::to_owned);
                        if !self.policies.trust.discards.contains(&named) {
                            return Err(Unmapped::Discard(shown()));
                        }
                        self.notes.push(format!("`{}` is discarded, as the operator confirmed", shown()));
                    }
                    Counterpart::Discard => self.notes.push(format!("`{}` is discarded", shown())),
                    Counterpart::Nothing if kind == TagType::Informative => {
                        self.notes.push(format!("`{}` has no counterpart and is lost", shown()));
                    }
                    // The owner's own audience needs no label in another policy: leaving it out narrows.
                    Counterpart::Nothing if kind == TagType::Permissive && set.home.as_ref() == Some(&value.key) => {}
                    Counterpart::Nothing if kind == TagType::Permissive && self.from.is_group(&value.key) => {
                        self.members(set, kind, value, label)?;
                    }
                    Counterpart::Nothing => return Err(Unmapped::Value(shown())),
                }
            }
        }
        Ok(())
    }

    /// A group that has no counterpart, member by member, as the source's list for this label has them.
    fn members(&mut self, set: &'a TagSet, kind: TagType, group: &Value, label: &Resolved) -> Result<(), Unmapped> {
        for member in self.from.expand([group], label.roll) {
            let value = set.lanes.iter().filter(|l| l.kind == kind).flat_map(|l| &l.values).find(|v| v.key == member);
            match value.map(|v| self.counterpart(set, kind, v)).transpose()? {
                Some(Counterpart::Is(found)) => choose(&mut self.chosen, found),
                _ => return Err(Unmapped::Value(format!("{} {}", set.name, group.name))),
            }
        }
        Ok(())
    }

    fn counterpart(&self, set: &TagSet, kind: TagType, value: &Value) -> Result<Counterpart, Unmapped> {
        let mut found: Vec<Counterpart> = Vec::new();
        if self.source_speaks {
            let other = fold(self.to.name());
            for e in value.equivalents.iter().filter(|e| e.policy == other && e.applied.counts(self.way)) {
                found.push(if e.discard {
                    Counterpart::Discard
                } else {
                    self.to
                        .value_by_lacv(|s| s.oid == e.set_oid, kind, &e.lacv)
                        .map_or(Counterpart::Nothing, Counterpart::Is)
                });
            }
        } else {
            let other = fold(self.from.name());
            for (s, there) in self.to.tag_sets.iter().enumerate() {
                for (l, lane) in there.lanes.iter().enumerate().filter(|(_, l)| l.kind == kind) {
                    for (v, candidate) in lane.values.iter().enumerate() {
                        let hit = candidate.equivalents.iter().any(|e| {
                            e.policy == other
                                && e.applied.counts(self.way)
                                && !e.discard
                                && e.set_oid == set.oid
                                && e.lacv == value.lacv
                                && e.kind == Some(kind)
                        });
                        if hit {
                            found.push(Counterpart::Is(Chosen { set: s, lane: l, values: BTreeSet::from([v]) }));
                        }
                    }
                }
            }
        }
        match found.len() {
            0 => Ok(Counterpart::Nothing),
            1 => Ok(found.remove(0)),
            _ => Err(Unmapped::Ambiguous(format!("{} {}", set.name, value.name))),
        }
    }

    /// The values that say who may have it, before anything is added.
    fn named(&self) -> Vec<&'a Value> {
        let says = |s: &TagSet| matches!(s.role, Some(TagSetRole::Owns | TagSetRole::Expands | TagSetRole::Audience));
        let to = self.to;
        let chosen = self.chosen.iter().filter(|c| says(&to.tag_sets[c.set]));
        chosen.flat_map(|c| c.values.iter().filter_map(|v| to.lane(c).values.get(*v))).collect()
    }

    /// L-102: only for a policy whose owner the label already permits.
    fn check_owner(&self) -> Result<(), Unmapped> {
        let set = [TagSetRole::Expands, TagSetRole::Audience].into_iter().find_map(|r| self.to.with_role(r));
        let home = set.and_then(|(_, s)| s.home.clone());
        if self.named().iter().any(|v| Some(&v.key) == home.as_ref()) { Ok(()) } else { Err(Unmapped::Owner) }
    }

    /// What the rows require besides (L-102). Read backwards the rows require nothing: their categories are of the other policy.
    fn required(&mut self, label: &Resolved) -> Result<(), Unmapped> {
        if !self.source_speaks {
            return Ok(());
        }
        let (from, other) = (self.from, fold(self.to.name()));
        let of_class = from.classifications[label.class].equivalents.iter().filter(|e| e.policy == other);
        let way = self.way;
        let of_class = of_class.filter(|e| e.applied.counts(way)).flat_map(|e| &e.required);
        let of_policy = from.equivalent_policies.iter().filter(|b| b.policy == other).flat_map(|b| &b.required);
        let of_sets = label.chosen.iter().flat_map(|c| &from.tag_sets[c.set].equivalents);
        let of_sets = of_sets.filter(|b| b.policy == other).flat_map(|b| &b.required);
        for rule in of_class.chain(of_policy).chain(of_sets) {
            let one = rule.groups.len() == 1;
            if rule.operation != Operation::All && !one {
                return Err(Unmapped::Choice);
            }
            for group in &rule.groups {
                let lacv = group.lacv.as_ref().ok_or(Unmapped::Choice)?;
                let found = self.to.value_by_lacv(|s| s.key == group.set, group.kind, lacv).ok_or(Unmapped::Choice)?;
                choose(&mut self.chosen, found);
            }
        }
        Ok(())
    }

    /// What the other policy's own rules then demand, as far as they leave no choice. That nobody is let in by it is checked at the end.
    fn complete(&mut self, class: usize) -> Result<(), Unmapped> {
        for _ in 0..ADDED_MAX {
            let label = Resolved { class, chosen: self.chosen.clone(), roll: None };
            let Some(rule) = self.to.unmet(&label) else { return Ok(()) };
            let missing: Vec<_> = rule.groups.iter().filter(|g| g.present(&label) == 0).collect();
            let groups = if rule.operation == Operation::All {
                missing.as_slice()
            } else {
                missing.get(..1).unwrap_or_default()
            };
            if groups.is_empty() || (rule.operation != Operation::All && rule.groups.len() != 1) {
                return Err(Unmapped::Choice);
            }
            for group in groups {
                let value = group.value.ok_or(Unmapped::Choice)?;
                choose(&mut self.chosen, Chosen { set: group.set, lane: group.lane, values: BTreeSet::from([value]) });
            }
        }
        Err(Unmapped::Choice)
    }
}

impl Policy {
    /// Whether the file says anything about another policy.
    fn states(&self, other: &Self) -> bool {
        let name = fold(other.name());
        self.classifications.iter().flat_map(|c| &c.equivalents).any(|e| e.policy == name)
    }

    fn value_by_lacv(&self, of: impl Fn(&TagSet) -> bool, kind: TagType, lacv: &str) -> Option<Chosen> {
        let (set, tags) = self.tag_sets.iter().enumerate().find(|(_, s)| of(s))?;
        let (lane, values) = tags.lanes.iter().enumerate().find(|(_, l)| l.kind == kind)?;
        let mut hits = values.values.iter().enumerate().filter(|(_, v)| v.lacv == lacv);
        match (hits.next(), hits.next()) {
            (Some((value, _)), None) => Some(Chosen { set, lane, values: BTreeSet::from([value]) }),
            _ => None,
        }
    }

    fn class_by_lacv(&self, lacv: &str) -> Option<usize> {
        self.classifications.iter().position(|c| c.lacv == lacv)
    }

    fn class_targets(&self, class: usize, to: &Self, way: Way, source_speaks: bool) -> Vec<usize> {
        let mut targets = BTreeSet::new();
        if source_speaks {
            let other = fold(to.name());
            let rows = self.classifications[class].equivalents.iter();
            let rows = rows.filter(|e| e.policy == other && e.applied.counts(way));
            targets.extend(rows.filter_map(|e| to.class_by_lacv(&e.lacv)));
        } else {
            let other = fold(self.name());
            let lacv = &self.classifications[class].lacv;
            let says = |e: &&EquivalentClass| e.policy == other && e.applied.counts(way) && e.lacv == *lacv;
            let hits = to.classifications.iter().enumerate().filter(|(_, c)| c.equivalents.iter().any(|e| says(&e)));
            targets.extend(hits.map(|(i, _)| i));
        }
        targets.into_iter().collect()
    }

    /// L-106: rows that lower, as far as the two files show it: a higher level that becomes less than a lower one, or comes back lower.
    pub(crate) fn lowering_rows(&self, to: &Self) -> Vec<String> {
        let mut faults = Vec::new();
        for way in [Way::Leaving, Way::Arriving] {
            let rows: Vec<(usize, usize)> = (0..self.classifications.len())
                .flat_map(|c| self.class_targets(c, to, way, true).into_iter().map(move |t| (c, t)))
                .collect();
            for (class, target) in &rows {
                let lower =
                    |(c, t): &&(usize, usize)| self.rank(*c) < self.rank(*class) && to.rank(*t) > to.rank(*target);
                let back = to.class_targets(*target, self, way, true);
                if rows.iter().any(|r| lower(&r)) || back.iter().any(|b| self.rank(*b) < self.rank(*class)) {
                    faults.push(format!(
                        "the row of policy `{}` that makes `{}` into `{}` of policy `{}` lowers it",
                        self.name(),
                        self.classifications[*class].name,
                        to.classifications[*target].name,
                        to.name()
                    ));
                }
            }
        }
        faults.dedup();
        faults
    }
}
