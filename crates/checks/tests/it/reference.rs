//! The reference pages are made from the program itself: `docs/reference/configuration.md` from the doc comments of the configuration types,
//! `docs/reference/commands.md` from `--help` of every command. `UPDATE_GOLDEN=1` writes them anew.

use crate::tree;
use std::{
    env,
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Sources of the configuration page, in the order of the page, each with its types and the headings they get.
const SOURCES: [(&str, &[(&str, &str)]); 5] = [
    (
        "crates/node/src/config/node_file.rs",
        &[
            ("NodeFile", "`node.toml`"),
            ("About", "`[about]` in `node.toml` and in an agreement"),
            ("RootFile", "`[[root]]` in `node.toml`"),
            ("QueryFile", "`[[query]]` in `node.toml`"),
            ("EquivalenceFile", "`[[equivalence]]` in `node.toml`"),
            ("TagFile", "`[[tag]]` in `node.toml`"),
            ("Confirmations", "The file that `confirmations` in `node.toml` names"),
            ("Listen", "`[listen]` in `node.toml`"),
            ("Operator", "`[operator]` in `node.toml`"),
            ("CollectionFile", "`[[collection]]` in `node.toml`"),
            ("Community", "`community` of a collection"),
        ],
    ),
    (
        "crates/node/src/config/officer.rs",
        &[("OfficerFile", "`[[officer]]` in `node.toml`"), ("PublicKey", "`key` of an officer")],
    ),
    (
        "crates/node/src/config/detection.rs",
        &[("DetectionFile", "`[collection.detection]`, below a `[[collection]]` in `node.toml`")],
    ),
    (
        "crates/node/src/config/agreement.rs",
        &[
            ("Agreement", "`agreements/PARTNER.toml`"),
            ("Give", "`[[give]]` in an agreement"),
            ("Accept", "`[[accept]]` in an agreement"),
            ("Pull", "`[pull]` in an agreement"),
            ("PullCollection", "an entry of `collections` in `[pull]`"),
        ],
    ),
    (
        "crates/node/src/config/clearance.rs",
        &[("ClearanceFile", "`[[operator.clearance]]` in `node.toml`, `[[clearance]]` in an agreement")],
    ),
];
/// The module whose head tells what the directory holds.
const DIRECTORY: &str = "crates/node/src/config.rs";

/// One field of a configuration type.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    kind: String,
    optional: bool,
    doc: String,
}

/// A type with its doc comment and public fields, read from source text as `rustfmt` writes it.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    doc: String,
    fields: Vec<Field>,
}

/// Reads `pub struct NAME { … }` from a source text. `None` if there is none.
fn table(source: &str, name: &str) -> Option<Table> {
    let opening = format!("pub struct {name} {{");
    let (mut doc, mut attributes) = (Vec::new(), Vec::new());
    let mut lines = source.lines().map(str::trim);
    loop {
        let line = lines.next()?;
        if line == opening {
            break;
        }
        comment_or_attribute(line, &mut doc, &mut attributes);
    }
    let all_default = attributes.iter().any(|a| a.contains("serde(") && a.contains("default"));
    let mut table = Table { doc: doc.join(" "), fields: Vec::new() };
    let (mut doc, mut attributes) = (Vec::new(), Vec::new());
    for line in lines {
        if line == "}" {
            return Some(table);
        }
        if let Some((field, kind)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            let renamed = attributes
                .iter()
                .find_map(|a: &String| a.split_once("rename = \"")?.1.split('"').next().map(str::to_owned));
            let kind = kind.trim_end_matches(',');
            let default = attributes.iter().any(|a| a.contains("default"));
            table.fields.push(Field {
                name: renamed.unwrap_or_else(|| field.to_owned()),
                kind: words(kind),
                optional: all_default || default,
                doc: doc.join(" "),
            });
            doc.clear();
            attributes.clear();
        } else {
            comment_or_attribute(line, &mut doc, &mut attributes);
        }
    }
    None
}

fn comment_or_attribute(line: &str, doc: &mut Vec<String>, attributes: &mut Vec<String>) {
    if let Some(text) = line.strip_prefix("///") {
        doc.push(text.trim().to_owned());
    } else if line.starts_with("#[") {
        attributes.push(line.to_owned());
    } else {
        doc.clear();
        attributes.clear();
    }
}

/// A Rust type in the words of TOML.
fn words(kind: &str) -> String {
    let inside = |outer: &str| kind.strip_prefix(outer).and_then(|k| k.strip_suffix('>'));
    if let Some(kind) = inside("Option<") {
        return words(kind);
    }
    if let Some(kind) = inside("Vec<") {
        return format!("list of {}", words(kind));
    }
    if kind.starts_with("BTreeMap<") {
        return "table of lists of strings".to_owned();
    }
    match kind {
        "String" => "string",
        "bool" => "boolean",
        "u64" | "u32" | "u8" | "usize" => "integer",
        "uuid::Uuid" => "UUID",
        "SocketAddr" => "address and port",
        "Id<Identity>" => "identity id",
        "Tlp" => "TLP level",
        "OnWarning" => "`note` or `suppress`",
        "Validation" => "`warn` or `refuse`",
        "Redaction" => "`allowed` or `forbidden`",
        "ForeignAlternatives" => "`keep` or `remove`",
        "OnWithdrawal" => "`drop` or `keep`",
        "[String; 2]" => "pair of strings",
        _ => {
            let name = kind.rsplit("::").next().unwrap_or(kind);
            let known = SOURCES.iter().flat_map(|(_, tables)| *tables).any(|(table, _)| *table == name);
            assert!(known, "`{kind}` is no table of SOURCES, and how it is written stands nowhere");
            "table"
        }
    }
    .to_owned()
}

/// Text for a cell of a table: links of rustdoc become code.
fn cell(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

fn page_of_configuration(read: &dyn Fn(&str) -> String) -> String {
    let mut page = String::from(
        "# Configuration\n\nMade from the doc comments of `crates/node/src/config/`; `make golden` writes it anew. Unknown keys are errors, and every fault of every file is told at once.\n",
    );
    let head = read(DIRECTORY);
    let mut code = false;
    for line in head.lines().take_while(|line| line.starts_with("//!")) {
        let line = line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default();
        if line.starts_with("```") {
            code = !code;
            let _ = writeln!(page, "{}", if code { "\n```text" } else { "```" });
        } else if code {
            let _ = writeln!(page, "{}", line.replace("[`", "").replace("`]", ""));
        }
    }
    for (path, tables) in SOURCES {
        let source = read(path);
        for (name, heading) in tables {
            let table = table(&source, name).unwrap_or_else(|| panic!("{path}: no `pub struct {name}`"));
            assert!(
                !table.fields.is_empty() && !table.doc.is_empty(),
                "{path}: `{name}` has no doc comment or no fields"
            );
            let _ = write!(
                page,
                "\n## {heading}\n\n{}\n\n| key | value | needed | meaning |\n|---|---|---|---|\n",
                cell(&table.doc)
            );
            for field in table.fields {
                assert!(!field.doc.is_empty(), "{path}: `{name}.{}` has no doc comment", field.name);
                let needed = if field.optional { "no" } else { "yes" };
                let _ = writeln!(page, "| `{}` | {} | {needed} | {} |", field.name, field.kind, cell(&field.doc));
            }
        }
    }
    page
}

/// Names under `Commands:` in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with(' '));
    // Continued descriptions are indented further than names are.
    let names = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

fn write_command(page: &mut String, words: &[String], help: &dyn Fn(&[String]) -> String) {
    let text = help(words);
    let name = [&["entente".to_owned()], words].concat().join(" ");
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", text.trim_end());
    for next in subcommands(&text) {
        write_command(page, &[words, &[next]].concat(), help);
    }
}

fn page_of_commands(help: &dyn Fn(&[String]) -> String) -> String {
    let mut page = String::from(
        "# Commands\n\nMade from `--help` of every command; `make golden` writes it anew. Data goes to standard output, everything else to standard error.\n",
    );
    write_command(&mut page, &[], help);
    page
}

/// The program: ENTENTE_BIN, else the debug build beside this test, brought up to date.
fn program() -> PathBuf {
    if let Some(path) = env::var_os("ENTENTE_BIN") {
        return path.into();
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "-p", "entente", "--bin", "entente"])
        .current_dir(tree::root())
        .stdin(Stdio::null())
        .status()
        .expect("cargo runs");
    assert!(built.success(), "`entente` does not build");
    let here = env::current_exe().expect("the test's own path");
    let profile = here.parent().and_then(|deps| deps.parent()).expect("deps lie in the profile's folder");
    profile.join("entente")
}

fn help_of(program: &std::path::Path, words: &[String]) -> String {
    let output = Command::new(program)
        .args(words)
        .arg("--help")
        .env_remove("ENTENTE_DIR")
        .env_remove("ENTENTE_CORPUS")
        .env("COLUMNS", "120")
        .stdin(Stdio::null())
        .output()
        .expect("`entente --help` runs");
    assert!(output.status.success(), "entente {words:?} --help: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("help is UTF-8");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Compares with the file, or writes it.
pub(crate) fn golden(name: &str, page: &str) {
    let path = tree::root().join("docs/reference").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, page).expect("the page can be written");
        return;
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    let first = held.lines().zip(page.lines()).position(|(held, now)| held != now);
    let line = first.unwrap_or_else(|| held.lines().count().min(page.lines().count()));
    assert!(
        held == page,
        "docs/reference/{name} is not what the program says, from line {}:\n  the page: {:?}\n  now:      {:?}\n`make golden` writes it anew",
        line + 1,
        held.lines().nth(line),
        page.lines().nth(line)
    );
}

#[test]
fn the_configuration_page_is_what_the_doc_comments_say() {
    let read = |path: &str| fs::read_to_string(tree::root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    golden("configuration.md", &page_of_configuration(&read));
}

#[test]
fn the_commands_page_is_what_help_says() {
    let program = program();
    let page = page_of_commands(&|words| help_of(&program, words));
    assert!(page.matches("\n## entente ").count() > 20, "the commands were found");
    golden("commands.md", &page);
}

#[test]
fn every_table_of_the_configuration_is_on_the_page() {
    for (path, tables) in SOURCES {
        let source = fs::read_to_string(tree::root().join(path)).expect("the source is there");
        let declared =
            source.lines().filter_map(|line| line.strip_prefix("pub struct ")?.strip_suffix(" {")).collect::<Vec<_>>();
        let listed = tables.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(declared, listed, "{path}");
    }
}

#[test]
fn a_table_is_read_with_its_docs_names_and_defaults() {
    let source = "/// One\n/// two.\n#[derive(Debug)]\n#[serde(deny_unknown_fields)]\npub struct A {\n    /// A name.\n    pub name: String,\n    /// Many | more,\n    /// see [`B`].\n    #[serde(default, rename = \"thing\")]\n    pub things: Vec<u64>,\n}\n\n#[serde(default)]\npub struct B {\n    pub on: Option<bool>,\n}\n";
    let field = |name: &str, kind: &str, optional, doc: &str| Field {
        name: name.into(),
        kind: kind.into(),
        optional,
        doc: doc.into(),
    };
    let a = table(source, "A").unwrap();
    assert_eq!(a.doc, "One two.");
    assert_eq!(
        a.fields,
        [field("name", "string", false, "A name."), field("thing", "list of integer", true, "Many | more, see [`B`].")]
    );
    assert_eq!(cell(&a.fields[1].doc), "Many \\| more, see `B`.");
    assert_eq!(table(source, "B").unwrap().fields, [field("on", "boolean", true, "")]);
    assert_eq!(table(source, "C"), None);
}

#[test]
fn commands_are_found_at_every_depth() {
    let help = |words: &[String]| {
        match words.len() {
        0 => "About\n\nCommands:\n  one   First\n          and more\n  two   Second\n  help  Print this\n\nOptions:\n  -h\n".to_owned(),
        1 if words[0] == "two" => "Second\n\nCommands:\n  deep  Deep\n  help  x\n".to_owned(),
        _ => "Leaf\n\nOptions:\n  -h\n".to_owned(),
    }
    };
    let page = page_of_commands(&help);
    let heads: Vec<_> = page.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(heads, ["## entente", "## entente one", "## entente two", "## entente two deep"]);
}
