//! How much one party may bring. Each is counted by itself, by what it brought and nothing else: what a party is told about its room says nothing of what
//! others brought, or of what is held (I1). The own organisation's room is the disk.

use crate::{Node, NodeError, world::World};
use label::Origin;
use std::collections::BTreeSet;
use stix::Object;
use store::NewRejected;

/// What a partner may bring in all, in octets, if its agreement does not say: 16 GiB.
pub const QUOTA_BYTES: u64 = 16 << 30;
/// Distinct roads (collection, account, set of markings) of one partner, if its agreement does not say. Each is kept in memory and decided for every reader.
pub const QUOTA_ROADS: u64 = 10_000;

impl Node {
    /// Why these objects of `origin` have no room, if they have none: the sentence names the party's own figures alone.
    pub(crate) fn over_quota(
        &self,
        world: &World,
        origin: &Origin,
        objects: &[Object],
        rejected: &[NewRejected],
    ) -> Result<Option<String>, NodeError> {
        let party = match origin {
            Origin::Own { .. } => return Ok(None),
            Origin::Partner { partner, .. } => partner,
            Origin::Peer { peer } => peer,
        };
        let Some(file) = world.config.agreements.get(party) else { return Ok(None) };
        let (agreement, usage) = (&file.agreement, self.store.usage(origin)?);
        let sizes = objects.iter().map(|o| o.raw().len()).chain(rejected.iter().map(|row| row.raw.len()));
        let bytes = sizes.fold(0_u64, |sum, size| sum.saturating_add(size as u64));
        if usage.bytes.saturating_add(bytes) > agreement.quota_bytes {
            return Ok(Some(format!("the quota of {} octets for this partner is used up", agreement.quota_bytes)));
        }
        let marked: BTreeSet<BTreeSet<_>> = objects
            .iter()
            .map(|o| {
                let view = o.view();
                view.markings.iter().copied().chain(view.granular.iter().filter_map(|g| g.marking_ref)).collect()
            })
            .collect();
        if usage.roads.saturating_add(marked.len() as u64) > agreement.quota_roads {
            let most = agreement.quota_roads;
            return Ok(Some(format!("the quota of {most} distinct sets of markings for this partner is used up")));
        }
        Ok(None)
    }
}

/// Why an object of an id of which its party brought so many is refused.
pub(crate) fn crowded() -> String {
    format!("this partner has brought {} instances of this id, which is the most", store::INSTANCES_PER_ID_MAX)
}
