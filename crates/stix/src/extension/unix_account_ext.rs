//! `unix-account-ext` (section 6.16.2).

use crate::{
    model::{Integer, stix_extension},
    validate::rules,
};

stix_extension! {
    /// What is specific to Unix accounts.
    UnixAccountExt = "unix-account-ext" of "user-account", section "6.16.2", requirement "S-118", rules [rules::some_property];
    required {}
    optional { gid: Integer, groups: Vec<String>, home_dir: String, shell: String, }
}
