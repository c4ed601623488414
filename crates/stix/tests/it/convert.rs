//! Conversion over real data: the answer key of ICS ATT&CK, round trips of everything, and what each direction leaves out.

use crate::{peer, sources};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use stix::{
    Limits, Object, bundle,
    convert::{self, Converted, Kind, Strictness, Survey},
};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/conversion.txt");

fn objects(path: &Path) -> Vec<Object> {
    let bytes = sources::bytes(path);
    let limits = Limits::default();
    bundle::read(&bytes, &limits).unwrap().objects(&limits).flatten().collect()
}

fn parsed(texts: &[String]) -> Vec<Object> {
    let parse = |text: &String| Object::parse(text, &Limits::default()).unwrap_or_else(|e| panic!("{e}: {text}"));
    texts.iter().map(parse).collect()
}

fn lower_all(objects: &[Object], strictness: Strictness) -> Vec<Converted> {
    let mut survey = Survey::default();
    for object in objects {
        survey.see(object);
    }
    let lowering = survey.finish(strictness);
    objects.iter().map(|object| lowering.lower(object)).collect()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn files(corpus: &Path, folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| corpus.join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// S-028, S-034, S-074: the released ICS ATT&CK 18.1 in 2.0, lifted, is the released one in 2.1, object by object.
#[test]
fn ics_attack_of_2_0_becomes_ics_attack_of_2_1() {
    let Some(corpus) = sources::corpus("the answer key of ICS ATT&CK") else { return };
    let newer: HashMap<String, Object> = objects(&corpus.join("stix21-attack/ics-attack-18.1.json"))
        .into_iter()
        .map(|object| (object.id().to_string(), object))
        .collect();
    let older = objects(&corpus.join("stix20/ics-attack-18.1-stix20.json.gz"));
    let mut equal = 0;
    for object in &older {
        let lifted = parsed(&convert::lift(object).objects);
        assert_eq!(lifted.len(), 1);
        let expected = &newer[object.id().as_str()];
        assert_eq!(value(lifted[0].raw()), value(expected.raw()), "{}", object.id());
        assert_eq!(lifted[0].digest(), expected.digest());
        equal += 1;
    }
    assert_eq!((equal, older.len()), (1_825, 1_825));
}

/// What differs between an object and itself after a round trip, by kind.
fn differences(before: &Value, after: Option<&Value>) -> BTreeSet<String> {
    let type_name = before["type"].as_str().unwrap_or_default();
    let Some(after) = after else { return BTreeSet::from([format!("{type_name} is gone")]) };
    let (Value::Object(before), Value::Object(after)) = (before, after) else { unreachable!("objects") };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let kind = |name: &&String| match (before.get(*name), after.get(*name)) {
        (Some(_), None) => format!("{type_name}.{name} is gone"),
        (None, Some(_)) => format!("{type_name}.{name} came in"),
        _ => format!("{type_name}.{name} changed"),
    };
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(|name| kind(&name)).collect()
}

/// The table of what conversions say and of what round trips change, over the whole corpus.
fn table(corpus: &Path) -> String {
    let mut table = String::new();
    let mut section = |title: &str, counts: &BTreeMap<String, usize>, objects: usize| {
        writeln!(table, "{title}: {objects} objects").unwrap();
        for (what, count) in counts {
            writeln!(table, "{count:>7} {what}").unwrap();
        }
    };
    let count = |counts: &mut BTreeMap<String, usize>, converted: &[Converted]| {
        for note in converted.iter().flat_map(|converted| &converted.notes) {
            *counts.entry(format!("{} {}", note.kind, note.what)).or_default() += 1;
        }
    };
    // 2.0 up, and back.
    let (mut up, mut back, mut changed, mut total) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), 0);
    for path in files(corpus, &["stix20"]) {
        let before = objects(&path);
        let lifted: Vec<Converted> = before.iter().map(convert::lift).collect();
        count(&mut up, &lifted);
        let texts: Vec<String> = lifted.into_iter().flat_map(|converted| converted.objects).collect();
        let lowered = lower_all(&parsed(&texts), Strictness::Keep);
        count(&mut back, &lowered);
        let after: HashMap<String, Value> = lowered
            .iter()
            .flat_map(|converted| &converted.objects)
            .map(|text| (value(text)["id"].to_string(), value(text)))
            .collect();
        for object in &before {
            total += 1;
            let before = value(object.raw());
            for difference in differences(&before, after.get(&before["id"].to_string())) {
                *changed.entry(difference).or_default() += 1;
            }
        }
    }
    section("2.0 to 2.1", &up, total);
    section("and back to 2.0", &back, total);
    section("differences after that", &changed, total);
    // 2.1 down, and back.
    for (name, strictness) in [("2.1 to 2.0", Strictness::Keep), ("2.1 to 2.0, strict", Strictness::Strict)] {
        let (mut down, mut changed, mut total) = (BTreeMap::new(), BTreeMap::new(), 0);
        for path in files(corpus, &["stix21-attack", "stix21-knowledge", "stix21-reports", "stix21-small"]) {
            // One of the two releases of ICS, and not the largest file: they show nothing that the others do not.
            if path.ends_with("ics-attack-17.1.json.gz") || path.ends_with("enterprise-attack-18.1.json.gz") {
                continue;
            }
            let before = objects(&path);
            let lowered = lower_all(&before, strictness);
            let mut after: HashMap<String, Vec<Value>> = HashMap::new();
            count(&mut down, &lowered);
            for converted in &lowered {
                for object in parsed(&converted.objects) {
                    let of_20 = object.view().spec_version == "2.0" || object.view().created.is_none();
                    assert!(of_20, "{} is of 2.0", object.id());
                    for text in convert::lift(&object).objects {
                        let object = value(&text);
                        after.entry(object["id"].to_string()).or_default().push(object);
                    }
                }
            }
            for object in &before {
                total += 1;
                if strictness == Strictness::Strict {
                    continue;
                }
                let before = value(object.raw());
                let candidates = after.get(&before["id"].to_string()).map_or(&[][..], Vec::as_slice);
                // Several versions of one id, or one observable out of several observed data: the nearest.
                let nearest = candidates.iter().min_by_key(|after| differences(&before, Some(after)).len());
                for difference in differences(&before, nearest) {
                    *changed.entry(difference).or_default() += 1;
                }
            }
        }
        section(name, &down, total);
        if strictness == Strictness::Keep {
            section("differences after the way back to 2.1", &changed, total);
        }
    }
    table
}

/// What `stix2` refuses of these objects, by kind.
fn refused(version: &str, texts: &[String]) -> Option<BTreeMap<String, usize>> {
    let input = texts.iter().map(|text| value(text).to_string() + "\n").collect();
    let answers = peer::python("parse.py", &[version], input)?;
    let mut counts = BTreeMap::new();
    for answer in answers.into_iter().filter(|answer| !answer.is_empty()) {
        *counts.entry(answer).or_default() += 1;
    }
    Some(counts)
}

/// S-157, S-158: `stix2` reads as 2.1 whatever it read as 2.0 before it was lifted, and as 2.0, lowered strictly, whatever it read as 2.1.
#[test]
fn stix2_reads_what_conversion_writes() {
    let Some(corpus) = sources::corpus("conversion of the corpus for stix2") else { return };
    let all = |folders: &[&str]| -> Vec<Vec<Object>> {
        let big = ["enterprise-attack-18.1.json.gz", "ics-attack-17.1.json.gz", "nist800-53-r5-mappings.json.gz"];
        let small = files(&corpus, folders).into_iter().filter(|path| !big.iter().any(|name| path.ends_with(name)));
        // Whole small files, and of the others so many objects: it reads 4,500 in a second.
        small.map(|path| objects(&path).into_iter().take(400).collect()).collect()
    };
    let texts = |objects: &[Vec<Object>]| -> Vec<String> {
        objects.iter().flatten().map(|object| object.raw().to_owned()).collect()
    };
    let older = all(&["stix20"]);
    let Some(before) = refused("2.0", &texts(&older)) else { return };
    let lifted: Vec<String> = older.iter().flatten().flat_map(|object| convert::lift(object).objects).collect();
    let after = refused("2.1", &lifted).unwrap();
    assert_eq!(after, before, "lifted");
    let newer = all(&["stix21-attack", "stix21-knowledge", "stix21-reports", "stix21-small"]);
    let before = refused("2.1", &texts(&newer)).unwrap();
    let lowered: Vec<String> = newer
        .iter()
        .flat_map(|objects| lower_all(objects, Strictness::Strict))
        .flat_map(|converted| converted.objects)
        .collect();
    let after = refused("2.0", &lowered).unwrap();
    eprintln!(
        "{} lifted, {} lowered; refused as 2.1 before: {before:?}; as 2.0 after: {after:?}",
        lifted.len(),
        lowered.len()
    );
    // 2.0 demands random UUIDs; conversion tells of others (`custom … .id`) and changes no identifier.
    let identifier = |kind: &str| [" id", "_ref", "_refs"].iter().any(|end| kind.ends_with(end));
    // Observables that were bad before are bad inside the observed data, where the error is named after it.
    let observables =
        before.iter().filter(|(kind, _)| kind.starts_with("network-traffic:") || kind.starts_with("observed-data:"));
    let allowed: usize = observables.map(|(_, count)| count).sum();
    let (inside, outside): (Vec<_>, Vec<_>) =
        after.iter().filter(|(kind, _)| !identifier(kind)).partition(|(kind, _)| kind.starts_with("observed-data:"));
    assert!(inside.iter().map(|(_, count)| **count).sum::<usize>() <= allowed, "{inside:?}; before: {before:?}");
    let new: Vec<_> =
        outside.into_iter().filter(|(kind, count)| before.get(*kind).is_none_or(|had| had < count)).collect();
    assert!(new.is_empty(), "{new:?}; before: {before:?}");
}

/// S-028, S-034: every loss over all data of the corpus stands in the table. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn what_conversions_lose_is_what_the_table_says() {
    let Some(corpus) = sources::corpus("conversion of the corpus") else { return };
    let table = table(&corpus);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &table).unwrap();
    }
    let expected = fs::read_to_string(GOLDEN).unwrap();
    let differing: Vec<_> = table.lines().filter(|line| !expected.lines().any(|e| e == *line)).collect();
    assert!(table == expected, "the table differs, e.g. in {differing:#?}");
    for kind in [Kind::Lost, Kind::Stricter] {
        let up = table.split("and back").next().unwrap();
        assert!(!up.contains(&format!(" {kind} ")), "nothing of the corpus is lost on the way up");
    }
}
