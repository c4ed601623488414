//! Who was addressed, and what they may do next: the dissemination marking (L-132, L-133) and the rule for hubs (L-140).
//!
//! It only narrows, but for one thing: with the addressees of whoever speaks for the creator, a hub may give on what it would otherwise keep.
use crate::confidentiality_label::DERIVED_IDS;
use crate::{Origin, Reader, Tlp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use stix::{Id, id::Identity};
use uuid::Uuid;

/// The dissemination extension (L-120).
pub const DISSEMINATION_EXTENSION: &str = "extension-definition--f3a97da5-91d4-4044-a416-2d8fa21ded2c";
/// Most addressees, and most members of a sharing group, of one marking; a marking with more is not understood.
pub const ADDRESSEES_MAX: usize = 4_096;
/// The `created` of every dissemination marking that is made here, as those of TLP have one of their own: no moment of making it is told.
const DEFINED: &str = "2026-01-01T00:00:00.000Z";
/// Longest name of a community, in bytes.
const COMMUNITY_BYTES_MAX: usize = 256;

/// What a recipient may do next, strictest first (L-132). The levels of TLP say the same of their recipients (section 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Onward {
    /// Nothing: it is for named persons, and so never leaves by poll (L-141).
    #[default]
    None,
    /// It stays in the organisation.
    Organisation,
    /// The organisation and its clients.
    Clients,
    /// A community.
    Community,
    /// Anybody.
    Any,
}

impl Onward {
    const WORDS: [(&'static str, Self); 5] = [
        ("none", Self::None),
        ("organisation", Self::Organisation),
        ("clients", Self::Clients),
        ("community", Self::Community),
        ("any", Self::Any),
    ];

    /// What a TLP allows its recipients.
    pub fn of(level: Tlp) -> Self {
        match level {
            Tlp::Clear => Self::Any,
            Tlp::Green => Self::Community,
            Tlp::Amber => Self::Clients,
            Tlp::AmberStrict => Self::Organisation,
            Tlp::Red => Self::None,
        }
    }

    /// The word of the marking.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, o)| *o == self).map_or("none", |(word, _)| word)
    }

    /// The TLP that says the same.
    pub fn tlp(self) -> Tlp {
        match self {
            Self::Any => Tlp::Clear,
            Self::Community => Tlp::Green,
            Self::Clients => Tlp::Amber,
            Self::Organisation => Tlp::AmberStrict,
            Self::None => Tlp::Red,
        }
    }
}

/// One dissemination marking, or several combined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissemination {
    /// Who was addressed; none given is no restriction, an empty list is nobody.
    addressees: Option<BTreeSet<Id<Identity>>>,
    onward: Onward,
    /// Every one of them counts: a reader of the community belongs to all.
    communities: BTreeSet<String>,
    /// Organisations of the sharing group, by the identifiers that MISP gives them.
    members: Option<BTreeSet<Uuid>>,
    no_attribution: bool,
}

impl Dissemination {
    /// Reads the extension. `None` for anything that is not understood whole: what is not understood might restrict.
    pub(crate) fn read(extension: &Map<String, Value>) -> Option<Self> {
        const KNOWN: [&str; 6] =
            ["extension_type", "addressees", "onward", "community", "sharing_group", "no_attribution"];
        if extension.keys().any(|k| !KNOWN.contains(&k.as_str()))
            || extension.get("extension_type").and_then(Value::as_str) != Some("property-extension")
        {
            return None;
        }
        let onward = match extension.get("onward") {
            None => Onward::None,
            Some(word) => Onward::WORDS.iter().find(|(w, _)| word == w)?.1,
        };
        let community = match extension.get("community") {
            None => None,
            Some(c) => Some(c.as_str().filter(|c| !c.is_empty() && c.len() <= COMMUNITY_BYTES_MAX)?.to_owned()),
        };
        let no_attribution = match extension.get("no_attribution") {
            None => false,
            Some(flag) => flag.as_bool()?,
        };
        let addressees = match extension.get("addressees") {
            None => None,
            Some(list) => Some(all(list, |s| s.parse().ok())?),
        };
        let members = match extension.get("sharing_group") {
            None => None,
            Some(group) => Some(members(group.as_object()?)?),
        };
        Some(Self { addressees, onward, communities: community.into_iter().collect(), members, no_attribution })
    }

    /// Both at once: addressees and sharing groups intersect, `onward` takes the strictest, `no_attribution` counts if any part says so (L-132, L-099).
    #[must_use]
    pub fn combine(&self, other: &Self) -> Self {
        Self {
            addressees: intersect(self.addressees.as_ref(), other.addressees.as_ref()),
            onward: self.onward.min(other.onward),
            communities: self.communities.union(&other.communities).cloned().collect(),
            members: intersect(self.members.as_ref(), other.members.as_ref()),
            no_attribution: self.no_attribution || other.no_attribution,
        }
    }

    /// What recipients may do next.
    pub fn onward(&self) -> Onward {
        self.onward
    }

    /// Who was addressed; none given is no restriction, an empty list is nobody.
    pub fn addressees(&self) -> Option<&BTreeSet<Id<Identity>>> {
        self.addressees.as_ref()
    }

    /// Organisations of the sharing group, by the identifiers that MISP gives them; none given is no restriction.
    pub fn members(&self) -> Option<&BTreeSet<Uuid>> {
        self.members.as_ref()
    }

    /// Whether it leaves without attribution alone (L-143).
    pub fn is_unattributed(&self) -> bool {
        self.no_attribution
    }

    /// Whether it says who was addressed: without that, a hub keeps it to its own organisation (L-140).
    pub(crate) fn names_addressees(&self) -> bool {
        self.addressees.is_some()
    }

    /// Whether two persons may override whom it names (L-157): not what is for named persons (L-141), nor what leaves without attribution alone (L-143).
    pub(crate) fn may_be_overridden(&self) -> bool {
        self.onward != Onward::None && !self.no_attribution
    }

    /// Whether `reader` may have what bears this and these TLP levels, from this node's organisation, whose identities are `home` (L-132, L-140).
    pub(crate) fn permits(
        &self,
        reader: &Reader,
        origin: &Origin,
        levels: &[Tlp],
        home: &BTreeSet<Id<Identity>>,
    ) -> bool {
        if reader.owns(origin) {
            return true;
        }
        let onward = levels.iter().map(|l| Onward::of(*l)).fold(self.onward, Onward::min);
        let link = &reader.link;
        let member = |m: &BTreeSet<Uuid>| link.identities.iter().any(|i| m.contains(&i.uuid()));
        let outside = reader.partner.is_some();
        // Only a copy without attribution could leave (L-143), and this is no copy.
        if onward == Onward::None || !self.members.as_ref().is_none_or(member) || (outside && self.no_attribution) {
            return false;
        }
        let own = matches!(origin, Origin::Own { .. });
        let of_community = !self.communities.is_empty() && self.communities.is_subset(&link.communities);
        let next = || match onward {
            Onward::None | Onward::Organisation => false,
            Onward::Clients => link.client,
            Onward::Community => link.client || of_community,
            Onward::Any => true,
        };
        match &self.addressees {
            Some(named) if !named.is_disjoint(&link.identities) => true,
            // The owner gives to those whom it addresses; what these may do next is theirs to do, and so this node's if it is one of them.
            Some(named) => outside && !own && !named.is_disjoint(home) && next(),
            None if own => onward != Onward::Community || self.communities.is_empty() || of_community,
            None => !outside || next(),
        }
    }
}

/// The STIX object that carries a dissemination marking; `extension` has the members of L-132 without `extension_type`. Its id is derived from them and from
/// the name, and its date is the same for all, so that the same marking is one object, octet for octet, whoever makes it and when (S-128).
///
/// # Errors
/// One sentence, if a node would not understand it.
pub fn dissemination_definition(mut extension: Map<String, Value>, name: &str) -> Result<String, String> {
    extension.insert("extension_type".to_owned(), "property-extension".into());
    if Dissemination::read(&extension).is_none() {
        return Err("the dissemination marking is not valid: see L-132 for its members".to_owned());
    }
    let extension = Value::Object(extension);
    let derived_from = stix::canonical::canonicalise_value(&json!([name, extension]));
    let id = Uuid::new_v5(&DERIVED_IDS, &derived_from);
    Ok(json!({"type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{id}"), "created": DEFINED,
        "name": name, "extensions": {DISSEMINATION_EXTENSION: extension}})
    .to_string())
}

fn members(group: &Map<String, Value>) -> Option<BTreeSet<Uuid>> {
    // `version` pins the list that was seen, because those who extend a group may change it; the list itself counts here.
    if group.keys().any(|k| !["uuid", "version", "orgs"].contains(&k.as_str())) {
        return None;
    }
    all(group.get("orgs")?, |s| Uuid::parse_str(s).ok())
}

fn all<T: Ord>(list: &Value, read: impl Fn(&str) -> Option<T>) -> Option<BTreeSet<T>> {
    let list = list.as_array().filter(|l| l.len() <= ADDRESSEES_MAX)?;
    list.iter().map(|v| v.as_str().and_then(&read)).collect()
}

/// `None` is no restriction.
fn intersect<T: Ord + Clone>(a: Option<&BTreeSet<T>>, b: Option<&BTreeSet<T>>) -> Option<BTreeSet<T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a & b),
        (a, b) => a.or(b).cloned(),
    }
}
