//! `attack-pattern` (section 4.1).

use crate::{
    model::{KillChainPhase, stix_type},
    validate::rules,
};

stix_type! {
    /// A way in which adversaries try to compromise targets.
    AttackPattern = "attack-pattern", section "4.1", requirement "S-062", common Common, rules [rules::capec];
    required { name: String, }
    optional { description: String, aliases: Vec<String>, kill_chain_phases: Vec<KillChainPhase>, }
}
