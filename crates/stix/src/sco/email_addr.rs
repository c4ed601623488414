//! `email-addr` (section 6.5).

use crate::{
    model::{Ref, Token, stix_type, target},
    syntax,
};

stix_type! {
    /// One e-mail address.
    EmailAddr = "email-addr", section "6.5", requirement "S-100", common Observable, rules [];
    required { value: Token<syntax::EmailAddress>, }
    optional { display_name: String, belongs_to_ref: Ref<target::UserAccount>, }
}
