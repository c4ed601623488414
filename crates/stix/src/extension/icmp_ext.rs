//! `icmp-ext` (section 6.12.3).

use crate::{
    model::{Token, stix_extension},
    syntax,
};

stix_extension! {
    /// An ICMP packet.
    IcmpExt = "icmp-ext" of "network-traffic", section "6.12.3", requirement "S-113", rules [];
    required { icmp_type_hex: Token<syntax::Hex>, icmp_code_hex: Token<syntax::Hex>, }
    optional {}
}
