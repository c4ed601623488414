//! L-158 at the whole node: random labels, clearances, object graphs, relabels, posts and agreements, from a seed. After every few acts each reader asks by
//! every listing; what it gets is what the naive model (`oracle::decision`, and the reference rule written here as removing until nothing changes) allows: no
//! object, identifier, count or marking text beyond it, and nothing of it missing. Parts of own objects have markings of their own; where an agreement allows
//! redaction, the copies given are those of `oracle::redaction`, word for word, also for who is told of no policy but its own (L-107, L-126). Two persons override labels (L-157), and take back.
//!
//! `ENTENTE_CONJUNCTION_STEPS` acts (2,000), `ENTENTE_SEED` where to begin.

mod labels;

use crate::{
    material::{self, Deal, HUB, bundle, definition, envelope, uuid},
    officers,
    scene::{NodeDir, public_room, strict_room},
    stage::{SECOND, START, Stage},
};
use labels::{
    ALTERNATIVES, LABELS, LEVELS, OTHER_CODES, OTHER_LEVELS, TLP, XPA, line_of, line_of_real, naive_label, nato,
    real_label,
};
use node::admin::Request;
use oracle::{decision as naive, redaction};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};
use taxii::{error::TaxiiError, server::Listing};

/// Acts of one node; then another one begins, so that what is looked at stays small.
const EPISODE: usize = 200;
/// Acts between two times at which everything is asked.
const PACE: usize = 8;
const ROOMS: [&str; 3] = ["intel", "desk", "open"];
const KINDS: [&str; 4] = ["indicator", "relationship", "report", "sighting"];
/// Partner, its account, its code.
const PARTNERS: [(&str, &str, &str); 3] =
    [("japan", "jpn-tool", "JPN"), ("australia", "aus-tool", "AUS"), ("swiss", "che-tool", "CHE")];

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
    pub(crate) fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
    pub(crate) fn some<T: Clone>(&mut self, from: &[T], percent: usize) -> Vec<T> {
        from.iter().filter(|_| self.percent(percent)).cloned().collect()
    }
}

/// One object version and every road that it came.
struct Thing {
    id: String,
    version: String,
    kind: &'static str,
    /// Ids that it cannot do without, and those that an open collection excuses.
    needs: Vec<String>,
    may: Vec<String>,
    roads: Vec<naive::Chain>,
    /// The object; of partners' posts, which nobody here redacts, nothing.
    json: Value,
    /// Markings on the object as a whole, and its parts with those on them.
    on_whole: Vec<usize>,
    parts: Vec<redaction::Part>,
}

/// What a copy always has, or gets anew.
const FRAME: [&str; 8] =
    ["type", "spec_version", "id", "created", "modified", "created_by_ref", "object_marking_refs", "granular_markings"];

/// The properties that each type must have.
fn required(kind: &str) -> Vec<String> {
    let names: &[&str] = match kind {
        "relationship" => &["relationship_type", "source_ref", "target_ref"],
        "sighting" => &["sighting_of_ref"],
        "report" => &["name", "published", "object_refs"],
        _ => &["pattern", "pattern_type", "valid_from"],
    };
    names.iter().map(|n| (*n).to_owned()).collect()
}

/// The parts of an object; `at` are the selectors that a marking stands on.
fn parts(json: &Value, at: &[&str], marking: usize) -> Vec<redaction::Part> {
    let mut parts = Vec::new();
    let sorted: BTreeMap<&String, &Value> = json.as_object().unwrap().iter().collect();
    for (name, value) in sorted.into_iter().filter(|(name, _)| !FRAME.contains(&name.as_str())) {
        let items = value.as_array().map_or_else(|| vec![(None, value)], |list| (0..).map(Some).zip(list).collect());
        for (i, value) in items {
            let place = i.map_or_else(|| name.clone(), |i: usize| format!("{name}.[{i}]"));
            let marked = at.contains(&place.as_str()) || at.contains(&name.as_str());
            let names = name.ends_with("_ref") || name.ends_with("_refs");
            parts.push(redaction::Part {
                name: name.clone(),
                value: value.to_string(),
                markings: if marked { vec![marking] } else { Vec::new() },
                names: if names { vec![value.as_str().unwrap().to_owned()] } else { Vec::new() },
            });
        }
    }
    parts
}

/// One line for each part.
fn lines_of<'p>(parts: impl Iterator<Item = &'p redaction::Part>) -> String {
    parts.fold(String::new(), |text, part| text + &part.name + "=" + &part.value + "\n")
}

/// What a copy says, apart from what it gets anew.
fn said(json: &Value) -> String {
    lines_of(parts(json, &[], 0).iter())
}

/// One node with its model.
struct World {
    dice: Dice,
    stage: Stage,
    model: naive::Model,
    /// Marking ids by index of the model's markings.
    ids: Vec<String>,
    names: Vec<String>,
    things: Vec<Thing>,
    readers: Vec<naive::Reader>,
    /// Whether each reader's agreement allows redaction.
    redacts: Vec<bool>,
    made: u64,
    /// Overrides in force.
    opened: Vec<Opened>,
    counts: Counts,
}

/// What was compared.
#[derive(Debug, Default)]
struct Counts {
    /// Objects that a reader was shown as the model allows, and that it was not shown as the model demands.
    shown: usize,
    refused: usize,
    /// Redacted copies, and those of which a label was replaced.
    copies: usize,
    replaced: usize,
    /// Overrides that came into force, and that were refused.
    overridden: usize,
    not_overridden: usize,
}

impl Counts {
    fn add(&mut self, more: &Self) {
        let Self { shown, refused, copies, replaced, overridden, not_overridden } = more;
        self.shown += shown;
        self.refused += refused;
        self.copies += copies;
        self.replaced += replaced;
        self.overridden += overridden;
        self.not_overridden += not_overridden;
    }
}

/// An override in force, as the model has it.
struct Opened {
    act: uuid::Uuid,
    by: naive::Override,
    thing: usize,
    /// The collections whose roads to it are open.
    rooms: Vec<u32>,
    /// Definitions of its markings that came with it, and where.
    definitions: Vec<(usize, u32)>,
}

impl World {
    fn open(seed: u64) -> Self {
        let mut rooms = [strict_room(ROOMS[0]), strict_room(ROOMS[1]), public_room(ROOMS[2])];
        rooms[2].open_references = true;
        let dir = NodeDir::init("hub", &rooms);
        dir.with_policy("xpa-demo", XPA);
        let (mut ids, mut names, mut markings, mut definitions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let public = material::labels().remove(0).1;
        definitions.push(definition(&public, material::PUBLIC));
        for ((name, level, tags), alternative) in LABELS.into_iter().zip(ALTERNATIVES) {
            let label = real_label(level, tags, alternative);
            definitions.push(definition(&label, name));
            ids.push(label.marking_id().to_string());
            names.push(name.to_owned());
            markings.push(naive::Marking {
                says: naive::Says::Label(naive_label(level, tags, alternative)),
                by: Vec::new(),
            });
        }
        for (n, (name, id)) in (0..).zip(TLP) {
            let level = if n == 3 { 4 } else { n };
            ids.push(id.to_owned());
            names.push(name.to_owned());
            markings.push(naive::Marking { says: naive::Says::Tlp(level), by: Vec::new() });
        }
        std::fs::write(dir.path().join("catalogue.json"), bundle(&definitions)).unwrap();
        let mut world = Self {
            dice: Dice(seed),
            stage: {
                for (partner, _, code) in PARTNERS {
                    let mut first = material::japan(&ROOMS, &ROOMS);
                    (first.partner, first.code) = (partner, code);
                    dir.agree(&first);
                }
                officers::appoint(dir.path(), &officers::two());
                Stage::open(dir)
            },
            model: naive::Model {
                policies: vec![nato(), oracle::spif::read(XPA).unwrap()],
                markings,
                at: START,
                mappers: Vec::new(),
                home: Vec::new(),
                officers: officers::two().map(|o| o.name.to_owned()).to_vec(),
            },
            ids,
            names,
            things: Vec::new(),
            readers: Vec::new(),
            redacts: vec![false; PARTNERS.len()],
            made: 0,
            opened: Vec::new(),
            counts: Counts::default(),
        };
        for (partner, account, _) in PARTNERS {
            world.stage.account(account, Some(partner), json!({}));
        }
        for n in 0..PARTNERS.len() {
            let reader = world.agree(n);
            world.readers.push(reader);
        }
        // The definitions stand in every collection, so that whoever passes a label may know its marking.
        for room in ROOMS {
            world.stage.import(&definitions, room, None);
            // Copies are the hub's, and whoever gets one may know of the hub.
            world.stage.import(&[material::identity(HUB, "the hub")], room, Some("TLP:CLEAR"));
        }
        world
    }

    /// A new agreement with a partner, at once in force; what it is to the model.
    fn agree(&mut self, n: usize) -> naive::Reader {
        let (partner, account, code) = PARTNERS[n];
        let d = &mut self.dice;
        let levels = LEVELS[..d.below(5)].to_vec();
        let kfor = d.percent(40);
        let bohemia = d.percent(40);
        let tlp: Vec<&'static str> = d.some(&["GREEN", "AMBER"], 50);
        let rooms: Vec<&'static str> = d.some(&ROOMS, 80);
        let all = d.percent(60);
        let mut kinds: Vec<&'static str> = if all { vec!["*"] } else { d.some(&KINDS, 65) };
        if !all {
            kinds.extend(["marking-definition", "identity"]);
        }
        let redaction = d.percent(70);
        let alone = redaction && d.percent(65);
        let other_levels = OTHER_LEVELS[..d.below(4)].to_vec();
        let until = d.percent(15).then(|| self.model.at + 3600 * SECOND * i64::try_from(1 + d.below(6)).unwrap());
        let list = |items: &[&str]| items.iter().map(|i| format!("{i:?}")).collect::<Vec<_>>().join(", ");
        let mut context = vec!["Releasable"];
        let mut to = vec![code];
        if kfor {
            context.push("KFOR");
            to.push("KFOR");
        }
        let special: Vec<&str> = bohemia.then_some("BOHEMIA").into_iter().collect();
        let mut tlp_all = vec!["CLEAR"];
        tlp_all.extend(&tlp);
        self.redacts[n] = redaction;
        let mut deal = Deal {
            partner,
            identity: format!("identity--{}", uuid(7, n as u64 + 1)),
            code,
            classifications: Vec::new(),
            until: until.map(|u| stix::Timestamp::from_micros(u).as_str().to_owned()),
            kinds: kinds.clone(),
            identities: vec!["*"],
            tlp: tlp_all.clone(),
            ..material::japan(&rooms, &ROOMS)
        };
        if redaction {
            deal.more = String::from("redaction = \"allowed\"\n");
        }
        if alone {
            deal.more += "foreign_alternatives = \"remove\"\n";
        }
        if !levels.is_empty() {
            deal.end = format!(
                "\n[[clearance]]\npolicy = \"NATO\"\nclassifications = [{}]\ncategories = {{ \"Context\" = [{}], \"Releasable To\" = [{}], \"Only\" = [{code:?}], \"Special Category Designators\" = [{}] }}\n",
                list(&levels),
                list(&context),
                list(&to),
                list(&special)
            );
        }
        let other_code = OTHER_CODES[n];
        if !other_levels.is_empty() {
            let _ = write!(
                deal.end,
                "\n[[clearance]]\npolicy = \"DEMO-XPA\"\nclassifications = [{}]\ncategories = {{ \"Releasable To\" = [{other_code:?}] }}\n",
                list(&other_levels)
            );
        }
        self.stage.dir.agree(&deal);
        self.stage.done(Request::Reload);
        let set = |v: &[&str]| v.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<String>>();
        let clearance = naive::Clearance {
            oid: self.model.policies[0].oid.clone(),
            levels: set(&levels),
            values: BTreeMap::from([
                ("Context".to_owned(), set(&context)),
                ("Releasable To".to_owned(), set(&to)),
                ("Only".to_owned(), set(&[code])),
                ("Special Category Designators".to_owned(), set(&special)),
            ]),
        };
        let other = naive::Clearance {
            oid: self.model.policies[1].oid.clone(),
            levels: set(&other_levels),
            values: BTreeMap::from([("Releasable To".to_owned(), set(&[other_code]))]),
        };
        let cleared = [clearance, other].into_iter().filter(|c| !c.levels.is_empty());
        let kinds = (!all).then(|| set(&kinds));
        naive::Reader {
            account: account.to_owned(),
            partner: Some(partner.to_owned()),
            clearances: cleared.collect(),
            tlp: (0..).zip(["CLEAR", "GREEN", "AMBER"]).filter(|(_, t)| tlp_all.contains(t)).map(|(n, _)| n).collect(),
            collections: rooms.iter().map(|r| (room_no(r), kinds.clone())).collect(),
            dates: (None, until),
            organisations: Vec::new(),
            client: false,
            communities: Vec::new(),
            link: None,
            own_policies_alone: alone,
        }
    }

    /// One random act, at the node and in the model.
    fn act(&mut self) {
        self.stage.pass(SECOND);
        self.model.at += SECOND;
        match self.dice.below(24) {
            0..=9 => self.import(),
            10..=11 => self.post(),
            12..=13 => self.again(),
            14..=16 => self.relabel(),
            17..=18 => {
                let n = self.dice.below(PARTNERS.len());
                self.readers[n] = self.agree(n);
            }
            19..=21 => self.override_labels(),
            22 => self.withdraw_override(),
            _ => {
                let hours = 1 + self.dice.below(3);
                let us = 3600 * SECOND * i64::try_from(hours).unwrap();
                self.stage.pass(us);
                self.model.at += us;
            }
        }
    }

    /// An object with references to others, to some that come later, and to some that never come.
    fn object(&mut self) -> (Value, Thing) {
        self.made += 1;
        let n = self.made;
        let kind = self.dice.pick(&["indicator", "indicator", "relationship", "report", "sighting"]);
        let target = |d: &mut Dice| {
            let n = if d.percent(85) { 1 + d.below(usize::try_from(n).unwrap()) as u64 } else { n + d.below(4) as u64 };
            // What a number will be is not known before it is made: of what refers to it in vain, the reference stays in vain.
            n
        };
        let named: Vec<String> = (0..3)
            .map(|_| {
                let n = target(&mut self.dice);
                let known = self.things.iter().find(|t| t.id.ends_with(&uuid(21, n)));
                known.map_or_else(|| format!("indicator--{}", uuid(21, n)), |t| t.id.clone())
            })
            .collect();
        let id = format!("{kind}--{}", uuid(21, n));
        let mut json = json!({"type": kind, "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-01T00:00:00.000Z"});
        let (needs, may) = match kind {
            "relationship" => {
                json["relationship_type"] = json!("related-to");
                json["source_ref"] = json!(named[0]);
                json["target_ref"] = json!(named[1]);
                (named[..2].to_vec(), Vec::new())
            }
            "sighting" => {
                json["sighting_of_ref"] = json!(named[0]);
                (named[..1].to_vec(), Vec::new())
            }
            "report" => {
                json["name"] = json!(format!("report {n}"));
                json["published"] = json!("2026-01-01T00:00:00Z");
                json["object_refs"] = json!(named);
                (Vec::new(), named)
            }
            _ => {
                json["name"] = json!(format!("host {n}"));
                json["pattern"] = json!(format!("[domain-name:value = 'h{n}.example']"));
                json["pattern_type"] = json!("stix");
                json["valid_from"] = json!("2026-01-01T00:00:00Z");
                (Vec::new(), Vec::new())
            }
        };
        let kind = KINDS.into_iter().find(|k| *k == kind).unwrap();
        let version = "2026-01-01T00:00:00.000Z".to_owned();
        if self.dice.percent(50) {
            json["description"] = json!(format!("words about {n}"));
            json["labels"] = json!([format!("first of {n}"), format!("second of {n}")]);
        }
        let (roads, on_whole, parts) = (Vec::new(), Vec::new(), Vec::new());
        (json, Thing { id, version, kind, needs, may, roads, json: Value::Null, on_whole, parts })
    }

    /// Puts a marking on a part of the object, sometimes on one that its type needs; which, and on what.
    fn mark_a_part(&mut self, json: &mut Value) -> Option<(usize, Vec<&'static str>)> {
        let kind = json["type"].as_str().unwrap();
        let mut places = vec![vec!["description"], vec!["labels.[0]", "description"], vec!["labels"]];
        match kind {
            "report" => places.push(vec!["object_refs.[1]"]),
            "indicator" => places.extend([vec!["name"], vec!["pattern"]]),
            _ => {}
        }
        let at = self.dice.pick(&places);
        let there = |at: &str| json.get(at.split('.').next().unwrap()).is_some();
        if !self.dice.percent(50) || !at.iter().all(|at| there(at)) {
            return None;
        }
        let marking = self.dice.below(self.ids.len());
        json["granular_markings"] = json!([{"selectors": at, "marking_ref": self.ids[marking]}]);
        Some((marking, at))
    }

    /// Own material, with a label of its own, one put on at the door, or both kinds of marking.
    fn import(&mut self) {
        let (mut json, mut thing) = self.object();
        let room = self.dice.pick(&ROOMS);
        let label = self.dice.below(self.ids.len());
        let mut carried = Vec::new();
        if self.dice.percent(50) {
            carried.push(label);
            if label < LABELS.len() && self.dice.percent(40) {
                carried.push(LABELS.len() + self.dice.below(TLP.len()));
            }
            json["object_marking_refs"] = carried.iter().map(|m| json!(self.ids[*m])).collect();
        }
        let labelled = !carried.is_empty();
        let part = self.mark_a_part(&mut json);
        thing.on_whole.clone_from(&carried);
        let (marking, at) = part.unwrap_or_default();
        if !at.is_empty() {
            carried.push(marking);
            carried.sort_unstable();
            carried.dedup();
        }
        thing.parts = parts(&json, &at, marking);
        thing.json = json.clone();
        let name = self.names[label].clone();
        self.stage.import(&[json.to_string()], room, (!labelled).then_some(name.as_str()));
        let assigned = if labelled { naive::Assigned::Nothing } else { naive::Assigned::Added(vec![label]) };
        let origin = naive::Origin::Own(None);
        thing.roads.push(naive::Chain::new(room_no(room), origin, carried, assigned));
        self.things.push(thing);
    }

    /// The same bytes by a second road, into another collection.
    fn again(&mut self) {
        let plain: Vec<usize> = (0..self.things.len())
            .filter(|i| self.things[*i].kind == "indicator" && self.things[*i].roads.len() == 1)
            .filter(|i| {
                let road = &self.things[*i].roads[0];
                road.carried.is_empty() && matches!(road.assigned, naive::Assigned::Added(_))
            })
            .collect();
        if plain.is_empty() {
            return;
        }
        let i = self.dice.pick(&plain);
        let there = self.things[i].roads[0].collection;
        let other: Vec<&str> = ROOMS.into_iter().filter(|r| room_no(r) != there).collect();
        let room = self.dice.pick(&other);
        let label = self.dice.below(self.ids.len());
        let json = self.things[i].json.clone();
        let name = self.names[label].clone();
        self.stage.import(&[json.to_string()], room, Some(&name));
        let assigned = naive::Assigned::Added(vec![label]);
        let origin = naive::Origin::Own(None);
        let carried = Vec::new();
        self.things[i].roads.push(naive::Chain::new(room_no(room), origin, carried, assigned));
    }

    /// A partner's own material.
    fn post(&mut self) {
        let n = self.dice.below(PARTNERS.len());
        let (partner, account, _) = PARTNERS[n];
        let over = self.readers[n].dates.1.is_some_and(|u| self.model.at >= u);
        let (mut json, mut thing) = self.object();
        let room = self.dice.pick(&ROOMS);
        let marking = self.dice.below(self.ids.len());
        json["object_marking_refs"] = json!([self.ids[marking]]);
        let told = self.stage.post(account, room, &envelope(&[json.to_string()]));
        if told.is_err() {
            assert!(over || !self.readers[n].collections.contains_key(&room_no(room)), "{told:?}");
            return;
        }
        assert_eq!(told.unwrap()["success_count"], 1);
        let origin = naive::Origin::Partner(partner.to_owned(), account.to_owned());
        let (carried, assigned) = (vec![marking], naive::Assigned::Nothing);
        thing.roads.push(naive::Chain::new(room_no(room), origin, carried, assigned));
        self.things.push(thing);
    }

    /// Another label for an own object, in place of all it had.
    fn relabel(&mut self) {
        let own: Vec<usize> = (0..self.things.len())
            .filter(|i| self.things[*i].roads.iter().all(|r| r.origin == naive::Origin::Own(None)))
            .collect();
        if own.is_empty() {
            return;
        }
        let i = self.dice.pick(&own);
        let label = self.dice.below(LABELS.len());
        let name = self.names[label].clone();
        self.stage.relabel(&self.things[i].id, &name);
        for road in &mut self.things[i].roads {
            road.assigned = naive::Assigned::Replaced(vec![label]);
        }
        // The persons saw other labels.
        self.opened.retain(|o| o.thing != i);
    }

    /// A road with the overrides that are on it.
    fn with_overrides(&self, i: usize, road: &naive::Chain) -> naive::Chain {
        let on = self.opened.iter().filter(|o| o.thing == i && o.rooms.contains(&road.collection));
        naive::Chain { overrides: on.map(|o| o.by.clone()).collect(), ..road.clone() }
    }

    /// The road of a label's definition into a room.
    fn definition(&self, marking: usize, room: u32) -> naive::Chain {
        let (origin, carried) = (naive::Origin::Own(None), vec![marking]);
        let on = self.opened.iter().filter(|o| o.definitions.contains(&(marking, room)));
        let overrides = on.map(|o| o.by.clone()).collect();
        naive::Chain { overrides, ..naive::Chain::new(room, origin, carried, naive::Assigned::Nothing) }
    }

    /// Two persons let a partner have an own object: done exactly where the model says that it opens something which the labels do not.
    fn override_labels(&mut self) {
        let own: Vec<usize> = (0..self.things.len())
            .filter(|i| self.things[*i].roads.iter().all(|r| r.origin == naive::Origin::Own(None)))
            .collect();
        if own.is_empty() {
            return;
        }
        let i = self.dice.pick(&own);
        let reader = self.readers[self.dice.below(PARTNERS.len())].clone();
        let partner = reader.partner.clone().unwrap();
        let until = self.model.at + 3600 * SECOND * i64::try_from(1 + self.dice.below(8)).unwrap();
        let signed = officers::two().map(|o| o.name.to_owned());
        let by = naive::Override { partner: partner.clone(), until, signed };
        let may = |road: &naive::Chain, kind: &str| {
            matches!(self.model.decide(std::slice::from_ref(road), kind, &reader), naive::Answer::Yes { .. })
        };
        let opened = |road: &naive::Chain| naive::Chain { overrides: vec![by.clone()], ..road.clone() };
        let (roads, kind) = (&self.things[i].roads, self.things[i].kind);
        let needless = roads.iter().any(|r| may(r, kind));
        let open: Vec<&naive::Chain> = roads.iter().filter(|r| may(&opened(r), kind)).collect();
        let want = !needless && !open.is_empty();
        let got = officers::release(&self.stage.node, &self.things[i].id, &partner, until);
        assert_eq!(got.is_ok(), want, "{got:?}: {roads:#?} for {reader:#?}");
        let Ok((act, _)) = got else {
            self.counts.not_overridden += 1;
            return;
        };
        let markings: BTreeSet<usize> = open
            .iter()
            .flat_map(|road| match &road.assigned {
                naive::Assigned::Nothing => road.carried.clone(),
                naive::Assigned::Added(more) => road.carried.iter().chain(more).copied().collect(),
                naive::Assigned::Replaced(all) => all.clone(),
            })
            .filter(|m| *m < LABELS.len())
            .collect();
        let rooms: Vec<u32> = open.iter().map(|r| r.collection).collect();
        let mut definitions = Vec::new();
        for marking in markings {
            for room in rooms.iter().copied() {
                let plain = naive::Chain { overrides: Vec::new(), ..self.definition(marking, room) };
                if !may(&plain, "marking-definition") && may(&opened(&plain), "marking-definition") {
                    definitions.push((marking, room));
                }
            }
        }
        self.opened.push(Opened { act, by, thing: i, rooms, definitions });
        self.counts.overridden += 1;
    }

    /// One person takes an override back, if its end has not.
    fn withdraw_override(&mut self) {
        let at = self.model.at;
        self.opened.retain(|o| at < o.by.until);
        if self.opened.is_empty() {
            return;
        }
        let n = self.dice.below(self.opened.len());
        let gone = self.opened.remove(n);
        self.stage.done(Request::OverrideWithdraw { id: gone.act, reason: "over".to_owned() });
    }

    /// What a reader may see of every thing, by collection: labels, then references until nothing changes (L-127).
    fn allowed(&self, reader: &naive::Reader) -> Vec<BTreeSet<u32>> {
        let passes_definition = |m: usize| {
            // A label marks its own definition, which stands in every collection; TLP needs no definition.
            m >= LABELS.len()
                || reader.collections.keys().any(|c| {
                    let road = self.definition(m, *c);
                    matches!(self.model.decide(&[road], "marking-definition", reader), naive::Answer::Yes { .. })
                })
        };
        let mut own = vec![false; self.things.len()];
        let mut allowed: Vec<BTreeSet<u32>> = Vec::new();
        for (i, thing) in self.things.iter().enumerate() {
            let roads: Vec<naive::Chain> = thing.roads.iter().map(|r| self.with_overrides(i, r)).collect();
            let all = self.model.decide(&roads, thing.kind, reader);
            own[i] = all == naive::Answer::Yes { own: true };
            let mut seen = BTreeSet::new();
            for collection in reader.collections.keys() {
                let there: Vec<_> = roads.iter().filter(|r| r.collection == *collection).cloned().collect();
                if matches!(self.model.decide(&there, thing.kind, reader), naive::Answer::Yes { .. }) {
                    // The bytes name what is carried, whatever else is assigned.
                    let named = thing.roads.iter().flat_map(|r| &r.carried).all(|m| passes_definition(*m));
                    if named || own[i] {
                        seen.insert(*collection);
                    }
                }
            }
            allowed.push(seen);
        }
        loop {
            let visible: BTreeSet<&str> =
                self.things.iter().zip(&allowed).filter(|(_, a)| !a.is_empty()).map(|(t, _)| t.id.as_str()).collect();
            let mut gone: Vec<(usize, u32)> = Vec::new();
            for (i, thing) in self.things.iter().enumerate().filter(|(i, _)| !own[*i]) {
                let needed = thing.needs.iter().all(|r| visible.contains(r.as_str()));
                let wished = thing.may.iter().all(|r| visible.contains(r.as_str()));
                for c in &allowed[i] {
                    if !(needed && (wished || *c == room_no("open"))) {
                        gone.push((i, *c));
                    }
                }
            }
            if gone.is_empty() {
                return allowed;
            }
            for (i, c) in gone {
                allowed[i].remove(&c);
            }
        }
    }

    /// What the copies say that a reader must get in a room, with their labels, and those it may get: of what has several labels a person may have to decide
    /// (L-093).
    fn copies(&self, n: usize, room: &str, allowed: &[BTreeSet<u32>]) -> (BTreeMap<String, Borne>, BTreeSet<String>) {
        let (mut must, mut may) = (BTreeMap::new(), BTreeSet::new());
        if !self.redacts[n] {
            return (must, may);
        }
        let known: BTreeSet<&str> =
            self.things.iter().zip(allowed).filter(|(_, a)| !a.is_empty()).map(|(t, _)| t.id.as_str()).collect();
        for (thing, _) in self.things.iter().zip(allowed).filter(|(t, a)| a.is_empty() && !t.parts.is_empty()) {
            for road in thing.roads.iter().filter(|road| road.collection == room_no(room)) {
                let mut markings = thing.on_whole.clone();
                if let naive::Assigned::Added(more) = &road.assigned {
                    markings.extend(more);
                }
                let whole = redaction::Whole {
                    kind: thing.kind.to_owned(),
                    parts: thing.parts.clone(),
                    required: required(thing.kind),
                    markings,
                };
                let given = redaction::given(&self.model, &whole, road, &self.readers[n], &|id| known.contains(id));
                if let redaction::Given::Copy { kept, markings } = given {
                    let text = lines_of(kept.iter().map(|i| &thing.parts[*i]));
                    match redaction::borne(&self.model, road, &markings, &self.readers[n]) {
                        None => {
                            may.insert(text);
                        }
                        Some(labels) => {
                            let before: Vec<String> =
                                markings.iter().filter_map(|m| self.label(*m)).map(line_of).collect();
                            let labels: Vec<String> = labels.iter().map(line_of).collect();
                            must.insert(text, Borne { replaced: before != labels, labels });
                        }
                    }
                }
            }
        }
        (must, may)
    }

    /// The label that a marking of the model is.
    fn label(&self, marking: usize) -> Option<&naive::Label> {
        match &self.model.markings[marking].says {
            naive::Says::Label(label) => Some(label),
            _ => None,
        }
    }

    /// Every reader asks for everything by every listing.
    fn ask(&mut self, told: &str) {
        for n in 0..PARTNERS.len() {
            let reader = self.readers[n].clone();
            let allowed = self.allowed(&reader);
            let known: BTreeSet<&str> =
                self.things.iter().zip(&allowed).filter(|(_, a)| !a.is_empty()).map(|(t, _)| t.id.as_str()).collect();
            for room in ROOMS {
                let want: BTreeSet<(&str, &str)> = self
                    .things
                    .iter()
                    .zip(&allowed)
                    .filter(|(_, a)| a.contains(&room_no(room)))
                    .map(|(t, _)| (t.id.as_str(), t.version.as_str()))
                    .collect();
                let manifest = self.stage.shown(&reader.account, room);
                let ours: BTreeSet<&str> = self.things.iter().map(|t| t.id.as_str()).collect();
                let copy = |id: &str| !id.starts_with("marking-definition") && id != HUB && !ours.contains(id);
                let got: BTreeSet<(&str, &str)> = manifest
                    .iter()
                    .filter(|(id, ..)| ours.contains(id.as_str()))
                    .map(|(id, version, _)| (id.as_str(), version.as_str()))
                    .collect();
                let about = || {
                    let odd: Vec<_> = got.symmetric_difference(&want).collect();
                    let of: Vec<_> = self.things.iter().filter(|t| odd.iter().any(|(id, _)| *id == t.id)).collect();
                    let of: Vec<_> = of.iter().map(|t| (&t.id, &t.needs, &t.may, &t.roads)).collect();
                    format!("{told}, {room} for {reader:?}: {odd:?}\n{of:#?}")
                };
                assert_eq!(got, want, "{}", about());
                self.counts.shown += got.len();
                let listed =
                    self.stage.list(&reader.account, room, Listing::Objects, "match[version]=all&limit=100000");
                let Ok(listed) = listed else {
                    assert!(
                        want.is_empty() && matches!(listed, Err(TaxiiError::NotFound | TaxiiError::Forbidden)),
                        "{told}"
                    );
                    continue;
                };
                let body: Value = serde_json::from_slice(&listed.body).unwrap();
                let objects = body["objects"].as_array().cloned().unwrap_or_default();
                let bodies: BTreeSet<&str> =
                    objects.iter().map(|o| o["id"].as_str().unwrap()).filter(|id| ours.contains(id)).collect();
                assert_eq!(bodies, want.iter().map(|(id, _)| *id).collect(), "{}", about());
                let copies: Vec<&Value> = objects.iter().filter(|o| copy(o["id"].as_str().unwrap())).collect();
                let listed_copies = manifest.iter().filter(|(id, ..)| copy(id)).count();
                assert_eq!(copies.len(), listed_copies, "{told}: {room} for {}", reader.account);
                assert!(copies.iter().all(|o| o["created_by_ref"] == HUB && o.get("granular_markings").is_none()));
                let given: BTreeSet<String> = copies.iter().map(|o| said(o)).collect();
                let (must, may) = self.copies(n, room, &allowed);
                let missing: Vec<_> = must.keys().filter(|m| !given.contains(*m)).collect();
                let beyond: Vec<_> = given.iter().filter(|g| !must.contains_key(*g) && !may.contains(*g)).collect();
                assert!(
                    missing.is_empty() && beyond.is_empty() && given.len() == copies.len(),
                    "{told}: {room} for {reader:?}: missing {missing:#?}, beyond {beyond:#?}"
                );
                self.counts.copies += copies.len();
                let held = |o: &'_ Value| o["extensions"][label::LABEL_EXTENSION].get("label").cloned();
                let defined: BTreeMap<&str, Value> =
                    objects.iter().filter_map(|o| Some((o["id"].as_str().unwrap(), held(o)?))).collect();
                for copy in &copies {
                    let Some(borne) = must.get(&said(copy)) else { continue };
                    let refs = copy["object_marking_refs"].as_array().unwrap().iter().map(|m| m.as_str().unwrap());
                    let labels = refs.filter(|m| TLP.iter().all(|(_, id)| id != m));
                    let labels: Vec<String> = labels.map(|m| line_of_real(&defined[m])).collect();
                    assert_eq!(labels, borne.labels, "{told}: {room} for {reader:?}: {copy}");
                    self.counts.replaced += usize::from(borne.replaced);
                }
                // Who is told of no policy but its own finds no other in any definition.
                let cleared = reader.clearances.iter().map(|c| policy_name(&self.model, &c.oid));
                let cleared: BTreeSet<&str> = cleared.chain(["PUBLIC"]).collect();
                for label in defined.values().filter(|_| reader.own_policies_alone) {
                    let line = line_of_real(label);
                    let policies = line
                        .split("; ")
                        .map(|l| l.trim_start_matches("originator ").trim_start_matches("alternative "));
                    let policies: BTreeSet<&str> = policies.map(|l| l.split(' ').next().unwrap()).collect();
                    assert!(policies.is_subset(&cleared), "{told}: {room} tells {} of {line}", reader.account);
                }
                for object in &objects {
                    let id = object["id"].as_str().unwrap();
                    let thing = self.things.iter().zip(&allowed).find(|(t, _)| t.id == id);
                    let own = thing.is_some_and(|(t, _)| {
                        self.model.decide(&t.roads, t.kind, &reader) == naive::Answer::Yes { own: true }
                    });
                    let text = object.to_string();
                    for other in self.things.iter().filter(|t| text.contains(&t.id)) {
                        let excused = own || room == "open" && thing.is_some_and(|(t, _)| t.may.contains(&other.id));
                        assert!(known.contains(other.id.as_str()) || excused, "{told}: {id} names {}", other.id);
                    }
                }
                // Marking text: the words of labels that this reader does not pass occur in nothing it is given.
                let text = String::from_utf8(listed.body).unwrap();
                for (m, name) in self.names.iter().enumerate().take(LABELS.len()) {
                    let road = self.definition(m, room_no(room));
                    let passes = self.model.decide(&[road], "marking-definition", &reader);
                    if let naive::Answer::No(_) = passes {
                        assert!(!text.contains(name.as_str()), "{told}: {room} tells {} of {name}", reader.account);
                    }
                }
                self.counts.refused += self.things.len() - want.len();
            }
        }
    }
}

/// The labels of a copy, and whether they are others than those of what it is a copy of.
struct Borne {
    labels: Vec<String>,
    replaced: bool,
}

fn policy_name<'m>(model: &'m naive::Model, oid: &str) -> &'m str {
    &model.policies.iter().find(|p| p.oid == oid).unwrap().name
}

fn room_no(room: &str) -> u32 {
    u32::try_from(ROOMS.iter().position(|r| *r == room).unwrap()).unwrap()
}

/// One world from its seed, so many acts long: what it counted.
fn episode(seed: u64, acts: usize) -> Counts {
    let mut world = World::open(seed);
    for act in 1..=acts {
        world.act();
        if act % PACE == 0 {
            world.ask(&format!("seed {seed}, act {act}"));
        }
    }
    world.stage.assert_sound();
    world.counts
}

/// L-158, L-107, L-123, L-124, L-125, L-126, L-127, L-131, L-157; I1, I5.
#[test]
fn no_reader_ever_receives_what_the_conjunction_refuses_and_everything_permitted_arrives() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<usize>().ok());
    let acts = number("ENTENTE_CONJUNCTION_STEPS").unwrap_or(2_000);
    let first = number("ENTENTE_SEED").unwrap_or(1);
    // Worlds have nothing in common: as many at once as there are processors.
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut counts = Counts::default();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(left) = acts.checked_sub(n * EPISODE).filter(|left| *left > 0) else { return counts };
            counts.add(&episode((first + n) as u64, EPISODE.min(left)));
        }
    };
    let mut counts = Counts::default();
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for worker in running {
            counts.add(&worker.join().unwrap());
        }
    });
    eprintln!("{acts} acts; {counts:?}");
    let Counts { shown, refused, copies, replaced, overridden, not_overridden } = counts;
    assert!(shown > acts && refused > acts && copies * 8 > acts, "{counts:?}");
    assert!(replaced * 40 > acts, "{counts:?}");
    assert!(overridden * 100 > acts && not_overridden * 100 > acts, "{counts:?}");
}
