//! A naive model of the decision, written from `labels.md` (sections 6, 6.1 and 11) with sets and loops, sharing no code with `label`.
//!
//! Everything is a plain value; instants are microseconds; names compare by lower case, trimmed (the tests use ASCII names only).
use std::collections::{BTreeMap, BTreeSet};

/// The three types of category (L-002).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// All values needed.
    Restrictive,
    /// One value needed.
    Permissive,
    /// No effect.
    Informative,
}

/// A rule on other categories (L-054).
#[derive(Debug, Clone)]
pub struct Rule {
    /// `onlyOne`, `oneOrMore` or `all`.
    pub operation: &'static str,
    /// Tag set name, and a value of it or none for any.
    pub groups: Vec<(String, Option<String>)>,
}

/// A classification.
#[derive(Debug, Clone)]
pub struct Level {
    /// Name.
    pub name: String,
    /// Position.
    pub rank: i64,
    /// Rules that a label of this level must meet.
    pub required: Vec<Rule>,
}

/// A value of a tag set.
#[derive(Debug, Clone)]
pub struct TagValue {
    /// Name.
    pub name: String,
    /// Levels it must not stand with.
    pub excluded_levels: Vec<String>,
    /// Rules that a label with it must meet.
    pub required: Vec<Rule>,
    /// What must not stand beside it.
    pub excluded: Vec<(String, Option<String>)>,
    /// Old labels may have it, new ones not (L-055).
    pub obsolete: bool,
}

/// A tag set of one type.
#[derive(Debug, Clone)]
pub struct TagSet {
    /// Name.
    pub name: String,
    /// Object identifier.
    pub oid: String,
    /// Type.
    pub kind: Kind,
    /// Values.
    pub values: Vec<TagValue>,
    /// Fewest values, if any is there.
    pub min: usize,
    /// Most values.
    pub max: usize,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name.
    pub name: String,
    /// Object identifier.
    pub oid: String,
    /// First and last instant of validity.
    pub window: (Option<i64>, Option<i64>),
    /// Classifications.
    pub levels: Vec<Level>,
    /// Tag sets.
    pub sets: Vec<TagSet>,
    /// Whether it is the policy of public material.
    pub public: bool,
}

/// One category of a label.
#[derive(Debug, Clone)]
pub struct Category {
    /// Tag set name as written.
    pub tag: String,
    /// Object identifier as written.
    pub oid: Option<String>,
    /// Type as written.
    pub kind: Kind,
    /// Values as written.
    pub values: Vec<String>,
}

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    /// An originator label, or an alternative one.
    pub originator: bool,
    /// Policy name as written.
    pub policy: String,
    /// Policy identifier as written.
    pub oid: Option<String>,
    /// Classification as written.
    pub level: String,
    /// Categories.
    pub categories: Vec<Category>,
    /// Since when which label follows.
    pub succession: Option<(i64, Box<Label>)>,
    /// It carries an extension that nobody called harmless.
    pub extended: bool,
    /// The same in other policies, as somebody wrote it in.
    pub alternatives: Vec<Label>,
}

/// A clearance; nothing is closed yet.
#[derive(Debug, Clone)]
pub struct Clearance {
    /// Policy identifier.
    pub oid: String,
    /// Classifications listed.
    pub levels: BTreeSet<String>,
    /// Values by tag set name.
    pub values: BTreeMap<String, BTreeSet<String>>,
}

/// Who brought something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The own organisation, with an account or not.
    Own(Option<String>),
    /// A partner's account.
    Partner(String, String),
    /// A peer node.
    Peer(String),
}

/// What a marking says.
#[derive(Debug, Clone)]
pub enum Says {
    /// A label.
    Label(Label),
    /// TLP from 0 (CLEAR) to 4 (RED).
    Tlp(u8),
    /// A statement.
    Statement,
    /// An obligation.
    Obligation,
    /// Who was addressed (L-132).
    Addressed(Addressed),
    /// Something nobody understands.
    Unknown,
}

/// A dissemination marking. Organisations are numbers.
#[derive(Debug, Clone)]
pub struct Addressed {
    /// To whom, if it says.
    pub to: Option<Vec<u32>>,
    /// From 0 (named persons) to 4 (anybody).
    pub onward: u8,
    /// A community.
    pub community: Option<String>,
    /// Members of a sharing group.
    pub group: Option<Vec<u32>>,
    /// Without attribution.
    pub unattributed: bool,
}

/// A marking with those who defined it. Labels, TLP and obligations known by id need nobody.
#[derive(Debug, Clone)]
pub struct Marking {
    /// Its meaning.
    pub says: Says,
    /// Who defined it.
    pub by: Vec<Origin>,
}

/// A reader.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Account name.
    pub account: String,
    /// Partner, none for the own organisation.
    pub partner: Option<String>,
    /// Clearances.
    pub clearances: Vec<Clearance>,
    /// TLP levels addressed.
    pub tlp: Vec<u8>,
    /// Collections with their types; none means all types.
    pub collections: BTreeMap<u32, Option<BTreeSet<String>>>,
    /// Begin and end of the agreement.
    pub dates: (Option<i64>, Option<i64>),
    /// Its organisations, as they are addressed.
    pub organisations: Vec<u32>,
    /// A client of the node's organisation.
    pub client: bool,
    /// Its communities.
    pub communities: Vec<String>,
    /// The policies of its link, if it has its own (L-057).
    pub link: Option<Vec<Policy>>,
    /// It is told of no policy in which it has no clearance (L-107, L-126).
    pub own_policies_alone: bool,
}

/// What the node put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    /// Nothing.
    Nothing,
    /// In addition, by the door or by a peer.
    Added(Vec<usize>),
    /// In place of what is carried.
    Replaced(Vec<usize>),
}

/// One road; markings are indices into the model's list, those beyond its end are not held.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Into which collection.
    pub collection: u32,
    /// By whom.
    pub origin: Origin,
    /// Markings on the object.
    pub carried: Vec<usize>,
    /// Markings put on.
    pub assigned: Assigned,
    /// Quarantined.
    pub quarantined: bool,
    /// Whoever brought it may speak for its creator.
    pub vouched: bool,
    /// Whom it addresses it addresses in part: [`Model::partly_addressed`].
    pub partly_addressed: bool,
    /// What two persons said beside it (L-157).
    pub overrides: Vec<Override>,
}

/// Two persons let a partner have it until an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// For whom.
    pub partner: String,
    /// From here on not any more.
    pub until: i64,
    /// Who signed.
    pub signed: [String; 2],
}

impl Chain {
    /// A road with these markings, of which nothing else is known.
    pub fn new(collection: u32, origin: Origin, carried: Vec<usize>, assigned: Assigned) -> Self {
        Self {
            collection,
            origin,
            carried,
            assigned,
            quarantined: false,
            vouched: false,
            partly_addressed: false,
            overrides: Vec::new(),
        }
    }
}

/// The whole model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Policies held.
    pub policies: Vec<Policy>,
    /// Markings held.
    pub markings: Vec<Marking>,
    /// Now.
    pub at: i64,
    /// Partners and peers whose alternative labels count.
    pub mappers: Vec<String>,
    /// The node's own organisations.
    pub home: Vec<u32>,
    /// Who may sign overrides.
    pub officers: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Released; whether the reader brought it.
    Yes {
        /// It brought it.
        own: bool,
    },
    /// Withheld, with the reason of L-083.
    No(String),
}

fn low(s: &str) -> String {
    s.trim().to_lowercase()
}

fn same(a: &str, b: &str) -> bool {
    low(a) == low(b)
}

impl Model {
    /// 6.1: released if one of the chains permits; otherwise the reason of the one that came furthest.
    pub fn decide(&self, chains: &[Chain], type_name: &str, reader: &Reader) -> Answer {
        let mut own = false;
        let mut yes = false;
        let mut reasons = Vec::new();
        for chain in chains {
            let over = reader.dates.0.is_some_and(|d| self.at < d) || reader.dates.1.is_some_and(|d| self.at >= d);
            if brought(reader, &chain.origin) && reader.collections.contains_key(&chain.collection) && !over {
                own = true;
                yes = true;
                continue;
            }
            match self.chain(chain, type_name, reader) {
                None => yes = true,
                Some(reason) => reasons.push(reason),
            }
        }
        if yes {
            return Answer::Yes { own };
        }
        let order = [
            "agreement",
            "quarantined",
            "unknown-marking",
            "policy",
            "label:",
            "classification",
            "restrictive:",
            "permissive:",
            "link",
            "tlp:",
            "dissemination",
            "onward",
            "foreign-label",
        ];
        let rank = |r: &String| order.iter().position(|o| r.starts_with(o));
        let mut best: Option<String> = None;
        for reason in reasons {
            if best.as_ref().is_none_or(|b| rank(b) < rank(&reason)) {
                best = Some(reason);
            }
        }
        Answer::No(best.unwrap_or_else(|| "agreement".to_owned()))
    }

    /// Why one chain does not permit.
    fn chain(&self, chain: &Chain, type_name: &str, reader: &Reader) -> Option<String> {
        let Some(kinds) = reader.collections.get(&chain.collection) else { return Some("agreement".into()) };
        if kinds.as_ref().is_some_and(|k| !k.contains(type_name))
            || reader.dates.0.is_some_and(|d| self.at < d)
            || reader.dates.1.is_some_and(|d| self.at >= d)
        {
            return Some("agreement".into());
        }
        if chain.quarantined {
            return Some("quarantined".into());
        }
        let markings = effective(chain);
        if markings.is_empty() {
            return Some("quarantined".into());
        }
        let mut own = Vec::new();
        let mut alternative = Vec::new();
        let mut levels = Vec::new();
        let mut unknown = false;
        let mut obliged = false;
        let mut said: Vec<Addressed> = Vec::new();
        let mut put_on = false;
        for m in &markings {
            match self.says(*m, &chain.origin) {
                None | Some(Says::Unknown) => unknown = true,
                Some(Says::Label(l)) if l.originator => own.push(l.clone()),
                Some(Says::Label(l)) => alternative.push(l.clone()),
                Some(Says::Tlp(t)) => levels.push(*t),
                Some(Says::Statement) => {}
                Some(Says::Obligation) => obliged = true,
                Some(Says::Addressed(a)) => {
                    said.push(a.clone());
                    put_on = put_on || !chain.carried.contains(m);
                }
            }
        }
        // L-104: an alternative stands for the one originator label; where there is none, it is all there is, and of somebody whose do not count nothing.
        let counts = self.counts(&chain.origin);
        let only_alternatives = own.is_empty() && levels.is_empty() && !alternative.is_empty();
        if only_alternatives && !counts && type_name != "marking-definition" {
            return Some("quarantined".into());
        }
        if unknown {
            return Some("unknown-marking".into());
        }
        let mut labels: Vec<(Label, Vec<Label>)> = Vec::new();
        if own.is_empty() {
            own.append(&mut alternative);
        }
        for l in &own {
            let mut others = Vec::new();
            if counts {
                others.extend(l.alternatives.clone());
                if own.len() == 1 {
                    others.extend(alternative.clone());
                }
            }
            let mut all = Vec::new();
            self.in_force(l, &mut all);
            for (n, label) in all.into_iter().enumerate() {
                let others = match n {
                    0 => others.clone(),
                    _ if counts => label.alternatives.clone(),
                    _ => Vec::new(),
                };
                labels.push((label, others));
            }
        }
        let overridden = self.overridden(chain, reader);
        for (label, others) in &labels {
            if let Some(reason) = self.label(label, others, reader) {
                if overridden && self.understood(label, reader) {
                    continue;
                }
                return Some(reason);
            }
        }
        for level in &levels {
            let names = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];
            let passes = *level == 0 || (*level < 4 && (reader.partner.is_none() || reader.tlp.contains(level)));
            // RED is never given to polls, whoever signs (L-141).
            let opened = overridden && *level < 4;
            if !passes && !opened {
                return Some(format!("tlp:{}", names[usize::from(*level)]));
            }
        }
        // What is for named persons, or leaves without attribution alone, stays whoever signs (L-141, L-143).
        let closed = said.iter().any(|a| a.onward == 0 || a.unattributed);
        if (closed || !overridden) && !said.is_empty() && !self.addressed(&said, &levels, chain, reader) {
            return Some("dissemination".into());
        }
        let ours = matches!(chain.origin, Origin::Own(_));
        let theirs = match (&chain.origin, &reader.partner) {
            (Origin::Partner(p, _) | Origin::Peer(p), Some(me)) => p == me,
            _ => false,
        };
        // L-140: the creator itself said to whom; who may have a part may not have the whole for that (L-132).
        let to_it = said.iter().any(|a| a.to.is_some()) && chain.vouched && !put_on && !chain.partly_addressed;
        let only_clear = levels.iter().all(|l| *l == 0);
        let all_public = !labels.is_empty() && labels.iter().all(|(l, _)| self.find(l).is_some_and(|p| p.public));
        let clear_alone = labels.is_empty() && !levels.is_empty() && !obliged;
        let open = only_clear && (all_public || clear_alone);
        if !(reader.partner.is_none() || ours || theirs || to_it || open) {
            return Some("onward".into());
        }
        // What its own party's object carries is its own; what was put on it is not.
        let home = theirs || (ours && reader.partner.is_none());
        let its_own = |m: &usize| home && chain.carried.contains(m);
        let label = |m: &usize| match self.says(*m, &chain.origin) {
            Some(Says::Label(l)) => Some(l),
            _ => None,
        };
        let mut told = markings.iter().filter(|m| !its_own(m)).filter_map(label);
        told.any(|l| self.tells_of_others(l, reader)).then(|| "foreign-label".into())
    }

    /// L-107, L-126: whether a label, one of its alternatives or of those that follow it, is of a policy in which the reader has no clearance.
    pub fn tells_of_others(&self, label: &Label, reader: &Reader) -> bool {
        if !reader.own_policies_alone {
            return false;
        }
        let cleared = |l: &Label| self.cleared(l, reader);
        let follows = label.succession.as_ref().is_some_and(|(_, next)| self.tells_of_others(next, reader));
        !cleared(label) || follows || label.alternatives.iter().any(|a| !cleared(a))
    }

    /// Whether a reader has a clearance in the policy of a label.
    pub fn cleared(&self, label: &Label, reader: &Reader) -> bool {
        self.find(label).is_some_and(|p| reader.clearances.iter().any(|c| c.oid == p.oid))
    }

    /// L-104: whether alternative labels that somebody brings count.
    fn counts(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Own(_) => true,
            Origin::Partner(p, _) | Origin::Peer(p) => self.mappers.contains(p),
        }
    }

    /// L-157: an own road, its partner, before its end, and two different persons who may sign.
    fn overridden(&self, chain: &Chain, reader: &Reader) -> bool {
        for o in &chain.overrides {
            let two = o.signed[0] != o.signed[1] && o.signed.iter().all(|s| self.officers.contains(s));
            let own = matches!(chain.origin, Origin::Own(_));
            if two && own && reader.partner == Some(o.partner.clone()) && self.at < o.until {
                return true;
            }
        }
        false
    }

    /// L-157, L-083: persons can only have judged a label that means something here, with nothing unknown in it, and that is exchanged on the reader's link.
    fn understood(&self, label: &Label, reader: &Reader) -> bool {
        let holds = |policies: &[Policy]| {
            policies.iter().any(|p| {
                let dates = p.window.0.is_none_or(|d| self.at >= d) && p.window.1.is_none_or(|d| self.at <= d);
                same_policy(p, label) && dates && invalid(p, label).is_none()
            })
        };
        !label.extended && holds(&self.policies) && reader.link.as_ref().is_none_or(|link| holds(link))
    }

    /// L-132, L-140: whether everything that was said of addressees lets the reader have it.
    fn addressed(&self, said: &[Addressed], levels: &[u8], chain: &Chain, reader: &Reader) -> bool {
        let its_own = match (&chain.origin, &reader.partner) {
            (Origin::Own(_), None) => true,
            (Origin::Partner(p, _) | Origin::Peer(p), Some(me)) => p == me,
            _ => false,
        };
        if its_own {
            return true;
        }
        // CLEAR lets a recipient do anything (4), RED nothing (0).
        let mut onward = 4;
        for level in levels {
            onward = onward.min(4 - *level);
        }
        let mut to: Option<Vec<u32>> = None;
        let mut group: Option<Vec<u32>> = None;
        let mut communities = Vec::new();
        for a in said {
            onward = onward.min(a.onward);
            if a.unattributed && reader.partner.is_some() {
                return false;
            }
            communities.extend(a.community.clone());
            for (all, one) in [(&mut to, &a.to), (&mut group, &a.group)] {
                if let Some(one) = one {
                    let before = all.clone().unwrap_or_else(|| one.clone());
                    *all = Some(before.into_iter().filter(|n| one.contains(n)).collect());
                }
            }
        }
        let of = |list: &Vec<u32>, who: &[u32]| list.iter().any(|n| who.contains(n));
        if onward == 0 || group.is_some_and(|g| !of(&g, &reader.organisations)) {
            return false;
        }
        let in_community = !communities.is_empty() && communities.iter().all(|c| reader.communities.contains(c));
        let may_follow = match onward {
            4 => true,
            3 => reader.client || in_community,
            2 => reader.client,
            _ => false,
        };
        let ours = matches!(chain.origin, Origin::Own(_));
        match to {
            Some(to) if of(&to, &reader.organisations) => true,
            Some(_) if ours || reader.partner.is_none() => false,
            Some(to) => of(&to, &self.home) && may_follow,
            None if ours => onward != 3 || communities.is_empty() || in_community,
            None => reader.partner.is_none() || may_follow,
        }
    }

    /// L-057: the policies of the reader's link must hold the label, and permit it, too.
    fn on_link(&self, label: &Label, clearance: &Clearance, reader: &Reader) -> Option<String> {
        let Some(link) = &reader.link else { return None };
        for policy in link.iter().filter(|p| same_policy(p, label)) {
            let over = policy.window.0.is_some_and(|d| self.at < d) || policy.window.1.is_some_and(|d| self.at > d);
            if !over && invalid(policy, label).is_none() && section6(policy, label, clearance).is_none() {
                return None;
            }
        }
        Some("link".into())
    }

    /// What a marking says about an object of `origin`: labels and TLP to all; the rest if the own organisation or the same party defined it.
    pub fn says(&self, marking: usize, origin: &Origin) -> Option<&Says> {
        let m = self.markings.get(marking)?;
        let party = |o: &Origin| match (o, origin) {
            (Origin::Own(_), _) => true,
            (Origin::Partner(a, _), Origin::Partner(b, _)) | (Origin::Peer(a), Origin::Peer(b)) => a == b,
            _ => false,
        };
        let by_itself = matches!(m.says, Says::Label(_) | Says::Tlp(_));
        (by_itself || m.by.iter().any(party)).then_some(&m.says)
    }

    /// L-012: the label, and every successor whose date has come.
    fn in_force(&self, label: &Label, into: &mut Vec<Label>) {
        into.push(label.clone());
        if let Some((at, next)) = &label.succession
            && *at <= self.at
        {
            self.in_force(next, into);
        }
    }

    fn find(&self, label: &Label) -> Option<&Policy> {
        self.policies.iter().find(|p| match &label.oid {
            Some(oid) => *oid == p.oid,
            None => same(&p.name, &label.policy),
        })
    }

    fn label(&self, label: &Label, others: &[Label], reader: &Reader) -> Option<String> {
        let Some(policy) = self.find(label) else { return Some("policy".into()) };
        if policy.window.0.is_some_and(|d| self.at < d) || policy.window.1.is_some_and(|d| self.at > d) {
            return Some("policy".into());
        }
        if let Some(why) = invalid(policy, label) {
            return Some(format!("label:{why}"));
        }
        if label.extended && reader.partner.is_some() {
            return Some("label:extension".into());
        }
        let mut mine = Vec::new();
        for c in &reader.clearances {
            if c.oid == policy.oid {
                mine.push(c);
            }
        }
        if mine.is_empty() {
            return self.others(others, reader);
        }
        if mine.len() != 1 {
            return Some("policy".into());
        }
        section6(policy, label, mine[0]).or_else(|| self.on_link(label, mine[0], reader))
    }

    /// Every alternative in a policy for which the reader is cleared must be passed, and there must be one.
    fn others(&self, others: &[Label], reader: &Reader) -> Option<String> {
        let mut any = false;
        for other in others {
            let Some(policy) = self.find(other) else { continue };
            let dates = policy.window;
            if dates.0.is_some_and(|d| self.at < d) || dates.1.is_some_and(|d| self.at > d) {
                continue;
            }
            if invalid(policy, other).is_some() {
                continue;
            }
            let mine: Vec<&Clearance> = reader.clearances.iter().filter(|c| c.oid == policy.oid).collect();
            match mine.len() {
                0 => {}
                1 => match section6(policy, other, mine[0]).or_else(|| self.on_link(other, mine[0], reader)) {
                    Some(reason) => return Some(reason),
                    None => any = true,
                },
                _ => return Some("policy".into()),
            }
        }
        if any { None } else { Some("policy".into()) }
    }

    /// L-132: whether a part of what somebody brings, and not the whole, says who was addressed; what was put on the whole changes nothing about that.
    pub fn partly_addressed(&self, on_whole: &[usize], on_parts: &[usize], origin: &Origin) -> bool {
        let mut any = false;
        for m in on_parts {
            any |= !on_whole.contains(m) && matches!(self.says(*m, origin), Some(Says::Addressed(_)));
        }
        any
    }

    /// Stage 3 of an object's life: what is assigned to it, and why it is quarantined, if it is.
    pub fn resolve(
        &self,
        on_whole: &[usize],
        on_parts: &[usize],
        origin: &Origin,
        default: &[usize],
        by_peer: &[usize],
    ) -> (Assigned, Option<&'static str>) {
        let labels = |m: &usize| match self.says(*m, origin) {
            Some(Says::Label(l)) => l.originator,
            Some(Says::Tlp(_)) => true,
            _ => false,
        };
        // L-104, L-126: alternatives of somebody whose count are a label; beside what is put on own material they are what they always were.
        let alternative = |m: &usize| matches!(self.says(*m, origin), Some(Says::Label(l)) if !l.originator);
        let carried: Vec<usize> = on_whole.iter().chain(on_parts).copied().collect();
        // Beside the label of a part they are none.
        let originator = |m: &usize| matches!(self.says(*m, origin), Some(Says::Label(l)) if l.originator);
        let counts = self.counts(origin) && !carried.iter().chain(by_peer).any(originator);
        let brought = counts && on_whole.iter().any(alternative) && !matches!(origin, Origin::Own(_));
        let assigned = if !by_peer.is_empty() {
            Assigned::Added(by_peer.to_vec())
        } else if !on_whole.iter().any(labels) && !brought && !default.is_empty() {
            Assigned::Added(default.to_vec())
        } else {
            Assigned::Nothing
        };
        let all = effective(&Chain::new(0, origin.clone(), carried, assigned.clone()));
        // The label of a part is not the object's: it contradicts none and labels nothing else.
        let of_object: Vec<usize> = match &assigned {
            Assigned::Added(more) => on_whole.iter().chain(more).copied().collect(),
            _ => on_whole.to_vec(),
        };
        if all.iter().any(|m| self.says(*m, origin).is_none()) {
            return (assigned, Some("unknown"));
        }
        let mut seen = Vec::new();
        for m in &all {
            let Some(Says::Label(l)) = self.says(*m, origin) else { continue };
            let policy = self.find(l);
            let broken = |l: &Label| policy.is_some_and(|p| same_policy(p, l) && invalid(p, l).is_some());
            let mut next = Some(l);
            while let Some(l) = next {
                if broken(l) {
                    return (assigned, Some("contradictory"));
                }
                next = l.succession.as_ref().map(|(_, n)| &**n).filter(|n| policy.is_some_and(|p| same_policy(p, n)));
            }
            let key = (
                policy.map_or_else(|| l.oid.clone().unwrap_or_else(|| low(&l.policy)), |p| p.oid.clone()),
                l.originator,
            );
            if !of_object.contains(m) {
                continue;
            }
            if seen.contains(&key) {
                return (assigned, Some("contradictory"));
            }
            seen.push(key);
        }
        let unlabelled = !of_object.iter().any(|m| labels(m) || (counts && alternative(m)));
        // The one originator's label and its alternatives must be of the whole.
        let labels_in_all: Vec<usize> = all.iter().copied().filter(|m| originator(m) || alternative(m)).collect();
        let one = labels_in_all.iter().filter(|m| originator(m)).count() == 1 && labels_in_all.len() > 1;
        let stray = one && labels_in_all.iter().any(|m| !of_object.contains(m));
        let why = if unlabelled { Some("unlabelled") } else { stray.then_some("contradictory") };
        (assigned, why)
    }
}

/// Whether a label is this policy's to judge: it names it by identifier, or by name alone.
fn same_policy(policy: &Policy, label: &Label) -> bool {
    match &label.oid {
        Some(oid) => *oid == policy.oid,
        None => same(&policy.name, &label.policy),
    }
}

fn brought(reader: &Reader, origin: &Origin) -> bool {
    match origin {
        Origin::Own(Some(account)) => reader.partner.is_none() && reader.account == *account,
        Origin::Partner(partner, account) => reader.partner.as_ref() == Some(partner) && reader.account == *account,
        Origin::Own(None) | Origin::Peer(_) => false,
    }
}

fn effective(chain: &Chain) -> BTreeSet<usize> {
    match &chain.assigned {
        Assigned::Nothing => chain.carried.iter().copied().collect(),
        Assigned::Added(more) => chain.carried.iter().chain(more).copied().collect(),
        Assigned::Replaced(others) => others.iter().copied().collect(),
    }
}

/// The values of a label by tag set, in the policy's spelling, or why they cannot be found there.
fn found<'p>(policy: &'p Policy, label: &Label) -> Result<Vec<(&'p TagSet, BTreeSet<String>)>, &'static str> {
    let mut all: Vec<(&TagSet, BTreeSet<String>)> = Vec::new();
    // In the order of L-071: by identifier as numbers, those without one first, then by name.
    let arcs = |c: &Category| {
        c.oid.iter().flat_map(|o| o.split('.')).map(|a| a.parse::<u64>().unwrap_or(u64::MAX)).collect::<Vec<_>>()
    };
    let mut categories: Vec<&Category> = label.categories.iter().collect();
    categories.sort_by_key(|c| (arcs(c), c.tag.trim().to_owned()));
    for c in categories {
        let set = match &c.oid {
            Some(oid) => policy.sets.iter().find(|s| s.oid == *oid),
            None => policy.sets.iter().find(|s| same(&s.name, &c.tag)),
        };
        let Some(set) = set else { return Err("unknown-tag-set") };
        if !same(&set.name, &c.tag) {
            return Err("tag-set-name");
        }
        if set.kind != c.kind {
            return Err("tag-type");
        }
        let mut values = BTreeSet::new();
        for v in &c.values {
            match set.values.iter().find(|k| same(&k.name, v)) {
                Some(known) => values.insert(known.name.clone()),
                None => return Err("unknown-value"),
            };
        }
        match all.iter_mut().find(|(s, _)| s.oid == set.oid) {
            Some((_, old)) => old.extend(values),
            None => all.push((set, values)),
        }
    }
    Ok(all)
}

/// L-054 for a label that is made now, and what must not be on one any more (L-055, L-095).
pub fn invalid_when_new(policy: &Policy, label: &Label) -> Option<&'static str> {
    // Names and values that cannot be found are told before everything else.
    let why = invalid(policy, label);
    let unfound =
        ["policy-name", "unknown-classification", "unknown-tag-set", "tag-set-name", "tag-type", "unknown-value"];
    if why.is_some_and(|w| unfound.contains(&w)) {
        return why;
    }
    let tags = found(policy, label).unwrap_or_default();
    if tags.iter().any(|(s, vs)| s.values.iter().any(|v| v.obsolete && vs.contains(&v.name))) {
        return Some("obsolete-value");
    }
    if tags.iter().any(|(s, vs)| s.kind == Kind::Permissive && vs.is_empty()) {
        return Some("empty-category");
    }
    why
}

/// L-054 in reading mode.
pub fn invalid(policy: &Policy, label: &Label) -> Option<&'static str> {
    if label.oid.as_ref().is_some_and(|o| *o == policy.oid) && !same(&policy.name, &label.policy) {
        return Some("policy-name");
    }
    let Some(level) = policy.levels.iter().find(|l| same(&l.name, &label.level)) else {
        return Some("unknown-classification");
    };
    let tags = match found(policy, label) {
        Ok(tags) => tags,
        Err(why) => return Some(why),
    };
    let present: Vec<(&TagSet, &TagValue)> = tags
        .iter()
        .flat_map(|(s, vs)| s.values.iter().filter(|v| vs.contains(&v.name)).map(move |v| (*s, v)))
        .collect();
    let count = |(set, value): &(String, Option<String>)| {
        present.iter().filter(|(s, v)| same(&s.name, set) && value.as_ref().is_none_or(|w| same(&v.name, w))).count()
    };
    let met = |rule: &Rule| {
        let counts: Vec<usize> = rule.groups.iter().map(count).collect();
        match rule.operation {
            "onlyOne" => counts.iter().sum::<usize>() == 1,
            "oneOrMore" => counts.iter().sum::<usize>() >= 1,
            _ => counts.iter().all(|n| *n >= 1),
        }
    };
    if present.iter().any(|(_, v)| v.excluded_levels.iter().any(|l| same(l, &level.name))) {
        return Some("excluded-class");
    }
    if !level.required.iter().all(met) || !present.iter().all(|(_, v)| v.required.iter().all(met)) {
        return Some("required-category");
    }
    if present.iter().any(|(_, v)| v.excluded.iter().any(|g| count(g) > 0)) {
        return Some("excluded-category");
    }
    if tags.iter().any(|(s, vs)| !vs.is_empty() && (vs.len() < s.min || vs.len() > s.max)) {
        return Some("selection");
    }
    None
}

/// Section 6 whole for one label, one clearance and the policy of the label; the reason if it denies.
pub fn one_policy(policy: &Policy, label: &Label, clearance: &Clearance) -> Option<String> {
    match invalid(policy, label) {
        Some(why) => Some(format!("label:{why}")),
        None if clearance.oid != policy.oid => Some("policy".to_owned()),
        None => section6(policy, label, clearance),
    }
}

/// Steps 2 to 6 of section 6 for a valid label.
fn section6(policy: &Policy, label: &Label, clearance: &Clearance) -> Option<String> {
    // L-085: count a listed level only if every level below is listed too.
    let closed = |l: &Level| {
        policy.levels.iter().filter(|b| b.rank <= l.rank).all(|b| clearance.levels.iter().any(|c| same(c, &b.name)))
    };
    if !policy.levels.iter().any(|l| same(&l.name, &label.level) && closed(l)) {
        return Some("classification".into());
    }
    let mut tags = found(policy, label).unwrap_or_default();
    tags.sort_by_key(|(s, _)| s.oid.split('.').map(|a| a.parse::<u64>().unwrap_or(u64::MAX)).collect::<Vec<_>>());
    let holds = |s: &TagSet, v: &String| {
        clearance.values.iter().any(|(t, vs)| same(t, &s.name) && vs.iter().any(|h| same(h, v)))
    };
    for (s, vs) in tags.iter().filter(|(s, _)| s.kind == Kind::Restrictive) {
        if !vs.iter().all(|v| holds(s, v)) {
            return Some(format!("restrictive:{}", s.name));
        }
    }
    for (s, vs) in tags.iter().filter(|(s, _)| s.kind == Kind::Permissive) {
        if !vs.iter().any(|v| holds(s, v)) {
            return Some(format!("permissive:{}", s.name));
        }
    }
    None
}

#[cfg(test)]
mod tests;
