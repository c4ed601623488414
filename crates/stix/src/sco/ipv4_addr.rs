//! `ipv4-addr` (section 6.8).

use crate::{
    model::{Ref, Token, stix_type, target},
    syntax,
};

stix_type! {
    /// IPv4 addresses in CIDR notation.
    Ipv4Addr = "ipv4-addr", section "6.8", requirement "S-106", common Observable, rules [];
    required { value: Token<syntax::Ipv4>, }
    optional { resolves_to_refs: Vec<Ref<target::MacAddr>>, belongs_to_refs: Vec<Ref<target::AutonomousSystem>>, }
}
