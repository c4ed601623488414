//! Confirmed equivalences in `node.toml` (L-104, L-109).
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
