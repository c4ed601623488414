//! `ipv6-addr` (section 6.9).

use crate::{
    model::{Ref, Token, stix_type, target},
    syntax,
};

stix_type! {
    /// IPv6 addresses in CIDR notation.
    Ipv6Addr = "ipv6-addr", section "6.9", requirement "S-106", common Observable, rules [];
    required { value: Token<syntax::Ipv6>, }
    optional { resolves_to_refs: Vec<Ref<target::MacAddr>>, belongs_to_refs: Vec<Ref<target::AutonomousSystem>>, }
}
