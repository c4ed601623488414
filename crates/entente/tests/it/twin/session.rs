//! What the reader asks: tables of paths, filters, identifiers, bodies and headers, every combination that makes sense.

use super::{
    acts::{self, plain},
    house::{
        self, AMBER, GREEN, JAPAN, JAPAN_TERMS, KOREA, NATO, OLD, OTHER, PEER, PUBLIC, REL, SECRET, SENSOR, STAFF,
        TOOL, Terms, envelope,
    },
    material::{Object, definition, id, marking, stamp},
    pair::{Ask, Difference, Pair, START, Who},
    wire,
};
use node::admin::Request;
use serde_json::{Value, json};
use std::io::Write as _;

type Asked = Result<(), Difference>;

/// Realm and collection of everything there is, as the reader may try it; by alias, by id, and in the wrong realm.
const WHERE: [&str; 19] = [
    "live/collections/intel",
    "live/collections/0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0001",
    "live/collections/knowledge",
    "live/collections/narrow",
    "ex-dawn/collections/dawn",
    "live/collections/drop",
    "live/collections/closed",
    "live/collections/0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0002",
    "live/collections/hidden-place",
    "live/collections/dawn",
    "ex-dawn/collections/intel",
    "ex-dusk/collections/dusk",
    "live/collections/0a6f4a52-5a0c-4f0e-8a56-0d1a5f1dffff",
    "nowhere/collections/intel",
    "live/collections/withdrawals",
    "ex-dusk/collections/withdrawals",
    "live/collections/indicators",
    "live/collections/0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0103",
    "live/collections/closed-tools",
];

/// Collections that the reader reads.
const READS: [&str; 6] = [
    "live/collections/intel",
    "live/collections/knowledge",
    "live/collections/narrow",
    "ex-dawn/collections/dawn",
    "live/collections/indicators",
    "live/collections/restricted",
];

const INTEL: &str = "/live/collections/intel";

/// Identifiers to try: shown, hidden, held by nobody, malformed.
fn identifiers() -> Vec<String> {
    let mut ids = vec![NATO.to_owned(), JAPAN.to_owned(), KOREA.to_owned()];
    let named = [
        (
            "indicator",
            &["indicator 0", "indicator 1", "indicator 8", "between 0", "between 1", "between 2", "nowhere"][..],
        ),
        ("malware", &["malware 3", "malware 4", "held hidden", "elsewhere", "in quarantine", "nobody's"]),
        ("campaign", &["versions"]),
        ("relationship", &["relation 1", "dangling 1", "dangling back 1", "circle 0", "circle 2", "waits in intel"]),
        ("tool", &["fast 0", "fast 1", "stated", "stated secretly", "first of intel"]),
        ("marking-definition", &["visible statement", "hidden statement", "closed statement"]),
        ("note", &["note", "open"]),
    ];
    ids.extend(named.iter().flat_map(|(kind, seeds)| seeds.iter().map(|seed| id(kind, seed))));
    ids.extend(
        ["203.0.113.0", "203.0.113.1", "198.51.100.1", "198.51.100.2", "192.0.2.9"].map(|v| Object::address(v).id()),
    );
    ids.extend([PUBLIC, REL, SECRET, STAFF, GREEN, AMBER].map(|label| marking(label).to_owned()));
    ids
}

/// Filters for `objects` and `manifest`.
fn filters() -> Vec<String> {
    let some = |ids: &[String]| format!("match[id]={}", ids.join(","));
    let versions = id("campaign", "versions");
    let hidden = id("indicator", "between 1");
    let mut filters: Vec<String> = [
        "",
        "match[version]=all",
        "match[version]=first",
        "match[version]=last",
        "match[version]=first,last",
        "match[type]=indicator",
        "match[type]=campaign&match[version]=all",
        "match[type]=marking-definition",
        "match[type]=identity,relationship",
        "match[type]=ipv4-addr&match[version]=all",
        "match[type]=x-unknown",
        "match[type]=",
        "match[spec_version]=2.1",
        "match[spec_version]=2.0",
        "match[spec_version]=2.0,2.1&match[version]=all",
        "match[id]=not-an-id",
        "match[version]=all,first",
        "added_after=2020-01-01T00:00:00Z",
        "added_after=2030-01-01T00:00:00Z",
        "added_after=yesterday",
        "limit=0",
        "limit=-1",
        "limit=3",
        "limit=99999999999999999999999",
        "next=",
        "next=AAAA",
        "unknown=1&match[other]=2",
        "match%5Btype%5D=malware",
    ]
    .map(str::to_owned)
    .to_vec();
    for day in [1, 2, 3, 5, 6, 7, 11, 12, 20] {
        filters.push(format!("{}&match[version]={}", some(std::slice::from_ref(&versions)), stamp(day)));
    }
    filters.push(format!("match[version]={},{},first", stamp(2), stamp(20)));
    filters.push(some(&[versions.clone(), hidden.clone(), id("tool", "nobody's")]));
    filters.push(format!("{}&match[version]=all", some(&[versions, hidden, id("malware", "held hidden")])));
    filters
}

/// Everything, with acts taking turns.
pub(crate) fn whole(pair: &mut Pair) -> Asked {
    acts::queue(pair, 120);
    let mut elsewhere = acts::Elsewhere::open(pair);
    doors(pair)?;
    elsewhere.pulled(pair);
    listings(pair)?;
    single(pair)?;
    elsewhere.pulled(pair);
    pages(pair)?;
    borders(pair)?;
    wire::over_a_socket(pair)?;
    cursors(pair)?;
    elsewhere.pulled(pair);
    writes(pair)?;
    pending(pair)?;
    deletes(pair)?;
    taken_back(pair)?;
    credentials(pair)?;
    headers(pair)?;
    // Whatever waits still, then a last look at all.
    while !pair.waiting.is_empty() {
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?limit=5")))?;
    }
    last_look(pair)
}

/// A shorter one, for many runs.
pub(crate) fn short(pair: &mut Pair) -> Asked {
    for path in ["/taxii2/", "/live/", "/live/collections/", "/live/collections/closed/", "/ex-dusk/"] {
        pair.ask(&Ask::get(TOOL, path))?;
    }
    for account in [TOOL, PEER] {
        for listing in ["objects", "manifest"] {
            pair.drain(account, &format!("{INTEL}/{listing}/"), "match[version]=all", 7)?;
        }
    }
    pair.drain(TOOL, &format!("{INTEL}/objects/"), "", 2)?;
    for one in [id("campaign", "versions"), id("indicator", "between 1"), id("malware", "held hidden")] {
        for rest in ["", "versions/"] {
            pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/{one}/{rest}?match[version]=all")))?;
        }
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?match[id]={one}")))?;
    }
    let theirs = others_status(pair);
    pair.ask(&Ask::get(TOOL, format!("/live/status/{theirs}/")))?;
    pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?next=AAAA")))?;
    guesses(pair)?;
    deletes(pair)?;
    last_look(pair)
}

/// A status of somebody else; in twin `b` it exists.
fn others_status(pair: &mut Pair) -> String {
    let object = Object::new("tool", "whose status").by(KOREA).marked(&[AMBER]).named(super::pair::HUSH);
    let reply = pair.hidden_request(&Ask::post(OTHER, format!("{INTEL}/objects/"), envelope(&[object.text()])));
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// Discovery, API roots, collections; in all spellings, with all methods.
fn doors(pair: &mut Pair) -> Asked {
    let mut paths: Vec<String> = [
        "/",
        "/taxii2/",
        "/taxii2",
        "/taxii2//",
        "/healthz",
        "/healthz/",
        "/docs/",
        "/docs/openapi.json",
        "/metrics",
        "/favicon.ico",
        "/a/b/c/d/e/f/g",
    ]
    .map(str::to_owned)
    .to_vec();
    for root in ["live", "ex-dawn", "ex-dusk", "nowhere", "LIVE", "%FF", "..", "taxii2"] {
        paths.extend([
            format!("/{root}/"),
            format!("/{root}"),
            format!("/{root}/collections/"),
            format!("/{root}/status/"),
        ]);
    }
    for place in WHERE {
        paths.extend([format!("/{place}/"), format!("/{place}")]);
    }
    for account in [TOOL, PEER, SENSOR] {
        for path in &paths {
            pair.ask(&Ask::get(account, path))?;
        }
    }
    for path in &paths {
        pair.ask(&Ask::new(Who::Nobody, "GET", path))?;
        for method in ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"] {
            pair.ask(&Ask::new(Who::Account(TOOL), method, path))?;
        }
    }
    Ok(())
}

/// `objects` and `manifest` everywhere; every filter where the reader reads.
fn listings(pair: &mut Pair) -> Asked {
    for place in WHERE {
        for account in [TOOL, SENSOR, PEER, OLD] {
            for (method, listing) in
                [("GET", "objects"), ("GET", "manifest"), ("HEAD", "objects"), ("HEAD", "manifest")]
            {
                pair.ask(&Ask::new(Who::Account(account), method, format!("/{place}/{listing}/?limit=20")))?;
            }
        }
    }
    for place in READS {
        for filter in filters() {
            for listing in ["objects", "manifest"] {
                pair.ask(&Ask::get(TOOL, format!("/{place}/{listing}/?{filter}")))?;
            }
            if place == READS[0] {
                pair.ask(&Ask::get(PEER, format!("/{place}/objects/?{filter}")))?;
            }
        }
    }
    Ok(())
}

/// One object and its versions.
fn single(pair: &mut Pair) -> Asked {
    for place in READS {
        for one in identifiers() {
            for rest in ["", "versions/", "?match[version]=all", "?match[version]=first"] {
                pair.ask(&Ask::get(TOOL, format!("/{place}/objects/{one}/{rest}")))?;
            }
        }
    }
    for one in identifiers() {
        for place in ["live/collections/closed", "live/collections/drop", "ex-dusk/collections/dusk"] {
            pair.ask(&Ask::get(TOOL, format!("/{place}/objects/{one}/")))?;
        }
        for day in [1, 2, 5, 11, 20] {
            pair.ask(&Ask::get(PEER, format!("{INTEL}/objects/{one}/?match[version]={}", stamp(day))))?;
        }
        pair.ask(&Ask::get(PEER, format!("{INTEL}/objects/{one}/versions/?limit=1")))?;
        pair.ask(&Ask::new(Who::Account(TOOL), "HEAD", format!("{INTEL}/objects/{one}/")))?;
        pair.ask(&Ask::new(Who::Account(TOOL), "HEAD", format!("{INTEL}/objects/{one}/versions/")))?;
    }
    for odd in ["x", "tool--", "tool--1", "%00", "%FF", "indicator--00000000-0000-0000-0000-000000000000"] {
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/{odd}/")))?;
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/{odd}/versions/")))?;
    }
    Ok(())
}

/// Pages to the end with several limits.
fn pages(pair: &mut Pair) -> Asked {
    let every = std::mem::replace(&mut pair.every, 40);
    for limit in [1, 2, 7, 1_000] {
        for listing in ["objects", "manifest"] {
            let found = pair.drain(TOOL, &format!("{INTEL}/{listing}/"), "", limit)?;
            assert!(found.len() > 20, "the reader sees {} objects", found.len());
        }
        pair.drain(PEER, &format!("{INTEL}/objects/"), "match[version]=all", limit)?;
        pair.drain(TOOL, &format!("{INTEL}/objects/{}/versions/", id("campaign", "versions")), "", limit)?;
        pair.drain(TOOL, &format!("{INTEL}/objects/{}/", id("campaign", "versions")), "match[version]=all", limit)?;
        pair.drain(TOOL, &format!("{INTEL}/objects/"), "match[type]=indicator,malware", limit)?;
        pair.drain(TOOL, "/live/collections/narrow/objects/", "", limit)?;
        pair.drain(TOOL, "/ex-dawn/collections/dawn/manifest/", "", limit)?;
    }
    for (limit, listing) in [(1_000, "objects"), (333, "manifest"), (50_000, "objects")] {
        let found = pair.drain(TOOL, &format!("/live/collections/bulk/{listing}/"), "", limit)?;
        assert!(found.len() > 2_600, "the reader sees {} objects of the bulk", found.len());
    }
    for listing in ["objects", "manifest"] {
        for limit in [1, 2, 7] {
            pair.ask(&Ask::get(TOOL, format!("/live/collections/bulk/{listing}/?limit={limit}")))?;
        }
    }
    pair.every = every;
    Ok(())
}

/// `added_after` at, before and after every border that the reader knows.
fn borders(pair: &mut Pair) -> Asked {
    for place in READS {
        let manifest = pair.drain(TOOL, &format!("/{place}/manifest/"), "match[version]=all", 1_000)?;
        let mut dates: Vec<String> =
            manifest.iter().filter_map(|r| r["date_added"].as_str()).map(str::to_owned).collect();
        assert!(dates.is_sorted(), "{dates:?}");
        let each = dates.len().div_ceil(12).max(1);
        dates = dates.into_iter().step_by(each).collect();
        for date in dates {
            let at = taxii::date_added::parse(&date).unwrap();
            for off in [-1, 0, 1] {
                let after = taxii::date_added::format(at + off);
                pair.ask(&Ask::get(TOOL, format!("/{place}/objects/?added_after={after}&limit=3")))?;
                pair.ask(&Ask::get(TOOL, format!("/{place}/manifest/?added_after={after}&match[version]=all")))?;
            }
        }
    }
    let now = taxii::date_added::format(START + 60_000_000_000);
    pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?added_after={now}")))?;
    Ok(())
}

fn cursor(pair: &mut Pair, account: &'static str, query: &str) -> Result<String, Difference> {
    let reply = pair.ask(&Ask::get(account, format!("{INTEL}/objects/?limit=2&{query}")))?;
    Ok(reply.json()["next"].as_str().unwrap_or("none").to_owned())
}

/// Cursors: of another account, another filter, another listing; tampered; used long after, and after acts.
fn cursors(pair: &mut Pair) -> Asked {
    let own = cursor(pair, TOOL, "")?;
    assert_ne!(own, "none");
    let peers = cursor(pair, PEER, "")?;
    let all = cursor(pair, TOOL, "match[version]=all")?;
    let others = pair.hidden_request(&Ask::get(OTHER, format!("{INTEL}/objects/?limit=2")));
    let others = others.json()["next"].as_str().unwrap().to_owned();
    let mut tampered: Vec<String> = (0..own.len())
        .step_by(9)
        .map(|at| {
            let mut bytes = own.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        })
        .collect();
    tampered.extend([own[..own.len() - 1].to_owned(), format!("{own}A"), own.replace(['-', '_'], "+")]);
    for next in [&own, &peers, &all, &others].into_iter().chain(&tampered) {
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?limit=3&next={next}")))?;
    }
    for (path, query) in [
        ("/live/collections/intel/manifest/", ""),
        ("/live/collections/knowledge/objects/", ""),
        ("/live/collections/intel/objects/", "&match[type]=tool"),
        ("/live/collections/intel/objects/", "&added_after=2026-06-01T00:00:00Z"),
        ("/live/collections/intel/objects/", "&match[version]=all"),
    ] {
        for next in [&own, &all] {
            pair.ask(&Ask::get(TOOL, format!("{path}?limit=3&next={next}{query}")))?;
        }
    }
    for hours in [1, 24, 24 * 6, 24, 24] {
        pair.pass(hours * 3_600_000_000);
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?limit=3&next={own}")))?;
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/?limit=3&next={all}")))?;
    }
    Ok(())
}

/// Words of a description of which three make a body that is processed later.
const LONG: usize = 11_000;

/// Bodies that are processed later: the reply, the status before and after, the room that is left, while others' bodies wait as well.
fn pending(pair: &mut Pair) -> Asked {
    let long = json!("long ".repeat(LONG));
    let object = |n: usize| Object::new("tool", &format!("later {n}")).by(JAPAN).marked(&[GREEN]);
    let objects: Vec<String> = (0..3)
        .map(|n| object(n).set("description", long.clone()).text())
        .chain([plain("held hidden").text(), Object::new("campaign", "versions").at(7).text()])
        .collect();
    let body = envelope(&objects);
    assert!((150_001..200_000).contains(&body.len()), "{}", body.len());
    // What long bodies the reader has sent before.
    pair.both("what waits is processed", |twin| while twin.node.process_post().unwrap() {});
    for n in 0..3 {
        let hidden = hidden_body(n);
        let reply = pair.hidden_request(&Ask::post(OTHER, "/live/collections/intel/objects/", hidden));
        assert_eq!((reply.status, &reply.json()["status"]), (202, &json!("pending")), "{reply}");
    }
    let post = Ask::post(TOOL, format!("{INTEL}/objects/"), body);
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let reply = pair.ask(&post)?;
        match reply.json()["id"].as_str() {
            Some(id) => statuses.push(format!("/live/status/{id}/")),
            None => assert_eq!(reply.status, 429, "{reply}"),
        }
    }
    assert_eq!(statuses.len(), usize::try_from(node::post::POSTS_WAITING_MAX).unwrap());
    for step in 0..2 {
        for status in &statuses {
            for who in [TOOL, PEER, SENSOR] {
                let reply = pair.ask(&Ask::get(who, status))?;
                let wanted = ["pending", "complete"][step];
                assert!(who != TOOL || reply.json()["status"] == wanted, "{reply}");
            }
        }
        // The turns of the twins differ by what is hidden; what waits is done in both.
        pair.both("what waits is processed", |twin| while twin.node.process_post().unwrap() {});
    }
    pair.ask(&Ask::get(TOOL, format!("{INTEL}/manifest/?match[type]=tool&limit=1000")))?;
    pair.ask(&Ask::get(PEER, format!("{INTEL}/objects/?match[type]=tool&limit=1000")))?;
    Ok(())
}

/// A long body that the reader must not notice.
fn hidden_body(n: usize) -> String {
    let long = json!("long ".repeat(LONG));
    let object = |i: usize| {
        let object = Object::new("tool", &format!("hidden later {n} {i}")).named(super::pair::HUSH).by(KOREA);
        object.set("description", long.clone()).marked(&[AMBER]).text()
    };
    envelope(&(0..3).map(object).collect::<Vec<_>>())
}

/// What was given is taken back, by a relabel and by the end of the agreement, among much that was never given; and given again.
fn taken_back(pair: &mut Pair) -> Asked {
    const TOLD: &str = "/live/collections/withdrawals";
    pair.drain(PEER, &format!("{INTEL}/objects/"), "match[version]=all", 50)?;
    let relabel = |id: String, label: &'static str| {
        move |twin: &super::pair::Twin| {
            twin.try_admin(Request::Relabel { id: id.clone(), label: label.to_owned(), realm: None });
        }
    };
    for n in 0..3 {
        let (shown, hidden) = (id("indicator", &format!("indicator {n}")), id("indicator", &format!("between {n}")));
        pair.hidden("a hidden one gets another label", relabel(hidden, STAFF));
        pair.both("a visible one is taken back", relabel(shown.clone(), SECRET));
        pair.hidden("one that is hidden by now gets another label", relabel(shown, STAFF));
        pair.pass(1);
        told(pair, TOLD)?;
    }
    assert!(!pair.drain(PEER, &format!("{TOLD}/objects/"), "", 2)?.is_empty(), "something was to be taken back");
    pair.both("one is given again", relabel(id("indicator", "indicator 1"), PUBLIC));
    told(pair, TOLD)?;
    let over = Terms { until: "2026-01-01T00:00:00Z", ..JAPAN_TERMS };
    for terms in [&over, &JAPAN_TERMS] {
        pair.both("the agreement ends, and is made again", |twin| {
            house::rewrite(twin, "agreements/japan.toml", &house::japan(terms));
        });
        for account in [TOOL, PEER, OLD] {
            for path in ["/taxii2/", "/live/", "/live/collections/", "/ex-dawn/collections/", "/ex-dusk/collections/"] {
                pair.ask(&Ask::get(account, path))?;
            }
        }
        told(pair, TOLD)?;
        told(pair, "/ex-dawn/collections/withdrawals")?;
    }
    Ok(())
}

/// All that can be asked of what was taken back.
fn told(pair: &mut Pair, path: &str) -> Asked {
    for account in [PEER, TOOL] {
        for rest in [
            "",
            "objects/",
            "manifest/",
            "objects/?limit=1",
            "objects/?match[type]=indicator",
            "objects/?added_after=2026-06-01T00:00:00Z",
        ] {
            pair.ask(&Ask::get(account, format!("{path}/{rest}")))?;
        }
    }
    let first = pair.ask(&Ask::get(PEER, format!("{path}/objects/?limit=1")))?.json();
    let one =
        first["objects"][0]["id"].as_str().unwrap_or("x-entente-withdrawal--00000000-0000-5000-8000-000000000000");
    for rest in [
        format!("objects/{one}/"),
        format!("objects/{one}/versions/"),
        format!("objects/{}/", id("indicator", "between 0")),
    ] {
        pair.ask(&Ask::get(PEER, format!("{path}/{rest}")))?;
    }
    pair.drain(PEER, &format!("{path}/manifest/"), "", 3)?;
    pair.ask(&Ask::new(Who::Account(PEER), "DELETE", format!("{path}/objects/{one}/")))?;
    pair.ask(&Ask::post(PEER, format!("{path}/objects/"), envelope(&[plain("to nobody").text()])))?;
    Ok(())
}

/// What the reader brings, among it much that exists hidden already, and how it reads it back.
fn writes(pair: &mut Pair) -> Asked {
    malformed(pair)?;
    guesses(pair)?;
    for account in [TOOL, SENSOR] {
        for place in WHERE {
            let object = Object::new("tool", &format!("from {account} to {place}")).by(JAPAN).marked(&[GREEN]);
            pair.ask(&Ask::post(account, format!("/{place}/objects/"), envelope(&[object.text()])))?;
        }
    }
    Ok(())
}

/// A POST, its status, and every way to read back what it brought.
fn bring(pair: &mut Pair, account: &'static str, place: &str, objects: &[Object]) -> Asked {
    let texts: Vec<String> = objects.iter().map(Object::text).collect();
    let reply = pair.ask(&Ask::post(account, format!("/{place}/objects/"), envelope(&texts)))?;
    let root = place.split('/').next().unwrap_or_default();
    if let Some(status) = reply.json()["id"].as_str() {
        for who in [account, TOOL, PEER] {
            pair.ask(&Ask::get(who, format!("/{root}/status/{status}/")))?;
        }
    }
    for object in objects {
        let id = object.id();
        for who in [account, PEER] {
            for rest in ["", "?match[version]=all", "versions/"] {
                pair.ask(&Ask::get(who, format!("/{place}/objects/{id}/{rest}")))?;
            }
        }
        for listing in ["objects", "manifest"] {
            pair.ask(&Ask::get(account, format!("/{place}/{listing}/?match[id]={id}&match[version]=all")))?;
        }
        pair.ask(&Ask::get(TOOL, format!("/live/collections/knowledge/objects/{id}/")))?;
    }
    pair.ask(&Ask::get(account, format!("/{place}/manifest/?match[version]=all&limit=1000")))?;
    Ok(())
}

/// Objects whose identifiers, versions or contents exist out of the reader's sight.
fn guesses(pair: &mut Pair) -> Asked {
    let held = plain("held hidden");
    let marks = |marks: &[String]| json!(marks);
    let statement = |seed: &str| id("marking-definition", seed);
    let between = |n: usize| Object::new("indicator", &format!("between {n}")).by(JAPAN).named("guessed");
    let envelopes: Vec<Vec<Object>> = vec![
        // The very bytes that are held hidden; other content of the same version; older and newer ones.
        vec![held.clone()],
        vec![held.clone()],
        vec![held.clone().named("other content")],
        vec![held.clone().at(2), held.clone().at(9).named("newer")],
        vec![
            between(0),
            between(1).at(28),
            between(2).set("created", json!("2020-01-01T00:00:00Z")).set("modified", json!("2020-01-01T00:00:00Z")),
        ],
        vec![between(3).marked(&[REL]), between(4).marked(&[SECRET]), between(5).marked(&[GREEN])],
        vec![
            Object::new("campaign", "versions").by(JAPAN).at(2).named("guessed"),
            Object::new("campaign", "versions").by(JAPAN).at(28),
        ],
        vec![Object::new("campaign", "versions").without("created_by_ref").at(12).named("guessed")],
        // What others created is refused, hidden or not, with the same words.
        vec![between(6).by(NATO), Object::new("campaign", "versions").at(4), Object::new("malware", "nobody's")],
        // Held only in a collection that the reader may not know, or by a label that it may not see.
        vec![
            plain("elsewhere"),
            Object::address("198.51.100.1"),
            Object::address("198.51.100.2"),
            Object::address("192.0.2.77"),
        ],
        vec![
            Object::address("203.0.113.1"),
            Object::address("203.0.113.2"),
            Object::address("203.0.113.3").set("defanged", json!(true)),
        ],
        vec![Object::address("203.0.113.5").marked(&[GREEN])],
        // References to what is hidden, to what is shown, to what nobody holds.
        vec![
            Object::relation("guess 1", &id("indicator", "between 7"), &id("malware", "malware 1"))
                .by(JAPAN)
                .marked(&[PUBLIC]),
            Object::relation("guess 2", &id("indicator", "nowhere"), &id("malware", "malware 1"))
                .by(JAPAN)
                .marked(&[PUBLIC]),
            Object::relation("guess 3", &id("indicator", "indicator 0"), &id("malware", "malware 1"))
                .by(JAPAN)
                .marked(&[PUBLIC]),
        ],
        vec![
            Object::relation("dangling 1", &id("indicator", "indicator 0"), &id("malware", "malware 2"))
                .by(JAPAN)
                .named("over it"),
        ],
        // Markings: hidden, elsewhere, unknown, shown; with and without a label beside them.
        vec![
            Object::new("tool", "marks 1")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("hidden statement")])),
            Object::new("tool", "marks 2").by(JAPAN).set("object_marking_refs", marks(&[statement("hidden unclear")])),
            Object::new("tool", "marks 3")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("closed statement")])),
            Object::new("tool", "marks 4").by(JAPAN).set("object_marking_refs", marks(&[statement("nobody's")])),
            Object::new("tool", "marks 5")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("visible statement")])),
            Object::new("tool", "marks 6")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("hidden statement"), marking(PUBLIC).to_owned()])),
            Object::new("tool", "marks 7")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("hidden unclear"), marking(GREEN).to_owned()])),
            Object::new("tool", "marks 8").by(JAPAN).marked(&[SECRET, STAFF]),
            Object::new("tool", "marks 9").by(JAPAN).marked(&[AMBER]),
            Object::new("tool", "marks 10").by(JAPAN).set(
                "granular_markings",
                json!([{"selectors": ["name"], "marking_ref": statement("hidden statement")}]),
            ),
        ],
        // Definitions for which what the reader brought above waits: hidden with another meaning, held elsewhere, held by nobody. One at a time.
        vec![Object::statement("hidden unclear", "the reader's").by(JAPAN).marked(&[GREEN])],
        vec![
            Object::statement("closed statement", "the reader's").by(JAPAN).marked(&[GREEN]),
            plain("beside it").named("beside it"),
        ],
        vec![
            Object::statement("nobody's", "the reader's").by(JAPAN).marked(&[GREEN]),
            plain("beside that").named("beside that"),
        ],
        // Marking definitions under identifiers that exist hidden, and what carries them then. Nothing that was brought before may carry them.
        vec![
            Object::statement("another hidden statement", "the reader's").by(JAPAN),
            Object::statement("another hidden unclear", "the reader's").by(JAPAN).marked(&[GREEN]),
            Object::statement("another closed statement", "the reader's").by(JAPAN).marked(&[GREEN]),
            Object::statement("another of nobody's", "the reader's").by(JAPAN).marked(&[GREEN]),
            Object::statement("guessed", "the reader's")
                .by(JAPAN)
                .set("definition_type", json!("x-odd"))
                .marked(&[GREEN]),
        ],
        vec![
            Object::new("tool", "marks 11")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("another hidden unclear"), marking(GREEN).to_owned()])),
            Object::new("tool", "marks 12")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("another closed statement"), marking(GREEN).to_owned()])),
            Object::new("tool", "marks 13")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("guessed"), marking(GREEN).to_owned()])),
            Object::new("tool", "marks 14")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("another of nobody's"), marking(GREEN).to_owned()])),
            Object::new("tool", "marks 15")
                .by(JAPAN)
                .set("object_marking_refs", marks(&[statement("another hidden statement"), marking(GREEN).to_owned()])),
        ],
    ];
    for objects in &envelopes {
        bring(pair, TOOL, "live/collections/intel", objects)?;
    }
    bring(
        pair,
        SENSOR,
        "live/collections/drop",
        &[held.clone(), Object::address("203.0.113.1"), Object::address("192.0.2.78")],
    )?;
    bring(
        pair,
        SENSOR,
        "live/collections/intel",
        &[held.clone().named("the sensor's"), Object::address("203.0.113.7")],
    )?;
    bring(pair, TOOL, "ex-dawn/collections/dawn", &[plain("in quarantine"), between(1), plain("new in the exercise")])?;
    // The catalogue's own definitions, as held, and forged.
    for label in [PUBLIC, REL, SECRET, GREEN] {
        for text in [definition(label).to_owned(), definition(label).replace("UN", "un")] {
            pair.ask(&Ask::post(TOOL, format!("{INTEL}/objects/"), envelope(&[text])))?;
            pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/{}/", marking(label))))?;
            pair.ask(&Ask::get(PEER, format!("{INTEL}/objects/{}/versions/", marking(label))))?;
        }
    }
    Ok(())
}

/// Bodies that are refused, as a whole or in part.
fn malformed(pair: &mut Pair) -> Asked {
    let good = Object::new("tool", "good").by(JAPAN).text();
    let object = |members: &str| format!("{{\"objects\":[{{{members}}}]}}");
    let between = id("indicator", "between 1");
    let nested = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"{\"objects\":[]}".to_vec(),
        b"{\"objects\":{}}".to_vec(),
        b"{\"objects\":[1,\"a\",null,[]]}".to_vec(),
        b"{\"objects\":[{}]}".to_vec(),
        b"\xff\xfe{\"objects\":[]}".to_vec(),
        b"{\"objects\":[{\"type\":\"tool\",\"name\":\"\xff\"}]}".to_vec(),
        object("\"type\":\"tool\"").into_bytes(),
        object("\"type\":\"tool\",\"id\":\"tool--1\"").into_bytes(),
        object(&format!("\"type\":\"tool\",\"id\":\"{between}\"")).into_bytes(),
        object(&format!("\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"{between}\"")).into_bytes(),
        object(&format!("\"type\":\"indicator\",\"type\":\"tool\",\"id\":\"{between}\"")).into_bytes(),
        object(&format!("\"type\":\"indicator\",\"id\":\"{between}\",\"x\":{nested}")).into_bytes(),
        good.replace("2026-02-01", "2026-02-31").into_bytes(),
        envelope(&[good.replace("2026-02-01", "2026-02-31")]).into_bytes(),
        envelope(&[good.clone(), "{\"type\":\"tool\"}".to_owned(), good.replace("\"good\"", "1")]).into_bytes(),
        envelope(&[good.clone(), good.clone()]).into_bytes(),
        envelope(&[good.replace("tool--", "hammer--")]).into_bytes(),
        vec![b' '; 200_001],
        envelope(&[good.replace("good", &"x".repeat(199_000))]).into_bytes(),
    ];
    for body in bodies {
        let reply = pair.ask(&Ask::post(TOOL, format!("{INTEL}/objects/"), body.clone()))?;
        if let Some(status) = reply.json()["id"].as_str() {
            pair.ask(&Ask::get(TOOL, format!("/live/status/{status}/")))?;
            pair.ask(&Ask::get(TOOL, format!("/ex-dawn/status/{status}/")))?;
        }
        pair.ask(&Ask::post(SENSOR, "/live/collections/drop/objects/", body))?;
    }
    let body = envelope(&[good]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    for (body, headers) in [
        (gzip.clone(), &[("content-encoding", "gzip")][..]),
        (gzip[..gzip.len() / 2].to_vec(), &[("content-encoding", "gzip")]),
        (body.clone().into_bytes(), &[("content-encoding", "br")]),
        (gzip, &[]),
    ] {
        let mut ask = Ask::post(TOOL, format!("{INTEL}/objects/"), body);
        for (name, value) in headers {
            ask = ask.with(name, *value);
        }
        pair.ask(&ask)?;
    }
    for content_type in
        ["application/json", "application/taxii+json", "application/taxii+json;version=2.0", "text/plain", ""]
    {
        let mut ask = Ask::post(TOOL, format!("{INTEL}/objects/"), body.clone());
        ask.headers.clear();
        pair.ask(&ask.with("content-type", content_type))?;
    }
    for status in ["", "x", "00000000-0000-4000-8000-000000000000", "%FF"] {
        for root in ["live", "ex-dawn", "ex-dusk"] {
            pair.ask(&Ask::get(TOOL, format!("/{root}/status/{status}/")))?;
            pair.ask(&Ask::new(Who::Account(TOOL), "HEAD", format!("/{root}/status/{status}/")))?;
        }
    }
    let theirs = others_status(pair);
    pair.ask(&Ask::get(TOOL, format!("/live/status/{theirs}/")))?;
    // One's own, by HEAD.
    let object = Object::new("tool", "own status").by(JAPAN);
    let own = pair.ask(&Ask::post(TOOL, format!("{INTEL}/objects/"), envelope(&[object.text()])))?;
    let own = own.json()["id"].as_str().unwrap_or_default().to_owned();
    pair.ask(&Ask::new(Who::Account(TOOL), "HEAD", format!("/live/status/{own}/")))?;
    pair.ask(&Ask::get(SENSOR, format!("/live/status/{own}/")))?;
    Ok(())
}

/// Deletions of what is one's own, what is hidden, what others brought, what nobody holds; read back.
fn deletes(pair: &mut Pair) -> Asked {
    let delete = |account: &'static str, path: String| Ask::new(Who::Account(account), "DELETE", path);
    for one in identifiers() {
        for place in
            ["live/collections/intel", "ex-dawn/collections/dawn", "live/collections/drop", "live/collections/closed"]
        {
            pair.ask(&delete(TOOL, format!("/{place}/objects/{one}/")))?;
        }
        pair.ask(&delete(SENSOR, format!("{INTEL}/objects/{one}/")))?;
        pair.ask(&delete(PEER, format!("{INTEL}/objects/{one}/?match[version]={}", stamp(2))))?;
        pair.ask(&Ask::get(TOOL, format!("{INTEL}/objects/{one}/?match[version]=all")))?;
    }
    let own = Object::new("tool", "to be deleted").by(JAPAN);
    for round in 0..2 {
        bring(pair, TOOL, "live/collections/intel", &[own.clone(), own.clone().at(3), plain("held hidden")])?;
        for (object, query) in [
            (own.id(), format!("?match[version]={}", stamp(3))),
            (own.id(), String::new()),
            (plain("held hidden").id(), String::new()),
        ] {
            let ask = delete(TOOL, format!("{INTEL}/objects/{object}/{query}"));
            let reply = pair.ask(&ask)?;
            assert!(round > 0 || matches!(reply.status, 200 | 403 | 404), "{reply}");
            pair.ask(&ask)?;
            for who in [TOOL, PEER] {
                pair.ask(&Ask::get(who, format!("{INTEL}/objects/{object}/versions/")))?;
                pair.ask(&Ask::get(who, format!("{INTEL}/objects/?match[id]={object}")))?;
            }
        }
    }
    for query in [
        "?match[version]=",
        "?match[spec_version]=2.1",
        "?added_after=2026-01-01T00:00:00Z",
        "?match[version]=all",
        "?match[version]=first",
    ] {
        pair.ask(&delete(TOOL, format!("{INTEL}/objects/{}/{query}", id("indicator", "between 1"))))?;
    }
    Ok(())
}

/// Wrong and odd credentials.
fn credentials(pair: &mut Pair) -> Asked {
    let token = pair.tokens[TOOL].clone();
    let values: Vec<String> = vec![
        format!("Token {token}"),
        format!("bearer {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[..token.len() - 1]),
        "Bearer".to_owned(),
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        "Basic anBuLXRvb2w6d3JvbmcgcGFzc3dvcmQ=".to_owned(),
        "Basic a29yLXRvb2w6d3JvbmcgcGFzc3dvcmQ=".to_owned(),
        "Basic bm9ib2R5Ondyb25nIHBhc3N3b3Jk".to_owned(),
        "Negotiate abc".to_owned(),
        format!("Bearer {}", "x".repeat(5_000)),
    ];
    for value in values {
        for path in [
            "/taxii2/".to_owned(),
            format!("{INTEL}/objects/"),
            format!("{INTEL}/objects/{}/", id("indicator", "between 1")),
        ] {
            pair.ask(&Ask::new(Who::Raw(value.clone()), "GET", path))?;
        }
    }
    Ok(())
}

/// Headers by which replies might vary.
fn headers(pair: &mut Pair) -> Asked {
    let paths = [format!("{INTEL}/objects/?limit=4"), format!("{INTEL}/objects/{}/", id("indicator", "between 1"))];
    for path in &paths {
        for (name, value) in [
            ("accept", "*/*"),
            ("accept", "application/json"),
            ("accept", "application/vnd.oasis.stix+json; version=2.0"),
            ("accept", "application/taxii+json"),
            ("accept", "text/html"),
            ("if-none-match", "*"),
            ("if-none-match", "\"abc\""),
            ("if-match", "*"),
            ("if-modified-since", "Mon, 01 Jun 2026 00:00:00 GMT"),
            ("range", "bytes=0-10"),
            ("range", "items 0-1"),
            ("accept-encoding", "gzip, br"),
            ("accept-encoding", "zstd"),
            ("accept-language", "ja"),
            ("expect", "100-continue"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-http-method-override", "DELETE"),
            ("user-agent", "Elastic/8.0"),
            ("user-agent", "Filebeat/8.0"),
            ("origin", "https://example.org"),
        ] {
            pair.ask(&Ask::get(TOOL, path.clone()).with(name, value))?;
        }
        pair.ask(&Ask::new(Who::Account(TOOL), "OPTIONS", path.clone()))?;
    }
    // The tag of a page comes from what this reader sees of it: hidden acts between two looks change neither tag, and what was large packs to the same length.
    for listing in ["objects", "manifest"] {
        let whole = format!("{INTEL}/{listing}/?limit=100");
        let reply = pair.ask(&Ask::get(TOOL, whole.clone()))?;
        let tag = reply.headers.iter().find(|(name, _)| name == "etag").map(|(_, tag)| tag.clone());
        let tag = String::from_utf8(tag.expect("a page has a tag")).unwrap();
        for coding in ["identity", "gzip", "zstd"] {
            pair.ask(&Ask::get(TOOL, whole.clone()).with("accept-encoding", coding))?;
            pair.ask(&Ask::get(TOOL, whole.clone()).with("accept-encoding", coding).with("if-none-match", &tag))?;
        }
    }
    Ok(())
}

/// Everything the reader can list, once more.
fn last_look(pair: &mut Pair) -> Asked {
    for (account, place) in READS.iter().flat_map(|place| [(TOOL, place), (PEER, place)]) {
        for listing in ["objects", "manifest"] {
            let found: Vec<Value> = pair.drain(account, &format!("/{place}/{listing}/"), "match[version]=all", 100)?;
            assert!(found.len() > 1, "{account} sees nothing in {place}");
        }
    }
    Ok(())
}
