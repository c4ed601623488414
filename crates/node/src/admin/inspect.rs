//! Commands that only look.

use super::manage::{line, parse_id};
use crate::{
    Node, NodeError,
    release::Ask,
    world::{OPERATOR, RightsAt, World},
};
use label::{Assigned, Chain, LabelState, Meaning, NotRedacted, Origin, Reader};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stix::{Id, Timestamp, id::MarkingDefinition};
use store::Delivery;
use taxii::{query::Query, server::Listing};

/// Objects that `view-as` shows of one collection.
pub(crate) const VIEW_AS_OBJECTS_MAX: usize = 1_000;

impl World {
    /// A marking in words, for operators.
    pub fn marking_text(&self, id: &Id<MarkingDefinition>) -> String {
        match label::tlp::well_known(id).or_else(|| self.markings.get(id).map(|m| &m.meaning)) {
            Some(Meaning::Label(label)) => crate::config::describe(label, &self.config.policies, "en"),
            Some(Meaning::Tlp(tlp)) => tlp.to_string(),
            Some(Meaning::Statement) => "statement".to_owned(),
            Some(Meaning::Obligation(level)) => format!("PAP:{}", level.name()),
            Some(_) | None => format!("unknown marking {id}"),
        }
    }

    /// What counts on a chain, in words.
    pub fn chain_labels(&self, chain: &Chain) -> Vec<String> {
        let (carried, assigned): (&[_], &[_]) = match &chain.assigned {
            Assigned::None => (&chain.carried, &[]),
            Assigned::AtDoor { markings } | Assigned::ByPeer { markings } => (&chain.carried, markings),
            Assigned::Relabelled { markings } => (&[], markings),
        };
        carried.iter().chain(assigned).map(|id| self.marking_text(id)).filter(|t| t != "statement").collect()
    }

    /// The labels of an instance by all its roads, in words.
    pub fn labels_of(&self, state: &LabelState) -> Vec<String> {
        let mut texts: Vec<String> = state.chains().iter().map(|chain| self.chain_labels(chain).join(" + ")).collect();
        texts.sort();
        texts.dedup();
        texts
    }
}

pub(super) fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::Own { account: None } => "own import".to_owned(),
        Origin::Own { account: Some(account) } => format!("own account {account}"),
        Origin::Partner { partner, account } => format!("partner {partner}, account {account}"),
        Origin::Peer { peer } => format!("pulled from {peer}"),
    }
}

impl Node {
    pub(super) fn list_collections(&self) -> Result<Value, NodeError> {
        let world = self.world_at(self.now())?;
        let mut rows = Vec::new();
        for collection in world.collections.values() {
            let objects = match line(&world, OPERATOR, &collection.new.alias) {
                Ok(line) => self.store.count(line)?,
                Err(_) => 0,
            };
            let default: Vec<String> = collection.new.default_markings.iter().map(|m| world.marking_text(m)).collect();
            rows.push(json!({"alias": collection.new.alias, "id": collection.new.id, "realm": collection.new.realm, "title": collection.new.title,
                "objects": objects, "default_label": default, "open_references": collection.new.open_references}));
        }
        Ok(Value::from(rows))
    }

    pub(super) fn list_users(&self) -> Value {
        let world = self.world();
        let row = |account: &store::Account| {
            json!({"account": account.name, "partner": account.partner, "disabled": account.disabled, "password": account.password.is_some(),
                "tokens": account.tokens.iter().map(|t| &t.0).collect::<Vec<_>>(), "settings": account.settings})
        };
        world.accounts.values().map(row).collect()
    }

    pub(super) fn list_peers(&self) -> Result<Value, NodeError> {
        let world = self.world();
        let states = self.store.pull_states()?;
        let mut rows = Vec::new();
        for (partner, file) in &world.config.agreements {
            let pulls: Vec<Value> = states
                .iter()
                .filter(|s| s.peer == *partner)
                .map(|s| json!({"collection": s.remote_collection, "at": Timestamp::from_micros(s.at).as_str()}))
                .collect();
            rows.push(json!({"partner": partner, "agreement": file.agreement.agreement, "in_force": file.agreement.in_force(self.now()),
                "until": file.agreement.until, "url": file.agreement.pull.as_ref().map(|p| p.url.clone()), "pulled": pulls}));
        }
        Ok(Value::from(rows))
    }

    pub(super) fn explain(&self, id: &str, to: &str, realm: Option<&str>) -> Result<Value, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let id = parse_id(id)?;
        let reader = world.reader(to).ok_or_else(|| NodeError::Refused(format!("there is no account `{to}`")))?;
        let realm = realm.unwrap_or("live");
        let infos = self.store.instances(realm, &id, Some(reader.no))?;
        let at = Timestamp::from_micros(now);
        let mut rows = Vec::new();
        for info in &infos {
            let (decision, steps) = world.authority(&at).explain(&info.state, id.type_name(), reader);
            let missing: Vec<&str> =
                info.references.iter().filter(|(_, _, visible)| !visible).map(|(id, ..)| id.as_str()).collect();
            let (released, reason) = match &decision {
                label::Decision::Release { contributed: true, .. } => (true, None),
                label::Decision::Release { .. } if missing.is_empty() => (true, None),
                label::Decision::Release { .. } => (false, Some(label::Reason::Reference.to_string())),
                label::Decision::Withhold(reason) => (false, Some(reason.to_string())),
            };
            let mut told: Vec<Value> = steps
                .iter()
                .map(|s| json!({"rule": s.rule, "what": s.what, "passed": s.passed, "road": s.chain}))
                .collect();
            let what = if missing.is_empty() {
                "every id it refers to is known to the reader".to_owned()
            } else {
                format!("it refers to what the reader may not know of: {}", missing.join(", "))
            };
            told.push(json!({"rule": "L-127", "what": what, "passed": missing.is_empty(), "road": null}));
            let copies =
                if released { Vec::new() } else { self.copies_for(&world, info, reader, realm, now, &mut told)? };
            let of = self.originals(info.no)?;
            let roads: Vec<Value> = info.state.chains().iter().map(|chain| {
                json!({"from": origin_text(&chain.origin), "collection": world.collections.get(&chain.collection).map(|c| c.new.alias.clone()),
                    "labels": world.chain_labels(chain), "quarantined": chain.unresolved})
            }).collect();
            let mut row = json!({"version": info.version, "digest": info.digest.to_string(), "released": released, "reason": reason, "roads": roads, "steps": told});
            if let Some(members) = row.as_object_mut() {
                members.extend((!copies.is_empty()).then(|| ("redacted".to_owned(), copies.into())));
                members.extend((!of.is_empty()).then(|| ("copy_of".to_owned(), of.into())));
            }
            rows.push(row);
        }
        let released = rows.iter().any(|r| r["released"] == true);
        Ok(
            json!({"id": id.as_str(), "to": to, "realm": realm, "held": infos.len(), "released": released, "instances": rows}),
        )
    }

    /// What the reader gets of an instance in place of the whole, with the steps that tell why, or why nothing.
    fn copies_for(
        &self,
        world: &World,
        info: &store::InstanceInfo,
        reader: &Reader,
        realm: &str,
        now: i64,
        steps: &mut Vec<Value>,
    ) -> Result<Vec<Value>, NodeError> {
        let mut copies = Vec::new();
        for (collection, outcome) in self.redacted_for(world, info, reader, now)? {
            let alias = world.collections.get(&collection).map(|c| c.new.alias.as_str());
            let (rule, what) = match &outcome {
                Ok(_) => ("L-124", "what remains may go to the reader as a redacted copy".to_owned()),
                Err(NotRedacted::Whole) => continue,
                Err(why) => (
                    match why {
                        NotRedacted::Required(_) => "L-125",
                        NotRedacted::Held(_) => "L-093",
                        NotRedacted::Reference => "L-127",
                        NotRedacted::Refused(_) => "6.1",
                        _ => "L-123",
                    },
                    format!("no redacted copy: {why}"),
                ),
            };
            steps.push(json!({"rule": rule, "what": what, "passed": outcome.is_ok(), "road": null}));
            let Ok(copy) = outcome else { continue };
            let (id, at) = (copy.object().id(), Timestamp::from_micros(now));
            let mut shown = None;
            for held in self.store.instances(realm, id, Some(reader.no))? {
                let decision = world.authority(&at).decide_in(collection, &held.state, id.type_name(), reader);
                let missing = held.references.iter().filter(|(_, _, visible)| !visible).map(|(id, ..)| id.as_str());
                let missing: Vec<&str> = missing.collect();
                if matches!(decision, label::Decision::Release { .. }) {
                    let what = if missing.is_empty() {
                        format!("the redacted copy `{id}` is made for the reader")
                    } else {
                        format!(
                            "the redacted copy `{id}` refers to what the reader may not know of: {}",
                            missing.join(", ")
                        )
                    };
                    steps.push(json!({"rule": "L-124", "what": what, "passed": missing.is_empty(), "road": null}));
                    shown = missing.is_empty().then_some(held.version);
                }
            }
            copies.push(json!({"copy": id.as_str(), "collection": alias, "version": shown.as_ref(), "given": shown.is_some(), "cut": copy.cut()}));
        }
        Ok(copies)
    }

    /// Of what an instance is a copy, in words.
    fn originals(&self, no: store::InstanceNo) -> Result<Vec<Value>, NodeError> {
        let originals = self.store.by_number(&self.store.originals_of(no)?, None)?;
        Ok(originals.iter().map(|info| json!({"id": info.id.as_str(), "version": info.version})).collect())
    }

    /// To whom an instance was delivered.
    fn deliveries(&self, world: &World, no: store::InstanceNo) -> Result<Vec<Value>, NodeError> {
        let row = |receipt: store::ReceiptRow| {
            let account = world.reader_by_no(receipt.reader).map(|r| r.account.clone());
            let partner = world.reader_by_no(receipt.reader).and_then(|r| r.partner.clone());
            let state = match receipt.state {
                Delivery::Offered => "offered",
                Delivery::Confirmed => "confirmed",
            };
            json!({"account": account, "partner": partner, "at": Timestamp::from_micros(receipt.at).as_str(), "channel": receipt.channel,
                "state": state, "receipt": receipt.no, "leaf": receipt.leaf, "agreement_digest": receipt.agreement, "policies_digest": receipt.policies})
        };
        Ok(self.store.receipts_of(no)?.into_iter().map(row).collect())
    }

    pub(super) fn view_as(&self, account: &str, alias: Option<&str>, query: &str) -> Result<Value, NodeError> {
        let world = self.world_at(self.now())?;
        let reader =
            world.reader(account).ok_or_else(|| NodeError::Refused(format!("there is no account `{account}`")))?;
        let query = Query::parse(query, Listing::Objects).map_err(|e| NodeError::Refused(e.to_string()))?;
        let aliases: Vec<String> = match alias {
            Some(alias) => vec![alias.to_owned()],
            None => reader
                .collections
                .keys()
                .filter_map(|no| world.collections.get(no))
                .map(|c| c.new.alias.clone())
                .collect(),
        };
        let mut seen = BTreeMap::new();
        for alias in aliases {
            let ask = Ask {
                line: line(&world, account, &alias)?,
                after: query.filter.added_after,
                limit: query.limit.unwrap_or(VIEW_AS_OBJECTS_MAX).min(VIEW_AS_OBJECTS_MAX),
                filter: crate::service::store_filter(&query.filter, Listing::Objects, None),
                filter_digest: query.filter.digest(),
                content: true,
                channel: "view-as".into(),
                confirms: None,
            };
            let view = self.look(account, &ask)?;
            seen.insert(alias, view);
        }
        let body = json!({"account": account, "collections": seen.keys().collect::<Vec<_>>()});
        self.store.note(&store::Act { kind: "view-as".to_owned(), by: OPERATOR.to_owned(), body }, self.now())?;
        Ok(json!({"account": account, "collections": seen}))
    }

    /// A page as the account would get it, for the operator's eyes: through the gate, but nothing is delivered, so there is no receipt in the account's name.
    fn look(&self, account: &str, ask: &Ask) -> Result<Value, NodeError> {
        let given = self.give_unrecorded(account, ask)?;
        let objects: Vec<Value> = given.items.iter().map(|released| {
            let item = released.object();
            let view: Value = serde_json::from_str(&item.raw).unwrap_or_default();
            let name = view.get("name").or_else(|| view.get("value")).cloned();
            json!({"id": item.id, "version": item.version, "date_added": taxii::date_added::format(item.date_added), "name": name})
        }).collect();
        Ok(json!({"more": given.more, "objects": objects}))
    }

    pub(super) fn who_has(&self, id: &str, realm: Option<&str>) -> Result<Value, NodeError> {
        let world = self.world();
        let id = parse_id(id)?;
        let realm = realm.unwrap_or("live");
        let mut versions = Vec::new();
        for info in self.store.instances(realm, &id, None)? {
            let mut row = json!({"version": info.version, "digest": info.digest.to_string(), "deliveries": self.deliveries(&world, info.no)?});
            let mut copies = Vec::new();
            for copy in self.store.by_number(&self.store.copies_of(info.no)?, None)? {
                copies.push(
                    json!({"copy": copy.id.as_str(), "version": copy.version, "held": !copy.state.chains().is_empty(),
                    "deliveries": self.deliveries(&world, copy.no)?}),
                );
            }
            let of = self.originals(info.no)?;
            if let Some(members) = row.as_object_mut() {
                members.extend((!copies.is_empty()).then(|| ("copies".to_owned(), copies.into())));
                members.extend((!of.is_empty()).then(|| ("copy_of".to_owned(), of.into())));
            }
            versions.push(row);
        }
        if versions.is_empty() {
            return Err(NodeError::Refused(format!("`{id}` is not held in realm `{realm}`")));
        }
        Ok(json!({"id": id.as_str(), "realm": realm, "versions": versions}))
    }

    pub(super) fn doctor(&self) -> Result<Value, NodeError> {
        let now = self.now();
        let mut faults = Vec::new();
        if let Err(error) = crate::config::Config::load(&self.world().config.dir) {
            faults.push(error.to_string());
        }
        let world = self.world_at(now)?;
        faults.extend(self.store.check(&RightsAt::new(&world, now))?);
        let disagreements = self.counters.gate_disagreements.load(std::sync::atomic::Ordering::Relaxed);
        if disagreements > 0 {
            faults.push(format!("the gate and the store disagreed {disagreements} time(s) since start"));
        }
        Ok(json!({"sound": faults.is_empty(), "faults": faults}))
    }

    pub(super) fn status_report(&self) -> Result<Value, NodeError> {
        let world = self.world_at(self.now())?;
        let figures: BTreeMap<&str, u64> =
            self.figures()?.into_iter().map(|figure| (figure.name, figure.value)).collect();
        Ok(
            json!({"node": world.config.node.name, "title": world.config.node.title, "epoch": world.epoch, "readers": world.readers.len(),
            "agreements": world.config.agreements.len(), "figures": figures}),
        )
    }
}
