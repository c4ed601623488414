//! Terms filed under what an object must show: by type, first property, path and value.

use super::literals::Literals;
use crate::{
    Timestamp,
    pattern::{
        ObjectPath, Observation, Step,
        comparison::{Typed, as_octets, typed},
        network::Network,
        normal::nfc,
        observation::Sco,
        observed::Tree,
        path::{self, Route},
        trigger::{Need, triggers},
    },
};
use std::collections::{BTreeMap, HashMap};

/// Terms, each once.
type Terms = Vec<u32>;

#[derive(Debug, Default)]
pub(super) struct Index {
    types: HashMap<Box<str>, OfType>,
}

#[derive(Debug, Default)]
struct OfType {
    /// For every object of the type.
    always: Terms,
    properties: HashMap<Box<str>, Vec<AtPath>>,
}

#[derive(Debug)]
struct AtPath {
    route: Route,
    texts: HashMap<Box<str>, Terms>,
    octets: HashMap<Box<[u8]>, Terms>,
    instants: HashMap<Box<str>, Terms>,
    /// By the bits of the number, -0 made 0.
    numbers: HashMap<u64, Terms>,
    booleans: [Terms; 2],
    at_least: BTreeMap<Ordered, Terms>,
    at_most: BTreeMap<Ordered, Terms>,
    networks: Networks,
    literals: Literals,
    something: Terms,
    /// Entries in all of them.
    entries: usize,
}

/// By family and length of the prefix, then by bits.
#[derive(Debug, Default)]
struct Networks(BTreeMap<(bool, u8), HashMap<u128, Terms>>);

/// A finite float, ordered by value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// `-0.0` made `0.0`.
fn plain(n: f64) -> f64 {
    if n == 0.0 { 0.0 } else { n }
}

impl Index {
    pub(super) fn insert(&mut self, tree: &Tree, term: u32) {
        for (path, need) in triggers(tree) {
            let of_type = self.types.entry(path.object_type.clone()).or_default();
            let Some(first) = first(path) else { continue };
            if need == Need::Object {
                if !of_type.always.contains(&term) {
                    of_type.always.push(term);
                }
                continue;
            }
            let paths = of_type.properties.entry(first.into()).or_default();
            let at = paths.iter().position(|at| at.route.path.steps == path.steps).unwrap_or_else(|| {
                paths.push(AtPath::new(path));
                paths.len() - 1
            });
            paths[at].insert(need, term);
        }
    }

    pub(super) fn remove(&mut self, tree: &Tree, term: u32) {
        for (path, need) in triggers(tree) {
            let Some(of_type) = self.types.get_mut(&path.object_type) else { continue };
            if need == Need::Object {
                of_type.always.retain(|t| *t != term);
                continue;
            }
            let Some(paths) = first(path).and_then(|first| of_type.properties.get_mut(first)) else { continue };
            if let Some(at) = paths.iter().position(|at| at.route.path.steps == path.steps) {
                paths[at].remove(&need, term);
                if paths[at].entries == 0 {
                    paths.swap_remove(at);
                }
            }
        }
    }

    /// Every term that may hold for the object `root`; some more than once.
    pub(super) fn look_up(&self, observation: &Observation, root: &Sco, found: &mut Terms) {
        let Some(of_type) = self.types.get(&root.object_type) else { return };
        found.extend(&of_type.always);
        if of_type.properties.is_empty() {
            return;
        }
        for name in root.properties.keys() {
            for at in of_type.properties.get(name.as_str()).into_iter().flatten() {
                let walk = path::any(&at.route, observation, root, &mut |value| {
                    at.look_up(&value, found);
                    false
                });
                if walk.is_err() {
                    at.everything(found);
                }
            }
        }
    }
}

fn first(path: &ObjectPath) -> Option<&str> {
    match path.steps.first() {
        Some(Step::Property(name)) => Some(name),
        _ => None,
    }
}

impl AtPath {
    fn new(path: &ObjectPath) -> Self {
        Self {
            route: Route::new(path),
            texts: HashMap::new(),
            octets: HashMap::new(),
            instants: HashMap::new(),
            numbers: HashMap::new(),
            booleans: [Vec::new(), Vec::new()],
            at_least: BTreeMap::new(),
            at_most: BTreeMap::new(),
            networks: Networks::default(),
            literals: Literals::default(),
            something: Vec::new(),
            entries: 0,
        }
    }

    fn insert(&mut self, need: Need, term: u32) {
        let terms = match need {
            Need::Text(text) => self.texts.entry(text).or_default(),
            Need::Octets(octets) => self.octets.entry(octets).or_default(),
            Need::Instant(key) => self.instants.entry(key).or_default(),
            Need::Number(n) => self.numbers.entry(plain(n).to_bits()).or_default(),
            Need::Boolean(b) => &mut self.booleans[usize::from(b)],
            Need::AtLeast(n) => self.at_least.entry(Ordered(plain(n))).or_default(),
            Need::AtMost(n) => self.at_most.entry(Ordered(plain(n))).or_default(),
            Need::Within(n) => self.networks.0.entry((n.is_v4, n.length)).or_default().entry(n.bits).or_default(),
            Need::Containing(literal) => {
                self.literals.insert(literal, term);
                self.entries += 1;
                return;
            }
            Need::Something | Need::Object => &mut self.something,
        };
        if !terms.contains(&term) {
            terms.push(term);
            self.entries += 1;
        }
    }

    fn remove(&mut self, need: &Need, term: u32) {
        let removed = match need {
            Need::Text(text) => take(&mut self.texts, text, term),
            Need::Octets(octets) => take(&mut self.octets, octets, term),
            Need::Instant(key) => take(&mut self.instants, key, term),
            Need::Number(n) => take(&mut self.numbers, &plain(*n).to_bits(), term),
            Need::Boolean(b) => take_from(&mut self.booleans[usize::from(*b)], term),
            Need::AtLeast(n) => take_ordered(&mut self.at_least, *n, term),
            Need::AtMost(n) => take_ordered(&mut self.at_most, *n, term),
            Need::Within(n) => {
                let key = (n.is_v4, n.length);
                let Some(nets) = self.networks.0.get_mut(&key) else { return };
                let removed = take(nets, &n.bits, term);
                if nets.is_empty() {
                    self.networks.0.remove(&key);
                }
                removed
            }
            Need::Containing(literal) => self.literals.remove(literal, term),
            Need::Something | Need::Object => take_from(&mut self.something, term),
        };
        self.entries -= usize::from(removed);
    }

    /// All terms: the values are too many to look up, and each term must say that it has no answer.
    fn everything(&self, found: &mut Terms) {
        found.extend(self.texts.values().flatten());
        found.extend(self.octets.values().flatten());
        found.extend(self.instants.values().flatten());
        found.extend(self.numbers.values().flatten());
        found.extend(self.booleans.iter().flatten());
        found.extend(self.at_least.values().chain(self.at_most.values()).flatten());
        found.extend(self.networks.0.values().flat_map(HashMap::values).flatten());
        self.literals.everything(found);
        found.extend(&self.something);
    }

    /// Terms filed under the value. The same types are alike here as in a comparison, or a term would be missed.
    fn look_up(&self, value: &path::Found<'_>, found: &mut Terms) {
        found.extend(&self.something);
        match typed(value, false) {
            Typed::Boolean(b) => found.extend(&self.booleans[usize::from(b)]),
            Typed::Number(n) => {
                let Some(n) = n.as_f64().map(plain) else { return };
                found.extend(self.numbers.get(&n.to_bits()).into_iter().flatten());
                found.extend(self.at_least.range(..=Ordered(n)).flat_map(|(_, terms)| terms));
                found.extend(self.at_most.range(Ordered(n)..).flat_map(|(_, terms)| terms));
            }
            Typed::Text(text) => {
                found.extend(self.texts.get(text).into_iter().flatten());
                if !self.octets.is_empty()
                    && let Some(octets) = as_octets(text)
                {
                    found.extend(self.octets.get(octets.as_slice()).into_iter().flatten());
                }
                if !self.instants.is_empty()
                    && let Ok(at) = Timestamp::parse(text)
                {
                    found.extend(self.instants.get(at.key()).into_iter().flatten());
                }
                if !self.networks.0.is_empty()
                    && let Some(network) = Network::parse(text)
                {
                    self.networks.look_up(network, found);
                }
                if !self.literals.is_empty() {
                    self.literals.look_up(nfc(text).as_bytes(), found);
                }
            }
            Typed::Octets(octets) => {
                found.extend(self.octets.get(octets.as_slice()).into_iter().flatten());
                let text: String = octets.iter().map(|b| char::from(*b)).collect();
                found.extend(self.texts.get(text.as_str()).into_iter().flatten());
                if !self.literals.is_empty() {
                    self.literals.look_up(text.as_bytes(), found);
                    self.literals.look_up(nfc(&text).as_bytes(), found);
                }
            }
            Typed::Instant(at) => found.extend(self.instants.get(at.key()).into_iter().flatten()),
            Typed::Unreadable | Typed::Compound => {}
        }
    }
}

impl Networks {
    fn look_up(&self, network: Network, found: &mut Terms) {
        for ((_, length), nets) in self.0.range((network.is_v4, 0)..=(network.is_v4, network.length)) {
            found.extend(nets.get(&network.cut(*length).bits).into_iter().flatten());
        }
    }
}

fn take_from(terms: &mut Terms, term: u32) -> bool {
    let at = terms.iter().position(|t| *t == term);
    at.map(|at| terms.swap_remove(at)).is_some()
}

fn take<K, Q>(map: &mut HashMap<K, Terms>, key: &Q, term: u32) -> bool
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    let Some(terms) = map.get_mut(key) else { return false };
    let removed = take_from(terms, term);
    if terms.is_empty() {
        map.remove(key);
    }
    removed
}

fn take_ordered(map: &mut BTreeMap<Ordered, Terms>, n: f64, term: u32) -> bool {
    let Some(terms) = map.get_mut(&Ordered(plain(n))) else { return false };
    let removed = take_from(terms, term);
    if terms.is_empty() {
        map.remove(&Ordered(plain(n)));
    }
    removed
}
