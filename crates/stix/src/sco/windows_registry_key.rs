//! `windows-registry-key` (section 6.17).

use crate::{
    Timestamp,
    json::{Map, Node, Path},
    model::{Closed, Integer, Ref, stix_part, stix_type, target},
    validate::{Check, Code, rules},
    vocabulary,
};

stix_type! {
    /// A key of the Windows registry.
    WindowsRegistryKey = "windows-registry-key", section "6.17", requirement "S-119", common Observable, rules [rules::some_property, hive];
    required {}
    optional {
        key: String,
        values: Vec<WindowsRegistryValue>,
        modified_time: Timestamp,
        creator_user_ref: Ref<target::UserAccount>,
        number_of_subkeys: Integer,
    }
}

stix_part! {
    /// A value of a registry key.
    WindowsRegistryValue = "windows-registry-value-type", section "6.17.2", requirement "S-119", rules [rules::some_property];
    required {}
    optional { name: String, data: String, data_type: Closed<vocabulary::WindowsRegistryDatatype>, }
}

/// S-119: the hive is spelled in full.
fn hive(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let Some(Node::Text(key)) = object.get("key") else { return };
    let hive = key.split('\\').next().unwrap_or_default();
    let short = ["HKLM", "HKCU", "HKCR", "HKU", "HKCC", "HKPD", "HKDD"];
    if short.iter().any(|name| hive.eq_ignore_ascii_case(name)) {
        let message = "spell the hive in full, e.g. `HKEY_LOCAL_MACHINE`";
        check.error(&Path::Name(path, "key"), Code::ValueForm, "S-119", message);
    }
}
