//! A naive model of what reader lines show: lists and loops, everything from the beginning after every act, no code shared with the store.
//!
//! Written from the rules, not from the store: who may see an instance (L-127, greatest fixpoint), what a line shows of an id, which
//! slot each gets, and which is the latest (T-054, T-055, S-059).

/// Why an object refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It makes no sense without the target.
    Required,
    /// It does.
    Optional,
    /// The target marks it.
    Marking,
}

/// One road by which an instance came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Into which collection.
    pub collection: usize,
    /// The reader that brought it, if a reader did.
    pub brought_by: Option<usize>,
    /// Labels; the reader must be in the audience of each, and there must be one.
    pub labels: Vec<usize>,
    /// Whoever brought it may speak for the creator.
    pub vouched: bool,
}

/// An object with its road.
#[derive(Debug, Clone)]
pub struct Object {
    /// Identifier.
    pub id: String,
    /// Names the content.
    pub digest: String,
    /// Version, if it has versions.
    pub version: Option<u64>,
    /// 20 or 21.
    pub spec: u32,
    /// Who made it.
    pub creator: Option<String>,
    /// Whether it is revoked.
    pub revoked: bool,
    /// What it refers to, itself and well-known markings left out.
    pub refs: Vec<(String, Need)>,
    /// Whether it defines a marking: such go first in their batch.
    pub is_marking: bool,
}

#[derive(Debug, Clone)]
struct Instance {
    realm: usize,
    object: Object,
    /// With the order of their coming.
    chains: Vec<(Chain, u64)>,
}

/// What a line shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its `date_added`.
    pub slot: i64,
    /// Identifier.
    pub id: String,
    /// Content.
    pub digest: String,
    /// Whether it is the latest of its id.
    pub latest: bool,
}

#[derive(Debug, Clone)]
struct Line {
    reader: usize,
    collection: usize,
    active: bool,
    last_slot: Option<i64>,
    /// (instance, slot), in slot order.
    shown: Vec<(usize, i64)>,
}

/// A collection.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Its realm.
    pub realm: usize,
    /// Whether ids of what is not visible may appear in optional references.
    pub open: bool,
}

/// Who reads what.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    /// By label: its audience.
    pub audiences: Vec<Vec<usize>>,
    /// By reader: its collections.
    pub reads: Vec<Vec<usize>>,
}

/// The model.
#[derive(Debug, Clone, Default)]
pub struct Model {
    collections: Vec<Collection>,
    rights: Rights,
    instances: Vec<Instance>,
    lines: Vec<Line>,
    came: u64,
    /// What had come before the act under way: later is new, not late.
    came_before: u64,
}

impl Model {
    /// Adds a collection; they are numbered from 0.
    pub fn add_collection(&mut self, collection: Collection) {
        self.collections.push(collection);
    }

    /// Puts rights in force at an instant.
    pub fn set_rights(&mut self, rights: Rights, at: i64) {
        self.rights = rights;
        for line in &mut self.lines {
            if line.active && !self.rights.reads.get(line.reader).is_some_and(|c| c.contains(&line.collection)) {
                line.active = false;
                line.shown.clear();
            }
        }
        for (reader, collections) in self.rights.reads.clone().into_iter().enumerate() {
            for collection in collections {
                match self.lines.iter_mut().find(|l| l.reader == reader && l.collection == collection) {
                    Some(line) => line.active = true,
                    None => {
                        self.lines.push(Line { reader, collection, active: true, last_slot: None, shown: Vec::new() });
                    }
                }
            }
        }
        self.refresh(at);
    }

    /// Takes one batch in; all of it in one commit.
    pub fn ingest(&mut self, batch: &[(Object, Chain)], accepted: i64) {
        self.came_before = self.came;
        let markings = batch.iter().filter(|(object, _)| object.is_marking);
        let others = batch.iter().filter(|(object, _)| !object.is_marking);
        for (object, chain) in markings.chain(others) {
            let realm = self.collections[chain.collection].realm;
            self.came += 1;
            let came = self.came;
            let held = self
                .instances
                .iter_mut()
                .find(|i| i.realm == realm && i.object.id == object.id && i.object.digest == object.digest);
            match held {
                Some(instance) => {
                    if !instance.chains.iter().any(|(c, _)| c == chain) {
                        instance.chains.push((chain.clone(), came));
                    }
                }
                None => {
                    self.instances.push(Instance {
                        realm,
                        object: object.clone(),
                        chains: vec![(chain.clone(), came)],
                    });
                }
            }
        }
        self.refresh(accepted);
        self.came_before = self.came;
    }

    /// How many instances there are; they are numbered from 0 in order of their first coming.
    pub fn len(&self) -> usize {
        self.instances.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// Chains of an instance.
    pub fn chains(&self, instance: usize) -> Vec<Chain> {
        self.instances[instance].chains.iter().map(|(chain, _)| chain.clone()).collect()
    }

    /// Identifier and content of an instance.
    pub fn name(&self, instance: usize) -> (usize, &str, &str) {
        let i = &self.instances[instance];
        (i.realm, &i.object.id, &i.object.digest)
    }

    /// Exchanges one chain of an instance for another, or takes it away.
    pub fn rechain(&mut self, changes: &[(usize, Chain, Option<Chain>)], at: i64) {
        for (instance, old, new) in changes {
            let chains = &mut self.instances[*instance].chains;
            let Some(position) = chains.iter().position(|(chain, _)| chain == old) else { continue };
            let (_, came) = chains.remove(position);
            if let Some(new) = new {
                match chains.iter_mut().find(|(chain, _)| chain == new) {
                    Some((_, other)) => *other = came.min(*other),
                    None => chains.push((new.clone(), came)),
                }
            }
        }
        self.refresh(at);
    }

    /// What an active line shows, in slot order; `None` if there is no such line.
    pub fn line(&self, reader: usize, collection: usize) -> Option<Vec<Entry>> {
        let line = self.lines.iter().find(|l| l.reader == reader && l.collection == collection && l.active)?;
        let shown: Vec<usize> = line.shown.iter().map(|(i, _)| *i).collect();
        let entry = |&(instance, slot): &(usize, i64)| {
            let object = &self.instances[instance].object;
            let same_id: Vec<usize> =
                shown.iter().copied().filter(|i| self.instances[*i].object.id == object.id).collect();
            let latest = self.latest(&same_id, reader, collection) == Some(instance);
            Entry { slot, id: object.id.clone(), digest: object.digest.clone(), latest }
        };
        Some(line.shown.iter().map(entry).collect())
    }

    fn permits(&self, reader: usize, chain: &Chain) -> bool {
        if !self.rights.reads.get(reader).is_some_and(|c| c.contains(&chain.collection)) {
            return false;
        }
        if chain.brought_by == Some(reader) {
            return true;
        }
        let mut any = false;
        for label in &chain.labels {
            any = true;
            if !self.rights.audiences[*label].contains(&reader) {
                return false;
            }
        }
        any
    }

    /// The instances a reader may see anywhere.
    fn visible(&self, reader: usize) -> Vec<bool> {
        let mut visible: Vec<bool> =
            self.instances.iter().map(|i| i.chains.iter().any(|(c, _)| self.permits(reader, c))).collect();
        loop {
            let before = visible.clone();
            for (n, instance) in self.instances.iter().enumerate() {
                if !visible[n] {
                    continue;
                }
                let brought =
                    instance.chains.iter().any(|(c, _)| c.brought_by == Some(reader) && self.permits(reader, c));
                let open =
                    instance.chains.iter().any(|(c, _)| self.collections[c.collection].open && self.permits(reader, c));
                let held = |target: &String| {
                    let target = target.clone();
                    self.instances
                        .iter()
                        .enumerate()
                        .filter(move |(_, other)| other.realm == instance.realm && other.object.id == target)
                        .filter(|(t, _)| before[*t])
                };
                for (target, need) in instance.object.refs.iter().filter(|(_, need)| *need != Need::Marking) {
                    let excused = brought || (open && *need == Need::Optional);
                    if held(target).next().is_none() && !excused {
                        visible[n] = false;
                    }
                }
                // By some road that permits the reader, each marking has to be defined, where the reader sees it, by the party of that road or by
                // the own organisation.
                let by_road = |road: &Chain| {
                    let markings = instance.object.refs.iter().filter(|(_, need)| *need == Need::Marking);
                    let defines = |c: &Chain| {
                        self.permits(reader, c) && (c.brought_by.is_none() || c.brought_by == road.brought_by)
                    };
                    markings.clone().all(|(m, _)| held(m).any(|(_, d)| d.chains.iter().any(|(c, _)| defines(c))))
                };
                if !brought && !instance.chains.iter().any(|(c, _)| self.permits(reader, c) && by_road(c)) {
                    visible[n] = false;
                }
            }
            if visible == before {
                return visible;
            }
        }
    }

    /// When an instance first came to a reader in a collection.
    fn first_came(&self, instance: usize, reader: usize, collection: usize) -> Option<u64> {
        let chains = self.instances[instance].chains.iter();
        chains.filter(|(c, _)| c.collection == collection && self.permits(reader, c)).map(|(_, came)| *came).min()
    }

    /// When a reader last brought an instance into a collection.
    fn brought(&self, instance: usize, reader: usize, collection: usize) -> Option<u64> {
        let chains = self.instances[instance].chains.iter();
        chains
            .filter(|(c, _)| c.collection == collection && c.brought_by == Some(reader) && self.permits(reader, c))
            .map(|(_, came)| *came)
            .max()
    }

    /// Whether an instance may stand beside the anchor as a version of the same thing: by the same creator, and, if there is none, brought by the same
    /// party as far as the reader may know.
    fn follows(&self, i: usize, anchor: usize, reader: usize, collection: usize) -> bool {
        let (one, other) = (&self.instances[i].object, &self.instances[anchor].object);
        if one.version.is_none() && other.version.is_none() {
            return true;
        }
        if one.creator != other.creator {
            return false;
        }
        if one.creator.is_some() {
            return true;
        }
        let parties = |i: usize| -> Vec<Option<usize>> {
            let chains = self.instances[i].chains.iter();
            let seen = chains.filter(|(c, _)| c.collection == collection && self.permits(reader, c));
            seen.map(|(c, _)| c.brought_by).collect()
        };
        let of_anchor = parties(anchor);
        parties(i).iter().any(|p| of_anchor.contains(p))
    }

    /// Whether it came by an own road, and whether from a party that may speak for its creator, as far as the reader may know.
    fn standing(&self, instance: usize, reader: usize, collection: usize) -> (bool, bool) {
        let mut standing = (false, false);
        for (c, _) in &self.instances[instance].chains {
            if c.collection == collection && self.permits(reader, c) {
                standing.0 |= c.brought_by.is_none();
                standing.1 |= c.vouched;
            }
        }
        standing
    }

    fn latest(&self, shown: &[usize], reader: usize, collection: usize) -> Option<usize> {
        let mut best: Option<usize> = None;
        'next: for &i in shown {
            let object = &self.instances[i].object;
            for &r in shown {
                let revoked = &self.instances[r].object;
                if revoked.revoked && revoked.creator == object.creator && revoked.version < object.version {
                    continue 'next;
                }
            }
            let Some(b) = best else {
                best = Some(i);
                continue;
            };
            let other = &self.instances[b].object;
            let later = if object.spec != other.spec {
                object.spec > other.spec
            } else if object.version != other.version {
                object.version > other.version
            } else if object.version.is_none() {
                let own = self.brought(i, reader, collection);
                let other_own = self.brought(b, reader, collection);
                if own == other_own {
                    self.first_came(i, reader, collection) > self.first_came(b, reader, collection)
                } else {
                    own > other_own
                }
            } else {
                false
            };
            if later {
                best = Some(i);
            }
        }
        best
    }

    /// What of one id a line should show, given what it shows.
    fn choose(&self, may: &[usize], shown: &[usize], reader: usize, collection: usize) -> Vec<usize> {
        let came = |i: usize| self.first_came(i, reader, collection);
        let own = |i: usize| self.brought(i, reader, collection);
        let mut current: Vec<usize> = shown.iter().copied().filter(|i| may.contains(i)).collect();
        loop {
            let standing = |i: usize| self.standing(i, reader, collection);
            let Some(best) = may.iter().map(|i| standing(*i)).max() else { return Vec::new() };
            let top: Vec<usize> = may.iter().copied().filter(|i| standing(*i) == best).collect();
            let held: Vec<usize> = top.iter().copied().filter(|i| current.contains(i)).collect();
            let foreign: Vec<usize> = held.iter().copied().filter(|i| own(*i).is_none()).collect();
            let among = if foreign.is_empty() { if held.is_empty() { &top } else { &held } } else { &foreign };
            let Some(&anchor) = among.iter().min_by_key(|i| came(**i)) else { return Vec::new() };
            let follows = |i: usize| self.follows(i, anchor, reader, collection);
            let mut next: Vec<usize> = Vec::new();
            for &i in may {
                let object = &self.instances[i].object;
                if !follows(i) && own(i).is_none() {
                    continue;
                }
                if object.version.is_none() {
                    next.push(i);
                    continue;
                }
                let rivals: Vec<usize> = may
                    .iter()
                    .copied()
                    .filter(|j| {
                        let other = &self.instances[*j].object;
                        (follows(*j) || own(*j).is_some())
                            && other.version == object.version
                            && other.spec == object.spec
                    })
                    .collect();
                let brought_last = rivals.iter().copied().filter(|j| own(*j).is_some()).max_by_key(|j| own(*j));
                // Who may speak for the creator goes before others, and the own organisation before the rest.
                let strength = |j: usize| (standing(j).1, standing(j).0);
                let strongest = rivals.iter().map(|j| strength(*j)).max();
                let rivals: Vec<usize> = rivals.into_iter().filter(|j| Some(strength(*j)) == strongest).collect();
                let kept = rivals.iter().copied().find(|j| current.contains(j));
                let earliest = rivals.iter().copied().min_by_key(|j| came(*j));
                if brought_last.or(kept).or(earliest) == Some(i) {
                    next.push(i);
                }
            }
            next.sort_unstable();
            current.sort_unstable();
            if next == current {
                return next;
            }
            current = next;
        }
    }

    fn refresh(&mut self, at: i64) {
        for l in 0..self.lines.len() {
            let Line { reader, collection, active, last_slot, shown } = self.lines[l].clone();
            if !active {
                continue;
            }
            let visible = self.visible(reader);
            let may: Vec<usize> = (0..self.instances.len())
                .filter(|i| visible[*i] && self.first_came(*i, reader, collection).is_some())
                .collect();
            let was: Vec<usize> = shown.iter().map(|(i, _)| *i).collect();
            let mut ids: Vec<&str> = may.iter().map(|i| self.instances[*i].object.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            let mut should: Vec<usize> = Vec::new();
            for id in ids {
                let of_id: Vec<usize> = may.iter().copied().filter(|i| self.instances[*i].object.id == id).collect();
                should.extend(self.choose(&of_id, &was, reader, collection));
            }
            let mut now: Vec<(usize, i64)> = shown.iter().copied().filter(|(i, _)| should.contains(i)).collect();
            let mut new: Vec<usize> = should.into_iter().filter(|i| !was.contains(i)).collect();
            // What the act brought, then what it released late.
            new.sort_by_key(|i| {
                let came = self.first_came(*i, reader, collection);
                (came <= Some(self.came_before), came)
            });
            let base = last_slot.map_or(at, |last| at.max(last + 1));
            let mut last = last_slot;
            for (slot, i) in (base..).zip(new) {
                now.push((i, slot));
                last = Some(slot);
            }
            self.lines[l].shown = now;
            self.lines[l].last_slot = last;
        }
    }
}
