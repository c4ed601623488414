//! Which relationships the standard lists (sections 4.x.2, 6.x.2, appendix B; `docs/requirements/data/relationships.json`).
//!
//! A relationship outside the table is valid (S-088); the table makes warnings and offers choices.

use crate::Class;

/// What the table says about a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The standard lists it.
    Yes,
    /// It joins objects of one type, and these are of two (S-091).
    OtherType,
    /// The standard does not list it.
    No,
}

/// Looks up a relationship by the types of its ends. Custom types may be joined by anything.
pub fn listed(source: &str, relationship_type: &str, target: &str) -> Listed {
    match relationship_type {
        "related-to" => return Listed::Yes,
        "derived-from" | "duplicate-of" => return if source == target { Listed::Yes } else { Listed::OtherType },
        _ => {}
    }
    if Class::of(source) == Class::Custom || Class::of(target) == Class::Custom {
        return Listed::Yes;
    }
    let Ok(at) = ROWS.binary_search_by(|(s, kind, _)| (*s, *kind).cmp(&(source, relationship_type))) else {
        return Listed::No;
    };
    let targets = ROWS.get(at).map_or(&[][..], |(_, _, targets)| targets);
    let every_sco = targets.contains(&SCO) && Class::of(target) == Class::Sco;
    if every_sco || targets.contains(&target) { Listed::Yes } else { Listed::No }
}

/// Stands for every SCO.
const SCO: &str = "<SCO>";

/// Source, relationship type, targets; sorted.
#[rustfmt::skip]
pub(crate) const ROWS: &[(&str, &str, &[&str])] = &[
    ("attack-pattern", "delivers", &["malware"]),
    ("attack-pattern", "targets", &["identity", "location", "vulnerability"]),
    ("attack-pattern", "uses", &["malware", "tool"]),
    ("campaign", "attributed-to", &["intrusion-set", "threat-actor"]),
    ("campaign", "compromises", &["infrastructure"]),
    ("campaign", "originates-from", &["location"]),
    ("campaign", "targets", &["identity", "location", "vulnerability"]),
    ("campaign", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("course-of-action", "investigates", &["indicator"]),
    ("course-of-action", "mitigates", &["attack-pattern", "indicator", "malware", "tool", "vulnerability"]),
    ("course-of-action", "remediates", &["malware", "vulnerability"]),
    ("domain-name", "resolves-to", &["domain-name", "ipv4-addr", "ipv6-addr"]),
    ("identity", "located-at", &["location"]),
    ("indicator", "based-on", &["observed-data"]),
    ("indicator", "indicates", &["attack-pattern", "campaign", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool"]),
    ("infrastructure", "communicates-with", &["infrastructure", "ipv4-addr", "ipv6-addr", "domain-name", "url"]),
    ("infrastructure", "consists-of", &[SCO, "infrastructure", "observed-data"]),
    ("infrastructure", "controls", &["infrastructure", "malware"]),
    ("infrastructure", "delivers", &["malware"]),
    ("infrastructure", "has", &["vulnerability"]),
    ("infrastructure", "hosts", &["tool", "malware"]),
    ("infrastructure", "located-at", &["location"]),
    ("infrastructure", "uses", &["infrastructure"]),
    ("intrusion-set", "attributed-to", &["threat-actor"]),
    ("intrusion-set", "compromises", &["infrastructure"]),
    ("intrusion-set", "hosts", &["infrastructure"]),
    ("intrusion-set", "originates-from", &["location"]),
    ("intrusion-set", "owns", &["infrastructure"]),
    ("intrusion-set", "targets", &["identity", "location", "vulnerability"]),
    ("intrusion-set", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("ipv4-addr", "belongs-to", &["autonomous-system"]),
    ("ipv4-addr", "resolves-to", &["mac-addr"]),
    ("ipv6-addr", "belongs-to", &["autonomous-system"]),
    ("ipv6-addr", "resolves-to", &["mac-addr"]),
    ("malware", "authored-by", &["threat-actor", "intrusion-set"]),
    ("malware", "beacons-to", &["infrastructure"]),
    ("malware", "communicates-with", &["ipv4-addr", "ipv6-addr", "domain-name", "url"]),
    ("malware", "controls", &["malware"]),
    ("malware", "downloads", &["malware", "tool", "file"]),
    ("malware", "drops", &["malware", "tool", "file"]),
    ("malware", "exfiltrates-to", &["infrastructure"]),
    ("malware", "exploits", &["vulnerability"]),
    ("malware", "originates-from", &["location"]),
    ("malware", "targets", &["identity", "infrastructure", "location", "vulnerability"]),
    ("malware", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("malware", "variant-of", &["malware"]),
    ("malware-analysis", "av-analysis-of", &["malware"]),
    ("malware-analysis", "characterizes", &["malware"]),
    ("malware-analysis", "dynamic-analysis-of", &["malware"]),
    ("malware-analysis", "static-analysis-of", &["malware"]),
    ("threat-actor", "attributed-to", &["identity"]),
    ("threat-actor", "compromises", &["infrastructure"]),
    ("threat-actor", "hosts", &["infrastructure"]),
    ("threat-actor", "impersonates", &["identity"]),
    ("threat-actor", "located-at", &["location"]),
    ("threat-actor", "owns", &["infrastructure"]),
    ("threat-actor", "targets", &["identity", "location", "vulnerability"]),
    ("threat-actor", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("tool", "delivers", &["malware"]),
    ("tool", "drops", &["malware"]),
    ("tool", "has", &["vulnerability"]),
    ("tool", "targets", &["identity", "infrastructure", "location", "vulnerability"]),
    ("tool", "uses", &["infrastructure"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(ROWS.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
    }

    #[test]
    fn common_relationships_fit_their_pairs() {
        // S-088, S-091
        assert_eq!(listed("indicator", "related-to", "url"), Listed::Yes);
        assert_eq!(listed("indicator", "derived-from", "indicator"), Listed::Yes);
        assert_eq!(listed("indicator", "duplicate-of", "malware"), Listed::OtherType);
        assert_eq!(listed("infrastructure", "consists-of", "mutex"), Listed::Yes);
        assert_eq!(listed("malware", "targets", "vulnerability"), Listed::Yes);
        assert_eq!(listed("vulnerability", "impacts", "infrastructure"), Listed::No);
        assert_eq!(listed("x-mitre-tactic", "subtechnique-of", "identity"), Listed::Yes);
    }
}
