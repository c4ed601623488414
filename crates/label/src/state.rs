//! What labels an instance has, by each road it came (design: instances, sources, labels that a node assigns).
use crate::carriage::labels_itself;
use crate::name::fold;
use crate::tlp;
use crate::{Label, Markings, Meaning, Policies, ReaderNo, Role, Validity};
use serde::{Deserialize, Serialize};
use stix::{Id, Object, id::MarkingDefinition};
use uuid::Uuid;
/// A collection's number in the store.
pub type CollectionNo = u32;
/// Who brought an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The node's own organisation (imports, own accounts). `account` names the own account that wrote it by POST.
    Own {
        /// The account, if it was not the operator.
        account: Option<String>,
    },
    /// A partner's account on this node, by POST.
    Partner {
        /// The agreement's partner name.
        partner: String,
        /// The account.
        account: String,
    },
    /// Pulled from a peer node.
    Peer {
        /// The peer's name.
        peer: String,
    },
}
/// An organisation that brings objects, whatever account or road of it (a partner's accounts and a peer of the same name are two parties: nothing
/// says that they are one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party<'a> {
    /// The node's own organisation.
    Own,
    /// A partner, by its accounts on this node.
    Partner(&'a str),
    /// A peer, by pulls.
    Peer(&'a str),
}
impl Origin {
    /// The organisation behind it.
    pub fn party(&self) -> Party<'_> {
        match self {
            Self::Own { .. } => Party::Own,
            Self::Partner { partner, .. } => Party::Partner(partner),
            Self::Peer { peer } => Party::Peer(peer),
        }
    }
}
/// A label that the node put on (or, by a relabel, in place of) what the object carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assigned {
    /// Nothing assigned: the object's own markings are its label.
    None,
    /// The object carried no label; these markings were assigned at the door (L-005).
    AtDoor {
        /// Catalogue markings, sorted.
        markings: Vec<Id<MarkingDefinition>>,
    },
    /// A relabel by the originator or by the node: these count instead of everything carried or assigned before.
    Relabelled {
        /// Catalogue markings, sorted.
        markings: Vec<Id<MarkingDefinition>>,
    },
    /// A peer told what label it had assigned: these count in addition to what is carried.
    ByPeer {
        /// Markings, sorted.
        markings: Vec<Id<MarkingDefinition>>,
    },
}
/// Why a chain cannot be decided yet: it is quarantined, visible to its contributor alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unresolved {
    /// A marking that is not held, or not from anyone who may define it for this object.
    UnknownMarking {
        /// The first such marking.
        marking: Id<MarkingDefinition>,
    },
    /// No label carried, and neither a label nor a default was assigned.
    Unlabelled,
    /// On the object as a whole more than one label marking of the same policy and role, `tlp:unclear`, or a label that its policy finds invalid.
    Contradictory {
        /// Why, e.g. `label:required-category`.
        why: String,
    },
    /// A marking definition whose id is not derived from its label (L-121), or a well-known id with another body.
    ForgedMarking,
}
/// Two persons let a partner have what came by an own road, whatever its labels say of that partner, for a time (L-157).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Override {
    /// Names the act that they signed.
    pub act: Uuid,
    /// For which partner.
    pub partner: String,
    /// The first microsecond since 1970 at which it is over.
    pub until: i64,
    /// The keys by which the two signed, as [`Trust::officer`](crate::Trust::officer) is told them. It counts only while both are known, and are two.
    pub officers: [String; 2],
}
/// One road by which an instance came into one collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Chain {
    /// The collection it came into.
    pub collection: CollectionNo,
    /// Who brought it.
    pub origin: Origin,
    /// `object_marking_refs` and granular marking refs, sorted, no duplicates. For a label or TLP marking-definition object: its own id too (it is labelled by itself).
    pub carried: Vec<Id<MarkingDefinition>>,
    /// What the node did about it.
    pub assigned: Assigned,
    /// Set while the chain is quarantined.
    pub unresolved: Option<Unresolved>,
    /// Whoever brought it may speak for its creator: the agreement with it lists that identity by name, or, for an own road, the node's file does (I4).
    /// Between instances of one id it goes before others; and the addressees that it names are those of the creator (L-140).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vouched: bool,
    /// The readers for whom the node made the instance, sorted: a redacted copy, or the marking definition of one (L-124). By this road nobody else has
    /// it, whatever its label permits. `None` for everything that was not made for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_for: Option<Vec<ReaderNo>>,
    /// The object asks not to be attributed (`tlp:ex:chr`, L-143): others than its own party get it as a redacted copy or not at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattributed: bool,
    /// A part of it, and not the whole, bears a dissemination marking: whom that addresses may have the part, so the whole is addressed to nobody (L-132).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partly_addressed: bool,
    /// Overrides of its labels, sorted (L-157). They count on own roads alone. A relabel drops them: the persons saw other labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}
/// For whose objects a road of a marking definition defines the marking; see [`Chain::defines`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defines<'a> {
    /// For nobody's: it waits in the quarantine.
    Nobodys,
    /// For those of one party.
    Of(Party<'a>),
    /// For everybody's.
    Everybodys,
}
/// All roads of one instance, sorted. The store interns equal states by [`LabelState::canonical`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct LabelState {
    chains: Vec<Chain>,
}
impl LabelState {
    /// From chains in any order; equal chains are kept once.
    pub fn new(mut chains: Vec<Chain>) -> Self {
        chains.sort();
        chains.dedup();
        Self { chains }
    }
    /// The chains, sorted.
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }
    /// Canonical bytes (JSON, RFC 8785) by which equal states are found.
    pub fn canonical(&self) -> Vec<u8> {
        // Writing plain structs to a value cannot fail; were it to, the empty text is no state and `from_canonical` refuses it.
        serde_json::to_value(self).map(|v| stix::canonical::canonicalise_value(&v)).unwrap_or_default()
    }

    /// The reverse of [`Self::canonical`]; `None` for anything that it did not write.
    pub fn from_canonical(bytes: &[u8]) -> Option<Self> {
        let state: Self = serde_json::from_slice(bytes).ok()?;
        let state = Self::new(state.chains);
        (state.canonical() == bytes).then_some(state)
    }
}

/// Tells what chain an object from `origin` makes in `collection` (stage 3 of its life).
///
/// `default` is what the importer or the collection assigns if the object carries no label (neither an originator label nor a TLP marking; statement
/// markings, obligations and dissemination markings alone are no label, L-005, L-133). `by_peer` are markings that a peer says it assigned; they count
/// in addition.
///
/// Alternative labels, where the object and its parts bear no other, are a label if whoever brought them is one whose alternatives count (L-104), as on
/// redacted copies for readers who may not know of the originator's policy (L-126), and then no default, which could be weaker, stands beside them. Everybody
/// else's are kept and label nothing.
///
/// Granular markings count like object markings: whoever does not pass all of them does not get it whole (L-123); but a part's label is not the object's, so
/// an object that has no other is unlabelled, and one of the object's policy beside it is no contradiction. A marking definition that defines a
/// label, or a genuine well-known TLP, is labelled by itself.
pub fn resolve(
    object: &Object,
    markings: &Markings,
    policies: &Policies,
    collection: CollectionNo,
    origin: &Origin,
    default: &[Id<MarkingDefinition>],
    by_peer: &[Id<MarkingDefinition>],
) -> Chain {
    let view = object.view();
    let (itself, forged) = match labels_itself(object) {
        Ok(itself) => (itself, None),
        Err(why) => (None, Some(why)),
    };
    let granular = view.granular.iter().filter_map(|g| g.marking_ref);
    let whole = sorted(view.markings.iter().copied().chain(itself));
    let carried = sorted(whole.iter().copied().chain(granular));
    // Only a label marks itself: anything else that says so would pass for one.
    let of_itself = itself.is_none() && carried.iter().any(|id| id.any() == *object.id());
    let of_itself = of_itself.then(|| Unresolved::Contradictory { why: "marking:of-itself".into() });
    let own_label = itself.and_then(|id| crate::carriage::label_of(object, &id));
    let meaning = |id: &Id<MarkingDefinition>| match &own_label {
        Some(label) if itself == Some(*id) => Some(label),
        _ => markings.meaning_in(id, origin, collection),
    };
    // By what it carries itself: what is put on the whole beside it does not make a part's marking its creator's word about the whole.
    let of_part = |id: &&Id<MarkingDefinition>| whole.binary_search(id).is_err();
    let addresses = |id: &Id<MarkingDefinition>| matches!(meaning(id), Some(Meaning::Dissemination(_)));
    let partly_addressed = carried.iter().filter(of_part).any(addresses);
    // An alternative labels the definition that carries it, and, of a maker that counts, what has no other label (L-104).
    let labels_it = |id: &Id<MarkingDefinition>, counts: bool| match meaning(id) {
        Some(Meaning::Label(label)) => match label.role() {
            Role::Originator => true,
            role => itself == Some(*id) || (counts && role == Role::Alternative),
        },
        Some(Meaning::Tlp(_)) => true,
        _ => false,
    };
    let role = |id: &Id<MarkingDefinition>| match meaning(id) {
        Some(Meaning::Label(label)) => Some(label.role()),
        _ => None,
    };
    // Beside a part's label they would stand for that, as if it were the object's.
    let other = |id: &Id<MarkingDefinition>| role(id).is_some_and(|role| role != Role::Alternative);
    let counts = policies.trust.counts_alternatives_of(origin) && !carried.iter().chain(by_peer).any(other);
    // What is chosen for own material is its owner's word, and stands beside its alternatives.
    let instead = counts && origin.party() != Party::Own;
    let assigned = if !by_peer.is_empty() {
        Assigned::ByPeer { markings: sorted(by_peer.iter().copied()) }
    } else if whole.iter().any(|id| labels_it(id, instead)) || default.is_empty() {
        Assigned::None
    } else {
        Assigned::AtDoor { markings: sorted(default.iter().copied()) }
    };
    let all = sorted(carried.iter().chain(assigned.markings()).copied());
    let whole = sorted(whole.iter().chain(assigned.markings()).copied());
    let unknown = all.iter().find(|id| meaning(id).is_none()).map(|id| Unresolved::UnknownMarking { marking: *id });
    let labels = all.iter().filter_map(|id| match meaning(id) {
        Some(Meaning::Label(label)) => Some((&**label, whole.binary_search(id).is_ok())),
        _ => None,
    });
    let unlabelled = (!whole.iter().any(|id| labels_it(id, counts))).then_some(Unresolved::Unlabelled);
    // With one other label alternatives stand for that one (L-104). Unless both are of the whole, they would open what it closes.
    let (others, beside): (Vec<_>, Vec<_>) = all.iter().filter(|id| role(id).is_some()).partition(|id| other(id));
    let of_parts = others.iter().chain(&beside).any(|id| whole.binary_search(id).is_err());
    let stray = others.len() == 1 && !beside.is_empty() && of_parts;
    let stray = stray.then(|| Unresolved::Contradictory { why: "label:alternative".into() });
    let asks = tlp::asks(object);
    let unclear = asks.unclear.then(|| Unresolved::Contradictory { why: "tlp:unclear".into() });
    let contradiction = || contradiction(labels, policies);
    let unresolved = forged.or(of_itself).or(unknown).or_else(contradiction).or(unclear).or(unlabelled).or(stray);
    let chain = Chain::new(collection, origin.clone(), carried, assigned);
    Chain { unresolved, unattributed: asks.not_attributed, partly_addressed, ..chain }
}

/// Why what came over a link with policy files of its own waits: it bears a label that they do not hold, and such a label is not exchanged there
/// (L-057). What the node itself assigned was not exchanged.
pub fn off_link(chain: &Chain, markings: &Markings, link: &Policies) -> Option<Unresolved> {
    let told: &[Id<MarkingDefinition>] = match &chain.assigned {
        Assigned::ByPeer { markings } => markings,
        _ => &[],
    };
    let held = |label: &Label| {
        let policy = link.find(label.policy_name(), label.policy_oid());
        policy.is_some_and(|p| p.check(label, Validity::Old, None).is_ok())
    };
    let off = |id: &Id<MarkingDefinition>| match markings.meaning_in(id, &chain.origin, chain.collection) {
        Some(Meaning::Label(label)) => !held(label),
        _ => false,
    };
    let any = chain.carried.iter().chain(told).any(off);
    any.then(|| Unresolved::Contradictory { why: "label:link".into() })
}

/// On the whole object two labels of one policy and role, or anywhere a label that its policy finds invalid. A policy that is not held is no
/// contradiction: the decision withholds until it is.
fn contradiction<'a>(labels: impl Iterator<Item = (&'a Label, bool)>, policies: &Policies) -> Option<Unresolved> {
    let mut seen: Vec<(String, Role)> = Vec::new();
    for (label, on_whole) in labels {
        let policy = policies.find(label.policy_name(), label.policy_oid());
        if let Some(Err(why)) = policy.map(|p| p.check(label, Validity::Old, None)) {
            return Some(Unresolved::Contradictory { why: format!("label:{why}") });
        }
        if !on_whole {
            continue;
        }
        let name = policy.map_or_else(
            || label.policy_oid().map_or_else(|| fold(label.policy_name()), ToOwned::to_owned),
            |p| p.oid().to_owned(),
        );
        let key = (name, label.role());
        if seen.contains(&key) {
            return Some(Unresolved::Contradictory { why: "label:two-of-one-policy".into() });
        }
        seen.push(key);
    }
    None
}

fn sorted(ids: impl Iterator<Item = Id<MarkingDefinition>>) -> Vec<Id<MarkingDefinition>> {
    let mut sorted: Vec<_> = ids.collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

impl Assigned {
    /// The markings assigned, none for [`Assigned::None`].
    pub fn markings(&self) -> &[Id<MarkingDefinition>] {
        match self {
            Self::None => &[],
            Self::AtDoor { markings } | Self::Relabelled { markings } | Self::ByPeer { markings } => markings,
        }
    }
}

impl Chain {
    /// A road with these markings, of which nothing else is known.
    pub fn new(
        collection: CollectionNo,
        origin: Origin,
        carried: impl IntoIterator<Item = Id<MarkingDefinition>>,
        assigned: Assigned,
    ) -> Self {
        Self {
            collection,
            origin,
            carried: sorted(carried.into_iter()),
            assigned,
            unresolved: None,
            vouched: false,
            made_for: None,
            unattributed: false,
            partly_addressed: false,
            overrides: Vec::new(),
        }
    }

    /// The same road with one more override (L-157).
    #[must_use]
    pub fn overridden(&self, by: Override) -> Self {
        let mut chain = self.clone();
        chain.overrides.push(by);
        chain.overrides.sort();
        chain
    }

    /// The same road without any override.
    #[must_use]
    pub fn without_overrides(&self) -> Self {
        Self { overrides: Vec::new(), ..self.clone() }
    }

    /// The same road without the override of an act; the road itself if it has none.
    #[must_use]
    pub fn without_override(&self, act: Uuid) -> Self {
        let mut chain = self.clone();
        chain.overrides.retain(|o| o.act != act);
        chain
    }

    /// The markings that count (rule 1), sorted: a relabel replaces what is carried, everything else adds to it.
    pub fn effective(&self) -> Vec<Id<MarkingDefinition>> {
        let carried: &[Id<MarkingDefinition>] =
            if matches!(self.assigned, Assigned::Relabelled { .. }) { &[] } else { &self.carried };
        sorted(carried.iter().chain(self.assigned.markings()).copied())
    }

    /// For whose objects this road of the marking definition `id` counts (L-122): a label vouches for itself, the own organisation's definitions count
    /// for all who did not define the id themselves, any other's for its own objects.
    pub fn defines(&self, id: &Id<MarkingDefinition>) -> Defines<'_> {
        if self.unresolved.is_some() {
            Defines::Nobodys
        } else if self.carried.contains(id) || self.origin.party() == Party::Own {
            Defines::Everybodys
        } else {
            Defines::Of(self.origin.party())
        }
    }
}
