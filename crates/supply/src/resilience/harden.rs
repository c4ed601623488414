//! The fewest events to harden so that certain cut sets are gone: a smallest hitting set.
//!
//! Sets that contain another, and events that another replaces, are left out; what is left falls into independent components; each is searched by branching on the
//! smallest set, bounded from below by sets that have no event in common. What is too large to be searched gets a good answer and a bound.

use super::meter::{Halt, Meter};
use super::model::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// Which events to harden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    /// The events that must be made impossible; in the order of the model.
    pub actions: Vec<NodeId>,
    /// All cut sets up to this order are gone then.
    pub order: u32,
    /// How many sets those are.
    pub sets: usize,
    /// No hardening has fewer actions than this. Equal to the number of actions if and only if the answer is proven smallest.
    pub at_least: usize,
}

impl Hardening {
    /// Whether no hardening with fewer actions does the same.
    pub fn is_smallest(&self) -> bool {
        self.at_least == self.actions.len()
    }
}

/// Why no hardening is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HardenError {
    /// The top fails without any event.
    #[error("the top has failed with no event at all: no hardening helps")]
    FailsAnyway,
    /// Too many sets.
    #[error("more than {SETS_MAX} cut sets up to order {order}: ask for a smaller order")]
    TooMany {
        /// The order asked for.
        order: u32,
    },
    /// The sets are not known.
    #[error(
        "cut sets are known up to order {known} only, not up to {asked}: give it more time, or ask for a smaller order"
    )]
    NotKnown {
        /// Up to which they are.
        known: u32,
        /// Up to which was asked.
        asked: u32,
    },
}

/// Cut sets that are looked at, at most.
pub const SETS_MAX: usize = 200_000;
/// Components whose good answer has more actions are not searched.
const SEARCHED_MAX: usize = 200;
/// Times that all reductions are tried, at most, before a component is searched.
const REDUCTIONS_MAX: usize = 50;

type Element = u32;

/// Chooses events that hit every set; each set is sorted and not empty.
pub(super) fn harden(sets: &[Vec<NodeId>], order: u32, meter: &mut Meter<'_>) -> Hardening {
    let nodes: BTreeSet<NodeId> = sets.iter().flatten().copied().collect();
    let nodes: Vec<NodeId> = nodes.into_iter().collect();
    let number: BTreeMap<NodeId, Element> = nodes.iter().copied().zip(0..).collect();
    let mut left: Vec<Vec<Element>> = sets.iter().map(|s| s.iter().map(|e| number[e]).collect()).collect();
    let mut chosen: Vec<Element> = Vec::new();
    for _ in 0..REDUCTIONS_MAX {
        let size = (left.len(), left.iter().map(Vec::len).sum::<usize>());
        without_supersets(&mut left);
        take_singles(&mut left, &mut chosen);
        without_replaced(&mut left, nodes.len());
        if size == (left.len(), left.iter().map(Vec::len).sum::<usize>()) {
            break;
        }
    }
    let mut at_least = chosen.len();
    for component in components(&left, nodes.len()) {
        let good = greedy(&component);
        let mut search = Search { best: good, sets: &component, complete: true };
        let low = disjoint(&component, &BTreeSet::new(), &BTreeSet::new());
        if low < search.best.len() && search.best.len() <= SEARCHED_MAX {
            search.go(&mut Vec::new(), &mut BTreeSet::new(), meter);
        } else {
            search.complete = low == search.best.len();
        }
        at_least += if search.complete { search.best.len() } else { low };
        chosen.extend(search.best);
    }
    let mut actions: Vec<NodeId> = chosen.into_iter().map(|e| nodes[e as usize]).collect();
    actions.sort_unstable();
    Hardening { actions, order, sets: sets.len(), at_least }
}

fn is_subset(small: &[Element], large: &[Element]) -> bool {
    let mut rest = large.iter();
    small.iter().all(|e| rest.any(|x| x == e))
}

fn sets_of(sets: &[Vec<Element>], elements: usize) -> Vec<Vec<u32>> {
    let mut of = vec![Vec::new(); elements];
    for (number, set) in (0..).zip(sets) {
        for e in set {
            of[*e as usize].push(number);
        }
    }
    of
}

fn elements_of(sets: &[Vec<Element>]) -> usize {
    sets.iter().flatten().max().map_or(0, |e| *e as usize + 1)
}

/// What hits a set hits every set that contains it.
fn without_supersets(sets: &mut Vec<Vec<Element>>) {
    sets.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    sets.dedup();
    let of = sets_of(sets, elements_of(sets));
    let mut gone = vec![false; sets.len()];
    for (at, set) in sets.iter().enumerate() {
        let Some(rarest) = set.iter().min_by_key(|e| of[**e as usize].len()) else { continue };
        for other in &of[*rarest as usize] {
            let other = *other as usize;
            if other > at && !gone[other] && is_subset(set, &sets[other]) {
                gone[other] = true;
            }
        }
    }
    let mut gone = gone.into_iter();
    sets.retain(|_| !gone.next().unwrap_or(false));
}

/// The event of a set of one must be taken.
fn take_singles(sets: &mut Vec<Vec<Element>>, chosen: &mut Vec<Element>) {
    let singles: BTreeSet<Element> = sets.iter().filter(|s| s.len() == 1).flatten().copied().collect();
    sets.retain(|s| !s.iter().any(|e| singles.contains(e)));
    chosen.extend(singles);
}

/// An event is left out if another is in all its sets.
fn without_replaced(sets: &mut [Vec<Element>], elements: usize) {
    let of = sets_of(sets, elements);
    let mut gone = vec![false; elements];
    for element in 0..elements {
        let Some(first) = of[element].iter().map(|s| &sets[*s as usize]).min_by_key(|s| s.len()) else { continue };
        gone[element] = first.iter().map(|e| *e as usize).any(|other| {
            let (mine, its) = (&of[element], &of[other]);
            other != element
                && !gone[other]
                && (mine.len() < its.len() || mine.len() == its.len() && other < element)
                && is_subset(mine, its)
        });
    }
    for set in sets {
        set.retain(|e| !gone[*e as usize]);
    }
}

fn components(sets: &[Vec<Element>], elements: usize) -> Vec<Vec<Vec<Element>>> {
    let of = sets_of(sets, elements);
    let mut seen = vec![false; sets.len()];
    let mut components = Vec::new();
    for start in 0..sets.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let (mut open, mut component) = (vec![start], Vec::new());
        while let Some(at) = open.pop() {
            component.push(sets[at].clone());
            for other in sets[at].iter().flat_map(|e| &of[*e as usize]) {
                if !std::mem::replace(&mut seen[*other as usize], true) {
                    open.push(*other as usize);
                }
            }
        }
        component.sort();
        components.push(component);
    }
    components
}

/// The event that hits most, then again; then without those that turn out not to be needed.
fn greedy(sets: &[Vec<Element>]) -> Vec<Element> {
    let of = sets_of(sets, elements_of(sets));
    let mut count: Vec<usize> = of.iter().map(Vec::len).collect();
    let mut by_count: BTreeSet<(usize, Element)> =
        (0..).zip(&count).filter(|(_, n)| **n > 0).map(|(e, n)| (usize::MAX - n, e)).collect();
    let mut hits = vec![0_u32; sets.len()];
    let mut chosen = Vec::new();
    while let Some((_, element)) = by_count.pop_first() {
        chosen.push(element);
        for at in &of[element as usize] {
            hits[*at as usize] += 1;
            if hits[*at as usize] > 1 {
                continue;
            }
            for e in &sets[*at as usize] {
                let n = &mut count[*e as usize];
                if by_count.remove(&(usize::MAX - *n, *e)) && *n > 1 {
                    by_count.insert((usize::MAX - (*n - 1), *e));
                }
                *n -= 1;
            }
        }
    }
    let mut kept = Vec::new();
    for element in chosen.into_iter().rev() {
        if of[element as usize].iter().all(|at| hits[*at as usize] > 1) {
            of[element as usize].iter().for_each(|at| hits[*at as usize] -= 1);
        } else {
            kept.push(element);
        }
    }
    kept
}

/// How many of the sets that are not hit have pairwise no event in common (without those that may not be taken): so many events are needed at least.
fn disjoint(sets: &[Vec<Element>], taken: &BTreeSet<Element>, banned: &BTreeSet<Element>) -> usize {
    let mut open: Vec<Vec<Element>> = sets
        .iter()
        .filter(|s| !s.iter().any(|e| taken.contains(e)))
        .map(|s| s.iter().copied().filter(|e| !banned.contains(e)).collect())
        .collect();
    open.sort_by_key(Vec::len);
    let mut used = BTreeSet::new();
    let mut count = 0;
    for set in open {
        if !set.iter().any(|e| used.contains(e)) {
            used.extend(set);
            count += 1;
        }
    }
    count
}

struct Search<'c> {
    sets: &'c [Vec<Element>],
    best: Vec<Element>,
    complete: bool,
}

impl Search<'_> {
    /// Everything that can still be better than the best. As deep as the best has actions.
    fn go(&mut self, taken: &mut Vec<Element>, banned: &mut BTreeSet<Element>, meter: &mut Meter<'_>) {
        if !self.complete {
            return;
        }
        if let Err(Halt::Budget | Halt::Stopped) = meter.step(0) {
            self.complete = false;
            return;
        }
        let has: BTreeSet<Element> = taken.iter().copied().collect();
        let open = self.sets.iter().filter(|s| !s.iter().any(|e| has.contains(e)));
        let free = |s: &Vec<Element>| s.iter().filter(|e| !banned.contains(e)).count();
        let Some(set) = open.min_by_key(|s| free(s)) else {
            if taken.len() < self.best.len() {
                self.best.clone_from(taken);
            }
            return;
        };
        if taken.len() + disjoint(self.sets, &has, banned) >= self.best.len() {
            return;
        }
        let choices: Vec<Element> = set.iter().copied().filter(|e| !banned.contains(e)).collect();
        for element in &choices {
            taken.push(*element);
            self.go(taken, banned, meter);
            taken.pop();
            // What was tried is not tried again beside the others.
            banned.insert(*element);
        }
        for element in &choices {
            banned.remove(element);
        }
    }
}
