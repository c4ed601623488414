//! One label for a product made of several (labels.md section 7, L-090 to L-099).
//!
//! The truth is the conjunction: a reader must pass the label of every part ([`Policies::conjunction`], L-091). A label for display and export is
//! computed beside it and accepted only if it lets in nobody whom a part refuses; otherwise a person decides.
use crate::confidentiality_label::{Category, Parts};
use crate::membership::Members;
use crate::policy::{Chosen, Policy, Resolved, TagSet, TagSetRole, Validity, Value, choose};
use crate::{
    Authority, Clearance, Dissemination, Label, Meaning, Pap, Policies, Released, Role, TagType, Tlp, Unmapped, Way,
    tlp,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use stix::{Id, Timestamp, id::MarkingDefinition};

/// A product for which a label is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    /// The labels of everything it was made from.
    pub parts: &'a [&'a Label],
    /// How many of what it holds, in the words of the policy file's thresholds, e.g. `indicator` (L-096).
    pub contents: &'a BTreeMap<String, u64>,
    /// The classification to which a person raised it; only up (L-096).
    pub raised: Option<&'a str>,
    /// When the product's label is made.
    pub created: &'a Timestamp,
    /// When a person must look at it again (L-013).
    pub review: &'a Timestamp,
    /// Every known actor with its clearances: the label must not let in one that a part refuses (L-093).
    pub actors: &'a [&'a [Clearance]],
}

/// What everything in a product bears together (L-091, L-099): for the label of the file that carries it (L-114).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Together {
    labels: BTreeMap<Id<MarkingDefinition>, Label>,
    borne: BTreeSet<Id<MarkingDefinition>>,
    contents: BTreeMap<String, u64>,
    tlp: Option<Tlp>,
    pap: Option<Pap>,
    dissemination: Option<Dissemination>,
    beyond: bool,
}

impl Together {
    /// Counts one more part in, with its identifier, by the road on which it was released. Definitions of labels count through what bears them, and
    /// those of TLP and PAP, which everybody has, not at all; see [`Self::keeps`].
    pub fn add<T>(&mut self, authority: &Authority<'_>, part: &Released<T>, id: &str) {
        if definition_of_itself(part, id).is_some() {
            return;
        }
        let type_name = id.split_once("--").map_or(id, |(type_name, _)| type_name);
        *self.contents.entry(type_name.to_owned()).or_default() += 1;
        let Some(road) = part.road() else {
            self.beyond = true;
            return;
        };
        let meant: Vec<_> = road
            .effective()
            .into_iter()
            .map(|id| (id, authority.markings.meaning_in(&id, &road.origin, road.collection)))
            .collect();
        let originator =
            meant.iter().any(|(_, m)| matches!(m, Some(Meaning::Label(l)) if l.role() == Role::Originator));
        for (id, meaning) in meant {
            self.borne.insert(id);
            match meaning {
                // Where there is an originator label, the others stand for it (L-104).
                Some(Meaning::Label(label)) if originator && label.role() != Role::Originator => {}
                Some(Meaning::Label(label)) => {
                    self.labels.entry(id).or_insert_with(|| (**label).clone());
                }
                Some(Meaning::Tlp(level)) => self.tlp = self.tlp.max(Some(*level)),
                Some(Meaning::Obligation(level)) => self.pap = self.pap.max(Some(*level)),
                // Statements travel with the parts.
                Some(Meaning::Statement) => {}
                Some(Meaning::Dissemination(said)) => self.addressed(said),
                // What its contributor alone may see, too.
                Some(Meaning::Unknown) | None => self.beyond = true,
            }
        }
        self.beyond |= road.unresolved.is_some();
    }

    fn addressed(&mut self, said: &Dissemination) {
        self.dissemination = Some(self.dissemination.as_ref().map_or_else(|| said.clone(), |d| d.combine(said)));
    }

    /// Counts in what was counted elsewhere, e.g. page by page.
    pub fn merge(&mut self, other: Self) {
        self.labels.extend(other.labels);
        self.borne.extend(other.borne);
        for (type_name, count) in other.contents {
            *self.contents.entry(type_name).or_default() += count;
        }
        self.tlp = self.tlp.max(other.tlp);
        self.pap = self.pap.max(other.pap);
        if let Some(said) = &other.dissemination {
            self.addressed(said);
        }
        self.beyond |= other.beyond;
    }

    /// Whether a part belongs into what bears one label for the whole: everything but definitions of labels that nothing there bears. These would tell
    /// of labels that the label of the whole does not cover (L-126).
    pub fn keeps<T>(&self, part: &Released<T>, id: &str) -> bool {
        definition_of_itself(part, id).is_none_or(|id| self.borne.contains(&id))
    }

    /// The labels, each once.
    pub fn labels(&self) -> Vec<&Label> {
        self.labels.values().collect()
    }

    /// How many parts of which type: for thresholds (L-096).
    pub fn contents(&self) -> &BTreeMap<String, u64> {
        &self.contents
    }

    /// The highest TLP of the parts (L-099).
    pub fn tlp(&self) -> Option<Tlp> {
        self.tlp
    }

    /// The highest PAP of the parts (L-099): an obligation, which holds nothing.
    pub fn pap(&self) -> Option<Pap> {
        self.pap
    }

    /// What the dissemination markings of the parts come to: addressees and sharing groups intersected, the strictest `onward` (L-099, L-132).
    pub fn dissemination(&self) -> Option<&Dissemination> {
        self.dissemination.as_ref()
    }

    /// Why no label of the whole can say what its parts bear, whatever their labels are: addressees have no place in it (L-093, L-099).
    pub fn unsayable(&self) -> Option<Hold> {
        match self.tlp {
            Some(level) if level > Tlp::Clear => Some(Hold::Marking(Some(level))),
            _ => (self.beyond || self.dissemination.is_some()).then_some(Hold::Marking(None)),
        }
    }
}

/// The id of a definition that is labelled by itself, or whose text everybody has.
fn definition_of_itself<T>(part: &Released<T>, id: &str) -> Option<Id<MarkingDefinition>> {
    let id: Id<MarkingDefinition> = id.parse().ok()?;
    let itself = part.road().is_some_and(|road| road.carried.contains(&id));
    (itself || tlp::well_known(&id).is_some()).then_some(id)
}

/// What becomes of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Combined {
    /// It has a label of its own.
    Label {
        /// The export label.
        label: Box<Label>,
        /// What parts of other policies are in the governing one (L-098), to be kept as alternative labels.
        mapped: Vec<Label>,
    },
    /// `policy-decision-required`: a person decides.
    Held(Held),
}

/// A held product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Every reason.
    pub reasons: Vec<Hold>,
    /// The lowest classification that a person may give it.
    pub floor: String,
    /// The system-high marking to show meanwhile (L-093).
    pub shown: String,
}

/// Why a product is held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// Nothing went in.
    NoParts,
    /// A part's policy is not held, or it is not valid there.
    Part {
        /// Which, by position.
        part: usize,
        /// The `<why>` of `label:<why>`.
        why: String,
    },
    /// A part of another policy cannot be mapped (L-098).
    Unmapped {
        /// Which, by position.
        part: usize,
        /// Why not.
        why: Unmapped,
    },
    /// A part carries an extension that the policy does not call harmless (L-014).
    Extension,
    /// No context has all its members in the audience (L-094).
    NoContext,
    /// Nobody is left in this tag; an empty one is never written (L-095).
    Nobody(String),
    /// There is too much of something (L-096).
    Threshold {
        /// Of what.
        what: String,
        /// How many there are.
        count: u64,
        /// How many may be there without a decision.
        most: u64,
    },
    /// The person's classification is unknown or below the floor; lowering is a release act of every part's owner (L-097).
    Lowered,
    /// The label is not valid in its policy.
    Invalid(String),
    /// It would let in actors whom a part refuses; by position.
    Wider(Vec<usize>),
    /// A part bears what no label can say: a TLP above CLEAR, or a marking of another system.
    Marking(Option<Tlp>),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoParts => f.write_str("the product has no parts"),
            Self::Part { part, why } => write!(f, "the label of part {} is not valid ({why})", part + 1),
            Self::Unmapped { part, why } => write!(f, "part {} has a label of another policy: {why}", part + 1),
            Self::Extension => {
                f.write_str("a part's label carries an extension that the policy does not call harmless")
            }
            Self::NoContext => f.write_str("no context has all its members in the common audience"),
            Self::Nobody(tag) => write!(f, "nobody is left in `{tag}`"),
            Self::Threshold { what, count, most } => {
                write!(f, "{count} of `{what}`, more than {most}, need a decision on the classification")
            }
            Self::Lowered => f.write_str("the classification asked for is unknown or lower than the parts allow"),
            Self::Invalid(why) => write!(f, "the common label is not valid ({why})"),
            Self::Marking(Some(level)) => {
                write!(f, "{level} of a part says who was addressed, which no label of the whole can say")
            }
            Self::Marking(None) => f.write_str("a marking of a part says more than a label of the whole can"),
            Self::Wider(actors) => write!(f, "the common label would let in {} whom a part refuses", actors.len()),
        }
    }
}

impl Policies {
    /// The distinct labels of a product after removing those that another one dominates (L-091). Whoever passes these passes all.
    pub fn conjunction<'l>(&self, parts: &[&'l Label]) -> Vec<&'l Label> {
        let mut kept: Vec<&'l Label> = Vec::new();
        for label in parts {
            if kept.iter().any(|k| self.dominates(k, label)) {
                continue;
            }
            kept.retain(|k| !self.dominates(label, k));
            kept.push(label);
        }
        kept
    }

    /// Whether whoever passes `a` passes `b`, whatever its clearance: same policy, at least the level, at least the restrictions, at most the
    /// audience, no later successor or extension of its own in `b`, and the same membership lists.
    fn dominates(&self, a: &Label, b: &Label) -> bool {
        if a == b {
            return true;
        }
        let find = |l: &Label| {
            let policy = self.find(l.policy_name(), l.policy_oid())?;
            Some((policy, policy.resolve(l, Validity::Old, None).ok()?))
        };
        let (Some((policy, x)), Some((other, y))) = (find(a), find(b)) else { return false };
        let plain = b.succession().is_none() && b.parts().ext.is_empty() && b.parts().alternatives.is_empty();
        plain
            && policy.oid() == other.oid()
            && a.parts().alternatives.is_empty()
            && x.roll == y.roll
            && policy.rank(x.class) >= policy.rank(y.class)
            && y.chosen.iter().all(|c| match policy.kind(c) {
                TagType::Informative => true,
                TagType::Restrictive => c.values.is_subset(&values(&x, c)),
                TagType::Permissive => has(&x, c) && values(&x, c).is_subset(&c.values),
            })
    }

    /// The label of a product for display and export, in the governing policy (L-093 to L-098), or why a person must decide.
    pub fn combine(&self, product: &Product<'_>, governing: &Policy) -> Combined {
        let mut combining = Combining { policies: self, policy: governing, product, reasons: Vec::new(), floor: None };
        let (resolved, mapped) = combining.parts();
        let label = if combining.reasons.is_empty() { combining.label(&resolved) } else { None };
        combining.floor_of(&resolved);
        match label {
            Some(label) if combining.reasons.is_empty() => Combined::Label { label: Box::new(label), mapped },
            _ => Combined::Held(Held {
                floor: combining.floor.map_or("", |f| governing.class_name(f)).to_owned(),
                shown: governing.system_high(&resolved, product.created),
                reasons: combining.reasons,
            }),
        }
    }

    /// Whether an actor passes a label: with its clearance in the label's policy, else with one in a policy to which the operator lets it be
    /// mapped (L-091, L-098).
    fn passes(&self, label: &Label, actor: &[Clearance]) -> bool {
        let Some(policy) = self.find(label.policy_name(), label.policy_oid()) else { return false };
        let own: Vec<&Clearance> = actor.iter().filter(|c| c.policy_oid() == policy.oid()).collect();
        match own.as_slice() {
            [] => {
                let mut others = actor.iter().filter_map(|c| {
                    let to = self.find(c.policy(), Some(c.policy_oid()))?;
                    let (mapped, _) = self.alternative(label, to, Way::Arriving, None, label.created()).ok()?;
                    Some(to.decide(&mapped, c).is_ok())
                });
                others.next().is_some_and(|first| first && others.all(|o| o))
            }
            [clearance] => policy.decide(label, clearance).is_ok(),
            _ => false,
        }
    }
}

struct Combining<'a> {
    policies: &'a Policies,
    policy: &'a Policy,
    product: &'a Product<'a>,
    reasons: Vec<Hold>,
    floor: Option<usize>,
}

impl Combining<'_> {
    /// Every part, its successors among them, in the governing policy.
    fn parts(&mut self) -> (Vec<Resolved>, Vec<Label>) {
        let (mut resolved, mut mapped) = (Vec::new(), Vec::new());
        if self.product.parts.is_empty() {
            self.reasons.push(Hold::NoParts);
        }
        for (part, label) in self.product.parts.iter().enumerate() {
            for label in with_successors(label) {
                let home = self.policies.find(label.policy_name(), label.policy_oid());
                if !label.parts().ext.is_empty() && !home.is_some_and(|p| p.knows_extensions(label)) {
                    self.reasons.push(Hold::Extension);
                }
                let same = home.is_some_and(|p| p.oid() == self.policy.oid());
                let found = if same {
                    self.policy
                        .resolve(label, Validity::Old, None)
                        .map_err(|why| Hold::Part { part, why: why.to_owned() })
                } else {
                    let way = Way::Arriving;
                    self.policies
                        .alternative(label, self.policy, way, None, self.product.created)
                        .map_err(|why| Hold::Unmapped { part, why })
                        .and_then(|(alternative, _)| {
                            let found = self.policy.resolve(&alternative, Validity::Old, None);
                            mapped.push(alternative);
                            found.map_err(|why| Hold::Part { part, why: why.to_owned() })
                        })
                };
                match found {
                    Ok(found) => resolved.push(found),
                    Err(hold) => self.reasons.push(hold),
                }
            }
        }
        (resolved, mapped)
    }

    fn label(&mut self, parts: &[Resolved]) -> Option<Label> {
        let class = self.classification(parts)?;
        let mut chosen = self.union(parts, class);
        chosen.extend(self.audience(parts, class));
        if self.reasons.iter().any(|r| matches!(r, Hold::NoContext | Hold::Nobody(_))) {
            return None;
        }
        let label = self.write(class, &chosen)?;
        if let Err(why) = self.policy.check(&label, Validity::New, Some(self.product.created)) {
            self.reasons.push(Hold::Invalid(why.to_owned()));
            return None;
        }
        self.check_subset(parts, &label);
        Some(label)
    }

    /// What a person may not go below when nothing could be combined: the highest of the parts that could be read.
    fn floor_of(&mut self, parts: &[Resolved]) {
        let highest = parts.iter().map(|p| p.class).chain(self.floor).max_by_key(|c| self.policy.rank(*c));
        self.floor = highest;
    }

    /// The highest of the parts, what thresholds demand, and what a person asked for (L-093, L-096).
    fn classification(&mut self, parts: &[Resolved]) -> Option<usize> {
        let rank = |class: &usize| self.policy.rank(*class);
        let highest = parts.iter().map(|p| p.class).max_by_key(rank)?;
        let met: Vec<_> = self
            .policy
            .thresholds
            .iter()
            .filter_map(|t| {
                let count = self.product.contents.get(&t.what).copied().unwrap_or(0);
                (count > t.most).then_some((t, count))
            })
            .collect();
        let floor = met.iter().map(|(t, _)| t.floor).chain([highest]).max_by_key(rank)?;
        self.floor = Some(floor);
        let Some(raised) = self.product.raised else {
            self.reasons.extend(met.iter().map(|(t, count)| Hold::Threshold {
                what: t.what.clone(),
                count: *count,
                most: t.most,
            }));
            return Some(floor);
        };
        match self.policy.class_index(raised) {
            Some(class) if rank(&class) >= rank(&floor) => Some(class),
            _ => {
                self.reasons.push(Hold::Lowered);
                Some(floor)
            }
        }
    }

    /// Restrictive and informative values of all parts; of the latter only what may stand at the new level (L-093).
    fn union(&self, parts: &[Resolved], class: usize) -> Vec<Chosen> {
        let mut all: Vec<Chosen> = Vec::new();
        for c in parts.iter().flat_map(|p| &p.chosen) {
            let kind = self.policy.kind(c);
            if kind == TagType::Permissive {
                continue;
            }
            let allowed = |v: &usize| {
                kind == TagType::Restrictive
                    || self.policy.lane(c).values.get(*v).is_some_and(|value| value.stands_at(class))
            };
            let values = c.values.iter().copied().filter(allowed).collect();
            choose(&mut all, Chosen { values, ..*c });
        }
        all.retain(|c| !c.values.is_empty());
        all
    }

    /// The permissive tags (L-094).
    fn audience(&mut self, parts: &[Resolved], class: usize) -> Vec<Chosen> {
        let policy = self.policy;
        let mut all = Vec::new();
        for (set, lane) in policy.permissive_lanes() {
            if policy.tag_sets[set].role.is_some() {
                continue;
            }
            let mut given = parts.iter().filter_map(|p| p.chosen.iter().find(|c| c.set == set && c.lane == lane));
            let Some(first) = given.next() else { continue };
            let common = given.fold(first.values.clone(), |a, c| &a & &c.values);
            self.put(&mut all, set, lane, common);
        }
        let reaches: Vec<_> = parts.iter().map(|p| policy.reach(p)).collect();
        let current = policy.roll_at(self.product.created);
        // A group is written by its name only if every part meant the members of today (L-094, L-028).
        let collapse = parts.iter().all(|p| p.roll == current);
        let narrowed = reaches.iter().filter_map(|r| r.narrowed.clone()).reduce(|a, b| &a & &b);
        if let (Some(members), Some((set, _))) = (&narrowed, policy.with_role(TagSetRole::Narrows)) {
            let kept = self.unchanged(parts, &[set]).filter(|_| collapse);
            if let Some(chosen) = kept {
                all.extend(chosen);
            } else {
                let (lane, values) = self.express(set, members, class, collapse);
                self.put(&mut all, set, lane, values);
            }
        }
        let roles = [TagSetRole::Owns, TagSetRole::Expands, TagSetRole::Audience];
        let sets: Vec<usize> = roles.iter().filter_map(|r| policy.with_role(*r)).map(|(i, _)| i).collect();
        if sets.is_empty() {
            return all;
        }
        if let Some(chosen) = self.unchanged(parts, &sets).filter(|_| collapse) {
            all.extend(chosen);
            return all;
        }
        let Some(base) = reaches.into_iter().filter_map(|r| r.base).reduce(|a, b| &a & &b) else {
            self.reasons.push(Hold::NoContext);
            return all;
        };
        let named = [TagSetRole::Audience, TagSetRole::Expands].into_iter().find_map(|r| policy.with_role(r));
        if let Some((owns, set)) = policy.with_role(TagSetRole::Owns) {
            self.context(&mut all, owns, set, &base, narrowed.as_ref(), class, collapse);
        } else if let Some((set, _)) = named {
            let (lane, values) = self.express(set, &base, class, collapse);
            self.put(&mut all, set, lane, values);
        }
        all
    }

    /// The largest context all of whose members are in, and the rest beside it (L-094, L-023, L-025).
    #[allow(clippy::too_many_arguments)]
    fn context(
        &mut self,
        all: &mut Vec<Chosen>,
        owns: usize,
        set: &TagSet,
        base: &Members,
        narrowed: Option<&Members>,
        class: usize,
        collapse: bool,
    ) {
        let policy = self.policy;
        let current = policy.roll_at(self.product.created);
        let Some(lane) = set.lanes.iter().position(|l| l.kind == TagType::Permissive) else { return };
        let values = &set.lanes[lane].values;
        let usable = |v: &Value| v.is_usable_at(class) && !policy.opens(v);
        let fits = |v: &Value| {
            let members = policy.expand([v], current);
            ((collapse || !policy.is_group(&v.key)) && !members.is_empty() && members.is_subset(base))
                .then_some(members)
        };
        let best = (0..)
            .zip(values)
            .filter(|(_, v)| usable(v))
            .filter_map(|(i, v)| Some((i, v, fits(v)?)))
            .max_by_key(|(i, _, members)| (members.len(), usize::MAX - i));
        let Some((context, value, members)) = best else {
            self.reasons.push(Hold::NoContext);
            return;
        };
        let mut owner = BTreeSet::from([context]);
        let mut rest = base - &members;
        if let Some(only) = narrowed {
            rest = &rest & only;
        }
        let opener = values.iter().position(|v| policy.opens(v) && v.is_usable_at(class));
        if let (false, Some(opener), Some((set, _))) = (rest.is_empty(), opener, policy.with_role(TagSetRole::Expands))
        {
            let (lane, mut beyond) = self.express(set, &rest, class, collapse);
            let home =
                policy.tag_sets[set].lanes.get(lane).and_then(|l| l.values.iter().position(|v| v.key == value.key));
            if let (Some(home), false) = (home, beyond.is_empty()) {
                beyond.insert(home);
                owner.insert(opener);
                self.put(all, set, lane, beyond);
            }
        }
        self.put(all, owns, lane, owner);
    }

    /// Members as values of a tag set: whole groups by name if they may be, the rest one by one. Who has no value there is left out: narrower.
    fn express(&self, set: usize, members: &Members, class: usize, collapse: bool) -> (usize, BTreeSet<usize>) {
        let policy = self.policy;
        let lanes = &policy.tag_sets[set].lanes;
        let lane = lanes.iter().position(|l| l.kind == TagType::Permissive).unwrap_or(0);
        let Some(values) = lanes.get(lane).map(|l| &l.values) else { return (lane, BTreeSet::new()) };
        let current = policy.roll_at(self.product.created);
        let mut groups: Vec<(usize, Members)> = values
            .iter()
            .enumerate()
            .filter(|(_, v)| collapse && policy.is_group(&v.key) && v.is_usable_at(class))
            .map(|(i, v)| (i, policy.expand([v], current)))
            .filter(|(_, m)| !m.is_empty() && m.is_subset(members))
            .collect();
        groups.sort_by_key(|(i, m)| (usize::MAX - m.len(), *i));
        let (mut chosen, mut covered) = (BTreeSet::new(), Members::new());
        for (i, group) in groups {
            if !group.is_subset(&covered) {
                covered.extend(group);
                chosen.insert(i);
            }
        }
        let single = |(_, v): &(usize, &Value)| {
            members.contains(&v.key) && !covered.contains(&v.key) && !policy.is_group(&v.key) && v.is_usable_at(class)
        };
        chosen.extend(values.iter().enumerate().filter(single).map(|(i, _)| i));
        (lane, chosen)
    }

    /// The values that all parts have alike in these tag sets.
    fn unchanged(&self, parts: &[Resolved], sets: &[usize]) -> Option<Vec<Chosen>> {
        let of = |p: &Resolved| -> Vec<Chosen> {
            let permissive = |c: &&Chosen| self.policy.kind(c) == TagType::Permissive;
            p.chosen.iter().filter(|c| sets.contains(&c.set)).filter(permissive).cloned().collect()
        };
        let first = of(parts.first()?);
        parts.iter().all(|p| of(p) == first).then_some(first)
    }

    /// Never an empty permissive tag (L-095).
    fn put(&mut self, all: &mut Vec<Chosen>, set: usize, lane: usize, values: BTreeSet<usize>) {
        if values.is_empty() {
            self.reasons.push(Hold::Nobody(self.policy.tag_sets[set].name.clone()));
        } else {
            all.push(Chosen { set, lane, values });
        }
    }

    fn write(&mut self, class: usize, chosen: &[Chosen]) -> Option<Label> {
        let mut marks = self.product.parts.iter().map(|l| l.parts().privacy_mark.clone());
        let first = marks.next().flatten();
        let label = self.policy.label_of(
            class,
            chosen,
            Parts {
                privacy_mark: first.filter(|f| marks.all(|m| m.as_ref() == Some(f))),
                review: Some(self.product.review.clone()),
                ..Parts::empty(Role::Originator, self.product.created)
            },
        );
        match label {
            Ok(label) => Some(label),
            Err(why) => {
                self.reasons.push(Hold::Invalid(why));
                None
            }
        }
    }

    /// L-093, twice: counted in members, and tried with every known actor.
    fn check_subset(&mut self, parts: &[Resolved], label: &Label) {
        let reach = self.policy.resolve(label, Validity::Old, None).map(|r| self.policy.reach(&r).whole());
        let within = |part: &Resolved| match (&reach, self.policy.reach(part).whole()) {
            (Ok(Some(all)), Some(part)) => all.is_subset(&part),
            (Ok(None), Some(_)) | (Err(_), _) => false,
            (_, None) => true,
        };
        let mut wider: Vec<usize> = Vec::new();
        for (i, actor) in self.product.actors.iter().enumerate() {
            let every = |l: &&Label| with_successors(l).iter().all(|l| self.policies.passes(l, actor));
            if self.policies.passes(label, actor) && !self.product.parts.iter().all(every) {
                wider.push(i);
            }
        }
        if !wider.is_empty() || !parts.iter().all(within) {
            self.reasons.push(Hold::Wider(wider));
        }
    }
}

/// A label and whatever follows it: a product must satisfy what a part says later, too (L-012).
fn with_successors(label: &Label) -> Vec<&Label> {
    let mut all = vec![label];
    let mut next = label.succession();
    while let Some((_, label)) = next {
        all.push(label);
        next = label.succession();
    }
    all
}

fn has(label: &Resolved, c: &Chosen) -> bool {
    label.chosen.iter().any(|o| o.set == c.set && o.lane == c.lane)
}

fn values(label: &Resolved, c: &Chosen) -> BTreeSet<usize> {
    label.chosen.iter().filter(|o| o.set == c.set && o.lane == c.lane).flat_map(|o| o.values.iter().copied()).collect()
}

impl Policy {
    pub(crate) fn rank(&self, class: usize) -> i64 {
        self.classifications.get(class).map_or(i64::MAX, |c| c.hierarchy)
    }

    fn class_name(&self, class: usize) -> &str {
        self.classifications.get(class).map_or("", |c| c.name.as_str())
    }

    pub(crate) fn kind(&self, c: &Chosen) -> TagType {
        self.lane(c).kind
    }

    fn permissive_lanes(&self) -> Vec<(usize, usize)> {
        let lanes = |(i, s): (usize, &TagSet)| {
            let one = s.lanes.iter().enumerate().filter(|(_, l)| l.kind == TagType::Permissive);
            one.map(|(j, _)| (i, j)).collect::<Vec<_>>()
        };
        self.tag_sets.iter().enumerate().flat_map(lanes).collect()
    }

    /// Whether a list resolves it.
    pub(crate) fn is_group(&self, key: &str) -> bool {
        self.rolls.iter().any(|r| r.members.contains_key(key))
    }

    /// A label of this policy from what was chosen; policy, classification and categories of `rest` are filled in.
    pub(crate) fn label_of(&self, class: usize, chosen: &[Chosen], rest: Parts) -> Result<Label, String> {
        let category = |c: &Chosen| Category {
            tag: self.tag_sets[c.set].name.clone(),
            oid: Some(self.tag_sets[c.set].oid.clone()),
            kind: self.kind(c),
            values: self.values_of(c).map(|v| v.name.clone()).collect(),
        };
        Label::new(Parts {
            policy: self.name.clone(),
            policy_oid: Some(self.oid.clone()),
            classification: self.class_name(class).to_owned(),
            categories: chosen.iter().map(category).collect(),
            ..rest
        })
    }

    /// The highest level with every restriction of the parts, for the home audience: what a held product shows.
    fn system_high(&self, parts: &[Resolved], at: &Timestamp) -> String {
        let top = (0..self.classifications.len()).filter(|c| !self.classifications[*c].obsolete);
        let class = top.max_by_key(|c| self.rank(*c)).unwrap_or_default();
        let mut chosen: Vec<Chosen> = Vec::new();
        for c in parts.iter().flat_map(|p| &p.chosen).filter(|c| self.kind(c) == TagType::Restrictive) {
            choose(&mut chosen, c.clone());
        }
        let home = [TagSetRole::Owns, TagSetRole::Audience].into_iter().find_map(|r| self.with_role(r));
        if let Some((set, tags)) = home {
            let own = [TagSetRole::Expands, TagSetRole::Audience]
                .into_iter()
                .find_map(|r| self.with_role(r)?.1.home.as_ref());
            for (lane, l) in tags.lanes.iter().enumerate() {
                if let Some(v) = l.values.iter().position(|v| Some(&v.key) == own) {
                    chosen.push(Chosen { set, lane, values: BTreeSet::from([v]) });
                }
            }
        }
        match self.label_of(class, &chosen, Parts::empty(Role::Originator, at)) {
            Ok(label) => self.marking_text(&label, "en"),
            Err(_) => self.class_name(class).to_owned(),
        }
    }
}
