//! Bindings: STANAG 4778 (section 9, L-110 to L-113) and JWS inside STIX (L-130).
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use binding::*;
use label::{Label, Policies, Policy, Role};
use serde_json::{Value, json};
use std::path::PathBuf;
use stix::{Limits, Object, Timestamp};

const DAY: &str = "2026-06-01T00:00:00Z";

fn at(s: &str) -> Timestamp {
    Timestamp::parse(s).unwrap()
}

fn object(json: &Value) -> Object {
    Object::parse(&json.to_string(), &Limits::default()).unwrap()
}

fn vectors() -> (SignerKeys, Vec<Value>, Value) {
    let json: Value = serde_json::from_str(include_str!("../data/binding-vectors.json")).unwrap();
    let keys = SignerKeys::from_jwks(&json["keys"].to_string()).unwrap();
    (keys, json["objects"].as_array().unwrap().clone(), json["keys"].clone())
}

fn entry(object: &mut Value) -> &mut Value {
    &mut object["extensions"][BINDING_EXTENSION]["bindings"][0]
}

fn state(keys: &SignerKeys, json: &Value) -> BindingState {
    keys.verify(&object(json), &at(DAY)).state
}

/// L-130: what another implementation signed with ES256, RS256 and EdDSA verifies, whatever else stands in `extensions`.
#[test]
fn bindings_signed_elsewhere_verify_in_all_three_algorithms() {
    let (keys, objects, _) = vectors();
    assert_eq!(objects.len(), 3);
    for case in &objects {
        let bound = object(&case["object"]);
        assert_eq!(binding_digest(&bound).unwrap(), case["digest"], "{}", case["algorithm"]);
        let got = keys.verify(&bound, &at(DAY));
        assert_eq!((got.state, got.signer.as_deref()), (BindingState::Valid, case["kid"].as_str()), "{got:?}");
        assert!(got.speaks_for_owner);
        let mut bare = case["object"].clone();
        bare.as_object_mut().unwrap().remove("extensions");
        assert_eq!(state(&keys, &bare), BindingState::None);
    }
}

/// L-130, L-112: every byte counts, of the object and of the binding; a key that nobody knows, that is old or of somebody else never makes `valid`.
#[test]
fn whatever_is_changed_the_binding_is_not_valid() {
    let (keys, objects, jwks) = vectors();
    for case in &objects {
        let broken = |what: &str, change: &dyn Fn(&mut Value)| {
            let mut changed = case["object"].clone();
            change(&mut changed);
            assert_ne!(changed, case["object"], "{what} changes nothing");
            let got = keys.verify(&object(&changed), &at(DAY));
            assert_eq!(got.state, BindingState::Broken, "{what}: {got:?}");
            assert!(!got.speaks_for_owner && !got.why.is_empty(), "{what}");
        };
        broken("a name", &|o| o["name"] = json!("Beobachtung"));
        broken("a marking less", &|o| drop(o["object_marking_refs"].as_array_mut().unwrap().pop()));
        broken("a version", &|o| o["modified"] = json!("2026-02-01T00:00:00.001Z"));
        broken("another time of signing", &|o| entry(o)["signed_at"] = json!("2026-03-01T00:00:01Z"));
        broken("no time of signing", &|o| drop(entry(o).as_object_mut().unwrap().remove("signed_at")));
        broken("fewer markings bound", &|o| drop(entry(o)["marking_refs"].as_array_mut().unwrap().pop()));
        broken("another algorithm for the digest", &|o| entry(o)["alg"] = json!("sha-256"));
        broken("more left out", &|o| entry(o)["without"].as_array_mut().unwrap().push(json!("/name")));
        broken("an unknown member", &|o| entry(o)["x"] = json!(1));
        broken("no list", &|o| o["extensions"][BINDING_EXTENSION]["bindings"] = json!([]));
        broken("a bit of the signature", &|o| {
            let jws = entry(o)["jws"].as_str().unwrap().to_owned();
            let at = jws.rfind('.').unwrap() + 5;
            let other = if &jws[at..=at] == "A" { "B" } else { "A" };
            entry(o)["jws"] = json!(format!("{}{other}{}", &jws[..at], &jws[at + 1..]));
        });
        let header = |o: &mut Value, header: &Value| {
            use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
            let jws = entry(o)["jws"].as_str().unwrap().to_owned();
            let signature = jws.rsplit('.').next().unwrap();
            entry(o)["jws"] = json!(format!("{}..{signature}", URL_SAFE_NO_PAD.encode(header.to_string())));
        };
        let kid = &case["kid"];
        let other = if kid == "ed" { "ES256" } else { "EdDSA" };
        broken("the algorithm of another key", &|o| header(o, &json!({"alg": other, "kid": kid})));
        broken("no algorithm", &|o| header(o, &json!({"alg": "none", "kid": kid})));
        broken("a shared secret", &|o| header(o, &json!({"alg": "HS256", "kid": kid})));
        broken("a critical header", &|o| {
            header(o, &json!({"alg": case["algorithm"], "kid": kid, "crit": ["b64"], "b64": false}));
        });
        broken("a payload inside", &|o| {
            let jws = entry(o)["jws"].as_str().unwrap().replace("..", ".e30.");
            entry(o)["jws"] = json!(jws);
        });
        let mut unsigned = case["object"].clone();
        entry(&mut unsigned).as_object_mut().unwrap().remove("jws");
        assert_eq!(state(&keys, &unsigned), BindingState::Claimed);
        assert_eq!(state(&SignerKeys::default(), &case["object"]), BindingState::UnknownSigner);
        let bound = object(&case["object"]);
        assert_eq!(keys.verify(&bound, &at("2028-01-01T00:00:00Z")).state, BindingState::ValidExpiredChain);
        assert_eq!(
            keys.verify(&bound, &at("2026-02-28T23:59:59Z")).state,
            BindingState::Broken,
            "signed in the future"
        );
        let mut two = case["object"].clone();
        let mut second = entry(&mut two).clone();
        second["digest"] = json!("AAAA");
        two["extensions"][BINDING_EXTENSION]["bindings"].as_array_mut().unwrap().push(second);
        assert_eq!(state(&keys, &two), BindingState::Broken, "the worst of several counts");
    }
    let mut foreign = jwks.clone();
    for key in foreign["keys"].as_array_mut().unwrap() {
        key["identities"] = json!([]);
    }
    let got = SignerKeys::from_jwks(&foreign.to_string()).unwrap().verify(&object(&objects[0]["object"]), &at(DAY));
    assert_eq!((got.state, got.speaks_for_owner), (BindingState::Valid, false));
    let mut early = jwks;
    early["keys"][0]["until"] = json!("2026-01-01T00:00:00Z");
    let got = SignerKeys::from_jwks(&early.to_string()).unwrap().verify(&object(&objects[0]["object"]), &at(DAY));
    assert_eq!(got.state, BindingState::Broken, "signed after the key's time");
}

/// L-130: keys that are none, too short or of other kinds are refused, and so are two of one name.
#[test]
fn keys_that_are_not_good_enough_are_refused() {
    let (_, _, jwks) = vectors();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut changed = jwks.clone();
        change(&mut changed);
        SignerKeys::from_jwks(&changed.to_string()).unwrap_err()
    };
    assert!(refused(&|k| k["keys"][0]["crv"] = json!("P-384")).contains("it is no P-256, RSA or Ed25519 key"));
    assert!(refused(&|k| k["keys"][0]["kty"] = json!("oct")).contains("it is no P-256"));
    assert!(refused(&|k| k["keys"][0]["x"] = json!("AA")).contains("32 bytes"));
    assert!(refused(&|k| k["keys"][2]["x"] = json!("AA")).contains("the key is not 32 bytes"));
    assert!(refused(&|k| k["keys"][1]["n"] = json!("AQAB")).contains("shorter than 2048 bits"));
    assert!(refused(&|k| k["keys"][1]["kid"] = json!("es")).contains("two keys are named `es`"));
    assert!(refused(&|k| k["keys"][0]["until"] = json!("soon")).contains("`until` is no time"));
    assert!(SignerKeys::from_jwks("[]").is_err());
}

/// L-157: what tells a key from others is what verifies with it: not its name, not a member that its kind has no use for, not a leading zero.
#[test]
fn a_key_is_the_same_however_it_is_written() {
    let (_, _, jwks) = vectors();
    let prints = |jwks: &Value| -> Vec<String> {
        SignerKeys::from_jwks(&jwks.to_string()).unwrap().fingerprints().map(|(_, print)| print.to_string()).collect()
    };
    let mut otherwise = jwks.clone();
    let keys = otherwise["keys"].as_array_mut().unwrap();
    for key in keys.iter_mut() {
        key["kid"] = json!(format!("{}-again", key["kid"].as_str().unwrap()));
    }
    for (no, member) in [(0, "n"), (1, "x"), (2, "y")] {
        keys[no][member] = json!("AA");
    }
    let modulus = BASE64URL.decode(keys[1]["n"].as_str().unwrap()).unwrap();
    keys[1]["n"] = json!(BASE64URL.encode([&[0][..], &modulus].concat()));
    let plain = prints(&jwks);
    assert_eq!(prints(&otherwise), plain);
    assert_eq!(plain.iter().collect::<std::collections::BTreeSet<_>>().len(), plain.len(), "each is another");
}

const E4: &str = include_str!("../../../label/tests/data/examples/e4.xml");

/// E4, E10, L-110: the fourth example is read with both labels; both in one `Metadata` is no binding.
#[test]
fn the_fourth_example_is_a_claimed_binding_and_the_tenth_is_none() {
    let bindings = Bindings::from_xml(E4.as_bytes()).unwrap();
    let bound = bindings.of_file("report.pdf").unwrap();
    let roles: Vec<_> = bound.labels().iter().map(|l| (l.role(), l.policy_name())).collect();
    assert_eq!(roles, [(Role::Originator, "DEMO-XPA"), (Role::Alternative, "NATO")]);
    assert_eq!(bound.data(), [BoundData::Elsewhere("report.pdf".into())]);
    assert_eq!(bindings.state_of("report.pdf", b"anything"), BindingState::Claimed);
    assert_eq!(bindings.state_of("other.pdf", b"anything"), BindingState::None);
    let e10 = E4.replacen(
        "</s4774:originatorConfidentialityLabel>\n      </s4778:Metadata>\n      <s4778:Metadata>",
        "</s4774:originatorConfidentialityLabel>",
        1,
    );
    assert_ne!(e10, E4);
    assert_eq!(Bindings::from_xml(e10.as_bytes()).unwrap_err(), "`Metadata` holds exactly one element");
}

fn wrap(inner: &str) -> String {
    format!(
        r#"<b:BindingInformation xmlns:b="urn:nato:stanag:4778:bindinginformation:1:0" xmlns:l="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0" xmlns:d="http://www.w3.org/2000/09/xmldsig#">{inner}</b:BindingInformation>"#
    )
}

const LABEL: &str = r#"<b:Metadata><l:originatorConfidentialityLabel ReviewDateTime="2031-01-10T09:00:00Z"><l:ConfidentialityInformation><l:PolicyIdentifier>PUBLIC</l:PolicyIdentifier><l:Classification>UNMARKED</l:Classification></l:ConfidentialityInformation><l:CreationDateTime>2026-01-10T09:00:00Z</l:CreationDateTime></l:originatorConfidentialityLabel></b:Metadata>"#;

fn container(data: &str) -> String {
    format!(
        "<b:MetadataBindingContainer><b:MetadataBinding>{LABEL}{data}</b:MetadataBinding></b:MetadataBindingContainer>"
    )
}

fn signature(references: &str) -> String {
    format!(
        "<d:Signature><d:SignedInfo>{references}</d:SignedInfo><d:SignatureValue>AAAA</d:SignatureValue></d:Signature>"
    )
}

fn digest_of(data: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::Digest as _;
    STANDARD.encode(sha2::Sha384::digest(data))
}

/// L-110, L-111: all three ways; an XML signature is never `valid`; duplicate ids, foreign transforms, weak digests and dangling references are refused.
#[test]
fn bindings_are_read_in_all_three_ways_and_attacks_on_them_are_refused() {
    let read = |xml: &str| Bindings::from_xml(xml.as_bytes());
    let inside = read(&wrap(&container("<b:Data><x>hello</x></b:Data>"))).unwrap();
    assert_eq!((inside.state(), inside.list()[0].data().len()), (BindingState::Claimed, 1));
    assert!(matches!(&inside.list()[0].data()[0], BoundData::Inside(x) if x.contains("<x>hello</x>")));
    let embedded = format!("<doc><p>text</p>{}</doc>", wrap(&container("<b:DataReference URI=\"\"/>")));
    assert_eq!(read(&embedded).unwrap().list()[0].data(), [BoundData::Whole]);
    assert!(read(&wrap(&container("<b:DataReference URI=\"\"/>"))).unwrap_err().contains("stands in no document"));
    let part = format!("<doc><p Id=\"p1\">text</p>{}</doc>", wrap(&container("<b:DataReference URI=\"#p1\"/>")));
    assert_eq!(read(&part).unwrap().list()[0].data(), [BoundData::Inside("<p Id=\"p1\">text</p>".into())]);
    let reference = |uri: &str, inner: &str| format!("<d:Reference URI=\"{uri}\">{inner}</d:Reference>");
    let digest =
        |alg: &str, value: &str| format!("<d:DigestMethod Algorithm=\"{alg}\"/><d:DigestValue>{value}</d:DigestValue>");
    let sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";
    let detached = container("<b:DataReference URI=\"a%20file.txt\"/>");
    let signed =
        wrap(&format!("{}{detached}", signature(&reference("a%20file.txt", &digest(sha384, &digest_of(b"data"))))));
    let signed = read(&signed).unwrap();
    assert_eq!(
        signed.state_of("a file.txt", b"data"),
        BindingState::UnknownSigner,
        "never valid: nobody verifies it here"
    );
    assert_eq!(signed.state_of("a file.txt", b"dato"), BindingState::Broken);
    let attacks = [
        (
            "two elements of one id",
            part.replace("<p Id=\"p1\">", "<p ID=\"p1\"/><p Id=\"p1\">"),
            "two elements have the same `Id`",
        ),
        ("nothing of that id", part.replace("#p1", "#p2"), "no element has the `Id`"),
        ("two bindings", format!("<d>{0}{0}</d>", wrap(&detached)), "more than one `BindingInformation`"),
        (
            "SHA-1",
            wrap(&format!(
                "{}{detached}",
                signature(&reference("x", &digest("http://www.w3.org/2000/09/xmldsig#sha1", "AA==")))
            )),
            "SHA-1 or MD5",
        ),
        (
            "a transform",
            wrap(&container(
                "<b:DataReference URI=\"x\"><d:Transforms><d:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/></d:Transforms></b:DataReference>",
            )),
            "a transform that is not followed",
        ),
        ("a signature behind", wrap(&format!("{detached}{}", signature(""))), "after what it signs"),
        ("no data", wrap(&container("")), "has metadata and data"),
        (
            "data before metadata",
            wrap(
                "<b:MetadataBindingContainer><b:MetadataBinding><b:DataReference URI=\"x\"/></b:MetadataBinding></b:MetadataBindingContainer>",
            ),
            "out of order",
        ),
        ("two originators", wrap(&container(&format!("{LABEL}<b:DataReference URI=\"x\"/>"))), "two originator labels"),
        ("nothing", wrap(""), "nothing is bound"),
        ("an unknown element", wrap(&format!("{detached}<b:Else/>")), "has no element `Else`"),
        (
            "a DTD",
            format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}", wrap(&detached)),
            "no well-formed XML",
        ),
        ("no binding", "<x/>".to_owned(), "there is no `BindingInformation`"),
        (
            "too deep",
            wrap(&container(&format!("<b:Data>{}{}</b:Data>", "<x>".repeat(70), "</x>".repeat(70)))),
            "nested more than 64 deep",
        ),
    ];
    for (what, xml, why) in attacks {
        let got = read(&xml).unwrap_err();
        assert!(got.contains(why), "{what}: {got}");
    }
    assert!(Bindings::from_xml(&vec![b' '; BINDING_BYTES_MAX + 1]).unwrap_err().contains("longer than"));
}

fn restricted(categories: &Value) -> Label {
    let json = json!({"v": 1, "role": "originator", "policy": {"name": "NATO"}, "classification": "RESTRICTED", "categories": categories,
        "created": "2026-01-10T09:00:00Z", "review": "2031-01-10T09:00:00Z"});
    Label::from_json(&json.to_string()).unwrap()
}

/// L-042, L-110, L-113: our sidecars are read back, are `claimed`, and any other file under that name is `broken`.
#[test]
fn a_sidecar_that_we_write_is_read_back_and_fits_its_file_only() {
    let policies =
        Policies::new(vec![Policy::load(include_bytes!("../../../label/policies/nato-demo.spif.xml")).unwrap()]);
    let policies = policies.unwrap();
    let nato = policies.find("NATO", None).unwrap();
    let label = restricted(&json!([{"tag": "Context", "type": "permissive", "values": ["NATO"]}]));
    let written = sidecar(&[(&label, nato)], "Bericht für März & April.pdf", "application/pdf", b"%PDF").unwrap();
    let read = Bindings::from_xml(written.as_bytes()).unwrap();
    let name = "Bericht für März & April.pdf";
    assert_eq!(read.of_file(name).unwrap().labels(), [nato.spelled(&label).unwrap()]);
    assert_eq!(read.flags(), Vec::<String>::new());
    assert_eq!(read.state_of(name, b"%PDF"), BindingState::Claimed);
    assert_eq!(read.state_of(name, b"%PDG"), BindingState::Broken);
    assert_eq!(read.state_of("else.pdf", b"%PDF"), BindingState::None);
    assert!(sidecar(&[], "x", "text/plain", b"").is_err());
    assert!(sidecar(&[(&label, nato)], "a/b", "text/plain", b"").is_err());
    let invalid = restricted(&json!([]));
    assert!(sidecar(&[(&invalid, nato)], "x", "text/plain", b"").unwrap_err().contains("not valid"));
    assert_eq!(
        [BindingState::None, BindingState::ValidExpiredChain].map(|s| s.to_string()),
        ["none", "valid-expired-chain"]
    );
}

/// Other people's sidecar is read (section 9, profile sidecar).
#[test]
fn a_sidecar_of_others_is_read() {
    // Real data of others, never committed.
    let root = std::env::var_os("ENTENTE_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let Ok(bytes) = std::fs::read(root.join("labels/test.1.bdo")) else {
        eprintln!("SKIPPED labels: corpus missing");
        return;
    };
    let read = Bindings::from_xml(&bytes).unwrap();
    assert_eq!(read.of_file("a-missing.file.bdo").unwrap().labels()[0].policy_name(), "PUBLIC");
    assert_eq!(read.flags().len(), 1, "it has neither review date nor succession: {:?}", read.flags());
}
