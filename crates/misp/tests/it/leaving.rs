//! Audiences on their way out.
use label::{ADDRESSEES_MAX, Onward, Pap, Tlp};
use misp::{Audience, Distribution, Leaving, Outgoing, Refused, SharingGroup, leaving};
use std::collections::BTreeSet;
use uuid::Uuid;

const OWN: u128 = 1;

fn orgs(list: &[u128]) -> BTreeSet<Uuid> {
    list.iter().map(|n| Uuid::from_u128(*n)).collect()
}

fn what<'a>(audience: &'a Audience, partners: &'a BTreeSet<Uuid>, tlp: Tlp) -> Leaving<'a> {
    Leaving {
        audience,
        partners,
        own: Uuid::from_u128(OWN),
        onward: None,
        unattributed: false,
        tlp,
        pap: Some(Pap::Amber),
        marking: "NATO RESTRICTED Releasable to Japan",
        tags: &[],
    }
}

fn level(outgoing: Result<Outgoing, Refused>) -> Result<Distribution, Refused> {
    outgoing.map(|o| o.distribution)
}

/// Section 11, L-132, L-141, L-143, L-147: each audience goes out by the narrowest distribution that holds it, 1 never; what a marking allows besides, and
/// nothing else, makes it 2.
#[test]
fn each_audience_goes_out_by_a_distribution_that_is_no_wider() {
    let partners = orgs(&[2, 3]);
    let everyone = Audience::Everyone;
    assert_eq!(level(leaving(&what(&everyone, &partners, Tlp::Clear))), Ok(Distribution::All));
    assert_eq!(leaving(&what(&everyone, &partners, Tlp::Amber)), Err(Refused::Contradiction(Tlp::Amber)), "L-142");
    let home = Audience::Organisations(orgs(&[OWN]));
    assert_eq!(level(leaving(&what(&home, &partners, Tlp::AmberStrict))), Ok(Distribution::OwnOrganisation));
    assert_eq!(leaving(&what(&Audience::Organisations(orgs(&[])), &partners, Tlp::Green)), Err(Refused::Nobody));
    let all = Audience::Organisations(orgs(&[2, 3]));
    for (onward, tlp, wanted) in [
        (None, Tlp::Green, Distribution::SharingGroup),
        (Some(Onward::Organisation), Tlp::Green, Distribution::SharingGroup),
        (Some(Onward::Clients), Tlp::Green, Distribution::SharingGroup),
        (Some(Onward::Community), Tlp::Amber, Distribution::SharingGroup),
        (Some(Onward::Community), Tlp::Green, Distribution::Connected),
        (Some(Onward::Any), Tlp::Clear, Distribution::Connected),
    ] {
        assert_eq!(level(leaving(&Leaving { onward, ..what(&all, &partners, tlp) })), Ok(wanted), "{onward:?} {tlp}");
    }
    let some = Audience::Organisations(orgs(&[2]));
    let hop = Leaving { onward: Some(Onward::Any), ..what(&some, &partners, Tlp::Clear) };
    assert_eq!(level(leaving(&hop)), Ok(Distribution::SharingGroup), "not all partners");
    let nobody = orgs(&[]);
    let alone = Leaving { onward: Some(Onward::Any), ..what(&home, &nobody, Tlp::Clear) };
    assert_eq!(
        level(leaving(&alone)),
        Ok(Distribution::OwnOrganisation),
        "without partners there is nobody to connect"
    );
    for red in
        [what(&some, &partners, Tlp::Red), Leaving { onward: Some(Onward::None), ..what(&some, &partners, Tlp::Clear) }]
    {
        assert_eq!(leaving(&red), Err(Refused::NamedPersons));
    }
    assert_eq!(
        leaving(&Leaving { unattributed: true, ..what(&some, &partners, Tlp::Green) }),
        Err(Refused::Attribution)
    );
    let many = Audience::Organisations((2..).take(ADDRESSEES_MAX - 1).map(Uuid::from_u128).collect());
    assert_eq!(level(leaving(&what(&many, &partners, Tlp::Green))), Ok(Distribution::SharingGroup));
    let too_many = Audience::Organisations((2..).take(ADDRESSEES_MAX).map(Uuid::from_u128).collect());
    assert_eq!(leaving(&what(&too_many, &partners, Tlp::Green)), Err(Refused::TooMany));
    let told: BTreeSet<String> = [
        Refused::NamedPersons,
        Refused::Attribution,
        Refused::Nobody,
        Refused::TooMany,
        Refused::Contradiction(Tlp::Red),
    ]
    .map(|r| r.to_string())
    .into();
    assert_eq!(told.len(), 5);
}

/// Section 11: the group that is made lists organisations one by one, nobody may extend it, it does not roam, the own organisation created it; made again
/// it is the same. TLP, PAP and the label's own tags go along; the losses are told.
#[test]
fn the_sharing_group_that_is_made_is_explicit_and_closed() {
    let (partners, tags) = (orgs(&[2, 3]), ["nato:classification=\"NR\"".to_owned()]);
    let audience = Audience::Organisations(orgs(&[3, 2]));
    let out = leaving(&Leaving { tags: &tags, ..what(&audience, &partners, Tlp::AmberStrict) }).unwrap();
    assert_eq!(out.tags, ["tlp:amber+strict", "PAP:AMBER", "nato:classification=\"NR\""]);
    assert!(out.notes.iter().any(|n| n.contains("clearances")), "{:?}", out.notes);
    let group = out.sharing_group.unwrap();
    assert_eq!(
        (&group["roaming"], &group["active"], &group["organisation_uuid"]),
        (&false.into(), &true.into(), &Uuid::from_u128(OWN).to_string().into())
    );
    assert!(group["SharingGroupOrg"].as_array().unwrap().iter().all(|m| m["extend"] == false));
    let read = SharingGroup::from_json(&group.to_string()).unwrap();
    assert_eq!(read.orgs(), &orgs(&[OWN, 2, 3]), "what is written is read as the same group");
    let again = leaving(&what(&audience, &partners, Tlp::Green)).unwrap().sharing_group.unwrap();
    assert_eq!(again["uuid"], group["uuid"], "equal lists are one group");
    let stricter = leaving(&Leaving { onward: Some(Onward::Organisation), ..what(&audience, &partners, Tlp::Green) });
    assert_eq!(stricter.unwrap().tags[0], "tlp:amber+strict", "what a marking forbids the TLP says");
    let other = Audience::Organisations(orgs(&[3]));
    assert_ne!(leaving(&what(&other, &partners, Tlp::Green)).unwrap().sharing_group.unwrap()["uuid"], group["uuid"]);
}
