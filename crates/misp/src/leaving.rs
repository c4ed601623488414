//! Audiences on their way out (labels.md section 11, L-141, L-143).
use crate::Distribution;
use label::{ADDRESSEES_MAX, Onward, Pap, Tlp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
use uuid::Uuid;

/// Name space of the identifiers of sharing groups made here: equal lists are one group.
const GROUPS: Uuid = Uuid::from_u128(0x2f6b_7a4c_9d51_5e0b_8a63_41c7_d9e2_0f18);

/// Who may have it, as `label` decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everybody, also whom nobody knows.
    Everyone,
    /// These organisations; the own one among them or not.
    Organisations(BTreeSet<Uuid>),
}

/// What leaves.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<'a> {
    /// Who may have it.
    pub audience: &'a Audience,
    /// Every agreement partner.
    pub partners: &'a BTreeSet<Uuid>,
    /// The own organisation.
    pub own: Uuid,
    /// What a dissemination marking says its recipients may do next; none says nothing.
    pub onward: Option<Onward>,
    /// Whether it leaves without attribution alone (L-143).
    pub unattributed: bool,
    /// The TLP under which tools that know no labels get it (L-147).
    pub tlp: Tlp,
    /// The highest PAP.
    pub pap: Option<Pap>,
    /// The text of the marking, for people.
    pub marking: &'a str,
    /// Tags that say the same as its label (`[[tag]]`).
    pub tags: &'a [String],
}

/// How MISP is to share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The distribution of the event; its attributes inherit it.
    pub distribution: Distribution,
    /// The sharing group, for level 4: explicit organisations, no roaming, nobody may extend it.
    pub sharing_group: Option<Value>,
    /// Tags for the event.
    pub tags: Vec<String>,
    /// What is lost, one sentence each.
    pub notes: Vec<String>,
}

/// Why it may not go to a MISP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is for named persons: never by a feed or a synchronisation (L-141).
    NamedPersons,
    /// Only a redacted copy may leave (L-143).
    Attribution,
    /// Nobody may have it.
    Nobody,
    /// Everybody may have it, and its TLP says otherwise.
    Contradiction(Tlp),
    /// More organisations than a sharing group may list here.
    TooMany,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamedPersons => f.write_str("it is for named persons, and so in no MISP that others read"),
            Self::Attribution => f.write_str("it leaves without attribution alone, as a redacted copy"),
            Self::Nobody => f.write_str("nobody may have it"),
            Self::Contradiction(level) => write!(f, "everybody may have it, but it is {level}"),
            Self::TooMany => write!(f, "more than {ADDRESSEES_MAX} organisations may have it"),
        }
    }
}

/// The distribution for an audience: never a wider one. Distribution 1 is never produced.
///
/// # Errors
/// Why it may not go to a MISP.
pub fn leaving(what: &Leaving<'_>) -> Result<Outgoing, Refused> {
    let tlp = what.onward.map_or(what.tlp, |onward| what.tlp.max(onward.tlp()));
    if tlp == Tlp::Red {
        return Err(Refused::NamedPersons);
    }
    if what.unattributed {
        return Err(Refused::Attribution);
    }
    let mut tags = vec![format!("tlp:{}", tlp.name().to_ascii_lowercase())];
    tags.extend(what.pap.map(|level| format!("PAP:{}", level.name())));
    tags.extend(what.tags.iter().cloned());
    let mut notes =
        vec!["MISP knows no clearances: the level and the categories of the label are text there".to_owned()];
    let (distribution, sharing_group) = match what.audience {
        Audience::Everyone if tlp > Tlp::Green => return Err(Refused::Contradiction(tlp)),
        Audience::Everyone => (Distribution::All, None),
        Audience::Organisations(orgs) => {
            if orgs.is_empty() {
                return Err(Refused::Nobody);
            }
            let all = orgs | &BTreeSet::from([what.own]);
            let others = &all - &BTreeSet::from([what.own]);
            // The label's marking says so, and its TLP does not say otherwise.
            let hop = what.onward.is_some() && tlp <= Tlp::Green;
            if others.is_empty() {
                (Distribution::OwnOrganisation, None)
            } else if hop && !what.partners.is_empty() && what.partners.is_subset(&others) {
                notes.push("who is connected with the partners' instances is not known here".to_owned());
                (Distribution::Connected, None)
            } else if all.len() > ADDRESSEES_MAX {
                return Err(Refused::TooMany);
            } else {
                (Distribution::SharingGroup, Some(group(what, &all)))
            }
        }
    };
    if distribution == Distribution::SharingGroup {
        notes.push("what its organisations may do next is in the TLP alone".to_owned());
    }
    Ok(Outgoing { distribution, sharing_group, tags, notes })
}

fn group(what: &Leaving<'_>, orgs: &BTreeSet<Uuid>) -> Value {
    let name = orgs.iter().fold(what.own.to_string(), |name, org| format!("{name}\n{org}"));
    let listed: Vec<Value> = orgs.iter().map(|org| json!({"extend": false, "Organisation": {"uuid": org}})).collect();
    json!({"uuid": Uuid::new_v5(&GROUPS, name.as_bytes()), "name": what.marking, "releasability": what.marking,
        "description": "Made from a label: its organisations are those that the label permits.",
        "organisation_uuid": what.own, "active": true, "local": true, "roaming": false,
        "SharingGroupOrg": listed, "SharingGroupServer": []})
}
