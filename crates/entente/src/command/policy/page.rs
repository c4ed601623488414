//! The page for the security officer: one file, nothing loaded from elsewhere, nothing run; readable by a screen reader and in print.

use super::members;
use serde_json::Value;
use std::fmt::Write as _;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
table{border-collapse:collapse;margin:0 0 2rem;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}\
th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top}th{background:#f2f2f2}\
code{overflow-wrap:anywhere}@media print{body{margin:0;max-width:none}}";

/// How a reader comes to read something, in the words of section 6.
const RULES: [&str; 5] = [
    "The level must be in the reader's list; a list with a gap counts only up to the gap.",
    "Of every restrictive tag on a label the reader must hold all values.",
    "Of every permissive tag on a label the reader must hold at least one value; an empty one is for nobody.",
    "Informative tags and privacy marks decide nothing.",
    "Whatever is unknown here, is refused: a level, a tag, a value, a policy outside its dates.",
];

/// Text with the characters of markup replaced.
pub(super) fn escaped(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A table of the page: caption, heads, rows; the first cell of a row is its head.
struct Table {
    caption: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn text_of(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn languages(policy: &Value) -> Vec<String> {
    policy["languages"].as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn markings(about: &Value, languages: &[String]) -> Vec<String> {
    languages.iter().map(|l| text_of(&about["markings"], l)).collect()
}

fn notes(about: &Value) -> String {
    let mut notes = vec![text_of(about, "rules")];
    if about["obsolete"] == true {
        notes.push("obsolete: not for new labels".to_owned());
    }
    for (member, words) in [("not_before", "from"), ("not_after", "until"), ("aliases", "also written")] {
        let text = text_of(about, member);
        if !text.is_empty() {
            notes.push(format!("{words} {text}"));
        }
    }
    notes.retain(|n| !n.is_empty());
    notes.join("; ")
}

fn tables(policy: &Value) -> Vec<Table> {
    let languages = languages(policy);
    let mut heads: Vec<String> = languages.iter().map(|l| format!("marking ({l})")).collect();
    let mut levels: Vec<(&String, &Value)> = members(policy, "classifications").collect();
    levels.sort_by_key(|(_, about)| about["rank"].as_i64());
    heads.insert(0, "level, lowest first".to_owned());
    heads.push("rules".to_owned());
    let row = |(name, about): (&String, &Value)| {
        [vec![name.clone()], markings(about, &languages), vec![notes(about)]].concat()
    };
    let mut all =
        vec![Table { caption: "Levels".to_owned(), heads: heads.clone(), rows: levels.into_iter().map(row).collect() }];
    for (set, about) in members(policy, "tag_sets") {
        for (kind, values) in members(about, "values") {
            "value".clone_into(&mut heads[0]);
            let meaning = match kind.as_str() {
                "restrictive" => "the reader must hold all of them",
                "permissive" => "the reader must hold at least one of them",
                _ => "handling advice, decides nothing",
            };
            let role = about["role"].as_str().map(|r| format!("; it {r}")).unwrap_or_default();
            all.push(Table {
                caption: format!("{set} ({kind}: {meaning}{role})"),
                heads: heads.clone(),
                rows: values.as_object().into_iter().flatten().map(row).collect(),
            });
        }
    }
    for (version, groups) in members(policy, "memberships") {
        let row = |(group, members): (&String, &Value)| {
            let members: Vec<&str> = members.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            vec![group.clone(), members.join(", "), members.len().to_string()]
        };
        all.push(Table {
            caption: format!(
                "Groups and their members ({version}): whoever joins later does not gain what was labelled before"
            ),
            heads: ["group", "members", "how many"].map(ToOwned::to_owned).to_vec(),
            rows: groups.as_object().into_iter().flatten().map(row).collect(),
        });
    }
    let thresholds: Vec<Vec<String>> = members(policy, "thresholds")
        .map(|(what, t)| vec![what.clone(), text_of(t, "more_than"), text_of(t, "floor")])
        .collect();
    if !thresholds.is_empty() {
        all.push(Table {
            caption: "A product is held for a person when it has more than".to_owned(),
            heads: ["of what", "how many", "and may not go below"].map(ToOwned::to_owned).to_vec(),
            rows: thresholds,
        });
    }
    all
}

fn head(policy: &Value) -> Vec<(&'static str, String)> {
    let members = [
        ("object identifier", "oid"),
        ("version", "version"),
        ("valid from", "not_before"),
        ("valid until", "not_after"),
        ("policy for what has no label (shown, not followed)", "default_policy"),
        ("SHA-384 of the file", "sha384"),
    ];
    members.map(|(words, member)| (words, text_of(policy, member))).into_iter().filter(|(_, t)| !t.is_empty()).collect()
}

/// As HTML.
pub(super) fn html(policy: &Value) -> String {
    let name = escaped(&text_of(policy, "name"));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<title>Security policy {name}</title><style>{STYLE}</style></head>\n<body><main>\n<h1>Security policy {name}</h1>\n<dl>\n"
    );
    // Writing to a string cannot fail.
    for (words, text) in head(policy) {
        let _ = writeln!(out, "<dt>{words}</dt><dd><code>{}</code></dd>", escaped(&text));
    }
    out.push_str("</dl>\n<h2>Who may read what</h2>\n<ol>\n");
    for rule in RULES {
        let _ = writeln!(out, "<li>{}</li>", escaped(rule));
    }
    out.push_str("</ol>\n<h2>What a label may say</h2>\n");
    for table in tables(policy) {
        let _ = writeln!(out, "<table><caption>{}</caption>\n<thead><tr>", escaped(&table.caption));
        for head in &table.heads {
            let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(head));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            out.push_str("<tr>");
            for (i, cell) in row.iter().enumerate() {
                // Right-to-left text must not turn what stands beside it (L-062).
                let cell = format!("<bdi dir=\"auto\">{}</bdi>", escaped(cell));
                let _ =
                    if i == 0 { write!(out, "<th scope=\"row\">{cell}</th>") } else { write!(out, "<td>{cell}</td>") };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table>\n");
    }
    out.push_str("</main></body>\n</html>\n");
    out
}

/// As text.
pub(super) fn text(policy: &Value) -> String {
    let mut out = format!("Security policy {}\n\n", text_of(policy, "name"));
    for (words, text) in head(policy) {
        let _ = writeln!(out, "{words}: {text}");
    }
    out.push_str("\nWho may read what\n");
    for (n, rule) in RULES.iter().enumerate() {
        let _ = writeln!(out, "  {}. {rule}", n + 1);
    }
    for table in tables(policy) {
        let _ = writeln!(out, "\n{}", table.caption);
        for row in &table.rows {
            let mut cells = table.heads.iter().zip(row);
            if let Some((_, first)) = cells.next() {
                let _ = writeln!(out, "  {first}");
            }
            for (head, cell) in cells.filter(|(_, c)| !c.is_empty()) {
                let _ = writeln!(out, "    {head}: {cell}");
            }
        }
    }
    out
}
