//! Observations: read in the order of arrival, matched, and what follows stored as one.

use super::{DETECTION_PAGE_OBSERVATIONS, DETECTION_RETENTION_S, Detector, PLACE, REPLAY_OBSERVATIONS_MAX};
use crate::{
    Node, NodeError,
    ingest::{Head, Product},
    world::{OPERATOR, World},
};
use detect::{Conjunction, Found, Hit, Seen};
use label::{Chain, Decision, LabelState, Meaning, Origin, Role};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, atomic::Ordering},
};
use stix::{AnyId, Digest, Id, Limits, Object, Timestamp, id::MarkingDefinition, pattern::Observation};
use store::{
    Act, Alongside, Filter, InstanceInfo, InstanceNo, NewAlert, PageQuery, PullState, Slot, StoreError, Versions,
};

/// An observed-data object with what it was seen of.
struct Seeing {
    seen: Seen,
    digest: Digest,
    observation: Option<Observation>,
}

/// Objects that were looked up in this page, by identifier.
type Lookups = BTreeMap<AnyId, Vec<Arc<InstanceInfo>>>;

impl Node {
    /// Where detection stands, and what patterns of several observations need to remember.
    pub(super) fn take_up(&self, detector: &mut Detector, world: &World, now: i64) -> Result<(), NodeError> {
        let Some(id) = world.collections.get(&detector.collection).map(|c| c.new.id) else { return Ok(()) };
        let Some(place) = self.store.pull_state(PLACE, &id.to_string())? else { return Ok(()) };
        let slot = place.cursor.parse::<Slot>().map_err(|_| StoreError::Damaged("detection's place".to_owned()))?;
        detector.place = Some(slot);
        self.follow_indicators(detector, world, now)?;
        let retention = i64::try_from(DETECTION_RETENTION_S.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let mut after = Some(slot.saturating_sub(retention));
        let mut again: Vec<InstanceNo> = Vec::new();
        loop {
            let page = self.arrived(detector, world, after)?;
            let before = page.iter().take_while(|(at, _)| *at <= slot);
            again.extend(before.map(|(_, no)| *no));
            match page.last() {
                Some((at, _)) if *at < slot => after = Some(*at),
                _ => break,
            }
        }
        let from = again.len().saturating_sub(REPLAY_OBSERVATIONS_MAX);
        let mut cache = Lookups::new();
        detector.watch.tell_time(now);
        for part in again.get(from..).unwrap_or_default().chunks(DETECTION_PAGE_OBSERVATIONS) {
            for seeing in self.see(detector, world, part, now, &mut cache)?.into_values() {
                if let Some(observation) = &seeing.observation {
                    detector.watch.observe(observation);
                }
            }
        }
        Ok(())
    }

    /// What came into the collection after a slot, as far as the operator's line shows it.
    fn arrived(
        &self,
        detector: &Detector,
        world: &World,
        after: Option<Slot>,
    ) -> Result<Vec<(Slot, InstanceNo)>, NodeError> {
        let Some(line) = world.operator_line(detector.collection) else { return Ok(Vec::new()) };
        let page = self.store.page(&PageQuery {
            line,
            after,
            limit: DETECTION_PAGE_OBSERVATIONS,
            bytes_max: usize::MAX,
            filter: Filter {
                types: vec!["observed-data".to_owned()],
                versions: Versions { all: true, ..Versions::default() },
                ..Filter::default()
            },
            content: false,
        })?;
        let mut arrived = Vec::with_capacity(page.items.len());
        for item in page.items {
            let _ = item.labelled.map(|stored| arrived.push((item.slot, stored.no)));
        }
        Ok(arrived)
    }

    /// Matches one page and stores what follows; false if there was nothing to match.
    pub(super) fn match_page(&self, detector: &mut Detector) -> Result<bool, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let arrived = self.arrived(detector, &world, detector.place)?;
        let Some((last, _)) = arrived.last().copied() else { return Ok(false) };
        let mut cache = Lookups::new();
        let numbers: Vec<InstanceNo> = arrived.iter().map(|(_, no)| *no).collect();
        let seeings = self.see(detector, &world, &numbers, now, &mut cache)?;
        let (mut alerts, mut keys) = (Vec::new(), BTreeSet::new());
        detector.watch.tell_time(now);
        for no in &numbers {
            let Some(observation) = seeings.get(no).and_then(|seeing| seeing.observation.as_ref()) else { continue };
            self.counters.observations_matched.fetch_add(1, Ordering::Relaxed);
            let findings = detector.watch.observe(observation);
            self.counters.matches_suppressed.fetch_add(findings.suppressed as u64, Ordering::Relaxed);
            self.counters.matches_undecided.fetch_add(findings.undecided.len() as u64, Ordering::Relaxed);
            for found in findings.found {
                let Some((hit, key)) = self.judge(detector, &world, &found, &seeings, now, &mut cache)? else {
                    continue;
                };
                if keys.contains(&key) || self.store.has_alert(key)? {
                    continue;
                }
                keys.insert(key);
                let sighting = self.add_up(detector, &hit)?;
                let body = alert_body(&world, detector, &found, &hit, sighting.as_ref());
                alerts.push(NewAlert { key, at: now, body: body.to_string() });
            }
        }
        self.store_page(detector, &world, arrived.len(), last, alerts, now)?;
        detector.place = Some(last);
        Ok(true)
    }

    /// The observations behind instances, with their observables: of those that came into the same collection, the same party's first.
    fn see(
        &self,
        detector: &Detector,
        world: &World,
        numbers: &[InstanceNo],
        now: i64,
        cache: &mut Lookups,
    ) -> Result<BTreeMap<InstanceNo, Seeing>, NodeError> {
        let mut seeings = BTreeMap::new();
        for info in self.store.by_number(numbers, None)? {
            if let Some(seeing) = self.seeing(detector, world, &info, now, cache)? {
                seeings.insert(info.no, seeing);
            }
        }
        Ok(seeings)
    }

    fn seeing(
        &self,
        detector: &Detector,
        world: &World,
        info: &InstanceInfo,
        now: i64,
        cache: &mut Lookups,
    ) -> Result<Option<Seeing>, NodeError> {
        let here = |chain: &Chain| chain.collection == detector.collection;
        let Some(road) = world.usable_road(info, now, here) else { return Ok(None) };
        let Ok(Value::Object(mut observed)) = serde_json::from_str(&info.raw) else { return Ok(None) };
        let by = serde_json::to_string(&road.origin).unwrap_or_default().into();
        let mut markings: Conjunction = world.effective_markings(road).into_iter().collect();
        let mut objects: HashMap<String, Map<String, Value>> = HashMap::new();
        for id in observed.get("object_refs").and_then(Value::as_array).into_iter().flatten() {
            let Some(Ok(id)) = id.as_str().map(str::parse::<AnyId>) else { continue };
            let held = if let Some(held) = cache.get(&id) {
                held.clone()
            } else {
                let held: Vec<Arc<InstanceInfo>> =
                    self.store.instances(&detector.realm, &id, None)?.into_iter().map(Arc::new).collect();
                cache.insert(id.clone(), held.clone());
                held
            };
            // Never another party's: identifiers of observables can be guessed, and a sighting would tell who guesses that it is held (I1).
            let by_same = |chain: &Chain| here(chain) && chain.origin == road.origin;
            let by_party = |chain: &Chain| here(chain) && chain.origin.party() == road.origin.party();
            let chosen = held.iter().find_map(|info| Some((info, world.usable_road(info, now, by_same)?)));
            let chosen =
                chosen.or_else(|| held.iter().find_map(|info| Some((info, world.usable_road(info, now, by_party)?))));
            let Some((info, road)) = chosen else { continue };
            let Ok(Value::Object(object)) = serde_json::from_str(&info.raw) else { continue };
            markings.add(world.effective_markings(road));
            objects.insert(id.as_str().to_owned(), object);
        }
        let time = |name: &str| Timestamp::parse(observed.get(name)?.as_str()?).ok().map(|at| at.micros());
        let (Some(first), Some(last)) = (time("first_observed"), time("last_observed")) else { return Ok(None) };
        let seen = Seen {
            id: info.id.clone(),
            first,
            last,
            number: observed.get("number_observed").and_then(Value::as_u64).unwrap_or(1),
            markings,
            by,
        };
        // The engine knows an observation by its instance: several may bear one identifier, each with a label of its own.
        observed.insert("id".to_owned(), info.no.to_string().into());
        // What is no sound observed-data was taken in all the same (I3); it matches nothing.
        let observation = Observation::from_observed_data(&observed, |id| objects.get(id)).ok();
        Ok(Some(Seeing { seen, digest: info.digest, observation }))
    }

    /// Whether a match counts: its indicator is asked about once more, as it is held at this moment. With it the labels of everything in it.
    fn judge(
        &self,
        detector: &mut Detector,
        world: &World,
        found: &Found,
        seeings: &BTreeMap<InstanceNo, Seeing>,
        now: i64,
        cache: &mut Lookups,
    ) -> Result<Option<(Hit, [u8; 32])>, NodeError> {
        let allowed = |chain: &Chain| world.may_detect_with(&chain.origin);
        let held = self.store.instances(&detector.realm, &found.indicator, None)?;
        let mut same = held.iter().filter(|info| {
            let pattern = serde_json::from_str::<Value>(&info.raw).ok();
            pattern.is_some_and(|object| object["pattern"] == *found.pattern)
        });
        let Some(road) = same.find_map(|info| world.usable_road(info, now, allowed)) else {
            detector.watch.remove(&found.indicator);
            return Ok(None);
        };
        let markings = world.effective_markings(road).into_iter().collect();
        let (mut observations, mut names) = (Vec::new(), BTreeSet::new());
        for no in &found.observations {
            let Ok(no) = no.parse::<InstanceNo>() else { return Ok(None) };
            let (seen, digest) = if let Some(seeing) = seeings.get(&no) {
                (seeing.seen.clone(), seeing.digest)
            } else {
                // Remembered from an earlier page.
                let Some(seeing) = self.see(detector, world, &[no], now, cache)?.remove(&no) else { return Ok(None) };
                (seeing.seen, seeing.digest)
            };
            names.insert(digest.0);
            observations.push(seen);
        }
        let mut key = Sha256::new().chain_update(detector.collection.to_be_bytes());
        key.update(found.indicator.as_str());
        for name in names {
            key.update(name);
        }
        let hit = Hit { indicator: found.indicator.clone(), markings, observations };
        Ok(Some((hit, key.finalize().into())))
    }

    /// Adds a match to its sighting, which is taken up from the store if it was begun before this process.
    fn add_up(&self, detector: &mut Detector, hit: &Hit) -> Result<Option<AnyId>, NodeError> {
        let Some(place) = detector.sightings.place(hit) else { return Ok(None) };
        if !place.open {
            let held = self.store.instances(&detector.realm, &place.id, None)?;
            let own = held.iter().filter(|info| {
                info.state.chains().iter().any(|chain| matches!(chain.origin, Origin::Own { account: None }))
            });
            let version = |info: &&InstanceInfo| info.version.as_deref().and_then(|v| Timestamp::parse(v).ok());
            if let Some(latest) = own.max_by_key(version)
                && let Ok(Value::Object(made)) = serde_json::from_str(&latest.raw)
            {
                detector.sightings.resume(&made, &place);
            }
        }
        detector.sightings.add(hit);
        Ok(Some(place.id))
    }

    /// Alerts, sightings, the audit leaf and the new place: all or nothing.
    fn store_page(
        &self,
        detector: &mut Detector,
        world: &World,
        observations: usize,
        last: Slot,
        alerts: Vec<NewAlert>,
        now: i64,
    ) -> Result<(), NodeError> {
        let limits = Limits::default();
        let mut products = Vec::new();
        for sighting in detector.sightings.take(now) {
            let text = Value::Object(sighting.object).to_string();
            let object = Object::parse(&text, &limits)
                .map_err(|e| NodeError::Refused(format!("a sighting of this node is no STIX: {e}")))?;
            products.push(Product { object, markings: sighting.markings.markings().collect() });
        }
        let window = i64::from(detector.file.window_s) * 1_000_000;
        detector.sightings.forget(now.saturating_sub(window));
        let Some(collection) = world.collections.get(&detector.collection) else { return Ok(()) };
        let act = (!alerts.is_empty()).then(|| {
            let made: Vec<Value> = products
                .iter()
                .map(|p| json!({"sighting": p.object.id(), "digest": p.object.digest().to_string()}))
                .collect();
            let body = json!({"collection": collection.new.alias, "observations": observations, "alerts": alerts.len(), "sightings": made});
            Act { kind: "detection".to_owned(), by: "detection".to_owned(), body }
        });
        let place = PullState {
            peer: PLACE.to_owned(),
            remote_collection: collection.new.id.to_string(),
            cursor: last.to_string(),
            at: now,
        };
        let raised = alerts.len() as u64;
        let alongside = Alongside { pull: Some(place), act, alerts, ..Alongside::default() };
        let head = Head {
            collection: detector.into,
            origin: Origin::Own { account: None },
            accepted: now,
            default: Vec::new(),
            relabelled: false,
        };
        self.publish_products(&head, products, &alongside)?;
        self.counters.alerts.fetch_add(raised, Ordering::Relaxed);
        Ok(())
    }
}

fn alert_body(world: &World, detector: &Detector, found: &Found, hit: &Hit, sighting: Option<&AnyId>) -> Value {
    let time = |micros: Option<i64>| micros.map(|at| Timestamp::from_micros(at).as_str().to_owned());
    let warnings: Vec<Value> = found.warnings.iter().map(|w| json!({"value": w.value, "list": &*w.list})).collect();
    json!({
        "collection": world.collections.get(&detector.collection).map(|c| c.new.alias.as_str()),
        "realm": detector.realm,
        "indicator": found.indicator,
        "pattern": &*found.pattern,
        "observations": hit.observations.iter().map(|o| &o.id).collect::<Vec<_>>(),
        "first_observed": time(hit.observations.iter().map(|o| o.first).min()),
        "last_observed": time(hit.observations.iter().map(|o| o.last).max()),
        "sighting": sighting,
        "warnings": warnings,
    })
}

impl World {
    /// The first road of an instance that `which` takes, by which the organisation itself may have it, and whose labels what is made from it can bear.
    fn usable_road<'i>(&self, info: &'i InstanceInfo, now: i64, which: impl Fn(&Chain) -> bool) -> Option<&'i Chain> {
        let reader = self.reader(OPERATOR)?;
        let at = Timestamp::from_micros(now);
        let authority = self.authority(&at);
        info.state.chains().iter().filter(|chain| which(chain) && self.can_be_borne(chain)).find(|chain| {
            let alone = LabelState::new(vec![(*chain).clone()]);
            matches!(authority.decide(&alone, info.id.type_name(), reader), Decision::Release { .. })
        })
    }

    /// Whether what this origin gave may be run against own observations, as the agreement says; without an agreement it may not.
    fn may_detect_with(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Own { .. } => true,
            Origin::Partner { partner: party, .. } | Origin::Peer { peer: party } => {
                self.config.agreements.get(party).is_some_and(|file| file.agreement.detect)
            }
        }
    }

    /// Alternatives that are all the label there is stood, beside the label of another part, for that one: nothing can bear both (L-091, L-104).
    fn can_be_borne(&self, chain: &Chain) -> bool {
        let role = |id| match self.markings.meaning_in(id, &chain.origin, chain.collection) {
            Some(Meaning::Label(label)) => Some(label.role()),
            _ => None,
        };
        let roles: Vec<Role> = chain.effective().iter().filter_map(role).collect();
        roles.is_empty() || roles.contains(&Role::Originator)
    }

    /// The markings of a road that what is made from its object must bear (L-091): labels that others dominate go, and so do statements that only
    /// their own party defined, which restrict nobody. Labels beside another (L-104) widen, and what is made from several has none.
    fn effective_markings(&self, chain: &Chain) -> Vec<Id<MarkingDefinition>> {
        let own = Origin::Own { account: None };
        let here = chain.collection;
        let binds = |id: &Id<MarkingDefinition>| match self.markings.meaning_in(id, &chain.origin, here) {
            Some(Meaning::Statement) => self.markings.meaning_in(id, &own, here) == Some(&Meaning::Statement),
            Some(Meaning::Label(label)) => label.role() == Role::Originator,
            _ => true,
        };
        chain.effective().into_iter().filter(binds).collect()
    }
}
