//! `entente demo`: a coalition on loopback. Six nodes with a store, policies, a catalogue and agreements each load what is theirs, pull from one another
//! until nothing new comes, and are compared with the oracle.

mod coalition;
mod report;

use crate::{command, eprint, print};
use clap::Args;
use std::{path::PathBuf, process::ExitCode, time::Instant};

/// `entente demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Do not stay up: print the result and end.
    #[arg(long)]
    once: bool,
    /// Keep the nodes' directories here (must not exist); a temporary directory otherwise.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Folder of real data by others; its ATT&CK and vendor reports are loaded too if they are there.
    #[arg(long, env = "ENTENTE_CORPUS", default_value = "../shared/data")]
    corpus: PathBuf,
    /// Write a JSON description (addresses, accounts, what the oracle says each is shown) to this file once the nodes are quiet; for tests and tools.
    #[arg(long)]
    describe: Option<PathBuf>,
    /// Leave the corpus out even if it is there.
    #[arg(long)]
    small: bool,
}

impl Demo {
    pub(crate) fn run(self, json: bool) -> Result<ExitCode, String> {
        let started = Instant::now();
        let temporary = match &self.keep {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("entente-demo-").tempdir().map_err(|e| e.to_string())?),
        };
        let dir = match (&self.keep, &temporary) {
            (Some(keep), _) => keep.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err("no directory to work in".to_owned()),
        };
        let say = |text: &str| {
            if !json {
                eprint(&format!("[{:5.1} s] {text}", started.elapsed().as_secs_f64()));
            }
        };
        say("making six nodes: NATO, Japan, Australia, Republic of Korea, New Zealand, the National CERT of XPA");
        let coalition = coalition::Coalition::start(&dir, &say)?;
        let mut oracle =
            oracle::coalition::Coalition::from_dir(dir.join("demo")).map_err(|e| format!("the oracle: {e}"))?;
        let corpus = if self.small { None } else { Some(self.corpus.as_path()) };
        coalition.load(corpus, &mut oracle, &say)?;
        let rounds = coalition.pull_until_quiet(&say)?;
        say(&format!("quiet after {rounds} rounds of pulls; asking the oracle"));
        let report = report::Report::make(&coalition, &oracle, started.elapsed().as_secs_f64())?;
        if let Some(file) = &self.describe {
            let draft = file.with_extension("draft");
            let text = coalition.description(&oracle).to_string();
            std::fs::write(&draft, text)
                .and_then(|()| std::fs::rename(&draft, file))
                .map_err(|e| format!("`{}`: {e}", file.display()))?;
        }
        if json {
            print(&report.json().to_string());
        } else {
            print(&report.text());
        }
        if !self.once {
            if !json {
                print(&coalition.invitation());
            }
            crate::serve::wait_for_signal()?;
        }
        coalition.stop();
        Ok(if report.as_the_oracle_says() { ExitCode::SUCCESS } else { ExitCode::from(command::NOT_AS_ORACLE) })
    }
}
