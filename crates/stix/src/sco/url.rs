//! `url` (section 6.15).

use crate::{
    model::{Token, stix_type},
    syntax,
};

stix_type! {
    /// A uniform resource locator.
    Url = "url", section "6.15", requirement "S-117", common Observable, rules [];
    required { value: Token<syntax::Url>, }
    optional {}
}
