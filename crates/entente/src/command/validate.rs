//! `entente validate`: files against the standard.

mod files;
mod report;

use super::FAULTS;
use crate::{eprint, print, print_from};
use clap::Args;
use files::Input;
use report::Findings;
use std::{
    fs::{self, File},
    io::{self, IsTerminal as _},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::ExitCode,
};
use stix::{
    Limits,
    stream::StreamError,
    validate::{self, Checked, Options, Schemas},
};

/// `entente validate FILE…`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files or folders, plain or gzip; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print one SARIF log (2.1.0) for continuous integration.
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
    /// Warnings make a file invalid too.
    #[arg(long)]
    strict: bool,
    /// Tell good practice beyond the standard as well, with the warnings.
    #[arg(long)]
    best_practice: bool,
    /// JSON Schema of an extension: the id of its definition, `=`, a file.
    #[arg(long, value_name = "DEFINITION=FILE")]
    schema: Vec<String>,
    /// Findings of one file that are printed as text.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

impl Validate {
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let schemas = self.schemas()?;
        let options = Options { advice: self.best_practice, schemas: (!schemas.is_empty()).then_some(&schemas) };
        let (mut valid, mut read) = (true, true);
        let mut log = self.sarif.then(report::Sarif::default);
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        for path in &files::expand(&self.files)? {
            let name = path.display().to_string();
            let told = files::open(path).and_then(|input| {
                let (objects, mut findings) = self.one(&name, &input, json, &options)?;
                valid &= findings.valid(self.strict);
                match &mut log {
                    Some(log) => log.add(&mut findings)?,
                    None if json => print_from(&mut findings.json(objects, self.strict)?),
                    None => print(&findings.text(objects, self.strict, color)),
                }
                Ok(())
            });
            if let Err(error) = told {
                eprint(&format!("entente: `{name}`: {error}"));
                read = false;
            }
        }
        if let Some(log) = log {
            print_from(&mut log.finish().map_err(|e| e.to_string())?);
        }
        Ok(match (read, valid) {
            (false, _) => ExitCode::from(super::FAILED),
            (true, false) => ExitCode::from(FAULTS),
            (true, true) => ExitCode::SUCCESS,
        })
    }

    /// Checks one file: what is short is held, of what is long one object at a time. Gives the number of objects and what was found.
    fn one(&self, name: &str, input: &Input, json: bool, options: &Options<'_>) -> io::Result<(usize, Findings)> {
        let limits = Limits::default();
        let fresh = || match (self.sarif, json) {
            (true, _) => Findings::sarif(name),
            (false, true) => Findings::lines(name),
            (false, false) => Findings::listed(name, self.limit),
        };
        let mut findings = fresh();
        let objects = match input {
            Input::Held(bytes) => {
                validate::document(bytes, &limits, options, &mut |checked| findings.add(checked)).objects
            }
            Input::Long(file) => {
                let again = |offset, length| part(file, offset, length);
                match validate::stream(file, &again, &limits, options, &mut |checked| findings.add(checked)) {
                    Ok(document) => document.objects,
                    Err(StreamError::Input(error)) => return Err(error),
                    Err(StreamError::Document(fault)) => {
                        // As with a short file: what is no document has no objects.
                        findings = fresh();
                        findings.add(Checked { index: None, id: None, finding: fault.into() });
                        0
                    }
                    Err(other) => return Err(io::Error::other(other)),
                }
            }
        };
        Ok((objects, findings))
    }

    fn schemas(&self) -> Result<Schemas, String> {
        let mut schemas = Schemas::default();
        for given in &self.schema {
            let (id, file) =
                given.split_once('=').ok_or_else(|| format!("`--schema {given}`: write DEFINITION=FILE"))?;
            let text = fs::read_to_string(file).map_err(|e| format!("`{file}`: {e}"))?;
            schemas.add(id, &text).map_err(|e| format!("`{file}`: {e}"))?;
        }
        Ok(schemas)
    }
}

fn part(file: &File, offset: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset).ok().map(|()| bytes)
}
