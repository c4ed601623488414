//! `entente match`: indicators run over data in files, without a node.

mod data;
mod report;

use super::{
    FAILED,
    pattern::{StixVersion, shown},
};
use crate::{eprint, print};
use clap::{Args, ValueEnum};
use data::{Objects, Source};
use detect::{Conjunction, Switches, Unwatched, WarningLists, Watch};
use report::Report;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use stix::{
    AnyId,
    pattern::{Bounds, IndicatorError, Observation, Version, parse_version},
};

/// Observations that one pattern keeps.
const HELD_MAX: usize = 100_000;
/// Seconds by which a line of a log may come late.
const LATENESS_S: u64 = 300;
/// Faulty lines and objects of one file that are told one by one; the rest are counted.
const FAULTS_TOLD_MAX: u64 = 20;

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
    /// What was observed: a log, or observed-data objects with what they refer to (bundles, lists or single objects of STIX 2.0 or 2.1, one after the other).
    /// `-` reads standard input. Plain or gzip; may be given more than once.
    #[arg(long, required = true)]
    data: Vec<PathBuf>,
    /// Format of the data: stix, zeek, suricata, windows, ocsf or list. Without it the beginning of the data decides.
    #[arg(long)]
    format: Option<String>,
    /// Match observations before `valid_from` and from `valid_until` on, too.
    #[arg(long)]
    ignore_validity: bool,
    /// Run revoked indicators, too.
    #[arg(long)]
    include_revoked: bool,
    /// Run only indicators that say at least this confidence.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=100))]
    confidence: Option<u8>,
    /// A warning list in MISP's form; may be given more than once. Plain or gzip.
    #[arg(long)]
    warning_list: Vec<PathBuf>,
    /// What becomes of matches on values that stand on a warning list.
    #[arg(long, value_enum, default_value_t = OnWarning::Note)]
    on_warning: OnWarning,
    /// Write a bundle with one sighting for each indicator, window and set of labels.
    #[arg(long)]
    sightings: Option<PathBuf>,
    /// Write a bundle with the observations that were matched.
    #[arg(long)]
    observations: Option<PathBuf>,
    /// Seconds for which matches of one indicator add up to one sighting; 0: all of them.
    #[arg(long, default_value_t = 3_600)]
    window: u32,
    /// The identity that observed: `created_by_ref` and `where_sighted_refs` of what is written.
    #[arg(long)]
    identity: Option<String>,
    /// TLP level, or id of a marking definition, that the observations bear; sightings bear it beside the indicator's own. May be given more than once.
    #[arg(long)]
    marking: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnWarning {
    /// Told, with the lists.
    Note,
    /// Counted only.
    Suppress,
    /// The lists are not asked.
    Ignore,
}

/// An observation on its way through the matcher.
struct Arrived {
    /// As patterns see it.
    observation: Observation,
    /// Everything that applies to it.
    markings: Conjunction,
    /// Observables and observed-data, to be written where it is evidence.
    objects: Vec<Map<String, Value>>,
}

impl Match {
    /// Runs over all data; a bad line or object is told and costs only itself.
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let format = match self.format.as_deref() {
            None => None,
            Some("stix") => Some(Source::Stix),
            Some(name) => Some(Source::Log(name.parse().map_err(|e| format!("--format: {e}; and stix"))?)),
        };
        let mut watch = Watch::new(self.switches(), Arc::new(self.lists()?), Self::bounds());
        let unnamed = self.unnamed(&mut watch)?;
        let skipped = self.indicators(&mut watch)?;
        if watch.is_empty() {
            return Err("there is no pattern to run: the bundle has no indicator that may be run".to_owned());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        watch.tell_time(now);
        let identity = self.identity.as_deref().map(|id| id.parse().map_err(|e| format!("--identity: {e}")));
        let options =
            detect::Options { format: None, at: now, created_by: identity.transpose()?, markings: self.markings()? };
        let evidence = self.sightings.is_some() || self.observations.is_some();
        let mut report = Report::new(&options, self.window, evidence, &watch, unnamed);
        for path in &self.data {
            let mut faults = 0;
            let mut fault = |text: String| {
                faults += 1;
                if faults <= FAULTS_TOLD_MAX {
                    eprint(&text);
                }
            };
            data::read(path, format, &options, &mut fault, &mut |arrived| {
                for found in report.take(&mut watch, arrived) {
                    print(&if json { found.to_string() } else { report::line(&found) });
                }
            })?;
            if faults > 0 {
                eprint(&format!("`{}`: {faults} lines or objects could not be read", path.display()));
            }
        }
        if let Some(path) = &self.sightings {
            write_bundle(path, &report.sightings(now))?;
        }
        if let Some(path) = &self.observations {
            write_bundle(path, &report.evidence())?;
        }
        if !json {
            eprint(&format!(
                "{} patterns, {skipped} not run; {} observations; {} matches",
                watch.len(),
                report.observations,
                report.matches
            ));
        }
        if report.suppressed > 0 {
            eprint(&format!("{} more matches only hold values on warning lists", report.suppressed));
        }
        if watch.forgotten() > 0 {
            eprint(&format!(
                "{} observations were forgotten by patterns that keep {HELD_MAX} at most: matches with them may be missing",
                watch.forgotten()
            ));
        }
        let whole = report.undecided == 0 && watch.forgotten() == 0;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    fn switches(&self) -> Switches {
        Switches {
            validity: !self.ignore_validity,
            revoked: !self.include_revoked,
            confidence_min: self.confidence,
            warnings: match self.on_warning {
                OnWarning::Note => detect::OnWarning::Note,
                OnWarning::Suppress => detect::OnWarning::Suppress,
                OnWarning::Ignore => detect::OnWarning::Ignore,
            },
        }
    }

    fn bounds() -> Bounds {
        Bounds { retention: None, lateness: Duration::from_secs(LATENESS_S), held_max: HELD_MAX }
    }

    fn lists(&self) -> Result<WarningLists, String> {
        let read = |path: &PathBuf| {
            let bytes = node::admin::read_unpacked(path).map_err(|e| told(&e))?;
            Ok::<_, String>((path.display().to_string(), bytes))
        };
        let files = self.warning_list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        WarningLists::compile(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
            .map_err(|e| e.to_string())
    }

    /// Takes up patterns that no indicator holds, under identifiers of their own, which are not told.
    fn unnamed(&self, watch: &mut Watch) -> Result<BTreeSet<AnyId>, String> {
        let version: Version = self.stix_version.into();
        let spelled = if version == Version::V20 { "2.0" } else { "2.1" };
        let mut unnamed = BTreeSet::new();
        for (i, text) in self.pattern.iter().enumerate() {
            parse_version(text, version).map_err(|e| shown(&e))?;
            let id = format!("indicator--ffffffff-ffff-4fff-8fff-{i:012x}");
            let object = json!({"type": "indicator", "id": id, "pattern": text, "pattern_version": spelled});
            if let Value::Object(object) = object {
                // Switches are for indicators.
                watch.put_always(&object).map_err(|e| told(&e))?;
            }
            unnamed.extend(id.parse::<AnyId>());
        }
        Ok(unnamed)
    }

    /// Takes up every indicator in its latest version; returns how many are not run.
    fn indicators(&self, watch: &mut Watch) -> Result<u64, String> {
        let mut skipped = 0;
        for path in &self.patterns {
            let objects = Objects::read(data::open(path)?, path)?;
            for (id, object) in objects.of_type("indicator") {
                let Err(why) = watch.put(object) else { continue };
                skipped += 1;
                if why.by_choice() {
                    continue;
                }
                let excerpt = match &why {
                    Unwatched::Unreadable(IndicatorError::Pattern(error)) => format!("\n{}", error.excerpt()),
                    _ => String::new(),
                };
                eprint(&format!("`{id}` is not run: {why}{excerpt}"));
            }
        }
        Ok(skipped)
    }

    fn markings(&self) -> Result<Conjunction, String> {
        let one = |text: &String| {
            if let Some(tlp) = label::Tlp::ALL.into_iter().find(|tlp| tlp.to_string() == *text) {
                return Ok(tlp.marking_id());
            }
            text.parse().map_err(|e| format!("--marking: neither TLP:CLEAR to TLP:RED nor the id of a marking: {e}"))
        };
        self.marking.iter().map(one).collect::<Result<Vec<_>, _>>().map(Conjunction::from_iter)
    }
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn write_bundle(path: &Path, objects: &[Map<String, Value>]) -> Result<(), String> {
    let id = node::Environment::system().random.uuid();
    let mut bundle = json!({"type": "bundle", "id": format!("bundle--{id}")});
    // An empty list is no STIX.
    if !objects.is_empty() {
        bundle["objects"] = json!(objects);
    }
    std::fs::write(path, bundle.to_string() + "\n").map_err(|e| format!("`{}`: {e}", path.display()))
}
