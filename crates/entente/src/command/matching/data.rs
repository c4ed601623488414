//! Data of any kind as observations: STIX as a whole, logs line by line.

use super::{Arrived, told};
use detect::{
    Conjunction, Format, Mapped, Mapper, Options,
    lines::{Line, Lines},
};
use flate2::bufread::MultiGzDecoder;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};
use stix::pattern::Observation;

/// Bytes read of one STIX input, inflated: it is read whole, since an observed-data may stand before what it refers to.
const INPUT_BYTES_MAX: u64 = 4 << 30;
/// Bytes by which the format is recognised.
const HEAD_BYTES: usize = 64 << 10;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where data comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Bundles, lists or objects.
    Stix,
    /// A log.
    Log(Format),
}

/// Opens a file, or standard input for `-`, and inflates it if it is packed.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
    let mut input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::with_capacity(HEAD_BYTES, std::io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(HEAD_BYTES, File::open(path).map_err(failed)?))
    };
    if input.fill_buf().map_err(failed)?.starts_with(&GZIP) {
        input = Box::new(BufReader::with_capacity(HEAD_BYTES, MultiGzDecoder::new(input)));
    }
    Ok(input)
}

/// Reads `path` and hands out its observations; what cannot be read goes to `fault`.
pub(super) fn read(
    path: &Path,
    source: Option<Source>,
    options: &Options,
    fault: &mut dyn FnMut(String),
    each: &mut dyn FnMut(Arrived),
) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
    let mut input = open(path)?;
    let format = match source {
        Some(Source::Log(format)) => Some(format),
        Some(Source::Stix) => None,
        None if looks_like_stix(input.fill_buf().map_err(failed)?) => None,
        None => return log(input, path, options, fault, each),
    };
    if let Some(format) = format {
        return log(input, path, &Options { format: Some(format), ..options.clone() }, fault, each);
    }
    Objects::read(input, path)?.observations(options, fault).into_iter().for_each(each);
    Ok(())
}

/// A log, line by line.
fn log(
    input: Box<dyn BufRead>,
    path: &Path,
    options: &Options,
    fault: &mut dyn FnMut(String),
    each: &mut dyn FnMut(Arrived),
) -> Result<(), String> {
    let mut mapper = Mapper::new(options.clone());
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next_line().map_err(|e| format!("`{}`: {e}", path.display()))? {
        let outcome = match line {
            Line::Text(text) => mapper.line(text),
            Line::TooLong(bytes) => Err(mapper.too_long(bytes)),
        };
        match outcome {
            Ok(Mapped::Observation(seen)) => match seen.to_match() {
                Ok(observation) => {
                    let objects = seen.into_objects().collect();
                    each(Arrived { observation, markings: options.markings.clone(), objects });
                }
                Err(error) => fault(format!("`{}`: {}", path.display(), told(&error))),
            },
            Ok(Mapped::Nothing) => {}
            Err(error) => fault(format!("`{}`: {error}", path.display())),
        }
    }
    Ok(())
}

/// A bundle, an envelope or a list of them, as it begins; or an object that has an id of STIX.
fn looks_like_stix(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start().trim_start_matches('[').trim_start();
    if !text.starts_with('{') {
        return false;
    }
    let first = text.lines().next().unwrap_or_default();
    if let Ok(object) = serde_json::from_str::<Map<String, Value>>(first.trim_end().trim_end_matches([',', ']'])) {
        let id = object.get("id").and_then(Value::as_str);
        return object.contains_key("objects") || id.is_some_and(|id| id.parse::<stix::AnyId>().is_ok());
    }
    // Written over several lines, or longer than what is at hand: logs are not.
    let inside = text.trim_start_matches('{').trim_start();
    first.trim_end() == "{" || inside.starts_with("\"type\"") || text.contains("\"objects\"")
}

/// Objects of an input by id, each in its latest version; those without an id are not kept.
pub(super) struct Objects {
    by_id: BTreeMap<String, Map<String, Value>>,
}

impl Objects {
    /// Reads bundles, lists or objects, one after the other.
    pub(super) fn read(input: impl BufRead, path: &Path) -> Result<Self, String> {
        let fault = |e: &dyn std::fmt::Display| format!("`{}`: {e}", path.display());
        let mut bytes = Vec::new();
        input.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| fault(&e))?;
        if bytes.len() as u64 > INPUT_BYTES_MAX {
            return Err(fault(&format!("it has more than {INPUT_BYTES_MAX} bytes")));
        }
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let mut objects = Self { by_id: BTreeMap::new() };
        for document in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
            objects.take(document.map_err(|e| fault(&e))?);
        }
        Ok(objects)
    }

    /// A bundle, a list, or an object.
    fn take(&mut self, value: Value) {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.take(item);
                }
            }
            Value::Object(mut object) => {
                let is_bundle = object.get("type").is_none_or(|t| t == "bundle");
                if is_bundle && let Some(Value::Array(items)) = object.remove("objects") {
                    for item in items {
                        self.take(item);
                    }
                    return;
                }
                let Some(id) = object.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
                let held = self.by_id.entry(id).or_default();
                // An object without `modified` takes the place of one before it.
                let modified = |object: &Map<String, Value>| {
                    let text = object.get("modified").and_then(Value::as_str);
                    text.and_then(|text| stix::Timestamp::parse(text).ok())
                };
                if held.is_empty() || modified(held) <= modified(&object) {
                    *held = object;
                }
            }
            _ => {}
        }
    }

    /// The objects of a type, in order of id.
    pub(super) fn of_type(&self, type_name: &'static str) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let is_it = move |object: &Map<String, Value>| object.get("type").and_then(Value::as_str) == Some(type_name);
        self.by_id.iter().filter(move |(_, object)| is_it(object)).map(|(id, object)| (id.as_str(), object))
    }

    /// Every observed-data object that can be matched, in the order of time.
    fn observations(&self, options: &Options, fault: &mut dyn FnMut(String)) -> Vec<Arrived> {
        let mut all = Vec::new();
        for (id, object) in self.of_type("observed-data") {
            let observation = match Observation::from_observed_data(object, |id| self.by_id.get(id)) {
                Ok(observation) => observation,
                Err(error) => {
                    fault(format!("`{id}` is not matched: {}", told(&error)));
                    continue;
                }
            };
            let mut markings: Conjunction = options.markings.clone();
            markings.add_object(object);
            let refs = object.get("object_refs").and_then(Value::as_array).into_iter().flatten();
            let mut objects: Vec<Map<String, Value>> =
                refs.filter_map(|id| self.by_id.get(id.as_str()?)).cloned().collect();
            for object in &objects {
                markings.add_object(object);
            }
            objects.push(object.clone());
            all.push(Arrived { observation, markings, objects });
        }
        all.sort_by(|a, b| {
            (a.observation.first(), a.observation.id()).cmp(&(b.observation.first(), b.observation.id()))
        });
        all
    }
}
