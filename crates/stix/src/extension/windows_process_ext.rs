//! `windows-process-ext` (section 6.13.2).

use crate::{
    json::{Map, Node, Path},
    model::{Any, Closed, Dictionary, stix_extension},
    validate::{Check, Code, rules},
    vocabulary,
};

stix_extension! {
    /// What is specific to Windows processes.
    WindowsProcessExt = "windows-process-ext" of "process", section "6.13.2", requirement "S-115", rules [rules::some_property, priority];
    required {}
    optional {
        aslr_enabled: bool,
        dep_enabled: bool,
        priority: String,
        owner_sid: String,
        window_title: String,
        startup_info: Dictionary<Any>,
        integrity_level: Closed<vocabulary::WindowsIntegrityLevel>,
    }
}

/// S-115: a priority ends in `_CLASS`.
fn priority(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if let Some(Node::Text(priority)) = object.get("priority")
        && !priority.ends_with("_CLASS")
    {
        let message = "use a priority class, e.g. `HIGH_PRIORITY_CLASS`";
        check.warning(&Path::Name(path, "priority"), Code::ValueForm, "S-115", message);
    }
}
