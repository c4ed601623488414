//! What an account with quirks gets: the exceptions to "as it came" that a client may need (C-008, C-009, C-015).

use super::{
    object::{tlp_1_id, tlp_2_level},
    settle::{Held, Settled},
};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of TLP:AMBER+STRICT, which TLP 1 does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strict {
    /// The object is withheld.
    Withhold,
    /// It goes as AMBER.
    Amber,
}

/// The quirks of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// C-008.
    pub sco_spec_version: bool,
    /// C-009.
    pub tlp1_twin: Option<Strict>,
}

/// One object as such an account gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The object as it is kept.
    pub held: Held,
    /// Ids that stand in `object_marking_refs` besides: what was assigned on the way, and the twins.
    pub markings: BTreeSet<String>,
    /// Whether `"spec_version": "2.1"` is added.
    pub spec_version: bool,
}

impl Settled<'_> {
    /// What an account of a partner with these quirks gets of each collection of a node: of what the labels permit, what is not withheld for want of a
    /// twin, and what is added to it.
    pub fn given(&self, node: &str, partner: &str, quirks: Quirks) -> BTreeMap<String, Vec<Given>> {
        let mut all = BTreeMap::new();
        for (alias, line) in self.line_with_markings(node, partner) {
            let with = line.into_iter().filter_map(|(read, held, assigned)| {
                let mut added: BTreeSet<String> = assigned.difference(&read.carried).cloned().collect();
                if let Some(how) = quirks.tlp1_twin {
                    // A level counts wherever in the object it stands.
                    for marking in read.carried.union(&assigned).filter(|marking| **marking != read.id) {
                        let Some(level) = tlp_2_level(marking) else { continue };
                        let level = if level == "AMBER+STRICT" && how == Strict::Amber { "AMBER" } else { level };
                        added.insert(tlp_1_id(level)?.to_owned());
                    }
                }
                let on_object = |marking: &String| read.on_object.contains(marking);
                let markings = added.into_iter().filter(|marking| !on_object(marking)).collect();
                // Without versions and without `spec_version`: an observable of STIX 2.1.
                let spec_version = quirks.sco_spec_version && read.version.is_none() && !read.says_spec_version;
                Some(Given { held, markings, spec_version })
            });
            all.insert(alias, with.collect());
        }
        all
    }
}
