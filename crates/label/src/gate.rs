//! The gate. Only [`Authority::release`] makes a [`Released`] of an object, and [`release_notice`] one of what is said about an object that was taken back.
use crate::{Authority, Chain, CollectionNo, Decision, LabelState, Reader, Reason, Tlp};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
/// What the store says beside the label; checked again here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Type name of the object.
    pub type_name: Arc<str>,
    /// The collection of the line through which it would leave; must be one the reader's agreement covers, and a chain into it must permit.
    pub collection: CollectionNo,
    /// Identifiers in the object that no instance visible to this reader answers to (L-127), after exempting well-known TLP ids, the object's own id and, in a collection with open references, those of need `Optional`. Must be empty unless the reader brought the object itself.
    pub unknown_references: u32,
}
/// An object with its label state, not yet decided. Private fields.
pub struct Labelled<T> {
    object: T,
    state: Arc<LabelState>,
    evidence: Evidence,
}
impl<T> std::fmt::Debug for Labelled<T> {
    /// The object stays closed in logs and panics too (I1).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Labelled").field("state", &self.state).field("evidence", &self.evidence).finish_non_exhaustive()
    }
}
impl<T> Labelled<T> {
    /// Pairs an object with its state.
    pub fn new(object: T, state: Arc<LabelState>, evidence: Evidence) -> Self {
        Self { object, state, evidence }
    }
    /// Another view of the same object, before the gate (there is no such thing after it).
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Labelled<U> {
        Labelled { object: f(self.object), state: self.state, evidence: self.evidence }
    }
    /// The evidence, for explanations.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}
/// An object this reader may have. No constructor but the gate, no `Deserialize`, no public field.
pub struct Released<T> {
    object: T,
    to: crate::ReaderNo,
    added: Arc<[stix::Id<stix::id::MarkingDefinition>]>,
    tlp: Option<Tlp>,
    /// The state and the number of the road that permitted it; none of a notice.
    road: Option<(Arc<LabelState>, usize)>,
}
impl<T> std::fmt::Debug for Released<T> {
    /// Not the object: a log line is a way out of its own (L-151).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Released").field("to", &self.to).field("added", &self.added).finish_non_exhaustive()
    }
}
impl<T> Released<T> {
    /// The object.
    pub fn object(&self) -> &T {
        &self.object
    }
    /// The reader it was released to.
    pub fn to(&self) -> crate::ReaderNo {
        self.to
    }
    /// Markings that the node assigned: what the encoder adds to `object_marking_refs` (the listed exception to I3).
    pub fn assigned(&self) -> &[stix::Id<stix::id::MarkingDefinition>] {
        &self.added
    }
    /// The TLP that stands for its labels where a tool knows none (L-129, L-147); what the object carries itself is not repeated. For accounts whose
    /// settings ask for it, never for peers, and never instead of the labels.
    pub fn tlp(&self) -> Option<Tlp> {
        self.tlp
    }
    /// The road that permitted it.
    pub(crate) fn road(&self) -> Option<&Chain> {
        self.road.as_ref().and_then(|(state, chain)| state.chains().get(*chain))
    }
}
/// What may be said of an object that was taken back from a reader that had been given it: which one, and why; nothing of what it says.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The reader that has a receipt for what is named. Labels do not count for a notice: they withhold the object by now, and its name the reader has had.
    pub received_by: crate::ReaderNo,
    /// UUID of the notice itself.
    pub uuid: Uuid,
    /// Who says it.
    pub by: stix::Id<stix::id::Identity>,
    /// Identifier of the object.
    pub object: String,
    /// Its version as spelled; `None` for what has none.
    pub version: Option<String>,
    /// SHA-256 of its canonical form.
    pub digest: stix::Digest,
    /// The collection through which it was given.
    pub collection: Uuid,
    /// Class of the reason.
    pub reason: &'static str,
    /// When it was taken back, as the reader is told; microseconds since 1970.
    pub at: i64,
}
/// Lets a notice out to the reader that was given what it names, and to nobody else (L-153). What leaves is made of the notice alone.
///
/// # Errors
/// It names what another reader was given.
pub fn release_notice<T: for<'n> From<&'n Notice>>(notice: &Notice, to: &Reader) -> Result<Released<T>, Withheld> {
    if notice.received_by != to.no {
        return Err(Withheld { reason: Reason::Agreement });
    }
    Ok(made(T::from(notice), to, Arc::default(), None, None))
}
/// The one place where a [`Released`] is made.
fn made<T>(
    object: T,
    to: &Reader,
    added: Arc<[stix::Id<stix::id::MarkingDefinition>]>,
    tlp: Option<Tlp>,
    road: Option<(Arc<LabelState>, usize)>,
) -> Released<T> {
    Released { object, to: to.no, added, tlp, road }
}
/// Refused. Carries the reason for audit only; never shown to the reader (L-131).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Why.
    pub reason: Reason,
}
impl Authority<'_> {
    /// All five rules of 6.1, then the one constructor of [`Released`].
    ///
    /// # Errors
    /// The reason, for audit only.
    pub fn release<T>(&self, item: Labelled<T>, to: &Reader) -> Result<Released<T>, Withheld> {
        let judged = self.judge(&item, to);
        admit(item, to, &judged)
    }

    /// The same for a page; decisions are remembered per (state, type, collection) within the call.
    pub fn release_all<T>(&self, items: Vec<Labelled<T>>, to: &Reader) -> Vec<Result<Released<T>, Withheld>> {
        let mut known: HashMap<(*const LabelState, Arc<str>, CollectionNo), Judged> = HashMap::new();
        items
            .into_iter()
            .map(|item| {
                let key = (Arc::as_ptr(&item.state), Arc::clone(&item.evidence.type_name), item.evidence.collection);
                let judged = known.entry(key).or_insert_with(|| self.judge(&item, to));
                admit(item, to, judged)
            })
            .collect()
    }

    /// The decision for an item, with what follows from it.
    fn judge<T>(&self, item: &Labelled<T>, to: &Reader) -> Judged {
        let Labelled { state, evidence, .. } = item;
        let (decision, tlp) = self.decide_with_tlp(evidence.collection, state, &evidence.type_name, to);
        let road = match &decision {
            // A contributor sees what it brought as it brought it: a label that was assigned here is not told to it.
            Decision::Release { chain, contributed: false } => state.chains().get(*chain),
            _ => None,
        };
        let added = road.into_iter().flat_map(|r| r.assigned.markings().iter().filter(|id| !r.carried.contains(id)));
        Judged {
            decision,
            added: added.copied().collect(),
            tlp: tlp.filter(|_| road.is_some()),
            _state: Arc::clone(state),
        }
    }
}

/// A decision of this page, with the markings that the encoder adds. The state is kept beside it, so that its address cannot come to mean another state
/// meanwhile.
struct Judged {
    decision: Decision,
    added: Arc<[stix::Id<stix::id::MarkingDefinition>]>,
    tlp: Option<Tlp>,
    _state: Arc<LabelState>,
}

/// Lets an object out. The decision must be the one for this item's line, state and type and this reader; what can be
/// checked again without it is.
fn admit<T>(item: Labelled<T>, to: &Reader, judged: &Judged) -> Result<Released<T>, Withheld> {
    let Labelled { object, state, evidence } = item;
    let refuse = |reason: Reason| Err(Withheld { reason });
    let (chain, contributed) = match &judged.decision {
        Decision::Release { chain, contributed } => (*chain, *contributed),
        Decision::Withhold(reason) => return refuse(reason.clone()),
    };
    let Some(road) = state.chains().get(chain) else { return refuse(Reason::Agreement) };
    if road.collection != evidence.collection || !to.collections.contains_key(&evidence.collection) {
        return refuse(Reason::Agreement);
    }
    if evidence.unknown_references != 0 && !contributed {
        return refuse(Reason::Reference);
    }
    Ok(made(object, to, Arc::clone(&judged.added), judged.tlp, Some((state, chain))))
}
