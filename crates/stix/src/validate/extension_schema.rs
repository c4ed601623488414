//! JSON Schemas of extensions: carried by an extension definition as text, or given by the caller.
//!
//! Schemas come from outside: they load nothing, and their size is bounded. The library's regular expressions run in linear time.

use super::{Check, Code, Finding, Level, text};
use crate::{
    ObjectError, canonical,
    json::{Map, Node, Path},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// Bytes of one schema.
pub const SCHEMA_BYTES_MAX: usize = 1 << 20;
/// Schemas known at a time.
pub const SCHEMAS_MAX: usize = 1_000;
/// Faults of one extension that are told.
const FAULTS_MAX: usize = 20;

/// Schemas of extensions whose definitions are known, by the definition's id.
#[derive(Default)]
pub struct Schemas {
    compiled: boon::Schemas,
    by_id: BTreeMap<String, boon::SchemaIndex>,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_id.keys()).finish()
    }
}

/// Nothing is fetched (S-161).
struct Nothing;

impl boon::UrlLoader for Nothing {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("a schema must not load `{url}`").into())
    }
}

impl Schemas {
    /// Adds the JSON Schema of an extension definition; its content under `extensions` is then checked against it.
    ///
    /// # Errors
    /// It is no JSON, no valid schema, refers to another document, or is beyond a bound.
    pub fn add(&mut self, definition: &str, schema: &str) -> Result<(), ObjectError> {
        let wrong = |cause: String| ObjectError::new("/schema", cause, "S-141");
        if schema.len() > SCHEMA_BYTES_MAX || self.by_id.len() >= SCHEMAS_MAX {
            return Err(wrong(format!(
                "it has more than {SCHEMA_BYTES_MAX} bytes, or there are more than {SCHEMAS_MAX} schemas"
            )));
        }
        let schema: Value = serde_json::from_str(schema).map_err(|e| wrong(format!("it is no JSON: {e}")))?;
        let url = format!("urn:stix:{definition}");
        let mut compiler = boon::Compiler::new();
        compiler.use_loader(Box::new(Nothing));
        compiler.add_resource(&url, schema).map_err(|e| wrong(e.to_string()))?;
        let index = compiler.compile(&url, &mut self.compiled).map_err(|e| wrong(e.to_string()))?;
        self.by_id.insert(definition.to_owned(), index);
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes the schema that an extension definition carries as text. A URL is none.
    pub(super) fn take(&mut self, definition: &Map<'_>) -> Option<Finding> {
        let (id, schema) = (text(definition, "id")?, text(definition, "schema")?);
        if !schema.trim_start().starts_with('{') {
            return None;
        }
        let error = self.add(id, schema).err()?;
        Some(Finding {
            level: Level::Warning,
            code: Code::ExtensionSchema,
            requirement: "S-141",
            path: error.path,
            message: crate::error::cut(&error.cause, 300).into(),
        })
    }
}

/// Checks every extension whose schema is known (S-145).
pub(super) fn check(check: &mut Check<'_>, schemas: &Schemas, extensions: &Map<'_>, path: &Path<'_>) {
    for (key, node) in extensions.iter() {
        let Some(index) = schemas.by_id.get(key) else { continue };
        let at = Path::Name(path, key);
        let mut form = Vec::new();
        canonical::write_node(&mut form, node);
        let Ok(value) = serde_json::from_slice::<Value>(&form) else { continue };
        // A schema that names its content without the member which STIX adds must not refuse that.
        let bare = without_type(node, &value);
        let fault = schemas.compiled.validate(&value, *index).err();
        let fault = match (fault, bare) {
            (Some(fault), Some(bare)) => schemas.compiled.validate(&bare, *index).err().map(|_| describe(&fault)),
            (Some(fault), None) => Some(describe(&fault)),
            (None, _) => None,
        };
        for message in fault.into_iter().flatten() {
            check.error(&at, Code::ExtensionSchema, "S-145", message);
        }
    }
}

fn without_type(node: &Node<'_>, value: &Value) -> Option<Value> {
    let Node::Map(map) = node else { return None };
    map.get("extension_type")?;
    let mut bare = value.clone();
    bare.as_object_mut()?.remove("extension_type");
    Some(bare)
}

/// The innermost faults, one sentence each, with no more of the content than a token.
fn describe(error: &boon::ValidationError<'_, '_>) -> Vec<String> {
    let mut open = vec![error];
    let mut told = Vec::new();
    while let Some(error) = open.pop() {
        if error.causes.is_empty() {
            let place = error.instance_location.to_string();
            let place = if place.is_empty() { "the content" } else { place.as_str() };
            let message = format!("{}: {}", crate::error::cut(place, 100), error.kind);
            told.push(crate::error::cut(&format!("it breaks the schema of its definition at {message}"), 300));
        }
        if told.len() >= FAULTS_MAX {
            break;
        }
        open.extend(&error.causes);
    }
    told
}
