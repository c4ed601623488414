//! Verdicts about single objects beside those of stix2-validator 3.2.0 and stix2 3.0.2: objects of the corpus, the smallest object of every type, and mutants of
//! both. Every disagreement is a row of `docs/reference/differences.md`, with its reason; there is no row for what nobody understands.
//!
//! `ENTENTE_MUTANTS` sets how many mutants (2,000), `ENTENTE_MUTANTS_SEED` the seed, which is printed, and `ENTENTE_MUTANTS_CORPUS` how many objects of the corpus
//! are compared as they are (500; `all` takes each). `ENTENTE_MUTANTS_LIST` names a file that gets every disagreement as a line of JSON.

mod mutate;

use crate::{minimal, peer, replay::seeds::Random, sources};
use regex::Regex;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
};
use stix::{
    Class, Limits,
    stream::{Element, Stream},
    validate::{Finding, Options, object},
};

const MUTANTS: usize = 2_000;
const AS_THEY_ARE: usize = 500;
const SEED: u64 = 20_261_124;
/// Objects of one type and version that mutants are made of.
const EACH_MAX: usize = 60;
/// Larger ones make the peers slow and show nothing new.
const BYTES_MAX: usize = 3_000;
/// Processes of the peers at once.
const PROCESSES: usize = 2;
/// Disagreements that are shown if one has no row.
const SHOWN_MAX: usize = 60;

/// A row of the table.
struct Row {
    peer: String,
    /// What they say, or `None`: they accept.
    theirs: Option<Regex>,
    /// What we say.
    ours: Option<Regex>,
}

/// Rows `| peer | theirs | ours | why |`; a cell in code is an expression.
fn table() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/differences.md");
    let text = fs::read_to_string(path).unwrap();
    let expression = |cell: &str| match cell {
        "accepts" | "-" => None,
        _ => {
            // A bar inside a cell is written with a backslash.
            let text = cell.strip_prefix('`').and_then(|c| c.strip_suffix('`')).expect(cell).replace("\\|", "|");
            Some(Regex::new(&text).expect(cell))
        }
    };
    let cells = text
        .lines()
        .filter(|line| line.starts_with("| stix2"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    cells
        .map(|cells| {
            assert!(cells.len() == 4 && cells[3].len() > 10, "{cells:?}: four cells, a reason");
            assert!(cells[1] != "-" && (cells[1] != "accepts" || cells[2] != "-"), "{cells:?}: a row for everything");
            Row { peer: cells[0].to_owned(), theirs: expression(cells[1]), ours: expression(cells[2]) }
        })
        .collect()
}

/// An object to be judged.
struct Case {
    made: String,
    version: &'static str,
    text: String,
    findings: Vec<Finding>,
}

impl Case {
    fn new(made: String, text: String) -> Self {
        let findings = object(&text, &Limits::default(), &Options { advice: true, schemas: None });
        Self { made, version: version(&text), text, findings }
    }

    fn refused(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }
}

/// By which version an object is judged here (S-028).
fn version(text: &str) -> &'static str {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let versioned = value.get("created").is_some() && value.get("modified").is_some();
    match (value["spec_version"].as_str(), Class::of(value["type"].as_str().unwrap_or_default())) {
        (Some("2.0"), _) => "2.0",
        _ if value.get("spec_version").is_some() => "2.1",
        (_, Class::Sco) => "2.1",
        (_, Class::Custom) if !versioned => "2.1",
        _ => "2.0",
    }
}

fn told(finding: &Finding) -> String {
    format!("{} {} {} {}: {}", finding.level, finding.requirement, finding.code, finding.path, finding.message)
}

/// Objects by version and type.
type Groups = BTreeMap<(&'static str, String), Vec<Value>>;

/// Objects of the corpus that are small enough, by version and type, and the smallest of each type.
fn seeds(corpus: &Path) -> (Vec<String>, Groups) {
    let mut all = Vec::new();
    let mut groups = Groups::new();
    for path in sources::stix_files(corpus) {
        let bytes = sources::bytes(&path);
        let mut stream = Stream::new(bytes.as_slice(), Limits::default());
        while let Some(element) = stream.next_element().unwrap() {
            if let Element::Part { raw, .. } = element {
                all.push(raw.replace(['\n', '\r', '\t'], " "));
            }
        }
    }
    for text in &all {
        if text.len() <= BYTES_MAX {
            let value: Value = serde_json::from_str(text).unwrap();
            let type_name = value["type"].as_str().unwrap_or_default().to_owned();
            groups.entry((version(text), type_name)).or_default().push(value);
        }
    }
    for group in groups.values_mut() {
        let step = group.len().div_ceil(EACH_MAX);
        *group = group.drain(..).step_by(step).collect();
    }
    for type_name in minimal::types() {
        groups.entry(("2.1", type_name.to_owned())).or_default().push(minimal::minimal(type_name));
    }
    (all, groups)
}

fn cases(corpus: &Path, seed: u64, number: &dyn Fn(&str, usize) -> usize) -> Vec<Case> {
    let mut random = Random::new(seed);
    let (all, groups) = seeds(corpus);
    let wanted = number("ENTENTE_MUTANTS_CORPUS", AS_THEY_ARE).min(all.len());
    let step = all.len() / wanted.max(1);
    let mut cases: Vec<Case> =
        all.into_iter().step_by(step.max(1)).take(wanted).map(|text| Case::new("as it is".to_owned(), text)).collect();
    cases.extend(minimal::types().map(|t| Case::new("smallest".to_owned(), minimal::minimal(t).to_string())));
    let groups: Vec<&Vec<Value>> = groups.values().collect();
    for _ in 0..number("ENTENTE_MUTANTS", MUTANTS) {
        let group = *random.choose(&groups);
        let (made, text) = mutate::mutant(random.choose(group), &mut random);
        cases.push(Case::new(made, text));
    }
    cases
}

/// Asks the peers, several processes at once.
fn answers(cases: &[Case]) -> Option<Vec<Value>> {
    let share = cases.len().div_ceil(PROCESSES);
    let ask = |cases: &[Case]| {
        let input = cases.iter().fold(String::new(), |mut input, case| {
            writeln!(input, "{}\t{}", case.version, case.text).unwrap();
            input
        });
        peer::python("verdicts.py", &[], input)
    };
    let parts: Vec<Option<Vec<String>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = cases.chunks(share).map(|part| scope.spawn(move || ask(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let lines: Vec<String> = parts.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    Some(lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What of a disagreement no row covers; none if all is covered. `used` counts the rows.
fn uncovered(
    rows: &[Row],
    peer: &str,
    case: &Case,
    theirs: &[String],
    used: &mut BTreeMap<usize, usize>,
) -> Vec<String> {
    let mut cover = |fits: &dyn Fn(&Row) -> bool| {
        let row = rows.iter().position(|row| row.peer == peer && fits(row));
        row.map(|row| *used.entry(row).or_default() += 1).is_some()
    };
    if theirs.is_empty() {
        let errors = case.findings.iter().filter(|f| f.is_error()).map(told);
        return errors
            .filter(|error| !cover(&|row| row.theirs.is_none() && row.ours.as_ref().is_some_and(|o| o.is_match(error))))
            .collect();
    }
    let notes: Vec<String> = case.findings.iter().map(told).collect();
    let said = |row: &Row| row.ours.as_ref().is_none_or(|ours| notes.iter().any(|note| ours.is_match(note)));
    let covered =
        |message: &String| cover(&|row| row.theirs.as_ref().is_some_and(|t| t.is_match(message)) && said(row));
    let mut covered = covered;
    theirs.iter().filter(|message| !covered(message)).cloned().collect()
}

/// S-157, S-158, SD-03, SD-04, SD-07, SD-08, SD-11: verdicts agree, or the table says why not.
#[test]
fn verdicts_about_mutants_agree_with_the_reference_programs_or_are_explained() {
    let Some(corpus) = sources::corpus("comparison of verdicts about mutants") else { return };
    let number = |name: &str, default: usize| match env::var(name).as_deref() {
        Ok("all") => usize::MAX,
        Ok(number) => number.parse().expect(name),
        Err(_) => default,
    };
    let seed = env::var("ENTENTE_MUTANTS_SEED").ok().map_or(SEED, |seed| seed.parse().expect("a seed is a number"));
    eprintln!("seed {seed}");
    let rows = table();
    let cases = cases(&corpus, seed, &number);
    let Some(answers) = answers(&cases) else { return };
    let (mut agreed, mut explained, mut used) = (0, 0, BTreeMap::new());
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    // What differs from one case of a kind to the next.
    let particular = Regex::new(r"[0-9a-f]{8}-[0-9a-f-]{27}|'[^']*'|\d+").unwrap();
    let list = env::var_os("ENTENTE_MUTANTS_LIST");
    let mut list = list.map(|path| std::io::BufWriter::new(fs::File::create(path).unwrap()));
    for (case, answer) in cases.iter().zip(&answers) {
        let texts = |value: &Value| -> Vec<String> {
            let list = value.as_array().into_iter().flatten().chain(Some(value).filter(|v| v.is_string()));
            list.filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        for (peer, theirs) in [("stix2-validator", texts(&answer["validator"])), ("stix2", texts(&answer["stix2"]))] {
            if theirs.is_empty() != case.refused() {
                agreed += 1;
                continue;
            }
            let left = uncovered(&rows, peer, case, &theirs, &mut used);
            if left.is_empty() {
                explained += 1;
            }
            let notes: Vec<_> = case.findings.iter().map(told).collect();
            if let Some(list) = &mut list {
                let case = json!({"peer": peer, "made": case.made, "version": case.version, "text": case.text});
                writeln!(list, "{}", json!({"case": case, "theirs": theirs, "ours": notes, "left": left})).unwrap();
            }
            for what in left {
                let side = if theirs.is_empty() { "accepts" } else { "refuses" };
                let key = particular.replace_all(&what, "…");
                let told = format!("{what}\n    {}: {}\n    ours: {notes:?}", case.made, case.text);
                wrong.entry(format!("{peer} {side} {}: {key}", case.version)).or_insert((0, told)).0 += 1;
            }
        }
    }
    let unused: BTreeSet<usize> = (0..rows.len()).filter(|row| !used.contains_key(row)).collect();
    eprintln!(
        "{} objects, two peers: {agreed} verdicts agree, {explained} differ as the table explains; {} of {} rows not seen",
        cases.len(),
        unused.len(),
        rows.len()
    );
    if env::var_os("ENTENTE_MUTANTS_ROWS").is_some() {
        for (row, count) in &used {
            eprintln!("{count:6} {} {:?} {:?}", rows[*row].peer, rows[*row].theirs, rows[*row].ours);
        }
    }
    let mut wrong: Vec<_> = wrong.into_iter().collect();
    wrong.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let shown: Vec<_> =
        wrong.iter().take(SHOWN_MAX).map(|(key, (n, told))| format!("{n}x {key}\n    {told}")).collect();
    assert!(wrong.is_empty(), "{} kinds of disagreement without a row:\n{}", wrong.len(), shown.join("\n"));
}
