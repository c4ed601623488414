//! The fixpoint: who is shown what, who takes what, until nobody takes anything new.

use super::decide::{Reason, permits, same};
use super::object::{Meaning, Need, Read, is_pap, tlp_level};
use super::{Coalition, OPERATOR, Reader};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One instance that a node holds or a reader is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Identifier.
    pub id: String,
    /// `modified`, else `created`, as spelled.
    pub version: Option<String>,
    /// SHA-256 of the object's bytes, hexadecimal.
    pub sha256: String,
    /// Held, and visible to nobody: no label, or a marking the node does not know.
    pub quarantined: bool,
}
/// One cell of the matrix label by node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Objects the node loaded itself.
    pub own: usize,
    /// Objects of others that reached it.
    pub released: usize,
    /// Objects of others that did not, by the reason of whoever came furthest in giving it.
    pub withheld: BTreeMap<String, usize>,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Origin {
    Own,
    Peer(usize),
}
/// One road: collection, who brought it, the set of markings assigned on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Chain {
    collection: usize,
    origin: Origin,
    assigned: usize,
}
/// An object, what it is called, and the markings assigned on its way.
pub(super) type Marked<'a> = (&'a Read, Held, BTreeSet<String>);
/// What one node holds: thing to roads.
type Holding = BTreeMap<usize, BTreeSet<Chain>>;
/// Which markings a node knows, and from whom.
type Known<'a> = BTreeMap<&'a str, BTreeSet<Origin>>;

/// A coalition at rest.
#[derive(Debug)]
pub struct Settled<'a> {
    coalition: &'a Coalition,
    holdings: Vec<Holding>,
    /// Sets of markings assigned by peers, after those of the coalition.
    sets: Sets<'a>,
}
/// Marking sets by number.
#[derive(Debug, Clone)]
struct Sets<'a> {
    base: &'a Coalition,
    more: Vec<BTreeSet<String>>,
}
impl Sets<'_> {
    fn get(&self, number: usize) -> &BTreeSet<String> {
        let base = &self.base.sets;
        if number < base.len() { &base[number] } else { &self.more[number - base.len()] }
    }
    fn number(&mut self, set: BTreeSet<String>) -> usize {
        if let Some(known) = self.base.set_numbers.get(&set) {
            return *known;
        }
        let at = self.more.iter().position(|s| *s == set).unwrap_or_else(|| {
            self.more.push(set);
            self.more.len() - 1
        });
        self.base.sets.len() + at
    }
}
/// What one reader of one node may see: for each thing, if held, the first road that permits, or why not.
type View = Vec<Option<Result<Chain, Reason>>>;

impl Coalition {
    /// Runs all pulls until no node takes anything new.
    pub fn settle(&self) -> Settled<'_> {
        let mut settled =
            Settled { coalition: self, holdings: Vec::new(), sets: Sets { base: self, more: Vec::new() } };
        let nothing = settled.sets.number(BTreeSet::new());
        for node in &self.nodes {
            let mut holding = Holding::new();
            for &(thing, collection, label) in &node.loads {
                let carries = self.carries_label(thing);
                let assigned = if carries { nothing } else { label };
                holding.entry(thing).or_default().insert(Chain { collection, origin: Origin::Own, assigned });
            }
            settled.holdings.push(holding);
        }
        let mut changed = vec![true; self.nodes.len()];
        loop {
            let mut taken = Vec::new();
            for giver in (0..self.nodes.len()).filter(|giver| changed[*giver]) {
                for taker in 0..self.nodes.len() {
                    settled.pull(giver, taker, nothing, &mut taken);
                }
            }
            changed.fill(false);
            for (node, thing, chain) in taken {
                changed[node] |= settled.holdings[node].entry(thing).or_default().insert(chain);
            }
            if !changed.contains(&true) {
                return settled;
            }
        }
    }
    /// Whether the object's own markings name an originator's label or a TLP level.
    fn carries_label(&self, thing: usize) -> bool {
        let label = |m: &String| match self.meanings.get(m) {
            Some((Meaning::Label(label), _)) => label.role == "originator",
            _ => tlp_level(m).is_some(),
        };
        self.things[thing].read.carried.iter().any(label)
    }
}
impl Settled<'_> {
    /// What each node holds, quarantined instances included.
    pub fn held(&self) -> BTreeMap<String, BTreeSet<Held>> {
        let mut all = BTreeMap::new();
        for (number, node) in self.coalition.nodes.iter().enumerate() {
            let known = self.known(number);
            let held = self.holdings[number].iter().map(|(&thing, chains)| {
                let quarantined = chains.iter().all(|chain| self.unresolved(thing, chain, &known));
                self.name(thing, quarantined)
            });
            all.insert(node.name.clone(), held.collect());
        }
        all
    }
    /// What each reader of each node is shown, by collection: key (node, partner or [`OPERATOR`]), then the alias.
    pub fn shown(&self) -> BTreeMap<(String, String), BTreeMap<String, BTreeSet<Held>>> {
        let mut all = BTreeMap::new();
        for (number, node) in self.coalition.nodes.iter().enumerate() {
            for reader in &node.readers {
                let view = self.view(number, reader);
                let mut lines = BTreeMap::new();
                let given: BTreeSet<usize> = reader.gives.iter().map(|(collection, _)| *collection).collect();
                for collection in given.into_iter().filter(|_| self.in_force(reader)) {
                    let line = self.line(number, &view, collection);
                    let line = line.into_iter().map(|(thing, _)| self.name(thing, false)).collect();
                    lines.insert(node.collections[collection].alias.clone(), line);
                }
                let who = reader.partner.clone().unwrap_or_else(|| OPERATOR.to_owned());
                all.insert((node.name.clone(), who), lines);
            }
        }
        all
    }
    /// What a reader of a node is shown, by collection: each object with the markings assigned on the road that permits it.
    pub(super) fn line_with_markings(&self, node: &str, partner: &str) -> BTreeMap<String, Vec<Marked<'_>>> {
        let mut lines = BTreeMap::new();
        for (number, node) in self.coalition.nodes.iter().enumerate().filter(|(_, n)| n.name == node) {
            for reader in node.readers.iter().filter(|r| r.partner.as_deref() == Some(partner) && self.in_force(r)) {
                let view = self.view(number, reader);
                let given: BTreeSet<usize> = reader.gives.iter().map(|(collection, _)| *collection).collect();
                for collection in given {
                    let line = self.line(number, &view, collection).into_iter().map(|(thing, road)| {
                        let read = &self.coalition.things[thing].read;
                        (read, self.name(thing, false), self.sets.get(road.assigned).clone())
                    });
                    lines.insert(node.collections[collection].alias.clone(), line.collect());
                }
            }
        }
        lines
    }
    /// Label by node. A row is the text of the markings an object has where it was loaded, `(none)` for what waits there in quarantine.
    pub fn matrix(&self) -> BTreeMap<String, BTreeMap<String, Cell>> {
        let nodes = &self.coalition.nodes;
        let mut views = BTreeMap::new();
        for (number, node) in nodes.iter().enumerate() {
            for reader in &node.readers {
                if let Some(partner) = &reader.partner {
                    views.insert((number, partner.as_str()), (self.view(number, reader), reader));
                }
            }
        }
        let known: Vec<Known<'_>> = (0..nodes.len()).map(|node| self.known(node)).collect();
        let mut rows: BTreeMap<String, BTreeMap<String, Cell>> = BTreeMap::new();
        for thing in 0..self.coalition.things.len() {
            let Some(label) = self.row(thing, &known) else { continue };
            let row = rows.entry(label).or_default();
            for (number, node) in nodes.iter().enumerate() {
                let cell = row.entry(node.name.clone()).or_default();
                match self.holdings[number].get(&thing) {
                    Some(chains) if chains.iter().any(|c| c.origin == Origin::Own) => cell.own += 1,
                    Some(_) => cell.released += 1,
                    None => {
                        let best = (0..nodes.len())
                            .filter_map(|giver| match views.get(&(giver, node.name.as_str()))?.0[thing].as_ref()? {
                                Ok(_) => Some(Reason::NotPulled),
                                Err(reason) => Some(reason.clone()),
                            })
                            .max()
                            .unwrap_or(Reason::Agreement);
                        *cell.withheld.entry(best.to_string()).or_default() += 1;
                    }
                }
            }
        }
        rows
    }
    /// Why `reader` (a partner's name or [`OPERATOR`]) of `node` is not shown an instance; `None` if it is, or is not held.
    pub fn why(&self, node: &str, reader: &str, id: &str, version: Option<&str>) -> Option<Reason> {
        let number = self.coalition.nodes.iter().position(|n| n.name == node)?;
        let mut readers = self.coalition.nodes[number].readers.iter();
        let reader = readers.find(|r| r.partner.as_deref().unwrap_or(OPERATOR) == reader)?;
        let things = &self.coalition.things;
        let view = self.view(number, reader);
        let fits = |t: &usize| things[*t].read.id == id && things[*t].read.version.as_deref() == version;
        (0..things.len()).filter(fits).find_map(|thing| view[thing].clone()).and_then(Result::err)
    }
    /// Ids for which what a line shows depends on more than this oracle knows: two creators, or two contents of one version. Must be empty for a
    /// comparison to be fair. Cyber-observables without versions may have several contents; all are shown.
    pub fn ambiguities(&self) -> BTreeSet<String> {
        let mut seen: BTreeMap<&str, (&Option<String>, BTreeSet<&Option<String>>)> = BTreeMap::new();
        let mut odd = BTreeSet::new();
        for thing in &self.coalition.things {
            let (id, version) = (thing.read.id.as_str(), &thing.read.version);
            let known = seen.entry(id).or_insert((&thing.read.created_by, BTreeSet::new()));
            if known.0 != &thing.read.created_by || (version.is_some() && !known.1.insert(version)) {
                odd.insert(id.to_owned());
            }
        }
        odd
    }
    fn name(&self, thing: usize, quarantined: bool) -> Held {
        let read = &self.coalition.things[thing].read;
        Held { id: read.id.clone(), version: read.version.clone(), sha256: read.sha256.clone(), quarantined }
    }
    fn row(&self, thing: usize, known: &[Known<'_>]) -> Option<String> {
        let own = |h: &Holding| h.get(&thing).and_then(|c| c.iter().find(|c| c.origin == Origin::Own)).copied();
        let (number, chain) = self.holdings.iter().enumerate().find_map(|(n, h)| Some((n, own(h)?)))?;
        if self.unresolved(thing, &chain, &known[number]) {
            return Some("(none)".to_owned());
        }
        let mut names: Vec<String> = Vec::new();
        for marking in self.effective(thing, &chain) {
            match (tlp_level(marking), self.coalition.meanings.get(marking)) {
                (Some(level), _) => names.push(format!("TLP:{level}")),
                (None, Some((Meaning::Label(_), name))) => {
                    names.insert(0, name.clone().unwrap_or_else(|| marking.clone()));
                }
                _ => {}
            }
        }
        Some(names.join(" + "))
    }
    /// All that counts on a road: carried and assigned.
    fn effective(&self, thing: usize, chain: &Chain) -> BTreeSet<&String> {
        let carried = self.sets.get(self.coalition.things[thing].carried);
        carried.union(self.sets.get(chain.assigned)).collect()
    }
    /// Marking definitions held by a node. Its catalogue counts as its own.
    fn known(&self, node: usize) -> Known<'_> {
        let mut known = Known::new();
        for id in self.coalition.nodes[node].catalogue.values() {
            known.entry(id).or_default().insert(Origin::Own);
        }
        for (thing, chains) in &self.holdings[node] {
            let read = &self.coalition.things[*thing].read;
            if read.kind == "marking-definition" {
                known.entry(&read.id).or_default().extend(chains.iter().map(|c| c.origin));
            }
        }
        known
    }
    /// Quarantined: no label at all, two labels of one policy and role, or a marking nobody here may vouch for.
    fn unresolved(&self, thing: usize, chain: &Chain, known: &Known<'_>) -> bool {
        let vouched = |marking: &str| {
            let label = matches!(self.coalition.meanings.get(marking), Some((Meaning::Label(_), _)));
            tlp_level(marking).is_some()
                || is_pap(marking)
                || known.get(marking).is_some_and(|by| label || by.contains(&Origin::Own) || by.contains(&chain.origin))
        };
        let effective = self.effective(thing, chain);
        if effective.iter().any(|m| !vouched(m)) {
            return true;
        }
        let mut policies = BTreeSet::new();
        for marking in effective {
            if let Some((Meaning::Label(label), _)) = self.coalition.meanings.get(marking)
                && !policies.insert((label.policy.to_lowercase(), &label.role))
            {
                return true;
            }
        }
        !self.coalition.carries_label(thing) && self.sets.get(chain.assigned).is_empty()
    }
    fn in_force(&self, reader: &Reader) -> bool {
        reader.from <= self.coalition.at && self.coalition.at < reader.until
    }
    /// One road of one object to one reader, references apart.
    fn road(&self, node: usize, reader: &Reader, thing: usize, chain: &Chain, known: &Known<'_>) -> Result<(), Reason> {
        let kind = &self.coalition.things[thing].read.kind;
        let covers = |kinds: &BTreeSet<String>| kinds.contains("*") || kinds.contains(kind);
        if !self.in_force(reader) || !reader.gives.iter().any(|(c, kinds)| *c == chain.collection && covers(kinds)) {
            return Err(Reason::Agreement);
        }
        if self.contributed(reader, chain) {
            return Ok(());
        }
        if self.unresolved(thing, chain, known) {
            return Err(Reason::Quarantined);
        }
        let mut labels = BTreeSet::new();
        let mut others = BTreeSet::new();
        for marking in self.effective(thing, chain) {
            if let Some(level) = tlp_level(marking) {
                let addressed = level != "RED" && (reader.partner.is_none() || reader.tlp.contains(level));
                if level != "CLEAR" && !addressed {
                    return Err(Reason::Tlp(level.to_owned()));
                }
                others.insert(level);
                continue;
            }
            if is_pap(marking) {
                others.insert("obligation");
                continue;
            }
            match self.coalition.meanings.get(marking) {
                Some((Meaning::Label(label), _)) => {
                    if !self.coalition.nodes[node].policies.iter().any(|p| same(p, &label.policy)) {
                        return Err(Reason::Policy);
                    }
                    permits(label, &reader.clearances)?;
                    labels.insert(label.policy.to_uppercase());
                }
                Some((Meaning::Statement, _)) => {}
                Some((Meaning::Obligation, _)) => {
                    others.insert("obligation");
                }
                Some((Meaning::Unknown, _)) | None => return Err(Reason::UnknownMarking),
            }
        }
        let third_party = match chain.origin {
            Origin::Own => false,
            Origin::Peer(peer) => {
                reader.partner.as_ref().is_some_and(|partner| *partner != self.coalition.nodes[peer].name)
            }
        };
        let public = !labels.is_empty() && labels.iter().all(|policy| policy == "PUBLIC");
        let clear = labels.is_empty() && others == BTreeSet::from(["CLEAR"]);
        if third_party && !public && !clear {
            return Err(Reason::Onward);
        }
        Ok(())
    }
    /// Whether the reader brought it itself. A pull is no writing: false, unless a test asks what the other reading would change.
    fn contributed(&self, reader: &Reader, chain: &Chain) -> bool {
        match chain.origin {
            Origin::Own => false,
            Origin::Peer(peer) => {
                self.coalition.peers_contribute
                    && reader.partner.as_ref().is_some_and(|p| *p == self.coalition.nodes[peer].name)
            }
        }
    }
    /// Everything a node holds, judged for one reader; references last, by removing until nothing changes (greatest fixpoint, L-127).
    fn view(&self, node: usize, reader: &Reader) -> View {
        let things = &self.coalition.things;
        let known = self.known(node);
        let mut memory: HashMap<(&str, usize, Chain), Result<(), Reason>> = HashMap::new();
        let mut view: View = vec![None; things.len()];
        for (&thing, chains) in &self.holdings[node] {
            let read = &things[thing].read;
            let mut best = Reason::Agreement;
            let mut released = None;
            for chain in chains {
                let verdict = memory
                    .entry((read.kind.as_str(), things[thing].carried, *chain))
                    .or_insert_with(|| self.road(node, reader, thing, chain, &known));
                match verdict {
                    Ok(()) => {
                        released = Some(*chain);
                        break;
                    }
                    Err(reason) => best = best.max(reason.clone()),
                }
            }
            view[thing] = Some(released.ok_or(best));
        }
        loop {
            let mut visible = vec![false; self.coalition.id_numbers.len()];
            for (thing, _) in view.iter().enumerate().filter(|(_, verdict)| matches!(verdict, Some(Ok(_)))) {
                visible[things[thing].id] = true;
            }
            let mut gone = Vec::new();
            for (&thing, chains) in &self.holdings[node] {
                if !matches!(view[thing], Some(Ok(_))) {
                    continue;
                }
                if chains.iter().any(|chain| self.contributed(reader, chain)) {
                    continue;
                }
                let open = chains.iter().any(|c| self.coalition.nodes[node].collections[c.collection].open);
                let hidden = |(target, need): &(usize, Need)| !(visible[*target] || open && *need == Need::Optional);
                if things[thing].references.iter().any(hidden) {
                    gone.push(thing);
                }
            }
            if gone.is_empty() {
                return view;
            }
            for thing in gone {
                view[thing] = Some(Err(Reason::Reference));
            }
        }
    }
    /// What a reader sees in one collection: what it may see and has some road into that collection.
    fn line(&self, node: usize, view: &View, collection: usize) -> Vec<(usize, Chain)> {
        let members =
            self.holdings[node].iter().filter(|(_, chains)| chains.iter().any(|c| c.collection == collection));
        members.filter_map(|(&thing, _)| Some((thing, *view[thing].as_ref()?.as_ref().ok()?))).collect()
    }
    /// One round of one taker pulling from one giver.
    fn pull(&mut self, giver: usize, taker: usize, nothing: usize, found: &mut Vec<(usize, usize, Chain)>) {
        let nodes = &self.coalition.nodes;
        let find = |of: usize, partner: usize| {
            nodes[of].readers.iter().find(|r| r.partner.as_ref() == Some(&nodes[partner].name))
        };
        let (Some(offer), Some(wish)) = (find(giver, taker), find(taker, giver)) else { return };
        if wish.pulls.is_empty() || !self.in_force(wish) {
            return;
        }
        let view = self.view(giver, offer);
        let mut memory: HashMap<(usize, usize, usize), usize> = HashMap::new();
        for (remote, into) in &wish.pulls {
            let Some(collection) =
                nodes[giver].collections.iter().position(|c| c.alias == *remote || c.title == *remote)
            else {
                continue;
            };
            if !offer.gives.iter().any(|(given, _)| *given == collection) {
                continue;
            }
            for (thing, road) in self.line(giver, &view, collection) {
                let creator = self.coalition.things[thing].read.created_by.as_deref();
                let speaks = |identities: &BTreeSet<String>| {
                    identities.contains("*") || creator.is_none_or(|creator| identities.contains(creator))
                };
                if !wish.accepts.iter().any(|(c, identities)| c == into && speaks(identities)) {
                    continue;
                }
                let carried = self.coalition.things[thing].carried;
                let default = &nodes[taker].collections[*into].default;
                let assigned = *memory.entry((road.assigned, carried, *into)).or_insert_with(|| {
                    let told = self.sets.get(road.assigned).difference(self.sets.get(carried)).cloned();
                    let told: BTreeSet<String> = told.collect();
                    match (told.is_empty(), self.coalition.carries_label(thing)) {
                        (false, _) => self.sets.number(told),
                        (true, true) => nothing,
                        (true, false) => self.sets.number(default.clone()),
                    }
                });
                found.push((taker, thing, Chain { collection: *into, origin: Origin::Peer(giver), assigned }));
            }
        }
    }
}
