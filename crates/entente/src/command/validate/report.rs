//! Findings as text, as a line of JSON, as a SARIF log.

use super::Outcome;
use serde_json::{Value, json};
use std::fmt::Write as _;
use stix::validate::{Checked, Code, Level};

/// One line: `{"file","valid","objects","errors":[{"code","path","id","message"}],"warnings":[…]}`.
pub(super) fn json(outcome: &Outcome) -> String {
    let of = |errors: bool| -> Vec<Value> {
        outcome.findings.iter().filter(|c| (c.finding.level == Level::Error) == errors).map(record).collect()
    };
    json!({
        "file": outcome.file,
        "valid": outcome.valid,
        "objects": outcome.objects,
        "errors": of(true),
        "warnings": of(false),
    })
    .to_string()
}

fn record(checked: &Checked) -> Value {
    let finding = &checked.finding;
    json!({
        "code": finding.code.as_str(),
        "path": finding.path,
        "id": checked.id,
        "message": sentence(checked),
    })
}

/// The message with the requirement behind it.
fn sentence(checked: &Checked) -> String {
    let finding = &checked.finding;
    if finding.requirement.is_empty() {
        finding.message.to_string()
    } else {
        format!("{} ({})", finding.message, finding.requirement)
    }
}

/// For people: a line for the file, then its findings, errors first.
pub(super) fn text(outcome: &Outcome, limit: usize, color: bool) -> String {
    let paint = |code: &str, text: &str| if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() };
    let count = |level: Level| outcome.findings.iter().filter(|c| c.finding.level == level).count();
    let (errors, warnings, advice) = (count(Level::Error), count(Level::Warning), count(Level::Advice));
    let verdict = if outcome.valid { paint("32", "valid") } else { paint("1;31", "not valid") };
    let mut out = format!(
        "{}: {verdict}, {}, {}, {}",
        plain(&outcome.file),
        number(outcome.objects, "object"),
        number(errors, "error"),
        number(warnings, "warning")
    );
    if advice > 0 {
        let _ = write!(
            out,
            ", {}",
            number(advice, "piece").replace("piece", "piece of advice").replace("advices", "advice")
        );
    }
    let mut order: Vec<&Checked> = outcome.findings.iter().collect();
    order.sort_by_key(|checked| std::cmp::Reverse(checked.finding.level));
    for checked in order.iter().take(limit) {
        let finding = &checked.finding;
        let level = match finding.level {
            Level::Error => paint("31", "error"),
            Level::Warning => paint("33", "warning"),
            Level::Advice => paint("36", "advice"),
        };
        let place = if finding.path.is_empty() { "the document" } else { finding.path.as_str() };
        let id = checked.id.as_deref().map_or(String::new(), |id| format!(" of {}", plain(id)));
        let _ = write!(out, "\n  {level} [{}] {}{id}: {}", finding.code, plain(place), plain(&sentence(checked)));
    }
    if order.len() > limit {
        let _ = write!(out, "\n  … and {} more (--limit)", order.len() - limit);
    }
    out
}

fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Control characters of foreign text must not reach a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A SARIF 2.1.0 log of one run.
#[derive(Default)]
pub(super) struct Sarif {
    results: Vec<Value>,
}

impl Sarif {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.results.extend(outcome.findings.iter().map(|checked| {
            let finding = &checked.finding;
            json!({
                "ruleId": finding.code.as_str(),
                "level": match finding.level {
                    Level::Error => "error",
                    Level::Warning => "warning",
                    Level::Advice => "note",
                },
                "message": {"text": sentence(checked)},
                "locations": [{
                    "physicalLocation": {"artifactLocation": {"uri": uri(&outcome.file)}},
                    "logicalLocations": [{"fullyQualifiedName": finding.path, "name": checked.id, "kind": "object"}],
                }],
                "properties": {"requirement": finding.requirement},
            })
        }));
    }

    pub(super) fn finish(self) -> String {
        let rules: Vec<Value> = Code::ALL
            .iter()
            .map(|(code, meaning)| json!({"id": code.as_str(), "shortDescription": {"text": meaning}}))
            .collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {"name": "entente validate", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
                "results": self.results,
            }],
        })
        .to_string()
    }
}

/// A path as a relative or absolute URI reference: what a URI may not hold is percent-encoded.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("a b/ü.json"), "a%20b/%C3%BC.json");
    }

    #[test]
    fn control_characters_of_foreign_text_do_not_reach_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\n"), "a [31mb ");
    }
}
