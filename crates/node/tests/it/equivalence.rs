//! Confirmed equivalences in `node.toml` (L-104, L-109), and signed policy files (L-056).
use node::config::Config;
use std::path::{Path, PathBuf};

fn directory(name: &str, more: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("equivalence-{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(dir.join("policies")).unwrap();
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../label/policies");
    for policy in ["nato-demo", "xpa-demo"] {
        let file = format!("{policy}.spif.xml");
        std::fs::copy(policies.join(&file), dir.join("policies").join(&file)).unwrap();
    }
    let node = format!(
        "name = \"home\"\ntitle = \"Home\"\nidentity = \"{}\"\npolicies = [\"nato-demo\", \"xpa-demo\"]\nmappers = [\"hub\"]\n{more}",
        crate::stage::HOME
    );
    std::fs::write(dir.join("node.toml"), node).unwrap();
    dir
}

fn mapped(config: &Config) -> Result<label::Label, label::Unmapped> {
    let label = label::Label::from_json(
        r#"{"v":1,"role":"originator","policy":{"name":"DEMO-XPA"},"classification":"CONFIDENTIAL",
        "categories":[{"tag":"Releasable To","type":"permissive","values":["XPA","NATO"]}],"created":"2026-01-10T09:00:00Z"}"#,
    )
    .unwrap();
    let nato = config.policies.find("NATO", None).unwrap();
    config.policies.alternative(&label, nato, label::Way::Leaving, None, label.created()).map(|(l, _)| l)
}

/// L-109: a row counts only if the configuration confirms it; what it confirms must exist.
#[test]
fn a_row_counts_only_if_node_toml_confirms_it() {
    let confirmed = "[[equivalence]]\nfrom = \"DEMO-XPA\"\nto = \"NATO\"\nrows = [\"CONFIDENTIAL\"]\n";
    let config = Config::load(&directory("confirmed", confirmed)).unwrap();
    assert_eq!(mapped(&config).unwrap().classification(), "CONFIDENTIAL");
    let config = Config::load(&directory("silent", "")).unwrap();
    assert_eq!(mapped(&config).unwrap_err(), label::Unmapped::Unconfirmed("CONFIDENTIAL".into()));
    let wrong = Config::load(&directory("wrong", &confirmed.replace("CONFIDENTIAL", "RESTRICTED"))).unwrap_err();
    assert!(
        wrong.to_string().contains("no policy file states what `RESTRICTED` of `DEMO-XPA` is in `NATO`"),
        "{wrong}"
    );
}

/// L-108, L-109: confirmations in a file of their own count only with the signature of one of the keys; once there are keys, nothing unsigned counts
/// unless `node.toml` says so.
#[test]
fn confirmations_count_only_with_their_signature_once_keys_are_named() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    let key = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let rows = "[[equivalence]]\nfrom = \"DEMO-XPA\"\nto = \"NATO\"\nrows = [\"CONFIDENTIAL\"]\n";
    let named = "confirmations = \"confirmations.toml\"\n";
    let keys = "confirmation_keys = \"officers.jwks\"\n";
    let faults = |dir: &Path| Config::load(dir).err().map(|e| e.to_string()).unwrap_or_default();
    // `directory` writes mappers into node.toml: they are signed by nobody.
    let set = |dir: &Path, more: &str| {
        let text = std::fs::read_to_string(dir.join("node.toml")).unwrap();
        let bare: Vec<&str> = text.lines().filter(|l| !l.starts_with("mappers")).collect();
        std::fs::write(dir.join("node.toml"), bare.join("\n") + "\n" + more).unwrap();
    };
    let dir = directory("confirmations", "");
    let sign = |text: &str| {
        let protected = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"officer"}"#);
        let message = format!("{protected}.{}", BASE64URL.encode(text));
        std::fs::write(dir.join("confirmations.toml"), text).unwrap();
        let jws = format!("{protected}..{}\n", BASE64URL.encode(key.sign(message.as_bytes())));
        std::fs::write(dir.join("confirmations.toml.jws"), jws).unwrap();
    };
    let public = BASE64URL.encode(key.public_key().as_ref());
    let jwks = format!(r#"{{"keys":[{{"kid":"officer","kty":"OKP","crv":"Ed25519","x":"{public}"}}]}}"#);
    set(&dir, named);
    assert!(faults(&dir).contains("confirmations needs confirmation_keys"));
    set(&dir, keys);
    assert!(faults(&dir).contains("officers.jwks"), "keys that are named must be there");
    std::fs::write(dir.join("officers.jwks"), jwks).unwrap();
    assert!(faults(&dir).contains("confirmations.toml"), "and so must the file");
    std::fs::write(dir.join("confirmations.toml"), rows).unwrap();
    assert!(faults(&dir).contains("confirmations.toml.jws"), "unsigned");
    sign(rows);
    let config = Config::load(&dir).unwrap();
    assert_eq!(mapped(&config).unwrap().classification(), "CONFIDENTIAL");
    assert_eq!(config.confirmed.equivalences.len(), 1);
    std::fs::write(dir.join("confirmations.toml"), rows.replace("CONFIDENTIAL", "SECRET")).unwrap();
    assert!(faults(&dir).contains("not that of the file"), "an altered file");
    sign("mappers = [\"hub\"]\nextra = 1\n");
    assert!(faults(&dir).contains("extra"), "an unknown member");
    sign("mappers = [\"hub\"]\n");
    let config = Config::load(&dir).unwrap();
    assert_eq!(config.confirmed.mappers, ["hub"]);
    assert_eq!(mapped(&config).unwrap_err(), label::Unmapped::Unconfirmed("CONFIDENTIAL".into()));
    set(&dir, rows);
    assert!(faults(&dir).contains("signed by nobody"));
    let text = std::fs::read_to_string(dir.join("node.toml")).unwrap();
    std::fs::write(dir.join("node.toml"), format!("unsigned_equivalences = true\n{text}")).unwrap();
    assert!(mapped(&Config::load(&dir).unwrap()).is_ok(), "both count");
}

/// L-056: once keys are named, each policy file needs the detached signature of one of them; who can write the directory of policies cannot change one.
#[test]
fn a_policy_file_counts_only_with_its_signature_once_keys_are_named() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let dir = directory("signed", "policy_keys = \"issuers.jwks\"\n");
    let faults = |dir: &Path| Config::load(dir).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(faults(&dir).contains("issuers.jwks"), "keys that are named must be there");
    let public = BASE64URL.encode(key.public_key().as_ref());
    let jwk =
        |more: &str| format!(r#"{{"keys":[{{"kid":"issuer","kty":"OKP","crv":"Ed25519","x":"{public}"{more}}}]}}"#);
    std::fs::write(dir.join("issuers.jwks"), jwk("")).unwrap();
    let sign = |name: &str, alg: &str| {
        let file = dir.join("policies").join(name);
        let protected = BASE64URL.encode(format!(r#"{{"alg":"{alg}","kid":"issuer"}}"#));
        let message = format!("{protected}.{}", BASE64URL.encode(std::fs::read(&file).unwrap()));
        let jws = format!("{protected}..{}\n", BASE64URL.encode(key.sign(message.as_bytes())));
        std::fs::write(file.with_extension("xml.jws"), jws).unwrap();
    };
    assert!(faults(&dir).contains("nato-demo.spif.xml.jws"), "unsigned");
    sign("nato-demo.spif.xml", "EdDSA");
    assert!(faults(&dir).contains("xpa-demo.spif.xml.jws"), "the other is not signed");
    sign("xpa-demo.spif.xml", "ES256");
    assert!(faults(&dir).contains("not that of the key"));
    sign("xpa-demo.spif.xml", "EdDSA");
    assert_eq!(faults(&dir), "");
    std::fs::write(dir.join("issuers.jwks"), jwk(r#","until":"2030-01-01T00:00:00Z""#)).unwrap();
    assert!(faults(&dir).contains("no key without an end"));
    std::fs::write(dir.join("issuers.jwks"), jwk("")).unwrap();
    let file = dir.join("policies/nato-demo.spif.xml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("hierarchy=\"4\"", "hierarchy=\"0\"", 1)).unwrap();
    assert!(faults(&dir).contains("not that of the file"), "an altered file");
}
