//! STIX: every node an `infrastructure` object with the extension, every need a `depends-on` relationship.

use super::edge_list::value;
use super::{ExportError, check, told};
use crate::resilience::extension::{derived, extension_id, extension_objects};
use crate::resilience::model::{Connective, Facts, Model, NodeKind};
use serde_json::{Map, Value as Json, json};
use stix::Timestamp;

/// Writes a bundle. Ids are derived from the model's name and the nodes' names, so that the same model gives the same bundle; `at` becomes `created` and
/// `modified`.
///
/// # Errors
/// A gate that time steps gave the same input twice.
pub fn write_stix(model: &Model, at: &Timestamp) -> Result<String, ExportError> {
    check(model)?;
    let (list, names) = told(model);
    let of = model.name().unwrap_or_default();
    let id_of = |name: &str| format!("infrastructure--{}", derived(&format!("{of}\u{0}{name}")));
    let extension = extension_id();
    let mut objects: Vec<Json> = extension_objects().into();
    for node in &list {
        let mut extra = Map::new();
        extra.insert("extension_type".to_owned(), json!("property-extension"));
        extra.insert("node".to_owned(), json!(node.name));
        for (field, v) in node.fields.iter().filter(|(f, _)| *f != "title") {
            extra.insert((*field).to_owned(), value(v));
        }
        let title = node.facts.title.as_deref().unwrap_or(&node.name);
        let mut object = json!({
            "type": "infrastructure", "spec_version": "2.1", "id": id_of(&node.name), "created": at.as_str(), "modified": at.as_str(),
            "name": title, "extensions": { extension.clone(): extra },
        });
        mark(&mut object, node.facts);
        objects.push(object);
        // Relationships have no order; where it counts, it is written down.
        let ordered = matches!(model.kind(node.node), NodeKind::Gate(Connective::Imply));
        for (order, edge) in node.needs.iter().enumerate() {
            let needed = &names[edge.node.index()];
            let id = derived(&format!("{of}\u{0}{}\u{0}{needed}", node.name));
            let mut relationship = json!({
                "type": "relationship", "spec_version": "2.1", "id": format!("relationship--{id}"), "created": at.as_str(), "modified": at.as_str(),
                "relationship_type": "depends-on", "source_ref": id_of(&node.name), "target_ref": id_of(needed),
            });
            let facts = Model::edge_facts(edge);
            let mut extra = Map::new();
            if ordered {
                extra.insert("order".to_owned(), json!(order));
            }
            if let Some(hours) = facts.hold_over_h {
                extra.insert("hold_over_h".to_owned(), json!(hours));
            }
            if !extra.is_empty() {
                extra.insert("extension_type".to_owned(), json!("property-extension"));
                relationship["extensions"] = json!({ extension.clone(): extra });
            }
            mark(&mut relationship, facts);
            objects.push(relationship);
        }
    }
    let id = derived(&objects.iter().filter_map(|o| o["id"].as_str()).collect::<Vec<_>>().join("\n"));
    let lines: Vec<String> = objects.iter().map(|o| format!("    {o}")).collect();
    Ok(format!(
        "{{\n  \"type\": \"bundle\",\n  \"id\": \"bundle--{id}\",\n  \"objects\": [\n{}\n  ]\n}}\n",
        lines.join(",\n")
    ))
}

fn mark(object: &mut Json, facts: &Facts) {
    if !facts.markings.is_empty() {
        object["object_marking_refs"] = json!(facts.markings.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
}
