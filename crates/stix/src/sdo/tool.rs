//! `tool` (section 4.18).

use crate::{
    model::{KillChainPhase, Open, stix_type},
    vocabulary,
};

stix_type! {
    /// Legitimate software that adversaries use.
    Tool = "tool", section "4.18", requirement "S-062", common Common, rules [];
    required { name: String, }
    optional {
        description: String,
        tool_types: Vec<Open<vocabulary::ToolType>>,
        aliases: Vec<String>,
        kill_chain_phases: Vec<KillChainPhase>,
        tool_version: String,
    }
}
