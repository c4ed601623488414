//! Below `node` nothing reads the clock, draws random numbers, spawns, or opens a socket: these come in as parameters.

use crate::tree::{self, Fault, File};

/// The pure crates. `store` may open files of its own, nothing else.
const PURE: &[&str] = &["audit", "binding", "detect", "label", "misp", "store", "stix", "supply", "taxii"];
/// What a pure crate's code does not say.
const FORBIDDEN: &[&str] = &[
    "::now(",
    "CURRENT_TIMESTAMP",
    "OsRng",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixDatagram",
    "UnixListener",
    "UnixStream",
    "datetime('now",
    "getrandom",
    "new_v4",
    "rand::",
    "random()",
    "randomblob(",
    "thread::Builder",
    "thread::spawn",
    "thread_rng",
    "tokio",
    "ureq",
];
/// What a pure crate does not depend on, apart from its tests.
const FORBIDDEN_CRATES: &[&str] = &["getrandom", "rand", "tokio", "ureq"];

/// The lines that ship, numbered from 1: without comments and without the items under `#[cfg(test)]`, which `rustfmt` ends with a `}` or a `;` in the column of the attribute.
pub(crate) fn shipped(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut skipping: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(i, line)| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let code = line.trim();
        if let Some(column) = skipping {
            let ends = indent == column && (code == "}" || code == "};" || code.ends_with(';') || code.ends_with("{}"));
            if ends {
                skipping = None;
            }
            return None;
        }
        if code == "#[cfg(test)]" {
            skipping = Some(indent);
            return None;
        }
        (!code.starts_with("//") && !code.starts_with("--")).then_some((i + 1, line))
    })
}

fn faults(files: &[File]) -> Vec<Fault> {
    let mut found = Vec::new();
    for name in PURE {
        let source = format!("crates/{name}/src/");
        for file in files.iter().filter(|f| {
            f.path.starts_with(&source) && f.has_extension(&["rs", "sql"]) && !f.path.ends_with("/tests.rs")
        }) {
            for (line, text) in shipped(&file.text) {
                let words = FORBIDDEN.iter().filter(|word| text.contains(**word));
                found.extend(words.map(|word| Fault::new(&file.path, line, format!("`{word}` in a pure crate"))));
            }
        }
        let manifest = format!("crates/{name}/Cargo.toml");
        for file in files.iter().filter(|f| f.path == manifest) {
            let manifest: toml::Table = file.text.parse().expect("a manifest is TOML");
            for section in ["dependencies", "build-dependencies"] {
                let uses = manifest.get(section).and_then(|s| s.as_table()).into_iter().flat_map(|s| s.keys());
                let wrong = uses.filter(|to| FORBIDDEN_CRATES.contains(&to.as_str()));
                found.extend(wrong.map(|to| Fault::new(&file.path, 0, format!("depends on `{to}`"))));
            }
        }
    }
    found
}

#[test]
fn pure_crates_get_time_chance_and_transport_as_parameters() {
    let files = tree::tracked();
    for name in PURE {
        assert!(files.iter().any(|f| f.path == format!("crates/{name}/src/lib.rs")), "{name}: its files are read");
    }
    tree::expect_none(&faults(&files));
}

#[test]
fn a_clock_a_die_a_thread_and_a_socket_are_found() {
    let run =
        |path: &str, text: &str| faults(&[File::planted(path, text)]).into_iter().map(|f| f.line).collect::<Vec<_>>();
    let path = "crates/label/src/decide.rs";
    for bad in [
        "let a = SystemTime::now();",
        "let a = std::time::Instant::now();",
        "jiff::Timestamp::now()",
        "std::thread::spawn(|| 1);",
        "use rand::Rng;",
        "getrandom::fill(&mut b)",
        "Uuid::new_v4()",
        "use std::net::{TcpStream};",
        "UdpSocket::bind(a)",
        "\"insert into t values (datetime('now'))\"",
        "    x.await; // fine\n    tokio::spawn(f);",
    ] {
        assert_eq!(run(path, bad), [bad.lines().count()], "{bad}");
        assert_eq!(run("crates/node/src/lib.rs", bad), [] as [usize; 0], "{bad}");
    }
    let tested =
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { Instant::now(); }\n}\nfn c() { Instant::now(); }\n";
    assert_eq!(run(path, tested), [6]);
    assert_eq!(run(path, "#[cfg(test)]\nmod tests;\nInstant::now();"), [3]);
    assert_eq!(
        run(
            path,
            "impl A {\n    #[cfg(test)]\n    fn t() {\n        Instant::now();\n    }\n    fn u() { Instant::now() }\n}"
        ),
        [6]
    );
    assert_eq!(run(path, "// Instant::now()\n/// SystemTime::now()"), [] as [usize; 0]);
    assert_eq!(run("crates/label/tests/it/main.rs", "Instant::now()"), [] as [usize; 0]);
    assert_eq!(run("crates/store/src/sqlite/schema.sql", "create table t (at default CURRENT_TIMESTAMP)"), [1]);
    assert_eq!(
        run("crates/taxii/Cargo.toml", "[dependencies]\nureq.workspace = true\n[dev-dependencies]\nrand = \"1\""),
        [0]
    );
}
