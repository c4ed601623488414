//! The fixed marking definitions of the Traffic Light Protocol: version 1 of the standard (S-130), version 2 of the committee's common objects (S-131).

use crate::{
    json::{Map, Node},
    validate::text,
};

/// Key of the extension that carries a level of version 2.
const EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// One fixed marking definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlp {
    /// Its identifier.
    pub id: &'static str,
    /// 1 or 2.
    pub version: u8,
    /// The level on the wire, e.g. `amber+strict`.
    pub level: &'static str,
    /// Its name.
    pub name: &'static str,
    created: &'static str,
}

const V1: &str = "2017-01-20T00:00:00.000Z";
const V2: &str = "2022-10-01T00:00:00.000Z";

/// All of them.
const ALL: [Tlp; 9] = [
    Tlp {
        id: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        version: 1,
        level: "white",
        name: "TLP:WHITE",
        created: V1,
    },
    Tlp {
        id: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        version: 1,
        level: "green",
        name: "TLP:GREEN",
        created: V1,
    },
    Tlp {
        id: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        version: 1,
        level: "amber",
        name: "TLP:AMBER",
        created: V1,
    },
    Tlp {
        id: "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        version: 1,
        level: "red",
        name: "TLP:RED",
        created: V1,
    },
    Tlp {
        id: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        version: 2,
        level: "clear",
        name: "TLP:CLEAR",
        created: V2,
    },
    Tlp {
        id: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        version: 2,
        level: "green",
        name: "TLP:GREEN",
        created: V2,
    },
    Tlp {
        id: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        version: 2,
        level: "amber",
        name: "TLP:AMBER",
        created: V2,
    },
    Tlp {
        id: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        version: 2,
        level: "amber+strict",
        name: "TLP:AMBER+STRICT",
        created: V2,
    },
    Tlp {
        id: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        version: 2,
        level: "red",
        name: "TLP:RED",
        created: V2,
    },
];

impl Tlp {
    /// The fixed marking with this id.
    pub fn of_id(id: &str) -> Option<&'static Self> {
        ALL.iter().find(|tlp| tlp.id.eq_ignore_ascii_case(id))
    }

    /// What level an object says it is, in which version.
    pub(super) fn claimed<'m>(object: &'m Map<'_>) -> Option<(u8, &'m str)> {
        if text(object, "definition_type") == Some("tlp") {
            let level =
                if let Some(Node::Map(definition)) = object.get("definition") { text(definition, "tlp") } else { None };
            return Some((1, level.unwrap_or_default()));
        }
        let Some(Node::Map(extensions)) = object.get("extensions") else { return None };
        let Some(Node::Map(content)) = extensions.get(EXTENSION) else { return None };
        Some((2, text(content, "tlp_2_0").unwrap_or_default()))
    }

    /// The property that is not as published. A name may be missing, as in the 2.1 text of 2021.
    pub(super) fn differs(&self, object: &Map<'_>) -> Option<&'static str> {
        let created = text(object, "created").and_then(|c| crate::Timestamp::order(c, self.created));
        if created != Some(std::cmp::Ordering::Equal) {
            return Some("created");
        }
        text(object, "name").is_some_and(|name| name != self.name).then_some("name")
    }

    pub(super) fn requirement(&self) -> &'static str {
        if self.version == 1 { "S-130" } else { "S-131" }
    }

    pub(super) fn as_published(&self) -> String {
        format!(
            "this id is {} (version {}), created {}; its content must be as published",
            self.name, self.version, self.created
        )
    }
}
