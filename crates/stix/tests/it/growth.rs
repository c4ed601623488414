//! Twice the input takes about twice the instructions, also if it was made by an adversary. Counted by `valgrind`, so that a busy machine changes nothing.

use serde_json::json;
use std::{env, fmt::Write as _, process::Command, sync::Mutex};
use stix::{
    Limits, Object, bundle, canonical,
    convert::{self, Strictness, Survey},
    granular_marking, language,
    stream::Stream,
    version::{self, Facts},
};

/// Twice the input may take so many times the instructions: linear is 2, sorting a little more.
const RATIO_MAX: f64 = 2.5;
const ROLE: &str = "ENTENTE_GROWTH_FAMILY";
const SIZE: &str = "ENTENTE_GROWTH_N";
const TIMES: &str =
    r#""spec_version":"2.1","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z""#;
const UUID: &str = "5d0092c5-5f74-4287-9642-33f4c354e56d";

type Family = (&'static str, usize, fn(usize));

/// Name, size, and what is done with an input of that size.
const FAMILIES: &[Family] = &[
    ("nesting, and nesting without end", 150, |n| {
        let deep = format!("{}{}", "[".repeat(50), "]".repeat(50));
        object("x-any", &format!("\"x_deep\":[{}]", list(n, |_| deep.clone())));
        assert!(Object::parse(&"{\"a\":[".repeat(n * 100), &Limits::default()).is_err());
        assert!(canonical::canonicalise(&"[".repeat(n * 100)).is_err());
    }),
    ("many members, in the worst order", 500, |n| {
        let members: Vec<_> = (0..n).rev().map(|i| format!("\"x_{i:06}\":{i}")).collect();
        object("x-any", &members.join(","));
    }),
    ("many references, half of them twice", 800, |n| {
        let ids = list(n, |i| format!("\"indicator--{:08x}-17d4-4cbf-938f-98ee46b3cd3f\"", i / 2));
        assert_eq!(object("report", &format!(r#""object_refs":[{ids}]"#)).view().references.len(), n / 2);
    }),
    ("many markings, each of one item of a list", 200, |n| {
        let marking = |i| {
            format!(
                r#"{{"marking_ref":"marking-definition--{i:08x}-17d4-4cbf-938f-98ee46b3cd3f","selectors":["x_list.[{i}]"]}}"#
            )
        };
        let more = format!(r#""x_list":[{}],"granular_markings":[{}]"#, list(n, |i| i.to_string()), list(n, marking));
        let object = object("report", &more);
        let marks = granular_marking::effective(&object);
        let mut count = 0;
        marks.for_each_value(|_, marks| count += marks.markings().count()).unwrap();
        assert_eq!((count, marks.places().count()), (n, n));
    }),
    ("markings all the way down", 150, |n| {
        let (open, close) = ("{\"aa\":".repeat(60), "}".repeat(60));
        let selector = |i: usize| vec!["aa"; i % 60 + 1].join(".");
        let marking = |i| {
            format!(
                r#"{{"marking_ref":"marking-definition--{i:08x}-17d4-4cbf-938f-98ee46b3cd3f","selectors":["{}"]}}"#,
                selector(i)
            )
        };
        let object = object("report", &format!(r#""aa":{open}1{close},"granular_markings":[{}]"#, list(n, marking)));
        let marks = granular_marking::effective(&object);
        assert_eq!(marks.places().map(|place| place.own_markings().count()).sum::<usize>(), n);
        assert_eq!(marks.needed_for(&[]).len(), n);
    }),
    ("escapes and surrogates", 8_000, |n| {
        let text = format!("[\"{}\"]", "\\ud83d\\ude00\\u0001\\\\\\\"".repeat(n));
        canonical::canonicalise(&text).unwrap();
    }),
    ("a bundle of bad objects, streamed and not", 400, |n| {
        let text =
            format!(r#"{{"type":"bundle","objects":[{}]}}"#, list(n, |i| format!(r#"{{"type":"tool","id":"{i}"}}"#)));
        let limits = Limits::default();
        assert_eq!(bundle::read(text.as_bytes(), &limits).unwrap().objects(&limits).filter(Result::is_err).count(), n);
        let mut stream = Stream::new(text.as_bytes(), limits);
        while let Some(object) = stream.next_object().unwrap() {
            assert!(object.is_err());
        }
    }),
    ("observables in a chain, up and down", 30, |n| {
        let entry = |i| {
            format!(
                r#""{i}":{{"type":"file","name":"{i}","extensions":{{"archive-ext":{{"contains_refs":["{}"]}}}}}}"#,
                i + 1
            )
        };
        let more = format!(
            r#""objects":{{{}}},"granular_markings":[{}]"#,
            list(n, entry),
            list(n, |i| {
                format!(
                    r#"{{"marking_ref":"marking-definition--{i:08x}-17d4-4cbf-938f-98ee46b3cd3f","selectors":["objects.{i}"]}}"#
                )
            })
        );
        up_and_down(&older(&object("observed-data", &more)), n);
    }),
    ("labels with a marking each", 75, |n| {
        let more = format!(
            r#""name":"n","labels":[{}],"granular_markings":[{}]"#,
            list(n, |i| format!("\"{i}\"")),
            list(n, |i| {
                format!(
                    r#"{{"marking_ref":"marking-definition--{i:08x}-17d4-4cbf-938f-98ee46b3cd3f","selectors":["labels.[{i}]"]}}"#
                )
            })
        );
        up_and_down(&older(&object("malware", &more)), 0);
    }),
    ("properties that 2.0 does not know", 250, |n| {
        let members = list(n, |i| format!(r#""x_{i}_ref":"location--{i:08x}-17d4-4cbf-938f-98ee46b3cd3f""#));
        up_and_down(&object("tool", &format!(r#""name":"n",{members}"#)), 0);
    }),
    ("a pattern of many alternatives", 250, |n| {
        let pattern: Vec<_> = (0..n).map(|i| format!("file:created = '{i}'")).collect();
        let more = format!(
            r#""labels":["benign"],"valid_from":"2020-01-20T17:00:00Z","pattern":"[{}]""#,
            pattern.join(" OR ")
        );
        up_and_down(&older(&object("indicator", &more)), 0);
    }),
    ("many versions, revoked over and over", 250, |n| {
        let facts: Vec<Facts> = (0..n)
            .map(|i| {
                let raw = format!(r#"{{"type":"tool","spec_version":"2.1","id":"tool--{UUID}","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.{i:06}Z","revoked":true}}"#);
                Facts::of(&Object::parse(&raw, &Limits::default()).unwrap())
            })
            .collect();
        assert_eq!(version::judge(&facts).len(), n - 1);
    }),
    ("translations of many texts", 300, |n| {
        let texts = list(n, |i| format!("\"text {i}\""));
        let campaign = object("campaign", &format!(r#""name":"n","aliases":[{texts}]"#));
        let contents = json!({"de": {"aliases": (0..n).map(|i| format!("Text {i}")).collect::<Vec<_>>()}});
        let content = object("language-content", &format!(r#""object_ref":"campaign--{UUID}","contents":{contents}"#));
        assert_eq!(language::translate(&campaign, &[&content], &["fr-CH", "de-CH"]).replaced.len(), n);
    }),
];

fn list(n: usize, item: impl Fn(usize) -> String) -> String {
    (0..n).map(item).collect::<Vec<_>>().join(",")
}

fn object(type_name: &str, more: &str) -> Object {
    let raw = format!(r#"{{"type":"{type_name}","id":"{type_name}--{UUID}",{TIMES},{more}}}"#);
    Object::parse(&raw, &Limits::default()).unwrap_or_else(|e| panic!("{type_name}: {e}"))
}

fn older(object: &Object) -> Object {
    Object::parse(&object.raw().replacen("\"spec_version\":\"2.1\",", "", 1), &Limits::default()).unwrap()
}

/// Lifts, lowers both ways; at least `observables` come out.
fn up_and_down(object: &Object, observables: usize) {
    let parse = |text: &String| Object::parse(text, &Limits::default()).unwrap();
    let lifted: Vec<Object> = convert::lift(object).objects.iter().map(parse).collect();
    assert!(lifted.len() > observables);
    for strictness in [Strictness::Keep, Strictness::Strict] {
        let mut survey = Survey::default();
        for object in &lifted {
            survey.see(object);
        }
        let lowering = survey.finish(strictness);
        for object in &lifted {
            lowering.lower(object);
        }
    }
}

/// Instructions of a process that runs the family; `None` without `valgrind`.
fn instructions(family: usize, n: usize) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "growth::twice_the_input_takes_twice_the_instructions", "--nocapture", "--test-threads=1"])
        .env(ROLE, family.to_string())
        .env(SIZE, n.to_string())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let line = said.lines().find(|line| line.contains("Collected :")).unwrap_or_else(|| panic!("{said}"));
    line.rsplit(' ').next()?.parse().ok()
}

/// S-161: no family of inputs costs more than in proportion.
#[test]
fn twice_the_input_takes_twice_the_instructions() {
    if let Ok(family) = env::var(ROLE) {
        let n: usize = env::var(SIZE).unwrap().parse().unwrap();
        if n > 0 {
            (FAMILIES[family.parse::<usize>().unwrap()].2)(n);
        }
        return;
    }
    // What the process costs before it begins.
    let Some(idle) = instructions(0, 0) else {
        eprintln!("SKIPPED growth of work with input: valgrind is not installed (Debian: apt-get install valgrind)");
        return;
    };
    let next = Mutex::new(0);
    let told = Mutex::new(String::new());
    let too_steep = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let family = {
                        let mut next = next.lock().unwrap();
                        *next += 1;
                        *next - 1
                    };
                    let Some((name, n, _)) = FAMILIES.get(family) else { break };
                    let (once, twice) =
                        (instructions(family, *n).unwrap() - idle, instructions(family, 2 * n).unwrap() - idle);
                    let ratio = twice / once;
                    writeln!(told.lock().unwrap(), "{ratio:.2} {:>5.0} M instructions at {n}: {name}", once / 1e6)
                        .unwrap();
                    if ratio > RATIO_MAX || once < 1e6 {
                        too_steep.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    eprint!("{}", told.lock().unwrap());
    assert_eq!(*too_steep.lock().unwrap(), Vec::<&str>::new(), "{}", told.lock().unwrap());
}
