//! `mac-addr` (section 6.10).

use crate::{
    model::{Token, stix_type},
    syntax,
};

stix_type! {
    /// One media access control address.
    MacAddr = "mac-addr", section "6.10", requirement "S-107", common Observable, rules [];
    required { value: Token<syntax::MacAddress>, }
    optional {}
}
