//! From matches to sightings: one object for each indicator, place, window of time and set of labels.
//!
//! Matches that bear different labels are never added up: else an observation that a reader may not see would hide from it the sighting of what it may see,
//! or the next version of that (I1). Where sightings name their observations, those of different contributors stand apart for the same reason.

use crate::{Conjunction, identity, observation::stamp};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use stix::{AnyId, Timestamp};

/// Observations that one sighting names. Beyond them it goes on counting.
pub const EVIDENCE_MAX: usize = 1_000;
/// Sightings that are open at once: indicators times places times windows. When one more begins, the one that was touched longest ago is closed.
pub const OPEN_MAX: usize = 100_000;
/// The largest `count` (S-095).
const COUNT_MAX: u64 = 999_999_999;
/// The beginning of the first window when a policy has no windows.
const NO_WINDOW: i64 = i64::MIN;

/// How matches add up.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Microseconds of a window; `None`: one sighting for all time. Windows begin at multiples of it since 1970.
    pub window_us: Option<i64>,
    /// Whether sightings name the observations (`observed_data_refs`).
    pub evidence: bool,
    /// Who says so (`created_by_ref`), an identity.
    pub created_by: Option<AnyId>,
    /// Where it was seen (`where_sighted_refs`): identities or locations (S-094).
    pub where_sighted: Vec<AnyId>,
}

/// One observation in a match.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The observed-data object.
    pub id: AnyId,
    /// Microseconds since 1970.
    pub first: i64,
    /// Microseconds since 1970.
    pub last: i64,
    /// `number_observed`.
    pub number: u64,
    /// The markings in force on it and on its observables.
    pub markings: Conjunction,
    /// Who brought it, in words of the caller's: who may see an observation follows from this and from its markings.
    pub by: Arc<str>,
}

/// One match of one indicator.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The indicator.
    pub indicator: AnyId,
    /// The markings in force on it.
    pub markings: Conjunction,
    /// What it matched; several where the pattern asks for several.
    pub observations: Vec<Seen>,
}

/// A sighting as STIX.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Its identifier: follows from creator, indicator, place, window and labels, so that it grows by new versions.
    pub id: AnyId,
    /// The indicator.
    pub indicator: AnyId,
    /// Begin of its window; `None` without windows.
    pub window: Option<i64>,
    /// Every label that applies.
    pub markings: Conjunction,
    /// The object.
    pub object: Map<String, Value>,
}

#[derive(Debug, Clone)]
struct Open {
    /// Begin of the window, or of the first observation.
    created: i64,
    /// Of the version that was taken last. Two versions never have the same (S-030).
    modified: i64,
    evidence: BTreeSet<AnyId>,
    count: u64,
    first: i64,
    last: i64,
    changed: bool,
    touched: u64,
}

/// What is added up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    indicator: AnyId,
    window: i64,
    /// Everything that a reader must pass.
    markings: Conjunction,
    /// Who brought what is named; nobody where nothing is named.
    by: BTreeSet<Arc<str>>,
}

/// Which sighting a match belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its identifier.
    pub id: AnyId,
    /// Begin of its window; `None` without windows.
    pub window: Option<i64>,
    /// Whether it is open here; otherwise one made before can be taken up with [`Sightings::resume`].
    pub open: bool,
    key: Key,
}

/// Matches added up. Nothing here knows the time: it is passed in with every call.
#[derive(Debug)]
pub struct Sightings {
    policy: Policy,
    open: BTreeMap<Key, Open>,
    turn: u64,
    closed: Vec<(Key, Open)>,
}

impl Sightings {
    /// None yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, open: BTreeMap::new(), turn: 0, closed: Vec::new() }
    }

    /// Adds a match. Its window is that of the end of its last observation. A match without an observation counts for nothing.
    pub fn add(&mut self, hit: &Hit) {
        let (Some(first), Some(last)) =
            (hit.observations.iter().map(|o| o.first).min(), hit.observations.iter().map(|o| o.last).max())
        else {
            return;
        };
        let key = self.key(hit, last);
        self.turn += 1;
        if !self.open.contains_key(&key) && self.open.len() >= OPEN_MAX {
            self.close_oldest();
        }
        let created = if key.window == NO_WINDOW { first } else { key.window };
        let open = self.open.entry(key).or_insert_with(|| Open {
            created,
            modified: NO_WINDOW,
            evidence: BTreeSet::new(),
            count: 0,
            first,
            last,
            changed: true,
            touched: 0,
        });
        open.touched = self.turn;
        open.changed = true;
        for seen in &hit.observations {
            if open.evidence.len() < EVIDENCE_MAX {
                open.evidence.insert(seen.id.clone());
            }
        }
        // A match of several observations is one sighting of the indicator; a match of one is as many as that one stands for.
        let times = match hit.observations.as_slice() {
            [one] => one.number.max(1),
            _ => 1,
        };
        open.count = open.count.saturating_add(times).min(COUNT_MAX);
        open.first = open.first.min(first);
        open.last = open.last.max(last);
    }

    /// The sighting that a match belongs to; `None` for a match without an observation.
    pub fn place(&self, hit: &Hit) -> Option<Place> {
        let key = self.key(hit, hit.observations.iter().map(|o| o.last).max()?);
        let open = self.open.contains_key(&key);
        Some(Place { id: id_of(&self.policy, &key)?, window: shown(key.window), open, key })
    }

    /// `last`: the end of its last observation.
    fn key(&self, hit: &Hit, last: i64) -> Key {
        let mut markings = hit.markings.clone();
        for seen in &hit.observations {
            markings.add(seen.markings.markings());
        }
        let named = hit.observations.iter().filter(|_| self.policy.evidence);
        Key {
            indicator: hit.indicator.clone(),
            window: self.window_of(last),
            markings,
            by: named.map(|seen| Arc::clone(&seen.by)).collect(),
        }
    }

    fn window_of(&self, last: i64) -> i64 {
        self.policy.window_us.filter(|us| *us > 0).map_or(NO_WINDOW, |us| last.div_euclid(us) * us)
    }

    /// Sightings that are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// What has changed since the last call, as objects; `now` (microseconds since 1970) is their `modified`, or the next millisecond if the version before has
    /// that already.
    pub fn take(&mut self, now: i64) -> Vec<Sighting> {
        let policy = &self.policy;
        let mut closed = std::mem::take(&mut self.closed);
        let changed = self.open.iter_mut().filter(|(_, open)| open.changed);
        closed
            .iter_mut()
            .map(|(key, open)| (&*key, open))
            .chain(changed)
            .filter_map(|(key, open)| {
                open.changed = false;
                open.modified = now.max(open.created).max(open.modified.saturating_add(1_000));
                object(policy, key, open)
            })
            .collect()
    }

    /// Forgets windows that ended before `before` (microseconds since 1970) and were taken: a later match there begins anew from what the caller knows.
    pub fn forget(&mut self, before: i64) {
        let Some(us) = self.policy.window_us else { return };
        self.open.retain(|key, open| open.changed || key.window.saturating_add(us) > before);
    }

    /// Takes up the sighting of a place that was made before, so that it goes on from there: count and times are kept and its window is open again. What is
    /// open already stays as it is; what is no sighting of this shape changes nothing.
    pub fn resume(&mut self, made: &Map<String, Value>, place: &Place) {
        let time = |name: &str| Timestamp::parse(made.get(name)?.as_str()?).ok().map(|at| at.micros());
        let (Some(first), Some(last)) = (time("first_seen"), time("last_seen")) else { return };
        let (Some(created), Some(modified)) = (time("created"), time("modified")) else { return };
        let count = made.get("count").and_then(Value::as_u64).unwrap_or_default();
        let refs = made.get("observed_data_refs").and_then(Value::as_array).into_iter().flatten();
        let evidence = refs.filter_map(|id| id.as_str()?.parse().ok()).take(EVIDENCE_MAX).collect();
        self.turn += 1;
        let touched = self.turn;
        let open = Open { created, modified, evidence, count, first, last, changed: false, touched };
        self.open.entry(place.key.clone()).or_insert(open);
    }

    fn close_oldest(&mut self) {
        let oldest = self.open.iter().min_by_key(|(_, open)| open.touched).map(|(key, _)| key.clone());
        if let Some(key) = oldest
            && let Some(open) = self.open.remove(&key)
            && open.changed
        {
            self.closed.push((key, open));
        }
    }
}

fn shown(window: i64) -> Option<i64> {
    (window != NO_WINDOW).then_some(window)
}

fn id_of(policy: &Policy, key: &Key) -> Option<AnyId> {
    let by = policy.created_by.as_ref().map(AnyId::as_str).unwrap_or_default();
    let places: Vec<&str> = policy.where_sighted.iter().map(AnyId::as_str).collect();
    let place = places.join(" ");
    let mut parts = vec![by.as_bytes(), key.indicator.as_str().as_bytes(), place.as_bytes()];
    let (window, markings) = (key.window.to_be_bytes(), key.markings.key());
    parts.extend([&window[..], &markings]);
    parts.extend(key.by.iter().map(|by| by.as_bytes()));
    identity::derived("sighting", &parts)
}

fn object(policy: &Policy, key: &Key, open: &Open) -> Option<Sighting> {
    let (id, indicator) = (id_of(policy, key)?, &key.indicator);
    let Value::Object(mut object) = json!({
        "type": "sighting",
        "spec_version": "2.1",
        "id": id,
        // The same for every version of it, and not after any `modified` (S-030).
        "created": stamp(open.created),
        "modified": stamp(open.modified),
        "first_seen": stamp(open.first),
        "last_seen": stamp(open.last),
        "count": open.count,
        "sighting_of_ref": indicator,
    }) else {
        return None;
    };
    if let Some(by) = &policy.created_by {
        object.insert("created_by_ref".to_owned(), json!(by));
    }
    if !policy.where_sighted.is_empty() {
        object.insert("where_sighted_refs".to_owned(), json!(policy.where_sighted));
    }
    if policy.evidence && !open.evidence.is_empty() {
        object.insert("observed_data_refs".to_owned(), json!(open.evidence));
    }
    key.markings.mark(&mut object);
    Some(Sighting {
        id,
        indicator: indicator.clone(),
        window: shown(key.window),
        markings: key.markings.clone(),
        object,
    })
}
