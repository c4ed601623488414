//! The quarantine: what could not be read, and what could not be labelled. Visible to the operator, nobody else's to see but the sender's own objects;
//! nothing in it is lost, everything can be replayed.

use crate::{
    Node, NodeError,
    ingest::{Head, Relabel},
    world::{RightsAt, World},
};
use label::Origin;
use std::collections::{BTreeMap, BTreeSet};
use stix::{AnyId, Id, Limits, Object, id::MarkingDefinition};
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
        let mut row = self.store.quarantine_get(no)?;
        let now = self.now();
        let world = self.world_at(now)?;
        let default = match label {
            Some(name) => vec![world.catalogue_marking(name)?],
            // A peer may have told a label of its own, which the rejected bytes do not hold: the collection's could be weaker (I4).
            None if no >= 0 && matches!(row.origin, Origin::Peer { .. }) => Vec::new(),
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
        let raw = row.raw.take().unwrap_or_default();
        let text = std::str::from_utf8(&raw)
            .map_err(|_| NodeError::Refused("the bytes are not UTF-8; drop the row".to_owned()))?;
        let object = match Object::parse(text, &Limits::default()) {
            Ok(object) => object,
            Err(error) => return Err(NodeError::Refused(format!("still unreadable: {error}"))),
        };
        may_still_bring(&world, &row, &object)?;
        let act = Act {
            kind: "quarantine".to_owned(),
            by: crate::world::OPERATOR.to_owned(),
            body: serde_json::json!({"replayed": no}),
        };
        let alongside = Alongside { act: Some(act), ..Alongside::default() };
        let (intake, _) = self.take_in(&head, vec![object], &BTreeMap::new(), alongside, None)?;
        self.quarantine_drop(no)?;
        Ok(intake.quarantined == 0)
    }

    /// Drops a row for good: the bytes, or the quarantined roads of an instance.
    pub fn quarantine_drop(&self, no: i64) -> Result<(), NodeError> {
        let guard = self.act_guard();
        let now = self.now();
        let world = self.world();
        let row = self.store.quarantine_get(no)?;
        let act = Act {
            kind: "quarantine".to_owned(),
            by: crate::world::OPERATOR.to_owned(),
            body: serde_json::json!({"dropped": no}),
        };
        self.store.quarantine_drop(no, &RightsAt::new(&world, now), &act, now)?;
        self.follow_epoch(&guard)?;
        self.renew_copies(&guard);
        let marking = row.id.filter(|_| no < 0).and_then(|id| id.parse::<AnyId>().ok());
        match marking.and_then(|id| Id::<MarkingDefinition>::try_from(&id).ok()) {
            Some(marking) => self.define_anew(&guard, &BTreeSet::from([marking])),
            None => Ok(()),
        }
    }
}

/// I4: whoever sent what was refused has to be allowed to bring it now: the agreement may have been what refused it.
fn may_still_bring(world: &World, row: &Quarantined, object: &Object) -> Result<(), NodeError> {
    let creator = object.view().created_by.as_ref();
    let (party, pulled) = match &row.origin {
        Origin::Own { .. } => return Ok(()),
        Origin::Partner { partner, .. } => (partner, false),
        Origin::Peer { peer } => (peer, true),
    };
    let alias = world.collections.get(&row.collection).map(|c| c.new.alias.as_str()).unwrap_or_default();
    let accept = world.config.agreements.get(party).and_then(|file| file.agreement.accepts(alias));
    if accept.is_some_and(|accept| if pulled { accept.carries_for(creator) } else { accept.speaks_for(creator) }) {
        return Ok(());
    }
    let creator = creator.map_or_else(|| "objects without a creator".to_owned(), |creator| format!("`{creator}`"));
    Err(NodeError::Refused(format!(
        "the agreement with `{party}` does not let it speak for {creator} in `{alias}`; add the identity to its [[accept]], or drop the row"
    )))
}
