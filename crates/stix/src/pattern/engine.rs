//! Many patterns at once over a stream of observations.
//!
//! 1. Each `[ … ]` of each pattern is filed in an [`index`] under values of which it needs one ([`trigger`](super::trigger)). What an object shows is looked up there:
//!    only what is found is evaluated, by the same code as a single [`Matcher`](super::Matcher) uses.
//! 2. A pattern that one observation satisfies answers at once. Others keep the observations that satisfied some of their terms for as long as they may
//!    still count ([`held`]), and look for a binding that holds the new one.
//!
//! So the answer for each observation is that of [`Matcher::find_with`](super::Matcher::find_with) over all observations up to it, as far as [`Bounds`] let it remember.

mod held;
mod index;
mod literals;

use super::{
    MatchError, Nanos, Observation, Pattern,
    binding::Candidate,
    comparison::Verdict,
    matcher::Matcher,
    observed::Term,
    plan::{Node, Plan},
};
use crate::Timestamp;
use held::Held;
use index::Index;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// What an engine remembers. The defaults suit a node: a day, five minutes, four thousand.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Observations further apart than this are not combined by patterns that have no WITHIN around everything. `None`: whatever the time.
    pub retention: Option<Duration>,
    /// How late an observation may come: its `first_observed` is at most this much before the latest seen. One that comes later may miss partners.
    pub lateness: Duration,
    /// Observations that one pattern keeps; beyond it those that came first are forgotten, and counted in [`Engine::forgotten`].
    pub held_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { retention: Some(Duration::from_secs(86_400)), lateness: Duration::from_secs(300), held_max: 4_096 }
    }
}

/// A pattern in an engine. Never used twice by one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternId(u64);

/// A pattern that is satisfied, the observation that just came among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub pattern: PatternId,
    /// Term ([`Pattern::observed`]) and id of the observation bound by it, in the order of terms.
    pub bindings: Vec<(usize, Arc<str>)>,
}

impl Hit {
    /// The observations bound, each once, in the order of terms.
    pub fn observations(&self) -> Vec<Arc<str>> {
        let mut ids: Vec<Arc<str>> = Vec::new();
        for (_, id) in &self.bindings {
            if !ids.contains(id) {
                ids.push(Arc::clone(id));
            }
        }
        ids
    }
}

/// What an observation brought.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// Patterns that are satisfied, in the order in which they were added.
    pub hits: Vec<Hit>,
    /// Patterns for which no answer was found within the bounds (P-041, P-056).
    pub undecided: Vec<(PatternId, MatchError)>,
}

/// A set of patterns, and what they remember of a stream.
#[derive(Debug)]
pub struct Engine {
    bounds: Bounds,
    index: Index,
    /// Terms of all patterns; numbers are used again.
    terms: Vec<Option<Filed>>,
    free_terms: Vec<u32>,
    patterns: Vec<Option<Entry>>,
    free_patterns: Vec<u32>,
    next_id: u64,
    /// Where each is in `patterns`.
    positions: HashMap<PatternId, u32>,
    /// The latest `first` seen, `ceiling` at most.
    latest: Nanos,
    /// The present, as far as it was told.
    ceiling: Nanos,
    /// Objects looked at so far; tells what is new for a term.
    clock: u64,
    forgotten: u64,
    found: Vec<u32>,
}

/// A pattern's position and that of one of its terms.
type Place = (u32, u32);

#[derive(Debug)]
struct Filed {
    term: Term,
    /// Position in `patterns`.
    pattern: u32,
    /// Position in its pattern.
    number: u32,
    /// The object for which it was last asked, and the first object of the observation for which it last held.
    asked: u64,
    held: u64,
}

#[derive(Debug)]
struct Entry {
    id: PatternId,
    plan: Plan,
    terms: Vec<u32>,
    held: Held,
}

impl Engine {
    /// An engine without patterns.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            index: Index::default(),
            terms: Vec::new(),
            free_terms: Vec::new(),
            patterns: Vec::new(),
            free_patterns: Vec::new(),
            positions: HashMap::new(),
            next_id: 0,
            latest: Nanos::MIN,
            ceiling: Nanos::MAX,
            clock: 0,
            forgotten: 0,
            found: Vec::new(),
        }
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Observations forgotten because a pattern kept [`Bounds::held_max`] already: matches with them may have been missed.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Observations kept for patterns that need more than one, counted once for each pattern.
    pub fn held(&self) -> usize {
        self.patterns.iter().flatten().map(|entry| entry.held.len()).sum()
    }

    /// Adds a pattern. It sees what comes from now on.
    pub fn add(&mut self, pattern: &Pattern) -> PatternId {
        self.add_matcher(Matcher::new(pattern))
    }

    /// Adds the pattern of an indicator that is valid from, inclusive, and until, exclusive (P-081).
    pub fn add_valid(&mut self, pattern: &Pattern, from: Option<&Timestamp>, until: Option<&Timestamp>) -> PatternId {
        self.add_matcher(Matcher::valid(pattern, from, until))
    }

    pub(super) fn add_matcher(&mut self, Matcher { terms, plan }: Matcher) -> PatternId {
        let id = PatternId(self.next_id);
        self.next_id += 1;
        let pattern = self.free_patterns.pop().unwrap_or_else(|| {
            self.patterns.push(None);
            position(self.patterns.len() - 1)
        });
        let mut filed = Vec::with_capacity(terms.len());
        for (number, term) in terms.into_iter().enumerate() {
            let at = self.free_terms.pop().unwrap_or_else(|| {
                self.terms.push(None);
                position(self.terms.len() - 1)
            });
            self.index.insert(&term.tree, at);
            let number = position(number);
            self.terms[at as usize] = Some(Filed { term, pattern, number, asked: 0, held: 0 });
            filed.push(at);
        }
        self.positions.insert(id, pattern);
        let held = Held::new(&plan, &self.bounds);
        self.patterns[pattern as usize] = Some(Entry { id, plan, terms: filed, held });
        id
    }

    /// Removes a pattern and what it remembers. Whether it was there.
    pub fn remove(&mut self, id: PatternId) -> bool {
        let Some(at) = self.positions.remove(&id) else { return false };
        let Some(entry) = self.patterns[at as usize].take() else { return false };
        for term in entry.terms {
            if let Some(filed) = self.terms[term as usize].take() {
                self.index.remove(&filed.term.tree, term);
                self.free_terms.push(term);
            }
        }
        self.free_patterns.push(at);
        true
    }

    /// Tells the present. An observation that says to begin later than that moves no window on: one false clock would make everybody's observations late.
    pub fn tell_time(&mut self, now: Nanos) {
        self.ceiling = now;
        self.latest = self.latest.min(now);
    }

    /// Looks at an observation. Observations come in the order of `first_observed`, or late by [`Bounds::lateness`] at most.
    pub fn push(&mut self, observation: &Observation) -> Arrived {
        self.latest = self.latest.max(observation.first.min(self.ceiling));
        let (mut satisfied, unknown) = self.satisfied(observation);
        let mut arrived = Arrived::default();
        let Self { patterns, bounds, latest, forgotten, .. } = self;
        let line = latest.saturating_sub(nanos(bounds.lateness));
        for (pattern, _) in &unknown {
            let id = patterns[*pattern as usize].as_ref().map(|entry| (entry.id, MatchError::Comparison));
            arrived.undecided.extend(id);
        }
        satisfied.sort_unstable();
        for group in satisfied.chunk_by(|a, b| a.0 == b.0) {
            let Some(entry) = group.first().and_then(|(at, _)| patterns[*at as usize].as_mut()) else { continue };
            let terms = group.iter().map(|(_, number)| *number as usize);
            if let Node::Slot(_) = entry.plan.root {
                let in_time = |term: &usize| entry.plan.in_time(*term, observation.first, observation.last);
                if let Some(term) = terms.clone().find(in_time) {
                    let bindings = vec![(term, Arc::clone(&observation.id))];
                    arrived.hits.push(Hit { pattern: entry.id, bindings });
                }
                continue;
            }
            let times = (observation.first, observation.last);
            let Some(candidate) = Candidate::new(&entry.plan, times, observation.number, terms) else { continue };
            match entry.held.arrive(&entry.plan, candidate, &observation.id, line, forgotten) {
                Ok(None) => {}
                Ok(Some(bindings)) => arrived.hits.push(Hit { pattern: entry.id, bindings }),
                Err(_) => arrived.undecided.push((entry.id, MatchError::Binding)),
            }
        }
        arrived.hits.sort_unstable_by_key(|hit| hit.pattern);
        arrived.undecided.retain(|(id, _)| arrived.hits.binary_search_by_key(id, |hit| hit.pattern).is_err());
        arrived.undecided.sort_unstable_by_key(|(id, _)| *id);
        arrived.undecided.dedup_by_key(|(id, _)| *id);
        arrived
    }

    /// Pattern and term for every `[ … ]` that the observation satisfies, and for every one that gave no answer.
    fn satisfied(&mut self, observation: &Observation) -> (Vec<Place>, Vec<Place>) {
        let (mut satisfied, mut unknown) = (Vec::new(), Vec::new());
        let begin = self.clock + 1;
        let Self { index, terms, clock, found, .. } = self;
        for root in observation.objects() {
            *clock += 1;
            found.clear();
            index.look_up(observation, root, found);
            for at in found.iter() {
                let Some(filed) = terms[*at as usize].as_mut() else { continue };
                if filed.asked == *clock || filed.held >= begin {
                    continue;
                }
                filed.asked = *clock;
                match filed.term.holds_for(observation, root) {
                    Verdict::Yes => {
                        filed.held = begin;
                        satisfied.push((filed.pattern, filed.number));
                    }
                    Verdict::No => {}
                    Verdict::Unknown => unknown.push((filed.pattern, filed.number)),
                }
            }
        }
        (satisfied, unknown)
    }
}

fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

/// Positions fit: four billion terms need more memory than there is.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
