//! Contents under one identifier that break the rules of versioning between them: kept, never shown in each other's place, and told here.

use super::inspect::origin_text;
use crate::{Node, NodeError, admin::manage::parse_id, world::World};
use serde_json::{Value, json};
use stix::{
    Limits, Object, Timestamp,
    version::{self, Facts},
};
use store::InstanceInfo;

/// Identifiers looked at for one reply; the reply says where to go on.
const IDS_AT_ONCE: usize = 10_000;
/// Conflicts in one reply.
pub(crate) const CONFLICTS_MAX: usize = 500;

impl Node {
    /// Conflicts of a realm in order of identifiers, after `after`.
    pub(super) fn conflicts(&self, realm: Option<&str>, after: Option<&str>) -> Result<Value, NodeError> {
        let world = self.world();
        let realm = realm.unwrap_or("live");
        let after = after.map(parse_id).transpose()?;
        let ids = self.store.several(realm, after.as_ref(), IDS_AT_ONCE)?;
        let mut rows = Vec::new();
        let mut next = (ids.len() == IDS_AT_ONCE).then(|| ids.last().cloned()).flatten();
        for id in ids {
            let infos = self.store.instances(realm, &id, None)?;
            let mut facts = Vec::with_capacity(infos.len());
            for info in &infos {
                let object = Object::parse(&info.raw, &Limits::default())
                    .map_err(|e| store::StoreError::Damaged(e.to_string()))?;
                facts.push(Facts::of(&object));
            }
            for finding in version::judge(&facts) {
                let sides = [finding.before, finding.after];
                let told = |at: usize| infos.get(at).zip(facts.get(at)).map(|(i, f)| instance(&world, i, f));
                rows.push(json!({"id": id.as_str(), "breach": finding.breach.as_str(), "requirement": finding.breach.requirement(),
                    "what": finding.breach.to_string(), "instances": sides.into_iter().filter_map(told).collect::<Vec<_>>()}));
            }
            if rows.len() >= CONFLICTS_MAX {
                next = Some(id);
                break;
            }
        }
        Ok(json!({"realm": realm, "conflicts": rows, "next": next.map(|id| id.to_string())}))
    }
}

/// An instance with its sources, each with the label that counts there.
fn instance(world: &World, info: &InstanceInfo, facts: &Facts) -> Value {
    let source = |(chain, received): (&label::Chain, &store::Micros)| {
        json!({"from": origin_text(&chain.origin), "collection": world.collections.get(&chain.collection).map(|c| &c.new.alias),
            "label": world.chain_labels(chain), "waits": chain.unresolved.is_some(), "received": Timestamp::from_micros(*received).as_str()})
    };
    json!({"instance": info.no, "version": info.version, "digest": info.digest.to_string(), "creator": facts.creator.map(|c| c.to_string()),
        "created": facts.created.as_ref().map(Timestamp::as_str), "revoked": facts.revoked,
        "sources": info.state.chains().iter().zip(&info.received).map(source).collect::<Vec<_>>()})
}
