//! Which indicators are watched for: what the operator's lines show in the realm (I8), which is what the organisation itself may have, through the gate.

use super::Detector;
use crate::{
    Node, NodeError,
    release::Ask,
    world::{OPERATOR, World},
};
use label::CollectionNo;
use std::collections::BTreeSet;
use stix::AnyId;
use store::{Filter, Slot, Versions};

/// Indicators of one page.
const PAGE_INDICATORS: usize = 1_000;
/// Microseconds between two times that everything is read anew, to drop what is not shown any more. Meanwhile such an indicator matches nothing either: each
/// match asks again.
const PRUNE_INTERVAL_US: i64 = 60_000_000;

impl Node {
    /// Takes up what is new in the lines; from time to time, if who may see what has changed, drops what is gone.
    pub(super) fn follow_indicators(&self, detector: &mut Detector, world: &World, now: i64) -> Result<(), NodeError> {
        let due = match detector.pruned {
            None => true,
            Some((epoch, at)) => epoch != world.epoch && !(at..at.saturating_add(PRUNE_INTERVAL_US)).contains(&now),
        };
        let mut shown = BTreeSet::new();
        let here: Vec<CollectionNo> =
            world.collections.values().filter(|c| c.new.realm == detector.realm).map(|c| c.no).collect();
        for collection in here {
            let after = if due { None } else { detector.read.get(&collection).copied() };
            if let Some(last) = self.read_indicators(detector, world, collection, after, &mut shown)? {
                detector.read.insert(collection, last);
            }
        }
        if due {
            let gone: Vec<AnyId> = detector.watch.indicators().filter(|id| !shown.contains(*id)).cloned().collect();
            for id in &gone {
                detector.watch.remove(id);
            }
            detector.unwatched = shown.iter().filter(|id| !detector.watch.watches(id)).count() as u64;
            detector.pruned = Some((world.epoch, now));
        }
        Ok(())
    }

    /// Reads one line from a slot on; returns the last slot read.
    fn read_indicators(
        &self,
        detector: &mut Detector,
        world: &World,
        collection: CollectionNo,
        mut after: Option<Slot>,
        shown: &mut BTreeSet<AnyId>,
    ) -> Result<Option<Slot>, NodeError> {
        let Some(line) = world.operator_line(collection) else { return Ok(None) };
        let filter = Filter {
            types: vec!["indicator".to_owned()],
            versions: Versions { last: true, ..Versions::default() },
            ..Filter::default()
        };
        loop {
            let ask = Ask {
                line,
                after,
                limit: PAGE_INDICATORS,
                filter: filter.clone(),
                filter_digest: [0; 32],
                content: true,
                channel: "detection".into(),
                confirms: None,
            };
            let given = self.give_unrecorded(OPERATOR, &ask)?;
            for item in given.items.iter().map(label::Released::object) {
                if let Ok(id) = item.id.parse() {
                    shown.insert(id);
                }
                let Ok(serde_json::Value::Object(indicator)) = serde_json::from_str(&item.raw) else { continue };
                if let Err(why) = detector.watch.put(&indicator) {
                    detector.unwatched += 1;
                    tracing::debug!(indicator.id = %item.id, %why, "an indicator is not watched for");
                }
            }
            after = given.last.or(after);
            if !given.more {
                return Ok(after);
            }
        }
    }
}
