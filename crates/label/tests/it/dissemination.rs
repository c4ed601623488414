//! Who was addressed and what they may do next (L-132, L-133, L-140, L-141), policy files of one link (L-057), and the TLP for other tools (L-129, L-147).
use crate::model::*;
use label::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use stix::{Id, id::Identity, id::MarkingDefinition};

const HUB: &str = "identity--00000001-0000-4000-8000-000000000000";
const JPN: &str = "identity--00000002-0000-4000-8000-000000000000";
const KOR: &str = "identity--00000003-0000-4000-8000-000000000000";
const COMMUNITY: &str = "grouping--00000004-0000-4000-8000-000000000000";

struct World {
    policies: Policies,
    markings: Markings,
    rel: Id<MarkingDefinition>,
    clear: Id<MarkingDefinition>,
    made: u32,
}

impl World {
    fn new() -> Self {
        let mut markings = Markings::new();
        markings.home(HUB.parse().unwrap());
        let rel = hold(&mut markings, &released_to(&["NATO", "JPN"]));
        Self { policies: policies(), markings, rel, clear: Tlp::Clear.marking_id(), made: 0 }
    }

    /// A dissemination marking with these members, defined by `origin`.
    fn said(&mut self, origin: &Origin, members: &Value) -> Id<MarkingDefinition> {
        self.made += 1;
        let id = format!("marking-definition--{:08x}-0000-4000-8000-00000000000d", self.made);
        let mut extension = json!({"extension_type": "property-extension"});
        extension.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let json = json!({"type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2026-01-10T09:00:00.000Z",
            "extensions": {DISSEMINATION_EXTENSION: extension}});
        self.markings.add(&object(&json), origin).unwrap();
        id.parse().unwrap()
    }

    fn decide(&self, chain: Chain, reader: &Reader) -> Result<(), String> {
        let (state, at) = (state(vec![chain]), now());
        let authority = Authority { policies: &self.policies, markings: &self.markings, at: &at };
        let decision = authority.decide(&state, "indicator", reader);
        let (explained, steps) = authority.explain(&state, "indicator", reader);
        assert_eq!(explained, decision, "explain and decide agree");
        let bits = authority.permits(&state, "indicator", &Readers::new(vec![reader.clone()]));
        assert_eq!(bits.contains(reader.no), matches!(decision, Decision::Release { .. }), "permits and decide agree");
        assert_eq!(steps.iter().all(|s| s.passed), matches!(decision, Decision::Release { .. }));
        match decision {
            Decision::Release { .. } => Ok(()),
            Decision::Withhold(reason) => Err(reason.to_string()),
        }
    }

    fn japan(&self) -> Reader {
        let mut reader = reader(3, Some("JPN"), vec![japans_clearance(&self.policies)]);
        reader.tlp = vec![Tlp::Green, Tlp::Amber, Tlp::AmberStrict];
        reader.link.identities = BTreeSet::from([id(JPN)]);
        reader
    }

    fn analyst(&self) -> Reader {
        let mut reader = reader(0, None, vec![analysts_clearance(&self.policies)]);
        reader.link.identities = BTreeSet::from([id(HUB)]);
        reader
    }
}

fn id(text: &str) -> Id<Identity> {
    text.parse().unwrap()
}

fn released_to(to: &[&str]) -> Label {
    make_label("NATO", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", to)])
}

fn korea() -> Origin {
    Origin::Peer { peer: "KOR".into() }
}

/// A road of Korea's, which speaks for the creator.
fn vouched(markings: &[Id<MarkingDefinition>]) -> Chain {
    Chain { vouched: true, ..chain(korea(), markings) }
}

fn no(reason: &str) -> Result<(), String> {
    Err(reason.into())
}

/// L-132, L-133: on own material the marking narrows to those addressed, to the sharing group, to the community, and never widens.
#[test]
fn own_material_goes_to_those_addressed_alone() {
    let mut w = World::new();
    let (japan, analyst) = (w.japan(), w.analyst());
    let rel = w.rel;
    let mut go = |said: Value| {
        let d = w.said(&own(), &said);
        let own = w.decide(chain(own(), &[rel, d]), &analyst);
        assert_eq!(own, Ok(()), "the own organisation has what is its own");
        w.decide(chain(crate::model::own(), &[rel, d]), &japan)
    };
    assert_eq!(go(json!({"addressees": [JPN], "onward": "organisation"})), Ok(()));
    assert_eq!(go(json!({"addressees": [KOR, JPN], "onward": "any"})), Ok(()));
    assert_eq!(go(json!({"addressees": [KOR], "onward": "any"})), no("dissemination"));
    assert_eq!(go(json!({"addressees": [], "onward": "any"})), no("dissemination"), "an empty list is nobody");
    assert_eq!(go(json!({"onward": "organisation"})), Ok(()), "without addressees the other markings say who");
    assert_eq!(go(json!({"onward": "community", "community": COMMUNITY})), no("dissemination"));
    assert_eq!(go(json!({"onward": "community"})), Ok(()), "a community that is not named is not asked for");
    assert_eq!(
        go(json!({"onward": "clients", "community": COMMUNITY})),
        Ok(()),
        "nor where it says what clients may do"
    );
    assert_eq!(go(json!({"addressees": [JPN], "onward": "community", "community": COMMUNITY})), Ok(()));
    assert_eq!(
        go(json!({"addressees": [JPN]})),
        no("dissemination"),
        "L-141: without `onward` it is for named persons"
    );
    assert_eq!(go(json!({"addressees": [JPN], "onward": "none"})), no("dissemination"));
    let group = |orgs: &[&str]| json!({"onward": "any", "sharing_group": {"uuid": "x", "version": "1", "orgs": orgs}});
    assert_eq!(go(group(&["00000002-0000-4000-8000-000000000000"])), Ok(()));
    assert_eq!(go(group(&["00000003-0000-4000-8000-000000000000"])), no("dissemination"));
    assert_eq!(go(group(&[])), no("dissemination"));
    let unattributed = json!({"addressees": [JPN], "onward": "any", "no_attribution": true});
    assert_eq!(go(unattributed), no("dissemination"), "only a copy without attribution could leave");
    let mut member = japan.clone();
    member.link.communities = BTreeSet::from([COMMUNITY.to_owned()]);
    let d = w.said(&own(), &json!({"onward": "community", "community": COMMUNITY}));
    assert_eq!(w.decide(chain(own(), &[rel, d]), &member), Ok(()));
    let mut uncleared = member.clone();
    uncleared.clearances.clear();
    assert_eq!(w.decide(chain(own(), &[rel, d]), &uncleared), no("policy"), "it opens no label");
}

/// L-132: several markings intersect their addressees and groups, take the strictest `onward`, and keep the ban on attribution.
#[test]
fn several_dissemination_markings_combine_to_the_strictest() {
    let mut w = World::new();
    let japan = w.japan();
    let mut both = |a: Value, b: Value| {
        let (a, b) = (w.said(&own(), &a), w.said(&own(), &b));
        w.decide(chain(own(), &[w.rel, a, b]), &japan)
    };
    let to = |who: &[&str], onward: &str| json!({"addressees": who, "onward": onward});
    assert_eq!(both(to(&[JPN, KOR], "any"), to(&[JPN], "organisation")), Ok(()));
    assert_eq!(both(to(&[JPN], "any"), to(&[KOR], "any")), no("dissemination"));
    assert_eq!(both(to(&[JPN], "any"), to(&[JPN], "none")), no("dissemination"));
    assert_eq!(both(to(&[JPN], "any"), json!({"onward": "any", "no_attribution": true})), no("dissemination"));
    assert_eq!(
        both(to(&[JPN], "any"), json!({"onward": "any"})),
        Ok(()),
        "what says nothing of addressees leaves them"
    );
}

/// L-132, L-140: what addresses a part of an object lets nobody have the whole of it.
#[test]
fn what_is_addressed_in_part_does_not_go_on_whole() {
    let mut w = World::new();
    let (japan, rel) = (w.japan(), w.rel);
    let d = w.said(&korea(), &json!({"addressees": [JPN], "onward": "organisation"}));
    let whole = vouched(&[rel, d]);
    assert_eq!(w.decide(whole.clone(), &japan), Ok(()));
    assert_eq!(w.decide(Chain { partly_addressed: true, ..whole }, &japan), no("onward"));
}

/// L-132, L-112: what is put on the whole on its way does not make a part's addressees its creator's word about the whole.
#[test]
fn what_is_addressed_in_part_stays_so_whatever_is_put_on_the_whole() {
    let mut w = World::new();
    let japan = w.japan();
    let d = w.said(&korea(), &json!({"addressees": [JPN], "onward": "organisation"}));
    let of = |markings: &[Id<MarkingDefinition>], by_peer: &[Id<MarkingDefinition>]| {
        let json = json!({"type": "identity", "spec_version": "2.1", "id": KOR, "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-01T00:00:00.000Z", "name": "x", "object_marking_refs": markings,
            "granular_markings": [{"selectors": ["name"], "marking_ref": d}]});
        let resolved = resolve(&object(&json), &w.markings, &w.policies, 1, &korea(), &[], by_peer);
        assert_eq!(resolved.unresolved, None);
        Chain { vouched: true, ..resolved }
    };
    for by_peer in [&[][..], &[d]] {
        let part = of(&[w.rel], by_peer);
        assert!(part.partly_addressed, "{by_peer:?}");
        assert_eq!(w.decide(part, &japan), no("onward"), "{by_peer:?}");
    }
    let both = of(&[w.rel, d], &[]);
    assert!(!both.partly_addressed, "the whole says so itself");
    assert_eq!(w.decide(both, &japan), Ok(()));
}

/// L-132, L-133, L-005: what is not understood whole is not understood; it is no label by itself.
#[test]
fn a_dissemination_marking_with_anything_unknown_withholds() {
    let mut w = World::new();
    let japan = w.japan();
    let too_many: Vec<String> =
        (0..=ADDRESSEES_MAX).map(|n| format!("identity--{n:08x}-0000-4000-8000-000000000000")).collect();
    let just: Vec<&String> = too_many.iter().take(ADDRESSEES_MAX).collect();
    for odd in [
        json!({"onward": "everybody"}),
        json!({"onward": 1}),
        json!({"onward": null}),
        json!({"onward": "any", "addressees": "all"}),
        json!({"onward": "any", "addressees": ["x"]}),
        json!({"onward": "any", "addressees": too_many}),
        json!({"onward": "any", "community": ""}),
        json!({"onward": "any", "community": "c".repeat(257)}),
        json!({"onward": "any", "sharing_group": {}}),
        json!({"onward": "any", "sharing_group": {"orgs": [1]}}),
        json!({"onward": "any", "sharing_group": {"orgs": [], "extend": true}}),
        json!({"onward": "any", "no_attribution": "no"}),
        json!({"onward": "any", "embargo": "2027"}),
    ] {
        let d = w.said(&own(), &odd);
        assert_eq!(w.decide(chain(own(), &[w.rel, d]), &japan), no("unknown-marking"), "{odd}");
    }
    let d = w.said(&own(), &json!({"onward": "any", "addressees": just, "community": "c".repeat(256)}));
    assert_eq!(w.decide(chain(own(), &[w.rel, d]), &japan), Ok(()));
    let bare = resolve(&identity(1, &[d]), &w.markings, &w.policies, 1, &own(), &[], &[]);
    assert_eq!(bare.unresolved, Some(Unresolved::Unlabelled));
}

/// L-140: a hub gives on what its sender, speaking for the creator, addressed to others, or to the hub for its clients or a community; else it keeps it.
#[test]
fn a_hub_gives_on_as_far_as_the_creators_addressees_say() {
    let mut w = World::new();
    let japan = w.japan();
    let mut client = japan.clone();
    client.link.client = true;
    let mut member = japan.clone();
    member.link.communities = BTreeSet::from([COMMUNITY.to_owned()]);
    let (rel, green) = (w.rel, Tlp::Green.marking_id());
    let (amber, strict, red) = (Tlp::Amber.marking_id(), Tlp::AmberStrict.marking_id(), Tlp::Red.marking_id());
    let to = |who: &[&str], onward: &str| json!({"addressees": who, "onward": onward, "community": COMMUNITY});
    let mut go = |said: Value, others: &[Id<MarkingDefinition>], reader: &Reader| {
        let d = w.said(&korea(), &said);
        let all: Vec<_> = others.iter().copied().chain([d]).collect();
        w.decide(vouched(&all), reader)
    };
    for others in [&[rel][..], &[amber][..], &[strict][..], &[rel, strict][..]] {
        assert_eq!(go(to(&[JPN], "organisation"), others, &japan), Ok(()), "it was addressed itself");
        assert_eq!(go(to(&[HUB], "organisation"), others, &client), no("dissemination"));
        assert_eq!(go(to(&[KOR], "any"), others, &client), no("dissemination"), "the hub was not addressed");
    }
    assert_eq!(go(to(&[HUB], "clients"), &[amber], &client), Ok(()));
    assert_eq!(go(to(&[HUB], "clients"), &[amber], &japan), no("dissemination"), "it is no client");
    assert_eq!(go(to(&[HUB], "clients"), &[strict], &client), no("dissemination"), "the stricter of both counts");
    assert_eq!(go(to(&[HUB], "community"), &[green], &member), Ok(()));
    assert_eq!(go(to(&[HUB], "community"), &[green], &japan), no("dissemination"));
    assert_eq!(go(to(&[HUB], "community"), &[amber], &member), no("dissemination"));
    assert_eq!(go(to(&[HUB], "any"), &[rel], &japan), Ok(()));
    assert_eq!(go(to(&[JPN], "any"), &[red], &japan), no("tlp:RED"), "L-141");
    assert_eq!(go(json!({"onward": "any"}), &[rel], &japan), no("onward"), "without addressees it stays with the hub");
    let mut unaddressed = japan.clone();
    unaddressed.tlp.clear();
    assert_eq!(go(to(&[JPN], "any"), &[amber], &unaddressed), no("tlp:AMBER"), "the agreement must address it, too");
    let mut uncleared = japan.clone();
    uncleared.clearances.clear();
    assert_eq!(go(to(&[JPN], "any"), &[rel], &uncleared), no("policy"));
}

/// L-132, L-140: public material that somebody sent without addressees goes on as far as its `onward` says, although its label would let anybody have it.
#[test]
fn public_material_of_others_goes_on_no_further_than_its_marking_says() {
    let mut w = World::new();
    let public = hold(&mut w.markings, &make_label("PUBLIC", "UNMARKED", &[]));
    let mut japan = w.japan();
    japan.clearances.push(clearance(&w.policies, "PUBLIC", &["UNMARKED"], &[]));
    let (mut client, mut member) = (japan.clone(), japan.clone());
    client.link.client = true;
    member.link.communities = BTreeSet::from([COMMUNITY.to_owned()]);
    for (onward, may) in [
        ("organisation", [false, false, false]),
        ("clients", [false, true, false]),
        ("community", [false, true, true]),
        ("any", [true, true, true]),
    ] {
        let d = w.said(&korea(), &json!({"onward": onward, "community": COMMUNITY}));
        for (reader, may) in [&japan, &client, &member].into_iter().zip(may) {
            let want = if may { Ok(()) } else { no("dissemination") };
            assert_eq!(w.decide(chain(korea(), &[public, d]), reader), want, "{onward} {may}");
        }
    }
}

/// S-128, L-132: the same marking is the same object whoever makes it, other members or another name are another one; what nobody would understand is not made.
#[test]
fn a_dissemination_marking_that_is_made_is_understood_and_named_by_what_it_says() {
    let made = |members: &Value, name: &str| dissemination_definition(members.as_object().unwrap().clone(), name);
    let members = json!({"addressees": [JPN], "onward": "organisation"});
    let one = made(&members, "for Japan").unwrap();
    assert_eq!(made(&members, "for Japan").unwrap(), one);
    let id = |text: &str| serde_json::from_str::<Value>(text).unwrap()["id"].as_str().unwrap().to_owned();
    for other in [made(&members, "for others"), made(&json!({"addressees": [JPN], "onward": "any"}), "for Japan")] {
        assert_ne!(id(&other.unwrap()), id(&one));
    }
    let mut markings = Markings::new();
    markings.add(&stix::Object::parse(&one, &stix::Limits::default()).unwrap(), &own()).unwrap();
    let id: Id<MarkingDefinition> = id(&one).parse().unwrap();
    let Some(Meaning::Dissemination(said)) = markings.meaning(&id, &own()) else { panic!("{one}") };
    assert_eq!(said.onward(), Onward::Organisation);
    let mut w = World::new();
    w.markings.add(&stix::Object::parse(&one, &stix::Limits::default()).unwrap(), &own()).unwrap();
    let (japan, analyst) = (w.japan(), w.analyst());
    assert_eq!(w.decide(chain(own(), &[w.rel, id]), &japan), Ok(()));
    let korean = Reader { link: Link::default(), ..japan };
    assert_eq!(w.decide(chain(own(), &[w.rel, id]), &korean), no("dissemination"));
    assert_eq!(w.decide(chain(own(), &[w.rel, id]), &analyst), Ok(()));
    assert!(made(&json!({"onward": "everybody"}), "x").is_err() && made(&json!({"embargo": 1}), "x").is_err());
}

/// L-112, L-140: addressees widen only as the creator's own word: not by a hub that speaks for nobody, not by what was put on the object on its way.
#[test]
fn addressees_that_are_not_the_creators_word_open_nothing() {
    let mut w = World::new();
    let japan = w.japan();
    let d = w.said(&korea(), &json!({"addressees": [JPN], "onward": "any"}));
    assert_eq!(w.decide(vouched(&[w.rel, d]), &japan), Ok(()));
    assert_eq!(w.decide(chain(korea(), &[w.rel, d]), &japan), no("onward"));
    let told = Assigned::ByPeer { markings: vec![d] };
    let by_peer = Chain { assigned: told, ..vouched(&[w.rel]) };
    assert_eq!(w.decide(by_peer, &japan), no("onward"));
    let theirs = w.said(&Origin::Peer { peer: "XXX".into() }, &json!({"addressees": [JPN], "onward": "any"}));
    assert_eq!(w.decide(vouched(&[w.rel, theirs]), &japan), no("unknown-marking"), "another party defined it");
}

/// L-140: material that is addressed to others is not for the hub's own analysts either; its own party always has it.
#[test]
fn the_hubs_own_readers_have_what_was_addressed_to_the_hub() {
    let mut w = World::new();
    let (analyst, mut korean) = (w.analyst(), w.japan());
    korean.partner = Some("KOR".into());
    for (to, want) in [(HUB, Ok(())), (JPN, no("dissemination"))] {
        let d = w.said(&korea(), &json!({"addressees": [to], "onward": "organisation"}));
        assert_eq!(w.decide(vouched(&[w.rel, d]), &analyst), want);
        assert_eq!(w.decide(vouched(&[w.rel, d]), &korean), Ok(()));
    }
    let d = w.said(&korea(), &json!({"onward": "organisation"}));
    assert_eq!(w.decide(vouched(&[w.rel, d]), &analyst), Ok(()));
}

/// The policy file without some values: what a link may exchange (L-057).
fn partial(without: &[&str]) -> Arc<Policies> {
    // One value a line, as the file is written.
    let kept = |line: &&str| !without.iter().any(|v| line.contains(&format!("<spif:tagCategory name=\"{v}\"")));
    let xml: String = NATO.lines().filter(kept).map(|line| format!("{line}\n")).collect();
    assert_eq!(xml.lines().count() < NATO.lines().count(), !without.is_empty());
    let policy = Policy::load(xml.as_bytes()).unwrap_or_else(|e| panic!("{:?}", e.faults));
    Arc::new(Policies::new(vec![policy]).unwrap())
}

/// L-057: on a link with policy files of its own a label that they do not hold is withheld; they never open anything.
#[test]
fn a_value_that_the_links_policy_file_lacks_is_not_exchanged_on_it() {
    let mut w = World::new();
    let korea = hold(&mut w.markings, &released_to(&["NATO", "JPN", "KOR"]));
    let public = hold(&mut w.markings, &make_label("PUBLIC", "UNMARKED", &[]));
    let mut japan = w.japan();
    japan.clearances.push(clearance(&w.policies, "PUBLIC", &["UNMARKED"], &[]));
    assert_eq!(w.decide(chain(own(), &[korea]), &japan), Ok(()));
    japan.link.policies = Some(partial(&["KOR"]));
    assert_eq!(w.decide(chain(own(), &[korea]), &japan), no("link"));
    assert_eq!(w.decide(chain(own(), &[w.rel]), &japan), Ok(()));
    assert_eq!(w.decide(chain(own(), &[public]), &japan), no("link"), "a policy that the link does not have");
    assert_eq!(w.decide(chain(own(), &[w.clear]), &japan), Ok(()), "TLP is of no policy");
    japan.link.policies = Some(Arc::default());
    assert_eq!(w.decide(chain(own(), &[w.rel]), &japan), no("link"), "no file holds nothing");
    japan.link.policies = Some(partial(&[]));
    japan.clearances.clear();
    assert_eq!(w.decide(chain(own(), &[w.rel]), &japan), no("policy"), "the link's files open nothing");
    let all =
        clearance(&w.policies, "NATO", &["UNCLASSIFIED"], &[("Context", &["Releasable"]), ("Releasable To", &["JPN"])]);
    japan.clearances.push(all);
    assert_eq!(w.decide(chain(own(), &[w.rel]), &japan), no("classification"));
}

/// L-057: nor is it taken from the link; what the node itself assigns was not exchanged.
#[test]
fn what_comes_over_a_link_with_a_label_that_it_does_not_hold_waits() {
    let mut w = World::new();
    let label = hold(&mut w.markings, &released_to(&["NATO", "JPN", "KOR"]));
    let link = partial(&["KOR"]);
    let waits = Some(Unresolved::Contradictory { why: "label:link".into() });
    let off = |chain: &Chain| off_link(chain, &w.markings, &link);
    assert_eq!(off(&chain(korea(), &[label])), waits);
    assert_eq!(off(&chain(korea(), &[w.rel, w.clear])), None);
    let told = Chain { assigned: Assigned::ByPeer { markings: vec![label] }, ..chain(korea(), &[w.clear]) };
    assert_eq!(off(&told), waits);
    let door = Chain { assigned: Assigned::AtDoor { markings: vec![label] }, ..chain(korea(), &[]) };
    assert_eq!(off(&door), None);
    assert_eq!(off_link(&chain(korea(), &[w.rel]), &w.markings, &Policies::default()), waits);
}

/// L-132, L-143: what a marking says is told as it says it, to whoever writes it for another system: what it does not say is no empty list.
#[test]
fn what_a_dissemination_marking_says_can_be_told() {
    let mut w = World::new();
    let org = "00000000-0000-4000-8000-00000000000a";
    let group = json!({"uuid": "00000000-0000-4000-8000-00000000000b", "orgs": [org]});
    let whole = w.said(&own(), &json!({"addressees": [JPN], "sharing_group": group, "no_attribution": true}));
    let nobody = w.said(&own(), &json!({"addressees": []}));
    let plain = w.said(&own(), &json!({"no_attribution": false}));
    let said = |id| match w.markings.meaning(&id, &own()) {
        Some(Meaning::Dissemination(said)) => (**said).clone(),
        other => panic!("{other:?}"),
    };
    let (whole, nobody, plain) = (said(whole), said(nobody), said(plain));
    assert_eq!(whole.addressees(), Some(&BTreeSet::from([id(JPN)])));
    assert_eq!(whole.members(), Some(&BTreeSet::from([org.parse().unwrap()])));
    assert!(whole.is_unattributed());
    assert_eq!((nobody.addressees(), nobody.members()), (Some(&BTreeSet::new()), None));
    assert_eq!((plain.addressees(), plain.members(), plain.is_unattributed()), (None, None, false));
    let words = [
        (Onward::None, "none"),
        (Onward::Organisation, "organisation"),
        (Onward::Clients, "clients"),
        (Onward::Community, "community"),
        (Onward::Any, "any"),
    ];
    for (onward, word) in words {
        assert_eq!(onward.word(), word);
    }
}

/// What goes with an object that bears these, on a road of the own organisation.
fn tlp_for(w: &World, markings: &[Id<MarkingDefinition>], reader: &Reader) -> Option<Tlp> {
    tlp_by(w, chain(own(), markings), reader)
}

/// What goes with an object that came by this road.
fn tlp_by(w: &World, road: Chain, reader: &Reader) -> Option<Tlp> {
    let at = now();
    let authority = Authority { policies: &w.policies, markings: &w.markings, at: &at };
    let evidence = Evidence { type_name: "indicator".into(), collection: 1, unknown_references: 0 };
    let state = Arc::new(state(vec![road]));
    let one = authority.release(Labelled::new((), Arc::clone(&state), evidence.clone()), reader).unwrap().tlp();
    let page = authority.release_all(vec![Labelled::new((), state, evidence)], reader);
    assert_eq!(page.into_iter().next().unwrap().unwrap().tlp(), one, "the page says the same");
    one
}

/// L-147, L-129: everyone CLEAR, the collection's whole community GREEN, named organisations AMBER with clients and AMBER+STRICT without, restrictive
/// values RED; and never weaker than what the source said.
#[test]
fn the_tlp_for_other_tools_follows_from_labels_and_audience() {
    let mut w = World::new();
    let mut top = w.analyst();
    top.clearances = vec![
        clearance(
            &w.policies,
            "NATO",
            &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"],
            &[
                ("Context", &["NATO", "Releasable"]),
                ("Releasable To", &["NATO", "GBR"]),
                ("Only", &["NATO", "GBR"]),
                ("Special Category Designators", &["CRYPTO"]),
            ],
        ),
        clearance(&w.policies, "PUBLIC", &["UNMARKED"], &[]),
    ];
    let mut held = |l: &Label| hold(&mut w.markings, l);
    let public = held(&make_label("PUBLIC", "UNMARKED", &[]));
    let allies = held(&make_label("NATO", "RESTRICTED", &[("Context", &["NATO"])]));
    let some = held(&make_label("NATO", "RESTRICTED", &[("Context", &["NATO"]), ("Only", &["GBR", "USA"])]));
    let crypto =
        held(&make_label("NATO", "SECRET", &[("Context", &["NATO"]), ("Special Category Designators", &["CRYPTO"])]));
    let rel = w.rel;
    let clients = w.said(&own(), &json!({"onward": "clients"}));
    let organisation = w.said(&own(), &json!({"onward": "organisation"}));
    let t = |w: &World, ids: &[Id<MarkingDefinition>]| tlp_for(w, ids, &top);
    assert_eq!(t(&w, &[public]), Some(Tlp::Clear));
    assert_eq!(t(&w, &[allies]), Some(Tlp::AmberStrict), "the collection names no community");
    assert_eq!(t(&w, &[rel]), Some(Tlp::AmberStrict));
    assert_eq!(t(&w, &[rel, clients]), Some(Tlp::Amber));
    let partly = |markings: &[Id<MarkingDefinition>]| Chain { partly_addressed: true, ..chain(own(), markings) };
    assert_eq!(tlp_by(&w, partly(&[rel, clients]), &top), Some(Tlp::AmberStrict), "a part's clients have no more");
    assert_eq!(tlp_by(&w, partly(&[public, organisation]), &top), Some(Tlp::AmberStrict), "a part is as strict");
    assert_eq!(t(&w, &[public, organisation]), Some(Tlp::AmberStrict));
    assert_eq!(t(&w, &[crypto]), Some(Tlp::Red));
    assert_eq!(t(&w, &[crypto, clients]), Some(Tlp::Red));
    assert_eq!(t(&w, &[public, rel]), Some(Tlp::AmberStrict), "of several the strictest");
    let level = Tlp::marking_id;
    assert_eq!(t(&w, &[public, level(Tlp::Amber)]), None, "the source was stricter, and says it itself");
    assert_eq!(t(&w, &[rel, level(Tlp::AmberStrict)]), None);
    assert_eq!(t(&w, &[rel, level(Tlp::Clear)]), Some(Tlp::AmberStrict));
    assert_eq!(t(&w, &[level(Tlp::Green)]), None, "without a label there is nothing to compute");
    w.markings.community(1, "1.3.26.1.3.1", "NATO");
    assert_eq!(t(&w, &[allies]), Some(Tlp::Green));
    assert_eq!(t(&w, &[rel]), Some(Tlp::Green), "the community and others");
    assert_eq!(t(&w, &[some]), Some(Tlp::AmberStrict), "not all of it");
    assert_eq!(t(&w, &[allies, organisation]), Some(Tlp::AmberStrict));
    w.markings.community(1, "1.3.6.1.4.1.31778.12.2.1", "NATO");
    assert_eq!(t(&w, &[allies]), Some(Tlp::AmberStrict), "a community of another policy");
}

/// L-129: what a reader brought itself goes back to it as it brought it.
#[test]
fn a_contributor_is_told_no_computed_tlp() {
    let w = World::new();
    let mut japan = w.japan();
    japan.account = "a".into();
    let at = now();
    let authority = Authority { policies: &w.policies, markings: &w.markings, at: &at };
    let evidence = Evidence { type_name: "indicator".into(), collection: 1, unknown_references: 0 };
    let brought = chain(Origin::Partner { partner: "JPN".into(), account: "a".into() }, &[w.rel]);
    let state = Arc::new(state(vec![brought]));
    assert_eq!(authority.release(Labelled::new((), state, evidence), &japan).unwrap().tlp(), None);
}
