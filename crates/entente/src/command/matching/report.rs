//! What matched, as it is told and as it is written.

use super::Arrived;
use crate::eprint;
use detect::{Found, Hit, Options, Policy, Seen, Sightings, Watch};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use stix::AnyId;

/// Observations kept for patterns of several, so that a match can name them all as evidence.
const RECENT_MAX: usize = 200_000;
/// Nanoseconds of a microsecond.
const NANOS: i128 = 1_000;

/// Counts, and what is to be written at the end.
pub(super) struct Report {
    pub(super) observations: u64,
    pub(super) matches: u64,
    pub(super) suppressed: u64,
    pub(super) undecided: u64,
    evidence: bool,
    /// Whether a match can reach back to an earlier observation.
    several: bool,
    sightings: Sightings,
    recent: HashMap<String, (Seen, Vec<Map<String, Value>>)>,
    order: VecDeque<String>,
    matched: BTreeMap<String, Map<String, Value>>,
    /// Patterns that no indicator holds: told without a name, and sighted nowhere.
    unnamed: BTreeSet<AnyId>,
}

impl Report {
    pub(super) fn new(
        options: &Options,
        window_s: u32,
        evidence: bool,
        watch: &Watch,
        unnamed: BTreeSet<AnyId>,
    ) -> Self {
        let identity = options.created_by.map(|identity| identity.any());
        let policy = Policy {
            window_us: (window_s > 0).then(|| i64::from(window_s) * 1_000_000),
            evidence: true,
            created_by: identity.clone(),
            where_sighted: identity.into_iter().collect(),
        };
        Self {
            observations: 0,
            matches: 0,
            suppressed: 0,
            undecided: 0,
            evidence,
            several: watch.several(),
            sightings: Sightings::new(policy),
            recent: HashMap::new(),
            order: VecDeque::new(),
            matched: BTreeMap::new(),
            unnamed,
        }
    }

    /// Matches an observation; one JSON value for each match.
    pub(super) fn take(&mut self, watch: &mut Watch, arrived: Arrived) -> Vec<Value> {
        self.observations += 1;
        let findings = watch.observe(&arrived.observation);
        self.suppressed += findings.suppressed as u64;
        self.undecided += findings.undecided.len() as u64;
        for (indicator, error) in &findings.undecided {
            let name = if self.unnamed.contains(indicator) { "--pattern" } else { indicator.as_str() };
            eprint(&format!("`{}` at `{name}`: {error}", arrived.observation.id()));
        }
        self.matches += findings.found.len() as u64;
        if self.evidence && (self.several || !findings.found.is_empty()) {
            self.remember(arrived);
            for found in &findings.found {
                self.add_up(found);
            }
            if !self.several {
                self.recent.clear();
                self.order.clear();
            }
        }
        findings.found.iter().map(|found| self.shown(found)).collect()
    }

    fn remember(&mut self, arrived: Arrived) {
        let observation = &arrived.observation;
        let id = observation.id().to_string();
        let Ok(parsed) = id.parse::<AnyId>() else { return };
        let micros = |nanos: i128| i64::try_from(nanos.div_euclid(NANOS)).unwrap_or(i64::MAX);
        let seen = Seen {
            id: parsed,
            first: micros(observation.first()),
            last: micros(observation.last()),
            number: observation.number(),
            markings: arrived.markings,
            // All of it was read by whoever gave the command.
            by: "".into(),
        };
        if self.recent.insert(id.clone(), (seen, arrived.objects)).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
    }

    fn add_up(&mut self, found: &Found) {
        let mut observations = Vec::new();
        for id in &found.observations {
            let Some((seen, objects)) = self.recent.get(&**id) else { continue };
            observations.push(seen.clone());
            for object in objects {
                if let Some(id) = object.get("id").and_then(Value::as_str) {
                    self.matched.entry(id.to_owned()).or_insert_with(|| object.clone());
                }
            }
        }
        if self.unnamed.contains(&found.indicator) {
            return;
        }
        let (indicator, markings) = (found.indicator.clone(), found.markings.clone());
        self.sightings.add(&Hit { indicator, markings, observations });
    }

    fn shown(&self, found: &Found) -> Value {
        let mut value = json!({
            "indicator": (!self.unnamed.contains(&found.indicator)).then_some(&found.indicator),
            "pattern": &*found.canonical,
            "observations": found.observations.iter().map(|id| &**id).collect::<Vec<_>>(),
        });
        if !found.warnings.is_empty() {
            value["warnings"] = found.warnings.iter().map(|w| json!({"value": w.value, "list": &*w.list})).collect();
        }
        value
    }

    /// The sightings, as objects made now (microseconds since 1970).
    pub(super) fn sightings(&mut self, now: i64) -> Vec<Map<String, Value>> {
        self.sightings.take(now).into_iter().map(|sighting| sighting.object).collect()
    }

    /// What was matched: observables and observed-data, each once.
    pub(super) fn evidence(&mut self) -> Vec<Map<String, Value>> {
        std::mem::take(&mut self.matched).into_values().collect()
    }
}

/// A match for people.
pub(super) fn line(found: &Value) -> String {
    let texts = |name: &str| found[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let name = found["indicator"].as_str().or_else(|| found["pattern"].as_str()).unwrap_or_default();
    let mut text = format!("{name}  {}", texts("observations").join(" "));
    let warnings: Vec<String> = found["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|w| format!("{} ({})", w["value"].as_str().unwrap_or_default(), w["list"].as_str().unwrap_or_default()))
        .collect();
    if !warnings.is_empty() {
        text = format!("{text}; on warning lists: {}", warnings.join(", "));
    }
    // Control characters of foreign text must not reach a terminal.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
