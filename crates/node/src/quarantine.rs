//! The quarantine: what could not be read, and what could not be labelled. Visible to the operator, nobody else's to see but the sender's own objects;
//! nothing in it is lost, everything can be replayed.

use crate::{
    Node, NodeError,
    ingest::{Head, Relabel},
    world::RightsAt,
};
use std::collections::BTreeMap;
use stix::{Limits, Object};
use store::{Act, Alongside, Quarantined};

/// Rows listed at once.
pub const QUARANTINE_PAGE_MAX: usize = 1_000;

impl Node {
    /// Rows after `after`, oldest first.
    pub fn quarantine(&self, after: Option<i64>, limit: usize) -> Result<Vec<Quarantined>, NodeError> {
        Ok(self.store.quarantine(after, limit.min(QUARANTINE_PAGE_MAX))?)
    }

    /// One row with its bytes.
    pub fn quarantine_get(&self, no: i64) -> Result<Quarantined, NodeError> {
        Ok(self.store.quarantine_get(no)?)
    }

    /// Tries a row again: unreadable bytes are parsed anew, an instance is labelled anew. `label` (a catalogue name) goes to what carries no label; without
    /// it the collection's default does. Returns whether the row left the quarantine.
    pub fn quarantine_replay(&self, no: i64, label: Option<&str>) -> Result<bool, NodeError> {
        let row = self.store.quarantine_get(no)?;
        let now = self.now();
        let world = self.world_at(now)?;
        let default = match label {
            Some(name) => vec![world.catalogue_marking(name)?],
            // A peer may have told a label of its own, which the rejected bytes do not hold: the collection's could be weaker (I4).
            None if no >= 0 && matches!(row.origin, label::Origin::Peer { .. }) => Vec::new(),
            None => world.collections.get(&row.collection).map_or_else(Vec::new, |c| c.new.default_markings.clone()),
        };
        let head = Head {
            collection: row.collection,
            origin: row.origin.clone(),
            accepted: now,
            default: default.clone(),
            relabelled: false,
        };
        if let Ok(instance) = store::InstanceNo::try_from(-(no + 1))
            && no < 0
        {
            let chosen = if label.is_some() { Relabel::Chosen(default) } else { Relabel::OrDefault };
            return Ok(self.resolve_again(&[instance], &chosen, crate::world::OPERATOR)? > 0);
        }
        let raw = row.raw.unwrap_or_default();
        let text = std::str::from_utf8(&raw)
            .map_err(|_| NodeError::Refused("the bytes are not UTF-8; drop the row".to_owned()))?;
        let object = match Object::parse(text, &Limits::default()) {
            Ok(object) => object,
            Err(error) => return Err(NodeError::Refused(format!("still unreadable: {error}"))),
        };
        let act = Act {
            kind: "quarantine".to_owned(),
            by: crate::world::OPERATOR.to_owned(),
            body: serde_json::json!({"replayed": no}),
        };
        let alongside = Alongside { act: Some(act), ..Alongside::default() };
        let (intake, _) = self.take_in(&head, vec![object], &BTreeMap::new(), &alongside, None, |_| None)?;
        self.quarantine_drop(no)?;
        Ok(intake.quarantined == 0)
    }

    /// Drops a row for good: the bytes, or the quarantined roads of an instance.
    pub fn quarantine_drop(&self, no: i64) -> Result<(), NodeError> {
        let guard = self.act_guard();
        let now = self.now();
        let world = self.world();
        let act = Act {
            kind: "quarantine".to_owned(),
            by: crate::world::OPERATOR.to_owned(),
            body: serde_json::json!({"dropped": no}),
        };
        self.store.quarantine_drop(no, &RightsAt::new(&world, now), &act, now)?;
        self.follow_epoch(&guard)
    }
}
