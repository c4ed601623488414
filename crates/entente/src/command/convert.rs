use super::FAULTS;
use crate::{eprint, print};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use stix::{
    Class, Digest, Limits, Object, canonical,
    convert::{self, Converted, Kind, Strictness, Survey},
    stream::Stream,
};

/// Identifiers and refusals that the account names one by one; the rest is counted.
const NAMED_MAX: usize = 1_000;
/// Refusals told to people.
const REFUSALS_TOLD_MAX: usize = 10;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// `entente convert`.
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The version to convert to.
    #[arg(long)]
    to: To,
    /// Bundles: files, gzip or plain. Several become one bundle.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File to create, instead of standard output.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Leave out what version 2.0 has no name for, instead of keeping it as custom content.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    #[value(name = "2.0")]
    V20,
    #[value(name = "2.1")]
    V21,
}

impl Convert {
    pub(super) fn run(&self, as_json: bool) -> Result<ExitCode, String> {
        let mut account = Account::default();
        match &self.output {
            None => self.write(io::stdout().lock(), &mut account)?,
            Some(path) => {
                let file = File::create_new(path).map_err(|e| format!("creating `{}`: {e}", path.display()))?;
                if let Err(error) = self.write(file, &mut account) {
                    // Half a bundle is none.
                    let _ = fs::remove_file(path);
                    return Err(error);
                }
            }
        }
        let told = if as_json { account.json(self.to).to_string() } else { account.text() };
        if as_json && self.output.is_some() {
            print(&told);
        } else {
            eprint(told.trim_end());
        }
        Ok(if account.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
    }

    fn write(&self, out: impl Write, account: &mut Account) -> Result<(), String> {
        let mut out = Bundle {
            out: BufWriter::with_capacity(1 << 16, out),
            id: None,
            to: self.to,
            objects: 0,
            seen: HashSet::new(),
        };
        if self.to == To::V21 {
            for path in &self.files {
                each_object(path, |object, id| match object {
                    Ok(object) => account.add(&convert::lift(&object), id, &mut out),
                    Err(refusal) => {
                        account.refuse(path, &refusal);
                        Ok(())
                    }
                })?;
            }
        } else {
            let mut survey = Survey::default();
            for path in &self.files {
                each_object(path, |object, _| {
                    if let Ok(object) = object {
                        survey.see(&object);
                    }
                    Ok(())
                })?;
            }
            let lowering = survey.finish(if self.strict { Strictness::Strict } else { Strictness::Keep });
            for path in &self.files {
                each_object(path, |object, id| match object {
                    Ok(object) => account.add(&lowering.lower(&object), id, &mut out),
                    Err(refusal) => {
                        account.refuse(path, &refusal);
                        Ok(())
                    }
                })?;
            }
        }
        out.end()?;
        account.written = out.objects;
        Ok(())
    }
}

/// Reads a file object by object, in constant memory; tells the bundle's `id` as raw JSON besides, if it stands before the objects.
fn each_object(
    path: &Path,
    mut tell: impl FnMut(Result<Object, stix::Rejected>, Option<&str>) -> Result<(), String>,
) -> Result<(), String> {
    let place = |e: &dyn std::fmt::Display| format!("reading `{}`: {e}", path.display());
    let mut file = BufReader::new(File::open(path).map_err(|e| place(&e))?);
    let mut head = [0; GZIP.len()];
    let zipped = file.read_exact(&mut head).is_ok() && head == GZIP;
    let file = File::open(path).map_err(|e| place(&e))?;
    let input: Box<dyn Read> =
        if zipped { Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
    let mut stream = Stream::new(input, Limits::default());
    while let Some(object) = stream.next_object().map_err(|e| place(&e))? {
        tell(object, stream.outer("id"))?;
    }
    Ok(())
}

/// The bundle that is written.
struct Bundle<W: Write> {
    out: BufWriter<W>,
    id: Option<String>,
    to: To,
    objects: u64,
    /// Observables that were written: the same may come out of many observed data.
    seen: HashSet<Digest>,
}

impl<W: Write> Bundle<W> {
    fn object(&mut self, text: &str) -> Result<(), String> {
        if self.objects == 0 {
            self.begin()?;
        }
        let comma = if self.objects == 0 { "" } else { "," };
        self.objects += 1;
        self.put(&format!("{comma}\n{text}"))
    }

    fn begin(&mut self) -> Result<(), String> {
        let valid = self.id.take().filter(|id| id.parse::<stix::AnyId>().is_ok_and(|id| id.type_name() == "bundle"));
        let id = valid.unwrap_or_else(|| format!("bundle--{}", uuid::Uuid::new_v4()));
        // 2.1 has no `spec_version` on a bundle (S-150).
        let version = if self.to == To::V20 { "\"spec_version\":\"2.0\"," } else { "" };
        self.put(&format!("{{\"type\":\"bundle\",\"id\":\"{id}\",{version}\"objects\":["))
    }

    fn end(&mut self) -> Result<(), String> {
        if self.objects == 0 {
            self.begin()?;
        }
        self.put("\n]}\n")?;
        self.out.flush().map_err(|e| format!("writing: {e}"))
    }

    fn put(&mut self, text: &str) -> Result<(), String> {
        self.out.write_all(text.as_bytes()).map_err(|e| format!("writing: {e}"))
    }
}

/// What happened, for the person at the terminal.
#[derive(Default)]
struct Account {
    read: u64,
    written: u64,
    refused: u64,
    refusals: Vec<Value>,
    notes: BTreeMap<(Kind, String), (u64, Vec<String>)>,
}

impl Account {
    fn add<W: Write>(&mut self, converted: &Converted, id: Option<&str>, out: &mut Bundle<W>) -> Result<(), String> {
        self.read += 1;
        if out.objects == 0 {
            out.id = id.and_then(|raw| serde_json::from_str(raw).ok());
        }
        for note in &converted.notes {
            let (count, ids) = self.notes.entry((note.kind, note.what.clone())).or_default();
            *count += 1;
            if ids.len() < NAMED_MAX {
                ids.push(note.id.clone());
            }
        }
        for text in &converted.objects {
            let observable = converted.objects.len() > 1 && is_observable(text);
            if !observable || out.seen.insert(canonical::digest(text.as_bytes())) {
                out.object(text)?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, path: &Path, refusal: &stix::Rejected) {
        self.read += 1;
        self.refused += 1;
        if self.refusals.len() < NAMED_MAX {
            self.refusals.push(json!({
                "file": path, "path": refusal.error.path, "id": refusal.id,
                "cause": refusal.error.cause, "requirement": refusal.error.requirement,
            }));
        }
    }

    fn json(&self, to: To) -> Value {
        let notes: Vec<Value> = self
            .notes
            .iter()
            .map(
                |((kind, what), (count, ids))| json!({"kind": kind.as_str(), "what": what, "count": count, "ids": ids}),
            )
            .collect();
        let to = if to == To::V20 { "2.0" } else { "2.1" };
        json!({"to": to, "read": self.read, "written": self.written, "refused": self.refused,
            "refusals": self.refusals, "notes": notes})
    }

    fn text(&self) -> String {
        let mut text = format!("{} objects read, {} written, {} refused\n", self.read, self.written, self.refused);
        for ((kind, what), (count, _)) in &self.notes {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  {kind:<9} {count:>7}  {what}");
        }
        for refusal in self.refusals.iter().take(REFUSALS_TOLD_MAX) {
            let of = |name: &str| refusal[name].as_str().unwrap_or_default().to_owned();
            let _ = writeln!(text, "  refused   {}{}: {}", of("file"), of("path"), of("cause"));
        }
        text
    }
}

fn is_observable(text: &str) -> bool {
    stix::stream::Head::read(text).is_some_and(|head| Class::of(&head.type_name) == Class::Sco)
}
