//! Finding observations for the slots of a plan: no observation twice (P-070), times as the operators and qualifiers want them.
//!
//! Every condition on times is one between two bound observations (P-080): FOLLOWEDBY wants `first` of the left not after `last` of the right, WITHIN wants
//! `first` of any less than `last` of any other plus x. So a part is described by the latest `first` and the earliest `last` among what it binds.
//! Bags of slots, with one WITHIN around them or none, are solved by [`bag`] without search; everything else by [`search`].

mod bag;
mod search;

use super::{
    observation::Nanos,
    plan::{Node, Plan},
};

/// Candidates looked at for one answer, all branches together (P-041, PK-14).
pub const BINDING_STEPS_MAX: u64 = 2_000_000;

/// An observation that fits some slot.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    /// How often it can be bound (P-071).
    pub(super) number: u64,
    /// Slots that it fits with the term by which it does, sorted by slot, each slot once.
    pub(super) fits: Vec<(u32, u32)>,
}

impl Candidate {
    /// An observation that satisfies `terms`; `None` if none of them is in time.
    pub(super) fn new(
        plan: &Plan,
        (first, last): (Nanos, Nanos),
        number: u64,
        terms: impl IntoIterator<Item = usize>,
    ) -> Option<Self> {
        let mut fits = Vec::new();
        for term in terms.into_iter().filter(|term| plan.in_time(*term, first, last)) {
            if let (Some((slot, _)), Ok(term)) = (plan.terms.get(term), u32::try_from(term)) {
                fits.push((*slot, term));
            }
        }
        fits.sort_unstable();
        fits.dedup_by_key(|(slot, _)| *slot);
        (!fits.is_empty()).then_some(Self { first, last, number, fits })
    }

    fn term(&self, slot: u32) -> Option<u32> {
        let at = self.fits.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
        self.fits.get(at).map(|(_, term)| *term)
    }
}

/// The search was given up: there may be a binding or not.
#[derive(Debug)]
pub(super) struct TooMuch;

/// What was bound: term and position of the candidate, sorted.
pub(super) type Bound = Vec<(u32, u32)>;

/// A binding of the plan to the candidates; with `must`, one that binds that candidate.
pub(super) fn find(plan: &Plan, candidates: &[Candidate], must: Option<u32>) -> Result<Option<Bound>, TooMuch> {
    let mut counts = vec![0_u64; plan.slots as usize];
    for candidate in candidates {
        for (slot, _) in &candidate.fits {
            if let Some(count) = counts.get_mut(*slot as usize) {
                *count = count.saturating_add(candidate.number);
            }
        }
    }
    let supply = candidates.iter().fold(0_u64, |n, candidate| n.saturating_add(candidate.number));
    if !is_possible(&plan.root, 1, &counts) || demand(&plan.root) > supply {
        return Ok(None);
    }
    let mut bound = match bag::Bag::of(&plan.root) {
        Some(bag) => bag.find(candidates, must),
        None => search::find(plan, candidates, must)?,
    };
    if let Some(bound) = &mut bound {
        bound.sort_unstable();
    }
    Ok(bound)
}

/// Observations that a binding holds at least.
fn demand(node: &Node) -> u64 {
    match node {
        Node::Slot(_) => 1,
        Node::All(parts) | Node::Seq(parts) => parts.iter().fold(0, |n, part| n.saturating_add(demand(part))),
        Node::Any(parts) => parts.iter().map(demand).min().unwrap_or(0),
        Node::Times(times, inner) => times.saturating_mul(demand(inner)),
        Node::Within(_, inner) => demand(inner),
    }
}

/// Whether there are candidates enough for every slot by itself, to bind the node so many times.
fn is_possible(node: &Node, times: u64, counts: &[u64]) -> bool {
    match node {
        Node::Slot(slot) => counts.get(*slot as usize).is_some_and(|count| *count >= times),
        Node::Times(n, inner) => is_possible(inner, times.saturating_mul(*n), counts),
        Node::Within(_, inner) => is_possible(inner, times, counts),
        Node::All(parts) | Node::Seq(parts) => parts.iter().all(|part| is_possible(part, times, counts)),
        // Repetitions may take different branches.
        Node::Any(parts) => parts.iter().any(|part| is_possible(part, 1, counts)),
    }
}
