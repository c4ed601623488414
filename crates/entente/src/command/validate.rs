//! `entente validate`: files against the standard.

mod files;
mod report;

use super::FAULTS;
use crate::{eprint, print};
use clap::Args;
use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
};
use stix::{
    Limits,
    validate::{self, Checked, Level, Options, Schemas},
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

/// What was found in one file.
pub(super) struct Outcome {
    file: String,
    objects: usize,
    valid: bool,
    findings: Vec<Checked>,
}

impl Validate {
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let schemas = self.schemas()?;
        let options = Options { advice: self.best_practice, schemas: (!schemas.is_empty()).then_some(&schemas) };
        let (mut valid, mut read) = (true, true);
        let mut log = self.sarif.then(report::Sarif::default);
        let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        for path in &files::expand(&self.files)? {
            let bytes = match files::read(path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    eprint(&format!("entente: `{}`: {error}", path.display()));
                    read = false;
                    continue;
                }
            };
            let outcome = self.one(path, &bytes, &options);
            valid &= outcome.valid;
            match &mut log {
                Some(log) => log.add(&outcome),
                None if json => print(&report::json(&outcome)),
                None => print(&report::text(&outcome, self.limit, color)),
            }
        }
        if let Some(log) = log {
            print(&log.finish());
        }
        Ok(match (read, valid) {
            (false, _) => ExitCode::from(super::FAILED),
            (true, false) => ExitCode::from(FAULTS),
            (true, true) => ExitCode::SUCCESS,
        })
    }

    fn one(&self, path: &Path, bytes: &[u8], options: &Options<'_>) -> Outcome {
        let mut findings = Vec::new();
        let document = validate::document(bytes, &Limits::default(), options, &mut |checked| findings.push(checked));
        let worst = if self.strict { Level::Warning } else { Level::Error };
        Outcome {
            file: path.display().to_string(),
            objects: document.objects,
            valid: findings.iter().all(|checked| checked.finding.level < worst),
            findings,
        }
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
