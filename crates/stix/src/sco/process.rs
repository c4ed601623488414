//! `process` (section 6.13).

use crate::{
    Timestamp,
    model::{Dictionary, Integer, Ref, stix_type, target},
    validate::rules,
};

stix_type! {
    /// A program running on an operating system.
    Process = "process", section "6.13", requirement "S-114", common Observable, rules [rules::some_property];
    required {}
    optional {
        is_hidden: bool,
        pid: Integer,
        created_time: Timestamp,
        cwd: String,
        command_line: String,
        environment_variables: Dictionary<String>,
        opened_connection_refs: Vec<Ref<target::NetworkTraffic>>,
        creator_user_ref: Ref<target::UserAccount>,
        image_ref: Ref<target::File>,
        parent_ref: Ref<target::Process>,
        child_refs: Vec<Ref<target::Process>>,
    }
}
