//! The STIX property extension that carries gates, k, probabilities and hold-over times. Its page is `docs/reference/resilience-extension.md`, its JSON
//! Schema stands beside it.

use serde_json::{Value, json};
use uuid::Uuid;

/// The name space of derived ids (L-120).
const NAMESPACE: Uuid = Uuid::from_u128(0xa620_1720_26c4_45ea_baf3_bddc_42fd_ae0b);
/// What the extension's id is derived from.
const NAME: &str = "entente:extension:resilience:1";
/// What the id of the extension's author is derived from.
const AUTHOR: &str = "entente:identity";
/// When the extension was defined.
const CREATED: &str = "2026-11-24T00:00:00.000Z";

/// The id of the extension: UUID version 5 of its name in the name space of derived ids, the same everywhere.
pub fn extension_id() -> String {
    format!("extension-definition--{}", derived(NAME))
}

/// The id of who defined the extension.
fn author_id() -> String {
    format!("identity--{}", derived(AUTHOR))
}

/// A UUID version 5 in the name space of derived ids.
pub(super) fn derived(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The two objects that a bundle with the extension carries along: who defined it, and the definition.
pub fn extension_objects() -> [Value; 2] {
    [
        json!({
            "type": "identity", "spec_version": "2.1", "id": author_id(), "created": CREATED, "modified": CREATED,
            "name": "Entente", "identity_class": "organization",
        }),
        json!({
            "type": "extension-definition", "spec_version": "2.1", "id": extension_id(), "created_by_ref": author_id(),
            "created": CREATED, "modified": CREATED, "name": "Resilience",
            "description": "How a piece of infrastructure, an organisation or software depends on others (all, any, k of n), how it fails by itself, and how long it goes on without.",
            "schema": "docs/reference/resilience-extension.schema.json", "version": "1.0.0",
            "extension_types": ["property-extension"],
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The id is written down elsewhere (the page, the schema): it never changes.
    #[test]
    fn the_id_is_the_derived_one() {
        assert_eq!(extension_id(), "extension-definition--0140d8b0-aeab-5d1f-ad53-6458b24b5651");
    }
}
