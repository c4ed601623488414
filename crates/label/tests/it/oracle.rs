//! The engine against the naive model (`oracle::decision`), which shares no code with it: random policies, labels, clearances, TLP, origins,
//! relabels and agreements. At least 100,000 decisions a run, with reasons. `ENTENTE_SEED` repeats a run, `ENTENTE_CASES` and `ENTENTE_SOAK_S` make it last.
use crate::model::{at, object, own};
use label::*;
use oracle::decision as naive;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stix::{Id, Timestamp, id::MarkingDefinition};

/// Fewest decisions of a run: 100,000, or `ENTENTE_CASES`.
pub(crate) fn cases_wanted() -> usize {
    std::env::var("ENTENTE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}
const STATES: usize = 110;
const READERS: usize = 16;
/// Of these there is another one each that differs in its names alone.
const TWINS: usize = 8;
const NOW: i64 = 1_780_000_000_000_000;
const TYPES: [&str; 4] = ["indicator", "malware", "report", "marking-definition"];

/// splitmix64.
pub(crate) struct Dice(pub(crate) u64);
impl Dice {
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (below.max(1) as u64)).unwrap()
    }
    pub(crate) fn percent(&mut self, n: usize) -> bool {
        self.roll(100) < n
    }
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
    pub(crate) fn some<T: Clone>(&mut self, from: &[T], percent: usize) -> Vec<T> {
        from.iter().filter(|_| self.percent(percent)).cloned().collect()
    }
    /// The same name as a careless tool would write it.
    fn spell(&mut self, name: &str) -> String {
        match self.roll(6) {
            0 => name.to_lowercase(),
            1 => format!(" {name}\n"),
            _ => name.to_owned(),
        }
    }
    /// An instant close to now, sometimes now itself.
    fn date(&mut self) -> i64 {
        NOW + [-1_000_000, -1, 0, 1, 1_000_000, 3_600_000_000][self.roll(6)]
    }
    fn second(&mut self) -> i64 {
        NOW + [-3_600_000_000, -1_000_000, 0, 1_000_000, 3_600_000_000][self.roll(5)]
    }
}

fn random_group(d: &mut Dice, shape: &[(String, Vec<String>)]) -> (String, Option<String>) {
    let (set, values) = d.pick(shape).clone();
    let value = (d.percent(70)).then(|| d.pick(&values).clone());
    (set, value)
}

fn random_rules(d: &mut Dice, shape: &[(String, Vec<String>)], percent: usize) -> Vec<naive::Rule> {
    if !d.percent(percent) {
        return Vec::new();
    }
    let operation = *d.pick(&["onlyOne", "oneOrMore", "all"]);
    vec![naive::Rule { operation, groups: (0..=d.roll(2)).map(|_| random_group(d, shape)).collect() }]
}

fn random_policy(d: &mut Dice, n: usize) -> naive::Policy {
    let mut shape: Vec<(String, Vec<String>)> = Vec::new();
    for s in 0..=d.roll(4) {
        shape.push((format!("Set{s}"), (0..=d.roll(4)).map(|v| format!("V{v}")).collect()));
    }
    let levels: Vec<String> = (0..2 + d.roll(3)).map(|l| format!("L{l}")).collect();
    let required: Vec<_> = levels.iter().map(|_| random_rules(d, &shape, 15)).collect();
    let sets = (0..)
        .zip(&shape)
        .map(|(s, (name, values))| naive::TagSet {
            name: name.clone(),
            oid: format!("1.2.{n}.{}", s * 7 + 2),
            kind: *d.pick(&[
                naive::Kind::Restrictive,
                naive::Kind::Permissive,
                naive::Kind::Permissive,
                naive::Kind::Informative,
            ]),
            values: values
                .iter()
                .map(|v| naive::TagValue {
                    name: v.clone(),
                    excluded_levels: if d.percent(12) { vec![d.pick(&levels).clone()] } else { vec![] },
                    required: random_rules(d, &shape, 6),
                    excluded: if d.percent(6) { vec![random_group(d, &shape)] } else { vec![] },
                    obsolete: d.percent(5),
                })
                .collect(),
            min: d.roll(2),
            max: if d.percent(20) { 2 } else { 99 },
        })
        .collect();
    naive::Policy {
        name: format!("Policy {n}"),
        oid: format!("1.2.{n}"),
        window: (d.percent(15).then(|| d.second()), d.percent(15).then(|| d.second())),
        levels: (1..)
            .zip(levels)
            .zip(required)
            .map(|((rank, name), required)| naive::Level { name, rank, required })
            .collect(),
        sets,
        public: false,
    }
}

fn public() -> naive::Policy {
    naive::Policy {
        name: "PUBLIC".into(),
        oid: "1.3.6.1.4.1.31778.12.2.1".into(),
        window: (None, None),
        levels: vec![naive::Level { name: "UNMARKED".into(), rank: 0, required: vec![] }],
        sets: vec![],
        public: true,
    }
}

fn stamp(us: i64) -> String {
    Timestamp::from_micros(us).as_str().to_owned()
}

/// The model's policy as a SPIF.
fn spif(p: &naive::Policy) -> String {
    let kind = |k: naive::Kind| match k {
        naive::Kind::Restrictive => r#"tagType="enumerated" enumType="restrictive""#,
        naive::Kind::Permissive => r#"tagType="permissive""#,
        naive::Kind::Informative => r#"tagType="tagType7""#,
    };
    let group = |element: &str, (set, value): &(String, Option<String>)| {
        let (s, set) = p.sets.iter().enumerate().find(|(_, s)| s.name == *set).unwrap();
        let which = value.as_ref().map_or(r#"all="true""#.to_owned(), |v| {
            format!(r#"lacv="0{}""#, set.values.iter().position(|k| k.name == *v).unwrap() + 10 * s)
        });
        format!(r#"<s:{element} tagSetRef="{}" {} {which}/>"#, set.name, kind(set.kind))
    };
    let rules = |rules: &[naive::Rule]| {
        rules
            .iter()
            .map(|r| {
                format!(
                    r#"<s:requiredCategory operation="{}">{}</s:requiredCategory>"#,
                    r.operation,
                    r.groups.iter().map(|g| group("categoryGroup", g)).collect::<String>()
                )
            })
            .collect::<String>()
    };
    let window = |name: &str, t: Option<i64>| t.map(|t| format!(r#" {name}="{}""#, stamp(t))).unwrap_or_default();
    let mut xml = format!(
        r#"<s:SPIF xmlns:s="http://www.xmlspif.org/spif" schemaVersion="2.1"{}{}><s:securityPolicyId name="{}" id="{}"/><s:securityClassifications>"#,
        window("notBefore", p.window.0),
        window("notAfter", p.window.1),
        p.name,
        p.oid
    );
    for l in &p.levels {
        write!(
            xml,
            r#"<s:securityClassification name="{}" lacv="{}" hierarchy="{}">{}</s:securityClassification>"#,
            l.name,
            l.rank,
            l.rank,
            rules(&l.required)
        )
        .unwrap();
    }
    xml.push_str("</s:securityClassifications><s:securityCategoryTagSets>");
    for (s, set) in p.sets.iter().enumerate() {
        write!(xml, r#"<s:securityCategoryTagSet name="{}" id="{}"><s:securityCategoryTag {} minSelection="{}" maxSelection="{}">"#, set.name, set.oid, kind(set.kind), set.min, set.max).unwrap();
        for (v, value) in set.values.iter().enumerate() {
            let excluded: String =
                value.excluded_levels.iter().map(|l| format!("<s:excludedClass>{l}</s:excludedClass>")).collect();
            let others: String = value.excluded.iter().map(|g| group("excludedCategory", g)).collect();
            write!(
                xml,
                r#"<s:tagCategory name="{}" lacv="{}" obsolete="{}">{excluded}{}{others}</s:tagCategory>"#,
                value.name,
                v + 10 * s,
                value.obsolete,
                rules(&value.required)
            )
            .unwrap();
        }
        xml.push_str("</s:securityCategoryTag></s:securityCategoryTagSet>");
    }
    xml.push_str("</s:securityCategoryTagSets></s:SPIF>");
    xml
}

fn random_label(d: &mut Dice, policies: &[naive::Policy], depth: usize) -> naive::Label {
    let p = d.pick(policies).clone();
    let other = d.pick(policies).name.clone();
    let categories = p.sets.iter().filter(|_| d.percent(83)).cloned().collect::<Vec<_>>();
    let mut categories: Vec<_> = categories
        .iter()
        .map(|s| {
            let names: Vec<String> = s.values.iter().map(|v| v.name.clone()).collect();
            let mut values = d.some(&names, if s.kind == naive::Kind::Permissive { 60 } else { 30 });
            if values.is_empty() && d.percent(85) {
                values.push(d.pick(&names).clone());
            }
            if d.percent(2) {
                values.push("Nothing".into());
            }
            let kind = if d.percent(2) {
                *d.pick(&[naive::Kind::Restrictive, naive::Kind::Permissive, naive::Kind::Informative])
            } else {
                s.kind
            };
            let tag = if d.percent(1) { format!("Elsewhere {}", s.name) } else { d.spell(&s.name) };
            naive::Category {
                tag,
                oid: d.percent(50).then(|| s.oid.clone()),
                kind,
                values: values.iter().map(|v| d.spell(v)).collect(),
            }
        })
        .collect();
    if d.percent(1) {
        categories.push(naive::Category {
            tag: "No such set".into(),
            oid: None,
            kind: naive::Kind::Permissive,
            values: vec!["V0".into()],
        });
    }
    let level = if d.percent(2) { "Nowhere".to_owned() } else { d.pick(&p.levels).name.clone() };
    let originator = depth > 0 || !d.percent(12);
    let mut alternatives = Vec::new();
    if depth == 0 && originator && d.percent(20) {
        alternatives = (0..=d.roll(2)).map(|_| random_label(d, policies, 9)).collect();
        for a in &mut alternatives {
            (a.originator, a.succession, a.extended) = (false, None, false);
        }
    }
    naive::Label {
        alternatives,
        originator,
        policy: match d.roll(100) {
            0 => other,
            1 => "Unheld".into(),
            _ => d.spell(&p.name),
        },
        oid: d.percent(50).then(|| p.oid.clone()),
        level: d.spell(&level),
        categories,
        succession: (depth < 2 && d.percent(15)).then(|| (d.second(), Box::new(random_label(d, policies, depth + 1)))),
        extended: depth == 0 && d.percent(4),
    }
}

pub(crate) fn label_json(l: &naive::Label, role: &str) -> Value {
    let kind = |k| match k {
        naive::Kind::Restrictive => "restrictive",
        naive::Kind::Permissive => "permissive",
        naive::Kind::Informative => "informative",
    };
    let mut policy = json!({"name": l.policy});
    if let Some(oid) = &l.oid {
        policy["oid"] = json!(oid);
    }
    let categories: Vec<Value> = l
        .categories
        .iter()
        .map(|c| {
            let mut j = json!({"tag": c.tag, "type": kind(c.kind), "values": c.values});
            if let Some(oid) = &c.oid {
                j["oid"] = json!(oid);
            }
            j
        })
        .collect();
    let mut j = json!({"v": 1, "role": role, "policy": policy, "classification": l.level, "categories": categories, "created": "2026-01-01T00:00:00Z"});
    if let Some((at, next)) = &l.succession {
        j["succession"] = json!({"at": stamp(*at), "label": label_json(next, role)});
    }
    if !l.alternatives.is_empty() {
        j["alternatives"] = l.alternatives.iter().map(|a| label_json(a, "alternative")).collect();
    }
    if l.extended {
        j["ext"] = json!(["<x xmlns=\"urn:x\"/>"]);
    }
    j
}

fn origins() -> Vec<naive::Origin> {
    use naive::Origin::{Own, Partner, Peer};
    let mut all = vec![Own(None), Own(None), Own(Some("one".into())), Peer("A".into()), Peer("B".into())];
    for p in ["A", "B"] {
        for a in ["one", "two"] {
            all.push(Partner(p.into(), a.into()));
        }
    }
    all
}

fn real_origin(o: &naive::Origin) -> Origin {
    match o {
        naive::Origin::Own(account) => Origin::Own { account: account.clone() },
        naive::Origin::Partner(partner, account) => {
            Origin::Partner { partner: partner.clone(), account: account.clone() }
        }
        naive::Origin::Peer(peer) => Origin::Peer { peer: peer.clone() },
    }
}

fn random_clearance(d: &mut Dice, p: &naive::Policy) -> naive::Clearance {
    let names: Vec<String> = p.levels.iter().map(|l| l.name.clone()).collect();
    let levels = if d.percent(85) { names[..=d.roll(names.len())].to_vec() } else { d.some(&names, 60) };
    let values = p
        .sets
        .iter()
        .map(|s| {
            (
                s.name.clone(),
                d.some(&s.values.iter().map(|v| v.name.clone()).collect::<Vec<_>>(), 65).into_iter().collect(),
            )
        })
        .collect();
    naive::Clearance { oid: p.oid.clone(), levels: levels.into_iter().collect(), values }
}

fn random_reader(d: &mut Dice, policies: &[naive::Policy]) -> naive::Reader {
    let partner = d.pick(&[None, Some("A"), Some("A"), Some("B"), Some("C")]).map(ToOwned::to_owned);
    let mut clearances: Vec<_> = policies
        .iter()
        .filter(|p| p.public || d.percent(80))
        .cloned()
        .collect::<Vec<_>>()
        .iter()
        .map(|p| random_clearance(d, p))
        .collect();
    if d.percent(3) && !clearances.is_empty() {
        clearances.push(clearances[0].clone());
    }
    let mut collections = BTreeMap::new();
    for c in 1..=3 {
        if d.percent(90) {
            collections.insert(
                c,
                if d.percent(85) {
                    None
                } else {
                    Some(d.some(&TYPES, 50).into_iter().map(ToOwned::to_owned).collect())
                },
            );
        }
    }
    let date = |d: &mut Dice| if d.percent(8) { Some(d.date()) } else { None };
    naive::Reader {
        account: (*d.pick(&["one", "two"])).to_owned(),
        partner,
        clearances,
        tlp: d.some(&[0, 1, 2, 3, 4], 50),
        collections,
        dates: (date(d), date(d)),
        organisations: d.some(&[0, 1, 2], 40),
        client: d.percent(30),
        communities: d.some(&COMMUNITIES.map(ToOwned::to_owned), 40),
        link: None,
        own_policies_alone: d.percent(60),
    }
}

const COMMUNITIES: [&str; 2] = ["grouping--one", "grouping--two"];

fn organisation(n: u32) -> String {
    format!("identity--{n:08x}-0000-4000-8000-000000000000")
}

fn random_addressed(d: &mut Dice) -> (naive::Addressed, Value) {
    let list = |d: &mut Dice| d.percent(60).then(|| d.some(&[0, 1, 2], 60));
    let said = naive::Addressed {
        to: list(d),
        onward: u8::try_from(d.roll(5)).unwrap(),
        community: d.percent(40).then(|| (*d.pick(&COMMUNITIES)).to_owned()),
        group: if d.percent(20) { list(d) } else { None },
        unattributed: d.percent(5),
    };
    let words = ["none", "organisation", "clients", "community", "any"];
    let mut extension = json!({"extension_type": "property-extension", "onward": words[usize::from(said.onward)]});
    let mut put = |name: &str, value: Value| extension.as_object_mut().unwrap().insert(name.to_owned(), value);
    if let Some(to) = &said.to {
        put("addressees", to.iter().map(|n| organisation(*n)).collect());
    }
    if let Some(community) = &said.community {
        put("community", json!(community));
    }
    if let Some(group) = &said.group {
        let orgs: Vec<String> = group.iter().map(|n| organisation(*n)["identity--".len()..].to_owned()).collect();
        put("sharing_group", json!({"uuid": "x", "version": "1", "orgs": orgs}));
    }
    if said.unattributed {
        put("no_attribution", json!(true));
    }
    (said, json!({"extensions": {DISSEMINATION_EXTENSION: extension}}))
}

/// Policies as a link may have them: some not at all, of others not every value (L-057).
fn random_link(d: &mut Dice, policies: &[naive::Policy]) -> Vec<naive::Policy> {
    let mut link: Vec<naive::Policy> = policies.iter().filter(|_| d.percent(85)).cloned().collect();
    for policy in &mut link {
        let rules = policy.levels.iter().flat_map(|l| &l.required);
        let values = policy.sets.iter().flat_map(|s| &s.values);
        let in_values = values.flat_map(|v| v.required.iter().flat_map(|r| &r.groups).chain(&v.excluded));
        let named: BTreeSet<(String, Option<String>)> =
            rules.flat_map(|r| &r.groups).chain(in_values).cloned().collect();
        for set in &mut policy.sets {
            let name = set.name.clone();
            let all = set.values.clone();
            set.values.retain(|v| named.contains(&(name.clone(), Some(v.name.clone()))) || d.percent(75));
            if set.values.is_empty() {
                set.values = all;
            }
        }
    }
    link
}

/// Policies of a link, in both worlds.
type OnLink = (Vec<naive::Policy>, Arc<Policies>);

fn compiled(policies: &[naive::Policy]) -> Policies {
    let load = |p| Policy::load(spif(p).as_bytes()).unwrap_or_else(|e| panic!("{e}: {:?}\n{}", e.faults, spif(p)));
    Policies::new(policies.iter().map(load).collect()).unwrap()
}

/// A reader has one of two links' policies or none; which one hangs together with something that is random anyway.
fn real_reader(no: ReaderNo, r: &naive::Reader, policies: &Policies, links: &[OnLink; 2]) -> Reader {
    Reader {
        no,
        account: r.account.clone(),
        partner: r.partner.clone(),
        clearances: r
            .clearances
            .iter()
            .map(|c| {
                let name = policies.iter().find(|p| p.oid() == c.oid).unwrap().name();
                Clearance::from_json(
                    &json!({"policy": name, "oid": c.oid, "classifications": c.levels, "categories": c.values}),
                    policies,
                )
                .unwrap()
            })
            .collect(),
        tlp: r.tlp.iter().map(|t| Tlp::ALL[usize::from(*t)]).collect(),
        collections: r.collections.iter().map(|(c, k)| (*c, k.clone().map_or(Kinds::All, Kinds::Only))).collect(),
        from: r.dates.0.map(Timestamp::from_micros),
        until: r.dates.1.map(Timestamp::from_micros),
        redaction: false,
        link: Link {
            identities: r.organisations.iter().map(|n| organisation(*n).parse().unwrap()).collect(),
            client: r.client,
            communities: r.communities.iter().cloned().collect(),
            policies: r.link.as_ref().map(|_| Arc::clone(&links[usize::from(r.client)].1)),
            no_foreign_labels: r.own_policies_alone,
        },
    }
}

/// One random node: the model, the same for the engine, and what each marking of the model is called.
struct Node {
    model: naive::Model,
    policies: Policies,
    markings: Markings,
    ids: Vec<Id<MarkingDefinition>>,
}

fn random_node(d: &mut Dice) -> Node {
    let mut held: Vec<naive::Policy> = (1..=2).map(|n| random_policy(d, n)).collect();
    held.push(public());
    let policies = compiled(&held);
    let mut markings = Markings::new();
    markings.home(organisation(0).parse().unwrap());
    let mut named: BTreeMap<Id<MarkingDefinition>, naive::Marking> = BTreeMap::new();
    for _ in 0..16 {
        let label = random_label(d, &held, 0);
        let role = if label.originator { "originator" } else { "alternative" };
        let real = Label::from_json(&label_json(&label, role).to_string()).unwrap();
        let marking = stix::Object::parse(&marking_definition(&real, "", None), &stix::Limits::default()).unwrap();
        markings.add(&marking, &real_origin(d.pick(&origins()))).unwrap();
        named.insert(real.marking_id(), naive::Marking { says: naive::Says::Label(label), by: vec![] });
    }
    for (n, level) in (0..).zip(Tlp::ALL) {
        named.insert(level.marking_id(), naive::Marking { says: naive::Says::Tlp(n), by: vec![] });
    }
    for n in 0..5_u32 {
        let id = format!("marking-definition--{:08x}-{n:04x}-4000-8000-000000000000", d.roll(1 << 32));
        let (says, body) = match d.roll(5) {
            0..=2 => {
                (naive::Says::Statement, json!({"definition_type": "statement", "definition": {"statement": "x"}}))
            }
            3 => (
                naive::Says::Obligation,
                json!({"extensions": {"extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b": {"extension_type": "property-extension", "pap": "red"}}}),
            ),
            _ => (naive::Says::Unknown, json!({"definition_type": "other", "definition": {}})),
        };
        let mut json = json!({"type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z"});
        json.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let by: Vec<_> = (0..=d.roll(2)).map(|_| d.pick(&origins()).clone()).collect();
        for o in &by {
            markings.add(&object(&json), &real_origin(o)).unwrap();
        }
        named.insert(id.parse().unwrap(), naive::Marking { says, by });
    }
    for n in 0..3_u32 {
        let id = format!("marking-definition--{:08x}-{n:04x}-4000-8000-00000000000d", d.roll(1 << 32));
        let (said, body) = random_addressed(d);
        let mut json = json!({"type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z"});
        json.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let by: Vec<_> = (0..=d.roll(3)).map(|_| d.pick(&origins()).clone()).collect();
        for o in &by {
            markings.add(&object(&json), &real_origin(o)).unwrap();
        }
        named.insert(id.parse().unwrap(), naive::Marking { says: naive::Says::Addressed(said), by });
    }
    let mut ids: Vec<_> = named.keys().copied().collect();
    let mappers = d.some(&["A".to_owned(), "B".to_owned()], 40);
    let mut trust = Trust::default();
    mappers.iter().for_each(|m| trust.mapper(m));
    let officers = d.some(&["kim", "lee", "park"].map(ToOwned::to_owned), 85);
    officers.iter().for_each(|o| trust.officer(o));
    let policies = policies.trusting(&trust).unwrap();
    let model = naive::Model {
        policies: held,
        markings: named.into_values().collect(),
        at: NOW,
        mappers,
        home: vec![0],
        officers,
    };
    ids.push("marking-definition--ffffffff-ffff-4fff-bfff-ffffffffffff".parse().unwrap()); // not held
    Node { model, policies, markings, ids }
}

/// Overrides of a road (L-157): most as they should be, others over, signed by one person, or by somebody who is nobody.
fn random_overrides(d: &mut Dice, own: bool) -> Vec<naive::Override> {
    let how_many = if d.percent(if own { 75 } else { 15 }) { 1 + d.roll(3) } else { 0 };
    let person =
        |d: &mut Dice| (*d.pick(&["kim", "kim", "kim", "lee", "lee", "lee", "park", "park", "nobody"])).to_owned();
    let one = |d: &mut Dice| naive::Override {
        partner: (*d.pick(&["A", "A", "B", "C"])).to_owned(),
        until: if d.percent(70) { NOW + 1 } else { d.date() },
        signed: [person(d), person(d)],
    };
    (0..how_many).map(|_| one(d)).collect()
}

/// A chain of both worlds, by resolving a random object in both; then, sometimes, a relabel or a quarantine.
fn random_chain(d: &mut Dice, node: &Node) -> (Chain, naive::Chain) {
    let origin = d.pick(&origins()).clone();
    let collection = 1 + u32::try_from(d.roll(3)).unwrap();
    let any = |d: &mut Dice| if d.percent(2) { node.ids.len() - 1 } else { d.roll(node.ids.len() - 1) };
    let some = |d: &mut Dice, max: usize| {
        (0..d.roll(max + 1)).map(|_| any(d)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<usize>>()
    };
    let carried = if d.percent(10) {
        vec![]
    } else {
        let mut c = some(d, 1);
        if c.is_empty() || d.percent(20) {
            c.push(any(d));
            c.sort_unstable();
            c.dedup();
        }
        c
    };
    let default = if d.percent(80) { some(d, 1) } else { vec![] };
    let by_peer = if d.percent(8) { some(d, 1) } else { vec![] };
    let id = |is: &[usize]| is.iter().map(|i| node.ids[*i]).collect::<Vec<_>>();
    let (object_refs, granular): (Vec<usize>, Vec<usize>) = carried.iter().partition(|_| d.percent(85));
    let mut json = json!({"type": "identity", "spec_version": "2.1", "id": "identity--00000001-0000-4000-8000-000000000000", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x"});
    if !object_refs.is_empty() {
        json["object_marking_refs"] = json!(id(&object_refs));
    }
    if !granular.is_empty() {
        json["granular_markings"] =
            json!(id(&granular).iter().map(|m| json!({"selectors": ["name"], "marking_ref": m})).collect::<Vec<_>>());
    }
    let mut chain = resolve(
        &object(&json),
        &node.markings,
        &node.policies,
        collection,
        &real_origin(&origin),
        &id(&default),
        &id(&by_peer),
    );
    let (mut assigned, unresolved) = node.model.resolve(&object_refs, &granular, &origin, &default, &by_peer);
    assert_eq!(chain.carried, id(&carried));
    assert_eq!(
        chain.assigned.markings(),
        id(match &assigned {
            naive::Assigned::Nothing => &[],
            naive::Assigned::Added(a) | naive::Assigned::Replaced(a) => a,
        })
    );
    let why = chain.unresolved.as_ref().map(|u| match u {
        Unresolved::UnknownMarking { .. } => "unknown",
        Unresolved::Contradictory { .. } => "contradictory",
        Unresolved::Unlabelled => "unlabelled",
        Unresolved::ForgedMarking => "forged",
    });
    assert_eq!(why, unresolved, "{json}");
    let partly_addressed = node.model.partly_addressed(&object_refs, &granular, &origin);
    assert_eq!(chain.partly_addressed, partly_addressed, "{json}");
    let mut quarantined = unresolved.is_some();
    if quarantined && d.percent(35) {
        // As after the operator's replay: the decision must stand on its own feet.
        (chain.unresolved, quarantined) = (None, false);
    }
    if d.percent(12) {
        let to = some(d, 2);
        chain.assigned = Assigned::Relabelled { markings: id(&to) };
        (chain.unresolved, quarantined) = (None, false);
        assigned = naive::Assigned::Replaced(to);
    } else if d.percent(2) {
        (chain.unresolved, quarantined) = (Some(Unresolved::Unlabelled), true);
    }
    let vouched = d.percent(60);
    chain.vouched = vouched;
    let overrides = random_overrides(d, matches!(origin, naive::Origin::Own(_)));
    for (act, o) in (0..).zip(&overrides) {
        chain = chain.overridden(Override {
            act: uuid::Uuid::from_u128(act),
            partner: o.partner.clone(),
            until: o.until,
            officers: o.signed.clone(),
        });
    }
    (chain, naive::Chain { collection, origin, carried, assigned, quarantined, vouched, partly_addressed, overrides })
}

/// L-158, L-030 (policies are data: every batch has its own), examples 16. Every decision, its reason, the bits, and the gate's last word agree with the model.
#[test]
fn the_engine_agrees_with_the_naive_model() {
    let seed: u64 = std::env::var("ENTENTE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_260_801);
    let soak = std::env::var("ENTENTE_SOAK_S").ok().and_then(|s| s.parse().ok()).map(Duration::from_secs);
    let start = Instant::now();
    let (mut cases, mut batch) = (0, 0_u64);
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let now = at(&stamp(NOW));
    while cases < cases_wanted() || soak.is_some_and(|s| start.elapsed() < s) {
        batch += 1;
        let mut d = Dice(seed.wrapping_mul(1_000_003).wrapping_add(batch));
        let node = random_node(&mut d);
        let mut naive_readers: Vec<_> = (0..READERS).map(|_| random_reader(&mut d, &node.model.policies)).collect();
        let links = [(); 2].map(|()| random_link(&mut d, &node.model.policies));
        let links = links.map(|link| (link.clone(), Arc::new(compiled(&link))));
        for reader in naive_readers.iter_mut().filter(|_| d.percent(20)) {
            reader.link = Some(links[usize::from(reader.client)].0.clone());
        }
        // Some differ from another in their names alone: what names neither is decided once for both (L-092).
        for twin in 0..TWINS {
            let names = random_reader(&mut d, &[]);
            let twin = naive_readers[twin].clone();
            let outside = twin.partner.as_ref().and(names.partner.or(Some("D".to_owned())));
            naive_readers.push(naive::Reader { account: names.account, partner: outside, ..twin });
        }
        let real = |(n, r)| real_reader(n, r, &node.policies, &links);
        let readers = Readers::new((0..).zip(&naive_readers).map(real).collect());
        let authority = Authority { policies: &node.policies, markings: &node.markings, at: &now };
        for _ in 0..STATES {
            let mut both: Vec<(Chain, naive::Chain)> =
                (0..=[0, 0, 0, 1, 2][d.roll(5)]).map(|_| random_chain(&mut d, &node)).collect();
            // A state keeps its chains sorted; of two that came equally far the first one's reason is told.
            both.sort_by(|a, b| a.0.cmp(&b.0));
            let (chains, naive_chains): (Vec<Chain>, Vec<naive::Chain>) = both.into_iter().unzip();
            let state = Arc::new(LabelState::new(chains));
            let type_name = *d.pick(&TYPES);
            let bits = authority.permits(&state, type_name, &readers);
            for (reader, naive_reader) in readers.iter().zip(&naive_readers) {
                cases += 1;
                let told = || {
                    format!(
                        "seed {seed}, batch {batch}, reader {naive_reader:?}, chains {naive_chains:?}, markings {:?}",
                        node.model.markings
                    )
                };
                let want = node.model.decide(&naive_chains, type_name, naive_reader);
                let plain: Vec<naive::Chain> =
                    naive_chains.iter().map(|c| naive::Chain { overrides: Vec::new(), ..c.clone() }).collect();
                let overridden = matches!(want, naive::Answer::Yes { .. })
                    && matches!(node.model.decide(&plain, type_name, naive_reader), naive::Answer::No(_));
                let got = match authority.decide(&state, type_name, reader) {
                    Decision::Release { contributed, .. } => naive::Answer::Yes { own: contributed },
                    Decision::Withhold(reason) => naive::Answer::No(reason.to_string()),
                };
                assert_eq!(got, want, "{}", told());
                let open = matches!(want, naive::Answer::Yes { .. });
                assert_eq!(bits.contains(reader.no), open, "{}", told());
                let (collection, unknown_references) =
                    (1 + u32::try_from(d.roll(3)).unwrap(), u32::from(d.percent(20)));
                let gate = authority.release(
                    Labelled::new(
                        (),
                        Arc::clone(&state),
                        Evidence { type_name: type_name.into(), collection, unknown_references },
                    ),
                    reader,
                );
                let there: Vec<_> = naive_chains.iter().filter(|c| c.collection == collection).cloned().collect();
                let may = matches!(node.model.decide(&there, type_name, naive_reader), naive::Answer::Yes { .. })
                    && (unknown_references == 0 || want == naive::Answer::Yes { own: true });
                assert_eq!(gate.is_ok(), may, "at the gate: {}", told());
                let kind = match want {
                    naive::Answer::Yes { .. } if overridden => "released (override)".to_owned(),
                    naive::Answer::Yes { own } => format!("released{}", if own { " (own)" } else { "" }),
                    naive::Answer::No(reason) => reason.split(':').next().unwrap_or_default().to_owned(),
                };
                *tally.entry(kind).or_default() += 1;
            }
        }
    }
    eprintln!("{cases} decisions in {:?}: {tally:?}", start.elapsed());
    // The cases must be worth something: every outcome often enough.
    assert!(tally["released"] * 8 > cases, "{tally:?}");
    for outcome in [
        "released (own)",
        "released (override)",
        "agreement",
        "quarantined",
        "unknown-marking",
        "policy",
        "label",
        "classification",
        "restrictive",
        "permissive",
        "tlp",
        "link",
        "dissemination",
        "onward",
        "foreign-label",
    ] {
        assert!(tally.get(outcome).copied().unwrap_or_default() * 400 > cases, "{outcome}: {tally:?}");
    }
}

/// The helper that names own material is used here too, so that the two worlds mean the same by it.
#[test]
fn both_worlds_mean_the_same_by_own_material() {
    assert_eq!(real_origin(&naive::Origin::Own(None)), own());
}
