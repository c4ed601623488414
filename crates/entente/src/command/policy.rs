use super::FAULTS;
use crate::{print, render};
use clap::Subcommand;
use describe::describe;
use label::{Policies, Policy};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(super) mod describe;
mod page;

/// `entente policy …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check policy files, each by itself and all together; every fault at once. Exit code 0 sound, 4 faults.
    #[command(after_help = "Example:\n  entente policy check policies/nato.spif.xml policies/partner.spif.xml")]
    Check {
        /// SPIF files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// What a policy file says: levels, tag sets, values, rules, groups.
    #[command(after_help = "Example:\n  entente policy show policies/nato.spif.xml --json")]
    Show {
        /// SPIF file.
        file: PathBuf,
    },
    /// What changes between two editions of a policy, member by member.
    #[command(after_help = "Example:\n  entente policy diff policies/nato.spif.xml draft/nato.spif.xml")]
    Diff {
        /// The edition in use.
        old: PathBuf,
        /// The edition to come.
        new: PathBuf,
    },
    /// A page for the security officer: levels, categories, who may read what. HTML, or text if the name ends in `.txt`.
    #[command(after_help = "Example:\n  entente policy render policies/nato.spif.xml --output nato.html")]
    Render {
        /// SPIF file.
        file: PathBuf,
        /// File to create.
        #[arg(long)]
        output: PathBuf,
    },
}

impl PolicyCommand {
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let show = |value: &Value| print(&if json { value.to_string() } else { render::text(value) });
        match self {
            Self::Check { files } => {
                let (faults, rows) = check(&files);
                show(&json!({ "policies": rows, "faults": faults }));
                return Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) });
            }
            Self::Show { file } => show(&describe(&load(&file)?)),
            Self::Diff { old, new } => show(&json!(diff(&describe(&load(&old)?), &describe(&load(&new)?)))),
            Self::Render { file, output } => {
                let policy = describe(&load(&file)?);
                let text = output.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"));
                let page = if text { page::text(&policy) } else { page::html(&policy) };
                fs::write(&output, page).map_err(|e| format!("`{}`: {e}", output.display()))?;
                show(&json!({ "page": output.display().to_string() }));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn check(files: &[PathBuf]) -> (Vec<String>, Vec<Value>) {
    let (mut faults, mut rows, mut list) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let name = file.display();
        match fs::read(file) {
            Err(e) => faults.push(format!("{name}: {e}")),
            Ok(bytes) => match Policy::load(&bytes) {
                Err(found) => faults.extend(found.faults.iter().map(|f| format!("{name}: {f}"))),
                Ok(policy) => {
                    rows.push(json!({"file": name.to_string(), "policy": policy.name(), "oid": policy.oid(), "version": policy.version()}));
                    list.push(policy);
                }
            },
        }
    }
    if let Err(found) = Policies::new(list) {
        faults.extend(found.faults);
    }
    (faults, rows)
}

pub(super) fn load(file: &Path) -> Result<Policy, String> {
    let bytes = fs::read(file).map_err(|e| format!("`{}`: {e}", file.display()))?;
    Policy::load(&bytes).map_err(|e| format!("`{}`: {}", file.display(), e.faults.join("\n")))
}

/// Every leaf that differs, by its path.
fn diff(old: &Value, new: &Value) -> Vec<Value> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    flatten("", old, &mut before);
    flatten("", new, &mut after);
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = paths.into_iter().filter(|p| before.get(*p) != after.get(*p));
    differ.map(|p| json!({"where": p, "old": before.get(p), "new": after.get(p)})).collect()
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path} / {name}") };
    match value {
        Value::Object(members) if !members.is_empty() => {
            // That a named thing is there at all is a leaf too: a value without rules must show as new.
            into.insert(path.to_owned(), "present".to_owned());
            members.iter().for_each(|(name, value)| flatten(&below(name), value, into));
        }
        Value::Object(_) | Value::Null | Value::Bool(false) => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            into.insert(path.to_owned(), items.join("; "));
        }
        Value::String(text) => drop(into.insert(path.to_owned(), text.clone())),
        other => drop(into.insert(path.to_owned(), other.to_string())),
    }
}

/// Members of an object, empty if it is none.
fn members<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn policy(name: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../label/policies/{name}.spif.xml")))
            .unwrap()
    }

    /// Issue 4, section 3 of labels.md: what is new, gone and changed is told by name.
    #[test]
    fn a_diff_names_what_is_new_gone_and_changed() {
        let old = policy("nato-demo");
        let new = old
            .replace("name=\"KFOR\" lacv=\"1501\"", "name=\"SFOR\" lacv=\"1501\"")
            .replace("phrase=\"DIFFUSION RESTREINTE\"", "phrase=\"DIFFUSION TRES RESTREINTE\"");
        assert_ne!(old, new);
        let describe = |s: &str| describe(&Policy::load(s.as_bytes()).unwrap());
        assert_eq!(diff(&describe(&old), &describe(&old)), Vec::<Value>::new());
        let found = diff(&describe(&old), &describe(&new));
        let has = |what: &str, member: &str, value: &Value| {
            assert!(found.iter().any(|d| d["where"] == what && d[member] == *value), "{what}: {found:#?}");
        };
        has("tag_sets / Releasable To / values / permissive / SFOR", "old", &Value::Null);
        has("tag_sets / Releasable To / values / permissive / KFOR", "new", &Value::Null);
        has("classifications / RESTRICTED / markings / fr", "new", &json!("DIFFUSION TRES RESTREINTE"));
        has("sha384", "old", &describe(&old)["sha384"]);
    }

    /// L-062: the page is one file, escapes what it shows, isolates text by direction, and names every level, value and member.
    #[test]
    fn the_page_shows_everything_and_runs_nothing() {
        for name in ["nato-demo", "xpa-demo", "public"] {
            let hostile = policy(name)
                .replace("UNCLASSIFIED\" lacv", "UN&lt;script&gt;CLASSIFIED\" lacv")
                .replace("<spif:excludedClass>UNCLASSIFIED<", "<spif:excludedClass>UN&lt;script&gt;CLASSIFIED<");
            let described = describe(&Policy::load(hostile.as_bytes()).unwrap());
            let (html, text) = (page::html(&described), page::text(&described));
            for part in ["<script", "http://", "https://", "<link", "<img", "url("] {
                assert!(!html.contains(part), "{name}: {part}");
            }
            for part in
                ["<html lang=\"en\">", "<title>", "<main>", "<caption>", "scope=\"col\"", "scope=\"row\"", "<bdi"]
            {
                assert!(html.contains(part), "{name}: {part}");
            }
            for (level, _) in members(&described, "classifications") {
                assert!(text.contains(level.as_str()) && html.contains(&page::escaped(level)), "{name}: {level}");
            }
            for (set, about) in members(&described, "tag_sets") {
                assert!(text.contains(set.as_str()));
                for (_, values) in members(about, "values") {
                    for value in values.as_object().unwrap().keys() {
                        assert!(
                            text.contains(value.as_str()) && html.contains(&page::escaped(value)),
                            "{name}: {value}"
                        );
                    }
                }
            }
        }
    }
}
