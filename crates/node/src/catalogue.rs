//! The catalogue's marking definitions, for readers to look up what the labels mean that this node assigns.
//!
//! Every definition lies in every collection, from the moment the configuration that names it is in force. Each is labelled by itself, so a reader meets
//! those that it passes. They must not come with the first object that is given a label: whoever may know the label, and not the object, would learn
//! from the definition's arrival that there is one (I1).

use crate::{Node, NodeError, ingest::Head, world::OPERATOR};
use label::{CollectionNo, Origin, resolve};
use std::collections::BTreeMap;
use stix::Object;
use store::{Act, Alongside};

impl Node {
    /// Puts into each collection what it lacks of the catalogue. The caller does not hold the act guard.
    pub(crate) fn place_catalogue(&self) -> Result<(), NodeError> {
        let world = self.world();
        let own = Origin::Own { account: None };
        let mut missing: BTreeMap<CollectionNo, Vec<Object>> = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, object) in world.config.catalogue.iter().filter_map(|(name, l)| Some((name, l.object.as_ref()?))) {
            let mut held = BTreeMap::new();
            for collection in world.collections.values() {
                let mut chain = resolve(object, &world.markings, &world.config.policies, collection.no, &own, &[], &[]);
                chain.vouched = world.vouches(&own, collection.no, object.view().created_by.as_ref());
                if let Some(why) = &chain.unresolved {
                    faults.push(format!("the catalogue's label `{name}` cannot be assigned: {why:?}"));
                    break;
                }
                let realm = collection.new.realm.as_str();
                if !held.contains_key(realm) {
                    held.insert(realm, self.store.instances(realm, object.id(), None)?);
                }
                let digest = object.digest();
                let same = held.get(realm).into_iter().flatten().filter(|info| info.digest == digest);
                if !same.flat_map(|info| info.state.chains()).any(|known| known.without_overrides() == chain) {
                    missing.entry(collection.no).or_default().push(object.clone());
                }
            }
        }
        if !faults.is_empty() {
            return Err(NodeError::Config(faults));
        }
        for (collection, objects) in missing {
            let body = serde_json::json!({"collection": collection, "labels": objects.len()});
            let act = Act { kind: "catalogue".to_owned(), by: OPERATOR.to_owned(), body };
            let head =
                Head { collection, origin: own.clone(), accepted: self.now(), default: Vec::new(), relabelled: false };
            let alongside = Alongside { act: Some(act), ..Alongside::default() };
            self.take_in(&head, objects, &BTreeMap::new(), alongside, None)?;
        }
        Ok(())
    }
}
