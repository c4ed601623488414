//! `entente match`: indicators run over observations in files.

use super::{
    FAILED,
    pattern::{StixVersion, shown},
};
use crate::{eprint, print};
use clap::Args;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use stix::pattern::{Bounds, Engine, Indicator, IndicatorError, Observation, PatternId, Selection, parse_version};

/// Bytes read of one input, inflated.
const INPUT_BYTES_MAX: u64 = 4 << 30;
/// Observations that one pattern keeps.
const HELD_MAX: usize = 100_000;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// `entente match`.
#[derive(Debug, Args)]
pub(crate) struct Match {
    /// A bundle with indicators; may be given more than once. Plain or gzip.
    #[arg(long, required_unless_present = "pattern")]
    patterns: Vec<PathBuf>,
    /// A pattern; may be given more than once.
    #[arg(long)]
    pattern: Vec<String>,
    /// The version of STIX that `--pattern` is written in.
    #[arg(long, value_enum, default_value_t)]
    stix_version: StixVersion,
    /// Observed-data objects with what they refer to: bundles, lists or single objects of STIX 2.0 or 2.1, one after the other. `-` reads standard input. Plain or gzip.
    #[arg(long)]
    data: PathBuf,
    /// Match observations before `valid_from` and from `valid_until` on, too.
    #[arg(long)]
    ignore_validity: bool,
    /// Run revoked indicators, too.
    #[arg(long)]
    include_revoked: bool,
    /// Run only indicators that say at least this confidence.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=100))]
    confidence: Option<u8>,
}

/// Patterns under their names.
struct Patterns {
    engine: Engine,
    /// Indicator, if it comes from one, and canonical spelling.
    names: HashMap<PatternId, (Option<Box<str>>, String)>,
    skipped: usize,
}

impl Match {
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let mut patterns = self.patterns()?;
        let objects = Objects::read(&self.data)?;
        let observations = objects.observations();
        let (mut matches, mut undecided) = (0_u64, 0_u64);
        for observation in &observations {
            let arrived = patterns.engine.push(observation);
            for hit in arrived.hits {
                matches += 1;
                let Some((indicator, pattern)) = patterns.names.get(&hit.pattern) else { continue };
                let ids = hit.observations();
                print(&if json {
                    let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
                    json!({"indicator": indicator, "pattern": pattern, "observations": ids}).to_string()
                } else {
                    format!("{}  {}", indicator.as_deref().unwrap_or(pattern), ids.join(" "))
                });
            }
            for (id, error) in arrived.undecided {
                undecided += 1;
                let name = patterns.names.get(&id).map_or("", |(name, pattern)| name.as_deref().unwrap_or(pattern));
                eprint(&format!("`{}` at `{name}`: {error}", observation.id()));
            }
        }
        if !json {
            eprint(&format!(
                "{} patterns, {} not run; {} observations; {matches} matches",
                patterns.engine.len(),
                patterns.skipped,
                observations.len()
            ));
        }
        if patterns.engine.forgotten() > 0 {
            eprint(&format!(
                "{} observations were forgotten by patterns that keep {HELD_MAX} at most: matches with them may be missing",
                patterns.engine.forgotten()
            ));
        }
        Ok(if undecided > 0 || patterns.engine.forgotten() > 0 { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
    }

    fn patterns(&self) -> Result<Patterns, String> {
        // Observations come in the order of time, all of them.
        let bounds = Bounds { retention: None, lateness: Duration::ZERO, held_max: HELD_MAX };
        let mut patterns = Patterns { engine: Engine::new(bounds), names: HashMap::new(), skipped: 0 };
        for text in &self.pattern {
            let pattern = parse_version(text, self.stix_version.into()).map_err(|e| shown(&e))?;
            let id = patterns.engine.add(&pattern);
            patterns.names.insert(id, (None, pattern.to_string()));
        }
        let selection = Selection {
            validity: !self.ignore_validity,
            revocation: !self.include_revoked,
            confidence_min: self.confidence,
        };
        for path in &self.patterns {
            let objects = Objects::read(path)?;
            let mut indicators: Vec<_> =
                objects.by_id.values().filter(|object| object.get("type") == Some(&Value::from("indicator"))).collect();
            // Latest versions, in an order that does not depend on the file.
            indicators.sort_by_key(|object| object.get("id").and_then(Value::as_str));
            for object in indicators {
                let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
                match Indicator::read(object) {
                    Ok(indicator) => match patterns.engine.add_indicator(&indicator, &selection) {
                        Ok(number) => {
                            let text = indicator.pattern.to_string();
                            patterns.names.insert(number, (Some(indicator.id), text));
                        }
                        Err(_) => patterns.skipped += 1,
                    },
                    Err(error) => {
                        patterns.skipped += 1;
                        let more = if let IndicatorError::Pattern(e) = &error {
                            format!("\n{}", e.excerpt())
                        } else {
                            String::new()
                        };
                        eprint(&format!("`{id}` is not run: {error}{more}"));
                    }
                }
            }
        }
        if patterns.engine.is_empty() {
            return Err("there is no pattern to run: the bundle has no indicator that may be run".to_owned());
        }
        Ok(patterns)
    }
}

/// Objects of an input by id, each in its latest version; those without an id are not kept.
struct Objects {
    by_id: HashMap<String, Map<String, Value>>,
}

impl Objects {
    fn read(path: &Path) -> Result<Self, String> {
        let fault = |e: &dyn std::fmt::Display| format!("`{}`: {e}", path.display());
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(|e| fault(&e))?)
        };
        let mut input = BufReader::new(input);
        let mut begin = Vec::new();
        input.by_ref().take(GZIP.len() as u64).read_to_end(&mut begin).map_err(|e| fault(&e))?;
        let is_gzip = begin == GZIP;
        let input = std::io::Cursor::new(begin).chain(input);
        let input: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        let mut bytes = Vec::new();
        input.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| fault(&e))?;
        if bytes.len() as u64 > INPUT_BYTES_MAX {
            return Err(fault(&format!("it has more than {INPUT_BYTES_MAX} bytes")));
        }
        let mut objects = Self { by_id: HashMap::new() };
        for document in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
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
                // Timestamps of one form sort as texts; an object without `modified` takes the place of one before it.
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

    /// Every observed-data object that can be matched, in the order of time; the others are told.
    fn observations(&self) -> Vec<Observation> {
        let mut observations = Vec::new();
        for (id, object) in &self.by_id {
            if object.get("type") != Some(&Value::from("observed-data")) {
                continue;
            }
            match Observation::from_observed_data(object, |id| self.by_id.get(id)) {
                Ok(observation) => observations.push(observation),
                Err(error) => eprint(&format!("`{id}` is not matched: {error}")),
            }
        }
        observations.sort_by(|a, b| (a.first(), a.id()).cmp(&(b.first(), b.id())));
        observations
    }
}
