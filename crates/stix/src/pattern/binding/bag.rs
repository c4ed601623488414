//! A bag of slots, each wanted so many times, with one WITHIN around all or none: a window slid over time, and a flow from observations to slots inside it.

use super::{Bound, Candidate, Nanos, Node};
use std::collections::HashMap;

pub(super) struct Bag {
    within: Option<Nanos>,
    /// Slot and how often it is wanted.
    needs: Vec<(u32, u64)>,
}

impl Bag {
    pub(super) fn of(root: &Node) -> Option<Self> {
        let (within, node) = match root {
            Node::Within(x, inner) => (Some(*x), &**inner),
            node => (None, node),
        };
        let one = |node: &Node| match node {
            Node::Slot(slot) => Some((*slot, 1)),
            Node::Times(n, inner) => match **inner {
                Node::Slot(slot) => Some((slot, *n)),
                _ => None,
            },
            _ => None,
        };
        let needs = match node {
            Node::All(parts) => parts.iter().map(one).collect::<Option<_>>()?,
            node => vec![one(node)?],
        };
        Some(Self { within, needs })
    }

    pub(super) fn find(&self, candidates: &[Candidate], must: Option<u32>) -> Option<Bound> {
        let Some(must) = must else { return self.find_at(candidates, None) };
        let fits = &candidates.get(must as usize)?.fits;
        fits.iter().find_map(|(slot, _)| self.find_at(candidates, Some((must, *slot))))
    }

    /// A binding; with `must`, one that binds that candidate to that slot.
    fn find_at(&self, candidates: &[Candidate], must: Option<(u32, u32)>) -> Option<Bound> {
        let mut needs = self.needs.clone();
        let held = must.and_then(|(candidate, _)| candidates.get(candidate as usize));
        if let Some((_, slot)) = must {
            let need = needs.iter_mut().find(|(s, n)| *s == slot && *n > 0)?;
            need.1 -= 1;
        }
        let number = |i: u32| {
            let number = candidates.get(i as usize).map_or(0, |c| c.number);
            if must.is_some_and(|(candidate, _)| candidate == i) { number - 1 } else { number }
        };
        let mut flow = Flow::new(&needs);
        let all = 0..u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        let Some(x) = self.within else {
            for i in all.clone() {
                flow.change(&candidates[i as usize], number(i), true);
            }
            return flow.solve().map(|amounts| assign(&flow, amounts, candidates, all, number, must));
        };
        // The earliest `last` of what is bound is the `last` of some candidate: `from`. The others begin before `from + x` and do not end before `from`.
        let mut by_first: Vec<u32> = all.collect();
        let mut by_last = by_first.clone();
        by_first.sort_by_key(|i| candidates[*i as usize].first);
        by_last.sort_by_key(|i| candidates[*i as usize].last);
        let mut entering = by_first.iter().copied().peekable();
        let mut leaving = by_last.iter().copied().peekable();
        let mut tried = None;
        for i in &by_last {
            let from = candidates[*i as usize].last;
            if tried == Some(from) || held.is_some_and(|h| h.last < from || h.first >= from.saturating_add(x)) {
                continue;
            }
            tried = Some(from);
            let is_before = |i: &u32| candidates[*i as usize].first < from.saturating_add(x);
            while let Some(i) = entering.next_if(is_before) {
                flow.change(&candidates[i as usize], number(i), true);
            }
            while let Some(i) = leaving.next_if(|i| candidates[*i as usize].last < from) {
                // It began before it ended, so that it has entered.
                flow.change(&candidates[i as usize], number(i), false);
            }
            if let Some(amounts) = flow.solve() {
                let inside = by_last.iter().copied().filter(|i| {
                    let candidate = &candidates[*i as usize];
                    candidate.last >= from && candidate.first < from.saturating_add(x)
                });
                return Some(assign(&flow, amounts, candidates, inside, number, must));
            }
        }
        None
    }
}

/// Candidates that fit the same slots are one group.
struct Flow {
    needs: Vec<(u32, u64)>,
    groups: Vec<Group>,
    numbers: HashMap<Vec<u32>, usize>,
}

struct Group {
    /// Positions in `needs`.
    fits: Vec<usize>,
    capacity: u64,
}

/// For each group, the need it serves and how often.
type Amounts = Vec<Vec<(usize, u64)>>;

impl Flow {
    fn new(needs: &[(u32, u64)]) -> Self {
        Self { needs: needs.to_vec(), groups: Vec::new(), numbers: HashMap::new() }
    }

    fn group(&self, candidate: &Candidate) -> Option<usize> {
        let slots: Vec<u32> = candidate.fits.iter().map(|(slot, _)| *slot).collect();
        self.numbers.get(&slots).copied()
    }

    fn change(&mut self, candidate: &Candidate, number: u64, enters: bool) {
        let slots: Vec<u32> = candidate.fits.iter().map(|(slot, _)| *slot).collect();
        let Self { needs, groups, numbers } = self;
        let at = *numbers.entry(slots).or_insert_with_key(|slots| {
            let fits = needs.iter().enumerate().filter(|(_, (slot, _))| slots.contains(slot)).map(|(i, _)| i);
            groups.push(Group { fits: fits.collect(), capacity: 0 });
            groups.len() - 1
        });
        let capacity = &mut groups[at].capacity;
        *capacity = if enters { capacity.saturating_add(number) } else { capacity.saturating_sub(number) };
    }

    /// How to serve every need, if that can be.
    fn solve(&self) -> Option<Amounts> {
        let supply = self.groups.iter().fold(0_u64, |n, group| n.saturating_add(group.capacity));
        let demand = self.needs.iter().fold(0_u64, |n, (_, need)| n.saturating_add(*need));
        if supply < demand {
            return None;
        }
        let mut used = vec![vec![0_u64; self.needs.len()]; self.groups.len()];
        let mut free: Vec<u64> = self.groups.iter().map(|group| group.capacity).collect();
        for (need, (_, wanted)) in self.needs.iter().enumerate() {
            let mut wanted = *wanted;
            while wanted > 0 {
                wanted -= self.augment(need, wanted, &mut used, &mut free)?;
            }
        }
        let served = |row: Vec<u64>| row.into_iter().enumerate().filter(|(_, n)| *n > 0).collect();
        Some(used.into_iter().map(served).collect())
    }

    /// Serves `need` with up to `wanted`, moving what other needs got if that frees something. How much was got; `None` if nothing.
    fn augment(&self, need: usize, wanted: u64, used: &mut [Vec<u64>], free: &mut [u64]) -> Option<u64> {
        /// A group on the way, the need that asked for it, and the group from which that need would be moved.
        struct Visit {
            group: usize,
            asking: usize,
            from: Option<usize>,
        }
        let mut seen = vec![false; self.groups.len()];
        let mut queue: Vec<Visit> = Vec::new();
        let mut at = 0;
        let mut asking = Some((need, None));
        loop {
            if let Some((asks, from)) = asking.take() {
                for (group, _) in self.groups.iter().enumerate().filter(|(_, g)| g.fits.contains(&asks)) {
                    if !std::mem::replace(&mut seen[group], true) {
                        queue.push(Visit { group, asking: asks, from });
                    }
                }
            }
            let visit = queue.get(at)?;
            if free[visit.group] > 0 {
                break;
            }
            // Whoever holds some of this group may be moved elsewhere.
            let group = visit.group;
            let holders: Vec<usize> = (0..self.needs.len()).filter(|n| used[group][*n] > 0).collect();
            for holder in holders {
                for (other, _) in self.groups.iter().enumerate().filter(|(_, g)| g.fits.contains(&holder)) {
                    if !std::mem::replace(&mut seen[other], true) {
                        queue.push(Visit { group: other, asking: holder, from: Some(at) });
                    }
                }
            }
            at += 1;
        }
        // Back along the way: how much can move, then move it.
        let mut amount = wanted.min(free[queue[at].group]);
        let mut step = at;
        while let Some(from) = queue[step].from {
            amount = amount.min(used[queue[from].group][queue[step].asking]);
            step = from;
        }
        free[queue[at].group] -= amount;
        let mut step = at;
        loop {
            let Visit { group, asking, from } = queue[step];
            used[group][asking] += amount;
            let Some(from) = from else { return Some(amount) };
            used[queue[from].group][asking] -= amount;
            step = from;
        }
    }
}

/// Amounts made into single bindings.
fn assign(
    flow: &Flow,
    mut amounts: Amounts,
    candidates: &[Candidate],
    inside: impl Iterator<Item = u32>,
    number: impl Fn(u32) -> u64,
    must: Option<(u32, u32)>,
) -> Bound {
    let mut bound = Vec::new();
    if let Some((candidate, slot)) = must
        && let Some(term) = candidates.get(candidate as usize).and_then(|c| c.term(slot))
    {
        bound.push((term, candidate));
    }
    for i in inside {
        let candidate = &candidates[i as usize];
        let Some(group) = flow.group(candidate) else { continue };
        let mut left = number(i);
        while left > 0
            && let Some((need, amount)) = amounts[group].last_mut()
        {
            let taken = left.min(*amount);
            if let Some(term) = candidate.term(flow.needs[*need].0) {
                bound.extend((0..taken).map(|_| (term, i)));
            }
            left -= taken;
            *amount -= taken;
            if *amount == 0 {
                amounts[group].pop();
            }
        }
    }
    bound
}
