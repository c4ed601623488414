//! `infrastructure` (section 4.8).

use crate::{
    Timestamp,
    model::{KillChainPhase, Open, stix_type},
    validate::rules,
    vocabulary,
};

stix_type! {
    /// Systems and services that serve a purpose, of adversaries or of defenders.
    Infrastructure = "infrastructure", section "4.8", requirement "S-062", common Common, rules [rules::seen];
    required { name: String, }
    optional {
        description: String,
        infrastructure_types: Vec<Open<vocabulary::InfrastructureType>>,
        aliases: Vec<String>,
        kill_chain_phases: Vec<KillChainPhase>,
        first_seen: Timestamp,
        last_seen: Timestamp,
    }
}
