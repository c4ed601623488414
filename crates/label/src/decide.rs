//! The whole decision for a recipient (labels.md 6.1).
use crate::policy::{Chosen, Resolved};
use crate::{
    Bits, Chain, Clearance, CollectionNo, Dissemination, Label, LabelState, Markings, Meaning, Onward, Origin,
    Override, Policies, Policy, Reader, Readers, Role, TagType, Tlp, Validity, Way,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use stix::{Id, Timestamp, id::Identity};

/// OID of the policy of public material (L-006). The one policy that onward release names; its rules come from its file like any other's.
pub(crate) const PUBLIC_OID: &str = "1.3.6.1.4.1.31778.12.2.1";

/// What is decided with: policies, what markings mean, and the instant. Borrowed, so that a decision cannot outlive a policy change.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// Policies.
    pub policies: &'a Policies,
    /// Markings.
    pub markings: &'a Markings,
    /// Now, as the node's clock says; the core has none.
    pub at: &'a Timestamp,
}

/// Why withheld. `Display` gives the stable strings of L-083: `policy`, `label:<why>`, `classification`, `restrictive:<tag>`, `permissive:<tag>`,
/// `obligation:<what>`, `agreement`, `quarantined`, and ours: `link`, `tlp:<level>`, `dissemination`, `onward`, `foreign-label`, `reference`, `unknown-marking`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No clearance in the label's policy, or policy not held or outside its dates.
    Policy,
    /// Invalid label.
    Label(String),
    /// Not in the clearance's list.
    Classification,
    /// A restrictive value is missing.
    Restrictive(Arc<str>),
    /// No permissive value in common.
    Permissive(Arc<str>),
    /// A label that the policy files of the link do not hold (L-057).
    Link,
    /// TLP not addressed to this reader, or RED.
    Tlp(Tlp),
    /// A dissemination marking that is not for this reader (L-132).
    Dissemination,
    /// Not covered by the agreement (collection, kind, dates).
    Agreement,
    /// Quarantined.
    Quarantined,
    /// Material of a peer that may not go on (design: onward release).
    Onward,
    /// An obligation that this node carries out only on a redacted copy (L-143).
    Obligation(&'static str),
    /// It passes everything, but a label tells of a policy in which it has no clearance, and its agreement says that it is told of none (L-107, L-126).
    ForeignLabel,
    /// Refers to what the reader may not know of (L-127).
    Reference,
    /// A marking nobody here understands.
    UnknownMarking,
}

impl Reason {
    /// The reason for a label that its policy finds invalid.
    pub(crate) fn invalid(why: &str) -> Self {
        if why == "policy" { Self::Policy } else { Self::Label(why.to_owned()) }
    }

    /// The rule by which a label's test failed, for explanations: steps of section 6, or where validity and policies are told.
    fn rule(&self) -> &'static str {
        match self {
            Self::Policy => "L-083",
            Self::Label(_) => "L-054",
            Self::Link => "L-057",
            Self::Classification => "6-2",
            Self::Restrictive(_) => "6-3",
            _ => "L-080",
        }
    }

    /// How far a chain came that failed for this reason.
    fn rank(&self) -> u8 {
        match self {
            Self::Agreement => 0,
            Self::Quarantined => 1,
            Self::UnknownMarking => 2,
            Self::Policy => 3,
            Self::Label(_) => 4,
            Self::Classification => 5,
            Self::Restrictive(_) => 6,
            Self::Permissive(_) => 7,
            Self::Link => 8,
            Self::Tlp(_) => 9,
            Self::Dissemination => 10,
            Self::Onward => 11,
            Self::Obligation(_) => 12,
            Self::ForeignLabel => 13,
            Self::Reference => 14,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy => f.write_str("policy"),
            Self::Label(why) => write!(f, "label:{why}"),
            Self::Classification => f.write_str("classification"),
            Self::Restrictive(tag) => write!(f, "restrictive:{tag}"),
            Self::Permissive(tag) => write!(f, "permissive:{tag}"),
            Self::Link => f.write_str("link"),
            Self::Tlp(level) => write!(f, "tlp:{}", level.name()),
            Self::Dissemination => f.write_str("dissemination"),
            Self::Agreement => f.write_str("agreement"),
            Self::Quarantined => f.write_str("quarantined"),
            Self::Onward => f.write_str("onward"),
            Self::Obligation(what) => write!(f, "obligation:{what}"),
            Self::ForeignLabel => f.write_str("foreign-label"),
            Self::Reference => f.write_str("reference"),
            Self::UnknownMarking => f.write_str("unknown-marking"),
        }
    }
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which chain (index into the state's chains), `None` for steps about the whole.
    pub chain: Option<usize>,
    /// Requirement id, e.g. `L-080`.
    pub rule: &'static str,
    /// What was tested, in words, for the operator.
    pub what: String,
    /// Outcome.
    pub passed: bool,
}

/// A decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Released through this chain.
    Release {
        /// Index of the first chain that permits.
        chain: usize,
        /// The reader contributed it, by whichever chain.
        contributed: bool,
    },
    /// Withheld; the reason of the chain that came furthest.
    Withhold(Reason),
}

/// What one chain asks of any reader, looked up once.
struct Road<'a> {
    authority: &'a Authority<'a>,
    chain: &'a Chain,
    labels: Vec<Demand<'a>>,
    levels: Vec<Tlp>,
    /// Every dissemination marking together.
    dissemination: Option<Dissemination>,
    /// Identities of the node's own organisation.
    home: &'a BTreeSet<Id<Identity>>,
    /// A marking here is not understood, or not held any more.
    unknown: bool,
    /// No marking counts at all.
    bare: bool,
    /// There is no originator label, and whoever brought the others does not count (L-104).
    unvouched: bool,
    onward: Next,
    /// Overrides that two persons signed who count now (L-157); their dates are asked with the reader.
    overrides: Vec<&'a Override>,
}

/// To whom beside the own organisation and the party it came from it may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Nobody,
    /// Whoever speaks for its creator says to whom (L-140).
    Addressees,
    Anybody,
}

/// One label in force: found in its policy, or the reason why it cannot be.
struct Demand<'a> {
    label: &'a Label,
    found: Result<(&'a Policy, Resolved), Reason>,
    /// It carries an extension that its policy does not call harmless (L-014).
    extended: bool,
    /// The same in other policies, for readers without a clearance in its own (L-104).
    alternatives: Vec<Alternative<'a>>,
}

/// One alternative label whose maker counts.
struct Alternative<'a> {
    label: Cow<'a, Label>,
    policy: &'a Policy,
    found: Resolved,
    /// The node's own mapping counts for one direction only (L-101); what somebody wrote counts for both.
    way: Option<Way>,
}

/// The outcome for one chain.
enum Verdict {
    Permitted,
    Refused(Reason),
}

/// Told every test and its outcome; answers whether to go on after a failure.
type Witness<'w> = &'w mut dyn FnMut(&'static str, &dyn fmt::Display, bool) -> bool;

impl Authority<'_> {
    /// Rules 1, 2, 3 and 5 of 6.1 (references apart) for one reader. No I/O, no clock, no default arm.
    pub fn decide(&self, state: &LabelState, type_name: &str, reader: &Reader) -> Decision {
        judge(&self.roads(state), None, type_name, reader, self.at, &mut |_, _, _, _| false)
    }

    /// [`Self::decide`] for one line: only roads into `collection` count, so that a road hidden from the reader cannot show there (I1).
    /// `contributed` is still said of all roads.
    pub fn decide_in(
        &self,
        collection: CollectionNo,
        state: &LabelState,
        type_name: &str,
        reader: &Reader,
    ) -> Decision {
        judge(&self.roads(state), Some(collection), type_name, reader, self.at, &mut |_, _, _, _| false)
    }

    /// [`Self::decide`] with every step, for `explain`.
    pub fn explain(&self, state: &LabelState, type_name: &str, reader: &Reader) -> (Decision, Vec<Step>) {
        let mut steps = Vec::new();
        let decision = judge(&self.roads(state), None, type_name, reader, self.at, &mut |chain, rule, what, passed| {
            steps.push(Step { chain, rule, what: what.to_string(), passed });
            true
        });
        (decision, steps)
    }

    /// The readers that [`Self::decide`] would release to, as bits. Labels are looked up once for all readers, and compared once for each class of them.
    pub fn permits(&self, state: &LabelState, type_name: &str, readers: &Readers) -> Bits {
        let roads = self.roads(state);
        let released = |r: &Reader| {
            matches!(judge(&roads, None, type_name, r, self.at, &mut |_, _, _, _| false), Decision::Release { .. })
        };
        let mut bits = Bits::new();
        for class in readers.classes() {
            let mut of_class = None;
            for reader in class {
                let permitted = match of_class {
                    _ if reader.is_named_by(state) => released(reader),
                    Some(known) => known,
                    None => *of_class.insert(released(reader)),
                };
                if permitted {
                    bits.insert(reader.no);
                }
            }
        }
        bits
    }

    /// [`Self::decide_in`], and the TLP under which tools that know no labels get it (L-129).
    pub fn decide_with_tlp(
        &self,
        collection: CollectionNo,
        state: &LabelState,
        type_name: &str,
        reader: &Reader,
    ) -> (Decision, Option<Tlp>) {
        let roads = self.roads(state);
        let decision = judge(&roads, Some(collection), type_name, reader, self.at, &mut |_, _, _, _| false);
        let tlp = match &decision {
            Decision::Release { chain, .. } => roads.get(*chain).and_then(|road| self.export_tlp(road)),
            Decision::Withhold(_) => None,
        };
        (decision, tlp)
    }

    /// TLP for export, from labels and audience (L-147): of all labels the strictest, and never weaker than what the source said. `None` if the source's
    /// own TLP says as much, or if there is no label to compute one from.
    fn export_tlp(&self, road: &Road<'_>) -> Option<Tlp> {
        let said = road.levels.iter().copied().max();
        let computed = road.labels.iter().map(|d| self.tlp_of(d, road.chain.collection)).max()?;
        let computed = under(road, computed);
        (said.is_none_or(|said| said < computed)).then_some(computed)
    }

    fn tlp_of(&self, demand: &Demand<'_>, collection: CollectionNo) -> Tlp {
        // What cannot be decided is released to nobody but whoever brought it.
        let Ok((policy, found)) = &demand.found else { return Tlp::Red };
        let restricted = |c: &Chosen| policy.kind(c) == TagType::Restrictive && !c.values.is_empty();
        if found.chosen.iter().any(restricted) {
            return Tlp::Red;
        }
        if demand.is_public() {
            return Tlp::Clear;
        }
        let community = self.markings.community_of(collection).filter(|(oid, _)| *oid == policy.oid());
        let whole = community.is_some_and(|(_, value)| policy.is_for_all_of(found, value));
        if whole { Tlp::Green } else { Tlp::AmberStrict }
    }

    /// The window around `at` in which no date of a policy, an agreement or a succession changes any answer: `[from, until)`, in microseconds.
    pub fn stable_window(&self, readers: &[Reader], states: &[&LabelState]) -> (i64, i64) {
        // Each date as the first microsecond at which its answer is the new one.
        let mut dates: Vec<i64> = Vec::new();
        for reader in readers {
            dates.extend(reader.from.iter().chain(&reader.until).map(first_micro));
        }
        let links = readers.iter().filter_map(|r| r.link.policies.as_deref());
        for policy in std::iter::once(self.policies).chain(links).flat_map(Policies::iter) {
            let (from, until) = policy.window();
            dates.extend(from.iter().map(first_micro));
            dates.extend(until.iter().map(|u| u.micros().saturating_add(1)));
        }
        for chain in states.iter().flat_map(|s| s.chains()) {
            dates.extend(chain.overrides.iter().map(|o| o.until));
            for id in chain.effective() {
                let Some(Meaning::Label(label)) = self.markings.meaning_in(&id, &chain.origin, chain.collection) else {
                    continue;
                };
                let mut next = label.succession();
                while let Some((at, label)) = next {
                    dates.push(first_micro(at));
                    next = label.succession();
                }
            }
        }
        let now = self.at.micros();
        let from = dates.iter().copied().filter(|d| *d <= now).max().unwrap_or(i64::MIN);
        let until = dates.iter().copied().filter(|d| *d > now).min().unwrap_or(i64::MAX);
        (from, until)
    }

    /// Whether a label on what came by this road, or on a part of it, tells the reader of a policy of which it is not to know (L-107, L-126). What its own
    /// party's object carries is its own; what was put on it here is not.
    pub fn tells_too_much(&self, chain: &Chain, reader: &Reader) -> bool {
        let own = reader.owns(&chain.origin);
        let tells = |id| match self.markings.meaning_in(id, &chain.origin, chain.collection) {
            Some(Meaning::Label(label)) => !reader.may_read(self.policies, label),
            _ => false,
        };
        let its_own = |id: &&_| own && chain.carried.contains(id);
        reader.link.no_foreign_labels && chain.effective().iter().filter(|id| !its_own(id)).any(tells)
    }

    fn roads<'s>(&'s self, state: &'s LabelState) -> Vec<Road<'s>> {
        state.chains().iter().map(|chain| self.road(chain)).collect()
    }

    fn road<'s>(&'s self, chain: &'s Chain) -> Road<'s> {
        let mut road = Road {
            authority: self,
            chain,
            labels: Vec::new(),
            levels: Vec::new(),
            dissemination: None,
            home: self.markings.own_identities(),
            unknown: false,
            bare: true,
            unvouched: false,
            onward: Next::Nobody,
            overrides: self.overrides(chain),
        };
        let (mut obligations, mut foreign_word) = (false, false);
        let mut labels: Vec<&Label> = Vec::new();
        for id in chain.effective() {
            road.bare = false;
            match self.markings.meaning_in(&id, &chain.origin, chain.collection) {
                Some(Meaning::Label(label)) => labels.push(label),
                Some(Meaning::Tlp(level)) => road.levels.push(*level),
                Some(Meaning::Statement) => {}
                Some(Meaning::Obligation(_)) => obligations = true,
                Some(Meaning::Dissemination(said)) => {
                    road.dissemination = Some(road.dissemination.map_or_else(|| (**said).clone(), |d| d.combine(said)));
                    // What a peer or this node put on binds, but is not the creator's word.
                    foreign_word |= !chain.carried.contains(&id);
                }
                Some(Meaning::Unknown) | None => road.unknown = true,
            }
        }
        // Alternatives stand for an originator label; where there is none, every label must be passed.
        let originated = labels.iter().any(|l| l.role() == Role::Originator);
        let stands = |l: &&Label| originated && l.role() == Role::Alternative;
        let (beside, own): (Vec<&Label>, Vec<&Label>) = labels.into_iter().partition(stands);
        let trusted = self.policies.trust.counts_alternatives_of(&chain.origin);
        road.unvouched = !trusted && !originated && !own.is_empty() && road.levels.is_empty();
        for label in &own {
            // With two originator labels nobody can tell for which of them an alternative beside them stands.
            let beside = if own.len() == 1 && trusted { beside.as_slice() } else { &[] };
            self.demand(label, beside, trusted, &mut road.labels);
        }
        let clear = road.levels.iter().all(|l| *l == Tlp::Clear);
        let public = !road.labels.is_empty() && road.labels.iter().all(Demand::is_public);
        // Public, or TLP:CLEAR and nothing else. A stricter TLP beside a public label was addressed to this node, not to others (L-140).
        let named = road.dissemination.as_ref().is_some_and(Dissemination::names_addressees);
        let open = clear && (public || (road.labels.is_empty() && !road.levels.is_empty() && !obligations));
        road.onward = match open {
            true => Next::Anybody,
            false if named && chain.vouched && !foreign_word && !chain.partly_addressed => Next::Addressees,
            false => Next::Nobody,
        };
        road
    }

    /// On a road by which others' material came nothing counts, whoever signed it: only its owner may (L-157).
    fn overrides<'s>(&self, chain: &'s Chain) -> Vec<&'s Override> {
        let own = matches!(chain.origin, Origin::Own { .. });
        let signed = |o: &&Override| own && self.policies.trust.are_two_officers(&o.officers);
        chain.overrides.iter().filter(signed).collect()
    }

    /// The label, and from its date on its successor as well: whichever of the two is stricter decides (L-012). What a successor would
    /// *widen* needs a signature that nothing here can check.
    fn demand<'s>(&'s self, label: &'s Label, beside: &[&'s Label], trusted: bool, demands: &mut Vec<Demand<'s>>) {
        let found = self.look_up(label);
        let known = matches!(&found, Ok((policy, _)) if policy.knows_extensions(label));
        let extended = !known && !label.parts().ext.is_empty();
        let mut alternatives = Vec::new();
        if found.is_ok() {
            let written = label.parts().alternatives.iter().filter(|_| trusted).chain(beside.iter().copied());
            alternatives.extend(written.filter_map(|l| {
                let (policy, found) = self.look_up(l).ok()?;
                Some(Alternative { label: Cow::Borrowed(l), policy, found, way: None })
            }));
            alternatives.extend(self.mappings(label));
        }
        demands.push(Demand { label, found, extended, alternatives });
        if let Some((_, next)) = label.succession().filter(|(at, _)| *at <= self.at) {
            self.demand(next, &[], trusted, demands);
        }
    }

    fn look_up<'s>(&'s self, label: &Label) -> Result<(&'s Policy, Resolved), Reason> {
        match self.policies.find(label.policy_name(), label.policy_oid()) {
            Some(policy) if policy.in_window(self.at) => {
                policy.resolve(label, Validity::Old, None).map(|r| (policy, r)).map_err(Reason::invalid)
            }
            _ => Err(Reason::Policy),
        }
    }

    /// What the operator's confirmed rows make of a label (L-100, L-109), always from the originator label (L-105).
    fn mappings<'s>(&'s self, label: &Label) -> Vec<Alternative<'s>> {
        if !self.policies.trust.maps() {
            return Vec::new();
        }
        let ways = [Way::Leaving, Way::Arriving];
        let targets = self.policies.iter().filter(|p| p.in_window(self.at)).flat_map(|p| ways.map(|way| (p, way)));
        targets
            .filter_map(|(policy, way)| {
                let (mapped, _) = self.policies.alternative(label, policy, way, None, label.created()).ok()?;
                let found = policy.resolve(&mapped, Validity::Old, None).ok()?;
                Some(Alternative { label: Cow::Owned(mapped), policy, found, way: Some(way) })
            })
            .collect()
    }
}

impl Demand<'_> {
    fn is_public(&self) -> bool {
        matches!(&self.found, Ok((policy, _)) if policy.is_public())
    }

    fn met(&self, reader: &Reader, at: &Timestamp) -> Result<(), Reason> {
        let (policy, resolved) = self.found.as_ref().map_err(Clone::clone)?;
        if self.extended && reader.partner.is_some() {
            return Err(Reason::invalid("extension")); // L-014
        }
        let mut cleared = reader.clearances.iter().filter(|c| c.policy_oid() == policy.oid());
        match (cleared.next(), cleared.next()) {
            (Some(clearance), None) => {
                policy.compare(resolved, clearance)?;
                on_link(self.label, clearance, reader, at)
            }
            (None, _) => self.met_in_another(reader, at),
            _ => Err(Reason::Policy),
        }
    }

    /// What no override can be about (L-157): a label that cannot be decided here, or says more than is understood, or that the policy files of the
    /// reader's link do not hold. Nobody can have seen what it means.
    fn is_understood(&self, reader: &Reader, at: &Timestamp) -> Result<(), Reason> {
        self.found.as_ref().map_err(Clone::clone)?;
        if self.extended {
            return Err(Reason::invalid("extension"));
        }
        held_on_link(self.label, reader, at).map(drop)
    }

    /// L-104: an alternative in a policy for which the reader is cleared; all of them, if there are several.
    fn met_in_another(&self, reader: &Reader, at: &Timestamp) -> Result<(), Reason> {
        let way = if reader.partner.is_none() { Way::Arriving } else { Way::Leaving };
        let mut outcome = Err(Reason::Policy);
        for alternative in self.alternatives.iter().filter(|a| a.way.is_none_or(|w| w == way)) {
            let mut cleared = reader.clearances.iter().filter(|c| c.policy_oid() == alternative.policy.oid());
            match (cleared.next(), cleared.next()) {
                (Some(clearance), None) => {
                    alternative.policy.compare(&alternative.found, clearance)?;
                    on_link(&alternative.label, clearance, reader, at)?;
                    outcome = Ok(());
                }
                (None, _) => {}
                _ => return Err(Reason::Policy),
            }
        }
        outcome
    }
}

/// L-057: where a link has policy files of its own, they must hold the label and permit it, too.
fn on_link(label: &Label, clearance: &Clearance, reader: &Reader, at: &Timestamp) -> Result<(), Reason> {
    let Some((policy, found)) = held_on_link(label, reader, at)? else { return Ok(()) };
    policy.compare(&found, clearance).map_err(|_| Reason::Link)
}

/// The label as the policy files of the reader's link hold it; `None` if the link has none of its own.
fn held_on_link<'r>(
    label: &Label,
    reader: &'r Reader,
    at: &Timestamp,
) -> Result<Option<(&'r Policy, Resolved)>, Reason> {
    let Some(policies) = &reader.link.policies else { return Ok(None) };
    let policy =
        policies.find(label.policy_name(), label.policy_oid()).filter(|p| p.in_window(at)).ok_or(Reason::Link)?;
    let found = policy.resolve(label, Validity::Old, None).map_err(|_| Reason::Link)?;
    Ok(Some((policy, found)))
}

/// The first microsecond that is not before `t`.
fn first_micro(t: &Timestamp) -> i64 {
    let floor = t.micros();
    if Timestamp::from_micros(floor) == *t { floor } else { floor.saturating_add(1) }
}

type AllSteps<'w> = &'w mut dyn FnMut(Option<usize>, &'static str, &dyn fmt::Display, bool) -> bool;

/// An instance is released if one of its chains permits it.
fn judge(
    roads: &[Road<'_>],
    only: Option<CollectionNo>,
    type_name: &str,
    reader: &Reader,
    at: &Timestamp,
    see: AllSteps<'_>,
) -> Decision {
    let mut permitted = None;
    let mut furthest: Option<Reason> = None;
    // An agreement that is over gives nothing, not even the reader's own objects.
    let in_force =
        reader.from.as_ref().is_none_or(|from| from <= at) && reader.until.as_ref().is_none_or(|until| at < until);
    let brought = |road: &Road<'_>| {
        in_force && reader.is(&road.chain.origin) && reader.collections.contains_key(&road.chain.collection)
    };
    let contributed = roads.iter().any(brought);
    for (i, road) in roads.iter().enumerate().filter(|(_, r)| only.is_none_or(|c| c == r.chain.collection)) {
        let verdict = if brought(road) {
            see(
                Some(i),
                "L-005",
                &format_args!("`{}` brought it itself into a collection that its agreement covers", reader.account),
                true,
            );
            Verdict::Permitted
        } else {
            walk(road, type_name, reader, at, &mut |rule, what, passed| see(Some(i), rule, what, passed))
        };
        match verdict {
            Verdict::Permitted => permitted = permitted.or(Some(i)),
            Verdict::Refused(reason) if furthest.as_ref().is_none_or(|f| f.rank() < reason.rank()) => {
                furthest = Some(reason);
            }
            Verdict::Refused(_) => {}
        }
    }
    if let Some(chain) = permitted {
        return Decision::Release { chain, contributed };
    }
    if roads.is_empty() {
        see(None, "L-005", &"no road leads to this instance", false);
    }
    Decision::Withhold(furthest.unwrap_or(Reason::Agreement))
}

/// The tests of one chain: told to the witness, the first failure kept.
struct Trial<'w> {
    see: Witness<'w>,
    failed: Option<Reason>,
}

impl Trial<'_> {
    /// Whether to go on.
    fn test(&mut self, rule: &'static str, what: &dyn fmt::Display, passed: bool, otherwise: Reason) -> bool {
        let more = (self.see)(rule, what, passed);
        if !passed {
            self.failed.get_or_insert(otherwise);
        }
        passed || more
    }

    fn label(&mut self, demand: &Demand<'_>, reader: &Reader, at: &Timestamp) -> bool {
        let met = demand.met(reader, at);
        let refused = met.as_ref().err();
        let more = (self.see)(refused.map_or("L-080", Reason::rule), &Shown(demand, refused), refused.is_none());
        let Err(reason) = met else { return true };
        self.failed.get_or_insert(reason);
        more
    }

    /// A test that an override passes: told as what it came to without it.
    fn told(&mut self, what: &dyn fmt::Display) -> bool {
        (self.see)("L-157", what, true);
        true
    }
}

/// What the object itself says of this reader: its labels, its TLP and its dissemination markings (rules 1 and 2). Where two persons let the reader have
/// it, what they may not override is left (L-157, L-141).
fn marked_for(trial: &mut Trial<'_>, road: &Road<'_>, reader: &Reader, at: &Timestamp) -> bool {
    let for_reader = |o: &&&Override| reader.partner.as_ref() == Some(&o.partner) && at.micros() < o.until;
    let by = road.overrides.iter().find(for_reader);
    let told = |trial: &mut Trial<'_>, what: &dyn fmt::Display| {
        by.is_some_and(|by| {
            let end = Timestamp::from_micros(by.until);
            trial.told(&format_args!("not: {what}; two persons override that until {} (act {})", end.as_str(), by.act))
        })
    };
    road.labels.iter().all(|d| {
        let overridden = match (by, d.met(reader, at)) {
            (Some(_), Err(refused)) => d.is_understood(reader, at).is_ok().then_some(refused),
            _ => None,
        };
        match overridden {
            Some(refused) => told(trial, &Shown(d, Some(&refused))),
            None => trial.label(d, reader, at),
        }
    }) && road.levels.iter().all(|l| {
        let what = format_args!("{l} is addressed to `{}`", reader.account);
        match addressed(*l, reader) {
            false if by.is_some() && *l != Tlp::Red => told(trial, &what),
            passed => trial.test("L-142", &what, passed, Reason::Tlp(*l)),
        }
    }) && road.dissemination.as_ref().is_none_or(|d| {
        let what = format_args!("the dissemination marking is for `{}`", reader.account);
        match d.permits(reader, &road.chain.origin, &road.levels, road.home) {
            false if by.is_some() && d.may_be_overridden() => told(trial, &what),
            passed => trial.test("L-132", &what, passed, Reason::Dissemination),
        }
    })
}

/// Every test of one chain, in order; all must pass. Stops at the first failure unless the witness wants the rest.
fn walk(road: &Road<'_>, type_name: &str, reader: &Reader, at: &Timestamp, see: Witness<'_>) -> Verdict {
    let mut trial = Trial { see, failed: None };
    let chain = road.chain;
    let kinds = reader.collections.get(&chain.collection);
    let go = trial.test(
        "6.1-3",
        &format_args!("the agreement covers collection {}", chain.collection),
        kinds.is_some(),
        Reason::Agreement,
    ) && trial.test(
        "6.1-3",
        &format_args!("the agreement covers type `{type_name}` there"),
        kinds.is_some_and(|k| k.covers(type_name)),
        Reason::Agreement,
    ) && trial.test(
        "6.1-3",
        &"the agreement has begun",
        reader.from.as_ref().is_none_or(|from| from <= at),
        Reason::Agreement,
    ) && trial.test(
        "6.1-3",
        &"the agreement is not over",
        reader.until.as_ref().is_none_or(|until| at < until),
        Reason::Agreement,
    ) && chain.made_for.as_ref().is_none_or(|readers| {
        trial.test(
            "L-124",
            &format_args!("the redacted copy was made for `{}`, and its agreement allows redaction", reader.account),
            reader.redaction && readers.contains(&reader.no),
            Reason::Agreement,
        )
    }) && trial.test(
        "6.1-5",
        &format_args!("not quarantined ({})", Quarantine(chain)),
        chain.unresolved.is_none(),
        Reason::Quarantined,
    ) && trial.test(
        "L-005",
        &"a marking counts",
        // A definition labels itself, whoever brought it.
        !road.bare && (!road.unvouched || type_name == "marking-definition"),
        Reason::Quarantined,
    ) && trial.test(
        "L-083",
        &"every marking is known here and defined by someone who may",
        !road.unknown,
        Reason::UnknownMarking,
    ) && marked_for(&mut trial, road, reader, at);
    if go {
        let home = matches!(chain.origin, Origin::Own { .. }) || reader.partner.is_none() || reader.owns(&chain.origin);
        let go = trial.test(
            "L-140",
            &"own material, or for its own party, or public enough to go onward, or its creator addressed the reader",
            home || road.onward != Next::Nobody,
            Reason::Onward,
        );
        if go && chain.unattributed {
            trial.test(
                "L-143",
                &"for its own party: others get `tlp:ex:chr` as a redacted copy or not at all",
                reader.partner.is_none() || reader.owns(&chain.origin),
                Reason::Obligation("tlp:ex:chr"),
            );
        }
        // The last test: whoever fails it alone may have a copy with another label ([`Authority::redact`]).
        if go && reader.link.no_foreign_labels {
            let what = "no label tells of a policy in which the reader has no clearance";
            let told = road.authority.tells_too_much(chain, reader);
            trial.test("L-107", &what, !told, Reason::ForeignLabel);
        }
    }
    trial.failed.map_or(Verdict::Permitted, Verdict::Refused)
}

/// Rule 2 for TLP: CLEAR passes everyone, RED nobody (L-141), the others whom this node's organisation addresses, itself included.
fn addressed(level: Tlp, reader: &Reader) -> bool {
    match level {
        Tlp::Clear => true,
        Tlp::Green | Tlp::Amber | Tlp::AmberStrict => reader.partner.is_none() || reader.tlp.contains(&level),
        Tlp::Red => false,
    }
}

/// What a dissemination marking allows weakens a computed level as far as it allows clients (L-147), and strengthens it like any other marking. One that
/// stands on a part allows nothing for the whole (L-132).
fn under(road: &Road<'_>, computed: Tlp) -> Tlp {
    let Some(said) = road.dissemination.as_ref().map(Dissemination::onward) else { return computed };
    let weakens = said >= Onward::Clients && !road.chain.partly_addressed;
    let with_clients = computed == Tlp::AmberStrict && weakens;
    if with_clients { Tlp::Amber } else { computed.max(said.tlp()) }
}

struct Shown<'d, 'a>(&'d Demand<'a>, Option<&'d Reason>);
impl fmt::Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.0.label;
        match &self.0.found {
            Ok((policy, _)) => {
                write!(f, "the clearance passes the label {} {}", policy.name(), label.classification())?;
            }
            Err(reason) => {
                write!(f, "the label {} {} can be decided ({reason})", label.policy_name(), label.classification())?;
            }
        }
        for c in &label.parts().categories {
            write!(f, ", {} [{}]", c.tag, c.values.join(", "))?;
        }
        // What is refused is told; a label that cannot be decided has told it above.
        match (self.1, &self.0.found) {
            (Some(reason), Ok(_)) => write!(f, ": {reason}"),
            _ => Ok(()),
        }
    }
}

struct Quarantine<'c>(&'c Chain);
impl fmt::Display for Quarantine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.unresolved {
            None => f.write_str("resolved"),
            Some(crate::Unresolved::UnknownMarking { marking }) => {
                write!(f, "marking {marking} is not held or not from anyone who may define it")
            }
            Some(crate::Unresolved::Unlabelled) => f.write_str("no label and no default"),
            Some(crate::Unresolved::Contradictory { why }) => write!(f, "contradictory: {why}"),
            Some(crate::Unresolved::ForgedMarking) => f.write_str("a forged marking definition"),
        }
    }
}
