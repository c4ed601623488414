//! Distributions, sharing groups and tags on their way in.
use label::{
    Assigned, Authority, Chain, Decision, Kinds, LabelState, Link, Markings, Origin, Pap, Policies, Reader, Tlp,
    dissemination_definition,
};
use misp::{
    Arriving, Distribution, Held, SHARING_GROUP_BYTES_MAX, Shared, SharingGroup, TAGS_MAX, Tags, Whose, arriving,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use stix::{Id, Limits, Object, Timestamp, id::Identity};
use uuid::Uuid;

fn org(n: u8) -> Uuid {
    Uuid::from_u128(0x4000_8000_0000_0000_0000 | u128::from(n))
}

fn identity(n: u8) -> Id<Identity> {
    Id::from_uuid(org(n))
}

const OWN: u8 = 1;
const SOURCE: u8 = 2;
const MEMBER: u8 = 3;
const STRANGER: u8 = 4;

fn group_json(members: &[u8], more: &Value) -> Value {
    let orgs: Vec<Value> = members
        .iter()
        .map(|n| json!({"extend": false, "Organisation": {"uuid": org(*n), "name": "an organisation"}}))
        .collect();
    let mut group = json!({"id": "7", "uuid": org(100), "name": "the group", "active": true, "roaming": true, "SharingGroupOrg": orgs});
    group.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    group
}

fn group(members: &[u8], more: &Value) -> SharingGroup {
    SharingGroup::from_json(&group_json(members, more).to_string()).unwrap()
}

fn level(number: u8) -> Shared<'static> {
    Shared { distribution: Distribution::from_number(number).unwrap(), group: None }
}

fn tagged(tags: &[&str]) -> Tags {
    Tags::read(tags.iter().copied()).unwrap()
}

fn take(shared: Shared<'_>, event: Option<Shared<'_>>, tags: &[&str]) -> Result<Arriving, Held> {
    let (source, own) = (identity(SOURCE), identity(OWN));
    arriving(shared, event, &tagged(tags), &Whose { source: Some(&source), own: &own })
}

fn members(arriving: &Arriving) -> &Map<String, Value> {
    assert_eq!(arriving.markings.len(), 1, "{arriving:?}");
    &arriving.markings[0]
}

/// The organisations among all that may have own material with these markings and a TLP, from a node whose organisation is `OWN`; every one of them is
/// addressed by its agreement at every level.
fn audience(arriving: &Arriving, tlp: Tlp) -> BTreeSet<u8> {
    let mut markings = Markings::new();
    markings.home(identity(OWN));
    let own = Origin::Own { account: None };
    let mut carried = vec![tlp.marking_id()];
    for members in &arriving.markings {
        let definition = dissemination_definition(members.clone(), "from MISP").unwrap();
        let object = Object::parse(&definition, &Limits::default()).unwrap();
        markings.add(&object, &own).unwrap();
        carried.push(object.id().to_string().parse().unwrap());
    }
    let state = LabelState::new(vec![Chain::new(1, own, carried, Assigned::None)]);
    let (policies, at) = (Policies::default(), Timestamp::parse("2026-06-01T00:00:00Z").unwrap());
    let authority = Authority { policies: &policies, markings: &markings, at: &at };
    let reader = |n: u8| Reader {
        no: u32::from(n),
        account: format!("account-{n}"),
        partner: (n != OWN).then(|| format!("partner-{n}")),
        clearances: Vec::new(),
        tlp: Tlp::ALL.to_vec(),
        collections: BTreeMap::from([(1, Kinds::All)]),
        from: None,
        until: None,
        redaction: false,
        link: Link { identities: BTreeSet::from([identity(n)]), ..Link::default() },
    };
    let may = |n: &u8| matches!(authority.decide(&state, "indicator", &reader(*n)), Decision::Release { .. });
    // The own organisation has what it imports; of the others it is asked.
    [SOURCE, MEMBER, STRANGER].into_iter().filter(may).collect()
}

/// Section 11, L-132, L-133: each distribution comes to the audience that the table gives it; what is unknowable is the own organisation's alone, and
/// every loss is told.
#[test]
fn each_distribution_comes_to_its_audience() {
    let own = take(level(0), None, &["tlp:green"]).unwrap();
    assert_eq!((audience(&own, Tlp::Green), own.notes.len()), (BTreeSet::from([SOURCE]), 0));
    for (n, notes) in [(1, 1), (2, 2)] {
        let community = take(level(n), None, &["tlp:green"]).unwrap();
        assert_eq!((audience(&community, Tlp::Green), community.notes.len()), (BTreeSet::new(), notes), "{n}");
    }
    let everybody = BTreeSet::from([SOURCE, MEMBER, STRANGER]);
    for (tag, tlp, onward) in
        [("tlp:clear", Tlp::Clear, "any"), ("TLP:WHITE", Tlp::Clear, "any"), ("tlp:green", Tlp::Green, "community")]
    {
        let all = take(level(3), None, &[tag]).unwrap();
        assert_eq!(audience(&all, tlp), everybody, "{tag}");
        assert_eq!((members(&all).len(), &members(&all)["onward"]), (1, &json!(onward)), "{tag}");
    }
    let listed = group(&[OWN, MEMBER], &json!({}));
    let shared = Shared { distribution: Distribution::SharingGroup, group: Some(&listed) };
    let grouped = take(shared, None, &["tlp:amber"]).unwrap();
    assert_eq!(audience(&grouped, Tlp::Amber), BTreeSet::from([MEMBER]));
    assert_eq!(members(&grouped)["onward"], "organisation", "members may not give it on, whatever the TLP says");
    let inherited = take(level(5), Some(shared), &["tlp:amber"]).unwrap();
    assert_eq!(inherited, grouped, "5 is the event's");
}

/// Section 11: what the table does not let through is held, with the reason.
#[test]
fn what_a_person_must_decide_is_held() {
    assert_eq!(take(level(3), None, &[]), Err(Held::AllWithoutTlp(None)));
    for (tag, tlp) in [("tlp:amber", Tlp::Amber), ("tlp:amber+strict", Tlp::AmberStrict), ("tlp:red", Tlp::Red)] {
        assert_eq!(take(level(3), None, &[tag]), Err(Held::AllWithoutTlp(Some(tlp))));
    }
    assert_eq!(take(level(4), None, &[]), Err(Held::NoGroup));
    assert_eq!(take(level(5), None, &[]), Err(Held::NoParent));
    assert_eq!(take(level(0), Some(level(5)), &[]), Err(Held::NoParent));
    let own = identity(OWN);
    assert_eq!(arriving(level(0), None, &Tags::default(), &Whose { source: None, own: &own }), Err(Held::NoSource));
    for unclear in ["tlp:unclear", "TLP:Unclear", "tlp:purple"] {
        assert_eq!(take(level(1), None, &["tlp:green", unclear]), Err(Held::Unclear), "L-143: {unclear}");
    }
    let told: BTreeSet<String> = [
        Held::AllWithoutTlp(None),
        Held::AllWithoutTlp(Some(Tlp::Red)),
        Held::NoGroup,
        Held::NoParent,
        Held::NoSource,
        Held::Unclear,
    ]
    .map(|held| held.to_string())
    .into();
    assert_eq!(told.len(), 6, "each says why in words of its own");
    assert_eq!(Distribution::from_number(6), None);
    assert!((0..6).all(|n| Distribution::from_number(n).unwrap().number() == n));
}

/// Section 11 (attribute against event), L-099: both count, so the stricter of two levels and the members of both groups.
#[test]
fn of_an_attribute_and_its_event_the_stricter_counts() {
    let of = |shared, event, tags: &[&str], tlp| audience(&take(shared, Some(event), tags).unwrap(), tlp);
    assert_eq!(
        of(level(3), level(0), &["tlp:clear"], Tlp::Clear),
        BTreeSet::from([SOURCE]),
        "no attribute widens its event"
    );
    assert_eq!(of(level(0), level(3), &["tlp:clear"], Tlp::Clear), BTreeSet::from([SOURCE]));
    assert_eq!(
        of(level(0), level(1), &["tlp:clear"], Tlp::Clear),
        BTreeSet::new(),
        "of two organisations nobody is both"
    );
    let (one, other) = (group(&[OWN, MEMBER], &json!({})), group(&[MEMBER, SOURCE], &json!({})));
    let shared = |group| Shared { distribution: Distribution::SharingGroup, group: Some(group) };
    assert_eq!(of(shared(&one), shared(&other), &["tlp:amber"], Tlp::Amber), BTreeSet::from([MEMBER]), "L-099");
    assert_eq!(of(shared(&one), level(3), &["tlp:green"], Tlp::Green), BTreeSet::from([MEMBER]));
    assert_eq!(take(level(1), Some(level(1)), &[]).unwrap(), take(level(1), None, &[]).unwrap(), "equal ones are one");
}

/// L-144, L-099, L-141, L-143: of several TLP the strictest counts, and it is told; of several PAP the highest, and PAP changes nothing; RED leaves for
/// named persons alone; `tlp:ex:chr` takes the attribution away; tags of nations are a note.
#[test]
fn of_several_tags_the_strictest_counts() {
    let tags = tagged(&[
        "tlp:green",
        "tlp:amber",
        "PAP:GREEN",
        "pap:red",
        "circl:incident-classification=\"malware\"",
        "plain",
    ]);
    assert_eq!((tags.tlp(), tags.pap()), (Some(Tlp::Amber), Some(Pap::Red)));
    let listed = group(&[MEMBER], &json!({}));
    let shared = Shared { distribution: Distribution::SharingGroup, group: Some(&listed) };
    let several = take(shared, None, &["tlp:green", "tlp:amber"]).unwrap();
    assert!(
        several.notes.iter().any(|n| n.contains("TLP:GREEN, TLP:AMBER") && n.contains("L-144")),
        "{:?}",
        several.notes
    );
    assert!(take(shared, None, &["tlp:white", "tlp:clear"]).unwrap().notes.is_empty(), "two names of one level agree");
    let plain = take(shared, None, &["tlp:amber"]).unwrap();
    for pap in ["PAP:CLEAR", "PAP:WHITE", "PAP:GREEN", "PAP:AMBER", "PAP:RED"] {
        assert_eq!(take(shared, None, &["tlp:amber", pap]).unwrap(), plain, "{pap} affects nothing");
    }
    let odd = tagged(&["PAP:purple"]);
    assert_eq!((odd.pap(), take(shared, None, &["PAP:purple"]).unwrap().notes.len()), (Some(Pap::Red), 1));
    assert_eq!(members(&take(shared, None, &["tlp:red"]).unwrap())["onward"], "none");
    assert_eq!(audience(&take(shared, None, &["tlp:red"]).unwrap(), Tlp::Red), BTreeSet::new());
    let unattributed = take(shared, None, &["tlp:amber", "tlp:ex:chr"]).unwrap();
    assert_eq!(members(&unattributed)["no_attribution"], true);
    assert_eq!(audience(&unattributed, Tlp::Amber), BTreeSet::new());
    let national = take(shared, None, &["nato:classification=\"NR\""]).unwrap();
    assert!(national.notes.iter().any(|n| n.contains("[[tag]]")), "{:?}", national.notes);
    assert!(Tags::read(vec!["x"; TAGS_MAX]).is_ok() && Tags::read(vec!["x"; TAGS_MAX + 1]).is_err());
}

/// Section 11, distribution 4: the listed organisations count, pinned as they were seen; what else the group says is told, and nothing of it widens.
#[test]
fn a_sharing_group_counts_as_it_was_seen() {
    let plain = group(&[OWN, MEMBER], &json!({}));
    assert_eq!(plain.orgs(), &BTreeSet::from([org(OWN), org(MEMBER)]));
    let pinned = |group: &SharingGroup| {
        let shared = Shared { distribution: Distribution::SharingGroup, group: Some(group) };
        members(&take(shared, None, &["tlp:amber"]).unwrap())["sharing_group"].clone()
    };
    let same = pinned(&group(&[MEMBER, OWN, MEMBER], &json!({"name": "renamed"})));
    assert_eq!((&pinned(&plain), &same["uuid"]), (&same, &json!(org(100))), "the list, in whatever order");
    assert_ne!(same["version"], pinned(&group(&[OWN, MEMBER, STRANGER], &json!({})))["version"], "extended");
    let loose = json!({"roaming": false, "releasability": "releasable to\neverybody", "SharingGroupServer": [{"all_orgs": true}, {"all_orgs": "0"}],
        "SharingGroupOrg": [{"extend": "1", "Organisation": {"uuid": org(MEMBER)}}]});
    let loose = group(&[], &loose);
    let shared = |group| Shared { distribution: Distribution::SharingGroup, group: Some(group) };
    let got = take(shared(&loose), None, &["tlp:amber"]).unwrap();
    assert_eq!(
        audience(&got, Tlp::Amber),
        BTreeSet::from([MEMBER]),
        "neither the server's organisations nor the text let anybody in"
    );
    let told = got.notes.join("\n");
    for what in ["may extend", "all its organisations", "bound to 2 instances", "releasable to everybody"] {
        assert!(told.contains(what), "{what}: {told}");
    }
    assert!(take(shared(&plain), None, &[]).unwrap().notes.is_empty());
    // As the view of a group has it: lists beside it.
    let mut inner = group_json(&[], &json!({}));
    inner.as_object_mut().unwrap().remove("SharingGroupOrg");
    let view = json!({"SharingGroup": inner, "Organisation": {"uuid": org(OWN)}, "SharingGroupOrg": [{"Organisation": {"uuid": org(MEMBER)}}]});
    assert_eq!(SharingGroup::from_json(&view.to_string()).unwrap().orgs(), &BTreeSet::from([org(MEMBER)]));
    let wrong = |json: &Value| SharingGroup::from_json(&json.to_string()).unwrap_err();
    assert!(wrong(&group_json(&[MEMBER], &json!({"active": "0"}))).contains("not active"));
    assert!(wrong(&group_json(&[], &json!({}))).contains("nobody"));
    assert!(wrong(&group_json(&[], &json!({"SharingGroupOrg": [{"org_id": "3"}]}))).contains("no sharing group"));
    assert!(wrong(&json!({"SharingGroup": []})).contains("no object"));
    assert!(SharingGroup::from_json("[]").is_err());
    let many = |n: usize| {
        let orgs: Vec<Value> = (0..n).map(|n| json!({"Organisation": {"uuid": Uuid::from_u128(n as u128)}})).collect();
        SharingGroup::from_json(&group_json(&[], &json!({"SharingGroupOrg": orgs})).to_string())
    };
    assert!(many(label::ADDRESSEES_MAX).is_ok() && many(label::ADDRESSEES_MAX + 1).is_err());
    assert!(SharingGroup::from_json(&" ".repeat(SHARING_GROUP_BYTES_MAX + 1)).unwrap_err().contains("longer"));
}
