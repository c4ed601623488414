//! Findings as text, as a line of JSON, as a SARIF log. What is told one by one goes to a temporary file when it grows long, not to memory.

use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{self, Cursor, Read, Seek as _, Write as _},
};
use stix::validate::{Checked, Code, Level};
use tempfile::SpooledTempFile;

/// Bytes of findings that are held before they go to a temporary file, for each list.
const HELD_BYTES_MAX: usize = 8 << 20;

/// A list of JSON values behind each other, with commas.
struct List {
    values: SpooledTempFile,
    any: bool,
}

impl Default for List {
    fn default() -> Self {
        Self { values: tempfile::spooled_tempfile(HELD_BYTES_MAX), any: false }
    }
}

impl List {
    fn put(&mut self, value: &Value) -> io::Result<()> {
        self.put_from(&mut value.to_string().as_bytes())
    }

    fn put_from(&mut self, values: &mut dyn Read) -> io::Result<()> {
        if std::mem::replace(&mut self.any, true) {
            self.values.write_all(b",")?;
        }
        io::copy(values, &mut self.values).map(drop)
    }

    fn append(&mut self, other: Self) -> io::Result<()> {
        if other.any { self.put_from(&mut other.read()?) } else { Ok(()) }
    }

    fn read(mut self) -> io::Result<SpooledTempFile> {
        self.values.rewind()?;
        Ok(self.values)
    }
}

/// What was found in one file.
pub(super) struct Findings {
    file: String,
    /// Errors, warnings, advice.
    counts: [usize; 3],
    /// About the outer document: few, and told first.
    outer: Vec<Checked>,
    kept: Kept,
    /// The temporary file failed.
    fault: Option<io::Error>,
}

/// Findings about objects, in the form in which they are told.
enum Kept {
    /// So many of each level.
    Listed(usize, [Vec<Checked>; 3]),
    /// Errors, and the others.
    Lines(List, List),
    Sarif(List),
}

fn place(level: Level) -> usize {
    match level {
        Level::Error => 0,
        Level::Warning => 1,
        Level::Advice => 2,
    }
}

impl Findings {
    fn new(file: &str, kept: Kept) -> Self {
        Self { file: file.to_owned(), counts: [0; 3], outer: Vec::new(), kept, fault: None }
    }

    /// For people, at most so many of them.
    pub(super) fn listed(file: &str, limit: usize) -> Self {
        Self::new(file, Kept::Listed(limit, Default::default()))
    }

    /// For a line of JSON.
    pub(super) fn lines(file: &str) -> Self {
        Self::new(file, Kept::Lines(List::default(), List::default()))
    }

    /// For a SARIF log.
    pub(super) fn sarif(file: &str) -> Self {
        Self::new(file, Kept::Sarif(List::default()))
    }

    /// Takes the next one.
    pub(super) fn add(&mut self, checked: Checked) {
        let level = checked.finding.level;
        self.counts[place(level)] += 1;
        if checked.index.is_none() {
            self.outer.push(checked);
            return;
        }
        let put = match &mut self.kept {
            Kept::Listed(limit, lists) => {
                let list = &mut lists[place(level)];
                if list.len() < *limit {
                    list.push(checked);
                }
                Ok(())
            }
            Kept::Lines(errors, _) if level == Level::Error => errors.put(&record(&checked)),
            Kept::Lines(_, others) => others.put(&record(&checked)),
            Kept::Sarif(results) => results.put(&result(&self.file, &checked)),
        };
        if let Err(error) = put {
            self.fault.get_or_insert(error);
        }
    }

    /// Whether the file is valid.
    pub(super) fn valid(&self, strict: bool) -> bool {
        let [errors, warnings, _] = self.counts;
        errors == 0 && !(strict && warnings > 0)
    }

    /// One line: `{"errors":[{"code","id","message","path"}],"file","objects","valid","warnings":[…]}`.
    pub(super) fn json(self, objects: usize, strict: bool) -> io::Result<impl Read> {
        let valid = self.valid(strict);
        let (mut all_errors, mut all_others) = (List::default(), List::default());
        for checked in &self.outer {
            let error = checked.finding.level == Level::Error;
            if error { &mut all_errors } else { &mut all_others }.put(&record(checked))?;
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if let Kept::Lines(errors, others) = self.kept {
            all_errors.append(errors)?;
            all_others.append(others)?;
        }
        let middle = format!("],\"file\":{},\"objects\":{objects},\"valid\":{valid},\"warnings\":[", json!(self.file));
        Ok(Cursor::new("{\"errors\":[")
            .chain(all_errors.read()?)
            .chain(Cursor::new(middle))
            .chain(all_others.read()?)
            .chain(Cursor::new("]}")))
    }

    /// For people: a line for the file, then its findings, errors first.
    pub(super) fn text(&self, objects: usize, strict: bool, color: bool) -> String {
        let paint =
            |code: &str, text: &str| if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() };
        let [errors, warnings, advice] = self.counts;
        let verdict = if self.valid(strict) { paint("32", "valid") } else { paint("1;31", "not valid") };
        let mut out = format!(
            "{}: {verdict}, {}, {}, {}",
            plain(&self.file),
            number(objects, "object"),
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
        let Kept::Listed(limit, lists) = &self.kept else { return out };
        let levels = [Level::Error, Level::Warning, Level::Advice];
        let listed = levels.into_iter().flat_map(|level| {
            let outer = self.outer.iter().filter(move |checked| checked.finding.level == level);
            outer.chain(&lists[place(level)])
        });
        for checked in listed.take(*limit) {
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
        let all = errors + warnings + advice;
        if all > *limit {
            let _ = write!(out, "\n  … and {} more (--limit)", all - limit);
        }
        out
    }
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

fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Control characters of foreign text must not reach a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A result of a SARIF log.
fn result(file: &str, checked: &Checked) -> Value {
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
            "physicalLocation": {"artifactLocation": {"uri": uri(file)}},
            "logicalLocations": [{"fullyQualifiedName": finding.path, "name": checked.id, "kind": "object"}],
        }],
        "properties": {"requirement": finding.requirement},
    })
}

/// A SARIF 2.1.0 log of one run.
#[derive(Default)]
pub(super) struct Sarif {
    results: List,
}

impl Sarif {
    pub(super) fn add(&mut self, findings: &mut Findings) -> io::Result<()> {
        if let Some(fault) = findings.fault.take() {
            return Err(fault);
        }
        for checked in &findings.outer {
            self.results.put(&result(&findings.file, checked))?;
        }
        if let Kept::Sarif(results) = &mut findings.kept {
            self.results.append(std::mem::take(results))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<impl Read> {
        let rules: Vec<Value> = Code::ALL
            .iter()
            .map(|(code, meaning)| json!({"id": code.as_str(), "shortDescription": {"text": meaning}}))
            .collect();
        let driver = json!({"name": "entente validate", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
        let begin = "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{\"results\":[";
        let end = format!("],\"tool\":{{\"driver\":{driver}}}}}],\"version\":\"2.1.0\"}}");
        Ok(Cursor::new(begin).chain(self.results.read()?).chain(Cursor::new(end)))
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
