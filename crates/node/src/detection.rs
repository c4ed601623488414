//! Indicators run over what comes into detection collections.
//!
//! Nothing is matched while a contributor waits: a reply to a post is the same whether or not anything matches (I1). The queue is the operator's own line
//! over the collection, which holds what arrived, in order, for good; where detection stands in it moves in the transaction that stores the alerts and
//! sightings (I2). What is remembered beyond that, partial matches and open sightings, is made again from the store at start.
//!
//! In order ([`Node::detect`], every second): the indicators that the operator's lines show in the realm are brought up to date · observations after the
//! last place are read, with their observables · the engine says what matches · each indicator is asked about again, now, through the gate's own
//! decision · alerts, sightings, the audit leaf and the new place are stored as one.

mod indicators;
mod matching;

use crate::{
    Node, NodeError,
    config::{Config, DetectionFile},
    world::{OPERATOR, World},
};
use detect::{Policy, Sightings, Watch};
use label::CollectionNo;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};
use stix::pattern::Bounds;
use store::{Epoch, Slot};

/// Observations that are matched and stored as one: few enough that a writer waits milliseconds.
const DETECTION_PAGE_OBSERVATIONS: usize = 500;
/// Pages of one turn, so that other jobs get theirs.
const PAGES_MAX: usize = 40;
/// Seconds for which a pattern of several observations combines them, and for which they are read again at start.
const DETECTION_RETENTION_S: u64 = 86_400;
/// Observations that are read again at start for patterns of several; of more the latest.
const REPLAY_OBSERVATIONS_MAX: usize = 100_000;
/// Alerts in one listing.
pub(crate) const ALERTS_PAGE_MAX: usize = 1_000;
/// Under this name detection keeps its places beside those of pulls; no peer can be named so.
const PLACE: &str = "#detection";

/// All detection collections. Whatever is in here can be made again from configuration and store.
#[derive(Debug, Default)]
pub(crate) struct Detection {
    config: Option<Arc<Config>>,
    detectors: BTreeMap<CollectionNo, Detector>,
}

/// One detection collection.
#[derive(Debug)]
struct Detector {
    collection: CollectionNo,
    realm: String,
    into: CollectionNo,
    file: DetectionFile,
    watch: Watch,
    sightings: Sightings,
    /// The slot up to which observations were matched; `None` before the first.
    place: Option<Slot>,
    /// Slots up to which indicators were read, by collection.
    read: BTreeMap<CollectionNo, Slot>,
    /// The epoch under which everything that is not shown any more was last dropped, and when.
    pruned: Option<(Epoch, i64)>,
    /// Indicators that cannot be watched for.
    unwatched: u64,
}

impl Detector {
    fn new(world: &World, collection: CollectionNo, realm: &str, file: &DetectionFile) -> Option<Self> {
        let alias = &world.collections.get(&collection)?.new.alias;
        let lists = world.config.warning_lists.get(alias).cloned().unwrap_or_default();
        let bounds = Bounds { retention: Some(Duration::from_secs(DETECTION_RETENTION_S)), ..Bounds::default() };
        let own = world.config.node.identity.any();
        let policy = Policy {
            window_us: Some(i64::from(file.window_s) * 1_000_000),
            evidence: file.evidence,
            created_by: Some(own.clone()),
            where_sighted: vec![own],
        };
        Some(Self {
            collection,
            realm: realm.to_owned(),
            into: world.collection(&file.sightings)?.no,
            file: file.clone(),
            watch: Watch::new(file.switches(), lists, bounds),
            sightings: Sightings::new(policy),
            place: None,
            read: BTreeMap::new(),
            pruned: None,
            unwatched: 0,
        })
    }
}

impl Node {
    /// Matches what came into detection collections since the last turn. A collection in which something fails starts anew from the store at the next
    /// turn; the first failure is returned after the others had theirs.
    pub fn detect(&self) -> Result<(), NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let mut detection = self.detection();
        if detection.config.as_ref().is_none_or(|config| !Arc::ptr_eq(config, &world.config)) {
            detection.detectors.clear();
            detection.config = Some(Arc::clone(&world.config));
        }
        let mut outcome = Ok(());
        for file in &world.config.node.collections {
            let Some(settings) = &file.detection else { continue };
            let Some(collection) = world.collection(&file.alias) else { continue };
            let known = detection.detectors.remove(&collection.no);
            let made = match known {
                Some(detector) => Ok(Some(detector)),
                None => match Detector::new(&world, collection.no, &collection.new.realm, settings) {
                    Some(mut detector) => self.take_up(&mut detector, &world, now).map(|()| Some(detector)),
                    None => Ok(None),
                },
            };
            let turned = made.and_then(|detector| {
                let Some(mut detector) = detector else { return Ok(None) };
                self.follow_indicators(&mut detector, &world, now)?;
                for _ in 0..PAGES_MAX {
                    if !self.match_page(&mut detector)? {
                        break;
                    }
                }
                Ok(Some(detector))
            });
            match turned {
                Ok(Some(detector)) => {
                    detection.detectors.insert(collection.no, detector);
                }
                Ok(None) => {}
                Err(error) if outcome.is_ok() => outcome = Err(error),
                Err(error) => tracing::error!(%error, collection.alias = %file.alias, "detection failed"),
            }
        }
        let watched: usize = detection.detectors.values().map(|detector| detector.watch.len()).sum();
        self.counters.indicators_watched.store(watched as u64, Ordering::Relaxed);
        outcome
    }

    fn detection(&self) -> MutexGuard<'_, Detection> {
        self.detection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Alerts, oldest first, for the operator.
    pub(crate) fn list_alerts(&self, after: Option<i64>) -> Result<Value, NodeError> {
        let row = |alert: store::Alert| {
            let mut row: Value = serde_json::from_str(&alert.new.body).unwrap_or_default();
            if let Some(members) = row.as_object_mut() {
                members.insert("no".to_owned(), alert.no.into());
                members.insert("at".to_owned(), stix::Timestamp::from_micros(alert.new.at).as_str().into());
            }
            row
        };
        Ok(self.store.alerts(after, ALERTS_PAGE_MAX)?.into_iter().map(row).collect())
    }

    /// What detection watches for, and where it stands.
    pub(crate) fn detection_report(&self) -> Result<Value, NodeError> {
        let world = self.world();
        let detection = self.detection();
        let mut rows = Vec::new();
        for file in world.config.node.collections.iter().filter(|c| c.detection.is_some()) {
            let Some(collection) = world.collection(&file.alias) else { continue };
            let place = self.store.pull_state(PLACE, &collection.new.id.to_string())?;
            let matched_to = place.map(|place| stix::Timestamp::from_micros(place.at).as_str().to_owned());
            let lists = world.config.warning_lists.get(&file.alias);
            let detector = detection.detectors.get(&collection.no);
            rows.push(json!({
                "collection": file.alias,
                "realm": file.realm,
                "sightings": file.detection.as_ref().map(|d| d.sightings.as_str()),
                "indicators": detector.map(|d| d.watch.len()),
                "indicators_not_watched": detector.map(|d| d.unwatched),
                "observations_remembered": detector.map(|d| d.watch.held()),
                "observations_forgotten": detector.map(|d| d.watch.forgotten()),
                "warning_lists": lists.map(|lists| lists.len()),
                "matched": matched_to,
            }));
        }
        Ok(Value::from(rows))
    }
}

impl World {
    /// The operator's line over a collection, if the operator reads it.
    fn operator_line(&self, collection: CollectionNo) -> Option<store::Line> {
        let reader = self.reader(OPERATOR)?;
        reader.collections.contains_key(&collection).then_some(store::Line { reader: reader.no, collection })
    }
}
