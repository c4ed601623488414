//! What happens on the nodes: to both, or out of the reader's sight to twin `b` alone.

use super::{
    house::{
        self, AMBER, BOHEMIA, CLEAR, GREEN, JAPAN, JAPAN_TERMS, KOREA, KOREA_TERMS, NATO, OTHER, PUBLIC, Place, REL,
        SECRET, STAFF, TOOL, Terms,
    },
    material::{Object, id, stamp},
    pair::{Ask, HUSH, Pair, Twin},
    wire::Served,
};
use crate::officers;
use label::{LABEL_EXTENSION, Label, marking_definition};
use node::{
    admin::{ExportStyle, Request},
    ingest::IMPORT_CHUNK_OBJECTS,
};
use serde_json::{Value, json};

/// Visible objects of the large import.
const BULK_VISIBLE: usize = IMPORT_CHUNK_OBJECTS + 600;

fn hush(type_name: &str, seed: &str) -> Object {
    Object::new(type_name, seed).named(&format!("{HUSH} {seed}"))
}

/// The identities of the organisations, for everybody: without its creator nothing is shown (L-127).
pub(crate) fn identities() -> [String; 3] {
    [(NATO, "NATO"), (JAPAN, "Japan"), (KOREA, "Korea")]
        .map(|(id, name)| Object::new("identity", name).set("id", json!(id)).marked(&[CLEAR]).text())
}

/// What the nodes hold when the reader first asks.
pub(crate) fn furnish(pair: &mut Pair) {
    // Before anything: hidden imports into collections where nothing is yet. The defaults of the collections would be assigned if they were needed.
    for (alias, label) in [("intel", None), ("dawn", Some(PUBLIC)), ("narrow", None), ("knowledge", Some(GREEN))] {
        let seed = format!("first of {alias}");
        pair.mixed("hidden before anything", alias, label, &[(hush("tool", &seed).marked(&[SECRET]).text(), false)]);
        let waiting = Object::relation(&format!("waits in {alias}"), &id("tool", "nowhere"), &id("malware", "nowhere"));
        pair.mixed(
            "hidden by its references",
            alias,
            label,
            &[(waiting.set("description", json!(HUSH)).text(), false)],
        );
    }
    pair.pass(1);

    let [nato, japan, korea] = identities();
    let mut objects = vec![
        (hush("identity", "before all").marked(&[STAFF]).text(), false),
        (nato.clone(), true),
        (hush("identity", "between").marked(&[SECRET]).text(), false),
        (japan, true),
        (korea, true),
    ];
    for n in 0..12 {
        let labels: &[&str] = [&[PUBLIC][..], &[REL], &[GREEN], &[CLEAR]][n % 4];
        objects.push((Object::new("indicator", &format!("indicator {n}")).marked(labels).text(), true));
        objects
            .push((hush("indicator", &format!("between {n}")).marked(&[[SECRET, STAFF, AMBER][n % 3]]).text(), false));
        // A planted twin in the same batch, before or after its visible double.
        let double = Object::new("malware", &format!("malware {n}"));
        let planted = (double.clone().named(&format!("{HUSH} planted {n}")).marked(&[SECRET]).text(), false);
        let visible = (double.marked(&[PUBLIC]).text(), true);
        if n % 2 == 0 {
            objects.extend([planted, visible]);
        } else {
            objects.extend([visible, planted]);
        }
    }
    for n in 0..6 {
        let (one, two) = (id("indicator", &format!("indicator {n}")), id("malware", &format!("malware {n}")));
        let hidden = id("indicator", &format!("between {n}"));
        let relation = |seed: String, a: &str, b: &str| Object::relation(&seed, a, b).marked(&[PUBLIC]);
        objects.push((relation(format!("relation {n}"), &one, &two).text(), true));
        // Visible by its label, hidden by its end. In twin `a` the end is not held at all.
        objects.push((relation(format!("dangling {n}"), &one, &hidden).text(), true));
        objects.push((relation(format!("dangling back {n}"), &hidden, &two).text(), true));
    }
    // A circle of relations with one hidden member.
    let circle: Vec<String> = (0..3).map(|n| id("relationship", &format!("circle {n}"))).collect();
    for n in 0..3 {
        let relation = Object::relation(&format!("circle {n}"), &circle[(n + 1) % 3], &circle[(n + 2) % 3]);
        objects.push((relation.marked(&[if n == 2 { SECRET } else { PUBLIC }]).text(), n != 2));
    }
    for n in 0..8 {
        let address = Object::address(&format!("203.0.113.{n}"));
        objects.push((address.marked(&[if n % 2 == 0 { PUBLIC } else { SECRET }]).text(), n % 2 == 0));
    }
    let note = Object::new("note", "note").without("name").set("content", json!("of some"));
    let refs = json!([id("indicator", "indicator 1"), id("indicator", "between 1"), id("indicator", "nowhere")]);
    objects.push((note.clone().set("object_refs", refs.clone()).marked(&[PUBLIC]).text(), true));
    let statement = Object::statement("visible statement", "for all").marked(&[CLEAR]);
    objects.push((statement.text(), true));
    for seed in ["hidden statement", "another hidden statement"] {
        objects.push((Object::statement(seed, HUSH).marked(&[SECRET]).text(), false));
    }
    for seed in ["hidden unclear", "another hidden unclear"] {
        let unclear = Object::statement(seed, HUSH).set("definition_type", json!("x-odd")).marked(&[SECRET]);
        objects.push((unclear.text(), false));
    }
    let stated = Object::new("tool", "stated");
    let marks = |statement: &str| json!([super::material::marking(PUBLIC), id("marking-definition", statement)]);
    objects.push((stated.set("object_marking_refs", marks("visible statement")).text(), true));
    // Visible by its label, but it carries a marking that the reader may not know.
    let unstated = Object::new("tool", "stated secretly").named(HUSH);
    objects.push((unstated.set("object_marking_refs", marks("hidden statement")).text(), false));
    pair.mixed("the first material", "intel", None, &objects);

    // Versions: hidden oldest, middle, newest; by the same creator and by another; each in a commit of its own, the clock standing still.
    for day in 1..=12_u32 {
        let visible = matches!(day, 3 | 5 | 6 | 9);
        let object = Object::new("campaign", "versions").at(day).marked(&[if visible { REL } else { SECRET }]);
        let object = if visible { object } else { object.named(&format!("{HUSH} {day}")) };
        let object = if day == 11 { object.by(KOREA) } else { object };
        pair.mixed("a version", "intel", None, &[(object.text(), visible)]);
    }
    pair.mixed(
        "a version of another creator",
        "intel",
        None,
        &[(Object::new("campaign", "versions").at(5).by(KOREA).named(HUSH).marked(&[STAFF]).text(), false)],
    );
    for n in 0..6 {
        // A hidden newest version of something visible, and a hidden revocation.
        let newest = hush("indicator", &format!("indicator {n}")).at(20).marked(&[SECRET]);
        let newest = if n % 2 == 0 { newest } else { newest.set("revoked", json!(true)) };
        pair.mixed("a hidden newest version", "intel", None, &[(newest.text(), false)]);
        let older =
            hush("indicator", &format!("indicator {}", n + 6)).marked(&[SECRET]).set("created", json!(stamp(1)));
        pair.mixed("a hidden twin", "intel", None, &[(older.text(), false)]);
    }

    // Faster than the clock: visible and hidden commits by turns.
    for n in 0..20 {
        let visible = n % 3 == 0;
        let object = if visible {
            Object::new("tool", &format!("fast {n}")).marked(&[GREEN])
        } else {
            hush("tool", &format!("fast {n}")).marked(&[AMBER])
        };
        pair.mixed("faster than the clock", "intel", None, &[(object.text(), visible)]);
    }
    pair.pass(1_000_000);

    // Knowledge with open references; a collection of some kinds only; an exercise.
    let open = note.set("id", json!(id("note", "open"))).set("object_refs", refs).marked(&[PUBLIC]);
    pair.mixed(
        "open references",
        "knowledge",
        None,
        &[
            (
                hush("report", "hidden report")
                    .marked(&[SECRET])
                    .set("object_refs", json!([id("note", "open")]))
                    .text(),
                false,
            ),
            (open.text(), true),
            (Object::new("tool", "unlabelled, by default").text(), true),
        ],
    );
    let kinds: Vec<(String, bool)> = ["indicator", "malware", "tool", "identity"]
        .iter()
        .map(|kind| (*kind, matches!(*kind, "indicator" | "identity")))
        .map(|(kind, seen)| {
            let name = if seen { format!("narrow {kind}") } else { format!("{HUSH} narrow {kind}") };
            (Object::new(kind, &name).marked(&[PUBLIC]).text(), seen)
        })
        .collect();
    pair.mixed("some kinds only", "narrow", None, &kinds);
    pair.mixed(
        "an exercise",
        "dawn",
        None,
        &[
            (nato, true),
            (Object::new("indicator", "indicator 1").named("the exercise's own").marked(&[CLEAR]).text(), true),
            (hush("indicator", "between 1").marked(&[SECRET]).text(), false),
        ],
    );
    pair.mixed("another exercise", "dusk", None, &[(hush("indicator", "indicator 2").text(), false)]);
    // Held only where the reader may not look, though labelled so that it could.
    pair.mixed(
        "the same content elsewhere",
        "closed",
        Some(PUBLIC),
        &[(plain("elsewhere").text(), false), (Object::address("198.51.100.1").text(), false)],
    );
    pair.mixed(
        "held hidden, bytes without a label",
        "intel",
        Some(SECRET),
        &[
            (plain("held hidden").text(), false),
            (plain("held hidden").at(4).text(), false),
            (Object::address("198.51.100.2").text(), false),
        ],
    );
    pair.mixed("without any label", "dawn", None, &[(plain("in quarantine").text(), false)]);
    pair.mixed(
        "a marking in the closed collection",
        "closed",
        None,
        &[
            (Object::statement("closed statement", HUSH).marked(&[PUBLIC]).text(), false),
            (Object::statement("another closed statement", HUSH).marked(&[PUBLIC]).text(), false),
            (super::material::definition(REL).to_owned(), false),
        ],
    );
    pair.pass(1_000_000);
}

/// A large import, so that both twins' batches cross chunk borders, at different objects.
pub(crate) fn furnish_bulk(pair: &mut Pair) {
    // Across the borders of import chunks: hidden ones between, and at the borders themselves.
    let visible = |n: usize| Object::new("tool", &format!("bulk {n}")).text();
    let hidden = |n: usize| hush("tool", &format!("bulk hidden {n}")).marked(&[SECRET]).text();
    let bulk: Vec<(String, bool)> = (0..BULK_VISIBLE)
        .flat_map(|n| [(visible(n), true), (hidden(n), false)].into_iter().take(1 + (n + 1) % 2))
        .collect();
    assert!(bulk.len() > IMPORT_CHUNK_OBJECTS && bulk.len() < 3 * IMPORT_CHUNK_OBJECTS);
    pair.mixed("across chunk borders", "bulk", None, &bulk);
    let borders: Vec<(String, bool)> = (0..2 * IMPORT_CHUNK_OBJECTS + 10)
        .map(|n| match n % IMPORT_CHUNK_OBJECTS {
            0 | 1 => (hidden(100_000 + n), false),
            rest if rest >= IMPORT_CHUNK_OBJECTS - 2 => (hidden(100_000 + n), false),
            rest if rest % 100 == 0 => (visible(100_000 + n), true),
            _ => (hidden(100_000 + n), false),
        })
        .collect();
    pair.mixed("hidden at the borders", "bulk", None, &borders);
    pair.pass(1_000_000);
}

/// An object without a label and without a mark, whose bytes the reader can bring itself.
pub(crate) fn plain(seed: &str) -> Object {
    Object::new("malware", seed).without("created_by_ref")
}

/// A node of another partner, from which twin `b` pulls what the reader may not have, and by a second road what it has.
pub(crate) struct Elsewhere {
    twin: Twin,
    token: String,
    served: Served,
    brought: usize,
}

impl Elsewhere {
    pub(crate) fn open(pair: &Pair) -> Self {
        let twin = Twin::open(&pair.clock, &|node| node);
        let token = house::accounts(&twin)[OTHER].clone();
        twin.import("intel", None, &identities());
        let served = Served::start(&twin);
        Self { twin, token, served, brought: 0 }
    }

    /// More material over there, and a pull out of the reader's sight.
    pub(crate) fn pulled(&mut self, pair: &mut Pair) {
        let objects: Vec<String> = (0..40)
            .map(|n| {
                let seed = format!("pulled {}", self.brought + n);
                hush(["tool", "malware"][n % 2], &seed).marked(&[[SECRET, AMBER, STAFF][n % 3]]).text()
            })
            .chain([
                hush("campaign", "versions").at(24).marked(&[SECRET]).text(),
                Object::new("malware", "malware 5").named(&format!("{HUSH} {}", self.brought)).marked(&[SECRET]).text(),
                Object::new("indicator", "indicator 3").marked(&[CLEAR]).text(),
            ])
            .collect();
        self.brought += 40;
        self.twin.import("intel", None, &objects);
        let pull = format!(
            "\n[pull]\nurl = \"http://{}/taxii2/\"\naccount = \"\"\nsecret_file = \"secrets/korea\"\ncollections = [{{ remote = \"intel\", into = \"intel\" }}]\n",
            self.served.address
        );
        let token = self.token.clone();
        pair.hidden("a pull from another partner", |twin| {
            std::fs::write(twin.dir.path().join("secrets/korea"), token).unwrap();
            let text = house::korea(&KOREA_TERMS) + &pull;
            house::rewrite(twin, "agreements/korea.toml", &text);
            let pulled = twin.node.pull_over_http("korea").unwrap();
            assert!(pulled.intake.objects >= 40, "{pulled:?}");
        });
    }
}

/// The `n`th act out of the reader's sight.
pub(crate) fn hidden_act(pair: &mut Pair, n: usize) {
    let seed = format!("act {n}");
    let one = |pair: &mut Pair, name: &str, alias: &str, label: Option<&str>, object: &Object| {
        let text = object.text();
        pair.hidden(name, |twin| twin.import(alias, label, &[text]));
    };
    match n % 23 {
        0 => one(pair, "a hidden object", "intel", None, &hush("tool", &seed).marked(&[SECRET])),
        1 => {
            let object = hush("campaign", "versions").at(13 + u32::try_from(n % 14).unwrap()).marked(&[STAFF]);
            one(pair, "a hidden newest version", "intel", None, &object);
        }
        2 => {
            let object = Object::new("indicator", "indicator 7").named(&format!("{HUSH} {seed}")).marked(&[SECRET]);
            one(pair, "a planted twin of a visible one", "intel", None, &object);
        }
        3 => {
            let object = hush("malware", "malware 3").by(KOREA).at(15).marked(&[AMBER]);
            one(pair, "another creator's newer version", "intel", None, &object);
        }
        4 => {
            let objects = [hush("tool", &seed).by(KOREA).marked(&[AMBER]).text(), hush("note", &seed).text()];
            let path = format!("/live/collections/{}/objects/", ["intel", "closed"][n % 2]);
            let body = house::envelope(&objects[..1]);
            let reply = pair.hidden_request(&Ask::post(OTHER, path, body));
            assert_eq!(reply.status, 202, "{reply}");
            let status = reply.json()["id"].as_str().unwrap().to_owned();
            let reply = pair.hidden_request(&Ask::get(OTHER, format!("/live/status/{status}/")));
            assert_eq!(reply.status, 200, "{reply}");
        }
        5 => {
            let label = [STAFF, SECRET][n % 2];
            pair.hidden("relabel what is hidden", |twin| {
                let id = id("malware", "held hidden");
                twin.try_admin(Request::Relabel { id, label: label.to_owned(), realm: None });
            });
        }
        6 => {
            let object = hush("tool", &seed).by(KOREA).marked(&[AMBER]);
            let body = house::envelope(&[object.text()]);
            let reply = pair.hidden_request(&Ask::post(OTHER, "/live/collections/intel/objects/", body));
            assert!(reply.status == 202 && reply.json()["success_count"] == 1, "{reply}");
            let mut delete = Ask::get(OTHER, format!("/live/collections/intel/objects/{}/", object.id()));
            delete.method = "DELETE";
            let reply = pair.hidden_request(&delete);
            assert_eq!(reply.status, 200, "{reply}");
        }
        7 => one(pair, "an object without a label", "dawn", None, &plain(&seed).named(HUSH)),
        8 => {
            let bad = format!("{{\"type\":\"tool\",\"id\":\"tool--odd\",\"name\":\"{HUSH}\"}}");
            let good = hush("tool", &seed).marked(&[SECRET]).text();
            pair.hidden("objects that cannot be read", |twin| twin.import("intel", None, &[bad, good]));
        }
        9 => {
            pair.hidden("a replay and a drop in quarantine", |twin| {
                let rows = twin.admin(Request::Quarantine { after: None });
                let rows: Vec<i64> = rows.as_array().unwrap().iter().filter_map(|r| r["no"].as_i64()).collect();
                // Rows of instances are negative; only the first of each kind, so that some stay.
                if let Some(no) = rows.iter().copied().find(|no| *no < 0) {
                    twin.admin(Request::QuarantineReplay { no, label: Some(SECRET.to_owned()) });
                }
                if let Some(no) = rows.iter().copied().find(|no| *no > 0) {
                    twin.admin(Request::QuarantineDrop { no });
                }
            });
        }
        10 => {
            let tlp = [r#""CLEAR", "GREEN""#, r#""CLEAR", "GREEN", "AMBER""#][n / 23 % 2];
            let text = house::korea(&Terms { tlp, ..KOREA_TERMS });
            // One more partner, whose agreement ends at an instant that the script passes: rights are computed anew in twin `b` alone.
            let day = 2 + n / 23 % 9;
            let until = format!("2026-06-{day:02}T00:00:00Z");
            let cert = house::korea(&KOREA_TERMS).replace("korea", "cert").replace(KOREA_TERMS.until, &until);
            pair.hidden("other partners' agreements", |twin| {
                std::fs::write(twin.dir.path().join("agreements/cert.toml"), &cert).unwrap();
                house::rewrite(twin, "agreements/korea.toml", &text);
            });
        }
        11 => {
            let name = format!("kor-{n}");
            pair.hidden("another partner's account", |twin| {
                house::account(twin, &name, Some("korea"), json!({}));
                twin.admin(Request::User {
                    name: name.clone(),
                    create: false,
                    partner: None,
                    password: None,
                    token: true,
                    settings: None,
                    disabled: Some(true),
                });
            });
        }
        12 => {
            // The end that a visible relation waited for arrives, and is hidden.
            let object = Object::new("indicator", "between 2").at(9).named(HUSH).marked(&[SECRET]);
            one(pair, "a target arrives, hidden", "intel", None, &object);
            let object = Object::new("indicator", "nowhere").named(HUSH).marked(&[STAFF]);
            one(pair, "an end that was held by nobody arrives, hidden", "intel", None, &object);
        }
        13 => {
            let statement = Object::statement(&seed, HUSH).marked(&[SECRET]);
            one(pair, "a hidden marking definition", "intel", None, &statement);
            one(
                pair,
                "a marking definition elsewhere",
                "closed",
                None,
                &Object::statement("guessed", HUSH).marked(&[CLEAR]),
            );
        }
        14 => one(pair, "another exercise", "dusk", None, &hush("tool", &seed).marked(&[CLEAR])),
        15 => {
            pair.hidden("the operator looks", |twin| {
                for account in [TOOL, OTHER] {
                    twin.admin(Request::ViewAs { account: account.to_owned(), collection: None, query: String::new() });
                    let to = account.to_owned();
                    twin.try_admin(Request::Explain { id: id("campaign", "versions"), to, realm: None });
                    let output = twin.dir.path().join(format!("{account}-{n}.json"));
                    let account = Some(account.to_owned());
                    twin.admin(Request::Export {
                        collection: "intel".to_owned(),
                        account,
                        output,
                        style: ExportStyle::default(),
                    });
                }
                twin.try_admin(Request::WhoHas { id: id("campaign", "versions"), realm: None });
                twin.admin(Request::Status);
            });
        }
        16 => {
            pair.hidden("upkeep", |twin| {
                twin.node.store().checkpoint().unwrap();
                let to = twin.dir.path().join(format!("copy-{n}.db"));
                twin.admin(Request::Backup { to: to.clone() });
                std::fs::remove_file(to).unwrap();
            });
        }
        17 => {
            let place = Place { alias: "hidden-place", id: "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0099", ..house::PLACES[1] };
            pair.hidden("a collection", |twin| {
                let path = twin.dir.path().join("node.toml");
                let text = std::fs::read_to_string(path).unwrap();
                if !text.contains(place.alias) {
                    house::rewrite(twin, "node.toml", &(text + &house::collection(&place)));
                }
                twin.import(place.alias, None, &[hush("tool", &seed).text()]);
            });
        }
        18 => {
            let (from, to) = (id("indicator", "indicator 1"), id("malware", "malware 1"));
            let object = Object::relation(&seed, &from, &to).set("description", json!(HUSH)).marked(&[SECRET]);
            one(pair, "a hidden relation between visible ones", "intel", None, &object);
        }
        19 => {
            one(pair, "a kind that the reader is not given", "narrow", None, &hush("malware", &seed).marked(&[PUBLIC]));
        }
        20 => {
            let reply =
                pair.hidden_request(&Ask::get(OTHER, "/live/collections/intel/objects/?match[version]=all&limit=50"));
            assert_eq!(reply.status, 200);
            for _ in 0..3 {
                let mut wrong = Ask::get(OTHER, "/taxii2/");
                wrong.who = super::pair::Who::Raw("Bearer ent_wrong".to_owned());
                assert_eq!(pair.hidden_request(&wrong).status, 401);
            }
        }
        21 => {
            // Two persons let somebody else have what the reader may not: until somebody takes it back, or until an instant that the script passes (L-157).
            let object = hush("tool", &seed).marked(&[BOHEMIA]);
            pair.hidden("an override for another partner", |twin| {
                twin.import("intel", None, &[object.text()]);
                let until = twin.node.now() + [1_000_000, 3_600_000_000][n / 23 % 2];
                let (act, _) = officers::release(&twin.node, &object.id(), "korea", until).unwrap();
                if n / 23 % 3 == 1 {
                    twin.admin(Request::OverrideWithdraw { id: act, reason: "over".to_owned() });
                }
                twin.admin(Request::Overrides { state: None, after: None });
                let draft = officers::draft(&id("malware", "held hidden"), "japan", until);
                twin.try_admin(draft);
            });
        }
        _ => {
            let objects: Vec<String> =
                (0..3).map(|k| hush("tool", &format!("{seed} {k}")).marked(&[SECRET]).text()).collect();
            for object in objects {
                pair.hidden("single commits, the clock standing still", |twin| twin.import("intel", None, &[object]));
            }
        }
    }
}

/// The `n`th act that the reader may notice: on both twins.
pub(crate) fn visible_act(pair: &mut Pair, n: usize) {
    let seed = format!("seen {n}");
    let import = |pair: &mut Pair, alias: &'static str, object: &Object| {
        let text = object.text();
        pair.both("an import", move |twin| twin.import(alias, None, std::slice::from_ref(&text)));
    };
    let relabel = |pair: &mut Pair, id: String, label: &str| {
        let label = label.to_owned();
        pair.both("a relabel", move |twin| {
            twin.admin(Request::Relabel { id: id.clone(), label: label.clone(), realm: None });
        });
    };
    let terms = |pair: &mut Pair, terms: Terms| {
        let text = house::japan(&terms);
        pair.both("the reader's agreement", move |twin| house::rewrite(twin, "agreements/japan.toml", &text));
    };
    match n % 13 {
        0 => import(pair, "intel", &Object::new("tool", &seed).marked(&[PUBLIC])),
        1 => pair.pass(1),
        2 => relabel(pair, id("indicator", "indicator 8"), SECRET),
        3 => import(pair, "intel", &Object::new("campaign", "versions").at(7).marked(&[REL])),
        4 => relabel(pair, id("indicator", "indicator 9"), SECRET),
        5 => pair.pass(3_000_000),
        6 => relabel(pair, id("tool", "fast 3"), SECRET),
        7 => terms(pair, Terms { tlp: r#""CLEAR""#, ..JAPAN_TERMS }),
        8 => relabel(pair, id("tool", "fast 3"), GREEN),
        10 => terms(pair, Terms { give: r#""knowledge", "bulk", "dawn""#, ..JAPAN_TERMS }),
        12 => pair.both("an override for the reader", |twin| {
            let object = Object::new("tool", &seed).marked(&[SECRET]);
            twin.import("intel", None, &[object.text()]);
            officers::release(&twin.node, &object.id(), "japan", twin.node.now() + 2_000_000).unwrap();
        }),
        // 9 and 11: as at first.
        _ => terms(pair, JAPAN_TERMS),
    }
}

/// Lets hidden and visible acts take turns behind the reader's requests.
pub(crate) fn queue(pair: &mut Pair, hidden: usize) {
    for n in 0..hidden {
        pair.later(format!("hidden act {n}"), move |pair| hidden_act(pair, n));
        if n % 4 == 3 {
            pair.later(format!("visible act {}", n / 4), move |pair| visible_act(pair, n / 4));
        }
    }
}

/// A label of the catalogue with other alternatives in it.
fn with_alternatives(label: &str, alternatives: &[Value]) -> Label {
    let definition: Value = serde_json::from_str(super::material::definition(label)).unwrap();
    let mut json = definition["extensions"][LABEL_EXTENSION]["label"].clone();
    json["alternatives"] = json!(alternatives);
    Label::from_json(&json.to_string()).unwrap()
}

fn alternative(policy: &str, level: &str) -> Value {
    json!({"v": 1, "role": "alternative", "policy": {"name": policy}, "classification": level, "categories": [],
        "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"})
}

/// Objects whose labels, or what stands beside them, differ between the twins in nothing but what the reader is not to know of (L-107, L-126): alternatives in
/// policies in which it has no clearance, and, where it passes an alternative in a policy of its own alone, everything else.
pub(crate) fn told_apart(pair: &mut Pair) {
    let elsewhere = |n: usize| alternative(&format!("{HUSH} policy {n}"), &format!("{HUSH} {n}"));
    let public = alternative("PUBLIC", "UNMARKED");
    let bearing = |object: &Object, labels: &[Label]| {
        let ids: Vec<String> = labels.iter().map(|l| l.marking_id().to_string()).collect();
        let definitions = labels.iter().map(|l| marking_definition(l, HUSH, None));
        let object = object.clone().set("object_marking_refs", json!(ids)).text();
        definitions.chain([object]).collect::<Vec<String>>()
    };
    let apart = |pair: &mut Pair, object: &Object, one: &[Label], other: &[Label]| {
        pair.a.import("intel", None, &bearing(object, one));
        pair.b.import("intel", None, &bearing(object, other));
    };
    let beside = |n: usize| Label::from_json(&elsewhere(n).to_string()).unwrap();
    let rel = |n: &[usize]| with_alternatives(REL, &n.iter().map(|n| elsewhere(*n)).collect::<Vec<_>>());
    let parted = Object::new("tool", "told in part").set("description", json!(HUSH)).set(
        "granular_markings",
        json!([{"selectors": ["description"], "marking_ref": super::material::marking(SECRET)}]),
    );
    apart(pair, &Object::new("tool", "told"), &[rel(&[1])], &[rel(&[2])]);
    apart(pair, &Object::new("tool", "told more"), &[rel(&[1])], &[rel(&[2, 3, 4])]);
    apart(pair, &Object::new("tool", "told beside"), &[rel(&[]), beside(5)], &[rel(&[]), beside(6), beside(7)]);
    apart(pair, &parted, &[rel(&[1])], &[rel(&[8, 9])]);
    apart(
        pair,
        &Object::new("tool", "told of its own"),
        &[with_alternatives(SECRET, std::slice::from_ref(&public))],
        &[with_alternatives(BOHEMIA, &[elsewhere(10), public.clone()])],
    );
    // Another version that says the same and holds other alternatives shows to nobody who is not to know of them.
    let again = bearing(&Object::new("tool", "told").at(2), &[rel(&[3])]);
    pair.hidden("a version that differs in what is not told", |twin| twin.import("intel", None, &again));
    for query in ["", "match[version]=all"] {
        let seen = pair.drain(TOOL, "/live/collections/intel/objects/", query, 50);
        seen.unwrap_or_else(|difference| panic!("{difference}"));
    }
    pair.pass(1_000_000);
    apart(pair, &Object::new("tool", "told").at(3).named("renamed"), &[rel(&[1])], &[rel(&[4, 5])]);
    pair.pass(1_000_000);
}
