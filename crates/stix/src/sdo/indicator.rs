//! `indicator` (section 4.7).

use crate::{
    Timestamp,
    json::{Map, Node, Path},
    model::{KillChainPhase, Open, stix_type},
    validate::{Check, Code, rules},
    vocabulary,
};

stix_type! {
    /// A pattern by which suspicious or malicious activity can be detected.
    Indicator = "indicator", section "4.7", requirement "S-068", common Common, rules [valid_until_is_later, pattern, rules::name_and_description];
    required { pattern: String, pattern_type: Open<vocabulary::PatternType>, valid_from: Timestamp, }
    optional {
        name: String,
        description: String,
        indicator_types: Vec<Open<vocabulary::IndicatorType>>,
        pattern_version: String,
        valid_until: Timestamp,
        kill_chain_phases: Vec<KillChainPhase>,
    }
}

/// S-068: the end of validity comes after its beginning.
fn valid_until_is_later(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    rules::later(check, object, path, ("valid_from", "valid_until"), false, "S-068");
}

/// S-069: the pattern is of the language that `pattern_type` names; STIX patterns are parsed.
fn pattern(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let (Some(Node::Text(pattern)), Some(Node::Text(kind))) = (object.get("pattern"), object.get("pattern_type"))
    else {
        return;
    };
    if kind == "stix" {
        check.stix_pattern(pattern, &Path::Name(path, "pattern"));
    }
    if pattern.trim().is_empty() {
        check.error(
            &Path::Name(path, "pattern"),
            Code::ValueEmpty,
            "S-069",
            "an empty pattern detects nothing; write the pattern",
        );
    }
}
