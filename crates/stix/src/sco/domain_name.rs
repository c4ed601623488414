//! `domain-name` (section 6.4).

use crate::{
    model::{Ref, Token, stix_type, target},
    syntax,
};

stix_type! {
    /// A network domain name.
    DomainName = "domain-name", section "6.4", requirement "S-099", common Observable, rules [];
    required { value: Token<syntax::DomainName>, }
    optional { resolves_to_refs: Vec<Ref<target::ResolvedTo>>, }
}
