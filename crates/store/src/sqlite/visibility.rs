//! Who sees which instance: the greatest fixpoint over references (L-127), settled for what an act can have changed and no more.
//!
//! An instance is visible to a reader if the rights permit it and, unless the reader brought it itself, every identifier it needs has some
//! instance visible to that reader. An identifier that is not held counts as hidden. Of a marking, that instance has to define it for the objects of
//! a party by whose road the reader is permitted (see `marking`).
//!
//! The procedure, in order:
//! 1. [`Graph::seed`] takes the instances an act adds or changes, with what the rights now say.
//! 2. `spread` follows references backwards, carrying the readers an identifier *may* gain or lose, until nothing more can change. A new
//!    version of an identity to which thousands refer gains nobody, so it touches none of them.
//! 3. `settle` starts from what the rights permit and takes readers away until nothing contradicts: the greatest fixpoint.
use super::marking::{defining, marking_of};
use super::pack::{Ref, refs_from};
use super::registry::{Facet, Registry};
use super::sets::{EMPTY, SetNo, Sets};
use crate::{InstanceNo, StoreError};
use label::{Defines, Party};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use stix::{Id, Need, id::MarkingDefinition};

/// An instance that an act adds or changes.
pub(super) struct Seed<'a> {
    pub(super) no: InstanceNo,
    pub(super) key: u32,
    /// What the rights say now.
    pub(super) facet: &'a Facet,
    /// Its class and what the rights said before; `None` for a new instance.
    pub(super) old: Option<(u32, &'a Facet)>,
}

/// Who sees an instance after the act.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) no: InstanceNo,
    pub(super) key: u32,
    /// Class before; `None` for a new instance.
    pub(super) old: Option<u32>,
    /// Class now.
    pub(super) new: u32,
    /// Whether it was a seed.
    pub(super) seed: bool,
}

/// A party, by number in one graph.
type PartyNo = u32;

/// What the graph keeps of a facet.
#[derive(Clone)]
struct Known {
    permits: SetNo,
    contributors: SetNo,
    open: SetNo,
    /// Readers permitted, party by party.
    by_party: Arc<[(PartyNo, SetNo)]>,
    facet: Facet,
}

/// Readers who see a marking defined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marked {
    for_all: SetNo,
    of: BTreeMap<PartyNo, SetNo>,
}

struct Node {
    no: InstanceNo,
    key: u32,
    old_class: Option<u32>,
    seed: bool,
    known: Arc<Known>,
    /// What the rights said before the act; `None` for a new instance.
    was: Option<Arc<Known>>,
    /// Readers before the act.
    before: SetNo,
    gain: SetNo,
    lose: SetNo,
    now: SetNo,
    refs: (usize, usize),
}

#[derive(Default)]
struct Key {
    /// The marking that it names, if it names one; then the facets of `others` are kept too.
    marking: Option<Id<MarkingDefinition>>,
    /// Instances of this identifier that are not nodes, with their readers.
    others: Vec<(InstanceNo, SetNo, Option<Arc<Known>>)>,
    members: Vec<usize>,
    before: SetNo,
    gain: SetNo,
    lose: SetNo,
    loaded: bool,
    now: SetNo,
    marked: Marked,
    referrers: Vec<usize>,
}

/// The instances that an act can change.
pub(super) struct Graph<'c> {
    conn: &'c Connection,
    registry: Arc<Registry>,
    first_fresh_key: u32,
    sets: Sets,
    nodes: Vec<Node>,
    by_no: HashMap<InstanceNo, usize>,
    refs: Vec<Ref>,
    /// In boxes, so that the room that the table keeps free stays small: an act can touch a million of them.
    keys: HashMap<u32, Box<Key>>,
    classes: HashMap<u32, SetNo>,
    facets: HashMap<*const Facet, Arc<Known>>,
    parties: HashMap<(bool, Box<str>), PartyNo>,
}

/// The own organisation's number.
const OWN: PartyNo = 0;

impl<'c> Graph<'c> {
    /// Nothing changed yet. Keys at or above `first_fresh_key` have no instance in the database.
    pub(super) fn new(conn: &'c Connection, registry: Arc<Registry>, first_fresh_key: u32) -> Self {
        Self {
            conn,
            registry,
            first_fresh_key,
            sets: Sets::new(),
            nodes: Vec::new(),
            by_no: HashMap::new(),
            refs: Vec::new(),
            keys: HashMap::new(),
            classes: HashMap::new(),
            facets: HashMap::new(),
            parties: HashMap::new(),
        }
    }

    fn class(&mut self, class: u32) -> Result<SetNo, StoreError> {
        if let Some(&set) = self.classes.get(&class) {
            return Ok(set);
        }
        let set = self.sets.intern(self.registry.class(class)?);
        self.classes.insert(class, set);
        Ok(set)
    }

    fn party(&mut self, party: Party<'_>) -> PartyNo {
        let name = match party {
            Party::Own => return OWN,
            Party::Partner(name) => (false, name.into()),
            Party::Peer(name) => (true, name.into()),
        };
        let next = u32::try_from(self.parties.len()).map_or(u32::MAX, |n| n.saturating_add(1));
        *self.parties.entry(name).or_insert(next)
    }

    fn facet(&mut self, facet: &Facet) -> Arc<Known> {
        // The address names the facet: the caller keeps every facet it passes alive while the graph lives, and equal sets give equal numbers.
        let name = std::ptr::from_ref(facet);
        if let Some(known) = self.facets.get(&name) {
            return known.clone();
        }
        let mut by_party: BTreeMap<PartyNo, SetNo> = BTreeMap::new();
        for chain in &facet.chains {
            let (party, permits) = (self.party(chain.origin.party()), self.sets.intern(&chain.permits));
            let set = by_party.entry(party).or_insert(EMPTY);
            *set = self.sets.or(*set, permits);
        }
        let known = Arc::new(Known {
            permits: self.sets.intern(&facet.permits),
            contributors: self.sets.intern(&facet.contributors),
            open: self.sets.intern(&facet.open),
            by_party: by_party.into_iter().collect(),
            facet: facet.clone(),
        });
        self.facets.insert(name, known.clone());
        known
    }

    /// Adds to `marked` for whom an instance of the marking defines it, of the readers that see the instance.
    fn mark(
        &mut self,
        marked: &mut Marked,
        id: &Id<MarkingDefinition>,
        seen: SetNo,
        known: &Known,
    ) -> Result<(), StoreError> {
        if seen == EMPTY {
            return Ok(());
        }
        let registry = self.registry.clone();
        for (defines, permits) in defining(&registry, &known.facet, id)? {
            let permits = self.sets.intern(permits);
            let readers = self.sets.and(seen, permits);
            let set = match defines {
                Defines::Nobodys => continue,
                Defines::Everybodys => &mut marked.for_all,
                Defines::Of(party) => {
                    let party = self.party(party);
                    marked.of.entry(party).or_insert(EMPTY)
                }
            };
            *set = self.sets.or(*set, readers);
        }
        Ok(())
    }

    /// Adds an instance that the act adds or changes.
    pub(super) fn seed(&mut self, seed: &Seed<'_>, refs: &[Ref]) -> Result<(), StoreError> {
        let known = self.facet(seed.facet);
        let start = self.refs.len();
        self.refs.extend_from_slice(refs);
        let (was, before, gain, lose) = match seed.old {
            None => (None, EMPTY, known.permits, EMPTY),
            Some((class, old_facet)) => {
                let before = self.class(class)?;
                let old = self.facet(old_facet);
                // Surely kept is who is still permitted, unless it was seen only because the reader brought it or because of an open collection.
                let mut exempt_no_more = self.sets.minus(old.contributors, known.contributors);
                let open_no_more = self.sets.minus(old.open, known.open);
                exempt_no_more = self.sets.or(exempt_no_more, open_no_more);
                // Nor whom another party's road permitted, whose markings may be defined for that party alone.
                for &(party, permits) in &*old.by_party {
                    let now = known.by_party.iter().find(|road| road.0 == party).map_or(EMPTY, |road| road.1);
                    let road_no_more = self.sets.minus(permits, now);
                    exempt_no_more = self.sets.or(exempt_no_more, road_no_more);
                }
                let mut lose = self.sets.and(before, exempt_no_more);
                let forbidden = self.sets.minus(before, known.permits);
                lose = self.sets.or(lose, forbidden);
                (Some(old), before, self.sets.minus(known.permits, before), lose)
            }
        };
        let at = self.nodes.len();
        self.nodes.push(Node {
            no: seed.no,
            key: seed.key,
            old_class: seed.old.map(|(class, _)| class),
            seed: true,
            now: known.permits,
            known,
            was,
            before,
            gain,
            lose,
            refs: (start, self.refs.len()),
        });
        self.by_no.insert(seed.no, at);
        self.keys.entry(seed.key).or_default().members.push(at);
        Ok(())
    }

    /// Instances of a key in the database that are not nodes.
    fn load_key(&mut self, key: u32) -> Result<(), StoreError> {
        if self.keys.entry(key).or_default().loaded {
            return Ok(());
        }
        let marking = marking_of(self.conn, key)?;
        let mut others = Vec::new();
        if key < self.first_fresh_key {
            let mut rows = self.conn.prepare_cached("SELECT no, class, state, type FROM instance WHERE key = ?1")?;
            let mut rows = rows.query([key])?;
            while let Some(row) = rows.next()? {
                let no: InstanceNo = row.get(0)?;
                if self.by_no.contains_key(&no) {
                    continue;
                }
                let class = self.class(row.get(1)?)?;
                let known = match marking {
                    Some(_) => {
                        let facet = self.registry.kept_facet(row.get(2)?, row.get(3)?)?.clone();
                        Some(self.facet(&facet))
                    }
                    None => None,
                };
                others.push((no, class, known));
            }
        }
        let mut before = EMPTY;
        for &(_, set, _) in &others {
            before = self.sets.or(before, set);
        }
        let members = self.keys.get(&key).map(|k| k.members.clone()).unwrap_or_default();
        for at in members {
            before = self.sets.or(before, self.nodes[at].before);
        }
        let entry = self.keys.entry(key).or_default();
        entry.marking = marking;
        entry.others = others;
        entry.before = before;
        entry.loaded = true;
        Ok(())
    }

    /// What the key may gain and lose, from its instances.
    fn change_of(&mut self, key: u32) -> Result<(SetNo, SetNo), StoreError> {
        let Some(entry) = self.keys.get(&key) else { return Ok((EMPTY, EMPTY)) };
        let (mut gain, mut lose, mut keep) = (EMPTY, EMPTY, EMPTY);
        for &at in &entry.members {
            let node = &self.nodes[at];
            gain = self.sets.or(gain, node.gain);
            lose = self.sets.or(lose, node.lose);
        }
        if lose != EMPTY {
            for &at in &entry.members {
                let node = &self.nodes[at];
                let kept = self.sets.minus(node.before, node.lose);
                keep = self.sets.or(keep, kept);
            }
            for &(_, set, _) in &entry.others {
                keep = self.sets.or(keep, set);
            }
            lose = self.sets.minus(lose, keep);
        }
        gain = self.sets.minus(gain, entry.before);
        let Some(marking) = entry.marking else { return Ok((gain, lose)) };
        // A reader that sees the identifier anyway may come to see it defined for others, or not any more.
        let (members, others) = (entry.members.clone(), entry.others.clone());
        let (mut was, mut most, mut least) = (Marked::default(), Marked::default(), Marked::default());
        for at in members {
            let Node { known, was: old, before, gain, lose, .. } = &self.nodes[at];
            let (known, old, before, gain, lose) = (known.clone(), old.clone(), *before, *gain, *lose);
            if let Some(old) = old {
                self.mark(&mut was, &marking, before, &old)?;
            }
            let may = self.sets.or(before, gain);
            self.mark(&mut most, &marking, may, &known)?;
            let kept = self.sets.minus(before, lose);
            self.mark(&mut least, &marking, kept, &known)?;
        }
        for (_, set, known) in others {
            let Some(known) = known else { continue };
            for marked in [&mut was, &mut most, &mut least] {
                self.mark(marked, &marking, set, &known)?;
            }
        }
        let parties: BTreeSet<PartyNo> = was.of.keys().chain(most.of.keys()).copied().chain([OWN]).collect();
        for party in parties {
            let [was, most, least] = [&was, &most, &least].map(|m| self.seen_by(m, party));
            let more = self.sets.minus(most, was);
            gain = self.sets.or(gain, more);
            let less = self.sets.minus(was, least);
            lose = self.sets.or(lose, less);
        }
        Ok((gain, lose))
    }

    /// Readers who see the marking defined for a party's objects.
    fn seen_by(&mut self, marked: &Marked, party: PartyNo) -> SetNo {
        let of = marked.of.get(&party).copied().unwrap_or(EMPTY);
        self.sets.or(marked.for_all, of)
    }

    /// Adds every instance whose readers may change.
    fn spread(&mut self) -> Result<(), StoreError> {
        let mut queue: Vec<u32> = self.keys.keys().copied().collect();
        queue.sort_unstable_by(|a, b| b.cmp(a));
        let mut queued: HashSet<u32> = queue.iter().copied().collect();
        while let Some(key) = queue.pop() {
            queued.remove(&key);
            if key >= self.first_fresh_key {
                // Made by this act: only new instances refer to it, and they are nodes already.
                continue;
            }
            self.load_key(key)?;
            let (gain, lose) = self.change_of(key)?;
            let Some(entry) = self.keys.get_mut(&key) else { continue };
            if entry.gain == gain && entry.lose == lose {
                continue;
            }
            entry.gain = gain;
            entry.lose = lose;
            let mut referrers = Vec::new();
            {
                let mut rows = self.conn.prepare_cached("SELECT instance, need FROM reference WHERE target = ?1")?;
                let mut rows = rows.query([key])?;
                while let Some(row) = rows.next()? {
                    referrers.push((row.get::<_, InstanceNo>(0)?, row.get::<_, u32>(1)? == 1));
                }
            }
            for (no, optional) in referrers {
                if let Some(next) = self.reach(no, optional, gain, lose)?
                    && queued.insert(next)
                {
                    queue.push(next);
                }
            }
        }
        Ok(())
    }

    /// Carries a possible change of a target to an instance that refers to it; the instance's key if that changes anything.
    fn reach(&mut self, no: InstanceNo, optional: bool, gain: SetNo, lose: SetNo) -> Result<Option<u32>, StoreError> {
        let (at, known) = match self.by_no.get(&no) {
            Some(&at) => (at, true),
            None => (self.nodes.len(), false),
        };
        let (facet, before, old_gain, old_lose) = if known {
            let n = &self.nodes[at];
            (n.known.clone(), n.before, n.gain, n.lose)
        } else {
            let row = self
                .conn
                .prepare_cached("SELECT class, state, type FROM instance WHERE no = ?1")?
                .query_row([no], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?)))
                .optional()?;
            let Some((class, state, type_no)) = row else { return Ok(None) };
            let facet = self.registry.kept_facet(state, type_no)?.clone();
            (self.facet(&facet), self.class(class)?, EMPTY, EMPTY)
        };
        let (permits, contributors, open) = (facet.permits, facet.contributors, facet.open);
        let may_gain = self.sets.minus(permits, before);
        let more = self.sets.and(gain, may_gain);
        let new_gain = self.sets.or(old_gain, more);
        let mut more = self.sets.and(lose, before);
        more = self.sets.minus(more, contributors);
        if optional {
            more = self.sets.minus(more, open);
        }
        let new_lose = self.sets.or(old_lose, more);
        if new_gain == old_gain && new_lose == old_lose {
            return Ok(None);
        }
        if !known {
            self.load_node(no, facet, before)?;
        }
        let node = &mut self.nodes[at];
        node.gain = new_gain;
        node.lose = new_lose;
        Ok(Some(node.key))
    }

    fn load_node(&mut self, no: InstanceNo, known: Arc<Known>, before: SetNo) -> Result<(), StoreError> {
        let start = self.refs.len();
        let (key, class) = {
            let mut rows = self.conn.prepare_cached("SELECT key, class, refs FROM instance WHERE no = ?1")?;
            let mut rows = rows.query([no])?;
            let row = rows.next()?.ok_or_else(|| super::error::damaged(format!("instance {no} is missing")))?;
            refs_from(row.get_ref(2)?.as_blob().map_err(super::error::backend)?, &mut self.refs)?;
            (row.get::<_, u32>(0)?, row.get::<_, u32>(1)?)
        };
        let at = self.nodes.len();
        self.nodes.push(Node {
            no,
            key,
            old_class: Some(class),
            seed: false,
            now: known.permits,
            was: Some(known.clone()),
            known,
            before,
            gain: EMPTY,
            lose: EMPTY,
            refs: (start, self.refs.len()),
        });
        self.by_no.insert(no, at);
        let entry = self.keys.entry(key).or_default();
        entry.members.push(at);
        entry.others.retain(|(other, ..)| *other != no);
        Ok(())
    }

    /// Readers who see some instance of the key now, and, if it names a marking, who sees it defined.
    fn available(&mut self, key: u32) -> Result<(SetNo, Marked), StoreError> {
        let (mut now, mut marked) = (EMPTY, Marked::default());
        let Some(entry) = self.keys.get(&key) else { return Ok((now, marked)) };
        let marking = entry.marking;
        let seen: Vec<(SetNo, Option<Arc<Known>>)> = entry
            .others
            .iter()
            .map(|(_, set, known)| (*set, known.clone()))
            .chain(entry.members.iter().map(|at| (self.nodes[*at].now, marking.map(|_| self.nodes[*at].known.clone()))))
            .collect();
        for (set, known) in seen {
            now = self.sets.or(now, set);
            if let (Some(marking), Some(known)) = (&marking, known) {
                self.mark(&mut marked, marking, set, &known)?;
            }
        }
        Ok((now, marked))
    }

    /// The greatest fixpoint over the nodes, everything else held as it is.
    fn settle(&mut self) -> Result<(), StoreError> {
        let mut targets: HashSet<u32> = HashSet::new();
        for at in 0..self.nodes.len() {
            let (from, to) = self.nodes[at].refs;
            for i in from..to {
                let key = self.refs[i].key;
                let entry = self.keys.entry(key).or_default();
                entry.referrers.push(at);
                targets.insert(key);
            }
        }
        for &key in &targets {
            self.load_key(key)?;
            let (now, marked) = self.available(key)?;
            if let Some(entry) = self.keys.get_mut(&key) {
                (entry.now, entry.marked) = (now, marked);
            }
        }
        let mut queue: Vec<usize> = (0..self.nodes.len()).collect();
        let mut queued = vec![true; self.nodes.len()];
        while !queue.is_empty() {
            let mut shrunk: HashSet<u32> = HashSet::new();
            for at in std::mem::take(&mut queue) {
                queued[at] = false;
                let now = self.judge(at);
                if now != self.nodes[at].now {
                    self.nodes[at].now = now;
                    shrunk.insert(self.nodes[at].key);
                }
            }
            for key in shrunk {
                let (now, marked) = self.available(key)?;
                let Some(entry) = self.keys.get_mut(&key) else { continue };
                if entry.now != now || entry.marked != marked {
                    (entry.now, entry.marked) = (now, marked);
                    for &at in &entry.referrers {
                        if !queued[at] {
                            queued[at] = true;
                            queue.push(at);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, at: usize) -> SetNo {
        let node = &self.nodes[at];
        let (known, (from, to)) = (node.known.clone(), node.refs);
        let mut readers = known.permits;
        let mut marked = false;
        for i in from..to {
            if readers == EMPTY {
                return readers;
            }
            let Ref { key, need } = self.refs[i];
            if need == Need::Marking {
                marked = true;
                continue;
            }
            let mut may = self.keys.get(&key).map_or(EMPTY, |k| k.now);
            may = self.sets.or(may, known.contributors);
            if need == Need::Optional {
                may = self.sets.or(may, known.open);
            }
            readers = self.sets.and(readers, may);
        }
        if !marked {
            return readers;
        }
        let mut may = known.contributors;
        for &(party, permits) in &*known.by_party {
            let mut by_road = permits;
            for i in from..to {
                let Ref { key, need } = self.refs[i];
                if need == Need::Marking {
                    let marked = self.keys.get(&key).map(|k| k.marked.clone()).unwrap_or_default();
                    let seen = self.seen_by(&marked, party);
                    by_road = self.sets.and(by_road, seen);
                }
            }
            may = self.sets.or(may, by_road);
        }
        self.sets.and(readers, may)
    }

    /// Decides. `intern` gives the class of a set of readers.
    pub(super) fn finish(
        mut self,
        mut intern: impl FnMut(&label::Bits) -> Result<u32, StoreError>,
    ) -> Result<Vec<Settled>, StoreError> {
        self.spread()?;
        self.settle()?;
        let mut classes: HashMap<SetNo, u32> = HashMap::new();
        let mut settled = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let new = if let Some(&class) = classes.get(&node.now) {
                class
            } else {
                let class = intern(self.sets.bits(node.now))?;
                classes.insert(node.now, class);
                class
            };
            settled.push(Settled { no: node.no, key: node.key, old: node.old_class, new, seed: node.seed });
        }
        Ok(settled)
    }
}
