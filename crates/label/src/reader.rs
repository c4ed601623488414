//! Who would receive.
use crate::{Chain, Clearance, CollectionNo, Label, LabelState, Origin, Policies, Tlp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;
use stix::{Id, Timestamp, id::Identity};

/// A reader's number in the store, dense from 0; the bit in [`crate::Bits`].
pub type ReaderNo = u32;

/// Which object types an agreement covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kinds {
    /// Every type.
    All,
    /// These only.
    Only(BTreeSet<String>),
}

impl Kinds {
    /// Whether objects of this type are covered.
    pub fn covers(&self, type_name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(types) => types.contains(type_name),
        }
    }
}

/// One account as a recipient: what its agreement and the operator's files give it. Built by the node from files, never from what the reader says (L-084).
#[derive(Debug, Clone)]
pub struct Reader {
    /// Number.
    pub no: ReaderNo,
    /// Account name.
    pub account: String,
    /// The partner whose account it is; `None` for the node's own organisation.
    pub partner: Option<String>,
    /// Clearances, at most one a policy. Two for one policy count as none: nobody meant that.
    pub clearances: Vec<Clearance>,
    /// TLP levels that this node's organisation addresses to it. CLEAR passes everyone, listed or not; RED never counts (L-141).
    pub tlp: Vec<Tlp>,
    /// Collections covered, each with the object types covered there (rule 3).
    pub collections: BTreeMap<CollectionNo, Kinds>,
    /// Start of the agreement; this instant belongs to it.
    pub from: Option<Timestamp>,
    /// End of the agreement; at this instant it is over.
    pub until: Option<Timestamp>,
    /// The agreement says `redaction = "allowed"`: of an own object that it may not have whole it may get a redacted copy (L-123).
    pub redaction: bool,
    /// The link to it.
    pub link: Link,
}

/// What an agreement says about the link to a reader, beside clearances and collections.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// Identities of its organisation: as these it is addressed (L-132, L-140).
    pub identities: BTreeSet<Id<Identity>>,
    /// It is a client of this node's organisation, in the sense of TLP (L-140).
    pub client: bool,
    /// Communities that it belongs to, as dissemination markings name them (L-132).
    pub communities: BTreeSet<String>,
    /// The policy files that count on this link, beside those of the node: what they do not hold is not exchanged there (L-057). `None`: the node's
    /// alone count.
    pub policies: Option<Arc<Policies>>,
    /// The agreement says `foreign_alternatives = "remove"`: it is shown no label, and no alternative in one, of a policy in which it has no clearance
    /// (L-107, L-126). Where redaction is allowed it gets a copy with what is left.
    pub no_foreign_labels: bool,
}

impl Reader {
    /// Whether `origin` is this reader itself (account for account). A pull has no account, so a peer is never the contributor of what was
    /// pulled from it.
    pub fn is(&self, origin: &Origin) -> bool {
        match (origin, &self.partner) {
            (Origin::Own { account: Some(account) }, None) => *account == self.account,
            (Origin::Partner { partner, account }, Some(own)) => partner == own && *account == self.account,
            _ => false,
        }
    }

    /// Whether it has a clearance in the policy of a label.
    pub(crate) fn is_cleared_in(&self, policies: &Policies, label: &Label) -> bool {
        let policy = policies.find(label.policy_name(), label.policy_oid());
        policy.is_some_and(|p| self.clearances.iter().any(|c| c.policy_oid() == p.oid()))
    }

    /// Whether neither a label nor an alternative or a successor in it tells of a policy in which it has no clearance (L-107, L-126).
    pub(crate) fn may_read(&self, policies: &Policies, label: &Label) -> bool {
        let cleared = |l: &Label| self.is_cleared_in(policies, l);
        let successor = label.succession().map(|(_, next)| next);
        cleared(label)
            && label.parts().alternatives.iter().all(cleared)
            && successor.is_none_or(|next| self.may_read(policies, next))
    }

    /// Whether `origin` is this reader's own organisation or partner, whatever account: the material is its own.
    pub(crate) fn owns(&self, origin: &Origin) -> bool {
        match (origin, &self.partner) {
            (Origin::Own { .. }, None) => true,
            (Origin::Partner { partner, .. }, Some(own)) => partner == own,
            (Origin::Peer { peer }, Some(own)) => peer == own,
            _ => false,
        }
    }

    /// All that a decision sees of it beside its names, which are its number, its account and its partner.
    fn terms(&self) -> impl Eq + Hash {
        let Self { no: _, account: _, partner, clearances, tlp, collections, from, until, redaction, link } = self;
        let Link { identities, client, communities, policies, no_foreign_labels } = link;
        let link = (identities, client, communities, policies.as_ref().map(Arc::as_ptr), no_foreign_labels);
        (partner.is_none(), clearances, tlp, collections, from, until, redaction, link)
    }

    /// Whether a road speaks of this very reader: whoever brought it, for whom it was made, whom an override is for.
    pub(crate) fn is_named_by(&self, state: &LabelState) -> bool {
        let by = |chain: &Chain| {
            self.is(&chain.origin)
                || (self.partner.is_some() && self.owns(&chain.origin))
                || chain.made_for.as_ref().is_some_and(|readers| readers.contains(&self.no))
                || chain.overrides.iter().any(|o| self.partner.as_ref() == Some(&o.partner))
        };
        state.chains().iter().any(by)
    }
}

/// Readers, of whom those that differ in their names alone are one class: what names none of them is decided once for all (L-092).
#[derive(Debug, Clone, Default)]
pub struct Readers {
    list: Vec<Reader>,
    /// By place in the list; each has at least one.
    classes: Vec<Vec<usize>>,
}

impl Readers {
    /// Puts them in classes.
    pub fn new(list: Vec<Reader>) -> Self {
        let mut classes: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, reader) in list.iter().enumerate() {
            classes.entry(reader.terms()).or_default().push(place);
        }
        let classes = classes.into_values().collect();
        Self { list, classes }
    }

    /// The readers of each class.
    pub(crate) fn classes(&self) -> impl Iterator<Item = impl Iterator<Item = &Reader>> {
        self.classes.iter().map(|places| places.iter().filter_map(|place| self.list.get(*place)))
    }
}

impl Deref for Readers {
    type Target = [Reader];
    fn deref(&self) -> &[Reader] {
        &self.list
    }
}
