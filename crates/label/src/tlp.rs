//! Traffic Light Protocol 1 and 2, and the Permissible Actions Protocol (labels.md section 11; `tlp.json`).
use crate::Meaning;
use crate::carriage::{read, tlp1_body, tlp2_body};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stix::{Id, id::MarkingDefinition};
use uuid::Uuid;

/// A level, TLP 1 WHITE read as CLEAR. Ordered by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tlp {
    /// Everyone.
    #[serde(rename = "CLEAR")]
    Clear,
    /// A community.
    #[serde(rename = "GREEN")]
    Green,
    /// The addressed organisations and their clients.
    #[serde(rename = "AMBER")]
    Amber,
    /// The addressed organisations.
    #[serde(rename = "AMBER+STRICT")]
    AmberStrict,
    /// Named persons; never by poll (L-141).
    #[serde(rename = "RED")]
    Red,
}

/// The fixed marking ids, TLP 2.0 first. They are trusted by id alone: the body that comes with one is never read.
const WELL_KNOWN: [(u128, Tlp); 9] = [
    (0x9486_8c89_83c2_464b_929b_a1a8_aa3c_8487, Tlp::Clear),
    (0xbab4_a63c_aed9_4cf5_a766_dfca_5aba_c2bb, Tlp::Green),
    (0x55d9_20b0_5e8b_4f79_9ee9_91f8_68d9_b421, Tlp::Amber),
    (0x939a_9414_2ddd_4d32_a0cd_375e_a402_b003, Tlp::AmberStrict),
    (0xe828_b379_4e03_4974_9ac4_e53a_884c_97c1, Tlp::Red),
    (0x613f_2e26_407d_48c7_9eca_b8e9_1df9_9dc9, Tlp::Clear),
    (0x3409_8fce_860f_48ae_8e50_ebd3_cc5e_41da, Tlp::Green),
    (0xf88d_31f6_486f_44da_b317_0133_3bde_0b82, Tlp::Amber),
    (0x5e57_c739_391a_4eb3_b6be_7d15_ca92_d5ed, Tlp::Red),
];

/// A level of the Permissible Actions Protocol, ordered by strength. An obligation of whoever has the object: it travels and never affects release
/// (section 11); of several the highest counts (L-099).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pap {
    /// Any use. Once called WHITE.
    Clear,
    /// Active use, such as blocking.
    Green,
    /// Passive cross-checks only.
    Amber,
    /// Nothing that could be noticed outside.
    Red,
}

/// The fixed ids of PAP, the one to be written first.
const PAP: [(u128, Pap); 5] = [
    (0xad15_a0cd_55b6_4588_a14c_a661_0532_9b92, Pap::Clear),
    (0xc435_94d1_4b11_4c59_93ab_1c9b_14d5_3ce9, Pap::Green),
    (0x60f8_932b_e51e_4458_b265_a2e8_be9a_80ab, Pap::Amber),
    (0x740d_36e5_7714_4c30_961a_3ae6_32ce_ee0e, Pap::Red),
    (0xa3be_a94c_b469_41dc_9cfe_d6e7_daba_7730, Pap::Clear),
];

impl Pap {
    /// By fixed marking id.
    pub fn from_marking(id: &Id<MarkingDefinition>) -> Option<Self> {
        let wanted = id.uuid().as_u128();
        PAP.iter().find(|(known, _)| *known == wanted).map(|(_, level)| *level)
    }

    /// The fixed marking id.
    pub fn marking_id(self) -> Id<MarkingDefinition> {
        let (id, _) = PAP[self as usize];
        Id::from_uuid(Uuid::from_u128(id))
    }

    /// By its name in any case, `white` among them.
    pub fn from_name(name: &str) -> Option<Self> {
        let levels = [Self::Clear, Self::Green, Self::Amber, Self::Red];
        let named = levels.into_iter().find(|l| l.name().eq_ignore_ascii_case(name));
        named.or_else(|| name.eq_ignore_ascii_case("white").then_some(Self::Clear))
    }

    /// The level's name, e.g. `AMBER`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::Red => "RED",
        }
    }
}

/// How TLP 1.0 writes the levels in a body; it has no AMBER+STRICT.
const TLP1_WORDS: [&str; 5] = ["white", "green", "amber", "amber", "red"];

impl Tlp {
    /// Every level, weakest first.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// By well-known marking id of TLP 1 or 2.
    pub fn from_marking(id: &Id<MarkingDefinition>) -> Option<Self> {
        let wanted = id.uuid().as_u128();
        WELL_KNOWN.iter().find(|(known, _)| *known == wanted).map(|(_, level)| *level)
    }

    /// The TLP 2.0 marking id.
    pub fn marking_id(self) -> Id<MarkingDefinition> {
        let (id, _) = WELL_KNOWN[self as usize];
        Id::from_uuid(Uuid::from_u128(id))
    }

    /// The TLP 1 marking id; `None`: TLP 1 does not have the level.
    pub fn tlp1_marking_id(self) -> Option<Id<MarkingDefinition>> {
        let (id, _) = WELL_KNOWN.iter().skip(Self::ALL.len()).find(|(_, level)| *level == self)?;
        Some(Id::from_uuid(Uuid::from_u128(*id)))
    }

    /// The level's name, e.g. `AMBER+STRICT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::AmberStrict => "AMBER+STRICT",
            Self::Red => "RED",
        }
    }
}

impl std::fmt::Display for Tlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TLP:{}", self.name())
    }
}

/// What a fixed id of TLP or PAP means, or `None` for any other id. Trusted by id alone; everybody knows these, so nobody needs to see a definition.
pub fn well_known(id: &Id<MarkingDefinition>) -> Option<&'static Meaning> {
    static TABLE: [Meaning; 5] = [
        Meaning::Tlp(Tlp::Clear),
        Meaning::Tlp(Tlp::Green),
        Meaning::Tlp(Tlp::Amber),
        Meaning::Tlp(Tlp::AmberStrict),
        Meaning::Tlp(Tlp::Red),
    ];
    static OBLIGATIONS: [Meaning; 4] = [
        Meaning::Obligation(Pap::Clear),
        Meaning::Obligation(Pap::Green),
        Meaning::Obligation(Pap::Amber),
        Meaning::Obligation(Pap::Red),
    ];
    match Tlp::from_marking(id) {
        Some(level) => TABLE.get(level as usize),
        None => Pap::from_marking(id).and_then(|level| OBLIGATIONS.get(level as usize)),
    }
}

/// The body that the standard fixes for a TLP id.
pub(crate) fn genuine(id: &Id<MarkingDefinition>) -> Option<Map<String, Value>> {
    let level = Tlp::from_marking(id)?;
    if *id == level.marking_id() {
        return Some(tlp2_body(level));
    }
    Some(tlp1_body(id, TLP1_WORDS[level as usize]))
}

/// Whether a body that came under a fixed id is the fixed one. Older tools leave `name` and `spec_version` out; nothing else may differ:
/// an altered body under a trusted id must not travel on. Of PAP the table holds no bodies: there one that says that level and nothing else is taken.
pub(crate) fn is_genuine(id: &Id<MarkingDefinition>, body: &Map<String, Value>) -> bool {
    let Some(fixed) = genuine(id) else {
        return Pap::from_marking(id).is_some_and(|level| read(id, body) == Ok(Meaning::Obligation(level)));
    };
    let optional = ["name", "spec_version"];
    body.iter().all(|(k, v)| fixed.get(k) == Some(v))
        && fixed.keys().all(|k| body.contains_key(k) || optional.contains(&k.as_str()))
}

/// What an object asks by the tags that tools write into `labels` (`tlp.json`, `misp_tags`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Asks {
    /// `tlp:ex:chr`: no attribution (L-143).
    pub(crate) not_attributed: bool,
    /// `tlp:unclear`: nobody knows how it is marked (L-143).
    pub(crate) unclear: bool,
}

/// Reads the tags, whatever their case.
pub(crate) fn asks(object: &stix::Object) -> Asks {
    let mut asks = Asks::default();
    // Most objects are not read a second time: a tag is not there without its first letters, plain or escaped.
    let raw = object.raw();
    if !raw.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"tlp:")) && !raw.contains("\\u") {
        return asks;
    }
    let Ok(Value::Object(body)) = serde_json::from_str(raw) else { return asks };
    for tag in body.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let tag = tag.trim();
        asks.not_attributed |= tag.eq_ignore_ascii_case("tlp:ex:chr");
        asks.unclear |= tag.eq_ignore_ascii_case("tlp:unclear");
    }
    asks
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Section 11, `tlp.json`: every fixed id of both versions and of PAP is known, with its level.
    #[test]
    fn every_well_known_id_of_the_table_is_known() {
        let table: Value = serde_json::from_str(include_str!("../tests/data/tlp.json")).unwrap();
        let level_of = |version: &str, name: &str| {
            table[version]["levels"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|l| l["level"] == name)
                .map(|l| l["object"]["id"].as_str().unwrap().to_owned())
                .next()
        };
        let id = |s: &str| {
            Id::<MarkingDefinition>::from_uuid(
                Uuid::parse_str(s.strip_prefix("marking-definition--").unwrap()).unwrap(),
            )
        };
        let mut seen = 0;
        for level in Tlp::ALL {
            let name = level.name().to_lowercase();
            let two = id(&level_of("tlp2", &name).unwrap());
            assert_eq!(Tlp::from_marking(&two), Some(level));
            assert_eq!(level.marking_id(), two);
            seen += 1;
            if let Some(one) = level_of("tlp1", if level == Tlp::Clear { "white" } else { &name }) {
                assert_eq!(Tlp::from_marking(&id(&one)), Some(level));
                seen += 1;
            }
        }
        assert_eq!(seen, WELL_KNOWN.len());
        for pap in table["pap"]["levels"].as_array().unwrap() {
            let id = id(pap["id"].as_str().unwrap());
            let level = Pap::from_marking(&id).unwrap();
            assert_eq!(Pap::from_name(pap["level"].as_str().unwrap()), Some(level), "{pap}");
            assert_eq!(u64::from(level as u8), pap["rank"].as_u64().unwrap(), "{pap}");
            assert_eq!(level.marking_id() == id, pap["deprecated"].is_null(), "{pap}");
            assert_eq!((Tlp::from_marking(&id), well_known(&id)), (None, Some(&Meaning::Obligation(level))));
        }
        assert!(
            Tlp::Clear < Tlp::Green
                && Tlp::Green < Tlp::Amber
                && Tlp::Amber < Tlp::AmberStrict
                && Tlp::AmberStrict < Tlp::Red
        );
    }
}
