//! The raw query string, read.

use proptest::prelude::*;
use taxii::{
    error::TaxiiError,
    query::{
        Filter, MATCH_IDS_MAX, MATCH_SPEC_VERSIONS_MAX, MATCH_TYPES_MAX, MATCH_VERSIONS_MAX, PARAMETERS_MAX,
        QUERY_BYTES_MAX, Query, Versions, filter_hash,
    },
    server::Listing,
};

const ID: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
const LISTINGS: [Listing; 4] = [Listing::Objects, Listing::Manifest, Listing::Object, Listing::Versions];

fn parse(raw: &str) -> Result<Query, TaxiiError> {
    Query::parse(raw, Listing::Objects)
}

fn ids(count: usize) -> String {
    (0..count).map(|n| format!("tool--{n:08x}-17d4-4cbf-938f-98ee46b3cd3f")).collect::<Vec<_>>().join(",")
}

/// T-030, T-032, T-035, T-046, T-057, TD-05.
#[test]
fn malformed_or_repeated_parameters_are_refused() {
    for raw in [
        "added_after=yesterday",
        "added_after=",
        "added_after",
        "added_after=2024-01-01",
        "added_after=2024-01-01T00:00:00Z,2024-01-02T00:00:00Z",
        "added_after=2024-01-01T00:00:00Z&added_after=2024-01-01T00:00:00Z",
        "added_after=%FF",
        "limit=x",
        "limit=",
        "limit=0",
        "limit=00",
        "limit=-1",
        "limit=+1",
        "limit=1.5",
        "limit=%20 1",
        "limit=1&limit=1",
        "next=a&next=a",
        "match[id]=",
        "match[id]=indicator",
        "match[id]=indicator--1",
        &format!("match[id]={ID},"),
        &format!("match[id]=,{ID}"),
        &format!("match[id]={ID}&match%5Bid%5D={ID}"),
        "match[type]=",
        "match[type]=a,,b",
        "match[type]=Indicator",
        "match[type]=a%2C%20b",
        "match[type]=indicator&match[type]=malware",
        "match[version]=foo",
        "match[version]=",
        "match[version]=all,last",
        "match[version]=last,last",
        "match[version]=first,first",
        "match[version]=all,all",
        "match[version]=all,2024-01-01T00:00:00Z",
        "match[version]=2024-01-01T00:00:00Z,2024-01-01T00:00:00.000Z",
        "match[version]=2024-01-01T00:00:00%2B01:00",
        "match[spec_version]=",
        "match[spec_version]=2",
        "match[spec_version]=2.x",
        "match[spec_version]=.1",
    ] {
        let error = parse(raw).expect_err(raw);
        assert_eq!(error.status(), 400, "{raw}");
        let named = raw.split(['=', '&']).next().unwrap();
        assert!(error.to_string().contains(&format!("`{named}`")), "{raw}: {error}");
    }
}

/// T-031, T-055, MISP's empty `next=`.
#[test]
fn no_parameters_ask_for_the_latest_of_everything() {
    for raw in ["", "&", "&&", "next=", "match[version]=last"] {
        let query = parse(raw).unwrap();
        assert!(query.filter.is_empty(), "{raw}");
        assert_eq!(query.filter.versions(), Versions { all: false, first: false, last: true, at: vec![] }, "{raw}");
        assert_eq!((query.limit, query.next.as_ref()), (None, None), "{raw}");
        assert_eq!(filter_hash(&query), filter_hash(&Query::default()), "{raw}");
    }
}

/// T-047, T-049, T-050, T-056, T-058: brackets and commas come encoded or not.
#[test]
fn lists_are_read_with_brackets_and_commas_encoded_or_not() {
    let plain = format!(
        "match[id]={ID}&match[type]=indicator,malware&match[version]=first,2024-01-01T00:00:00.5Z,last&match[spec_version]=2.1,2.0&limit=5&added_after=2024-01-01T09:00:00+09:00&next=abc"
    );
    let encoded =
        plain.replace('[', "%5B").replace(']', "%5d").replace(',', "%2C").replace(':', "%3A").replace('+', "%2B");
    for raw in [&plain, &encoded] {
        let query = parse(raw).unwrap();
        assert_eq!(query.filter.ids.iter().map(stix::AnyId::as_str).collect::<Vec<_>>(), [ID]);
        assert_eq!(query.filter.types, ["indicator", "malware"]);
        assert_eq!(query.filter.spec_versions, ["2.0", "2.1"]);
        let versions = query.filter.versions();
        assert_eq!((versions.all, versions.first, versions.last), (false, true, true));
        assert_eq!(versions.at, [stix::Timestamp::parse("2024-01-01T00:00:00.500Z").unwrap()]);
        assert_eq!((query.limit, query.next.as_deref()), (Some(5), Some("abc")));
        assert_eq!(query.filter.added_after, taxii::date_added::parse("2024-01-01T00:00:00Z"));
    }
}

/// T-033, TD-05: what lies between two microseconds excludes the earlier and includes the later.
#[test]
fn added_after_is_rounded_so_that_strictly_later_stays_true() {
    let read = |text: &str| parse(&format!("added_after={text}")).unwrap().filter.added_after.unwrap();
    let at = read("2024-01-01T00:00:00.000001Z");
    assert_eq!(read("2024-01-01T00:00:00.000001001Z"), at);
    assert_eq!(read("2024-01-01T00:00:00.000001999Z"), at);
    assert_eq!(read("2024-01-01T00:00:00.000002Z"), at + 1);
}

/// T-051, T-052.
#[test]
fn any_type_of_the_standard_and_custom_types_are_read() {
    for name in ["x509-certificate", "attack-pattern", "marking-definition", "x-acme-thing", "ipv4-addr", "x_old_style"]
    {
        assert_eq!(parse(&format!("match[type]={name}")).unwrap().filter.types, [name]);
    }
}

/// T-045, TD-07: a field that does not count there is ignored whatever it holds, and however often.
#[test]
fn fields_count_where_the_standard_lists_them_and_are_ignored_elsewhere() {
    let junk = |field: &str| format!("{field}=%00&{field}=%00");
    for (field, counts) in [
        ("match[id]", [true, true, false, false]),
        ("match[type]", [true, true, false, false]),
        ("match[version]", [true, true, true, false]),
        ("match[spec_version]", [true, true, true, true]),
        ("added_after", [true, true, true, true]),
        ("limit", [true, true, true, true]),
        ("next", [true, true, true, true]),
        ("match[foo]", [false; 4]),
        ("Match[id]", [false; 4]),
        ("match[id", [false; 4]),
        ("foo", [false; 4]),
        ("", [false; 4]),
    ] {
        for (listing, counts) in LISTINGS.into_iter().zip(counts) {
            let result = Query::parse(&junk(field), listing);
            assert_eq!(result.is_err(), counts, "{field} {listing:?}");
            if let Ok(query) = result {
                assert_eq!(query, Query::default(), "{field} {listing:?}");
            }
        }
    }
}

/// C-006: lowered by the node, never refused here.
#[test]
fn a_limit_of_any_size_is_read() {
    assert_eq!(parse("limit=1").unwrap().limit, Some(1));
    assert_eq!(parse("limit=5000").unwrap().limit, Some(5_000));
    assert_eq!(parse("limit=007").unwrap().limit, Some(7));
    assert_eq!(parse("limit=99999999999999999999999999").unwrap().limit, Some(usize::MAX));
}

/// T-144: every list has a bound, and the bound itself is allowed.
#[test]
fn lists_are_bounded() {
    let types = |n: usize| (0..n).map(|i| format!("x-{i}")).collect::<Vec<_>>().join(",");
    let versions = |n: usize| (0..n).map(|i| format!("2024-01-01T00:00:00.{i:03}Z")).collect::<Vec<_>>().join(",");
    let specs = |n: usize| (0..n).map(|i| format!("2.{i}")).collect::<Vec<_>>().join(",");
    let parameters = |n: usize| vec!["x=1"; n].join("&");
    for (fits, exceeds) in [
        (format!("match[id]={}", ids(MATCH_IDS_MAX)), format!("match[id]={}", ids(MATCH_IDS_MAX + 1))),
        (format!("match[type]={}", types(MATCH_TYPES_MAX)), format!("match[type]={}", types(MATCH_TYPES_MAX + 1))),
        (format!("match[type]={}", "a".repeat(250)), format!("match[type]={}", "a".repeat(251))),
        (
            format!("match[version]={}", versions(MATCH_VERSIONS_MAX)),
            format!("match[version]={}", versions(MATCH_VERSIONS_MAX + 1)),
        ),
        (
            format!("match[spec_version]={}", specs(MATCH_SPEC_VERSIONS_MAX)),
            format!("match[spec_version]={}", specs(MATCH_SPEC_VERSIONS_MAX + 1)),
        ),
        (parameters(PARAMETERS_MAX), parameters(PARAMETERS_MAX + 1)),
        (format!("x={}", "a".repeat(QUERY_BYTES_MAX - 2)), format!("x={}", "a".repeat(QUERY_BYTES_MAX - 1))),
    ] {
        parse(&fits).unwrap();
        assert_eq!(parse(&exceeds).unwrap_err().status(), 400);
    }
}

/// T-121: a DELETE takes versions; what would narrow elsewhere is refused, so that never more is deleted than was meant.
#[test]
fn a_delete_takes_versions_and_refuses_added_after() {
    let filter = Filter::parse_delete("match[version]=first&match[spec_version]=2.1&match[type]=x&limit=0").unwrap();
    assert!(filter.versions.unwrap().first);
    assert_eq!(filter.spec_versions, ["2.1"]);
    assert_eq!(Filter::parse_delete("").unwrap(), Filter::default());
    for bad in ["added_after=2024-01-01T00:00:00Z", "match[version]=x", "match[version]=first&match[version]=first"] {
        assert_eq!(Filter::parse_delete(bad).unwrap_err().status(), 400, "{bad}");
    }
}

/// Queries as clients may write them, with every field present or not.
pub(crate) fn any_query() -> impl Strategy<Value = String> {
    let maybe = proptest::option::of::<BoxedStrategy<String>>;
    let id = (0_u32..40).prop_map(|n| format!("tool--{n:08x}-17d4-4cbf-938f-98ee46b3cd3f"));
    let version = prop_oneof![
        Just("first".to_owned()),
        Just("last".to_owned()),
        (0..9).prop_map(|n| format!("2024-01-0{}T00:00:00.{n}00Z", n + 1))
    ];
    let unique = |s: BoxedStrategy<String>| {
        proptest::collection::btree_set(s, 1..4).prop_map(|v| v.into_iter().collect::<Vec<_>>().join(","))
    };
    (
        maybe((0_i64..4_000_000_000_000_000).prop_map(taxii::date_added::format).boxed()),
        maybe(unique(id.boxed()).boxed()),
        maybe(unique("[a-z]{1,4}".prop_map(|s| format!("x-{s}")).boxed()).boxed()),
        maybe(prop_oneof![Just("all".to_owned()), unique(version.boxed())].boxed()),
        maybe(unique("2\\.[01]".boxed()).boxed()),
    )
        .prop_map(|(after, ids, types, versions, specs)| {
            let names = ["added_after", "match[id]", "match[type]", "match[version]", "match[spec_version]"];
            let parts: Vec<String> = names
                .iter()
                .zip([after, ids, types, versions, specs])
                .filter_map(|(n, v)| v.map(|v| format!("{n}={v}")))
                .collect();
            parts.join("&")
        })
}

proptest! {
    #[test]
    fn the_canonical_text_reads_back_as_the_same_filter(raw in any_query()) {
        let filter = parse(&raw).unwrap().filter;
        let again = parse(&filter.canonical()).unwrap().filter;
        prop_assert_eq!(again.versions(), filter.versions());
        prop_assert_eq!(Filter { versions: None, ..again.clone() }, Filter { versions: None, ..filter.clone() });
        prop_assert_eq!(again.canonical(), filter.canonical());
        prop_assert_eq!(again.digest(), filter.digest());
    }

    #[test]
    fn the_order_of_values_and_parameters_does_not_matter(raw in any_query()) {
        let turned: Vec<String> = raw.split('&').rev().map(|p| p.split_once('=').map_or(p.to_owned(), |(n, v)| format!("{n}={}", v.split(',').rev().collect::<Vec<_>>().join(",")))).collect();
        prop_assert_eq!(parse(&raw).unwrap(), parse(&turned.join("&")).unwrap());
    }

    #[test]
    fn any_text_is_read_without_panic_on_every_listing(raw in "([a-z_]{0,6}|match\\[(id|type|version|spec_version)\\]|added_after|limit)=?[%&=,\\-a-zA-Z0-9:.\\PC]{0,30}") {
        for listing in LISTINGS {
            if let Err(error) = Query::parse(&raw, listing) {
                prop_assert_eq!(error.status(), 400);
            }
        }
        let _ = Filter::parse_delete(&raw);
    }
}
