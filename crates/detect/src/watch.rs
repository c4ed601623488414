//! Indicators that are watched for: which of them count, what they match, and which of the matches say nothing.

use crate::{Conjunction, Value, Warning, WarningLists};
use serde_json::{Map, Value as Json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use stix::{
    AnyId, Timestamp,
    pattern::{
        Bounds, Comparator, Constant, Engine, Expression, Indicator, IndicatorError, MatchError, Observation, Pattern,
        PatternId, Predicate, Selection, Skipped, Step,
    },
};

/// Indicators watched at once.
pub const INDICATORS_MAX: usize = 1_000_000;

/// What is done with values on warning lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnWarning {
    /// The lists are not asked.
    Ignore,
    /// The match is told, with the lists.
    #[default]
    Note,
    /// A match of nothing but values on lists is not told, only counted.
    Suppress,
}

/// What of an indicator decides whether it is watched for; each switchable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// Observations before `valid_from` or from `valid_until` on do not match (P-081).
    pub validity: bool,
    /// Revoked indicators do not match.
    pub revoked: bool,
    /// Indicators of less confidence, or that state none, do not match.
    pub confidence_min: Option<u8>,
    /// Warning lists.
    pub warnings: OnWarning,
}

impl Default for Switches {
    fn default() -> Self {
        Self { validity: true, revoked: true, confidence_min: None, warnings: OnWarning::Note }
    }
}

/// Why an indicator is not watched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unwatched {
    /// It is none that can be run (P-006, P-082).
    #[error(transparent)]
    Unreadable(#[from] IndicatorError),
    /// Its identifier or version has another form.
    #[error("`{0}` of the indicator is missing or has another form")]
    Malformed(&'static str),
    /// It is revoked.
    #[error("it is revoked")]
    Revoked,
    /// It states less confidence than is asked for, or none.
    #[error("it states too little confidence")]
    Confidence,
    /// [`INDICATORS_MAX`] are watched already.
    #[error("{INDICATORS_MAX} indicators are watched already")]
    TooMany,
}

impl Unwatched {
    /// Whether a switch leaves it out, so that nothing is wrong with it.
    pub fn by_choice(&self) -> bool {
        matches!(self, Self::Revoked | Self::Confidence)
    }
}

/// An indicator in use.
#[derive(Debug)]
struct Watched {
    in_engine: PatternId,
    version: Option<String>,
    text: Arc<str>,
    canonical: Arc<str>,
    markings: Conjunction,
    compared: Compared,
    several: bool,
}

/// What a pattern compares that warning lists speak of.
#[derive(Debug, Default)]
struct Compared {
    /// Constants that stand on a list, folded; a match whose object shows one of them is warned of.
    on_lists: HashMap<String, Vec<Warning>>,
    /// Constants that stand on none, folded; a match whose object shows one of them says something, whatever else it shows.
    others: BTreeSet<String>,
    /// Types of objects that the pattern compares in another way than by equality: there the value observed is looked up.
    open_types: BTreeSet<String>,
}

/// One indicator that is satisfied.
#[derive(Debug, Clone)]
pub struct Found {
    /// The indicator.
    pub indicator: AnyId,
    /// Its pattern as it is written there.
    pub pattern: Arc<str>,
    /// Its pattern in the one canonical spelling.
    pub canonical: Arc<str>,
    /// The markings that the indicator carries.
    pub markings: Conjunction,
    /// The observations bound, each once, in the order of the pattern's terms.
    pub observations: Vec<Arc<str>>,
    /// What warning lists say of the values.
    pub warnings: Vec<Warning>,
}

/// What an observation brought.
#[derive(Debug, Default)]
pub struct Findings {
    /// Indicators that are satisfied, in order of identifier.
    pub found: Vec<Found>,
    /// Matches that only hold values on warning lists and are not told.
    pub suppressed: usize,
    /// Indicators for which no answer was found within the bounds (P-041, P-056).
    pub undecided: Vec<(AnyId, MatchError)>,
}

/// A set of indicators over a stream of observations. No clock: what is valid when follows from the observations' times.
#[derive(Debug)]
pub struct Watch {
    switches: Switches,
    lists: Arc<WarningLists>,
    engine: Engine,
    watched: BTreeMap<AnyId, Watched>,
    by_pattern: HashMap<PatternId, AnyId>,
}

impl Watch {
    /// Watches for nothing yet.
    pub fn new(switches: Switches, lists: Arc<WarningLists>, bounds: Bounds) -> Self {
        Self { switches, lists, engine: Engine::new(bounds), watched: BTreeMap::new(), by_pattern: HashMap::new() }
    }

    /// How many indicators are watched for.
    pub fn len(&self) -> usize {
        self.watched.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Whether a pattern that asks for several observations is among them: its matches reach back to earlier ones.
    pub fn several(&self) -> bool {
        self.watched.values().any(|watched| watched.several)
    }

    /// Whether an indicator is watched for.
    pub fn watches(&self, id: &AnyId) -> bool {
        self.watched.contains_key(id)
    }

    /// Identifiers of the indicators that are watched for.
    pub fn indicators(&self) -> impl Iterator<Item = &AnyId> {
        self.watched.keys()
    }

    /// Observations that are remembered for patterns that need several, counted once for each pattern.
    pub fn held(&self) -> usize {
        self.engine.held()
    }

    /// Observations that were forgotten because a pattern remembered too many: matches with them may have been missed.
    pub fn forgotten(&self) -> u64 {
        self.engine.forgotten()
    }

    /// Takes up an indicator in the place of its other versions. The same version again changes nothing, an older one neither.
    ///
    /// # Errors
    /// Why it is not watched for; earlier versions of it are then not either.
    pub fn put(&mut self, indicator: &Map<String, Json>) -> Result<(), Unwatched> {
        let selection = Selection {
            validity: self.switches.validity,
            revocation: self.switches.revoked,
            confidence_min: self.switches.confidence_min,
        };
        self.put_selected(indicator, selection)
    }

    /// The same whatever the switches say, for a pattern that no indicator holds.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn put_always(&mut self, indicator: &Map<String, Json>) -> Result<(), Unwatched> {
        self.put_selected(indicator, Selection { validity: false, revocation: false, confidence_min: None })
    }

    fn put_selected(&mut self, indicator: &Map<String, Json>, selection: Selection) -> Result<(), Unwatched> {
        let text = |name: &str| indicator.get(name).and_then(Json::as_str);
        let id: AnyId = text("id").and_then(|id| id.parse().ok()).ok_or(Unwatched::Malformed("id"))?;
        let version = match text("modified").map(Timestamp::parse) {
            None => None,
            Some(Ok(at)) => Some(at.key().to_owned()),
            Some(Err(_)) => return Err(Unwatched::Malformed("modified")),
        };
        if let Some(known) = self.watched.get(&id)
            && (known.version > version || known.version == version && text("pattern") == Some(&*known.text))
        {
            return Ok(());
        }
        self.remove(&id);
        let read = Indicator::read(indicator)?;
        if self.watched.len() >= INDICATORS_MAX {
            return Err(Unwatched::TooMany);
        }
        let in_engine = self.engine.add_indicator(&read, &selection).map_err(|skipped| match skipped {
            Skipped::Revoked => Unwatched::Revoked,
            _ => Unwatched::Confidence,
        })?;
        let parsed = read.pattern;
        let mut markings = Conjunction::new();
        markings.add_object(indicator);
        let compared = if self.switches.warnings == OnWarning::Ignore {
            Compared::default()
        } else {
            Compared::of(&parsed, &self.lists)
        };
        self.by_pattern.insert(in_engine, id.clone());
        let several = !matches!(parsed.expression, Expression::Observed(_));
        let text = text("pattern").unwrap_or_default().into();
        self.watched.insert(
            id,
            Watched { in_engine, version, text, canonical: parsed.to_string().into(), markings, compared, several },
        );
        Ok(())
    }

    /// Watches for an indicator no longer.
    pub fn remove(&mut self, id: &AnyId) -> bool {
        let Some(gone) = self.watched.remove(id) else { return false };
        self.by_pattern.remove(&gone.in_engine);
        self.engine.remove(gone.in_engine)
    }

    /// Tells the present, in microseconds since 1970: observations that say to begin later make no window pass (see [`Engine::tell_time`]).
    pub fn tell_time(&mut self, now: i64) {
        self.engine.tell_time(Timestamp::from_micros(now).nanos());
    }

    /// Looks at the next observation. They come in order of time, or late by [`Bounds::lateness`] at most.
    pub fn observe(&mut self, observation: &Observation) -> Findings {
        let arrived = self.engine.push(observation);
        let mut findings = Findings::default();
        for hit in arrived.hits {
            let Some((id, watched)) =
                self.by_pattern.get(&hit.pattern).and_then(|id| Some((id, self.watched.get(id)?)))
            else {
                continue;
            };
            let (warnings, only) = watched.compared.warnings(observation, &self.lists, watched.several);
            if only && self.switches.warnings == OnWarning::Suppress {
                findings.suppressed += 1;
                continue;
            }
            findings.found.push(Found {
                indicator: id.clone(),
                pattern: Arc::clone(&watched.text),
                canonical: Arc::clone(&watched.canonical),
                markings: watched.markings.clone(),
                observations: hit.observations(),
                warnings,
            });
        }
        findings.found.sort_by(|a, b| a.indicator.cmp(&b.indicator));
        let name = |(pattern, error)| Some((self.by_pattern.get(&pattern)?.clone(), error));
        findings.undecided = arrived.undecided.into_iter().filter_map(name).collect();
        findings
    }
}

impl Compared {
    fn of(pattern: &Pattern, lists: &WarningLists) -> Self {
        let mut compared = Self::default();
        if lists.is_empty() {
            return compared;
        }
        for comparison in pattern.comparisons().into_iter().filter(|comparison| !comparison.negated) {
            let path = path_text(&comparison.path.steps);
            let object_type = &*comparison.path.object_type;
            let constants: &[Constant] = match &comparison.predicate {
                Predicate::Compare(Comparator::Equal, constant) => std::slice::from_ref(constant),
                Predicate::In(constants) => constants,
                Predicate::Like(_) | Predicate::Matches(_) | Predicate::IsSubset(_) | Predicate::IsSuperset(_) => {
                    // A reference leads to an object of another type.
                    let behind = if path.ends_with("_ref.value") { "ipv4-addr" } else { object_type };
                    compared.open_types.insert(behind.to_owned());
                    continue;
                }
                _ => continue,
            };
            for constant in constants {
                let text = match constant {
                    Constant::String(text) => text.to_string(),
                    Constant::Integer(number) => number.to_string(),
                    _ => continue,
                };
                let Some(value) = Value::of_comparison(object_type, &path, &text) else { continue };
                let warnings = lists.find(&value);
                if warnings.is_empty() {
                    compared.others.insert(text.to_lowercase());
                } else {
                    compared.on_lists.insert(text.to_lowercase(), warnings);
                }
            }
        }
        compared
    }

    /// What lists say of the values in an observation that the pattern speaks of, and whether it shows nothing else that the pattern asks for. Of a pattern
    /// of several observations the others are not at hand: there every constant must stand on a list.
    fn warnings(&self, observation: &Observation, lists: &WarningLists, several: bool) -> (Vec<Warning>, bool) {
        if self.on_lists.is_empty() && self.open_types.is_empty() {
            return (Vec::new(), false);
        }
        let mut found = BTreeSet::new();
        let mut only = !several || self.others.is_empty();
        for object in observation.objects() {
            for value in Value::of_object(object.properties()) {
                let text = value.text.to_lowercase();
                only &= !self.others.contains(&text);
                found.extend(self.on_lists.get(&text).into_iter().flatten().cloned());
                if self.open_types.contains(object.object_type()) {
                    found.extend(lists.find(&value));
                }
            }
        }
        only &= !found.is_empty();
        (found.into_iter().collect(), only)
    }
}

/// The steps as [`Value::of_comparison`] reads them: names joined by `.`, indexes as they are written.
fn path_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Property(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Index(_) | Step::Any => text.push_str("[*]"),
        }
    }
    text
}
