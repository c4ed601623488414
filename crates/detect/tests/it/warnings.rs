//! Warning lists, against a naive reading of the same lists and over published ones.

use detect::{ENTRY_BYTES_MAX, Kind, Value, WarningLists};
use proptest::prelude::*;
use serde_json::json;
use std::path::Path;

fn lists(files: &[serde_json::Value]) -> WarningLists {
    let texts: Vec<String> = files.iter().map(ToString::to_string).collect();
    WarningLists::compile(texts.iter().map(|text| ("test", text.as_bytes()))).unwrap()
}

fn on(lists: &WarningLists, kind: Kind, text: &str) -> Vec<String> {
    lists.find(&Value { kind, text: text.to_owned() }).iter().map(|w| w.list.to_string()).collect()
}

fn example() -> WarningLists {
    let hosts = ["domain", "hostname", "url"];
    lists(&[
        json!({"name": "resolvers", "type": "cidr", "matching_attributes": ["ip-src", "ip-dst"], "list": ["192.0.2.0/24", "2001:db8::/32", "203.0.113.9"]}),
        json!({"name": "narrow", "type": "cidr", "matching_attributes": ["ip-dst"], "list": ["192.0.2.128/25"]}),
        json!({"name": "popular", "type": "hostname", "matching_attributes": hosts, "list": ["example.com", ".example.net"]}),
        json!({"name": "names", "type": "string", "matching_attributes": ["domain"], "list": ["Test"]}),
        json!({"name": "empty", "type": "string", "matching_attributes": ["md5", "filename|sha1"], "list": ["D41D8CD98F00B204E9800998ECF8427E"]}),
        json!({"name": "trackers", "type": "substring", "matching_attributes": ["url"], "list": ["/Pixel?"]}),
        json!({"name": "sandboxes", "type": "regex", "matching_attributes": ["filename", "url"], "list": ["/^sample[0-9]+\\.exe$/i", "^http:\\/\\/127\\."]}),
    ])
}

/// The four ways of comparing, and that a list only speaks of the kinds that it names.
#[test]
fn every_type_of_list_compares_in_its_own_way() {
    let lists = example();
    let none: [&str; 0] = [];
    assert_eq!(on(&lists, Kind::Address, "192.0.2.200"), ["resolvers", "narrow"]);
    assert_eq!(on(&lists, Kind::Address, "192.0.2.1"), ["resolvers"]);
    assert_eq!(on(&lists, Kind::Address, "192.0.3.0"), none);
    assert_eq!(on(&lists, Kind::Address, "2001:DB8::1"), ["resolvers"]);
    assert_eq!(on(&lists, Kind::Address, "192.0.2.0/25"), ["resolvers"], "a network inside a listed one");
    assert_eq!(on(&lists, Kind::Address, "192.0.0.0/16"), none, "a network around a listed one");
    assert_eq!(on(&lists, Kind::Domain, "192.0.2.1"), none);
    assert_eq!(on(&lists, Kind::Domain, "a.b.EXAMPLE.com."), ["popular"]);
    assert_eq!(on(&lists, Kind::Domain, "example.net"), ["popular"]);
    assert_eq!(on(&lists, Kind::Domain, "badexample.com"), none);
    assert_eq!(on(&lists, Kind::Domain, "tEST"), ["names"]);
    assert_eq!(on(&lists, Kind::Domain, "a.test"), none, "a string is compared whole");
    assert_eq!(on(&lists, Kind::Url, "https://user@www.example.com:8443/x"), ["popular"]);
    assert_eq!(on(&lists, Kind::Url, "https://elsewhere.example/pixel?x"), ["trackers"]);
    assert_eq!(on(&lists, Kind::Url, "http://127.0.0.1/"), ["sandboxes"]);
    assert_eq!(on(&lists, Kind::FileName, "SAMPLE17.exe"), ["sandboxes"]);
    assert_eq!(on(&lists, Kind::Hash, "d41d8cd98f00b204e9800998ecf8427e"), ["empty"]);
    assert_eq!(on(&WarningLists::default(), Kind::Hash, "d41d8cd98f00b204e9800998ecf8427e"), none);
}

#[test]
fn a_list_that_cannot_be_used_whole_is_refused_with_its_entry() {
    let refused = |list: serde_json::Value| {
        let text = list.to_string();
        WarningLists::compile([("bad.json", text.as_bytes())]).unwrap_err().to_string()
    };
    let list = |kind: &str, entry: &str| json!({"name": "n", "type": kind, "list": ["", entry]});
    assert_eq!(
        refused(list("cidr", "192.0.2.0/33")),
        "warning list `bad.json`: entry 1 `192.0.2.0/33` is no address and no network"
    );
    assert!(refused(list("regex", "(")).contains("unclosed group"));
    assert!(refused(list("fuzzy", "x")).contains("`fuzzy` is not known"));
    assert!(refused(list("string", &"x".repeat(ENTRY_BYTES_MAX + 1))).contains("more than 4096 bytes"));
    assert!(refused(json!({"values": []})).contains("form of MISP's warning lists"));
    let edge = list("string", &"x".repeat(ENTRY_BYTES_MAX)).to_string();
    assert!(WarningLists::compile([("edge", edge.as_bytes())]).is_ok());
}

/// The constants of patterns and the values of observables mean the same values.
#[test]
fn constants_of_patterns_are_values_too() {
    let value = |kind, text: &str| Some(Value { kind, text: text.to_owned() });
    assert_eq!(Value::of_comparison("domain-name", "value", "a.example"), value(Kind::Domain, "a.example"));
    assert_eq!(Value::of_comparison("file", "hashes.'SHA-256'", "ab"), value(Kind::Hash, "ab"));
    assert_eq!(Value::of_comparison("process", "image_ref.hashes.MD5", "ab"), value(Kind::Hash, "ab"));
    assert_eq!(
        Value::of_comparison("network-traffic", "dst_ref.value", "192.0.2.0/24"),
        value(Kind::Address, "192.0.2.0/24")
    );
    assert_eq!(Value::of_comparison("network-traffic", "dst_ref.value", "a.example"), value(Kind::Domain, "a.example"));
    assert_eq!(
        Value::of_comparison("email-message", "from_ref.value", "a@b.example"),
        value(Kind::Mail, "a@b.example")
    );
    assert_eq!(Value::of_comparison("process", "command_line", "x"), None);
    let serde_json::Value::Object(file) = json!({"type": "file", "name": "a.exe", "hashes": {"MD5": "ab"}}) else {
        panic!()
    };
    assert_eq!(Value::of_object(&file), [value(Kind::Hash, "ab").unwrap(), value(Kind::FileName, "a.exe").unwrap()]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Networks against a comparison bit by bit.
    #[test]
    fn networks_are_found_like_a_naive_reader_finds_them(
        entries in prop::collection::vec((any::<u8>(), 0_u32..=8, 0_usize..3), 0..40), probe in any::<u8>()
    ) {
        let names = ["a", "b", "c"];
        let list = |no: usize| {
            let own: Vec<String> = entries.iter().filter(|(_, _, of)| *of == no).map(|(last, bits, _)| format!("198.51.100.{last}/{}", 24 + bits)).collect();
            json!({"name": names[no], "type": "cidr", "matching_attributes": ["ip-dst"], "list": own})
        };
        let compiled = lists(&[list(0), list(1), list(2)]);
        let mut naive: Vec<&str> = entries.iter().filter(|(last, bits, _)| {
            let free = 8 - bits;
            u32::from(*last) >> free == u32::from(probe) >> free
        }).map(|(_, _, no)| names[*no]).collect();
        naive.sort_unstable();
        naive.dedup();
        prop_assert_eq!(on(&compiled, Kind::Address, &format!("198.51.100.{probe}")), naive);
    }

    #[test]
    fn hosts_are_found_like_a_naive_reader_finds_them(
        entries in prop::collection::vec("[ab]{1,2}(\\.[ab]{1,2}){0,2}", 0..12), probe in "[ab]{1,2}(\\.[ab]{1,2}){0,3}"
    ) {
        let compiled = lists(&[json!({"name": "n", "type": "hostname", "matching_attributes": [], "list": entries})]);
        let naive = entries.iter().any(|entry| probe == *entry || probe.ends_with(&format!(".{entry}")));
        prop_assert_eq!(!on(&compiled, Kind::Domain, &probe).is_empty(), naive);
    }
}

/// The published lists of the corpus compile, and every entry of an exact or a host list is found on its list.
#[test]
fn published_lists_compile_and_find_their_own_entries() {
    let corpus = std::env::var_os("ENTENTE_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
    let Ok(folder) = std::fs::read_dir(corpus.join("misp-vocab/warninglists")) else {
        eprintln!("SKIPPED: 16 published warning lists: the corpus is not there (ENTENTE_CORPUS)");
        return;
    };
    let files: Vec<Vec<u8>> = folder.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(files.len() >= 16);
    let compiled = WarningLists::compile(files.iter().map(|bytes| ("published", bytes.as_slice()))).unwrap();
    assert!(compiled.entries() > 14_000, "{}", compiled.entries());
    let mut asked = 0;
    for bytes in &files {
        let file: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let attributes = file["matching_attributes"].as_array().unwrap();
        let kind = match attributes[0].as_str().unwrap() {
            "ip-src" | "ip-dst" => Kind::Address,
            "md5" => Kind::Hash,
            _ => Kind::Domain,
        };
        for entry in file["list"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()) {
            let name = file["name"].as_str().unwrap();
            assert!(on(&compiled, kind, entry).iter().any(|list| list == name), "{name}: {entry}");
            asked += 1;
        }
    }
    assert_eq!(asked, compiled.entries());
}
