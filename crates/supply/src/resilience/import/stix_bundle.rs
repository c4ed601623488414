//! STIX 2.1 bundles: `infrastructure`, `identity` and `software` as nodes, relationships as needs, and the resilience extension for the rest.
//! `docs/reference/resilience-extension.md` describes it.

use super::edge_list::{position_of, scalar};
use super::fields::{Descriptions, EDGE_FIELDS, NODE_FIELDS, Need, Place};
use super::{Import, ImportError, ImportFault, Lines, place, text};
use crate::resilience::ModelBuilder;
use crate::resilience::extension::extension_id;
use crate::resilience::model::Model;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Types that may be nodes.
const NODE_TYPES: [&str; 3] = ["infrastructure", "identity", "software"];
/// Relationships that say that the source needs the target.
pub(in super::super) const FORWARD: [&str; 5] = ["depends-on", "requires", "needs", "uses", "consists-of"];
/// Relationships that say that the target needs the source.
pub(in super::super) const BACKWARD: [&str; 5] = ["supports", "supplies", "provides", "powers", "hosts"];

/// One object that may be a node.
struct Item<'t> {
    raw: &'t str,
    members: Map<String, Value>,
}

/// Reads a bundle. An object becomes a node if it carries the extension or takes part in a relationship that says who needs whom; everything else
/// is passed over. A relationship with the extension says that its source needs its target, whatever its type. Of several versions the latest
/// counts, and nothing revoked. Granular markings count for the whole object (L-123).
///
/// # Errors
/// What is wrong, with file, line and name.
pub fn read_stix(bytes: &[u8], import: &Import<'_>) -> Result<Model, ImportError> {
    let text = text(bytes, import)?;
    let limits = stix::Limits::default();
    let bundle = stix::bundle::read(bytes, &limits).map_err(|e| ImportError {
        position: Some(place(import.file, 1, 0)),
        fault: ImportFault::Syntax(e.to_string()),
    })?;
    let lines = Lines::of(import.file, text);
    let extension = extension_id();
    let mut latest: BTreeMap<String, Item<'_>> = BTreeMap::new();
    // In the order of the file.
    let mut order: Vec<String> = Vec::new();
    for raw in bundle.parts() {
        let at = Place { position: position_of(raw, text, &lines), import };
        let members: Map<String, Value> =
            serde_json::from_str(raw).map_err(|e| at.fault(ImportFault::Syntax(format!("no STIX object: {e}"))))?;
        let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
        if !NODE_TYPES.contains(&kind) && kind != "relationship" {
            continue;
        }
        let Some(id) = members.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(at.fault(ImportFault::Missing { of: format!("a `{kind}`"), what: "an `id`" }));
        };
        id.parse::<stix::AnyId>().map_err(|_| at.bad(&id, "id", &id, "`type--UUID`"))?;
        let modified = |m: &Map<String, Value>| {
            m.get("modified").and_then(Value::as_str).and_then(|t| stix::Timestamp::parse(t).ok())
        };
        match latest.get_mut(&id) {
            Some(known) if modified(&known.members) >= modified(&members) => {}
            Some(known) => *known = Item { raw, members },
            None => {
                order.push(id.clone());
                latest.insert(id, Item { raw, members });
            }
        }
    }
    latest.retain(|_, item| item.members.get("revoked") != Some(&Value::Bool(true)));
    order.retain(|id| latest.contains_key(id));

    let reader = Reader { import, text, lines: &lines, extension: &extension, items: &latest };
    let mut needs = Vec::new();
    for id in &order {
        if let Some(need) = reader.need(id)? {
            needs.push(need);
        }
    }
    let names = reader.names(&order, &needs)?;
    let mut nodes = Descriptions::default();
    for id in &order {
        if let Some(name) = names.get(id.as_str()) {
            reader.node(id, name, &mut nodes)?;
        }
    }
    for (relationship, source, target) in needs {
        reader.edge(relationship, &names[source], &names[target], &mut nodes)?;
    }
    let mut builder = ModelBuilder::new();
    nodes.write(import, &mut builder)?;
    import.build(builder)
}

struct Reader<'r> {
    import: &'r Import<'r>,
    text: &'r str,
    lines: &'r Lines,
    extension: &'r str,
    items: &'r BTreeMap<String, Item<'r>>,
}

/// (relationship, who needs, what is needed)
type Relation<'r> = (&'r str, &'r str, &'r str);

impl<'r> Reader<'r> {
    fn at(&self, item: &Item<'_>) -> Place<'r> {
        Place { position: position_of(item.raw, self.text, self.lines), import: self.import }
    }

    fn extension_of<'m>(&self, item: &'m Item<'_>) -> Option<&'m Map<String, Value>> {
        item.members.get("extensions")?.get(self.extension)?.as_object()
    }

    /// What a relationship says, if it says who needs whom.
    fn need(&self, id: &'r str) -> Result<Option<Relation<'r>>, ImportError> {
        let item = &self.items[id];
        let text = |member: &str| item.members.get(member).and_then(Value::as_str);
        if text("type") != Some("relationship") {
            return Ok(None);
        }
        let kind = text("relationship_type").unwrap_or_default();
        let forward = FORWARD.contains(&kind) || self.extension_of(item).is_some();
        if !forward && !BACKWARD.contains(&kind) {
            return Ok(None);
        }
        let at = self.at(item);
        let end = |member: &'static str, what: &'static str| -> Result<Option<&'r str>, ImportError> {
            let Some(end) = text(member) else {
                return Err(at.fault(ImportFault::Missing { of: format!("`{id}`"), what }));
            };
            let may = end.split_once("--").is_some_and(|(kind, _)| NODE_TYPES.contains(&kind));
            if !may {
                return Ok(None);
            }
            if let Some((known, _)) = self.items.get_key_value(end) {
                return Ok(Some(known));
            }
            let fault = crate::resilience::ModelFault::Undefined { name: end.to_owned(), used_by: id.to_owned() };
            Err(at.fault(ImportFault::Model(fault)))
        };
        let (source, target) = (end("source_ref", "`source_ref`")?, end("target_ref", "`target_ref`")?);
        Ok(match (source, target) {
            (Some(source), Some(target)) if forward => Some((id, source, target)),
            (Some(source), Some(target)) => Some((id, target, source)),
            _ => None,
        })
    }

    /// The nodes with their names in the model: the extension's `node`, else the object's name if no other has it, else its id.
    fn names(&self, order: &'r [String], needs: &[Relation<'r>]) -> Result<HashMap<&'r str, String>, ImportError> {
        let ends: std::collections::HashSet<&str> = needs.iter().flat_map(|(_, a, b)| [*a, *b]).collect();
        let mut wanted: Vec<(&str, Option<String>, bool)> = Vec::new();
        let mut count: HashMap<String, usize> = HashMap::new();
        for id in order {
            let item = &self.items[id.as_str()];
            let extension = self.extension_of(item);
            let kind = item.members.get("type").and_then(Value::as_str).unwrap_or_default();
            if kind == "relationship" || (extension.is_none() && !ends.contains(id.as_str())) {
                continue;
            }
            let chosen = extension.and_then(|e| e.get("node")).and_then(Value::as_str).map(str::to_owned);
            let name = chosen.clone().or_else(|| item.members.get("name").and_then(Value::as_str).map(str::to_owned));
            if let Some(name) = &name {
                *count.entry(name.clone()).or_default() += 1;
            }
            wanted.push((id, name, chosen.is_some()));
        }
        let mut names = HashMap::new();
        for (id, name, chosen) in wanted {
            let alone = name.as_ref().is_some_and(|n| count[n] == 1);
            if chosen && !alone {
                let name = name.unwrap_or_default();
                let fault = crate::resilience::ModelFault::DefinedTwice { name, first: None };
                return Err(self.at(&self.items[id]).fault(ImportFault::Model(fault)));
            }
            names.insert(id, name.filter(|_| alone).unwrap_or_else(|| id.to_owned()));
        }
        Ok(names)
    }

    fn node(&self, id: &str, name: &str, nodes: &mut Descriptions) -> Result<(), ImportError> {
        let item = &self.items[id];
        let at = self.at(item);
        let node = nodes.node(name, &at.position);
        let set =
            |nodes: &mut Descriptions, field: &str, value: &str| match NODE_FIELDS.iter().position(|f| *f == field) {
                Some(field) => nodes.set(node, field, value, &at),
                None => Ok(()),
            };
        for (member, value) in self.extension_of(item).into_iter().flatten() {
            if matches!(member.as_str(), "extension_type" | "node") {
                continue;
            }
            // Labels are the object's markings, and nothing else.
            if !NODE_FIELDS.contains(&member.as_str()) || member == "labels" {
                return Err(unknown(member, name, &at));
            }
            if let Some(value) = scalar(value, name, member, &at)? {
                set(nodes, member, &value)?;
            }
        }
        let title =
            item.members.get("name").and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty() && *t != name);
        if let Some(title) = title
            && self.extension_of(item).is_none_or(|e| !e.contains_key("title"))
        {
            set(nodes, "title", title)?;
        }
        let markings = markings(item);
        if !markings.is_empty() {
            set(nodes, "labels", &markings)?;
        }
        Ok(())
    }

    fn edge(&self, id: &str, node: &str, needs: &str, nodes: &mut Descriptions) -> Result<(), ImportError> {
        let item = &self.items[id];
        let at = self.at(item);
        let mut values: Vec<(&str, String)> = vec![("labels", markings(item))];
        let mut order = None;
        for (member, value) in self.extension_of(item).into_iter().flatten() {
            match member.as_str() {
                "extension_type" => {}
                "order" => {
                    let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
                    let text = value.to_string();
                    order = Some(number.ok_or_else(|| at.bad(node, "order", &text, "a whole number from 0"))?);
                }
                other => {
                    let field = EDGE_FIELDS.iter().find(|f| **f == other && other != "labels");
                    let field = field.ok_or_else(|| unknown(other, node, &at))?;
                    values.extend(scalar(value, node, other, &at)?.map(|v| (*field, v)));
                }
            }
        }
        let found = |f: &str| values.iter().find(|(n, v)| *n == f && !v.is_empty()).map(|(_, v)| v.as_str());
        let need = Need { order, ..Need::read(&at, node, needs, found)? };
        let index = nodes.node(node, &at.position);
        nodes.need(index, need);
        Ok(())
    }
}

fn unknown(member: &str, of: &str, at: &Place<'_>) -> ImportError {
    let inside = format!("the extension of `{of}`: see docs/reference/resilience-extension.md");
    at.fault(ImportFault::UnknownElement { element: member.to_owned(), inside })
}

/// All markings of an object, granular ones too, as a list in text.
fn markings(item: &Item<'_>) -> String {
    let of_object = item.members.get("object_marking_refs").and_then(Value::as_array).into_iter().flatten();
    let granular = item.members.get("granular_markings").and_then(Value::as_array).into_iter().flatten();
    let granular = granular.filter_map(|g| g.get("marking_ref"));
    of_object.chain(granular).filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
