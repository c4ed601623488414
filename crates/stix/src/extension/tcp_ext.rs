//! `tcp-ext` (section 6.12.5).

use crate::{
    model::{Token, stix_extension},
    syntax,
    validate::rules,
};

stix_extension! {
    /// TCP flags.
    TcpExt = "tcp-ext" of "network-traffic", section "6.12.5", requirement "S-113", rules [rules::some_property];
    required {}
    optional { src_flags_hex: Token<syntax::Hex>, dst_flags_hex: Token<syntax::Hex>, }
}
