//! What a line shows of one identifier: chosen among the instances that the reader may see there, by nothing else (design: instances, I1).
//!
//! The rule, in order:
//! 1. *Anchor.* The creator (`created_by_ref`) of what came by an own road; else of what a party brought that may speak for its creator; among
//!    several, or if there is none, of what the line shows of the id already; else of the earliest arrival. So an id that somebody occupied goes to
//!    the genuine object as soon as that may be seen.
//! 2. *Eligible* is what has the anchor's creator, and what the reader brought itself: nobody takes an id over by posting a newer version. If the
//!    anchor names no creator but has versions, a party that brought it stands for the creator (I4).
//! 3. *Per version* one: what the reader brought (the latest brought), else what came from a party that may speak for the creator, else by an own
//!    road, else what is shown already, else the earliest arrival. Without `modified` and `created` every arrival is a version of its own (C-013),
//!    and belongs to nobody.
//! 4. *Latest* of the id: the highest `spec_version`, then the highest version; but nothing that comes after a revoked version of the same
//!    creator (S-059, SD-06); without versions what the reader brought, else the last arrival.
//!
//! The choice is repeated until it does not change, so that choosing again, for whatever reason, changes nothing.
use super::work::Arrival;
use crate::InstanceNo;
use label::Origin;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use stix::version::{self, Version};

/// An instance of the id that the reader may see in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate<'m> {
    pub(super) no: InstanceNo,
    /// 20 or 21.
    pub(super) spec: u32,
    /// Sorts as instants do; empty if the object has neither `modified` nor `created`.
    pub(super) version: &'m str,
    /// Key of `created_by_ref`, 0 for none.
    pub(super) creator: u32,
    pub(super) revoked: bool,
    /// When it came by a chain that permits the reader.
    pub(super) arrival: Arrival,
    /// When the reader brought it last, if it did.
    pub(super) brought: Option<Arrival>,
    /// Whether it came by an own road, among those that permit the reader.
    pub(super) own: bool,
    /// Whether it came from a party that may speak for its creator, by a road that permits the reader.
    pub(super) vouched: bool,
    /// Who brought it, by chains that permit the reader.
    pub(super) parties: BTreeSet<Party<'m>>,
}

/// An organisation that brings objects: the own one, a partner or the peer of the same name.
pub(super) type Party<'m> = Option<&'m str>;

/// The organisation behind an origin.
pub(super) fn party(origin: &Origin) -> Party<'_> {
    match origin {
        Origin::Own { .. } => None,
        Origin::Partner { partner, .. } => Some(partner),
        Origin::Peer { peer } => Some(peer),
    }
}

impl Candidate<'_> {
    /// Order among versions of one id and one spec version: later is higher.
    fn rank(&self) -> (&str, Option<Arrival>, Arrival) {
        let unversioned = self.version.is_empty();
        (self.version, self.brought.filter(|_| unversioned), self.arrival)
    }

    /// Whether it may stand beside the anchor as another version of the same thing.
    fn follows(&self, anchor: &Self) -> bool {
        let unversioned = self.version.is_empty() && anchor.version.is_empty();
        unversioned
            || self.creator == anchor.creator && (self.creator != 0 || !self.parties.is_disjoint(&anchor.parties))
    }
}

/// What is shown, and whether it is the latest of the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    pub(super) no: InstanceNo,
    pub(super) latest: bool,
}

/// Rounds after which the choice must have settled: one for the anchor, one if only the reader's own are left, one to see that nothing changes.
const ROUNDS_MAX: usize = 4;

/// Chooses. `shown` tells what the line shows now.
pub(super) fn choose(candidates: &[Candidate<'_>], shown: impl Fn(InstanceNo) -> bool) -> Vec<Shown> {
    let mut current: Vec<&Candidate<'_>> = candidates.iter().filter(|c| shown(c.no)).collect();
    for _ in 0..ROUNDS_MAX {
        let next = round(candidates, &current);
        let settled = next.len() == current.len() && next.iter().zip(&current).all(|(a, b)| a.no == b.no);
        current = next;
        if settled {
            break;
        }
    }
    let latest = latest(&current).map(|c| c.no);
    current.iter().map(|c| Shown { no: c.no, latest: Some(c.no) == latest }).collect()
}

fn round<'c, 'm>(candidates: &'c [Candidate<'m>], current: &[&Candidate<'m>]) -> Vec<&'c Candidate<'m>> {
    let shown: HashSet<InstanceNo> = current.iter().map(|s| s.no).collect();
    let anchor = candidates.iter().min_by_key(|c| {
        let is = shown.contains(&c.no);
        (Reverse((c.own, c.vouched)), !is, is && c.brought.is_some(), c.arrival)
    });
    let Some(anchor) = anchor else { return Vec::new() };
    let mut versions: BTreeMap<(u32, &str, Arrival), &Candidate<'m>> = BTreeMap::new();
    for candidate in candidates.iter().filter(|c| c.follows(anchor) || c.brought.is_some()) {
        let apart = if candidate.version.is_empty() { candidate.arrival } else { 0 };
        let best = |c: &Candidate<'_>| (c.brought, c.vouched, c.own, shown.contains(&c.no), Reverse(c.arrival));
        versions
            .entry((candidate.spec, candidate.version, apart))
            .and_modify(|chosen| {
                if best(candidate) > best(chosen) {
                    *chosen = candidate;
                }
            })
            .or_insert(candidate);
    }
    let mut chosen: Vec<&Candidate<'m>> = versions.into_values().collect();
    chosen.sort_by_key(|c| c.no);
    chosen
}

/// The latest of what is shown: T-054, T-055, SD-06.
pub(super) fn latest<'c, 'm>(shown: &[&'c Candidate<'m>]) -> Option<&'c Candidate<'m>> {
    let versions = shown.iter().map(|c| Version { creator: c.creator, key: c.version, revoked: c.revoked });
    shown
        .iter()
        .copied()
        .zip(version::in_force(versions))
        .filter_map(|(c, in_force)| in_force.then_some(c))
        .max_by(|a, b| (a.spec, a.rank()).cmp(&(b.spec, b.rank())))
}

/// The earliest of what is shown (`match[version]=first`).
pub(super) fn first<'c, 'm>(shown: &[&'c Candidate<'m>]) -> Option<&'c Candidate<'m>> {
    shown.iter().copied().min_by(|a, b| a.rank().cmp(&b.rank()))
}
