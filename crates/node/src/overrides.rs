//! Human overrides to release (L-157): two persons, a reason, an end, and only what the node's own organisation owns.
//!
//! The procedure:
//! 1. `Node::draft_override` writes the act: which content, with which labels on which roads, for which partner, why, until when. What an override could not open
//!    is refused here.
//! 2. A person signs its text; `Node::propose_override` keeps it. Nothing follows.
//! 3. Another person, with another key, signs the same text; `Node::approve_override` looks whether everything is as the act says, and puts it in force: the roads carry it
//!    ([`label::Override`]), the partner's next poll brings the object (I5), and the gate decides as about everything else.
//! 4. It ends: at its time, by `Node::withdraw_override`, when one of the keys is no officer's any more, or by any act that takes one of its roads away or relabels it
//!    ([`store::Store::rechain`]). Who was given the object is told.
//!
//! The truth is in the store; each step is one transaction with its audit leaf.

use crate::{
    Node, NodeError,
    config::Officers,
    effects::Effects,
    redaction::own_road,
    world::{OPERATOR, RightsAt, World},
};
use label::{Chain, CollectionNo, Decision, LabelState, Origin, Override, Reader, Reason, Tlp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{MutexGuard, atomic::Ordering},
};
use stix::{AnyId, Id, Limits, Object, Timestamp, id};
use store::{Act, ChainChange, HeldOverride, InstanceInfo, InstanceNo, OverrideState};
use uuid::Uuid;

/// Days after its making at which an override ends at the latest: it is an exception; what shall last longer is a label.
pub const OVERRIDE_DAYS_MAX: i64 = 90;
/// Characters of a reason.
pub const REASON_CHARS_MAX: usize = 1_000;
/// Overrides that are proposed or in force: each is told to the persons one by one, so more than that nobody oversees.
pub const OVERRIDES_OPEN_MAX: usize = 256;
/// Roads that one override opens, those of the definitions of its markings included.
pub const OVERRIDE_ROADS_MAX: usize = 64;
/// Seconds from the making of an act to its first signature: what is older was not made from what is held now.
pub const DRAFT_AGE_S_MAX: i64 = 3_600;
/// Rows of one list.
const LIST_MAX: usize = 1_000;
/// What an act says that it is, so that no other text that an officer signs passes for one.
const KIND: &str = "entente-override/1";

/// What two persons sign. Its text is one line of JSON, and no other text says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideAct {
    kind: String,
    /// Its name.
    pub act: Uuid,
    /// The organisation whose node it is.
    node: Id<id::Identity>,
    realm: String,
    /// The object, its version as spelled, and the digest of its content.
    pub object: String,
    version: Option<String>,
    digest: String,
    /// For whom.
    pub partner: String,
    /// The roads that it opens, with the markings that count on each.
    roads: Vec<Road>,
    /// The definitions of these markings, in the same collections, that the partner gets with it because it may not have them otherwise; each with the
    /// digest of its content.
    definitions: BTreeSet<(String, String)>,
    reason: String,
    made: String,
    until: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Road {
    collection: Uuid,
    markings: Vec<Id<id::MarkingDefinition>>,
}

impl OverrideAct {
    /// The text that is signed.
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads exactly what [`Self::text`] writes.
    fn read(text: &str) -> Result<Self, NodeError> {
        let act: Self = serde_json::from_str(text).map_err(|e| refused(format!("this is no override act: {e}")))?;
        if act.kind != KIND || act.text() != text {
            return Err(refused("this is no override act as `entente override propose` writes it"));
        }
        Ok(act)
    }

    fn until(&self) -> Result<i64, NodeError> {
        instant("until", &self.until)
    }
}

/// What the store keeps beside the states.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Body {
    act: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Signature {
    officer: String,
    at: String,
    jws: String,
}

/// What an override of an instance would open for a partner.
struct Opening {
    roads: Vec<Road>,
    definitions: BTreeSet<(String, String)>,
    chains: Vec<(InstanceNo, Chain)>,
}

pub(crate) fn refused(why: impl Into<String>) -> NodeError {
    NodeError::Refused(why.into())
}

fn instant(what: &str, text: &str) -> Result<i64, NodeError> {
    Timestamp::parse(text)
        .map(|t| t.micros())
        .map_err(|_| refused(format!("{what} `{text}` is no time: write it like 2026-08-01T00:00:00Z")))
}

/// A reason, or an answer, of a length that somebody reads.
pub(crate) fn check_text(what: &str, text: &str, chars_max: usize) -> Result<(), NodeError> {
    if text.trim().is_empty() {
        return Err(refused(format!("give a {what}")));
    }
    if text.chars().count() > chars_max {
        return Err(refused(format!("the {what} has more than {chars_max} characters")));
    }
    Ok(())
}

/// The two officers of two signatures over one text, by their keys.
fn signed_by(officers: &Officers, body: &Body) -> Result<[String; 2], String> {
    let [first, second] = &body.signatures[..] else { return Err("it does not bear two signatures".into()) };
    let (one, one_key) = officers.signer(&body.act, &first.jws)?;
    let (other, other_key) = officers.signer(&body.act, &second.jws)?;
    if one == other || one_key == other_key {
        return Err(format!("`{one}` signed it already: an override needs two persons (L-157)"));
    }
    let mut keys = [one_key, other_key];
    keys.sort();
    Ok(keys)
}

impl Node {
    /// Writes the act that two persons may sign, and tells the operator what it is about. Changes nothing.
    pub(crate) fn draft_override(
        &self,
        id: &str,
        version: Option<&str>,
        realm: Option<&str>,
        partner: &str,
        reason: &str,
        until: &str,
    ) -> Result<Value, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        check_text("reason", reason, REASON_CHARS_MAX)?;
        let realm = realm.unwrap_or("live");
        let id: AnyId = id.parse().map_err(|e: stix::IdError| refused(e.to_string()))?;
        let info = self.one_instance(realm, &id, version)?;
        let opening = self.opening(&world, realm, &info, partner, now)?;
        let act = OverrideAct {
            kind: KIND.to_owned(),
            act: self.environment.random.uuid(),
            node: world.config.node.identity,
            realm: realm.to_owned(),
            object: id.as_str().to_owned(),
            version: info.version.clone(),
            digest: info.digest.to_string(),
            partner: partner.to_owned(),
            roads: opening.roads,
            definitions: opening.definitions,
            reason: reason.to_owned(),
            made: Timestamp::from_micros(now).as_str().to_owned(),
            until: until.to_owned(),
        };
        check_end(&act, now)?;
        let opened: BTreeSet<&str> = act.definitions.iter().map(|(id, _)| id.as_str()).collect();
        let mut missing = BTreeSet::new();
        for reader in readers(&world, partner) {
            for (target, _, visible) in self.store.by_number(&[info.no], Some(reader.no))?.remove(0).references {
                if !visible && !opened.contains(target.as_str()) {
                    missing.insert(target.as_str().to_owned());
                }
            }
        }
        let mut told = told(&world, &act);
        if let Some(members) = told.as_object_mut() {
            members.insert("text".to_owned(), act.text().into());
            if !missing.is_empty() {
                // L-127 holds for what is overridden, too.
                members.insert("withheld_until_known".to_owned(), json!(missing));
            }
        }
        Ok(told)
    }

    /// The instance of an identifier that is meant: the latest content by an own road, or that of a version.
    fn one_instance(&self, realm: &str, id: &AnyId, version: Option<&str>) -> Result<InstanceInfo, NodeError> {
        let own = |info: &InstanceInfo| info.state.chains().iter().any(own_road);
        let mut found: Vec<InstanceInfo> = self.store.instances(realm, id, None)?;
        if found.is_empty() {
            return Err(refused(format!("`{id}` is not held in realm `{realm}`")));
        }
        found.retain(own);
        if found.is_empty() {
            return Err(refused(format!(
                "`{id}` is others' material: only what the own organisation owns can be overridden (L-157); ask its originator with `entente request open`"
            )));
        }
        let key = |info: &InstanceInfo| {
            info.version.as_deref().and_then(|v| Timestamp::parse(v).ok()).map(|t| t.key().to_owned())
        };
        let wanted = match version {
            Some(version) => Some(version.to_owned()),
            None => found.iter().max_by_key(|info| key(info)).and_then(|info| info.version.clone()),
        };
        found.retain(|info| info.version == wanted);
        match found.len() {
            0 => Err(refused(format!("no version `{}` of `{id}` came by an own road", wanted.unwrap_or_default()))),
            1 => Ok(found.remove(0)),
            _ => Err(refused(format!(
                "`{id}` is held with several own contents of one version; `entente conflicts` shows them, and none can be overridden before one is left"
            ))),
        }
    }

    /// What an override would open: the own roads by which the partner then gets it, and the definitions of what is marked there. Asks the decision itself, so that nothing is
    /// signed that would open nothing.
    fn opening(
        &self,
        world: &World,
        realm: &str,
        info: &InstanceInfo,
        partner: &str,
        now: i64,
    ) -> Result<Opening, NodeError> {
        let readers: Vec<&Reader> = readers(world, partner).collect();
        if !world.config.agreements.contains_key(partner) || readers.is_empty() {
            return Err(refused(format!(
                "there is no agreement with `{partner}`, or no account of it: an override gives nothing that no agreement gives"
            )));
        }
        let keys: Vec<&str> = world.config.officers.iter().map(|(_, key)| key).take(2).collect();
        let [one, other] = keys[..] else {
            return Err(refused("node.toml names fewer than two officers: `[[officer]]` (L-157)"));
        };
        let trial = Override {
            act: Uuid::nil(),
            partner: partner.to_owned(),
            until: i64::MAX,
            officers: [one.to_owned(), other.to_owned()],
        };
        let object =
            Object::parse(&info.raw, &Limits::default()).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
        // What nobody created belongs to us only if nobody else brought it.
        let all_own = info.state.chains().iter().all(|c| matches!(c.origin, Origin::Own { .. }));
        let ours = object.view().created_by.as_ref().map_or(all_own, |c| world.config.node.speaks_for(c));
        if !ours {
            return Err(refused(format!(
                "`{}` is not of this organisation: only its owner overrides its label (L-157)",
                info.id
            )));
        }
        let at = Timestamp::from_micros(now);
        let authority = world.authority(&at);
        let type_name = info.id.type_name();
        let decide = |chain: &Chain, reader: &Reader| {
            authority.decide_in(chain.collection, &LabelState::new(vec![chain.clone()]), type_name, reader)
        };
        let gets = |chain: &Chain| readers.iter().any(|r| matches!(decide(chain, r), Decision::Release { .. }));
        let own: Vec<&Chain> = info.state.chains().iter().filter(|c| own_road(c)).collect();
        if own.iter().any(|c| gets(&c.without_overrides())) {
            return Err(refused(format!("the labels of `{}` permit `{partner}`: it needs no override", info.id)));
        }
        let mut opening = Opening { roads: Vec::new(), definitions: BTreeSet::new(), chains: Vec::new() };
        let mut why = Reason::Agreement;
        for chain in own {
            let opened = chain.without_overrides().overridden(trial.clone());
            if gets(&opened) {
                let collection = world.collections.get(&chain.collection).map(|c| c.new.id).unwrap_or_default();
                opening.roads.push(Road { collection, markings: chain.effective() });
                opening.chains.push((info.no, chain.clone()));
            } else if let Some(Decision::Withhold(reason)) = readers.first().map(|r| decide(&opened, r)) {
                why = reason;
            }
        }
        if opening.roads.is_empty() {
            return Err(refused(format!("no override opens `{}` to `{partner}`: {}", info.id, in_words(&why))));
        }
        opening.roads.sort();
        opening.roads.dedup();
        // Only where the object is: that a definition lies elsewhere can tell of what lies there beside it (I1).
        let there: BTreeSet<CollectionNo> = opening.chains.iter().map(|(_, chain)| chain.collection).collect();
        let markings: BTreeSet<_> = opening.roads.iter().flat_map(|r| r.markings.iter().copied()).collect();
        for marking in markings.into_iter().filter(|m| m.any() != info.id && label::tlp::well_known(m).is_none()) {
            for definition in self.store.instances(realm, &marking.any(), None)? {
                // Only where it is labelled by itself: so whatever else bears it is refused by the same label still, and nothing goes with it that nobody signed for.
                let by_itself = |c: &&Chain| c.effective() == [marking];
                let roads = definition.state.chains().iter().filter(|c| own_road(c) && there.contains(&c.collection));
                let roads = roads.filter(by_itself);
                let decide = |chain: &Chain| {
                    let state = LabelState::new(vec![chain.clone()]);
                    let may = |r: &&Reader| authority.decide_in(chain.collection, &state, marking.any().type_name(), r);
                    readers.iter().any(|r| matches!(may(r), Decision::Release { .. }))
                };
                for chain in roads.filter(|c| !decide(&c.without_overrides())) {
                    if decide(&chain.without_overrides().overridden(trial.clone())) {
                        opening.definitions.insert((marking.to_string(), definition.digest.to_string()));
                        opening.chains.push((definition.no, chain.clone()));
                    }
                }
            }
        }
        if opening.chains.len() > OVERRIDE_ROADS_MAX {
            return Err(refused(format!("it would open more than {OVERRIDE_ROADS_MAX} roads")));
        }
        Ok(opening)
    }

    /// Everything is as the act says, now.
    fn as_signed(&self, world: &World, act: &OverrideAct, now: i64) -> Result<Opening, NodeError> {
        if act.node != world.config.node.identity {
            return Err(refused(format!("this act is of another organisation: `{}`", act.node)));
        }
        let id: AnyId = act.object.parse().map_err(|e: stix::IdError| refused(e.to_string()))?;
        let infos = self.store.instances(&act.realm, &id, None)?;
        let info = infos.iter().find(|info| info.version == act.version && info.digest.to_string() == act.digest);
        let info = info.ok_or_else(|| refused(format!("the content that the act names of `{id}` is not held")))?;
        let opening = self.opening(world, &act.realm, info, &act.partner, now)?;
        if opening.roads != act.roads || opening.definitions != act.definitions {
            return Err(refused(format!(
                "`{id}` does not bear the labels any more that the persons saw: withdraw this act and propose another"
            )));
        }
        Ok(opening)
    }

    /// Keeps an act that a first person signed.
    pub(crate) fn propose_override(&self, text: &str, jws: &str) -> Result<Value, NodeError> {
        let now = self.now();
        self.world_at(now)?;
        let guard = self.act_guard();
        let world = self.world();
        let act = OverrideAct::read(text)?;
        let (officer, _) = world.config.officers.signer(text, jws).map_err(refused)?;
        check_text("reason", &act.reason, REASON_CHARS_MAX)?;
        let made = instant("made", &act.made)?;
        if now.abs_diff(made) > DRAFT_AGE_S_MAX.unsigned_abs() * 1_000_000 {
            return Err(refused("this act was not made within the last hour: make another"));
        }
        check_end(&act, now)?;
        let opening = self.as_signed(&world, &act, now)?;
        let mut open = 0;
        for state in [OverrideState::Proposed, OverrideState::InForce] {
            open += self.store.overrides(Some(state), None, OVERRIDES_OPEN_MAX)?.len();
        }
        if open >= OVERRIDES_OPEN_MAX {
            return Err(refused(format!("{OVERRIDES_OPEN_MAX} overrides are proposed or in force: end some first")));
        }
        let mut instances: Vec<InstanceNo> = opening.chains.iter().map(|(no, _)| *no).collect();
        instances.sort_unstable();
        instances.dedup();
        let signatures = vec![signature(&officer, jws, now)];
        let held = HeldOverride {
            id: act.act,
            state: OverrideState::Proposed,
            until: act.until()?,
            changed: now,
            why: None,
            instances,
            body: body(&Body { act: text.to_owned(), signatures })?,
        };
        self.step(&guard, &held, None, &[], &officer, now)?;
        Ok(row(&world, &held))
    }

    /// A second person signed: it is in force when this returns.
    pub(crate) fn approve_override(&self, id: Uuid, jws: &str) -> Result<Value, NodeError> {
        let now = self.now();
        self.world_at(now)?;
        let guard = self.act_guard();
        let world = self.world();
        let held = self.held_override(id)?;
        if held.state != OverrideState::Proposed {
            return Err(refused(format!("this override is {}, not proposed", held.state.name())));
        }
        let mut kept: Body = read_body(&held)?;
        let act = OverrideAct::read(&kept.act)?;
        if now >= held.until {
            return Err(refused("the end of this override has come"));
        }
        let (officer, _) = world.config.officers.signer(&kept.act, jws).map_err(refused)?;
        kept.signatures.push(signature(&officer, jws, now));
        let officers = signed_by(&world.config.officers, &kept).map_err(refused)?;
        let opening = self.as_signed(&world, &act, now)?;
        let by = Override { act: held.id, partner: act.partner.clone(), until: held.until, officers };
        let changes: Vec<ChainChange> = opening
            .chains
            .into_iter()
            .map(|(no, old)| ChainChange { no, new: Some(old.overridden(by.clone())), old })
            .collect();
        let mut instances: Vec<InstanceNo> = changes.iter().map(|c| c.no).collect();
        instances.sort_unstable();
        instances.dedup();
        let next =
            HeldOverride { state: OverrideState::InForce, changed: now, instances, body: body(&kept)?, ..held.clone() };
        let mut effects = self.step(&guard, &next, Some(OverrideState::Proposed), &changes, &officer, now)?;
        // From now on its end is a date that decides.
        let (world, more) = self.set_rights(&guard, crate::node::copy(&self.world()), &officer, now)?;
        effects.and(more);
        let mut told = row(&world, &next);
        self.tell_effects(&mut told, "lines", &effects);
        Ok(told)
    }

    /// Takes an override back: one person is enough to give less.
    pub(crate) fn withdraw_override(&self, id: Uuid, reason: &str) -> Result<Value, NodeError> {
        check_text("reason", reason, REASON_CHARS_MAX)?;
        let now = self.now();
        let guard = self.act_guard();
        let held = self.held_override(id)?;
        if !held.state.may_become(OverrideState::Withdrawn) {
            return Err(refused(format!("this override is {} already", held.state.name())));
        }
        let (next, mut effects) = self.end_override(&guard, &held, OverrideState::Withdrawn, reason, OPERATOR, now)?;
        let (world, more) = self.set_rights(&guard, crate::node::copy(&self.world()), OPERATOR, now)?;
        effects.and(more);
        let mut told = row(&world, &next);
        self.tell_effects(&mut told, "lines", &effects);
        Ok(told)
    }

    /// Ends what is over: at its time, and, with `keys`, where one of the persons is no officer any more. The decision refuses both by itself; this takes them off
    /// the roads and says so in the log. A failure is logged and tried again.
    pub(crate) fn end_overrides(&self, guard: &MutexGuard<'_, ()>, keys: bool) {
        // What failed when the keys changed is tried again with the keys.
        let keys = self.overrides_left.swap(false, Ordering::Relaxed) || keys;
        if let Err(error) = self.try_end_overrides(guard, keys) {
            self.overrides_left.store(keys, Ordering::Relaxed);
            tracing::error!(%error, "overrides that are over could not be ended; they give nothing, and are tried again");
        }
    }

    fn try_end_overrides(&self, guard: &MutexGuard<'_, ()>, keys: bool) -> Result<(), NodeError> {
        let now = self.now();
        let mut outcome = Ok(());
        for state in [OverrideState::Proposed, OverrideState::InForce] {
            for (_, held) in self.store.overrides(Some(state), None, OVERRIDES_OPEN_MAX)? {
                let ended = if now >= held.until {
                    self.end_override(guard, &held, OverrideState::Expired, "its end came", "clock", now)
                } else if keys && let Err(why) = self.still_signed(&held) {
                    self.end_override(guard, &held, OverrideState::Withdrawn, &why, "configuration", now)
                } else {
                    continue;
                };
                // One that cannot be ended keeps no other.
                outcome = outcome.and(ended.map(drop));
            }
        }
        outcome
    }

    fn still_signed(&self, held: &HeldOverride) -> Result<(), String> {
        let officers = &self.world().config.officers;
        let body = read_body(held).map_err(|e| e.to_string())?;
        match held.state {
            OverrideState::InForce => signed_by(officers, &body).map(drop),
            _ => body.signatures.iter().try_for_each(|s| officers.signer(&body.act, &s.jws).map(drop)),
        }
    }

    fn end_override(
        &self,
        guard: &MutexGuard<'_, ()>,
        held: &HeldOverride,
        state: OverrideState,
        why: &str,
        by: &str,
        now: i64,
    ) -> Result<(HeldOverride, Effects), NodeError> {
        let next = HeldOverride { state, changed: now, why: Some(why.to_owned()), ..held.clone() };
        let mut changes = Vec::new();
        if held.state == OverrideState::InForce {
            for info in self.store.by_number(&held.instances, None)? {
                let opened = info.state.chains().iter().filter(|c| c.overrides.iter().any(|o| o.act == held.id));
                changes.extend(opened.map(|old| ChainChange {
                    no: info.no,
                    old: old.clone(),
                    new: Some(old.without_override(held.id)),
                }));
            }
        }
        let effects = self.step(guard, &next, Some(held.state), &changes, by, now)?;
        Ok((next, effects))
    }

    /// One change of state, with its leaf.
    fn step(
        &self,
        guard: &MutexGuard<'_, ()>,
        held: &HeldOverride,
        from: Option<OverrideState>,
        changes: &[ChainChange],
        by: &str,
        now: i64,
    ) -> Result<Effects, NodeError> {
        let act = OverrideAct::read(&read_body(held)?.act)?;
        let leaf = json!({"override": held.id, "state": held.state, "why": held.why, "object": act.object, "version": act.version,
            "digest": act.digest, "realm": act.realm, "partner": act.partner, "until": act.until, "roads": act.roads, "definitions": act.definitions,
            "reason": act.reason, "instances": held.instances});
        let leaf = Act { kind: "override".to_owned(), by: by.to_owned(), body: leaf };
        let world = self.world();
        let rights = RightsAt::new(&world, now);
        let effects = Effects::from(self.store.put_override(held, from, changes, &rights, &leaf, now)?);
        drop(rights);
        self.follow_epoch(guard)?;
        Ok(effects)
    }

    fn held_override(&self, id: Uuid) -> Result<HeldOverride, NodeError> {
        let missing = || refused(format!("there is no override `{id}`; `entente override list` shows them"));
        self.store.override_by_id(id)?.ok_or_else(missing)
    }

    /// Overrides in order of their making.
    pub(crate) fn list_overrides(&self, state: Option<&str>, after: Option<i64>) -> Result<Value, NodeError> {
        let state = match state {
            None => None,
            Some(name) => {
                let known = OverrideState::from_name(name);
                let names = OverrideState::ALL.map(OverrideState::name).join(", ");
                Some(known.ok_or_else(|| refused(format!("`{name}` is no state of an override; these are: {names}")))?)
            }
        };
        let world = self.world_at(self.now())?;
        let rows = self.store.overrides(state, after, LIST_MAX)?;
        let row = |(no, held): &(i64, HeldOverride)| {
            let mut row = row(&world, held);
            if let Some(members) = row.as_object_mut() {
                members.insert("no".to_owned(), (*no).into());
            }
            row
        };
        Ok(rows.iter().map(row).collect())
    }

    /// One override, with the text that is signed.
    pub(crate) fn show_override(&self, id: Uuid) -> Result<Value, NodeError> {
        let world = self.world_at(self.now())?;
        let held = self.held_override(id)?;
        let mut row = row(&world, &held);
        if let Some(members) = row.as_object_mut() {
            members.insert("text".to_owned(), read_body(&held)?.act.into());
        }
        Ok(row)
    }
}

fn row(world: &World, held: &HeldOverride) -> Value {
    let Ok(body) = read_body(held) else { return json!({"override": held.id, "state": held.state}) };
    let mut told = OverrideAct::read(&body.act).map_or_else(|_| json!({}), |act| told(world, &act));
    if let Some(members) = told.as_object_mut() {
        let by: Vec<Value> = body.signatures.iter().map(|s| json!({"officer": s.officer, "at": s.at})).collect();
        members.insert("state".to_owned(), json!(held.state));
        members.insert("signed".to_owned(), by.into());
        members.insert("since".to_owned(), Timestamp::from_micros(held.changed).as_str().into());
        members.insert("why".to_owned(), json!(held.why));
    }
    told
}

/// An act in words.
fn told(world: &World, act: &OverrideAct) -> Value {
    let alias = |id: Uuid| world.collections.values().find(|c| c.new.id == id).map(|c| c.new.alias.clone());
    let roads: Vec<Value> = act
        .roads
        .iter()
        .map(|road| {
            let labels: Vec<String> = road.markings.iter().map(|m| world.marking_text(m)).collect();
            json!({"collection": alias(road.collection), "labels": labels})
        })
        .collect();
    let definitions: Vec<String> = act
        .definitions
        .iter()
        .filter_map(|(id, _)| id.parse().ok())
        .map(|id: Id<id::MarkingDefinition>| world.marking_text(&id))
        .collect();
    json!({"override": act.act, "object": act.object, "version": act.version, "realm": act.realm, "partner": act.partner,
        "roads": roads, "definitions": definitions, "reason": act.reason, "until": act.until})
}

fn check_end(act: &OverrideAct, now: i64) -> Result<(), NodeError> {
    let until = act.until()?;
    if until <= now {
        return Err(refused("until is not in the future"));
    }
    if until - now > OVERRIDE_DAYS_MAX * 86_400_000_000 {
        return Err(refused(format!(
            "an override ends after {OVERRIDE_DAYS_MAX} days at the latest; what shall last longer is a label"
        )));
    }
    Ok(())
}

fn signature(officer: &str, jws: &str, now: i64) -> Signature {
    let at = Timestamp::from_micros(now).as_str().to_owned();
    Signature { officer: officer.to_owned(), at, jws: jws.trim().to_owned() }
}

fn body(body: &Body) -> Result<String, NodeError> {
    serde_json::to_string(body).map_err(|e| refused(e.to_string()))
}

fn read_body(held: &HeldOverride) -> Result<Body, NodeError> {
    Ok(serde_json::from_str(&held.body).map_err(|e| store::StoreError::Damaged(format!("override: {e}")))?)
}

fn readers<'w>(world: &'w World, partner: &'w str) -> impl Iterator<Item = &'w Reader> {
    world.readers.iter().filter(move |r| r.partner.as_deref() == Some(partner))
}

fn in_words(reason: &Reason) -> String {
    match reason {
        Reason::Tlp(Tlp::Red) => "TLP:RED never leaves by a poll, whoever signs (L-141)".to_owned(),
        Reason::Quarantined => "it waits in the quarantine".to_owned(),
        Reason::UnknownMarking | Reason::Policy | Reason::Label(_) => {
            format!("what it is marked with is not understood here ({reason}), so nobody can judge it")
        }
        Reason::Agreement => {
            "the agreement does not give this kind of object, or no collection that holds it".to_owned()
        }
        other => other.to_string(),
    }
}
