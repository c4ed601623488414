//! Minimal cut sets one after the other: by order, then by probability, without ever having all of them.
//!
//! A best-first search over the families. For every node the best probability that a set of each order below it can have is known, so every step leads to a set, and
//! the sets come in the right order. What stands for an independent part is entered, with the rest of the set to be gone on with behind it.

use super::analysis::Events;
use super::model::NodeId;
use super::solver::{Solver, Variable};
use super::zbdd::{BASE, EMPTY, Family};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, VecDeque};

/// A minimal cut set (or p-cut).
#[derive(Debug, Clone, PartialEq)]
pub struct CutSet {
    /// Its events, in the order of the model.
    pub events: Vec<NodeId>,
    /// The product of their probabilities; `None` if one is unknown.
    pub probability: Option<f64>,
}

/// Where a listing ended before the last set: the first set that is not listed. All sets of smaller order are, and of its own order all that are likelier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListedTo {
    /// Its order.
    pub order: u32,
    /// Its probability; `None` if that is unknown.
    pub probability: Option<f64>,
}

/// What an event with probability 0 counts as, as a logarithm: less than any other, and still a set.
const NEVER: f64 = -1e9;
/// No set.
const NONE: f64 = f64::NEG_INFINITY;
/// Logarithms that differ by less may be equal probabilities.
const EQUAL: f64 = 1e-9;
/// Sets of about equal probability that are put in order together, at most.
const TOGETHER_MAX: usize = 4_096;

type Link = u32;
const END: Link = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct State {
    /// The logarithm of the probability of the best set that this leads to.
    bound: f64,
    /// Among equals the one made first.
    made: u64,
    family: Family,
    /// Events still to take.
    need: u32,
    /// What follows when the family is done.
    behind: Link,
    taken: Link,
    /// The logarithm of the probability of what is taken.
    so_far: f64,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for State {}
impl PartialOrd for State {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for State {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound).then(other.made.cmp(&self.made))
    }
}

/// Rest of a set behind the part that is being entered.
#[derive(Debug)]
struct Behind {
    family: Family,
    next: Link,
    /// By order: the best that the family and all behind it can add.
    best: Vec<f64>,
}

/// The minimal cut sets in order: an iterator.
pub struct CutSets<'s> {
    solver: &'s Solver,
    logarithms: Events<f64>,
    probabilities: Events<Option<f64>>,
    count_max: usize,
    listed: usize,
    order: u32,
    order_max: u32,
    /// By family: the best logarithm for each order up to `depth`.
    best: HashMap<Family, Vec<f64>>,
    depth: u32,
    heap: BinaryHeap<State>,
    made: u64,
    behind: Vec<Behind>,
    behind_of: HashMap<(Family, Link), Link>,
    taken: Vec<(NodeId, Link)>,
    ready: VecDeque<CutSet>,
    listed_to: Option<ListedTo>,
}

impl std::fmt::Debug for CutSets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CutSets").field("listed", &self.listed).field("order", &self.order).finish_non_exhaustive()
    }
}

impl<'s> CutSets<'s> {
    pub(super) fn new(
        solver: &'s Solver,
        order_max: u32,
        count_max: usize,
        probabilities: Events<Option<f64>>,
    ) -> Self {
        let known = probabilities.values().all(Option::is_some);
        let logarithm = |p: &Option<f64>| match p {
            Some(p) if known => p.ln().max(NEVER),
            _ => 0.0,
        };
        let logarithms = probabilities.iter().map(|(e, p)| (*e, logarithm(p))).collect();
        let greatest = super::count::greatest_order(solver);
        let mut sets = Self {
            solver,
            logarithms,
            probabilities,
            count_max,
            listed: 0,
            order: 0,
            order_max: order_max.min(greatest),
            best: HashMap::new(),
            depth: 0,
            heap: BinaryHeap::new(),
            made: 0,
            behind: Vec::new(),
            behind_of: HashMap::new(),
            taken: Vec::new(),
            ready: VecDeque::new(),
            listed_to: None,
        };
        sets.begin(0);
        sets
    }

    /// Where the listing ended, if it ended because of the number that was asked for and not all known sets were listed. Meaningful once the iterator is at its end.
    pub fn listed_to(&self) -> Option<ListedTo> {
        self.listed_to
    }

    fn begin(&mut self, order: u32) {
        self.order = order;
        if order > self.depth || self.best.is_empty() {
            self.depth = (order * 2).clamp(4, self.order_max.max(4));
            self.best = best(self.solver, &self.logarithms, self.depth as usize);
        }
        self.heap.clear();
        self.behind.clear();
        self.behind_of.clear();
        self.taken.clear();
        let family = self.solver.solutions.last().map_or(EMPTY, |s| s.family);
        self.push(family, order, END, END, 0.0);
    }

    /// The best that can follow.
    fn bound(&self, family: Family, need: u32, behind: Link) -> f64 {
        let best = &self.best[&family];
        match self.behind.get(behind as usize) {
            None => best.get(need as usize).copied().unwrap_or(NONE),
            Some(behind) => best_of_both(best, &behind.best, need as usize),
        }
    }

    fn push(&mut self, family: Family, need: u32, behind: Link, taken: Link, so_far: f64) {
        let bound = so_far + self.bound(family, need, behind);
        if bound > NONE {
            self.heap.push(State { bound, made: self.made, family, need, behind, taken, so_far });
            self.made += 1;
        }
        // No more states are needed than sets are still to be listed.
        let wanted = (self.count_max - self.listed).max(TOGETHER_MAX).saturating_add(TOGETHER_MAX);
        if self.heap.len() / 4 > wanted {
            let mut states = std::mem::take(&mut self.heap).into_vec();
            states.sort_unstable_by(|a, b| b.cmp(a));
            states.truncate(wanted);
            self.heap = states.into();
        }
    }

    /// The rest `family` behind which `next` follows.
    fn behind(&mut self, family: Family, next: Link) -> Link {
        if family == BASE {
            return next;
        }
        if let Some(link) = self.behind_of.get(&(family, next)) {
            return *link;
        }
        let own = &self.best[&family];
        let best = match self.behind.get(next as usize) {
            None => own.clone(),
            Some(next) => (0..=self.depth as usize).map(|need| best_of_both(own, &next.best, need)).collect(),
        };
        let link = u32::try_from(self.behind.len()).unwrap_or(END);
        self.behind.push(Behind { family, next, best });
        self.behind_of.insert((family, next), link);
        link
    }

    /// Follows the best way from a state to its set; what is not taken on the way is remembered.
    fn follow(&mut self, mut at: State) -> Option<CutSet> {
        loop {
            if at.family == BASE {
                let Some(behind) = self.behind.get(at.behind as usize) else { break };
                (at.family, at.behind) = (behind.family, behind.next);
                continue;
            }
            if at.family == EMPTY {
                return None;
            }
            let d = self.solver.zbdd.get(at.family);
            let with = match self.solver.variables[d.var as usize] {
                Variable::Event(event) => {
                    let so_far = at.so_far + self.logarithms.get(&event).copied().unwrap_or(0.0);
                    let taken = u32::try_from(self.taken.len()).unwrap_or(END);
                    self.taken.push((event, at.taken));
                    let need = at.need.checked_sub(1);
                    need.map(|need| State { family: d.hi, need, taken, so_far, ..at })
                }
                Variable::Part(part) => {
                    let behind = self.behind(d.hi, at.behind);
                    Some(State { family: self.solver.solutions[part].family, behind, ..at })
                }
            };
            let with = with.map(|s| State { bound: s.so_far + self.bound(s.family, s.need, s.behind), ..s });
            let without = State { family: d.lo, ..at };
            let without = State { bound: at.so_far + self.bound(d.lo, at.need, at.behind), ..without };
            at = match with {
                Some(with) if with.bound >= without.bound => {
                    self.push(without.family, without.need, without.behind, without.taken, without.so_far);
                    with
                }
                Some(with) => {
                    self.push(with.family, with.need, with.behind, with.taken, with.so_far);
                    without
                }
                None => without,
            };
            if at.bound == NONE {
                return None;
            }
        }
        let mut events = Vec::with_capacity(self.order as usize);
        let mut link = at.taken;
        while let Some((event, next)) = self.taken.get(link as usize) {
            events.push(*event);
            link = *next;
        }
        events.sort_unstable();
        let probability = events.iter().map(|e| self.probabilities.get(e).copied().flatten()).product();
        Some(CutSet { events, probability })
    }

    /// Fills `ready` with the next sets of about equal probability.
    fn fill(&mut self) {
        let mut together: Vec<CutSet> = Vec::new();
        let mut first = None;
        while let Some(state) = self.heap.peek().copied() {
            if first.is_some_and(|f: f64| state.bound < f - EQUAL) || together.len() >= TOGETHER_MAX {
                break;
            }
            self.heap.pop();
            first = first.or(Some(state.bound));
            together.extend(self.follow(state));
        }
        together.sort_by(|a, b| {
            let key = |s: &CutSet| s.probability.unwrap_or(0.0);
            key(b).total_cmp(&key(a)).then_with(|| a.events.cmp(&b.events))
        });
        self.ready.extend(together);
    }
}

impl Iterator for CutSets<'_> {
    type Item = CutSet;

    fn next(&mut self) -> Option<CutSet> {
        while self.ready.is_empty() {
            if self.heap.is_empty() {
                if self.order >= self.order_max {
                    return None;
                }
                self.begin(self.order + 1);
            } else {
                self.fill();
            }
        }
        if self.listed >= self.count_max {
            let probability = self.ready.front().and_then(|s| s.probability);
            self.listed_to = Some(ListedTo { order: self.order, probability });
            return None;
        }
        self.listed += 1;
        self.ready.pop_front()
    }
}

/// The best sum of one part of `need` from each.
fn best_of_both(a: &[f64], b: &[f64], need: usize) -> f64 {
    let mut best = NONE;
    for (i, x) in a.iter().enumerate().take(need + 1) {
        if let Some(y) = b.get(need - i) {
            best = f64::max(best, x + y);
        }
    }
    best
}

/// For each family that the top needs: by order, the best logarithm of a set of that order.
fn best(solver: &Solver, logarithms: &Events<f64>, depth: usize) -> HashMap<Family, Vec<f64>> {
    let mut best: HashMap<Family, Vec<f64>> = HashMap::from([(EMPTY, Vec::new()), (BASE, vec![0.0])]);
    for solution in &solver.solutions {
        for family in super::count::below(solver, solution.family) {
            let d = solver.zbdd.get(family);
            let hi = &best[&d.hi];
            let mut row: Vec<f64> = match solver.variables[d.var as usize] {
                Variable::Event(event) => {
                    let own = logarithms.get(&event).copied().unwrap_or(0.0);
                    std::iter::once(NONE).chain(hi.iter().map(|x| x + own)).take(depth + 1).collect()
                }
                Variable::Part(part) => {
                    let own = &best[&solver.solutions[part].family];
                    let len = (own.len() + hi.len()).saturating_sub(1).min(depth + 1);
                    (0..len).map(|need| best_of_both(own, hi, need)).collect()
                }
            };
            let lo = &best[&d.lo];
            if row.len() < lo.len() {
                row.resize(lo.len(), NONE);
            }
            row.iter_mut().zip(lo).for_each(|(to, x)| *to = f64::max(*to, *x));
            best.insert(family, row);
        }
    }
    best
}
