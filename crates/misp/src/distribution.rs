//! Distribution levels on their way in (labels.md section 11).
use crate::{SharingGroup, Tags};
use label::{Onward, Tlp};
use serde_json::{Map, Value, json};
use std::fmt;
use stix::{Id, id::Identity};

/// To whom MISP shows an event or an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distribution {
    /// 0: the own organisation of the instance.
    OwnOrganisation,
    /// 1: the organisations of the instance, and of those that synchronise with it.
    Community,
    /// 2: these and what they are connected with, one hop further.
    Connected,
    /// 3: everybody.
    All,
    /// 4: the organisations of a sharing group.
    SharingGroup,
    /// 5: as the event, for attributes.
    Inherit,
}

impl Distribution {
    const ALL: [Self; 6] =
        [Self::OwnOrganisation, Self::Community, Self::Connected, Self::All, Self::SharingGroup, Self::Inherit];

    /// By MISP's number, 0 to 5.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// MISP's number.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// The distribution of an event or of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared<'a> {
    /// The level.
    pub distribution: Distribution,
    /// The sharing group, for level 4.
    pub group: Option<&'a SharingGroup>,
}

/// Whose it is, and who takes it in.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The organisation of the instance that it comes from: `identity--` and the identifier that MISP gives it.
    pub source: Option<&'a Id<Identity>>,
    /// The own organisation.
    pub own: &'a Id<Identity>,
}

/// What arrives comes to this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arriving {
    /// The members of each dissemination marking (L-132). All of them count.
    pub markings: Vec<Map<String, Value>>,
    /// What was lost or read more strictly than it may have been meant, one sentence each.
    pub notes: Vec<String>,
}

/// Why it is held for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// Everybody, without TLP:CLEAR or TLP:GREEN.
    AllWithoutTlp(Option<Tlp>),
    /// Level 4 without its group.
    NoGroup,
    /// Level 5 without an event, or an event of level 5.
    NoParent,
    /// Level 0 of an unknown organisation.
    NoSource,
    /// `tlp:unclear`: nobody knows how it is marked (L-143).
    Unclear,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllWithoutTlp(None) => {
                f.write_str("\"all communities\" without TLP:CLEAR or TLP:GREEN: a person decides")
            }
            Self::AllWithoutTlp(Some(level)) => {
                write!(f, "\"all communities\" with {level}: they contradict each other, a person decides")
            }
            Self::NoGroup => f.write_str("distribution 4 without its sharing group"),
            Self::NoParent => f.write_str("distribution 5 without the distribution of the event"),
            Self::NoSource => f.write_str("distribution 0, and the organisation whose it is was not named"),
            Self::Unclear => f.write_str("`tlp:unclear`, or a TLP that there is not: ask whom it comes from"),
        }
    }
}

/// What a distribution comes to here. An attribute with its event: both count (the stricter of the two, or the members of both groups).
///
/// # Errors
/// Why a person must decide; until then it is the own organisation's alone.
pub fn arriving(
    shared: Shared<'_>,
    event: Option<Shared<'_>>,
    tags: &Tags,
    whose: &Whose<'_>,
) -> Result<Arriving, Held> {
    if tags.unclear {
        return Err(Held::Unclear);
    }
    let inherits = shared.distribution == Distribution::Inherit;
    let mut all: Vec<Shared<'_>> = event.into_iter().collect();
    match (inherits, event) {
        (true, None) => return Err(Held::NoParent),
        (true, Some(_)) => {}
        (false, event) if event == Some(shared) => {}
        (false, _) => all.push(shared),
    }
    let mut arriving = Arriving { markings: Vec::new(), notes: tags.notes.clone() };
    for shared in all {
        let marking = one(shared, tags, whose, &mut arriving.notes)?;
        if !arriving.markings.contains(&marking) {
            arriving.markings.push(marking);
        }
    }
    Ok(arriving)
}

fn one(
    shared: Shared<'_>,
    tags: &Tags,
    whose: &Whose<'_>,
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, Held> {
    let mut members = Map::new();
    let mut onward = Onward::Organisation;
    let mut note = |text: &str| notes.push(text.to_owned());
    match shared.distribution {
        Distribution::OwnOrganisation => {
            let source = whose.source.ok_or(Held::NoSource)?;
            members.insert("addressees".to_owned(), json!([source]));
        }
        Distribution::Community | Distribution::Connected => {
            note("nobody outside knows the organisations of a community: the own organisation alone counts");
            if shared.distribution == Distribution::Connected {
                note("the hop that \"connected communities\" allow is lost, as MISP itself reduces it on a pull");
            }
            members.insert("addressees".to_owned(), json!([whose.own]));
        }
        Distribution::All => match tags.tlp {
            Some(level @ (Tlp::Clear | Tlp::Green)) => onward = Onward::of(level),
            other => return Err(Held::AllWithoutTlp(other)),
        },
        Distribution::SharingGroup => {
            let group = shared.group.ok_or(Held::NoGroup)?;
            members.insert("sharing_group".to_owned(), group.member());
            notes.extend(group.notes.iter().cloned());
        }
        Distribution::Inherit => return Err(Held::NoParent),
    }
    let onward = tags.tlp.map_or(onward, |level| onward.min(Onward::of(level)));
    members.insert("onward".to_owned(), onward.word().into());
    if tags.not_attributed {
        members.insert("no_attribution".to_owned(), true.into());
    }
    Ok(members)
}
