//! What one pattern remembers of the stream: observations that satisfied some of its terms, for as long as they may be bound with one that is still to come.

use super::{Bounds, nanos, position};
use crate::pattern::{
    binding::{self, Candidate, TooMuch},
    observation::Nanos,
    plan::{Node, Plan},
};
use std::{collections::HashMap, sync::Arc};

/// Term and id of the observation bound by it.
type Bindings = Vec<(usize, Arc<str>)>;

#[derive(Debug)]
pub(super) struct Held {
    candidates: Vec<Candidate>,
    ids: Vec<Arc<str>>,
    /// An observation that ended this long ago is bound with none that begins now.
    horizon: Option<Nanos>,
    /// For a bag of slots, how many observations it binds. Of the settled observations that fit the same slots only the latest so many count.
    bag: Option<u64>,
    room: usize,
    /// Candidates after the last clearing.
    cleared: usize,
}

/// Kept candidates from which clearing is worth its time.
const CLEAR_FROM: usize = 32;

impl Held {
    pub(super) fn new(plan: &Plan, bounds: &Bounds) -> Self {
        let retention = bounds.retention.map(nanos);
        let (horizon, inner) = match &plan.root {
            Node::Within(x, inner) => (Some(retention.map_or(*x, |r| r.min(*x))), &**inner),
            node => (retention, node),
        };
        let one = |node: &Node| match node {
            Node::Slot(_) => Some(1),
            Node::Times(n, inner) if matches!(**inner, Node::Slot(_)) => Some(*n),
            _ => None,
        };
        let bag = match inner {
            Node::All(parts) => parts.iter().map(one).try_fold(0_u64, |sum, n| Some(sum.saturating_add(n?))),
            node => one(node),
        };
        Self { candidates: Vec::new(), ids: Vec::new(), horizon, bag, room: bounds.held_max.max(1), cleared: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Takes an observation in. A binding with it, if there is one: term and id. Nothing that is still to come begins before `line`.
    pub(super) fn arrive(
        &mut self,
        plan: &Plan,
        candidate: Candidate,
        id: &Arc<str>,
        line: Nanos,
        forgotten: &mut u64,
    ) -> Result<Option<Bindings>, TooMuch> {
        if self.candidates.len() >= (2 * self.cleared).max(CLEAR_FROM) {
            self.clear(line);
        }
        if self.candidates.len() >= self.room {
            self.clear(line);
            self.forget(forgotten);
        }
        self.candidates.push(candidate);
        self.ids.push(Arc::clone(id));
        let found = binding::find(plan, &self.candidates, Some(position(self.candidates.len() - 1)))?;
        let named = |(term, at): (u32, u32)| (term as usize, Arc::clone(&self.ids[at as usize]));
        Ok(found.map(|bound| bound.into_iter().map(named).collect()))
    }

    /// Drops what cannot be bound with anything to come, or is not needed for it.
    fn clear(&mut self, line: Nanos) {
        let mut keep: Vec<bool> = match self.horizon {
            None => vec![true; self.candidates.len()],
            Some(horizon) => self.candidates.iter().map(|c| c.last.saturating_add(horizon) > line).collect(),
        };
        if let Some(wanted) = self.bag {
            // What ended before the line comes before everything new: of what fits the same slots, the later is never worse.
            let mut order: Vec<usize> = (0..self.candidates.len()).filter(|i| keep[*i]).collect();
            order.retain(|i| self.candidates[*i].last < line);
            order.sort_by_key(|i| std::cmp::Reverse(self.candidates[*i].last));
            let mut kept: HashMap<Vec<u32>, u64> = HashMap::new();
            for i in order {
                let slots = self.candidates[i].fits.iter().map(|(slot, _)| *slot).collect();
                let kept = kept.entry(slots).or_default();
                keep[i] = *kept < wanted;
                *kept = kept.saturating_add(self.candidates[i].number);
            }
        }
        let mut kept = keep.iter();
        self.candidates.retain(|_| kept.next().copied().unwrap_or(true));
        let mut kept = keep.iter();
        self.ids.retain(|_| kept.next().copied().unwrap_or(true));
        self.cleared = self.candidates.len();
    }

    /// Makes room for one by dropping those that came first, a quarter at once: what an observation says of its time cannot make others go before it.
    fn forget(&mut self, forgotten: &mut u64) {
        if self.candidates.len() < self.room {
            return;
        }
        let gone = (self.room / 4).max(1).min(self.candidates.len());
        *forgotten += gone as u64;
        self.candidates.drain(..gone);
        self.ids.drain(..gone);
        self.cleared = self.candidates.len();
    }
}
