//! `user-account` (section 6.16).

use crate::{
    Timestamp,
    model::{Open, stix_type},
    validate::rules,
    vocabulary,
};

stix_type! {
    /// An account of any kind: of a system, a service, a social medium.
    UserAccount = "user-account", section "6.16", requirement "S-118", common Observable, rules [rules::some_property];
    required {}
    optional {
        user_id: String,
        credential: String,
        account_login: String,
        account_type: Open<vocabulary::AccountType>,
        display_name: String,
        is_service_account: bool,
        is_privileged: bool,
        can_escalate_privs: bool,
        is_disabled: bool,
        account_created: Timestamp,
        account_expires: Timestamp,
        credential_last_changed: Timestamp,
        account_first_login: Timestamp,
        account_last_login: Timestamp,
    }
}
